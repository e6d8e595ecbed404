"""A log in memory whose keys are rotated, written by real sealers in as many processes as there are keys."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import anyio
import msgspec

from interlock.adapters.keys import Keys, SigningKey, fresh
from interlock.adapters.memory import MemoryStore
from interlock.adapters.sealer import Handover, LogSealer, key_of
from interlock.adapters.system import SystemIds
from interlock.domain.change import Change
from interlock.domain.ids import StreamId, Tenant
from interlock.domain.key_facts import retirement, rotation
from interlock.domain.keyring import Role
from interlock.testing.conformance.making import action, fact

ORIGIN = "test/log"
NOW = 1_795_255_200_000
IDS = SystemIds()

T = TypeVar("T")


def keys() -> Keys:
    """A key of each role."""
    return Keys(log=fresh(ORIGIN), gate=fresh(f"{ORIGIN}/gate"), identity=fresh(f"{ORIGIN}/identity"))


def done(work: Coroutine[Any, Any, T]) -> T:
    """Run it."""
    return asyncio.run(work)


class Rotated:
    """One log, and the keys it is at."""

    def __init__(self) -> None:
        self.first = self.keys = keys()
        self.store = self._first = MemoryStore(Tenant("t"), self.sealer())

    def sealer(self, keys: Keys | None = None) -> LogSealer:
        """What a process that holds `keys`, or those in force, signs with."""
        return LogSealer(keys or self.keys, StreamId(IDS.new()), IDS, introduces=True)

    def again(self, keys: Keys | None = None) -> MemoryStore:
        """Another process."""
        return self._first.again(self.sealer(keys))

    def add(self, count: int = 1) -> str:
        """Actions of a new process; the last one's id."""
        store, last = self.again(), ""
        for _ in range(count):
            about = action()
            done(store.commit(Change(facts=(fact(about),))))
            last = about.id
        self.store = store
        return last

    def handover(self, role: Role, new: SigningKey | None = None) -> tuple[MemoryStore, Keys]:
        """Rotate one key. Gives the process that did it, and the keys afterwards."""
        old = key_of(self.keys, role)
        new = new or fresh(old.verifier.name)
        store = self._first.again(Handover(self.keys, role, new, StreamId(IDS.new()), IDS))
        done(store.commit(Change(facts=(rotation(ORIGIN, role, old.verifier, new.verifier, NOW, {"by": "ana"}),))))
        match role:
            case "log":
                self.keys = msgspec.structs.replace(self.keys, log=new)
            case "gate":
                self.keys = msgspec.structs.replace(self.keys, gate=new)
            case "identity":
                self.keys = msgspec.structs.replace(self.keys, identity=new)
        self.store = self.again()
        return store, self.keys

    def retire(self, role: Role, key: SigningKey, since: int) -> None:
        """Declare a replaced key lost from an entry on."""
        fact = retirement(ORIGIN, role, key.verifier.vkey(), since, NOW, {"by": "ana"})
        done(self.again().commit(Change(facts=(fact,))))

    def note(self, size: int) -> str:
        """The checkpoint signed at a size."""
        found = anyio.run(self.store.checkpoint_at, size)
        assert found is not None
        return found
