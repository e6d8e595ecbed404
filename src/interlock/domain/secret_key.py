"""Keys that somebody bears as a text: what is kept of one, and how the text is written.

The text is a prefix, by which programs that look for leaked secrets know one, an id that is no secret, and 256 bits of chance
that are: `il_<id>.<secret>`. It is told once; only the digest of its secret is kept.
"""

import re
from hmac import compare_digest
from typing import Final, Self

import msgspec

from interlock.domain.duration import DAY
from interlock.domain.ids import Digest
from interlock.domain.instance import digest_of_secret
from interlock.domain.record import Record, Withheld

_LONGEST: Final = 128
_NONE: Final = Digest("0" * 64)


class SecretKey(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What is kept of a key. Subclasses say what it opens, and for whom."""

    id: str
    """The part of the key that is no secret."""
    digest: Digest
    """SHA-256 of the part that is."""
    made_at: int
    expires_at: int
    used_at: int = 0
    """When it was last used, to the day: 0 if never."""
    revoked_at: int = 0
    withheld: Withheld = ""

    @property
    def key(self) -> str:
        """Filed by id."""
        return self.id

    def alive(self, now: int) -> bool:
        """Whether it counts at `now`."""
        return not self.revoked_at and not self.withheld and now < self.expires_at

    def used(self, now: int) -> Self:
        """It, used today."""
        return msgspec.structs.replace(self, used_at=now - now % DAY)


class KeyForm:
    """How the texts of one kind of keys are written."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self._form = re.compile(rf"{re.escape(prefix)}([0-9a-f]{{32}})\.([0-9a-f]{{64}})")

    def text(self, name: str, secret: str) -> str:
        """The key as it is told, once."""
        return f"{self.prefix}{name}.{secret}"

    def split(self, text: str) -> tuple[str, str] | None:
        """Id and secret of a key, or None for what none of ours ever was."""
        found = self._form.fullmatch(text) if len(text) <= _LONGEST else None
        return (found[1], found[2]) if found else None


def fits(secret: str, key: SecretKey | None) -> bool:
    """Whether `secret` is that of `key`: as long for an id that nobody has as for one whose secret is wrong."""
    right = compare_digest(digest_of_secret(secret), _NONE if key is None else key.digest or _NONE)
    return right and key is not None
