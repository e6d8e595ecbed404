"""The evidence, for a surface: `verifying` with the keys of this installation."""

from collections.abc import Sequence

import msgspec

from interlock.domain.errors import NotFound
from interlock.domain.evidence import Packet, Verification
from interlock.domain.ids import ActionId
from interlock.domain.note import VerifierKey, VerifyFunction
from interlock.ports.log import Log
from interlock.ports.store import Store
from interlock.services.verifying import Progress, packet_of, verify_all


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

    async def verify(self, retained: Sequence[str] = (), progress: Progress | None = None) -> Verification:
        """Recompute the whole log from its entries and hold the store's actions against it.

        `retained` are checkpoints somebody kept: the log must continue each. Findings are in the log's order.
        """
        keys = self._verifying
        if keys is None:
            raise NotFound("there are no public keys to verify with")
        return await verify_all(
            self._store, self._log, keys.log_key, keys.gate_keys, keys.verify, retained=retained, progress=progress
        )

    async def head(self) -> str | None:
        """The latest signed checkpoint, for somebody to keep."""
        return await self._log.head()
