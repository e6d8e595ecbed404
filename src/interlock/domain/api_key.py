"""API keys: a secret by which a program acts as a person, within scopes, and not for ever."""

import re
from typing import ClassVar, Final

import msgspec

from interlock.domain.access import PERMISSIONS, Permission
from interlock.domain.duration import DAY
from interlock.domain.errors import ContractError
from interlock.domain.ids import Digest, Person
from interlock.domain.names import listed
from interlock.domain.record import Record, Withheld

KEY_PREFIX: Final = "il_"
"""By which programs that look for leaked secrets know one."""
LASTS_MS: Final = 90 * DAY
LONGEST_MS: Final = 365 * DAY
MOST_KEYS: Final = 20
"""That one person has at once."""
MOST_LABEL: Final = 60

_FORM: Final = re.compile(r"il_([0-9a-f]{32})\.([0-9a-f]{64})")


class ApiKey(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What is kept of a key. What it opens is what its scopes and its person's roles both open, at the time."""

    kind: ClassVar[str] = "api_key"

    id: str
    """The part of the key that is no secret."""
    digest: Digest
    """SHA-256 of the part that is."""
    person: Person
    label: str
    """What it is for, in its owner's words."""
    scopes: tuple[Permission, ...]
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

    def used(self, now: int) -> "ApiKey":
        """It, used today."""
        return msgspec.structs.replace(self, used_at=now - now % DAY)


def key_text(name: str, secret: str) -> str:
    """The key as its owner is told it, once."""
    return f"{KEY_PREFIX}{name}.{secret}"


def split_key(text: str) -> tuple[str, str] | None:
    """Id and secret of a key, or None for what none of ours ever was."""
    found = _FORM.fullmatch(text) if len(text) <= 128 else None
    return (found[1], found[2]) if found else None


def scopes_of(words: tuple[str, ...]) -> tuple[Permission, ...]:
    """These words as scopes, in their order and once. Raises ContractError for none, or for one that is no permission."""
    unknown = [each for each in words if each not in PERMISSIONS]
    if unknown or not words:
        raise ContractError(
            f"`{unknown[0][:40]}` is no scope" if unknown else "a key without a scope would open nothing",
            next_step=f"name some of {listed(PERMISSIONS)}",
        )
    return tuple(each for each in PERMISSIONS if each in words)
