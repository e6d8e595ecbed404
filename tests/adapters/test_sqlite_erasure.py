"""Erasure down to the bytes: what is left on the disk, after a crash, after a restore, and what cannot be hidden with it."""

import asyncio
import json
import shutil
import subprocess
import sys
from base64 import b64decode, b64encode
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import apsw
import msgspec
import pytest

from interlock.adapters.filing import text_of
from interlock.adapters.keys import verify
from interlock.adapters.sealing import number_in
from interlock.adapters.sqlite import SqliteStore, SqliteVault, erasing
from interlock.domain import recording
from interlock.domain.action import Action
from interlock.domain.change import Change
from interlock.domain.erasing import LegalHold, hold_fact
from interlock.domain.erasure import Shred, erased, keys_as_text
from interlock.domain.errors import IntegrityError, KeyGone
from interlock.domain.evidence import Finding, Verification
from interlock.domain.ids import ActionId, HoldId, WorkerId
from interlock.domain.merkle import leaf_hash, root_of
from interlock.domain.statement import ERASURE_TYPE
from interlock.domain.task import Task
from interlock.domain.verification import LOST
from interlock.ports.store import Claim
from interlock.services.erasable import Search
from interlock.services.verifying import verify_all
from interlock.testing.conformance.erasing import part
from interlock.testing.conformance.making import NOON, action, fact
from tests.adapters.test_sqlite_sealed import KEYS, SECRETS, bytes_of, opened, traces, write


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run it to its end."""
    asyncio.run(work)


async def found_in(store: SqliteStore) -> Verification:
    """What verification finds."""
    return await verify_all(store, store, KEYS.log.verifier, (KEYS.gate.verifier,), verify)


async def is_erased(folder: Path, done: Action, work: Task, lost: tuple[str, ...] = ()) -> None:
    """A store opened now has nothing private of either, and verifies."""
    store = opened(folder)
    action, task = await store.get(Action, done.id), await store.get(Task, work.id)
    assert action is not None
    assert task is not None
    assert (action.arguments, action.withheld, task.purpose, task.withheld) == ({}, "erased", "", "erased")
    assert all(not entry.disclosures for entry in await store.entries(0, 3))
    found = await found_in(store)
    assert ([each.place for each in found.findings], found.erased) == ([*lost], 3)
    assert len(await store.marked("erased")) == 1
    await store.close()


def copied(folder: Path, to: Path, *names: str) -> None:
    """Copy files or folders of an installation: of a database, all of it, also what only its write-ahead log has yet."""
    for name in names:
        target = to / name
        if (folder / name).is_dir():
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(folder / name, target)
        else:
            for stale in to.glob(f"{name}-*"):
                stale.unlink()
            target.unlink(missing_ok=True)
            source, copy = apsw.Connection(str(folder / name)), apsw.Connection(str(target))
            with copy.backup("main", source, "main") as all_of_it:
                all_of_it.step()
            source.close()
            copy.close()


@pytest.fixture(name="erased_copy")
def _erased_copy(tmp_path: Path) -> tuple[Path, Path, Action, Task]:
    """An installation of which everything was erased, a backup of it from before that, and what it was."""
    here, backup = tmp_path / "here", tmp_path / "backup"
    here.mkdir()
    backup.mkdir()
    kept: list[tuple[Action, Task]] = []

    async def make() -> None:
        store = opened(here)
        kept.append(await write(store))
        await store.close()
        copied(here, backup, "store.db", "keys.db", "keys")
        store = opened(here)
        await store.erase(part(*kept[0]))
        await store.scrub()
        await store.close()

    run(make())
    return here, backup, *kept[0]


@pytest.mark.proves("erasure.no_trace")
def test_no_byte_of_it_is_left(erased_copy: tuple[Path, Path, Action, Task]) -> None:
    """After an erasure no key and no clear text of it is in any byte of any file, and what a thief kept of the store's
    file does not open with what there is."""
    here, backup, done, work = erased_copy
    data = bytes_of(here)
    sealed = [row[0] for row in _rows(backup / "store.db", "SELECT sealed FROM action")]
    thief = SqliteVault(here / "keys.db", here / "keys", writable=False)
    thief.begin(None)

    assert traces(data) == []
    for each in sealed:
        with pytest.raises(KeyGone, match="erased"):
            thief.open(each, b"row\0shop\0action\0" + done.id.encode())
    run(is_erased(here, done, work))


@pytest.mark.proves("erasure.late")
def test_what_an_earlier_version_left_beside_it_goes_with_the_next_erasure(
    erased_copy: tuple[Path, Path, Action, Task],
) -> None:
    """A clear text that was recorded about an erased action, as earlier versions did, is found and taken by whichever erasure
    comes next, and the log verifies."""
    here, _, done, _ = erased_copy
    late = fact(done, 0, phase="outcome", private={"toolResult": SECRETS[0]})

    async def leave_and_take() -> None:
        store = opened(here)
        _execute(here / "store.db", "UPDATE action SET body = json_remove(body, '$.withheld')")
        await store.commit(Change(facts=(late,)))
        _execute(here / "store.db", "UPDATE action SET body = json_set(body, '$.withheld', 'erased')")
        assert [len(each.disclosures) for each in await store.entries(4, 9)] == [1]
        plan = await Search(store, (), "user:nobody", "", 0, NOON, people=()).plan()
        assert ([each.key for each in plan.records], plan.nothing) == ([done.id], True)
        await store.erase(msgspec.structs.replace(part(), number=2, records=plan.records))
        assert await store.late() == []
        assert [len(each.disclosures) for each in await store.entries(4, 9)] == [0, 1]
        assert (await found_in(store)).findings == ()
        await store.close()

    run(leave_and_take())


@pytest.mark.parametrize("already", [False, True], ids=["lifted", "erased before"])
@pytest.mark.proves("erasure.late")
def test_what_an_earlier_version_said_of_a_hold_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, already: bool
) -> None:
    """Entries about a hold that an earlier version sealed under keys of their own go with the hold; and where it erased the hold
    without them, with whichever erasure comes next."""
    hold = LegalHold(
        id=HoldId("h-1"), subject="user:ana", why="a suit", placed_by="rita", placed_at=NOON, lifted_at=NOON
    )

    async def leave_and_take() -> None:
        store = opened(tmp_path)
        with monkeypatch.context() as earlier:
            earlier.setattr(recording, "_KINDS", {})
            facts = tuple(hold_fact(hold, phase, "rita", NOON) for phase in ("placed", "lifted"))
            await store.commit(Change(puts=(hold,), facts=facts))
        kept = [entry.index for entry in await store.entries(0, 9) if entry.phase in ("placed", "lifted")]
        if already:
            gone = text_of(erased(hold.saved(), NOON))
            _execute(tmp_path / "store.db", f"UPDATE document SET sealed = NULL, body = '{gone}' WHERE key = 'h-1'")
        assert [len((await store.entries(each, each + 1))[0].disclosures) for each in kept] == [3, 3]
        found = await Search(store, await store.all(LegalHold), "user:ana", "", 0, NOON, people=()).plan()
        assert [(each.kind, each.key) for each in found.records] == [("legal_hold", "h-1")]
        await store.erase(msgspec.structs.replace(part(), records=found.records))
        assert await store.late() == []
        assert [(await store.entries(each, each + 1))[0].disclosures for each in kept] == [(), ()]
        checked = await found_in(store)
        assert (checked.findings, checked.erased) == ((), 2)
        await store.scrub()
        await store.close()

    run(leave_and_take())
    assert b"a suit" not in bytes_of(tmp_path)


@pytest.mark.proves("erasure.replayed")
def test_a_restored_vault_is_erased_again(erased_copy: tuple[Path, Path, Action, Task]) -> None:
    """A vault restored from before an erasure, with its key, loses the same keys again before anything is read. What was
    sealed since with keys that the backup does not have is lost, and found to be."""
    here, backup, done, work = erased_copy
    copied(backup, here, "keys.db", "keys")

    run(is_erased(here, done, work, ("entry 3",)))
    vault = SqliteVault(here / "keys.db", here / "keys", writable=False)
    vault.begin(None)
    (sealed,) = (row[0] for row in _rows(backup / "store.db", "SELECT sealed FROM action"))
    with pytest.raises(KeyGone):
        vault.open(sealed, b"row\0shop\0action\0" + done.id.encode())


@pytest.mark.proves("erasure.replayed")
def test_who_holds_no_key_destroys_none(erased_copy: tuple[Path, Path, Action, Task], tmp_path: Path) -> None:
    """An entry that says keys are gone, written into the store by somebody without the gate's key, destroys none: the store
    is refused, and with its true file everything is there."""
    _, backup, done, _ = erased_copy
    there = tmp_path / "there"
    there.mkdir()
    copied(backup, there, "store.db", "keys.db", "keys")
    _forge_an_erasure(there / "store.db")

    with pytest.raises(IntegrityError, match="did not sign it: none was"):
        opened(there)
    copied(backup, there, "store.db")
    vault = SqliteVault(there / "keys.db", there / "keys", writable=False)
    vault.begin(None)
    ((sealed,),) = _rows(there / "store.db", "SELECT sealed FROM action")
    assert vault.open(sealed, b"row\0shop\0action\0" + done.id.encode())
    vault.close()


def _forge_an_erasure(path: Path) -> None:
    """Add an entry as whoever can write the file can, its tree and checkpoint with it: all but the signatures."""
    store = apsw.Connection(str(path))
    numbers = [number_in(row[0]) for row in store.execute("SELECT sealed FROM action UNION SELECT sealed FROM entry")]
    ((place, leaf, note),) = _rows(path, "SELECT place, leaf, checkpoint FROM entry ORDER BY place DESC LIMIT 1")
    said = json.loads(leaf)
    statement = json.loads(b64decode(said["payload"]))
    statement["predicateType"] = ERASURE_TYPE
    statement["subject"][0]["name"] = "interlock:shop:erasure:made-up"
    statement["predicate"] |= {"phase": "erased", "part": 1, "keys": keys_as_text(numbers), "covers": ""}
    said["payload"] = b64encode(json.dumps(statement).encode()).decode()
    forged = json.dumps(said, separators=(",", ":")).encode()
    hashes = [row[0] for row in store.execute("SELECT leaf_hash FROM entry ORDER BY place")]
    root = b64encode(root_of([*hashes, leaf_hash(forged)])).decode()
    origin, size, _, *rest = note.split("\n")
    made = "\n".join((origin, str(int(size) + 1), root, *rest))
    store.execute(
        "INSERT INTO entry (place, stream, seq, action, phase, leaf_hash, checkpoint, leaf)"
        " VALUES (?, 'made-up', 1, NULL, 'erased', ?, ?, ?)",
        (place + 1, leaf_hash(forged), made, forged),
    )
    store.close()


@pytest.mark.proves("erasure.replayed")
def test_a_restored_store_is_erased_again(erased_copy: tuple[Path, Path, Action, Task]) -> None:
    """A store restored from before an erasure is stripped again before anything is read, and an entry says so again."""
    here, backup, done, work = erased_copy
    copied(backup, here, "store.db")

    run(is_erased(here, done, work))
    run(is_erased(here, done, work))
    assert traces(bytes_of(here)) == []


@pytest.mark.proves("erasure.looked_once")
def test_what_the_vault_knows_is_looked_for_once(erased_copy: tuple[Path, Path, Action, Task]) -> None:
    """Parts that a vault knows of and a log does not, as where two tenants share it, cost one reading of the store at one
    opening, however many they are; where vault or store were put back they are looked for again."""
    here, backup, done, work = erased_copy
    vault = SqliteVault(here / "keys.db", here / "keys")
    vault.begin(None)
    others = [Shred(erasure=f"of-another-{n}", part=1, keys=(vault.fresh(),)) for n in range(3)]
    for each in others:
        vault.shred(each)
    vault.close()

    assert [_readings(here) for _ in range(3)] == [2, 0, 0]
    vault = SqliteVault(here / "keys.db", here / "keys")
    vault.begin(None)
    vault.shred(Shred(erasure="of-another-9", part=1, keys=(vault.fresh(),)))
    vault.close()
    assert [_readings(here) for _ in range(2)] == [2, 0]
    connection = apsw.Connection(str(here / "store.db"))
    for word in ("9 rubbish", "rubbish", f"5 {'0' * 64}"):
        connection.execute("UPDATE document SET body = ? WHERE kind = 'looked'", (word,))
        assert [_readings(here) for _ in range(2)] == [2, 0]
    connection.close()
    copied(backup, here, "store.db")
    run(is_erased(here, done, work))


def _readings(folder: Path) -> int:
    """How many full readings of rows or entries an opening makes."""
    seen: list[str] = []

    def trace(_cursor: object, statement: str, _bindings: object) -> bool:
        seen.append(statement)
        return True

    def hook(connection: apsw.Connection) -> None:
        connection.exec_trace = trace

    async def look() -> None:
        await opened(folder).close()

    apsw.connection_hooks.append(hook)
    try:
        run(look())
    finally:
        apsw.connection_hooks.remove(hook)
    return sum(statement in (erasing._SEALED_ROWS, erasing.SEALED_ENTRIES) for statement in seen)


@pytest.mark.parametrize("step", ["before the commit", "before the keys go", "before the renewal"])
@pytest.mark.proves("erasure.crash")
def test_killed_while_erasing(tmp_path: Path, step: str) -> None:
    """Killed before the entry is durable nothing is erased; killed at any step after it, the next opening ends it."""
    kept: list[tuple[Action, Task]] = []

    async def make() -> None:
        store = opened(tmp_path)
        kept.append(await write(store))
        await store.close()

    run(make())
    done, work = kept[0]
    ids = (done.id, work.id)
    died = subprocess.run([sys.executable, "-c", _KILLED, str(tmp_path), step, *ids, *_seeds()], check=False)
    assert died.returncode == -9

    async def look() -> None:
        if step == "before the commit":
            store = opened(tmp_path)
            assert await store.get(Action, done.id) == done
            assert (await found_in(store)).findings == ()
            await store.close()
            return
        await is_erased(tmp_path, done, work)
        vault = SqliteVault(tmp_path / "keys.db", tmp_path / "keys", writable=False)
        vault.begin(None)
        assert [each.erasure for each in vault.shreds()] == ["e-1"]
        assert len(list((tmp_path / "keys").iterdir())) == 1

    run(look())


_KILLED = """
import asyncio, os, sys
from pathlib import Path
import tests.adapters.test_sqlite_sealed as made
from interlock.adapters.keys import Keys, SigningKey
from interlock.adapters.sqlite import pen, vault
from interlock.domain.action import Action
from interlock.domain.task import Task
from interlock.testing.conformance.erasing import part

