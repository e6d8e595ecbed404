"""Reading the evidence: an action's packet, and whether the whole log still says what was recorded."""

from interlock.ports.log import Log
from interlock.ports.store import Store


class Audit:
    """Reads; writes nothing."""

    def __init__(self, *, store: Store, log: Log) -> None:
        self._store = store
        self._log = log
