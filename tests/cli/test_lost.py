"""What is lost is said: a store, a key, a checkpoint, the workspace itself. Nothing is replaced in silence."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from interlock.bootstrap.connecting import connect
from interlock.cli.output import Exit
from tests.cli.shell import Shell, program

RUN = ("run", "box.put", "--agent", "ag", "--args", '{"n": 1}')


def lose(shell: Shell) -> None:
    """Remove the store as `rm .interlock/interlock.db*` does."""
    for path in (shell.place.folder / ".interlock").glob("interlock.db*"):
        path.unlink()


@pytest.mark.parametrize(
    "words",
    [
        RUN,
        ("work", "--until-idle"),
        ("stop", "all", "--as", "rita"),
        ("approve", "abcdef", "--as", "rita"),
        ("verify",),
        ("actions",),
        ("policy", "pending"),
    ],
)
def test_a_lost_store_is_not_replaced(shell: Shell, words: tuple[str, ...]) -> None:
    """No command but `apply` makes a store: an empty one would verify, and say nothing of what was lost."""
    shell(*RUN)
    lose(shell)

    error = shell.json(*words, code=Exit.OPERATOR)["error"]

    assert "there is no store" in error["detail"]
    assert "interlock apply" in error["next"]
    assert not list((shell.place.folder / ".interlock").glob("interlock.db*"))


def test_apply_says_that_a_new_log_begins(shell: Shell) -> None:
    """Once, in words and for programs: whoever lost a store learns that this is another."""
    lose(shell)
    first, second = shell("apply"), shell("apply")

    assert "a new one begins in" in first.out
    assert "a new one begins in" not in second.out
    lose(shell)
    assert [shell.json("apply")["began"] for _ in range(2)] == [True, False]


def test_an_empty_log_claims_nothing(shell: Shell, tmp_path: Path) -> None:
    """Nothing was recorded, so nothing is proven, and there is no checkpoint to keep; against a kept one it does not
    verify."""
    kept = tmp_path / "kept.txt"
    assert shell("verify", "--keep", str(kept)).code == Exit.OK
    lose(shell)
    store = connect(shell.place.folder, begin=True).means.store
    shell("actions")

    empty = shell("verify")
    assert (empty.code, "the log is empty" in empty.out, "verifies" in empty.out) == (Exit.OK, True, False)
    assert shell.json("verify")["empty"] is True
    assert shell("verify", "--keep", str(tmp_path / "none.txt")).code == Exit.YOURS
    assert shell("verify", "--retained", str(kept)).code == Exit.EVIDENCE
    del store


@pytest.mark.parametrize("text", ["", "hello\n", "\xff", "default.interlock/log\n4\n\n", '{"entries": []}\n'])
def test_a_file_that_is_no_checkpoint_is_a_mistake(shell: Shell, tmp_path: Path, text: str) -> None:
    """It says nothing of the log, which is not said to be wrong for it."""
    file = tmp_path / "kept.txt"
    file.write_text(text, encoding="latin-1")

    error = shell.json("verify", "--retained", str(file), code=Exit.USAGE)["error"]

    assert "is not a checkpoint" in error["detail"]


@pytest.mark.parametrize("name", ["log.key", "gate.pub"])
@pytest.mark.parametrize("begun", [True, False])
def test_a_missing_key_is_named(shell: Shell, name: str, begun: bool) -> None:
    """`init` does not call a workspace complete that lacks one of its keys: it says which, and where to get it."""
    if not begun:
        lose(shell)
    (shell.place.folder / ".interlock/keys" / name).unlink()

    error = program("init", ".", "--json", folder=shell.place.folder).json()["error"]

    assert (error["code"], f"`{name}`" in error["detail"], "backup" in error["next"]) == ("key", True, True)


def test_a_folder_beside_or_inside_the_workspace_finds_it(shell: Shell, tmp_path: Path) -> None:
    """Whoever stands in a folder of the workspace is told which it is; anybody else how it is named."""
    inside = program("actions", folder=shell.place.folder / "agents")
    nowhere = program("actions", folder=Path(tmp_path.anchor))

    assert (inside.code, nowhere.code) == (Exit.YOURS, Exit.YOURS)
    assert f"interlock -w {shell.place.folder.resolve()}" in inside.err
    assert "interlock -w FOLDER" in nowhere.err


@pytest.mark.parametrize("name", ["interlock.db", "keys.db", "keys/log.key"])
def test_what_may_not_be_read_is_named(shell: Shell, name: str) -> None:
    """A store, vault or key that whoever runs this may not read: the file is named, and that it is a matter of permission."""
    shell.proposed(1)
    path = shell.place.folder / ".interlock" / name
    words = [sys.executable, "-m", "interlock", "run", "box.put", "--agent", "ag", "--args", '{"n": 1}', "--json"]
    if os.geteuid() == 0:
        if (without := shutil.which("setpriv")) is None:
            pytest.skip("root may read everything, and there is no setpriv to become less")
        words = [without, "--bounding-set=-all", "--inh-caps=-all", *words]
    path.chmod(0)
    try:
        said = subprocess.run(words, check=False, cwd=shell.place.folder, capture_output=True, timeout=60)
    finally:
        path.chmod(0o600)

    error = json.loads(said.stdout)["error"]
    assert said.returncode == Exit.OPERATOR
    assert error["detail"].startswith("permission to read `")
    assert f".interlock/{name}`" in error["detail"]
    assert "backup" not in error["next"]
    assert "the user whose" in error["next"]
