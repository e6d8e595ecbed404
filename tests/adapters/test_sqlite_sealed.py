"""What is private is sealed in the file: none of it can be read in any byte, and what an earlier version left is sealed too."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import apsw
import msgspec
import pytest

from interlock.adapters.filing import cut, text_of, withheld
from interlock.adapters.keys import Keys, fresh, verify
from interlock.adapters.sealer import LogSealer
from interlock.adapters.sqlite import SqliteStore, SqliteVault
from interlock.adapters.sqlite.opening import migrations, prepare
from interlock.adapters.system import SystemIds
from interlock.domain.action import Action
from interlock.domain.agent_key import AgentKey
from interlock.domain.agent_state import AgentWords
from interlock.domain.api_key import ApiKey
from interlock.domain.change import Change
from interlock.domain.control import BrakeWords, Control
from interlock.domain.erasing import Erasure, LegalHold
from interlock.domain.erasure import BLANK, PUBLIC, stripped
from interlock.domain.errors import IllegalMove, KeyFileError
from interlock.domain.evidence import Fact
from interlock.domain.ids import Digest, StreamId, Tenant, UnwindId
from interlock.domain.login import Login
from interlock.domain.losing import Loss
from interlock.domain.publication import Publication
from interlock.domain.recording import recorded
from interlock.domain.selector import Selector
from interlock.domain.task import Task
from interlock.domain.unwind import Unwind
from interlock.services.verifying import verify_all
from interlock.testing.conformance.making import NOON, action, task

KEYS = Keys(log=fresh("shop/log"), gate=fresh("shop/log/gate"))
SHOP = Tenant("shop")
SECRETS = ("ana@example.org", "the-private-purpose", "key-of-order-17", "a private reason", "user:ana")


def opened(folder: Path, *, sealed: bool = True) -> SqliteStore:
    """The store in `folder`, with its vault, or as a version before there was one."""
    ids = SystemIds()
    sealer = LogSealer(KEYS, StreamId(ids.new()), ids)
    vault = SqliteVault(folder / "keys.db", folder / "keys") if sealed else None
    return SqliteStore.open(folder / "store.db", SHOP, sealer, vault)


async def write(store: SqliteStore) -> tuple[Action, Task]:
    """A task and an action with something private in every place that can hold it, opened, decided and done."""
    work = task(purpose=SECRETS[1], initiator=SECRETS[4], data=Selector(records={"mailbox": (SECRETS[0],)}))
    about = Fact(
        phase="opened",
        subject="task",
        subject_id=work.id,
        subject_digest=Digest("d" * 64),
        observed_at=NOON,
        body={"state": "open"},
        private={"purpose": work.purpose, "initiator": work.initiator},
    )
    await store.commit(Change(puts=(work,), facts=(about,)))
    request = Unwind(id=UnwindId("w-1"), scope="task", target=work.id, by=SECRETS[4], why=SECRETS[3], asked_at=NOON)
    await store.commit(Change(puts=(request,)))
    begun, decided = recorded(
        action(
            task=work.id,
            arguments={"to": SECRETS[0]},
            idempotency_key=SECRETS[2],
            initiator=SECRETS[4],
            reasons=(SECRETS[3],),
            state="dispatching",
            due_at=None,
        ),
        "dispatching",
        NOON,
    )
    await store.commit(Change(puts=(begun,), facts=(decided,)))
    done, fact = recorded(begun.saved().after("succeed", outcome=None), "outcome", NOON)
    await store.commit(Change(puts=(done,), facts=(fact,)))
    return done.saved(), work.saved()


def bytes_of(folder: Path) -> bytes:
    """Every byte of every file."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def traces(data: bytes) -> list[str]:
    """The private words that can be read in `data`."""
    return [word for word in SECRETS if word.encode() in data]


async def whole(store: SqliteStore, done: Action, work: Task) -> None:
    """Everything is there and verifies."""
    assert await store.get(Action, done.id) == done
    assert await store.get(Task, work.id) == work
    assert await store.by_idempotency_key(done.agent, SECRETS[2]) == done
    assert [len(each.disclosures) for each in await store.entries(0, 9)] == [2, 5, 1]
    found = await verify_all(store, store, KEYS.log.verifier, (KEYS.gate.verifier,), verify)
    assert (found.findings, found.size) == ((), 3)


