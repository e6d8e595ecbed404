"""The embedded store: one SQLite file."""

from interlock.adapters.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
