"""Reading a log from end to end to see whether it still says what was recorded; and one action's proof out of it.

1. `verify_log` opens the checkpoint, then reads entries 256 at a time and hands them to `domain.verification`.
2. `cross_check` holds the store's actions against what the log said of them in the end; `verify_all` does both.
3. `packet_of` collects one action's entries with their inclusion proofs, to be checked anywhere by `verify_packet`.
"""

from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence, Set
from itertools import pairwise
from typing import Final

import msgspec

from interlock.domain import dsse
from interlock.domain.action import Action
from interlock.domain.anchoring import Anchors, Trust
from interlock.domain.binding import bound_digest
from interlock.domain.control import Control
from interlock.domain.errors import IntegrityError, NotFound
from interlock.domain.evidence import Entry, Finding, Packet, Verification
from interlock.domain.ids import ActionId
from interlock.domain.keyring import ABOUT_KEYS, Keyring
from interlock.domain.merkle import EMPTY_ROOT, inclusion_proof
from interlock.domain.note import (
    Checkpoint,
    NoteError,
    SignedNote,
    VerifierKey,
    VerifyFunction,
    parse_checkpoint,
    parse_note,
)
from interlock.domain.statement import covered
from interlock.domain.tiles import Tile, TileId, hash_from_tiles
from interlock.domain.trails import Trail, disagreement, latest_states
from interlock.domain.verification import LOST, MAX_FINDINGS, LogCheck
from interlock.ports.log import Log
from interlock.ports.store import ActionQuery, Store

PAGE: Final = 500
LOOKS: Final = 5
"""How often an action that somebody may be moving is looked at before store and log are said to disagree."""

GONE: Final = "what is private of it is lost without an erasure"
BEHIND: Final = (
    "it was erased after this copy of the store was made, as the vault knows; "
    "`interlock work --until-idle` records that again"
)
ACKNOWLEDGED: Final = "it is lost for good, as two persons acknowledged in entry {}"

Progress = Callable[[int, int], None]
"""Told how many entries of how many were read."""


class LogReading(msgspec.Struct, frozen=True, kw_only=True):
    """What was found in a log, and what it says of every action in the end."""

    verification: Verification
    trails: Mapping[ActionId, Trail]
    erased: frozenset[int] | set[int] = frozenset()
    """The entries whose clear texts were erased."""
    acknowledged: frozenset[int] | set[int] = frozenset()
    """The entries whose clear texts two persons said to be lost."""
    unexplained: Mapping[int, ActionId | None] = {}
    """The entries whose clear texts are gone without either, with the action each is about."""


async def verify_log(
    log: Log,
    log_key: VerifierKey,
    gate_keys: Sequence[VerifierKey],
    verify: VerifyFunction,
    *,
    retained: Sequence[str] = (),
    trust: Trust | None = None,
    progress: Progress | None = None,
) -> LogReading:
    """Check everything up to the head as it is now; what others append meanwhile is left alone.

    `retained` are checkpoints kept elsewhere, as signed notes: the log must still contain what they were signed over.
    Every anchor must hold a checkpoint of this log; with `trust` they are weighed, too, and every entry's time held between
    those that count.
    """
    note = await log.head()
    head, checkpoint, problem = _head(note, log_key)
    kept, problems = _kept(retained)
    anchors = Anchors(await log.marked("anchored"), trust or Trust())
    check = LogCheck(checkpoint, head, Keyring(log_key, gate_keys, verify), verify, anchors, kept)
    for each in filter(None, (problem, *problems)):
        check.found("checkpoint", each)
    while (tile := check.next_tile()) is not None and not check.enough:
        entries = await log.entries(check.next, check.next + tile.width)
        check.expect(await log.checkpoints(check.next, check.next + tile.width))
        await _compare(log, check, check.take(tile, await _stored(log, tile), entries))
        if progress is not None:
            progress(check.next, checkpoint.size)
    if not check.enough:
        await _compare(log, check, check.last_tiles())
        if await log.entries(checkpoint.size, checkpoint.size + 1) and await log.head() == note:
            check.found(f"entry {checkpoint.size}", "it stands after the last checkpoint, which does not cover it")
        for entry in await log.marked("erased"):
            if entry.index >= checkpoint.size:
                check.cover(entry)
    return LogReading(
        verification=check.finish(),
        trails=check.trails.of,
        erased=check.erased,
        acknowledged=check.acknowledged,
        unexplained=check.unexplained,
    )


async def verify_all(
    store: Store,
    log: Log,
    log_key: VerifierKey,
    gate_keys: Sequence[VerifierKey],
    verify: VerifyFunction,
    *,
    retained: Sequence[str] = (),
    trust: Trust | None = None,
    progress: Progress | None = None,
) -> Verification:
    """`verify_log`, then `cross_check` unless the log alone is so wrong that it was not read to its end."""
    whole = await verify_whole(
        store, log, log_key, gate_keys, verify, retained=retained, trust=trust, progress=progress
    )
    return whole.verification


