"""Proofs out of the log: that an entry is in it, and that it continues what it was.

Proofs are made from the log's tiles alone, and checked against the roots before they are given out: a damaged log gives
an error here, never a proof that fails elsewhere.
"""

from base64 import b64encode
from collections.abc import Callable
from typing import TypeVar

from interlock.domain.anchoring import note_of
from interlock.domain.entry_proof import Continuation, EntryProof, entry_proof
from interlock.domain.errors import IntegrityError, NotFound
from interlock.domain.evidence import Entry
from interlock.domain.ids import ActionId
from interlock.domain.merkle import (
    HashAt,
    ProofError,
    check_consistency,
    check_inclusion,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_at,
)
from interlock.domain.note import Checkpoint, NoteError
from interlock.domain.tiles import TileError, TileId, hash_from_tiles
from interlock.ports.log import Log
from interlock.services.showing import OpenNote, opened_as, unverified

T = TypeVar("T")


async def from_tiles(log: Log, size: int, work: Callable[[HashAt], T]) -> T:
    """What `work` makes of the tree of the first `size` entries. Raises IntegrityError where it needs a tile that is missing.

    `work` reads synchronously, and the log does not: a first run only finds out which tiles it needs.
    """
    needed: dict[TileId, bytes] = {}

    def ask(tile: TileId) -> bytes:
        needed[tile] = b""
        return bytes(32 * tile.width)

    work(hash_from_tiles(size, ask))
    for tile in needed:
        found = await log.tile(tile.level, tile.n, tile.width)
        if found is None:
            raise IntegrityError(f"{tile.path()} of the log is missing")
        needed[tile] = found
    try:
        return work(hash_from_tiles(size, needed.__getitem__))
    except TileError as error:
        raise IntegrityError(f"the log's tiles cannot be used: {error}") from None


async def proof_of_entry(log: Log, index: int, opened: OpenNote, *, note: str | None = None) -> EntryProof:
    """What proves entry `index` under the log's head, or under the checkpoint `note`, which may have more signatures.

    `opened` says whom that must be signed by. Raises NotFound where the log, or the checkpoint, has no such entry, and
    IntegrityError where the log does not lead to it.
    """
    entry, head = await log.entries(index, index + 1) if index >= 0 else [], await log.head()
    if not entry or head is None:
        size = 0 if head is None else opened_as(head, opened).size
        raise NotFound(f"the log has no entry {index}; it has {size}", next_step="`interlock log head` says how many")
    return await _proven(log, entry[0], head if note is None else note, opened)


async def proof_of_action(log: Log, action: ActionId, opened: OpenNote, *, note: str | None = None) -> EntryProof:
    """What proves the last entry of `action` that the checkpoint covers: the others are proven by its packet.

    Raises what `proof_of_entry` raises.
    """
    entries, head = await log.entries_of(action), await log.head()
    if not entries or head is None:
        raise NotFound(f"the log has no entry of action `{action}`")
    under = head if note is None else note
    size = opened_as(under, opened).size
    covered = [entry for entry in entries if entry.index < size]
    if not covered:
        raise NotFound(
            f"the first entry of action `{action}` stands after the {size} that the checkpoint covers",
            next_step="anchor again (`interlock log anchor`), or prove it under the head",
        )
    return await _proven(log, covered[-1], under, opened)


async def anchored_note(log: Log) -> str:
    """The latest checkpoint that came back from witnesses or a time-stamping authority, as it was written into the log.

    Raises NotFound where none did. Whose cosignatures it bears is for others to weigh.
    """
    anchors = await log.marked("anchored")
    if not anchors:
        raise NotFound("no checkpoint was anchored yet", next_step="anchor one: `interlock log anchor`")
    try:
        return note_of(anchors[-1]).encode().decode()
    except NoteError as error:
        raise IntegrityError(f"the anchor in entry {anchors[-1].index} cannot be used: {error}") from None


async def continuation(log: Log, old: int | Checkpoint, new: int | Checkpoint | None = None) -> Continuation:
    """That the log of the `new` size (without it: as it is now) begins with that of the `old` one; each is a size, or a
    checkpoint that somebody kept.

    Raises NotFound where the log is not so long, and IntegrityError where it is not the one a checkpoint was signed over.
    """
    head = await log.head()
    if head is None:
        raise NotFound("the log is empty", next_step="bring something into force first")
    last = opened_as(head, unverified)
    pair = (old, last if new is None else new)
    first, second = (each if isinstance(each, int) else each.size for each in pair)
    for each in pair:
        if isinstance(each, Checkpoint) and each.size > last.size:
            raise IntegrityError(
                f"the log here has {last.size} entries, and a checkpoint was signed over {each.size}: "
                "it is an older copy, or its end was cut off"
            )
    if not 0 <= first <= second <= last.size:
        raise NotFound(
            f"there is no way from {first} entries to {second} in a log of {last.size}",
            next_step="give the smaller one first; `interlock log head` says how many there are",
        )
    old_root, new_root = [await _root(log, each, last.origin) for each in pair]
    hashes = await from_tiles(log, second, lambda hash_at: consistency_proof(first, second, hash_at))
    try:
        check_consistency(first, second, old_root, new_root, hashes)
    except ProofError as error:
        raise IntegrityError(f"the log's tiles do not belong together: {error}") from None
    return Continuation(
        origin=last.origin,
        old=first,
        old_root=old_root.hex(),
        new=second,
        new_root=new_root.hex(),
        hashes=tuple(b64encode(each).decode() for each in hashes),
    )


async def _root(log: Log, at: int | Checkpoint, origin: str) -> bytes:
    """The root there, which is that of the checkpoint if one is given."""
    size = at if isinstance(at, int) else at.size
    root = await from_tiles(log, size, lambda hash_at: root_at(size, hash_at))
    if isinstance(at, Checkpoint) and (at.origin, at.root) != (origin, root):
        raise IntegrityError(
            f"the log is not the one that the checkpoint of {size} entries of `{at.origin}` was signed over",
            next_step="one of the two was changed: keep both, and compare with others that were kept",
        )
    return root


async def _proven(log: Log, entry: Entry, note: str, opened: OpenNote) -> EntryProof:
    checkpoint = opened_as(note, opened)
    if entry.index >= checkpoint.size:
        raise NotFound(
            f"entry {entry.index} stands after the {checkpoint.size} that the checkpoint covers",
            next_step="anchor again (`interlock log anchor`), or prove it under the head",
        )
    hashes = await from_tiles(log, checkpoint.size, lambda tree: inclusion_proof(entry.index, checkpoint.size, tree))
    try:
        check_inclusion(leaf_hash(entry.leaf), entry.index, checkpoint.size, hashes, checkpoint.root)
        return entry_proof(entry.index, entry.leaf, hashes, note)
    except (ProofError, NoteError) as error:
        raise IntegrityError(
            f"entry {entry.index} cannot be proven: {error}",
            next_step="stop writing, and let `interlock verify` name the first thing that is wrong",
        ) from None
