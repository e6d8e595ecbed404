"""Reading the evidence: an action's packet, and whether the whole log still says what was recorded."""

from base64 import b64encode
from collections.abc import Sequence

import msgspec

from interlock.domain.action import Action
from interlock.domain.errors import IntegrityError, NotFound
from interlock.domain.evidence import Finding, Packet, Verification
from interlock.domain.ids import ActionId
from interlock.domain.merkle import HASH_BYTES, inclusion_proof
from interlock.domain.note import Checkpoint, NoteError, VerifierKey, VerifyFunction
from interlock.domain.testimony import Trail
from interlock.domain.tiles import TileId, hash_from_tiles
from interlock.domain.verification import LogCheck, disagreement, opened
from interlock.ports.log import Log
from interlock.ports.store import ActionQuery, Store

PAGE = 1_000
"""Actions compared with the log at a time."""


class Verifying(msgspec.Struct, frozen=True, kw_only=True):
    """What a verifier is given: public keys, and a way to check a signature."""

    log_key: VerifierKey
    gate_keys: tuple[VerifierKey, ...]
    verify: VerifyFunction


class Audit:
    """Reads; writes nothing."""

    def __init__(self, *, store: Store, log: Log, verifying: Verifying | None) -> None:
        self._store = store
        self._log = log
        self._verifying = verifying

    async def packet(self, action_id: ActionId) -> Packet:
        """Every entry of one action with its proof against the log's head. Raises NotFound, IntegrityError."""
        note = await self._log.head()
        entries = await self._log.entries_of(action_id)
        if note is None or not entries:
            raise NotFound(f"the log has nothing of action `{action_id}`")
        checkpoint = self._opened(note)
        within = tuple(entry for entry in entries if entry.index < checkpoint.size)
        proofs = [await self._proof(entry.index, checkpoint.size) for entry in within]
        return Packet(action=action_id, checkpoint=note, entries=within, proofs=tuple(proofs))

    async def verify(self, retained: Sequence[str] = ()) -> Verification:
        """Recompute the whole log from its entries and hold the store's actions against it.

        `retained` are checkpoints somebody kept: the log must be a continuation of each. Findings are in the log's order.
        """
        keys = self._keys()
        note = await self._log.head()
        if note is None:
            problems = [Finding(place="log", problem="it is empty, and a checkpoint was retained")] if retained else []
            return Verification(size=0, checkpoint=None, findings=tuple(problems))
        try:
            checkpoint = opened(note, keys.log_key, keys.verify)
            kept = [opened(each, keys.log_key, keys.verify) for each in retained]
        except NoteError as error:
            finding = Finding(place="checkpoint", problem=str(error))
            return Verification(size=0, checkpoint=None, findings=(finding,))
        check = LogCheck(checkpoint, keys.gate_keys, keys.verify, kept)
        while (tile := check.next_tile()) is not None and not check.enough:
            stored = await self._log.tile(tile.level, tile.n, tile.width)
            start = check.next
            for above in check.take(tile, stored, await self._log.entries(start, start + tile.width)):
                check.compare(above, await self._log.tile(above.id.level, above.id.n, above.id.width))
        for last in check.last_tiles():
            check.compare(last, await self._log.tile(last.id.level, last.id.n, last.id.width))
        found = check.finish()
        return msgspec.structs.replace(found, findings=(*found.findings, *await self._states(check.trails, checkpoint)))

    async def head(self) -> str | None:
        """The latest signed checkpoint, for somebody to keep."""
        return await self._log.head()

    # -- parts -------------------------------------------------------------------------------------------------

    async def _states(self, trails: dict[ActionId, Trail], checkpoint: Checkpoint) -> list[Finding]:
        """Where the store's actions are not what the log says of them, both ways. Actions that moved while the log was
        being read are left to the next reading."""
        findings: list[Finding] = []
        unseen = set(trails)
        before: ActionId | None = None
        while page := await self._store.actions(ActionQuery(before=before, limit=PAGE)):
            before = page[-1].id
            for action in page:
                unseen.discard(action.id)
                said = disagreement(trails.get(action.id), entries=action.entries, state=action.state)
                if said is not None and not await self._moved(action, trails.get(action.id), checkpoint):
                    findings.append(Finding(place=f"action {action.id}", problem=said))
        findings += [
            Finding(place=f"action {action}", problem="the log tells of it, and the store does not hold it")
            for action in sorted(unseen)
        ]
        return findings

    async def _moved(self, action: Action, trail: Trail | None, checkpoint: Checkpoint) -> bool:
        """Whether the difference is that facts were added behind the checkpoint."""
        later = [entry for entry in await self._log.entries_of(action.id) if entry.index >= checkpoint.size]
        return bool(later) and action.entries == (trail.entries if trail else 0) + len(later)

    async def _proof(self, index: int, size: int) -> tuple[str, ...]:
        """The inclusion proof of one entry, from stored tiles: first which are needed, then with what they hold."""
        needed: list[TileId] = []

        def note(tile: TileId) -> bytes:
            needed.append(tile)
            return bytes(tile.width * HASH_BYTES)

        inclusion_proof(index, size, hash_from_tiles(size, note))
        held: dict[TileId, bytes] = {}
        for tile in needed:
            stored = await self._log.tile(tile.level, tile.n, tile.width)
            if stored is None:
                raise IntegrityError(f"the log has lost {tile.path()}")
            held[tile] = stored
        proof = inclusion_proof(index, size, hash_from_tiles(size, held.__getitem__))
        return tuple(b64encode(each).decode() for each in proof)

    def _opened(self, note: str) -> Checkpoint:
        keys = self._keys()
        try:
            return opened(note, keys.log_key, keys.verify)
        except NoteError as error:
            raise IntegrityError(f"the log's checkpoint does not verify: {error}") from None

    def _keys(self) -> Verifying:
        if self._verifying is None:
            raise NotFound("there are no public keys to verify with")
        return self._verifying
