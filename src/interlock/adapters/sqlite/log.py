"""The log's rows: reading them, adding to them, and finding the head again."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

from interlock.adapters.appending import Appender, Head, Rows, confirm, cut, extended, head_of, same_log
from interlock.adapters.sqlite import statements as sql
from interlock.adapters.sqlite.connection import Connection, Row
from interlock.domain.evidence import Entry
from interlock.domain.ids import ActionId
from interlock.domain.merkle import HASH_BYTES
from interlock.domain.tiles import WIDTH

FEW: Final = 2 * WIDTH
"""Up to so many entries of others are read one by one; more, and the head is put together from tiles."""


def catch_up(connection: Connection, tenant: str, appender: Appender) -> None:
    """Bring `appender` to the head as this transaction sees it: others may have appended.

    Raises KeyFileError when the log began with another key, IntegrityError when its rows do not lead to its checkpoint.
    """
    size: int = connection.execute(sql.LOG_SIZE, (tenant,)).get or 0
    known = appender.head.size
    if size == known:
        return
    if not known:
        same_log(connection.execute(sql.LOG_KEY, (tenant,)).get, appender.sealer)
    if known < size <= known + FEW:
        added = [row[0] for row in connection.execute(sql.LEAF_HASHES, (tenant, known, size))]
        head = extended(appender.head, added)[0]
    else:
        head = stored_head(connection, tenant, size)
    confirm(head, connection.execute(sql.LATEST_CHECKPOINT, (tenant,)).get)
    appender.seen(head)


def stored_head(connection: Connection, tenant: str, size: int) -> Head:
    """The head of the log of `size` entries, from its last leaf hashes and the roots of its full tiles."""
    edges: list[bytes] = []
    level, count = 0, size
    while count:
        full, width = divmod(count, WIDTH)
        edges.append(_hashes(connection, tenant, level, full, width))
        level, count = level + 1, full
    return head_of(edges)


def read_again(connection: Connection, tenant: str, appender: Appender) -> None:
    """Find out, after a commit of which nobody knows whether it was stored, where log and stream stand."""
    appender.seen(Head())
    catch_up(connection, tenant, appender)
    last = connection.execute(sql.LAST_OF_STREAM, (tenant, appender.sealer.stream)).fetchone()
    appender.resume(last[0], last[1].hex()) if last else appender.resume(0, "")


def add(connection: Connection, tenant: str, rows: Rows, log_key: str) -> None:
    """Write what a group adds."""
    if rows.entries[0].index == 0:
        connection.execute(sql.ADD_LOG, (tenant, log_key))
    for entry in rows.entries:
        connection.execute(
            sql.ADD_ENTRY,
            (
                tenant,
                entry.index,
                entry.stream,
                entry.seq,
                entry.action,
                entry.phase,
                entry.leaf_hash,
                entry.leaf,
            ),
        )
        for n, text in enumerate(entry.disclosures):
            connection.execute(sql.ADD_DISCLOSURE, (tenant, entry.index, n, text))
    for tile in rows.tiles:
        connection.execute(sql.ADD_TILE, (tenant, tile.level, tile.n, tile.root, tile.hashes))
    connection.execute(sql.ADD_CHECKPOINT, (tenant, rows.head.size, rows.checkpoint))


def entries(connection: Connection, tenant: str, start: int, stop: int) -> list[Entry]:
    """The entries from `start` up to `stop`, with what was disclosed of them."""
    rows = connection.execute(sql.ENTRIES, (tenant, start, stop)).fetchall()
    texts = connection.execute(sql.DISCLOSURES, (tenant, start, stop)).fetchall()
    return list(_joined(rows, texts))


def entries_of(connection: Connection, tenant: str, action: ActionId) -> list[Entry]:
    """The entries of one action."""
    rows = connection.execute(sql.ENTRIES_OF, (tenant, action)).fetchall()
    texts = chain.from_iterable(
        connection.execute(sql.DISCLOSURES, (tenant, row[0], row[0] + 1)).fetchall() for row in rows
    )
    return list(_joined(rows, texts))


def tile(connection: Connection, tenant: str, level: int, index: int, width: int) -> bytes | None:
    """The first `width` hashes of a tile, or None if there are not so many."""
    row = connection.execute(sql.TILE, (tenant, level, index)).fetchone()
    if row is not None:
        return b"".join(cut(row[0])[:width])
    hashes = _hashes(connection, tenant, level, index, width)
    return hashes if len(hashes) == width * HASH_BYTES else None


def _hashes(connection: Connection, tenant: str, level: int, index: int, width: int) -> bytes:
    """The hashes a tile is made of, from the level below."""
    start = index * WIDTH
    if level == 0:
        found = connection.execute(sql.LEAF_HASHES, (tenant, start, start + width))
    else:
        found = connection.execute(sql.TILE_ROOTS, (tenant, level - 1, start, start + width))
    return b"".join(row[0] for row in found)


def _joined(rows: Iterable[Row], texts: Iterable[Row]) -> Iterator[Entry]:
    disclosed: dict[int, list[str]] = {}
    for index, text in texts:
        disclosed.setdefault(index, []).append(text)
    for index, leaf, leaf_hash, stream, seq, action, phase in rows:
        yield Entry(
            index=index,
            leaf=leaf,
            leaf_hash=leaf_hash,
            stream=stream,
            seq=seq,
            action=action,
            phase=phase,
            disclosures=tuple(disclosed.get(index, ())),
        )
