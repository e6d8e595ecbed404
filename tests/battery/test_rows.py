"""Rows and files: dropped, exchanged, doubled, cut, emptied, put back, made anew. Each row names the threat it belongs to."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import apsw
import pytest

import interlock
from interlock.adapters.keys import fresh
from interlock.domain.merkle import leaf_hash
from tests.battery.lives import Life, head_of, lived
from tests.workspaces import Place, forget

Tamper = Callable[[Life], object]


def _row(store: apsw.Connection, query: str, *values: object) -> tuple[Any, ...]:
    """The one row there is."""
    (found,) = store.execute(query, values).fetchall()
    return found


def _sql(*statements: str) -> Tamper:
    def tamper(life: Life) -> None:
        with life.sql() as store:
            for statement in statements:
                store.execute(statement)
                assert store.changes(), statement

    return tamper


FIRST = "(SELECT min(place) FROM entry)"
LAST = "(SELECT max(place) FROM entry)"


def _exchanged(columns: str) -> Tamper:
    """The contents of two rows, each now where the other was."""

    def tamper(life: Life) -> None:
        with life.sql() as store:
            place = store.execute(f"SELECT {FIRST} + 3").get
            one, two = (_row(store, f"SELECT {columns} FROM entry WHERE place = ?", at) for at in (place, place + 1))
            marks = ", ".join(f"{name.strip()} = ?" for name in columns.split(","))
            for at, row in ((place, two), (place + 1, one)):
                store.execute(f"UPDATE entry SET {marks} WHERE place = ?", (*row, at))

    return tamper


def _doubled(life: Life) -> None:
    """An entry recorded twice: everything from it on moves by one."""
    with life.sql() as store:
        columns = "stream, seq, action, phase, leaf_hash, checkpoint, disclosed, leaf"
        row = _row(store, f"SELECT place, {columns} FROM entry ORDER BY place LIMIT 1 OFFSET 5")
        for (place,) in store.execute(
            "SELECT place FROM entry WHERE place > ? ORDER BY place DESC", row[:1]
        ).fetchall():
            store.execute("UPDATE entry SET place = place + 1 WHERE place = ?", (place,))
        marks = ", ".join("?" * 8)
        store.execute(f"INSERT INTO entry (place, {columns}) VALUES (?, {marks})", (row[0] + 1, *row[1:]))


def _omitted(life: Life) -> None:
    """An entry taken out and the gap closed, hashes and all, without the log's key."""
    with life.sql() as store:
        (gone,) = _row(store, "SELECT place FROM entry ORDER BY place LIMIT 1 OFFSET 5")
        store.execute("DELETE FROM entry WHERE place = ?", (gone,))
        for (place,) in store.execute("SELECT place FROM entry WHERE place > ? ORDER BY place", (gone,)).fetchall():
            store.execute("UPDATE entry SET place = place - 1 WHERE place = ?", (place,))


def _rehashed(life: Life) -> None:
    """An entry changed with its hash: the tree above is computed from the hashes, the signature is not ours to make."""
    with life.sql() as store:
        place, leaf = _row(store, "SELECT place, leaf FROM entry ORDER BY place LIMIT 1 OFFSET 5")
        changed = leaf.replace(b"A", b"B", 1)
        store.execute("UPDATE entry SET leaf = ?, leaf_hash = ? WHERE place = ?", (changed, leaf_hash(changed), place))


def _cut(life: Life) -> None:
    """The last entries gone, and with them the checkpoints that covered them, as far back as an action was told of."""
    with life.sql() as store:
        told = "(SELECT max(place) FROM entry WHERE action IS NOT NULL)"
        store.execute(f"DELETE FROM entry WHERE place >= {told}")


def _only_the_end(life: Life) -> None:
    """Nothing but what says that the process has ended."""
    with life.sql() as store:
        store.execute(f"DELETE FROM entry WHERE place = {LAST}")


def _other_keys(life: Life) -> None:
    """Another pair of keys of the same names laid into the folder."""
    for name in ("log", "gate"):
        old = (life.keys / f"{name}.pub").read_text().split("+")[0]
        key = fresh(old)
        (life.keys / f"{name}.key").write_text(key.line())
        (life.keys / f"{name}.pub").write_text(key.verifier.vkey())


def _emptied(life: Life) -> None:
    life.store.write_bytes(b"")
    for beside in ("-wal", "-shm"):
        life.store.with_name(life.store.name + beside).unlink(missing_ok=True)


