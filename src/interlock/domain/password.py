"""Which passwords are taken: long ones that do not say whose they are. No rules of composition (NIST SP 800-63B, 5.1.1.2)."""

from collections.abc import Iterable
from typing import Final

from interlock.domain.errors import ContractError

SHORTEST: Final = 12
LONGEST: Final = 256
"""More than that is not read: whoever hashes it would pay for it."""
FEWEST_DISTINCT: Final = 5


def must_be_good(password: str, *, person: str, words: Iterable[str]) -> None:
    """Raises ContractError for a password that is too short or long, of too few characters, or little but a name or word that
    everybody here knows. The password is not repeated in it."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise ContractError(
            f"a password has {SHORTEST} to {LONGEST} characters", next_step="four or five words do well"
        )
    if len(set(password)) < FEWEST_DISTINCT:
        raise ContractError("the password repeats a few characters", next_step="four or five words do well")
    rest = password.casefold()
    for word in (person, *words, "interlock", "password"):
        if len(word) >= 3:
            rest = rest.replace(word.casefold(), "")
    if len(rest) < SHORTEST // 2:
        raise ContractError(
            "the password is little but a name that everybody here knows", next_step="four or five words do well"
        )
