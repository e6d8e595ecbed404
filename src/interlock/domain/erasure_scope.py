"""What an erasure covers: fixed when it is proposed, so that two persons agree to the same, and no more goes than that.

Records are named by kind and id. That says nothing of whom it is about, so it is kept apart from the erasure's own record,
which is sealed and written with every part; there a digest of all of it stands.
"""

from collections.abc import Iterable, Iterator
from hashlib import sha256
from itertools import islice
from typing import ClassVar, Final

from interlock.domain.change import Unchanged
from interlock.domain.ids import ErasureId
from interlock.domain.record import Record

NAMES: Final = 5_000
"""So many one record names: a class that was kept for years has many actions."""

Covered = tuple[str, str]
"""Kind and key of a record."""


class Scope(Record, frozen=True, kw_only=True):
    """Some of what an erasure covers."""

    kind: ClassVar[str] = "erasure_scope"

    erasure: ErasureId
    number: int
    """Counted from 1."""
    names: tuple[Covered, ...]

    @property
    def key(self) -> str:
        """Filed by erasure and number."""
        return scope_key(self.erasure, self.number)


def scope_key(erasure: ErasureId, number: int) -> str:
    """What the `number`th of an erasure's scopes is filed under."""
    return f"{erasure}/{number}"


def scopes_of(erasure: ErasureId, records: Iterable[Unchanged]) -> tuple[Scope, ...]:
    """As many as it takes to name `records`."""
    return tuple(
        Scope(erasure=erasure, number=number, names=names) for number, names in enumerate(_some(_names(records)), 1)
    )


def scope_digest(names: Iterable[Covered]) -> str:
    """SHA-256, hexadecimal, over a line for each: kind, space, key; in order."""
    return sha256("".join(f"{kind} {key}\n" for kind, key in sorted(set(names))).encode()).hexdigest()


def _names(records: Iterable[Unchanged]) -> list[Covered]:
    return sorted({(each.kind, each.key) for each in records})


def _some(names: list[Covered]) -> Iterator[tuple[Covered, ...]]:
    rest = iter(names)
    while some := tuple(islice(rest, NAMES)):
        yield some
