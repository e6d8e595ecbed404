"""`interlock keys` in a real workspace: rotations that end, die and are ended; what running processes notice; backups."""

import json
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path

import anyio
import pytest
from nacl.pwhash import argon2id

from interlock.adapters import key_backup
from interlock.adapters.issuing import before_in
from interlock.adapters.keys import KeyFolder, fresh, public_key
from interlock.adapters.sqlite.store import SqliteStore
from interlock.adapters.succession import Succession
from interlock.bootstrap import keeping
from interlock.bootstrap.connecting import connect
from interlock.domain.change import Change
from interlock.domain.errors import KeyFileError, StoreUnsure
from interlock.domain.ids import Person
from interlock.domain.keyring import ROLES, Role, keyid
from interlock.testing.parts import Crash, CrashAt
from tests.cli.shell import Shell

ANA = Person("ana")
ANA_SAYS = ("--as", "ana", "--why", "x")
STEPS = ("key.staged", "key.recorded", "key.promoted")
IN_PLACE = dict.fromkeys(ROLES, "in place")

KILLED = """\
import os, signal, sys
from pathlib import Path
import anyio
from interlock.bootstrap import keeping
class Kill:
    def reached(self, step):
        if step == sys.argv[2]:
            os.kill(os.getpid(), signal.SIGKILL)
anyio.run(lambda: keeping.rotate(Path(sys.argv[1]), ("log", "gate"), by="ana", why="", steps=Kill()))
"""