def _torn(life: Life) -> None:
    """Half of the page overwritten that leads to the entries."""
    with life.sql() as store:
        page, size = _row(store, "SELECT rootpage, page_size FROM sqlite_master, pragma_page_size WHERE name = 'entry'")
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    data = bytearray(life.store.read_bytes())
    start = (page - 1) * size
    data[start : start + size // 2] = bytes(size // 2)
    life.store.write_bytes(bytes(data))


TAMPERS: dict[str, Tamper] = {
    "T1 an entry dropped from the middle": _sql(f"DELETE FROM entry WHERE place = {FIRST} + 5"),
    "T1 the first entry dropped": _sql(f"DELETE FROM entry WHERE place = {FIRST}"),
    "T1 all entries dropped": _sql("DELETE FROM entry"),
    "T1 two entries exchanged": _exchanged("stream, seq, action, phase, leaf_hash, checkpoint, disclosed, leaf"),
    "T1 two leaves exchanged": _exchanged("leaf"),
    "T1 clear texts exchanged": _exchanged("sealed"),
    "T1 a clear text laid beside a sealed one": _sql(
        f"UPDATE entry SET disclosed = 'forged' WHERE place = {FIRST} + 5"
    ),
    "T1 an entry doubled": _doubled,
    "T1 an entry changed with its hash": _rehashed,
    "T1 an entry moved to another action": _sql(
        f"UPDATE entry SET action = (SELECT min(action) FROM entry) WHERE place = {LAST}"
    ),
    "T1 an action's state changed": _sql("UPDATE action SET body = replace(body, '\"failed\"', '\"done\"')"),
    "T1 an action dropped": _sql("DELETE FROM action WHERE id = (SELECT min(id) FROM action)"),
    "T1 an action's private part changed": _sql("UPDATE action SET sealed = zeroblob(length(sealed))"),
    "T1 the control record made unreadable": _sql("UPDATE document SET body = '{' WHERE kind = 'control'"),
    "T3 the tail cut": _cut,
    "T3 the last checkpoint dropped": _sql(f"UPDATE entry SET checkpoint = NULL WHERE place = {LAST}"),
    "T7 an entry omitted and the gap closed": _omitted,
    "T8 other keys laid into the folder": _other_keys,
    "T15 the file emptied": _emptied,
    "T15 a page torn": _torn,
}


@pytest.mark.proves("battery.rows")
@pytest.mark.parametrize("how", TAMPERS)
def test_what_was_done_to_rows_and_files_is_found(copy: Life, how: str) -> None:
    """Without the log's key nothing can be taken away, put in, moved, doubled or put in another's place unseen."""
    TAMPERS[how](copy)

    assert copy.findings(), how


@pytest.mark.proves("battery.rows", "evidence.rollback_found")
def test_another_history_by_the_same_keys_is_found_by_who_kept_a_checkpoint(life: Life, tmp_path: Path) -> None:
    """T2, T3, T4: who has the store and both keys can live another life and sign it; a checkpoint kept elsewhere shows it."""
    other = lived(tmp_path / "other")
    for name in ("log", "gate"):
        shutil.copy(life.keys / f"{name}.key", other.keys)
        shutil.copy(life.keys / f"{name}.pub", other.keys)
    other.store.unlink()
    for beside in ("-wal", "-shm"):
        other.store.with_name(other.store.name + beside).unlink(missing_ok=True)
    forged = _lived_again(other)

    assert forged.findings() == ()
    mine = Life(folder=forged.folder, retained=life.retained, actions=())
    places = [each.place for each in mine.findings(retained=True)]
    assert places == [f"retained checkpoint of {int(life.retained.split(chr(10))[1])}"]


@pytest.mark.proves("battery.rows", "evidence.rollback_found")
def test_a_cut_that_touches_no_action_shows_against_the_head_that_was_kept(copy: Life) -> None:
    """T3: an end of the log that nothing in the store speaks of can be cut off; the head that somebody kept shows it."""
    head = anyio.run(head_of, copy.folder)
    _only_the_end(copy)
    kept = Life(folder=copy.folder, retained=head, actions=())

    assert [each.place for each in kept.findings(retained=True)] == [f"retained checkpoint of {head.splitlines()[1]}"]


def _lived_again(life: Life) -> Life:
    """A second life in a folder that has its keys already."""
    place = Place(life.folder)
    place.module = next(path.stem for path in life.folder.glob("tools_of_test_*.py"))
    try:
        with interlock.open(life.folder, apply=True) as client, client.task("ag", purpose="forged") as task:
            for n in range(9):
                task.propose("box.put", n=n)
    finally:
        forget(place)
    return life
