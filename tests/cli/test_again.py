"""Erasures kept outside: what is restored whole from before them is erased again by a list, and by no forged one."""

import json
import shutil
import signal
import subprocess
import sys
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import anyio
import apsw
import pytest

from interlock.adapters.sqlite.vault import SqliteVault
from interlock.bootstrap import forgetting
from interlock.bootstrap.connecting import vault_of
from interlock.cli.output import Exit, UsageError
from interlock.domain.errors import ContractError, IntegrityError
from tests.cli.shell import Shell
from tests.workspaces import forget, workspace

KILLED = """
import os, signal, sys
from pathlib import Path
import anyio
from interlock.bootstrap import forgetting

class Kill:
    def reached(self, step):
        os.kill(os.getpid(), signal.SIGKILL)

anyio.run(lambda: forgetting.again(Path(sys.argv[1]), Path(sys.argv[2]), steps=Kill()))
"""


def _erase(shell: Shell, subject: str) -> None:
    propose = ("erase", "--subject", subject, "--propose", "--why", "asked", "--as", "rita")
    made = shell.json(*propose, code=Exit.WAITING)["erasure"]
    assert shell("erase", "--accept", made, "--as", "ria").code == 0


def _home(shell: Shell) -> Path:
    return shell.place.folder / ".interlock"


def _restore(shell: Shell, backup: Path) -> None:
    shutil.rmtree(_home(shell))
    shutil.copytree(backup, _home(shell))


class Made(NamedTuple):
    """An installation from before two erasures, the list of these, and the actions that were proposed."""

    backup: Path
    listed: Path
    actions: list[str]


@pytest.fixture(scope="module", name="made")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    folder = tmp_path_factory.mktemp("made")
    place = workspace(folder)
    shell = Shell(place)
    assert shell("apply").code == 0
    actions = [shell.proposed(n, "--on-behalf-of", who) for n, who in enumerate(("user:carla", "user:dan", "user:eve"))]
    backup, listed = folder / "backup", folder / "erasures.json"
    shutil.copytree(_home(shell), backup)
    for who in ("user:carla", "user:dan"):
        _erase(shell, who)
    assert shell.json("erase", "--export", str(listed))["parts"] == 4
    yield Made(backup, listed, actions)
    forget(place)


@pytest.fixture
def restored(shell: Shell, made: Made, tmp_path: Path) -> tuple[list[str], Path, Path]:
    """A workspace of which two persons were erased, restored whole from before that; its actions, the list, the backup."""
    listed = tmp_path / "erasures.json"
    shutil.copy(made.listed, listed)
    _restore(shell, made.backup)
    return made.actions, listed, made.backup


def _readable(shell: Shell, actions: list[str]) -> list[bool]:
    return [bool(shell.json("show", each)["arguments"]) for each in actions]


@pytest.mark.proves("erasure.again")
def test_what_was_restored_whole_is_erased_again(shell: Shell, restored: tuple[list[str], Path, Path]) -> None:
    """Nothing of the copies knows of it; the list brings it back, once, recorded as what it is, and all verifies."""
    actions, listed, backup = restored
    assert _readable(shell, actions) == [True, True, True]
    assert shell.json("verify")["ok"]

    done = shell.json("erase", "--again", str(listed), "--as", "rita")
    assert (done["parts"], done["destroyed"], done["cleared"] > 3) == (4, 4, True)
    assert _readable(shell, actions) == [False, False, True]
    found = shell.json("verify")
    assert (found["ok"], found["erased"]) == (True, done["cleared"])
    assert b"carla" not in listed.read_bytes()
    refused = shell("erase", "--export", str(listed))
    assert (refused.code, "tells of 2 parts of erasures of which this log of" in refused.err) == (Exit.YOURS, True)
    younger = listed.with_name("younger.json")
    assert [shell("erase", "--export", str(younger)).code for _ in range(2)] == [0, 0]
    twice = shell("erase", "--again", str(listed), "--as", "rita")
    assert (twice.code, "nothing is left to be done" in twice.out) == (0, True)
    (text,) = _rows(backup, "SELECT sealed FROM action ORDER BY id LIMIT 1")
    vault = vault_of(_home(shell) / "keys")
    vault.begin(None)
    with pytest.raises(Exception, match="erased"):
        vault.open(text, b"")
    vault.close()
    told = shell.json("erase", "--list")
    assert ({(each["state"], each["basis"]) for each in told}, len(told)) == ({("erased", "again")}, 2)
    assert sorted(index for each in told for index in each["entries"]) == sorted(done["entries"])
    assert shell("erase", "--list").out.count(" again ") == 2
    kinds = [json.loads(each) for each in _statements(shell)]
    assert {(each["basis"], each["restored"], each["consents"]) for each in kinds} == {("again", True, 0)}