async def verify_whole(
    store: Store,
    log: Log,
    log_key: VerifierKey,
    gate_keys: Sequence[VerifierKey],
    verify: VerifyFunction,
    *,
    retained: Sequence[str] = (),
    trust: Trust | None = None,
    progress: Progress | None = None,
) -> LogReading:
    """The same, with all that was read."""
    reading = await verify_log(log, log_key, gate_keys, verify, retained=retained, trust=trust, progress=progress)
    findings = reading.verification.findings
    if len(findings) < MAX_FINDINGS:
        crossed = await cross_check(store, log, reading.trails, reading.erased, reading.acknowledged)
        findings = (*findings, *await _orders(store), *crossed)
    findings = await _explained(store, log, findings[:MAX_FINDINGS])
    found = msgspec.structs.replace(reading.verification, findings=findings)
    return msgspec.structs.replace(reading, verification=found)


async def _explained(store: Store, log: Log, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The same findings; of what is gone because the store is older than an erasure that the vault carried out, that."""
    if not any(each.problem in (LOST, GONE) for each in findings) or not (behind := await store.behind()):
        return findings
    told: list[Finding] = []
    for each in findings:
        kind, _, name = each.place.partition(" ")
        entries = [int(name)] if kind == "entry" else []
        if each.problem == GONE:
            entries = [entry.index for entry in await log.entries_of(ActionId(name))]
        known = each.problem in (LOST, GONE) and not behind.isdisjoint(entries)
        told.append(msgspec.structs.replace(each, problem=BEHIND) if known else each)
    return tuple(told)


async def cross_check(
    store: Store,
    log: Log,
    trails: Mapping[ActionId, Trail],
    erased: Set[int] = frozenset(),
    lost: Set[int] = frozenset(),
) -> tuple[Finding, ...]:
    """What the store and the log say differently of the actions. Others may go on writing meanwhile."""
    findings: list[Finding] = []
    unseen = set(trails)
    before: ActionId | None = None
    while len(findings) < MAX_FINDINGS:
        try:
            page = await store.actions(ActionQuery(before=before, limit=PAGE))
        except IntegrityError as error:
            # Those before it cannot be looked at one by one: what the log alone knows of them is no news.
            return (*findings, Finding(place="store", problem=error.detail))
        if not page:
            break
        if any(later.id >= each.id for each, later in pairwise(page)) or (before is not None and page[0].id >= before):
            # Read on, such a store could lead in a circle.
            return (*findings, Finding(place="store", problem="its actions do not stand where their ids belong"))
        for action in page:
            unseen.discard(action.id)
            problem = disagreement(trails.get(action.id), entries=action.entries, state=action.state)
            if problem is not None:
                problem = await _looked_again(store, log, action.id)
            elif action.withheld in ("erased", "lost"):
                problem = await _unerased(log, action, erased, lost)
            elif not action.withheld and not _bound(action):
                problem = "its arguments in the store are not those it was decided with"
            if problem is not None:
                findings.append(Finding(place=f"action {action.id}", problem=problem))
        before = page[-1].id
    unstored = [action for action in sorted(unseen) if await store.get(Action, action) is None]
    findings += (
        Finding(place=f"action {each}", problem="the log knows it, and the store does not") for each in unstored
    )
    return tuple(findings[:MAX_FINDINGS])


async def acknowledged(log: Log, entries: Sequence[Entry]) -> list[Entry]:
    """The entries that acknowledge a loss of clear texts of `entries`. Looked for only where some have none."""
    bare = {entry.index for entry in entries if not entry.disclosures and not entry.sealed}
    if not bare:
        return []
    found: list[Entry] = []
    for entry in await log.marked("acknowledged"):
        try:
            if bare.intersection(covered(dsse.parse(entry.leaf).payload, entry.index, "acknowledged")):
                found.append(entry)
        except ValueError:
            continue
    return found


async def must_not_be_behind(store: Store) -> None:
    """Raises IntegrityError where an erasure was carried out after this copy of the store was made, as its vault knows."""
    if await store.behind():
        raise IntegrityError(
            "the store is older than an erasure that the vault knows of", next_step="`interlock work --until-idle`"
        )


async def erased_since(store: Store, log: Log, action: Action) -> str:
    """What to say of an action that was erased after this copy of the store was made, or of which two persons know that it
    is lost; nothing of any other."""
    if action.withheld == "lost":
        known = await acknowledged(log, await log.entries_of(action.id))
        return ACKNOWLEDGED.format(known[0].index) if known else ""
    if action.withheld != "erased":
        return ""
    behind = await store.behind()
    return BEHIND if any(entry.index in behind for entry in await log.entries_of(action.id)) else ""


def _bound(action: Action) -> bool:
    """Whether what is stored of an action is what its digest was taken of. What was refused or erased has none."""
    if not action.contract_digest or not action.nonce or action.state == "refused":
        return True
    return action.digest == bound_digest(action.contract, action.contract_digest, action.arguments, action.nonce)


async def _orders(store: Store) -> list[Finding]:
    """Whether the record that everything leans on can be read."""
    try:
        await store.get(Control, "control")
    except IntegrityError as error:
        return [Finding(place="control", problem=error.detail)]
    return []


async def packet_of(log: Log, action: ActionId) -> Packet:
    """Every entry of `action` with what proves each against the log's head.

    Raises NotFound where the log has none, IntegrityError where a hash that the proofs need is missing.
    """
    entries = await log.entries_of(action)
    head = await log.head()
    if not entries or head is None:
        raise NotFound(f"the log has no entry of action `{action}`")
    size = _size(head)
    if entries[-1].index >= size:
        raise IntegrityError(f"entry {entries[-1].index} stands after the last checkpoint, of {size} entries")
    keys = [entry for entry in await log.marked(*ABOUT_KEYS) if entry.index < size]
    losses = [entry for entry in await acknowledged(log, entries) if entry.index < size]
    needed: dict[TileId, bytes] = {}

    def ask(tile: TileId) -> bytes:
        needed[tile] = b""
        return bytes(32 * tile.width)

    # Proofs read synchronously, the log does not: a first pass only finds out which tiles they need.
    for entry in (*keys, *losses, *entries):
        inclusion_proof(entry.index, size, hash_from_tiles(size, ask))
    for tile in needed:
        found = await _stored(log, tile)
        if found is None:
            raise IntegrityError(f"{tile.path()} of the log is missing")
        needed[tile] = found
    hash_at = hash_from_tiles(size, needed.__getitem__)

    def proven(those: Sequence[Entry]) -> tuple[tuple[str, ...], ...]:
        proofs = (inclusion_proof(entry.index, size, hash_at) for entry in those)
        return tuple(tuple(b64encode(each).decode() for each in proof) for proof in proofs)

    return Packet(
        action=action,
        checkpoint=head,
        entries=tuple(entries),
        proofs=proven(entries),
        keys=tuple(keys),
        key_proofs=proven(keys),
        losses=tuple(losses),
        loss_proofs=proven(losses),
    )


def _head(note: str | None, log_key: VerifierKey) -> tuple[SignedNote | None, Checkpoint, str | None]:
    """The checkpoint to check against, its note, and what is wrong with it. Whoever signed it, it says how far to read."""
    nothing = Checkpoint(origin=log_key.name, size=0, root=EMPTY_ROOT)
    if note is None:
        return None, nothing, None
    try:
        head = parse_note(note.encode())
        return head, parse_checkpoint(head.text), None
    except (NoteError, UnicodeEncodeError) as error:
        return None, nothing, str(error)


def _kept(retained: Sequence[str]) -> tuple[list[SignedNote], list[str]]:
    kept: list[SignedNote] = []
    problems: list[str] = []
    for note in retained:
        try:
            each = parse_note(note.encode())
            parse_checkpoint(each.text)
            kept.append(each)
        except (NoteError, UnicodeEncodeError) as error:
            problems.append(f"a retained one cannot be used: {error}")
    return kept, problems


async def _compare(log: Log, check: LogCheck, tiles: Sequence[Tile]) -> None:
    for tile in tiles:
        check.compare(tile, await _stored(log, tile.id))


async def _stored(log: Log, tile: TileId) -> bytes | None:
    return await log.tile(tile.level, tile.n, tile.width)


async def _unerased(log: Log, action: Action, erased: Set[int], lost: Set[int]) -> str | None:
    """What is wrong where everything private of an action is gone: only an erasure, which its entries tell of, may be why, or
    a loss that was acknowledged."""
    entries = await log.entries_of(action.id)
    if action.withheld == "lost" and any(entry.index in lost for entry in entries):
        return None
    if action.withheld == "erased" and entries and any(entry.index in erased for entry in entries):
        return None
    if action.withheld == "erased" and await _erased_since(log, entries):
        return None
    return GONE


async def _erased_since(log: Log, entries: Sequence[Entry]) -> bool:
    """Whether an erasure that was carried out while the log was read covers one of `entries`."""
    wanted = {entry.index for entry in entries}
    for entry in await log.marked("erased"):
        try:
            if wanted.intersection(covered(dsse.parse(entry.leaf).payload, entry.index)):
                return True
        except ValueError:
            continue
    return False


async def _looked_again(store: Store, log: Log, action: ActionId) -> str | None:
    """What still disagrees when row and entries are read one right after the other, some times over."""
    problem: str | None = None
    for _ in range(LOOKS):
        row = await store.get(Action, action)
        trail = latest_states(await log.entries_of(action)).get(action)
        if row is None:
            return None
        problem = disagreement(trail, entries=row.entries, state=row.state)
        if problem is None:
            return None
    return problem


def _size(note: str) -> int:
    try:
        return parse_checkpoint(parse_note(note.encode()).text).size
    except (NoteError, UnicodeEncodeError) as error:
        raise IntegrityError(f"the log's last checkpoint cannot be read: {error}") from None