@pytest.mark.proves("vault.sealed")
def test_nothing_private_can_be_read_in_the_files(tmp_path: Path) -> None:
    """Arguments, people, purposes, keys and reasons stand in no byte of the store, its companions or the vault."""

    async def run() -> None:
        store = opened(tmp_path)
        done, work = await write(store)
        assert traces(bytes_of(tmp_path)) == []
        await whole(store, done, work)
        await store.close()
        assert traces(bytes_of(tmp_path)) == []

    asyncio.run(run())


@pytest.mark.proves("vault.swept")
def test_what_an_earlier_version_left_is_sealed(tmp_path: Path) -> None:
    """A store from before the vault is sealed when it is opened, and nothing private is left in any byte of its files."""

    async def run() -> None:
        store = opened(tmp_path, sealed=False)
        done, work = await write(store)
        await store.close()
        assert len(traces(bytes_of(tmp_path))) >= 3

        store = opened(tmp_path)
        assert traces(bytes_of(tmp_path)) == []
        await whole(store, done, work)
        after, fact = recorded(done.after("undo"), "compensation", NOON)
        await store.commit(Change(puts=(after,), facts=(fact,)))
        await store.close()

        store = opened(tmp_path)
        assert await store.get(Action, done.id) == after.saved()
        await store.close()

    asyncio.run(run())


@pytest.mark.proves("vault.sealed")
def test_without_the_vault_it_is_withheld(tmp_path: Path) -> None:
    """Who has the file and public keys alone sees what the log says, and that the rest is sealed; the log verifies."""

    async def run() -> None:
        store = opened(tmp_path)
        done, work = await write(store)
        await store.close()

        looker = SqliteStore.look(tmp_path / "store.db", SHOP)
        assert await looker.get(Action, done.id) == stripped(done, "sealed")
        assert await looker.get(Task, work.id) == stripped(work, "sealed")
        assert [(each.disclosures, each.sealed) for each in await looker.entries(0, 9)] == [((), True)] * 3
        found = await verify_all(looker, looker, KEYS.log.verifier, (KEYS.gate.verifier,), verify)
        assert (found.findings, found.size) == ((), 3)
        with pytest.raises(IllegalMove, match="sealed"):
            stripped(done, "sealed").after("undo")
        await looker.close()

    asyncio.run(run())


def test_a_sealed_store_needs_its_own_vault(tmp_path: Path) -> None:
    """To write, a sealed store wants the vault it was sealed with: none, or another, is refused before anything is done."""

    async def run() -> None:
        store = opened(tmp_path)
        await write(store)
        await store.close()

    asyncio.run(run())
    with pytest.raises(KeyFileError, match="no vault"):
        opened(tmp_path, sealed=False)
    shutil.move(tmp_path / "keys.db", tmp_path / "away")
    with pytest.raises(KeyFileError, match="missing"):
        opened(tmp_path)
    other = SqliteVault(tmp_path / "keys.db", tmp_path / "keys")
    other.begin(None)
    other.close()
    with pytest.raises(KeyFileError, match="needs the vault"):
        opened(tmp_path)


@pytest.mark.parametrize("table", ["action", "entry"])
def test_what_was_altered_or_moved_does_not_open(tmp_path: Path, table: str) -> None:
    """A sealed part that was altered, or put in another row's place, is not taken for anything."""

    async def run() -> None:
        store = opened(tmp_path)
        one, _ = await write(store)
        other = action(arguments={"to": "bo"})
        await store.commit(Change(puts=(other,)))
        await store.close()
        connection = apsw.Connection(str(tmp_path / "store.db"))
        connection.execute("DROP TRIGGER entry_stays")
        if table == "action":
            move = "UPDATE action SET sealed = (SELECT sealed FROM action WHERE id = ?) WHERE id = ?"
            connection.execute(move, (one.id, other.id))
        else:
            connection.execute("UPDATE entry SET sealed = (SELECT sealed FROM entry WHERE idx = 1) WHERE idx = 2")
        connection.close()

        store = opened(tmp_path)
        if table == "action":
            found = await store.get(Action, other.id)
            assert found is not None
            assert (found.withheld, found.arguments) == ("lost", {})
        else:
            assert (await store.entries(2, 3))[0].disclosures == ()
        await store.close()

    asyncio.run(run())


def samples() -> list[Any]:
    """A record of each kind that has something private, with every field at another value than its default."""
    return [action(justification="j", traceparent="t", entries=2), task(plan="p", run="r")]