def _keys(shell: Shell) -> Path:
    return shell.place.folder / ".interlock" / "keys"


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passphrases that cost next to nothing, where it is not their cost that is tested."""
    monkeypatch.setattr(key_backup, "_OPS", argon2id.OPSLIMIT_MIN)
    monkeypatch.setattr(key_backup, "_MEM", argon2id.MEMLIMIT_MIN)


def _works(shell: Shell) -> None:
    """The workspace records, and its log verifies."""
    shell.proposed(1)
    assert shell.json("keys", "status")["whole"]
    assert shell.json("verify")["ok"]


@pytest.mark.proves("keys.followed", "keys.old_refused")
def test_a_rotation_from_beginning_to_end(shell: Shell) -> None:
    """Both keys are replaced; what runs is refused and says what to do; a new process records; old checkpoints hold."""
    shell.proposed(1)
    kept = shell.place.folder / "kept.txt"
    assert shell("verify", "--keep", str(kept)).code == 0
    before = (*KeyFolder(_keys(shell)).public(), public_key(_keys(shell) / "identity.pub"))
    running = connect(shell.place.folder)
    said = shell("keys", "rotate", "--as", "ana", "--why", "a year is over")

    assert said.code == 0
    assert "again" in said.out
    assert shell("verify").code == 0
    assert set(KeyFolder(_keys(shell)).public()).isdisjoint(before)
    with pytest.raises(KeyFileError) as caught:
        anyio.run(lambda: running.braking.stop("all", by="ana", why="x"))
    assert "start this process again" in caught.value.next_step
    anyio.run(running.means.store.close)
    _works(shell)
    assert shell("verify", "--retained", str(kept)).code == 0
    assert {path.name for path in (_keys(shell) / "retired").iterdir()} == {
        f"{role}-{key.key_id().hex()}.pub" for role, key in zip(("log", "gate", "identity"), before, strict=True)
    }
    assert shell("keys", "rotate", "--why", "x").code == 1


@pytest.mark.proves("keys.recovered")
@pytest.mark.parametrize(
    ("step", "role"),
    [
        (STEPS[0], "gate"),
        (STEPS[1], "gate"),
        (STEPS[1], "log"),
        (STEPS[2], "log"),
        (STEPS[1], "identity"),
        (STEPS[2], "identity"),
    ],
)
def test_a_rotation_that_dies_is_ended(shell: Shell, step: str, role: Role) -> None:
    """Wherever it stops, `status` says so, and `recover` makes folder and log agree again, and the log verify."""
    with pytest.raises(Crash):
        anyio.run(lambda: keeping.rotate(shell.place.folder, (role,), by=ANA, why="", steps=CrashAt(step)))
    status = shell("keys", "status")

    assert status.code == 3
    assert "keys recover" in status.out
    if step != "key.promoted":
        assert shell("keys", "rotate", "--as", "ana", "--why", "x").code == 3
    recovered = shell.json("keys", "recover", "--as", "ana")
    done = {"key.staged": "discarded", "key.recorded": "promoted", "key.promoted": "in place"}[step]
    assert recovered == IN_PLACE | {role: done}
    assert shell.json("keys", "recover", "--as", "ana") == IN_PLACE
    assert shell("verify").code == 0
    _works(shell)


@pytest.mark.proves("identity.key_replaced")
def test_the_identity_key_is_replaced_and_may_be_declared_lost(shell: Shell) -> None:
    """What the old one signed counts for the hour it has left, until it is declared lost; then who acted under it is suspect."""
    folder = _keys(shell)
    shell.proposed(1)
    old = public_key(folder / "identity.pub")
    running = connect(shell.place.folder)
    assert shell("keys", "rotate", "--role", "identity", *ANA_SAYS).code == 0

    before = before_in(folder)
    assert before is not None
    assert before.key == old
    issuer = running.means.issuer
    assert issuer is not None
    assert issuer.kid == keyid(old)
    with pytest.raises(KeyFileError, match="identity's key"):
        anyio.run(lambda: running.braking.stop("all", by="ana", why="x"))
    anyio.run(running.means.store.close)
    again = connect(shell.place.folder)
    now = again.means.issuer
    assert now is not None
    assert set(now.keys()) == {keyid(old), now.kid}
    anyio.run(again.means.store.close)
    _works(shell)

    assert shell("keys", "retire", keyid(old), "--since", "0", "--compromised", *ANA_SAYS).code == 0
    assert before_in(folder) is None
    said = shell("verify")
    assert said.code == 4
    assert "could have been any agent" in " ".join(said.out.split())
    assert [each["role"] for each in shell.json("verify", code=4)["suspicions"]] == ["identity"]
    shell.proposed(2)


@pytest.mark.proves("keys.followed")
@pytest.mark.parametrize("role", ["log", "gate", "identity"])
def test_right_after_a_rotation_the_log_verifies(shell: Shell, role: str) -> None:
    """The head is signed by the new key at once: nobody has to wait for the next entry."""
    assert shell("keys", "rotate", "--role", role, "--as", "ana", "--why", "x").code == 0

    assert shell("verify").code == 0


@pytest.mark.proves("keys.recovered")
def test_a_promotion_that_dies_in_the_middle_is_ended(shell: Shell) -> None:
    """Between the private file and the public one nothing is recorded, the error says how to go on, and it goes on."""
    steps = CrashAt("key.recorded")
    with pytest.raises(Crash):
        anyio.run(lambda: keeping.rotate(shell.place.folder, ("log",), by=ANA, why="", steps=steps))
    folder = _keys(shell)
    (folder / "log.next.key").replace(folder / "log.key")

    with pytest.raises(KeyFileError) as caught:
        connect(shell.place.folder)
    assert "keys recover" in caught.value.next_step
    assert shell.json("keys", "recover", "--as", "ana")["log"] == "promoted"
    _works(shell)


@pytest.mark.proves("keys.recovered")
@pytest.mark.parametrize("step", ["key.staged", pytest.param("key.recorded", marks=pytest.mark.slow)])
def test_a_rotation_that_is_killed_is_ended(shell: Shell, step: str) -> None:
    """A process killed between two steps of a rotation leaves what `recover` ends."""
    found = subprocess.run([sys.executable, "-c", KILLED, str(shell.place.folder), step], check=False)

    assert found.returncode == -signal.SIGKILL
    assert shell("keys", "status").code == 3
    assert shell("keys", "recover", "--as", "ana").code == 0
    _works(shell)


@pytest.mark.proves("keys.recovered")
def test_a_key_the_log_is_not_at_is_never_put_in_place(shell: Shell) -> None:
    """Where the log is at a key that is neither in place nor staged, nothing is promoted, nothing discarded."""
    folder = _keys(shell)
    succession = Succession(folder, "gate")
    succession.stage("tests.interlock/log/gate")
    before = {path.name: path.read_bytes() for path in folder.glob("gate.*")}
    with pytest.raises(KeyFileError, match="is not in"):
        succession.settle(fresh("tests.interlock/log/gate").verifier.vkey())

    assert {path.name: path.read_bytes() for path in folder.glob("gate.*")} == before
    assert succession.settle(succession.current()) == "discarded"


@pytest.mark.proves("keys.recovered")
@pytest.mark.parametrize("stored", [False, True])
def test_a_store_that_is_not_sure_leaves_it_to_recover(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, stored: bool
) -> None:
    """Whether or not the handover was recorded, the new key stays staged, the error says what to do, and that ends it."""
    real = SqliteStore.commit

    async def unsure(store: SqliteStore, change: Change) -> None:
        if stored:
            await real(store, change)
        raise StoreUnsure("the line is dead")

    monkeypatch.setattr(SqliteStore, "commit", unsure)
    said = shell("keys", "rotate", "--role", "gate", "--as", "ana", "--why", "x")
    monkeypatch.undo()

    assert (said.code, "keys recover" in said.err) == (3, True)
    assert shell.json("keys", "recover", "--as", "ana")["gate"] == ("promoted" if stored else "discarded")
    assert shell("verify").code == 0
    _works(shell)


@pytest.mark.usefixtures("cheap")
def test_a_folder_older_than_the_log_is_named(shell: Shell, tmp_path: Path) -> None:
    """With keys from before a rotation nothing is recorded, and `status` and `recover` say that a later backup is needed."""
    phrase = tmp_path / "phrase"
    phrase.write_text("correct horse battery\n")
    backup = tmp_path / "keys.backup"
    assert shell("keys", "backup", str(backup), "--passphrase-file", str(phrase)).code == 0
    assert shell("keys", "rotate", "--role", "gate", "--as", "ana", "--why", "x").code == 0
    shutil.rmtree(_keys(shell))
    said = shell("keys", "restore", str(backup), "--passphrase-file", str(phrase), "--as", "ana")

    assert said.code == 3
    assert shell("keys", "recover", "--as", "ana").code == 3
    with pytest.raises(KeyFileError):
        connect(shell.place.folder)


@pytest.mark.proves("keys.backup")
@pytest.mark.usefixtures("cheap")
def test_a_backup_restores_the_keys_and_nothing_else(shell: Shell, tmp_path: Path) -> None:
    """A folder restored from a backup signs on; wrong passphrases, changed files and folders that are there are refused."""
    assert shell("keys", "rotate", "--as", "ana", "--why", "x").code == 0
    folder, backup, phrase = _keys(shell), tmp_path / "keys.backup", tmp_path / "phrase"
    phrase.write_text("correct horse battery\n")
    vault = next(folder.glob("vault.*.key"))
    assert shell("keys", "backup", str(backup), "--passphrase-file", str(phrase)).code == 0
    # Credentials by the replaced key count for nothing once the folder is another.
    (folder / "identity.before").unlink()
    before = {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.*") if path.is_file()}
    assert backup.read_bytes().count(b"vault") == 0

    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    assert not any(line.strip() in backup.read_bytes() for line in before.values())
    assert shell("keys", "backup", str(backup), "--passphrase-file", str(phrase)).code == 3
    shutil.copytree(folder, tmp_path / "away")
    for path in (*folder.glob("log.*"), *folder.glob("gate.*"), *folder.glob("identity.*"), *folder.glob("retired/*")):
        path.unlink()
    wrong = tmp_path / "wrong"
    wrong.write_text("another passphrase\n")
    assert (
        "passphrase is another"
        in shell("keys", "restore", str(backup), "--passphrase-file", str(wrong), "--as", "ana").err
    )
    _refuses_what_was_changed(shell, backup, phrase)
    assert {path.name for path in folder.iterdir()} == {vault.name, "retired"}
    (folder / "log.pub").write_bytes(before[Path("gate.pub")])
    assert (
        "never overwritten"
        in shell("keys", "restore", str(backup), "--passphrase-file", str(phrase), "--as", "ana").err
    )
    (folder / "log.pub").write_bytes(before[Path("log.pub")])
    assert shell("keys", "restore", str(backup), "--passphrase-file", str(phrase), "--as", "ana").code == 0
    assert {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*.*") if path.is_file()} == before
    _works(shell)


def _refuses_what_was_changed(shell: Shell, backup: Path, phrase: Path) -> None:
    data = backup.read_bytes()
    said = json.loads(data)
    for changed in (
        data[:-30],
        json.dumps(said | {"mem": 2**40}).encode() + b"\n",
        json.dumps(said | {"ops": 2**30}).encode() + b"\n",
        json.dumps(said | {"sealed": said["sealed"][:-8] + "AAAAAAA="}).encode() + b"\n",
        b"{}\n",
        b"[" * 100_000,
    ):
        other = backup.with_name("changed")
        other.write_bytes(changed)
        assert shell("keys", "restore", str(other), "--passphrase-file", str(phrase), "--as", "ana").code == 3


@pytest.mark.proves("keys.backup")
def test_a_guess_at_a_passphrase_costs_what_it_should(shell: Shell, tmp_path: Path) -> None:
    """A backup says that 256 MiB of memory and three passes are needed to try one passphrase."""
    phrase, backup = tmp_path / "phrase", tmp_path / "keys.backup"
    phrase.write_text("correct horse battery\n")
    assert shell("keys", "backup", str(backup), "--passphrase-file", str(phrase)).code == 0

    said = json.loads(backup.read_bytes())
    assert (said["ops"], said["mem"]) == (3, 256 * 1024 * 1024)


def test_a_weak_or_unreadable_passphrase_is_refused(shell: Shell, tmp_path: Path) -> None:
    """A short passphrase, none at all, and a file that is none are refused with words, before anything is written."""
    backup, phrase = tmp_path / "keys.backup", tmp_path / "phrase"
    phrase.write_text("short\n")
    assert shell("keys", "backup", str(backup), "--passphrase-file", str(phrase)).code == 1
    assert shell("keys", "backup", str(backup), "--passphrase-file", str(tmp_path / "none")).code == 2
    phrase.write_bytes(b"\xff" * 20)
    assert shell("keys", "backup", str(backup), "--passphrase-file", str(phrase)).code == 2
    assert shell("keys", "backup", str(backup)).code == 2

    assert not backup.exists()


@pytest.mark.proves("keys.suspect")
def test_a_lost_key_makes_verification_say_so(shell: Shell) -> None:
    """`retire --compromised` takes a replaced key, an entry or a time; `verify` then ends with 4 unless that is accepted."""
    for n in range(3):
        shell.proposed(n)
    key = KeyFolder(_keys(shell)).public()[1].key_id().hex()
    assert shell("keys", "retire", key, "--since", "2", "--compromised", *ANA_SAYS).code == 1
    assert shell("keys", "rotate", "--role", "gate", "--as", "ana", "--why", "x").code == 0
    assert shell("keys", "retire", key, "--since", "2", *ANA_SAYS).code == 2
    assert shell("keys", "retire", "12345678", "--since", "2", "--compromised", *ANA_SAYS).code == 1
    assert shell("keys", "retire", key, "--since", "2999-01-01", "--compromised", *ANA_SAYS).code == 1
    assert shell("keys", "retire", key, "--since", "nonsense", "--compromised", *ANA_SAYS).code == 1
    assert shell("verify").code == 0
    found = shell.json("keys", "retire", key, "--since", "2020-01-01", "--compromised", *ANA_SAYS)

    assert found["since"] == 0
    said = shell("verify")
    assert said.code == 4
    assert f"0 to {found['last']}" in said.out
    assert shell("verify", "--accept-suspect").code == 0


@pytest.mark.proves("keys.second")
def test_a_second_algorithm_signs_every_checkpoint(shell: Shell) -> None:
    """Once there is a second key new processes sign with it, too; a verifier may demand that, and notices when it is not so."""
    folder = _keys(shell)
    public = str(folder / "second.pub")
    assert shell("verify", "--second", public).code == 2
    assert shell("keys", "second", "--as", "ana").code == 0
    assert shell("verify", "--second", public).code == 4
    shell.proposed(1)
    assert shell("verify", "--second", public).code == 0
    assert shell("verify").code == 0
    assert shell("keys", "second", "--as", "ana").code == 3
    assert shell("keys", "rotate", "--as", "ana", "--why", "x").code == 0
    assert shell("verify", "--second", public).code == 0

    good = (folder / "second.key").read_text()
    for bad in (good[:-9] + "\n", good.replace("tests", "other"), "x\n"):
        (folder / "second.key").write_text(bad)
        with pytest.raises(KeyFileError):
            connect(shell.place.folder)
    (folder / "second.key").write_text(good)
    (folder / "second.key").chmod(0o644)
    with pytest.raises(KeyFileError):
        connect(shell.place.folder)
    (folder / "second.key").unlink()
    shell.proposed(2)
    assert "not signed by the second key" in shell("verify", "--second", public).out


@pytest.mark.proves("keys.people")
def test_only_people_of_the_workspace_decide_about_keys(shell: Shell, tmp_path: Path) -> None:
    """Every command that changes keys refuses a name that is not in people.yaml, and no name, before anything is changed;
    replacing and retiring say why."""
    folder = _keys(shell)
    key = KeyFolder(folder).public()[1].key_id().hex()
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    why = ("--why", "x")
    for words in (
        ("rotate", *why),
        ("retire", key, "--compromised", "--since", "0", *why),
        ("second",),
        ("recover",),
        ("restore", str(tmp_path / "none")),
    ):
        stranger = shell("keys", *words, "--as", "anna")
        assert (stranger.code, "did you mean `ana`" in stranger.err) == (1, True), words
        assert shell("keys", *words).code == 1, words
    assert shell("keys", "rotate", "--as", "ana").code == 2

    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert shell("keys", "rotate", "--role", "gate", *ANA_SAYS).code == 0
    assert shell("keys", "retire", key, "--since", "2", "--as", "ana", "--compromised").code == 2


@pytest.mark.proves("keys.suspect")
def test_a_key_is_not_declared_lost_twice(shell: Shell) -> None:
    """What is recorded already is refused with words; an earlier beginning is taken."""
    shell.proposed(1)
    key = KeyFolder(_keys(shell)).public()[1].key_id().hex()
    assert shell("keys", "rotate", "--role", "gate", *ANA_SAYS).code == 0
    words = ("keys", "retire", key, "--compromised", *ANA_SAYS)
    assert "keys status" in shell(*words, "--since", "99").err
    assert shell(*words, "--since", "2").code == 0

    again = shell(*words, "--since", "2")
    assert (again.code, "recorded already" in again.err) == (1, True)
    assert shell(*words, "--since", "1").code == 0
