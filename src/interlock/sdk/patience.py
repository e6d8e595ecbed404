"""When a call is made again by itself: only what happens once however often it is asked, and only while that may help.

Each attempt is made anew, with a proof of its own. What makes it safe: an action has its idempotency key, a task and a use of
a model have ids of the program's making, and closing, settling, answering and reading are the same the second time. A rule of
our own, not a library's: it waits by the port's clock, each attempt is signed, and what the control plane says of when to
come back counts.
"""

from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple, TypeVar

from interlock.domain.duration import SECOND
from interlock.domain.errors import Conflict, InterlockError, StoreBusy, StoreUnsure, Unanswered, Unreachable
from interlock.domain.problem import AFTER
from interlock.domain.refusals import TooMany, TooSlow
from interlock.ports.clock import Clock, Ids

R = TypeVar("R")
FIRST_MS: Final = 100
LONGEST_MS: Final = 1_600
"""What is waited at most that nobody asked for."""
_PASSING: Final = (Unreachable, StoreBusy, StoreUnsure, Conflict, TooMany, TooSlow)


class Patience(NamedTuple):
    """How often, and for how long."""

    attempts: int = 5
    most_ms: int = 30 * SECOND
    """After which no other attempt begins."""

    async def over(self, attempt: Callable[[], Awaitable[R]], clock: Clock, ids: Ids, *, repeatable: bool = True) -> R:
        """What `attempt` gives. Raises what the last one raised. One that is not `repeatable` is made again only where it is
        certain that nothing was asked."""
        until = clock.now() + self.most_ms
        for count in range(1, self.attempts):
            try:
                return await attempt()
            except InterlockError as error:
                if not _may_pass(error, repeatable=repeatable):
                    raise
                wait = _wait_ms(error, count, ids.nonce())
                if clock.now() + wait > until:
                    raise
            await clock.sleep(wait)
        return await attempt()


MOST_PATIENT: Final = Patience(attempts=100)
"""A server that is begun anew is waited for: by who waits for people anyway, and by who claimed a call, or made one, and has a
lease that runs."""


def _may_pass(error: InterlockError, *, repeatable: bool) -> bool:
    if isinstance(error, Unreachable):
        return error.passing and (repeatable or not isinstance(error, Unanswered))
    return repeatable and isinstance(error, _PASSING)


def _wait_ms(error: InterlockError, count: int, chance: str) -> int:
    """As long as we were told; otherwise twice as long each time, and by chance up to twice that: many programs that lost one
    server do not come back at one moment."""
    told = error.members.get(AFTER)
    usual = min(FIRST_MS << min(count - 1, 10), LONGEST_MS)
    spread = usual * int(chance[:4], 16) // 0xFFFF
    return (told * SECOND if isinstance(told, int) else usual) + spread