folder, step, action, task, log, gate = Path(sys.argv[1]), *sys.argv[2:]
made.KEYS = Keys(log=SigningKey("shop/log", bytes.fromhex(log)), gate=SigningKey("shop/log/gate", bytes.fromhex(gate)))
die = lambda *_, **__: os.kill(os.getpid(), 9)

async def run():
    store = made.opened(folder)
    records = (await store.get(Action, action), await store.get(Task, task))
    if step == "before the commit":
        pen.Pen._commit = die
    elif step == "before the keys go":
        vault.SqliteVault.shred = die
    else:
        vault.SqliteVault.renew = die
    await store.erase(part(*records))
    await store.scrub()

asyncio.run(run())
"""


def _seeds() -> tuple[str, str]:
    """The seeds of the keys, for another process."""
    return KEYS.log._seed.hex(), KEYS.gate._seed.hex()


HIDDEN = (
    "UPDATE action SET sealed = NULL, body = substr(body, 1, length(body) - 1)"
    ' || \',"arguments":{},"nonce":"","idempotency_key":"","withheld":"erased"}\''
)


@pytest.mark.parametrize(
    ("damage", "place"),
    [
        ("UPDATE entry SET sealed = NULL WHERE idx = 1", "entry 1"),
        ("UPDATE entry SET sealed = zeroblob(length(sealed)) WHERE idx = 1", "entry 1"),
        ("UPDATE action SET sealed = zeroblob(length(sealed))", "action"),
        (HIDDEN, "action"),
    ],
)
@pytest.mark.proves("erasure.loss_is_found")
def test_a_loss_is_not_an_erasure(tmp_path: Path, damage: str, place: str) -> None:
    """A clear text or a private part that is gone, damaged, or said to be erased, is found unless the log tells of it."""
    kept: list[Finding] = []

    async def look() -> None:
        store = opened(tmp_path)
        await write(store)
        await store.close()
        connection = apsw.Connection(str(tmp_path / "store.db"))
        connection.execute("DROP TRIGGER entry_stays")
        connection.execute(damage)
        connection.close()
        store = opened(tmp_path)
        kept.extend((await found_in(store)).findings)
        await store.close()

    run(look())
    assert [each.place.split(" ")[0] if place == "action" else each.place for each in kept] == [place]
    assert kept[0].problem in (LOST, "what is private of it is lost without an erasure")


@pytest.mark.proves("erasure.loss_is_found")
def test_a_lost_key_is_found(tmp_path: Path) -> None:
    """Keys that vanished from the vault without an erasure are found, at every entry and action that needs them."""

    async def look() -> None:
        store = opened(tmp_path)
        done, _ = await write(store)
        await store.close()
        connection = apsw.Connection(str(tmp_path / "keys.db"))
        connection.execute("DELETE FROM block")
        connection.close()
        store = opened(tmp_path)
        findings = (await found_in(store)).findings
        await store.close()
        assert [each.place for each in findings] == ["entry 0", "entry 1", "entry 2", f"action {done.id}"]

    run(look())


def test_nothing_acts_on_what_was_erased(tmp_path: Path) -> None:
    """An erased action cannot be undone or claimed, and its row cannot be brought back by whoever read it before."""

    async def look() -> None:
        store = opened(tmp_path)
        done, work = await write(store)
        await store.erase(part(done, work))
        with pytest.raises(Exception, match="is at revision"):
            await store.commit(Change(puts=(done,)))
        assert await store.get(Action, done.id) == erased(done, NOON).saved()
        await store.close()

    run(look())


def test_what_is_lost_keeps_nobody_waiting(tmp_path: Path) -> None:
    """Due actions whose keys are not in the vault, however many, hold up neither what stands behind them nor its worker."""

    async def make(*ids: str) -> None:
        store = opened(tmp_path)
        for at, name in enumerate(ids):
            put = action(id=ActionId(name), idempotency_key=name, state="ready", due_at=NOON + at)
            await store.commit(Change(puts=(put,)))
        await store.close()

    async def take() -> None:
        store = opened(tmp_path)
        await store.commit(
            Change(puts=(action(id=ActionId("z"), idempotency_key="z", state="ready", due_at=NOON + 9),))
        )
        claim = Claim(owner=WorkerId("w"), now=NOON + 10, lease_ms=1000, limit=2)
        assert await store.next_due_at(("",)) == NOON
        assert [each.id for each in await store.claim(claim)] == ["z"]
        assert await store.claim(claim) == []
        assert await store.next_due_at(("",)) == NOON + 1010
        await store.close()

    run(make(*(f"a{n}" for n in range(5))))
    vault = apsw.Connection(str(tmp_path / "keys.db"))
    vault.execute("DELETE FROM block")
    vault.close()
    run(take())


@pytest.mark.parametrize("stored", [True, False])
def test_a_commit_that_fails(tmp_path: Path, stored: bool) -> None:
    """Where the commit of an erasure fails unstored all is as before; where only the answer was lost, it is carried out
    when the store is next opened."""

    async def look() -> None:
        store = opened(tmp_path)
        done, work = await write(store)
        pen: Any = store._writer
        pen = pen._pen
        real = pen._commit

        def broken(connection: Any) -> None:
            if stored:
                real(connection)
            raise apsw.IOError("broken")

        pen._commit = broken
        with pytest.raises(Exception, match="broken"):
            await store.erase(part(done, work))
        pen._commit = real
        await store.close()
        if stored:
            await is_erased(tmp_path, done, work)
        else:
            store = opened(tmp_path)
            assert await store.get(Action, done.id) == done
            await store.close()

    run(look())


def _execute(file: Path, statement: str) -> None:
    connection = apsw.Connection(str(file))
    connection.execute(statement)
    connection.close()


def _rows(path: Path, statement: str) -> list[Any]:
    connection = apsw.Connection(str(path))
    rows: list[Any] = connection.execute(statement).fetchall()
    connection.close()
    return rows


def test_what_is_erased_says_which_keys(erased_copy: tuple[Path, Path, Action, Task]) -> None:
    """The vault's own list names exactly the keys that the sealed parts needed."""
    here, backup, _, _ = erased_copy
    vault = SqliteVault(here / "keys.db", here / "keys", writable=False)
    vault.begin(None)
    statement = "SELECT sealed FROM action UNION SELECT sealed FROM document WHERE kind = 'task'"

    assert {number_in(row[0]) for row in _rows(backup / "store.db", statement)} == set(vault.shreds()[0].keys)
    assert not any(word in str(vault.shreds()) for word in SECRETS)
