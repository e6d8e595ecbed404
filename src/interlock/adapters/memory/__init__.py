"""Everything in this process's memory, gone when it ends: for tests and for trying things out."""

from interlock.adapters.memory.faults import Fault, Faults
from interlock.adapters.memory.store import MemoryStore
from interlock.adapters.memory.vault import MemoryVault

__all__ = ["Fault", "Faults", "MemoryStore", "MemoryVault"]
