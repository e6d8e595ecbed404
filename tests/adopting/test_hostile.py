"""Projects that somebody made to do harm: looking at them ends, reads nothing outside of them, and says what it left out."""

import os
import random
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.adapters.adopting import reading
from interlock.adapters.adopting.looking import look
from interlock.adapters.adopting.python_tools import Project, servers_named, unknown_decorators
from interlock.adapters.adopting.source import Source
from interlock.domain.errors import FileError
from tests.adopting.programs import PROGRAMS

TOOL: Final = "from agents import function_tool\n@function_tool\ndef get_x() -> str: ...\n"


@pytest.mark.proves("adopt.stays_inside")
def test_links_lead_nowhere(tmp_path: Path) -> None:
    """Files and folders that are links, out of the project or within it, are not followed; each that would count is said."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.py").write_text(TOOL)
    (outside / ".mcp.json").write_text('{"mcpServers": {"x": {"command": "a"}}}')
    project = tmp_path / "project"
    project.mkdir()
    (project / "linked.py").symlink_to(outside / "secret.py")
    (project / ".mcp.json").symlink_to(outside / ".mcp.json")
    (project / "folder").symlink_to(outside)
    (project / "round").symlink_to(project)

    found = look(project)
    assert (found.tools, found.servers) == ((), ())
    assert {each.file for each in found.overlooked} == {"linked.py", ".mcp.json"}


def test_a_link_that_a_person_names_is_followed(tmp_path: Path) -> None:
    """Configurations are often links into a folder of settings."""
    (tmp_path / "real.json").write_text('{"mcpServers": {"x": {"command": "a"}}}')
    (tmp_path / "named.json").symlink_to(tmp_path / "real.json")
    assert [each.name for each in look(tmp_path / "named.json").servers] == ["x"]


@pytest.mark.proves("adopt.stays_inside")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    """What never answers is no ordinary file."""
    os.mkfifo(tmp_path / "pipe.py")
    os.mkfifo(tmp_path / ".mcp.json")
    assert {each.why for each in look(tmp_path).overlooked} == {"is no ordinary file"}


@pytest.mark.proves("adopt.stays_inside")
def test_there_are_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of size, number and depth; beyond each of them it is said that there was more."""
    monkeypatch.setattr(reading, "MAX_FILE", 1000)
    monkeypatch.setattr(reading, "MAX_FILES", 3)
    monkeypatch.setattr(reading, "MAX_DEPTH", 2)
    (tmp_path / "0large.py").write_text(TOOL + "#" * 1000)
    deep = tmp_path / "a" / "b" / "c"
    deep.mkdir(parents=True)
    (deep / "deep.py").write_text(TOOL)
    for number in range(5):
        (tmp_path / f"many{number}.py").write_text(TOOL.replace("get_x", f"get_{number}"))

    found = look(tmp_path)
    assert [each.name for each in found.tools] == ["get_0", "get_1", "get_2"]
    said = {each.file: each.why for each in found.overlooked}
    assert said["0large.py"] == "is larger than 0 KiB"
    assert said["a/b/c"] == "is more than 2 folders deep"
    assert "too many files" in said["many4.py"]


def test_a_project_without_end_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After so many entries nothing more is listed."""
    monkeypatch.setattr(reading, "MAX_ENTRIES", 10)
    for number in range(20):
        (tmp_path / f"{number:02}.txt").touch()
    assert "more than 10 files" in look(tmp_path).overlooked[0].why


def test_what_is_brought_is_not_looked_at(tmp_path: Path) -> None:
    """Environments and packages of others are no program of whoever adopts."""
    for folder in (".venv/lib", "node_modules/x", "build", ".git"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "p.py").write_text(TOOL)
    assert look(tmp_path).tools == ()


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5000,
        "[" * 90 + "]" * 90,
        "-" * 100_000 + "1",
        "~" * 100 + "1",
        "x" + ".y" * 50_000,
        "f" + "()" * 50_000,
        "not " * 50_000 + "x",
        "lambda: " * 20_000 + "1",
        "1" + "+1" * 100_000,
        "if x:\n" + " pass\n" * 10,
        "\x00",
        "def f(:\n",
        "x = " + "9" * 10_000,
        "'" * 99_999,
        '"\\N{x}"',
        "if 1:\n" + "\n".join(" " * n + "if 1:" for n in range(1, 200)),
        "x = " + "{" * 99 + "}" * 99,
        "@" * 1000,
        "a if b else " * 20_000 + "c",
        "a = " * 20_000 + "1",
        "async " * 1000,
        "\\\n" * 10_000,
        "from " + "." * 100_000 + " import x",
        "f(" + "*a," * 100_000 + ")",
        "x: " + "'" + "list[" * 400 + "'",
        "# coding: rot13\n",
    ],
)
def test_no_text_brings_the_parser_down(tmp_path: Path, text: str) -> None:
    """Nested or long beyond any program: read or refused, and the others are read all the same."""
    (tmp_path / "bad.py").write_text(text, encoding="utf-8")
    (tmp_path / "good.py").write_text(TOOL)
    assert [each.name for each in look(tmp_path).tools] == ["get_x"]


@settings(max_examples=200)
@given(st.binary(max_size=300))
def test_any_bytes_are_read(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    """Whatever a file holds: something was found, or left out."""
    folder = tmp_path_factory.mktemp("any")
    for name in ("any.py", ".mcp.json"):
        (folder / name).write_bytes(data)
    look(folder)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(PROGRAMS)), st.randoms(use_true_random=False))
def test_programs_with_anything_wrong_in_them_are_read(framework: str, chance: random.Random) -> None:
    """Lines taken away, moved and doubled, letters changed: what is still Python is looked at without an error."""
    lines = PROGRAMS[framework].splitlines(keepends=True)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(lines))
        how = chance.randrange(3)
        lines[place] = [
            "",
            lines[chance.randrange(len(lines))],
            lines[place].replace(chance.choice("()[]:=@.,\"'"), ""),
        ][how]
    try:
        source = Source("p.py", "".join(lines))
    except ValueError:
        return
    from_source(source)


def from_source(source: Source) -> None:
    """Everything that is looked for in one."""
    list(Project([source]).tools())
    list(servers_named(source))
    list(unknown_decorators(source))


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    """With what to name."""
    with pytest.raises(FileError, match="there is no"):
        look(tmp_path / "nothing")
