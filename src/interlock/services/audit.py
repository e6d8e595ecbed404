"""Reading the evidence: an action's packet, and whether the whole log still says what was recorded."""

import msgspec

from interlock.domain.note import VerifierKey, VerifyFunction
from interlock.ports.log import Log
from interlock.ports.store import Store


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
