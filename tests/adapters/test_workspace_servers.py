"""`servers/*.yaml` and the pins beside them: what is read, and everything that is wrong with it."""

from pathlib import Path

import msgspec
import pytest

from interlock.adapters.workspace import Workspace, read_workspace
from interlock.adapters.workspace.pinned_file import pinned_text
from interlock.domain.contract import McpTarget, NoReversal
from interlock.domain.upstream import Definition, Http, Pinned, Stdio

GREET = Definition(
    name="greet",
    description="Says hello.",
    input_schema={"type": "object", "properties": {"loud": {"type": "number", "default": 0.5}}},
    annotations={"readOnlyHint": True},
)
PINNED = Pinned(server="kit 1", protocol="2025-11-25", tools=(GREET, msgspec.structs.replace(GREET, name="part")))
FILE = "stdio: {command: [kit, --all]}\n"


def read(folder: Path, text: str, pins: str = "") -> Workspace:
    """A workspace with one server."""
    (folder / "interlock.yaml").write_text("")
    (folder / "servers").mkdir(exist_ok=True)
    (folder / "servers/kit.yaml").write_text(text)
    if pins:
        (folder / "servers/kit.pinned.json").write_text(pins)
    return read_workspace(folder)


def wrong(found: Workspace) -> list[str]:
    """What is wrong with the server's files."""
    return [each.message for each in found.problems if each.file.startswith("servers/") and each.severity == "error"]


def test_a_server_and_its_pins_become_contracts(tmp_path: Path) -> None:
    """What the file says of a tool is its contract's; of the others the most careful is said, whatever they say of themselves."""
    found = read(
        tmp_path,
        "http: {url: 'https://kit.example/mcp', headers: {Authorization: 'Bearer ${TOKEN}'}}\n"
        "trusted: yes\nowner: team\ntools: {greet: {effect: read, risk: low, integers: [loud]}}\n",
        pinned_text(PINNED),
    )
    assert wrong(found) == []
    assert found.servers[0].way == Http(url="https://kit.example/mcp", headers={"Authorization": "Bearer ${TOKEN}"})
    greet, part = found.contracts
    assert (greet.name, greet.effect, greet.risk, greet.owner) == ("kit.greet", "read", "low", "team")
    assert greet.target == McpTarget(server="kit", tool="greet", pin=GREET.digest, trusted=True)
    assert (part.effect, part.risk, part.owner) == ("external", "critical", "team")
    assert isinstance(part.reversal, NoReversal)
    assert isinstance(part.target, McpTarget)
    assert part.target.forms == {"/loud": "decimal"}
    assert found.pins["kit"] == PINNED


def test_a_server_without_pins_brings_no_contracts(tmp_path: Path) -> None:
    """Nothing is under contract that nobody accepted, and `check` says what to do."""
    found = read(tmp_path, FILE)
    assert found.contracts == ()
    assert found.servers[0].way == Stdio(command=("kit", "--all"))
    assert any("interlock server pin kit" in each.message for each in found.problems)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{}", "`stdio: {command: [...]}` or `http: {url: ...}`"),
        ("stdio: {command: [a]}\nhttp: {url: https://a.example}\n", "one of them"),
        ("stdio: {command: kit --all}\n", "a word each"),
        ("stdio: {command: [kit], env: {API_TOKEN: abc}}\n", "looks like a secret"),
        ("http: {url: ftp://a.example}\n", "http:// or https://"),
        (FILE + "elicitation: ask\n", "connections: each_task"),
        (FILE + "most_bytes: 99999999\n", "at most"),
        (FILE + "trusted: maybe\n", "`trusted` must be"),
        (FILE + "tools: {gret: {effect: read}}\n", "did you mean `greet`?"),
        (FILE + "tools: {greet: {key: no}}\n", "takes no argument `no`"),
        (FILE + "tools: {greet: {run: {python: 'a:b'}}}\n", "no field"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(text: str, said: str, tmp_path: Path) -> None:
    """Each mistake is told in its place, and nothing of that server goes into force."""
    found = wrong(read(tmp_path, text, pinned_text(PINNED)))
    assert any(said in each for each in found), found


@pytest.mark.parametrize(
    ("before", "after"),
    [("Says hello.", "Says hello, and more."), ('"version": 1', '"version": 2'), ('"tools"', '"toolz"'), ("}", "")],
)
def test_pins_that_somebody_edited_are_none(before: str, after: str, tmp_path: Path) -> None:
    """A file of pins counts as it was written, or not at all."""
    found = read(tmp_path, FILE, pinned_text(PINNED).replace(before, after, 1))
    assert any("interlock server pin kit" in each for each in wrong(found))
    assert found.contracts == ()


def test_tools_that_would_be_called_alike_are_refused(tmp_path: Path) -> None:
    """Two tools never share a contract's name."""
    alike = tuple(msgspec.structs.replace(GREET, name=each) for each in ("a/b", "a b"))
    found = read(tmp_path, FILE, pinned_text(msgspec.structs.replace(PINNED, tools=alike)))
    assert any("several tools would be called `kit.a_b`" in each for each in wrong(found))
