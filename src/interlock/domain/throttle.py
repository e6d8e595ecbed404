"""How long whoever tries passwords has to wait: by name, whether there is such a person or not, and by where they come from."""

from typing import Final

import msgspec

from interlock.domain.duration import MINUTE
from interlock.domain.errors import RateExceeded

FREE_TRIES: Final = 5
"""So many wrong passwords cost nothing; the last of them, and each further one, locks the name for longer."""
LOCK_MS: Final = 30_000
LONGEST_LOCK_MS: Final = 15 * MINUTE
FROM_ONE_PLACE: Final = 50
"""Wrong passwords from one address, whatever the names, before it waits until `PLACE_MS` after its last one."""
PLACE_MS: Final = 15 * MINUTE


def lock_after(tries: int) -> int:
    """For how long a name is locked after so many tries without a right one, in milliseconds."""
    over = tries - FREE_TRIES
    return min(LOCK_MS << min(over, 16), LONGEST_LOCK_MS) if over >= 0 else 0


class Tries(msgspec.Struct, frozen=True):
    """How often somebody tried, and until when they wait."""

    count: int = 0
    until: int = 0

    def more(self, now: int) -> "Tries":
        """One more of a name."""
        lock = lock_after(self.count + 1)
        return Tries(self.count + 1, now + lock if lock else 0)

    def from_place(self, now: int) -> "Tries":
        """One more from an address."""
        count = self.count + 1 if not self.until or now < self.until else 1
        return Tries(count, now + PLACE_MS)


PASSWORDS: Final = (
    "there were too many wrong passwords; passwords are looked at again in {seconds} s. "
    "A one-time link still lets you in"
)
TOKENS: Final = "there were too many tokens that are none; new ones from there are looked at again in {seconds} s"


def wait(until: int, tries: int, now: int, *, words: str = PASSWORDS, scope: str = "sign-in") -> RateExceeded:
    """The refusal until then. It is the same whether there is such a person or not."""
    seconds = max(1, -((now - until) // 1000))
    return RateExceeded(
        words.format(seconds=seconds),
        scope=scope,
        calls=tries,
        per_ms=PLACE_MS,
        again_at=until,
    )
