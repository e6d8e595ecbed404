"""The evidence, for a surface: `verifying` with the keys of this installation."""

from collections.abc import Sequence
from typing import Final

import msgspec

from interlock.domain.action import Action
from interlock.domain.anchoring import Trust
from interlock.domain.entry_proof import Continuation, EntryProof
from interlock.domain.errors import IntegrityError, NotFound
from interlock.domain.evidence import Packet, Verification
from interlock.domain.ids import ActionId
from interlock.domain.keyring import ABOUT_KEYS, Keyring
from interlock.domain.note import Checkpoint, NoteError, VerifierKey, VerifyFunction, open_checkpoint, parse_note
from interlock.domain.testimony import Reader
from interlock.ports.log import Log
from interlock.ports.shelf import Shelf
from interlock.ports.store import Store
from interlock.services.inclusion import anchored_note, continuation, proof_of_action, proof_of_entry
from interlock.services.showing import OpenNote, Shown, opened_as, publish_log, unverified
from interlock.services.verifying import Progress, erased_since, packet_of, verify_all

_NOT_OURS: Final = (
    "see whether it is a checkpoint of another log; if it was kept of this one, stop writing, keep the file, and compare "
    "with a backup"
)


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
        return await packet_of(self._log, action_id)

    async def verify(
        self, retained: Sequence[str] = (), progress: Progress | None = None, trust: Trust | None = None
    ) -> Verification:
        """Recompute the whole log from its entries and hold the store's actions against it.

        `retained` are checkpoints somebody kept: the log must continue each. `trust` says whose cosignatures and time
        stamps count. Findings are in the log's order.
        """
        keys = self._verifying
        if keys is None:
            raise NotFound("there are no public keys to verify with")
        return await verify_all(
            self._store,
            self._log,
            keys.log_key,
            keys.gate_keys,
            keys.verify,
            retained=retained,
            trust=trust,
            progress=progress,
        )

    async def erased_since(self, action: Action) -> str:
        """What to say of an action that was erased after this copy of the store was made; nothing of any other."""
        return await erased_since(self._store, self._log, action)

    async def head(self) -> str | None:
        """The latest signed checkpoint, for somebody to keep."""
        return await self._log.head()

    async def opened(self, note: str) -> Checkpoint:
        """A checkpoint of this log, once it is shown to be signed by the log's key. Raises IntegrityError."""
        try:
            return opened_as(note, await self._opener(), "the checkpoint")
        except IntegrityError as error:
            raise IntegrityError(error.detail, next_step=_NOT_OURS) from None

    async def publish(self, shelf: Shelf, *, note: str | None = None, progress: Progress | None = None) -> Shown:
        """Show the log's files to others on `shelf`: see `publish_log`."""
        return await publish_log(self._log, shelf, opened=await self._opener(), note=note, progress=progress)

    async def proof(self, action_id: ActionId, *, note: str | None = None) -> EntryProof:
        """What proves the last entry of an action offline: see `proof_of_action`."""
        return await proof_of_action(self._log, action_id, await self._opener(), note=note)

    async def proof_at(self, index: int, *, note: str | None = None) -> EntryProof:
        """What proves one entry offline: see `proof_of_entry`."""
        return await proof_of_entry(self._log, index, await self._opener(), note=note)

    async def anchored(self) -> str:
        """The latest checkpoint with cosignatures or a time stamp: see `anchored_note`."""
        return await anchored_note(self._log)

    async def continuation(self, old: int | Checkpoint, new: int | Checkpoint | None = None) -> Continuation:
        """That the log continues what it was: see `continuation`."""
        return await continuation(self._log, old, new)

    async def _opener(self) -> OpenNote:
        """What opens a checkpoint of this log: by the key that was in force at its size, as the log itself says, followed to
        its head from the key that is trusted. Raises NotFound where there are no keys, IntegrityError where they lead elsewhere.
        """
        keys = self._verifying
        if keys is None:
            raise NotFound("there are no public keys to verify with")
        ring = Keyring(keys.log_key, keys.gate_keys, keys.verify)
        reader = Reader(ring, keys.verify)
        for entry in await self._log.marked(*ABOUT_KEYS):
            if problems := reader.read(entry).problems:
                raise IntegrityError(f"entry {entry.index}, about keys, cannot be used: {problems[0]}")
        head = await self._log.head()
        size = 0 if head is None else opened_as(head, unverified).size
        if head is not None and (problems := ring.mistrusted(size)):
            raise IntegrityError(f"the log's checkpoint cannot be used: {problems[0]}")

        def opened(note: str) -> Checkpoint:
            stated, signed = unverified(note), parse_note(note.encode())
            try:
                return open_checkpoint(signed, ring.log_at(stated.size), keys.verify)
            except NoteError as error:
                raise NoteError(ring.unlike(signed, stated, size) or str(error)) from None

        return opened
