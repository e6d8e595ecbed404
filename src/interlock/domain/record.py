"""What every stored value has in common: a kind, a key, and the revision it was read at.

A record is saved only if the store still holds the revision it carries; saving makes it one more.
Revision 0 means that it must not exist yet. This is the one rule by which all races are closed.
"""

from typing import ClassVar, Literal, Self, cast

import msgspec

from interlock.domain.canonical import JsonValue, digest
from interlock.domain.ids import Digest

Withheld = Literal["", "erased", "sealed", "lost"]
"""Why a record has nothing private: it was erased, its key is not at hand here, or its key is missing or damaged."""


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """A stored value. Subclasses say their `kind` and which field is their key."""

    kind: ClassVar[str]

    revision: int = 0

    @property
    def key(self) -> str:
        """What it is filed under, unique within tenant and kind."""
        raise TypeError(f"{type(self).__name__} names no key")

    def saved(self) -> Self:
        """The record as the store holds it after saving this one."""
        return msgspec.structs.replace(self, revision=self.revision + 1)


def plain(value: object) -> JsonValue:
    """`value` as JSON knows it: lists for tuples, text for enums, objects for Structs."""
    return cast(JsonValue, msgspec.json.decode(msgspec.json.encode(value)))


def digest_of(record: Record) -> Digest:
    """SHA-256 over the canonical form of everything but the revision. Fields at their default are left out of a
    kind that omits defaults, so that a new optional field does not change the digest of what does not use it."""
    return Digest(digest(plain(msgspec.structs.replace(record, revision=0))))
