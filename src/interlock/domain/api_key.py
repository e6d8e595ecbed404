"""API keys: a secret by which a program acts as a person, within scopes, and not for ever."""

from typing import ClassVar, Final

from interlock.domain.access import PERMISSIONS, Permission
from interlock.domain.duration import DAY
from interlock.domain.errors import ContractError
from interlock.domain.ids import Person
from interlock.domain.names import listed
from interlock.domain.secret_key import KeyForm, SecretKey

API_KEY: Final = KeyForm("il_")
LASTS_MS: Final = 90 * DAY
LONGEST_MS: Final = 365 * DAY
MOST_KEYS: Final = 20
"""That one person has at once."""
MOST_LABEL: Final = 60


class ApiKey(SecretKey, frozen=True, kw_only=True, omit_defaults=True):
    """What is kept of a key. What it opens is what its scopes and its person's roles both open, at the time."""

    kind: ClassVar[str] = "api_key"

    person: Person
    label: str
    """What it is for, in its owner's words."""
    scopes: tuple[Permission, ...]


def scopes_of(words: tuple[str, ...]) -> tuple[Permission, ...]:
    """These words as scopes, in their order and once. Raises ContractError for none, or for one that is no permission."""
    unknown = [each for each in words if each not in PERMISSIONS]
    if unknown or not words:
        raise ContractError(
            f"`{unknown[0][:40]}` is no scope" if unknown else "a key without a scope would open nothing",
            next_step=f"name some of {listed(PERMISSIONS)}",
        )
    return tuple(each for each in PERMISSIONS if each in words)
