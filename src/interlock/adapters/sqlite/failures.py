"""What SQLite's errors mean for us, in one place."""

import apsw

from interlock.domain.errors import (
    StoreBusy,
    StoreCorrupt,
    StoreError,
    StoreFull,
    StoreReadOnly,
    StoreUnsure,
)


def meaning(error: apsw.Error | UnicodeDecodeError) -> StoreError:
    """`error` as ours, when nothing of the transaction was stored."""
    match error:
        case UnicodeDecodeError():
            return StoreCorrupt(f"the store's file is damaged: a text in it is no UTF-8 ({error.reason})")
        case apsw.BusyError() | apsw.LockedError() | apsw.ProtocolError():
            return StoreBusy(f"another process holds the store: {error}")
        case apsw.FullError():
            return StoreFull(f"there is no room left for the store: {error}")
        case apsw.ReadOnlyError() | apsw.PermissionsError():
            return StoreReadOnly(f"the store cannot be written: {error}")
        case apsw.CorruptError() | apsw.NotADBError() | apsw.FormatError():
            return StoreCorrupt(f"the store's file is damaged or is not a store: {error}")
        case apsw.ConnectionClosedError():
            return StoreError("the store is closed")
        case _:
            return StoreError(f"the store failed: {error}")


def meaning_of_commit(error: apsw.Error) -> StoreError:
    """`error`, raised by COMMIT, as ours.

    A full disk fails before the last frame is complete, and a busy one before anything: not stored. After any other
    failure the frames may be complete on the disk and found again at the next start.
    """
    if isinstance(error, apsw.FullError | apsw.BusyError | apsw.LockedError | apsw.ReadOnlyError):
        return meaning(error)
    return StoreUnsure(f"the store failed while committing: {error}")
