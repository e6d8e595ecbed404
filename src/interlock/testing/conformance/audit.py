"""An auditor's look at a log through its port alone: everything is computed again from the entries."""

import json
from typing import Any

from interlock.adapters.keys import Keys, verify
from interlock.domain import disclosure, dsse
from interlock.domain.evidence import Entry
from interlock.domain.merkle import Frontier, check_inclusion, inclusion_proof, leaf_hash
from interlock.domain.note import open_checkpoint, parse_note
from interlock.domain.tiles import TileId, hash_from_tiles, tiles_of
from interlock.ports.log import Log
from interlock.testing.conformance.world import expect


async def audited(log: Log, keys: Keys) -> list[Entry]:
    """Every entry, once all of it holds: leaves, streams, signatures, every checkpoint, every tile, and a proof."""
    note = await log.head()
    if note is None:
        expect(await log.entries(0, 10) == [], "a log with entries has a head")
        return []
    head = open_checkpoint(parse_note(note.encode()), keys.log.verifier, verify)
    entries = await log.entries(0, head.size + 10)
    expect([entry.index for entry in entries] == list(range(head.size)), "as many entries as the head says, in order")
    frontier = Frontier()
    signed: list[tuple[int, str]] = []
    for entry in entries:
        _check_leaf(entry, keys)
        frontier = frontier.append([entry.leaf_hash])
        text = await log.checkpoint_at(frontier.size)
        if text is not None:
            checkpoint = open_checkpoint(parse_note(text.encode()), keys.log.verifier, verify)
            expect((checkpoint.size, checkpoint.root) == (frontier.size, frontier.root()), "every checkpoint is true")
            signed.append((frontier.size, text))
    expect(signed[-1] == (head.size, note), "the last checkpoint is the head")
    expect(await log.checkpoints(0, head.size) == signed, "all of them are told behind their sizes")
    expect(await log.checkpoints(signed[0][0], head.size) == signed[1:], "and those over more than so many entries")
    expect(await log.checkpoint_at(head.size + 1) is None, "and there is none beyond")
    _check_streams(entries)
    await _check_tiles(log, entries, head.root)
    return entries


def predicate(entry: Entry) -> dict[str, Any]:
    """What the leaf says."""
    said: dict[str, Any] = json.loads(dsse.parse(entry.leaf).payload)["predicate"]
    return said


def _check_leaf(entry: Entry, keys: Keys) -> None:
    expect(leaf_hash(entry.leaf) == entry.leaf_hash, f"entry {entry.index} has the hash of its leaf")
    envelope = dsse.parse(entry.leaf)
    good = verify(
        keys.gate.verifier.public, dsse.pae(envelope.payload_type, envelope.payload), envelope.signatures[0].sig
    )
    expect(good, f"entry {entry.index} is signed")
    said = predicate(entry)
    stated = (said["stream"]["id"], said["stream"]["seq"], said["phase"], said.get("actionId"))
    expect(stated == (entry.stream, entry.seq, entry.phase, entry.action), f"entry {entry.index} is filed as it says")
    for text in entry.disclosures:
        opened = disclosure.parse(text)
        expect(said["commitments"][opened.name] == disclosure.digest_of(text), f"entry {entry.index} opens")


def _check_streams(entries: list[Entry]) -> None:
    """Each stream counts from 1 without a gap, each of its entries naming the leaf before it."""
    last: dict[str, tuple[int, str]] = {}
    for entry in entries:
        seq, prev = last.get(entry.stream, (0, ""))
        expect(entry.seq == seq + 1, f"entry {entry.index} follows in its stream")
        expect(predicate(entry)["stream"]["prev"] == prev, f"entry {entry.index} names the leaf before it")
        last[entry.stream] = entry.seq, entry.leaf_hash.hex()


async def _check_tiles(log: Log, entries: list[Entry], root: bytes) -> None:
    size = len(entries)
    tiles: dict[TileId, bytes] = {}
    for tile in tiles_of(size):
        stored = await log.tile(tile.level, tile.n, tile.width)
        expect(stored is not None, f"{tile.path()} is there")
        tiles[tile] = stored or b""
    last = tiles_of(size)[-1]
    expect(await log.tile(last.level, last.n, last.width + 1) is None, "a tile is no wider than the log")
    hash_at = hash_from_tiles(size, lambda tile: tiles[tile])
    for index in {0, size // 2, size - 1}:
        check_inclusion(entries[index].leaf_hash, index, size, inclusion_proof(index, size, hash_at), root)
