"""The log's rows: reading them, adding to them, and finding the head again."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from interlock.adapters.appending import Appender, Head, Rows, confirm, extended, head_of
from interlock.adapters.sqlite import statements as sql
from interlock.adapters.sqlite.connection import Connection, Row, Values
from interlock.adapters.sqlite.statements import MOST_ENTRIES, place_of
from interlock.adapters.sqlite.veil import Veil
from interlock.domain.evidence import MARKED, Entry
from interlock.domain.ids import ActionId
from interlock.domain.merkle import HASH_BYTES
from interlock.domain.tiles import WIDTH, cut

FEW: Final = 2 * WIDTH
"""Up to so many entries of others are read one by one; more, and the head is put together from tiles."""


def catch_up(connection: Connection, tenant: int, appender: Appender) -> None:
    """Bring `appender` to the head as this transaction sees it: others may have appended.

    Raises KeyFileError when the log is at another key by now, IntegrityError when its rows do not lead to its checkpoint.
    """
    size, note = _stored(connection, tenant)
    known = appender.head.size
    if size == known:
        return
    began_with = None if known else connection.execute(sql.LOG_KEY, (tenant,)).get
    about_keys = connection.execute(sql.KEY_LEAVES, (tenant, place_of(tenant, known)))
    appender.follow(began_with, [row[0] for row in about_keys])
    if known < size <= known + FEW:
        added = connection.execute(sql.LEAF_HASHES, (place_of(tenant, known), place_of(tenant, size)))
        head = extended(appender.head, [row[0] for row in added])[0]
    else:
        head = stored_head(connection, tenant, size)
    confirm(head, note)
    appender.seen(head)


def stored_head(connection: Connection, tenant: int, size: int) -> Head:
    """The head of the log of `size` entries, from its last leaf hashes and the roots of its full tiles."""
    edges: list[bytes] = []
    level, count = 0, size
    while count:
        full, width = divmod(count, WIDTH)
        edges.append(_hashes(connection, tenant, level, full, width))
        level, count = level + 1, full
    return head_of(edges)


def read_again(connection: Connection, tenant: int, appender: Appender) -> None:
    """Find out, after a commit of which nobody knows whether it was stored, where log and stream stand."""
    appender.seen(Head())
    catch_up(connection, tenant, appender)
    last = connection.execute(sql.LAST_OF_STREAM, (*_all(tenant), appender.sealer.stream)).fetchone()
    appender.resume(last[0], last[1].hex()) if last else appender.resume(0, "")


def add(connection: Connection, tenant: int, rows: Rows, log_key: str, veil: Veil, numbers: Mapping[int, int]) -> None:
    """Write what a group adds. `numbers` are those of the keys for their clear texts, by their place in the group."""
    if rows.entries[0].index == 0:
        connection.execute(sql.SET_LOG_KEY, (log_key, tenant))
    connection.executemany(sql.ADD_ENTRY, _values(tenant, rows, veil, numbers))
    for tile in rows.tiles:
        connection.execute(sql.ADD_TILE, (tenant, tile.level, tile.n, tile.root, tile.hashes))


def head(connection: Connection, tenant: int) -> str | None:
    """The latest checkpoint."""
    return _stored(connection, tenant)[1]


def checkpoint_at(connection: Connection, tenant: int, size: int) -> str | None:
    """The checkpoint over exactly `size` entries, or None."""
    # Beyond a tenant's last place begins the next one's.
    if not 0 < size <= MOST_ENTRIES:
        return None
    note: str | None = connection.execute(sql.CHECKPOINT, (place_of(tenant, size - 1),)).get
    return note


def checkpoints(connection: Connection, tenant: int, start: int, stop: int) -> list[tuple[int, str]]:
    """The checkpoints over more than `start` and at most `stop` entries."""
    rows = connection.execute(sql.CHECKPOINTS, (place_of(tenant, start), place_of(tenant, stop)))
    return [(size, note) for size, note in rows]


def entries(connection: Connection, tenant: int, start: int, stop: int, veil: Veil) -> list[Entry]:
    """The entries from `start` up to `stop`, with what is disclosed of them."""
    rows = connection.execute(sql.ENTRIES, (place_of(tenant, start), place_of(tenant, stop)))
    return [_entry(row, veil) for row in rows]


def entries_of(connection: Connection, tenant: int, action: ActionId, veil: Veil) -> list[Entry]:
    """The entries of one action."""
    return [_entry(row, veil) for row in connection.execute(sql.ENTRIES_OF, (tenant, action))]


def marked(connection: Connection, tenant: int, phases: Sequence[str], veil: Veil) -> list[Entry]:
    """The entries of phases; fast where these have an index of their own."""
    if not set(phases) <= set(MARKED):
        rows = connection.execute(sql.marked(len(phases), listed=False), (*_all(tenant), *phases))
        return [_entry(row, veil) for row in rows]
    return [_entry(row, veil) for row in connection.execute(sql.marked(len(phases)), (tenant, *phases))]


def tile(connection: Connection, tenant: int, level: int, index: int, width: int) -> bytes | None:
    """The first `width` hashes of a tile, or None if there are not so many."""
    stored: bytes | None = connection.execute(sql.TILE, (tenant, level, index)).get
    if stored is not None:
        return b"".join(cut(stored)[:width])
    hashes = _hashes(connection, tenant, level, index, width)
    return hashes if len(hashes) == width * HASH_BYTES else None


def _stored(connection: Connection, tenant: int) -> tuple[int, str | None]:
    """Size and checkpoint. Every transaction that appends signs its last entry's."""
    last = connection.execute(sql.LAST_ENTRY, _all(tenant)).fetchone()
    return (last[0] + 1, last[1]) if last else (0, None)


def _all(tenant: int) -> Values:
    return place_of(tenant, 0), place_of(tenant + 1, 0)


def _hashes(connection: Connection, tenant: int, level: int, index: int, width: int) -> bytes:
    """The hashes a tile is made of, from the level below."""
    start = index * WIDTH
    if level == 0:
        found = connection.execute(sql.LEAF_HASHES, (place_of(tenant, start), place_of(tenant, start + width)))
    else:
        found = connection.execute(sql.TILE_ROOTS, (tenant, level - 1, start, start + width))
    return b"".join(row[0] for row in found)


def _values(tenant: int, rows: Rows, veil: Veil, numbers: Mapping[int, int]) -> Iterator[Values]:
    last = rows.entries[-1]
    for place, entry in enumerate(rows.entries):
        disclosed, sealed = veil.entry(entry.leaf_hash, entry.disclosures, numbers.get(place, 0))
        yield (
            place_of(tenant, entry.index),
            entry.stream,
            entry.seq,
            entry.action,
            entry.phase,
            entry.leaf_hash,
            rows.checkpoint if entry is last else None,
            disclosed,
            entry.leaf,
            sealed,
        )


def _entry(row: Row, veil: Veil) -> Entry:
    index, leaf, leaf_hash, stream, seq, action, phase, disclosed, sealed = row
    disclosures, withheld = veil.disclosures(leaf_hash, disclosed, sealed)
    return Entry(
        index=index,
        leaf=leaf,
        leaf_hash=leaf_hash,
        stream=stream,
        seq=seq,
        action=action,
        phase=phase,
        disclosures=disclosures,
        sealed=withheld,
    )
