"""The embedded store: one SQLite file."""

from interlock.adapters.sqlite.store import SqliteStore
from interlock.adapters.sqlite.vault import SqliteVault

__all__ = ["SqliteStore", "SqliteVault"]
