"""What both kinds of shelf refuse, and how they say it."""

import errno
import re
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from interlock.domain.errors import ContractError, IntegrityError, StoreError, StoreFull, StoreReadOnly

LONGEST_NAME: Final = 200

# No word begins with a dot: neither `..` nor a hidden file is a name.
_NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
_NEXT: Final = "give another place, or make room and rights there; what is shown already stays as it is"


def must_be_name(name: str) -> str:
    """The name, or ContractError."""
    if len(name) > LONGEST_NAME or not _NAME.fullmatch(name):
        raise ContractError(f"`{name[:LONGEST_NAME]}` cannot be the name of a file", next_step="give it another name")
    return name


def another(place: str, name: str) -> IntegrityError:
    """A file that never changes is there, and is not the one that was to be put."""
    return IntegrityError(
        f"`{place}` has another `{name}`",
        next_step="find out who wrote it: a file of a log never changes; publish into an empty folder to compare",
    )


def too_long(place: str, name: str, limit: int) -> IntegrityError:
    """A file is longer than any of its kind."""
    return IntegrityError(f"`{name}` in `{place}` is longer than {limit} bytes")


@contextmanager
def named(place: Path) -> Generator[None]:
    """What the system says as one of ours: StoreReadOnly, StoreFull, StoreError."""
    try:
        yield
    except OSError as error:
        said = f"`{place}` cannot be used: {error.strerror or error}"
        match error.errno:
            case errno.EACCES | errno.EPERM | errno.EROFS:
                raise StoreReadOnly(said, next_step=_NEXT) from error
            case errno.ENOSPC | errno.EDQUOT:
                raise StoreFull(said, next_step=_NEXT) from error
            case _:
                raise StoreError(said, next_step=_NEXT) from error