@pytest.mark.parametrize("record", samples(), ids=lambda each: each.kind)
def test_a_record_is_its_two_parts(record: Any) -> None:
    """The public and the private part of a record make its text again, and the public one alone makes what is left."""
    parts = cut(record)
    kind: Any = type(record)

    assert msgspec.json.decode(parts.whole(), type=kind) == record
    assert msgspec.json.decode(parts.whole()) == msgspec.json.decode(text_of(record))
    assert msgspec.json.decode(withheld(record.kind, parts.public, "erased"), type=kind) == stripped(record, "erased")


@pytest.mark.parametrize(
    "kind",
    [Action, AgentKey, AgentWords, ApiKey, BrakeWords, Erasure, LegalHold, Login, Loss, Publication, Task, Unwind],
)
def test_every_public_field_is_there(kind: Any) -> None:
    """Whatever is named public is a field of its kind, and every private field that is needed has a blank."""
    fields = {each.name: each for each in msgspec.structs.fields(kind)}

    assert PUBLIC[kind.kind] <= fields.keys()
    needed = {name for name, each in fields.items() if each.required} - PUBLIC[kind.kind]
    assert needed == set(BLANK[kind.kind])


@pytest.mark.proves("vault.swept")
def test_an_earlier_version_that_is_still_at_work_is_refused(tmp_path: Path) -> None:
    """A process that opened the file before it was sealed can write nothing in the clear into it afterwards, neither as a new
    row nor over a sealed one."""

    async def make() -> None:
        store = opened(tmp_path)
        await write(store)
        await store.close()

    asyncio.run(make())
    old = apsw.Connection(str(tmp_path / "store.db"))
    for statement in (
        (
            "INSERT INTO action SELECT tenant, 'b', task, agent, release, contract, 'k', undoes, proposed_at, fingerprint, 1,"
            " state, place, due_at, owner, lease_until, fence, ended_at, body, NULL, NULL, NULL FROM action"
        ),
        "UPDATE action SET body = '{}', revision = revision + 1",
        "UPDATE document SET body = '{}', revision = revision + 1 WHERE kind = 'task'",
        (
            "INSERT INTO entry (place, stream, seq, phase, leaf_hash, leaf, disclosed)"
            " SELECT place + 9, stream, seq, phase, leaf_hash, leaf, 'x' FROM entry LIMIT 1"
        ),
    ):
        with pytest.raises(apsw.ConstraintError, match="a newer version is at work"):
            old.execute(statement)
    old.close()


@pytest.mark.proves("vault.swept")
def test_words_in_the_standing_orders_of_an_earlier_version_are_sealed(tmp_path: Path) -> None:
    """Why a brake was pulled, and by whom, stood in the standing orders: the next opening moves it into a record of its own,
    sealed. No byte of it is left, the brake stands, and a process of that version can pull none in the clear."""
    words = "Carla called, as ana@example.org knows"
    stop = {"scope": "agent", "name": "ag", "why": words, "by": "ana-of-the-desk", "since_at": 5}
    body = msgspec.json.encode(msgspec.to_builtins(Control().saved()) | {"stops": [stop]}).decode()

    async def make_and_open() -> Control | None:
        prepare(tmp_path / "store.db", "shop", busy_ms=1000, steps=migrations()[:4])
        old = apsw.Connection(str(tmp_path / "store.db"))
        old.execute("UPDATE tenant SET swept = 1")
        insert = "INSERT INTO document (tenant, kind, key, revision, body) SELECT number, 'control', 'control', 1, ? FROM tenant"
        old.execute(insert, (body,))
        old.close()
        assert words.encode() in bytes_of(tmp_path)
        store = opened(tmp_path)
        control = await store.get(Control, "control")
        assert control is not None
        (said,) = await store.all(BrakeWords)
        assert (said.why, said.by, said.scope, said.name) == (words, "ana-of-the-desk", "agent", "ag")
        assert [(each.words, each.why, each.by, each.name) for each in control.stops] == [(said.id, "", "", "ag")]
        await store.close()
        return control

    control = asyncio.run(make_and_open())

    assert (control and control.revision) == 2
    assert not any(each in bytes_of(tmp_path) for each in (b"Carla", b"ana-of-the-desk"))
    old = apsw.Connection(str(tmp_path / "store.db"))
    with pytest.raises(apsw.ConstraintError, match="a newer version is at work"):
        old.execute("UPDATE document SET body = ?, revision = 3 WHERE kind = 'control'", (body,))
    old.close()
