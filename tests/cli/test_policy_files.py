"""`policy fmt` and `policy lint` in a real workspace: what they write, what they say, and what they end with."""

import os
from pathlib import Path

import pytest

from interlock.cli.output import Exit
from tests.cli.shell import Shell

BROKEN = '@id("x") @owner("o") permit(principal, action, resource) when { 1 + };\n// kept\n'
UNFORMED = '// kept\n@id("x") @owner("o") permit(principal, action == Action::"box.look", resource);\n'


def policies(shell: Shell) -> Path:
    """The folder of the policies."""
    return shell.place.folder / "policies"


def state(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every file in it, with what is in it and when it was written."""
    return {each.name: (each.read_bytes(), each.stat().st_mtime_ns) for each in folder.iterdir() if each.is_file()}


@pytest.mark.proves("policy.format_keeps")
def test_fmt_writes_the_form_once(shell: Shell) -> None:
    """`--check` says what would change, writes nothing and ends with 1; without it the files are written; then both are
    content, and what is in force is the same policies."""
    folder = policies(shell)
    before, [name] = state(folder), [each.name for each in folder.glob("*.cedar")]
    path = str(folder / name)

    checked = shell.json("policy", "fmt", "--check", code=Exit.YOURS)
    assert checked == {"ok": False, "changed": [path], "unreadable": [], "written": False}
    assert state(folder) == before
    assert "would change" in shell("policy", "fmt", "--check").out

    written = shell.json("policy", "fmt")
    assert written == {"ok": True, "changed": [path], "unreadable": [], "written": True}
    assert (
        (folder / name).read_text().startswith('@id("all")\n@owner("tests")\npermit (principal, action, resource);\n')
    )

    after = state(folder)
    assert shell.json("policy", "fmt", "--check") == {"ok": True, "changed": [], "unreadable": [], "written": False}
    assert shell.json("policy", "fmt") == {"ok": True, "changed": [], "unreadable": [], "written": True}
    assert state(folder) == after
    assert shell("check").code == 0


@pytest.mark.proves("policy.format_keeps")
def test_a_broken_file_is_named_and_not_touched_and_the_others_are_written(shell: Shell) -> None:
    """It ends with 1, says who tells why, and not a byte of the broken file changes."""
    folder = policies(shell)
    (folder / "broken.cedar").write_text(BROKEN)
    (folder / "other.cedar").write_text(UNFORMED)
    before = state(folder)

    said = shell("policy", "fmt", str(folder / "broken.cedar"), str(folder / "other.cedar"))

    assert said.code == Exit.YOURS
    assert "does not parse" in said.out
    assert "`interlock policy lint` says why" in said.out
    after = state(folder)
    assert {name for name in after if after[name] != before[name]} == {"other.cedar"}
    assert after["other.cedar"][0].startswith(b"// kept\n@id")
    found = shell.json("policy", "fmt", "--check", str(folder / "broken.cedar"), code=Exit.YOURS)
    assert found["unreadable"] == [str(folder / "broken.cedar")]


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"//" + b"x" * 1024 * 1024])
def test_a_file_that_cannot_be_read_is_an_error_and_nothing_is_written(shell: Shell, content: bytes | None) -> None:
    """Not there, no text, or too long: one error, ended with 1, and the other files named stay as they are."""
    folder = policies(shell)
    odd = folder / "odd.cedar"
    if content is not None:
        odd.write_bytes(content)
    (folder / "other.cedar").write_text(UNFORMED)
    before = state(folder)

    error = shell.json("policy", "fmt", str(folder / "other.cedar"), str(odd), code=Exit.YOURS)["error"]

    assert "odd.cedar" in error["detail"]
    assert state(folder) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_is_told(shell: Shell) -> None:
    """The file stays as it is."""
    folder = policies(shell)
    before = state(folder)
    folder.chmod(0o555)
    try:
        error = shell.json("policy", "fmt", code=Exit.YOURS)["error"]
    finally:
        folder.chmod(0o755)

    assert "cannot be written" in error["detail"]
    assert state(folder) == before


def test_lint_says_what_is_wrong_at_its_word(shell: Shell) -> None:
    """With file, line, column, the line underlined and the nearest spelling, for people and for programs; it ends with 1."""
    line = 'forbid(principal, action == Action::"box.put", resource) when { context.args.m > 5 };'
    (policies(shell) / "wrong.cedar").write_text(
        f'// one\n@id("w") @owner("o") @outcome("deny") @reason("r")\n{line}\n'
    )
    before = line.index("m > 5")

    said = shell("policy", "lint")
    found = shell.json("policy", "lint", code=Exit.YOURS)

    assert said.code == Exit.YOURS
    assert f"policies/wrong.cedar:3:{before + 1}: error: policy `w`: attribute `args.m`" in said.out
    assert f" | {' ' * before}^\n" in said.out
    assert "1 wrong," in said.out
    assert found["ok"] is False
    [error] = [each for each in found["findings"] if each.get("severity", "error") == "error"]
    assert (error["policy"], error["file"], error["line"], error["column"]) == ("w", "wrong.cedar", 3, before + 1)
    assert shell("check").code == Exit.YOURS


def test_lint_tells_what_is_doubtful_without_refusing_it(shell: Shell) -> None:
    """What is idle, what will be over, what is not in form: warnings, and it ends with 0."""
    found = shell.json("policy", "lint")

    assert found["ok"] is True
    said = [(each["severity"], each.get("policy", ""), each["message"]) for each in found["findings"]]
    assert ("warning", "", "it is not in Cedar's own form: `interlock policy fmt`") in said

    assert shell("policy", "fmt").code == 0
    assert shell.json("policy", "lint") == {"ok": True, "findings": []}
    assert "nothing to say" in shell("policy", "lint").out

    with (policies(shell) / "more.cedar").open("w") as file:
        file.write('@id("z")\n@owner("o")\npermit (principal, action, resource);\n')
    [found] = shell.json("policy", "lint")["findings"]
    assert (found["severity"], found["message"]) == ("warning", "it says the same as `all`")


def test_lint_of_a_broken_file_says_where_it_stops(shell: Shell) -> None:
    """The place of the first letter that is no Cedar."""
    (policies(shell) / "broken.cedar").write_text(BROKEN)

    [error] = [
        each for each in shell.json("policy", "lint", code=Exit.YOURS)["findings"] if "no Cedar" in each["message"]
    ]

    assert (error["file"], error["line"], error["column"]) == ("broken.cedar", 1, BROKEN.index("}") + 1)


def test_what_is_foreign_is_shown_and_does_nothing(shell: Shell) -> None:
    """Letters that steer a terminal, out of a policy's own text, are shown by their numbers."""
    (policies(shell) / "odd.cedar").write_text(
        '@id("w") @owner("o") @outcome("deny") @reason("r") forbid(principal, action, resource) '
        'when { context.args.\x1b[31m > "[red]x" };\n'
    )

    said = shell("policy", "lint")

    assert said.code == Exit.YOURS
    assert "\x1b[31m" not in said.out
    assert "[red]x" in said.out