def _rows(home: Path, statement: str) -> list[Any]:
    store = apsw.Connection(str(home / "interlock.db"))
    found: list[Any] = [row[0] for row in store.execute(statement)]
    store.close()
    return found


def _statements(shell: Shell) -> list[str]:
    """What the entries say that tell of what was carried out."""
    leaves = _rows(_home(shell), "SELECT leaf FROM entry WHERE phase = 'erased'")
    said = [json.loads(each)["payload"] for each in leaves]
    return [json.dumps(json.loads(b64decode(each))["predicate"]) for each in said]


def _leaf(made: dict[str, Any]) -> None:
    made["erasures"][0]["leaf"] = made["erasures"][1]["leaf"]


def _proof(made: dict[str, Any]) -> None:
    made["erasures"][0]["proof"] = made["erasures"][1]["proof"]


def _place(made: dict[str, Any]) -> None:
    made["erasures"][0]["index"] -= 1


def _root(made: dict[str, Any]) -> None:
    lines = made["checkpoint"].split("\n")
    lines[2] = b64encode(bytes(32)).decode()
    made["checkpoint"] = "\n".join(lines)


def _foreign(made: dict[str, Any]) -> None:
    made["erasures"].append(made["keys"][0])


def _keys(made: dict[str, Any]) -> None:
    made["keys"] = made["erasures"][:1]


def _first_gone(made: dict[str, Any]) -> None:
    del made["erasures"][0]


def _last_gone(made: dict[str, Any]) -> None:
    del made["erasures"][2:]


def _all_gone(made: dict[str, Any]) -> None:
    made["erasures"] = []


def _other_seal(made: dict[str, Any]) -> None:
    made["seal"]["sig"] = b64encode(bytes(64)).decode()


def _nobody(made: dict[str, Any]) -> None:
    made["seal"]["keyid"] = "somebody+00000000"


def _twisted(made: dict[str, Any]) -> None:
    """The same statement about other keys, under the old signature."""
    envelope = json.loads(b64decode(made["erasures"][0]["leaf"]))
    statement = json.loads(b64decode(envelope["payload"]))
    statement["predicate"]["keys"] = {"000000000000": "0-1023"}
    envelope["payload"] = b64encode(json.dumps(statement, separators=(",", ":"), sort_keys=True).encode()).decode()
    text = json.dumps(envelope, separators=(",", ":"), sort_keys=True).encode()
    made["erasures"][0]["leaf"] = b64encode(text).decode()


@pytest.mark.proves("erasure.again_believed")
def test_a_list_that_was_altered_destroys_nothing(shell: Shell, restored: tuple[list[str], Path, Path]) -> None:
    """Entries exchanged, moved, of another kind or altered, another root: refused by name, and no key is destroyed."""
    actions, listed, _ = restored
    data = listed.read_bytes()
    changes: list[Callable[[dict[str, Any]], None]] = [_leaf, _proof, _place, _root, _foreign, _keys, _twisted]
    changes += [_first_gone, _last_gone, _all_gone, _other_seal, _nobody]
    for change in changes:
        made = json.loads(data)
        change(made)
        listed.write_text(json.dumps(made))
        with pytest.raises(IntegrityError, match="the list of erasures does not hold"):
            anyio.run(lambda: forgetting.again(shell.place.folder, listed))
    assert shell("erase", "--again", str(listed), "--as", "rita").code == Exit.EVIDENCE
    assert _readable(shell, actions) == [True, True, True]


@pytest.mark.proves("erasure.again_whole")
def test_a_list_that_does_not_show_that_it_is_whole_is_told(
    shell: Shell, restored: tuple[list[str], Path, Path]
) -> None:
    """Without its seal, as from an earlier version, it is carried out as far as it goes, and never as if it were whole; one of
    no erasure is no success; and it is said that the list is of a longer log."""
    actions, listed, _ = restored
    made = json.loads(listed.read_bytes())
    words = ("erase", "--again", str(listed), "--as", "rita")
    listed.write_text(json.dumps({**made, "seal": None, "erasures": []}))
    empty = shell(*words)
    assert (empty.code, "tells of no erasure at all" in empty.err) == (Exit.EVIDENCE, True)
    del made["seal"], made["erasures"][0]
    listed.write_text(json.dumps(made))

    part = shell(*words)
    assert (part.code, "the list may lack erasures" in part.out) == (Exit.EVIDENCE, True)
    assert "the end of the log is missing here" in part.out
    assert _readable(shell, actions) == [True, False, True]


