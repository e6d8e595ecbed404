"""Requests that clients name with a key, so that none is carried out twice: what is remembered of each that was.

Filed in a fixed number of slots, each of bounded length: what clients send makes no store grow without end. Only digests are
kept, and of a request one that its key is mixed into.
"""

from hashlib import sha256
from typing import ClassVar, Final

import msgspec

from interlock.domain.duration import DAY
from interlock.domain.ids import Digest, Person
from interlock.domain.record import Record

KEPT_MS: Final = DAY
"""So long a request is remembered."""
SLOT: Final = 3
"""So many hexadecimal digits of its name say in which slot a request is filed."""
MOST: Final = 64
"""In one slot; the oldest goes. That is a quarter of a million in all."""


class Errand(msgspec.Struct, frozen=True, array_like=True):
    """One request."""

    name: Digest
    """Whose, and under which key."""
    asked: Digest
    """What it asked for."""
    at: int


class Errands(Record, frozen=True, kw_only=True, omit_defaults=True):
    """Those of one slot that were carried out, the newest last."""

    kind: ClassVar[str] = "errands"

    slot: str
    done: tuple[Errand, ...] = ()

    @property
    def key(self) -> str:
        """Filed by slot."""
        return self.slot

    def find(self, name: Digest, now: int) -> Errand | None:
        """The one of that name, if it is remembered at `now`."""
        return next((each for each in self.done if each.name == name and now < each.at + KEPT_MS), None)

    def further(self, errand: Errand) -> "Errands":
        """With one more."""
        kept = [each for each in self.done if errand.at < each.at + KEPT_MS]
        return msgspec.structs.replace(self, done=(*kept[-(MOST - 1) :], errand))


def named(person: Person, key: str) -> Digest:
    """The name of a person's request with this key."""
    return Digest(sha256(f"interlock.errand\0{person}\0{key}".encode(errors="surrogatepass")).hexdigest())


def slot_of(name: Digest) -> str:
    """Where it is filed."""
    return name[:SLOT]


def asking(name: Digest, *parts: bytes) -> Digest:
    """What a request asks for. The name is mixed in: without the key nobody guesses back to what was written."""
    return Digest(sha256(b"\0".join((name.encode(), *parts))).hexdigest())
