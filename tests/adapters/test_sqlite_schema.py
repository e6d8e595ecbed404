"""The file: its schema, its migrations, what an auditor can read in it, and that nothing is looked for by reading it all."""

import asyncio
import os
import stat
import threading
import time
from pathlib import Path
from typing import Any

import apsw
import msgspec
import pytest

from interlock.adapters.filing import text_of
from interlock.adapters.keys import Keys, fresh
from interlock.adapters.sealer import LogSealer
from interlock.adapters.sqlite import SqliteStore
from interlock.adapters.sqlite import statements as sql
from interlock.adapters.sqlite.opening import migrations, prepare
from interlock.adapters.sqlite.writer import Writer
from interlock.adapters.system import SystemIds
from interlock.domain.action import Action
from interlock.domain.change import Change
from interlock.domain.errors import StoreTooNew
from interlock.domain.ids import ActionId, AgentName, ContractName, Digest, StreamId, TaskId, Tenant, WorkerId
from interlock.domain.task import Task
from interlock.domain.tiles import WIDTH
from interlock.ports.store import ActionQuery, Claim
from interlock.testing.conformance.audit import audited
from interlock.testing.conformance.making import NOON, action, fact, task
from tests.adapters.sqlite_crew import PURSE, TENANT, change, keys_of, opened

SEED = "5" * 64


def made(path: Path, actions: int = 3) -> Path:
    """A store at `path` with some actions in it, closed."""

    async def make() -> None:
        store = opened(path, SEED)
        await store.commit(Change(puts=(PURSE,)))
        for _ in range(actions):
            await change(store)
        await store.close()

    asyncio.run(make())
    return path


def selected(path: Path, statement: str) -> dict[str, Any]:
    """The first row, by column."""
    connection = apsw.Connection(str(path))
    rows = connection.execute(statement)
    columns = [column[0] for column in rows.get_description()]
    values = rows.fetchall()[0]
    connection.close()
    return dict(zip(columns, values, strict=True))


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    """The file and everything beside it can be read and written by their owner alone, whatever the umask."""
    before = os.umask(0)
    try:
        store = opened(tmp_path / "store.db", SEED)
        modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in tmp_path.iterdir()}
        asyncio.run(store.close())
    finally:
        os.umask(before)

    assert set(modes) > {"store.db", "store.db-wal", "store.db-shm"}
    assert set(modes.values()) == {0o600}


def test_every_commit_survives_a_loss_of_power(tmp_path: Path) -> None:
    """The writing connection keeps a write-ahead log and syncs it at every commit."""
    store = opened(tmp_path / "store.db", SEED)
    assert isinstance(store._writer, Writer)
    connection = store._writer._pen._connection

    assert connection.pragma("journal_mode") == "wal"
    assert connection.pragma("synchronous") == 2

    asyncio.run(store.close())


def test_an_auditor_reads_columns(tmp_path: Path) -> None:
    """What an auditor asks about an action is in columns, and they say what the record says after every change."""
    path = tmp_path / "store.db"
    new = action(undoes="a-0", due_at=NOON)

    async def run() -> Action:
        store = opened(path, SEED)
        await store.commit(Change(puts=(new,), facts=(fact(new),)))
        (taken,) = await store.claim(Claim(owner=WorkerId("ada"), now=NOON, lease_ms=1000))
        after = msgspec.structs.replace(taken, state="held", fingerprint="7" * 64, place="p", ended_at=NOON + 1)
        await store.commit(Change(puts=(after,)))
        await store.close()
        return after.saved()

    after = asyncio.run(run())
    row = selected(path, "SELECT action.*, tenant.name FROM action JOIN tenant ON tenant.number = tenant")
    entry = selected(path, "SELECT idx, tenant, action, phase, disclosed FROM entry")

    body = msgspec.json.decode(row.pop("body"))
    assert msgspec.json.decode(msgspec.json.encode(after)) == body
    assert row.pop("sealed") is None
    assert row.pop("asks") is None
    row.pop("tenant")
    assert row.pop("name") == TENANT
    assert (row.pop("place"), after.place) == (after.waits_at, "p")  # where it goes on: anywhere, as people are asked
    assert row == {column: getattr(after, column) for column in row}
    assert (entry["idx"], entry["action"], entry["phase"]) == (0, new.id, "decided")
    assert len(entry["disclosed"].splitlines()) == 2


