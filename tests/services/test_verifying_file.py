"""Tampering with the file itself, as somebody who can write it would: found, and named."""

import shutil
from pathlib import Path

import anyio
import apsw
import msgspec
import pytest

from interlock.adapters.keys import Keys, fresh, verify
from interlock.adapters.sealer import LogSealer
from interlock.adapters.sqlite.store import SqliteStore
from interlock.adapters.system import SystemIds
from interlock.domain.action import Action
from interlock.domain.binding import bound_digest
from interlock.domain.canonical import JsonValue
from interlock.domain.change import Change
from interlock.domain.evidence import Finding, Verification
from interlock.domain.ids import ActionId, AgentName, ContractName, Digest, StreamId, TaskId, Tenant
from interlock.domain.recording import recorded
from interlock.services.verifying import packet_of, verify_all

KEYS = Keys(log=fresh("shop/log"), gate=fresh("shop/log/gate"))
NOW = 1_795_255_200_000
ARGUMENTS: dict[str, JsonValue] = {"sku": "A-1", "price_minor": 1900}


def _store(path: Path) -> SqliteStore:
    ids = SystemIds()
    return SqliteStore.open(path, Tenant("shop"), LogSealer(KEYS, StreamId(ids.new()), ids))


def _action(n: int) -> Action:
    return Action(
        id=ActionId(f"a-{n:04}"),
        task=TaskId("t"),
        agent=AgentName("pricing"),
        release=Digest("a" * 64),
        contract=ContractName("pricing.set_price"),
        contract_digest=Digest("b" * 64),
        arguments=ARGUMENTS,
        nonce="n" * 32,
        digest=bound_digest("pricing.set_price", Digest("b" * 64), ARGUMENTS, "n" * 32),
        idempotency_key=f"k-{n}",
        initiator="user:ana",
        proposed_at=NOW,
        state="dispatching",
    )


async def _write(path: Path, start: int, stop: int) -> None:
    """A run of a process: each action is dispatched, then done."""
    store = _store(path)
    for n in range(start, stop):
        begun, fact = recorded(_action(n), "dispatching", NOW)
        await store.commit(Change(puts=(begun,), facts=(fact,)))
        done, fact = recorded(begun.saved().after("succeed"), "outcome", NOW)
        await store.commit(Change(puts=(done,), facts=(fact,)))
    await store.close()


async def _verify(path: Path) -> Verification:
    store = _store(path)
    try:
        return await verify_all(store, store, KEYS.log.verifier, (KEYS.gate.verifier,), verify)
    finally:
        await store.close()


@pytest.fixture(name="file", scope="module")
def _file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs of a process, 300 actions, 600 entries."""
    path = tmp_path_factory.mktemp("log") / "interlock.db"
    anyio.run(_write, path, 0, 140)
    anyio.run(_write, path, 140, 300)
    return path


@pytest.fixture(name="copy")
def _copy(file: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(file, tmp_path / "copy.db"))


def _sql(path: Path, statement: str, values: tuple[object, ...] = ()) -> None:
    connection = apsw.Connection(str(path))
    for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        connection.execute(f'DROP TRIGGER "{name}"')
    connection.execute(statement, values)
    assert connection.changes() > 0
    connection.close()


def _first(path: Path) -> Finding:
    return anyio.run(_verify, path).findings[0]


@pytest.mark.proves("evidence.verify_complete")
def test_a_file_written_by_two_runs_verifies(file: Path) -> None:
    """Log and actions of an untouched file have no findings, and all signatures were checked."""
    found = anyio.run(_verify, file)

    assert (found.findings, found.size, found.signatures) == ((), 600, 600)


@pytest.mark.proves("evidence.tampering_found")
@pytest.mark.parametrize("index", [0, 255, 256, 599])
def test_a_leaf_changed_in_the_file_is_named(copy: Path, index: int) -> None:
    """One byte of one entry, anywhere in the file's log, is found at that entry."""
    connection = apsw.Connection(str(copy))
    leaf = bytearray(connection.execute("SELECT leaf FROM entry WHERE idx = ?", (index,)).get)
    connection.close()
    leaf[900] ^= 1
    _sql(copy, "UPDATE entry SET leaf = ? WHERE idx = ?", (bytes(leaf), index))

    assert _first(copy).place == f"entry {index}"


@pytest.mark.proves("evidence.tampering_found", "evidence.store_agrees")
@pytest.mark.parametrize(
    ("statement", "place"),
    [
        ("UPDATE entry SET phase = 'settled' WHERE idx = 7", "entry 7"),
        ("UPDATE entry SET action = 'a-0099' WHERE idx = 7", "entry 7"),
        ("DELETE FROM entry WHERE idx = 300", "entry 300"),
        ("UPDATE tile SET hashes = zeroblob(8192) WHERE level = 0 AND n = 1", "entry 256"),
        (
            "UPDATE action SET state = 'failed', body = replace(body, '\"done\"', '\"failed\"') WHERE id = 'a-0042'",
            "action a-0042",
        ),
        ("DELETE FROM action WHERE id = 'a-0042'", "action a-0042"),
        ("UPDATE action SET body = replace(body, '1900', '1901') WHERE id = 'a-0042'", "action a-0042"),
        ("UPDATE action SET body = replace(body, 'a-0042', 'a-0999') WHERE id = 'a-0042'", "store"),
    ],
)
def test_rows_changed_in_the_file_are_named(copy: Path, statement: str, place: str) -> None:
    """An index, a missing row, a tile and an action changed behind the gate's back are found."""
    _sql(copy, statement)

    assert _first(copy).place == place


@pytest.mark.proves("evidence.packet_offline")
def test_a_packet_from_a_file_is_whole(file: Path) -> None:
    """The packet of an action in the file has its facts in order, with a proof each."""

    async def body() -> list[str]:
        store = _store(file)
        packet = await packet_of(store, ActionId("a-0200"))
        await store.close()
        return [entry.phase for entry in packet.entries]

    assert anyio.run(body) == ["dispatching", "outcome"]


def test_reading_changes_nothing(file: Path) -> None:
    """Verification adds no entry to the log it reads."""
    before, after = anyio.run(_verify, file), anyio.run(_verify, file)

    assert msgspec.structs.asdict(before) == msgspec.structs.asdict(after)