@pytest.mark.proves("erasure.again_believed")
def test_a_list_of_another_log_destroys_nothing(
    shell: Shell, restored: tuple[list[str], Path, Path], tmp_path: Path
) -> None:
    """A true list of a log with other keys does not hold here, though that log bears the same name."""
    actions, listed, backup = restored
    shutil.rmtree(_home(shell))
    assert shell("init", str(shell.place.folder)).code == 0
    assert shell("apply", "--as", "rita").code == 0
    other = tmp_path / "other.json"
    assert shell("erase", "--export", str(other)).code == 0
    assert shell("erase", "--again", str(listed), "--as", "rita").code == Exit.EVIDENCE
    refused = shell("erase", "--export", str(listed))
    assert (refused.code, "a list of another log" in refused.err) == (Exit.YOURS, True)
    _restore(shell, backup)

    assert shell("erase", "--again", str(other), "--as", "rita").code == Exit.EVIDENCE
    assert _readable(shell, actions) == [True, True, True]


def test_a_file_that_is_no_list_is_a_mistake(shell: Shell, tmp_path: Path) -> None:
    """It is said which file was meant, nothing is done, and who feeds it back must be known."""
    file = tmp_path / "list.json"
    assert shell("apply", "--as", "rita").code == 0
    for text in ("", "{}", "[]", '{"format": "interlock erasures v1"}', "\xff"):
        file.write_text(text, encoding="latin-1")
        with pytest.raises(ContractError, match="is not a list of erasures"):
            anyio.run(lambda: forgetting.again(shell.place.folder, file))

    error = shell.json("erase", "--again", str(file), "--as", "rita", code=Exit.YOURS)["error"]
    assert "erase --export" in error["next"]
    assert shell("erase", "--again", str(file), "--as", "nobody").code == Exit.YOURS
    with pytest.raises(UsageError):
        shell("erase", "--export", str(file), "--list")


@pytest.mark.proves("erasure.again")
def test_killed_between_two_parts(shell: Shell, restored: tuple[list[str], Path, Path]) -> None:
    """Killed once the keys of the first part are gone, the next command that writes records that one, and the list goes on
    with the other."""
    actions, listed, _ = restored
    died = subprocess.run([sys.executable, "-c", KILLED, str(shell.place.folder), str(listed)], check=False)
    assert died.returncode == -signal.SIGKILL

    assert shell("work", "--until-idle").code == 0
    assert _readable(shell, actions) == [False, True, True]
    assert shell.json("verify")["ok"]
    assert shell.json("erase", "--again", str(listed), "--as", "rita")["destroyed"] == 3
    assert _readable(shell, actions) == [False, False, True]
    assert shell.json("verify")["ok"]


@pytest.mark.proves("erasure.again")
@pytest.mark.parametrize("stored", [True, False])
def test_a_vault_that_fails(
    shell: Shell, restored: tuple[list[str], Path, Path], monkeypatch: pytest.MonkeyPatch, stored: bool
) -> None:
    """Where the vault fails, whether or not it stored what went, the same list ends it."""
    actions, listed, _ = restored
    real = SqliteVault.shred

    def broken(self: SqliteVault, shred: Any) -> None:
        if stored:
            real(self, shred)
        raise OSError("broken")

    with monkeypatch.context() as patched:
        patched.setattr(SqliteVault, "shred", broken)
        with pytest.raises(OSError, match="broken"):
            anyio.run(lambda: forgetting.again(shell.place.folder, listed))
    assert _readable(shell, actions)[1:] == [True, True]

    assert shell("erase", "--again", str(listed), "--as", "rita").code == 0
    assert _readable(shell, actions) == [False, False, True]
    assert shell.json("verify")["ok"]


@pytest.mark.proves("erasure.again")
def test_keys_that_were_rotated_since(shell: Shell, restored: tuple[list[str], Path, Path]) -> None:
    """A list from before a rotation is believed by the log's own keys of then, and one from after it follows from them."""
    actions, listed, backup = restored
    assert shell("erase", "--again", str(listed), "--as", "rita").code == 0
    assert shell("keys", "rotate", "--why", "x", "--as", "rita").code == 0
    younger = listed.with_name("younger.json")
    assert shell("erase", "--export", str(younger)).code == 0
    assert shell("erase", "--again", str(listed), "--as", "rita").code == 0
    _restore(shell, backup)

    assert shell("erase", "--again", str(younger), "--as", "rita").code == 0
    assert _readable(shell, actions) == [False, False, True]
    assert shell.json("verify")["ok"]