@pytest.mark.proves("evidence.log_only_grows")
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entry SET leaf = x'00' WHERE idx = 1",
        "UPDATE entry SET checkpoint = NULL WHERE checkpoint IS NOT NULL",
        "UPDATE entry SET disclosed = 'another' WHERE idx = 1",
        "DELETE FROM entry WHERE idx = 1",
        "UPDATE tile SET hashes = x'00'",
        "DELETE FROM tile",
        "UPDATE tenant SET log_key = 'another'",
        "UPDATE tenant SET log_key = NULL",
    ],
)
def test_the_file_refuses_to_forget(tmp_path: Path, statement: str) -> None:
    """Entries, full tiles and the log's key can be neither changed nor removed; what was disclosed can only be erased."""
    path = tmp_path / "store.db"
    about = action()

    async def run() -> None:
        store = opened(path, SEED)
        await store.commit(Change(facts=tuple(fact(about, n) for n in range(WIDTH + 3))))
        await store.close()

    asyncio.run(run())
    connection = apsw.Connection(str(path))
    with pytest.raises(apsw.ConstraintError):
        connection.execute(statement)
    connection.execute("UPDATE entry SET disclosed = NULL WHERE idx = 1")
    connection.close()

    async def look() -> None:
        store = opened(path, SEED)
        entries = await audited(store, keys_of(SEED))
        assert [len(entry.disclosures) for entry in entries[:3]] == [2, 0, 2]
        await store.close()

    asyncio.run(look())


@pytest.mark.proves("store.migrates")
def test_a_migration_keeps_what_is_there(tmp_path: Path) -> None:
    """An older file is brought up to date when it is opened, with all that is in it; the older program then refuses it."""
    path = made(tmp_path / "store.db", 3)
    steps = [*migrations(), "CREATE TABLE more (x INTEGER) STRICT; INSERT INTO more SELECT count(*) FROM action"]

    prepare(path, TENANT, busy_ms=1000, steps=steps)
    prepare(path, TENANT, busy_ms=1000, steps=steps)

    connection = apsw.Connection(str(path))
    assert connection.execute("SELECT x FROM more").fetchall() == [(3,)]
    assert connection.execute("SELECT count(*) FROM action").get == 3
    connection.close()
    with pytest.raises(StoreTooNew):
        opened(path, SEED)


def test_what_was_held_before_is_listed(tmp_path: Path) -> None:
    """What an older version held is listed by its deadline, and asked of everybody until it is saved again."""
    path = tmp_path / "store.db"
    new = action(state="held", due_at=NOON + 5).saved()
    number = prepare(path, TENANT, busy_ms=1000, steps=migrations()[:8])
    names = [
        "id",
        "task",
        "agent",
        "release",
        "contract",
        "idempotency_key",
        "proposed_at",
        "fingerprint",
        "revision",
        "state",
        "place",
        "due_at",
        "fence",
    ]
    connection = apsw.Connection(str(path))
    connection.execute(
        f"INSERT INTO action (tenant, body, {', '.join(names)}) VALUES (?, ?{', ?' * len(names)})",
        (number, text_of(new), *(getattr(new, name) for name in names)),
    )
    connection.close()

    async def run() -> list[list[Action]]:
        store = opened(path, SEED)
        found = [await store.actions(query) for query in (ActionQuery(waiting=True), ActionQuery(roles=("lead",)))]
        await store.close()
        return found

    assert asyncio.run(run()) == [[new], [new]]


def test_a_migration_is_taken_whole_or_not(tmp_path: Path) -> None:
    """A migration that fails half way leaves the file as it was, for the version that wrote it."""
    path = made(tmp_path / "store.db", 3)
    broken = [*migrations(), "CREATE TABLE more (x INTEGER) STRICT; DROP TABLE entry; INSERT INTO nowhere VALUES (1)"]

    with pytest.raises(Exception, match="nowhere"):
        prepare(path, TENANT, busy_ms=1000, steps=broken)

    async def look() -> None:
        store = opened(path, SEED)
        assert len(await audited(store, keys_of(SEED))) == 3
        await store.close()

    asyncio.run(look())


def test_many_open_a_new_file_at_once(tmp_path: Path) -> None:
    """However many open a file that does not exist yet, it is made once and all of them work on it."""
    stores: list[SqliteStore] = []
    failures: list[BaseException] = []
    start = threading.Barrier(8)

    def open_one() -> None:
        start.wait()
        try:
            stores.append(opened(tmp_path / "store.db", SEED))
        except Exception as error:  # noqa: BLE001  whatever it is, the test shows it
            failures.append(error)

    threads = [threading.Thread(target=open_one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []

    async def use() -> None:
        await asyncio.gather(*(store.commit(Change(puts=(task(),))) for store in stores))
        assert len(await stores[0].all(Task)) == 8
        for store in stores:
            await store.close()

    asyncio.run(use())


@pytest.mark.proves("store.tenants_apart")
def test_tenants_do_not_meet(tmp_path: Path) -> None:
    """Two tenants in one file have each their own records, keys, claims and log."""
    path = tmp_path / "store.db"
    ids = SystemIds()

    def tenant(name: str) -> tuple[SqliteStore, Keys]:
        keys = Keys(log=fresh(name), gate=fresh(f"{name}/gate"))
        return SqliteStore.open(path, Tenant(name), LogSealer(keys, StreamId(ids.new()), ids)), keys

    async def run() -> None:
        (one, keys_one), (two, keys_two) = tenant("one"), tenant("two")
        same = action(idempotency_key="k")
        for _ in range(3):
            await one.commit(Change(facts=(fact(same),)))
        await asyncio.gather(*(store.commit(Change(puts=(same,), facts=(fact(same),))) for store in (one, two)))
        assert len(await two.claim(Claim(owner=WorkerId("w"), now=NOON, lease_ms=1))) == 1
        assert await one.get(Action, same.id) == same.saved()
        assert [len(await audited(*each)) for each in ((one, keys_one), (two, keys_two))] == [4, 1]
        assert [len(await store.entries_of(same.id)) for store in (one, two)] == [4, 1]
        assert [await store.count(ActionQuery()) for store in (one, two)] == [1, 1]
        await one.close()
        await two.close()

    asyncio.run(run())


QUERIES = {
    "by task": ActionQuery(task=TaskId("t"), states=("held",)),
    "repeats": ActionQuery(task=TaskId("t"), fingerprint=Digest("f")),
    "by release": ActionQuery(release=Digest("r"), undos=False, oldest_first=True),
    "undos of": ActionQuery(undoes=ActionId("a")),
    "open": ActionQuery(states=("held", "unknown")),
    "waiting": ActionQuery(waiting=True, limit=20),
    "waiting for me": ActionQuery(waiting=True, roles=("lead",), agent=AgentName("a"), contracts=(ContractName("c"),)),
    "more that waits": ActionQuery(waiting=True, after=(1, ActionId("a"))),
    "newest": ActionQuery(limit=20),
    "next page": ActionQuery(before=ActionId("b")),
}


@pytest.mark.parametrize("name", QUERIES)
def test_queries_use_an_index(tmp_path: Path, name: str) -> None:
    """Nothing that is asked while actions run reads the whole table, or even the whole tenant."""
    connection = apsw.Connection(str(made(tmp_path / "store.db")))
    statements = [sql.listed(1, QUERIES[name])]
    if name != "newest":
        statements.append(sql.counted(1, QUERIES[name]))

    for statement, values in statements:
        plan = [str(row[3]) for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)]
        assert not [line for line in plan if line.startswith("SCAN")], plan
        if name not in ("newest", "next page") and "waiting" not in name:
            assert not [line for line in plan if line.endswith("(tenant=?)")], plan
        if "wait" in name:
            assert any("COVERING INDEX action_waiting" in line for line in plan), plan
            # The page is sorted, which is small; what waits is not.
            assert len([line for line in plan if "TEMP B-TREE" in line]) < 2, plan
    connection.close()


def test_statements_use_an_index(tmp_path: Path) -> None:
    """No fixed statement reads a whole table; an entry's story is found through its action."""
    connection = apsw.Connection(str(made(tmp_path / "store.db")))
    for name, statement in vars(sql).items():
        if isinstance(statement, str) and statement.startswith(("SELECT", "UPDATE")) and name != "_ENTRY":
            values = (None,) * statement.count("?")
            plan = [str(row[3]) for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}", values)]
            scanned = [line for line in plan if line.startswith("SCAN") and "json_each" not in line]
            assert not scanned, (name, plan)
    connection.close()


@pytest.mark.proves("store.waiting_is_free")
def test_waiting_costs_no_writes(tmp_path: Path) -> None:
    """While nothing is due, claims write nothing, though thousands wait and others' places have work."""

    async def run() -> None:
        store = opened(tmp_path / "store.db", SEED)
        await store.commit(Change(puts=tuple(action(due_at=NOON + 1) for _ in range(2000))))
        await store.commit(Change(puts=tuple(action(place="elsewhere") for _ in range(50))))
        other = opened(tmp_path / "store.db", SEED)
        version = other._reader.value(sql.VERSION)
        for _ in range(100):
            assert await store.claim(Claim(owner=WorkerId("w"), now=NOON, lease_ms=1000)) == []
        assert other._reader.value(sql.VERSION) == version
        assert await store.next_due_at(("",)) == NOON + 1
        assert await store.next_due_at(("", "elsewhere")) == NOON
        await store.close()
        await other.close()

    asyncio.run(run())


@pytest.mark.parametrize("crowded", [4, 10**6])
def test_the_write_ahead_log_stays_small(tmp_path: Path, crowded: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The write-ahead log is moved into the file as it grows; somebody who reads on and on delays nobody by much."""
    monkeypatch.setattr("interlock.adapters.sqlite.pen.CHECKPOINT_PAGES", 50)
    monkeypatch.setattr("interlock.adapters.sqlite.pen.CROWDED_PAGES", crowded)
    path = tmp_path / "store.db"

    async def run() -> None:
        store = opened(path, SEED)
        await store.commit(Change(puts=(PURSE,)))
        for _ in range(60):
            await change(store)
        assert path.with_name("store.db-wal").stat().st_size < 250 * 4096
        reader = apsw.Connection(str(path))
        reader.execute("BEGIN; SELECT count(*) FROM action")
        began = time.monotonic()
        for _ in range(60):
            await change(store)
        assert time.monotonic() - began < 4
        reader.close()
        await store.close()

    asyncio.run(run())


def test_two_event_loops_share_a_store(tmp_path: Path) -> None:
    """Threads with an event loop each may use one store at the same time."""
    store = opened(tmp_path / "store.db", SEED)
    asyncio.run(store.commit(Change(puts=(PURSE,))))
    made: list[str] = []
    failures: list[BaseException] = []

    async def act() -> None:
        for _ in range(25):
            made.append(await change(store))  # noqa: PERF401  one after the other

    async def several() -> None:
        await asyncio.gather(act(), act())

    def loop() -> None:
        try:
            asyncio.run(several())
        except Exception as error:  # noqa: BLE001  whatever it is, the test shows it
            failures.append(error)

    threads = [threading.Thread(target=loop) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    async def look() -> None:
        assert len(await audited(store, keys_of(SEED))) == 150
        assert await store.count(ActionQuery()) == 150
        await store.close()

    assert failures == []
    asyncio.run(look())
    assert len(set(made)) == 150


def test_who_goes_away_while_waiting(tmp_path: Path) -> None:
    """A caller that is cancelled, or whose event loop has ended, holds up nobody; its change is stored whole or not."""

    async def hasty() -> list[Task]:
        left = [task() for _ in range(20)]
        waiting = [asyncio.create_task(store.commit(Change(puts=(each,)))) for each in left]
        await asyncio.sleep(0)
        for each in waiting:
            each.cancel()
        return left

    store = opened(tmp_path / "store.db", SEED)
    left = asyncio.run(hasty())

    async def look() -> None:
        last = task()
        await store.commit(Change(puts=(last,)))
        stored = [await store.get(Task, each.key) for each in left]
        assert all(each in (None, mine.saved()) for each, mine in zip(stored, left, strict=True))
        await store.close()

    asyncio.run(look())
