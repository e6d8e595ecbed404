"""Brakes as people speak of them: which hold, which one a scope has already, and what each holds back."""

from typing import Final

import msgspec

from interlock.domain.control import Control, Stop, StopMode, StopScope

STOPPED: Final = "stopped: "
"""How the reason of a refusal by a brake begins."""
DRAINING: Final = "draining: "
"""How the reason of a refusal begins where what was accepted still finishes."""
PAUSED: Final = "paused: "
"""How the reason begins for which an action that is cleared waits."""
BEGINS: Final[dict[StopMode, str]] = {"stop": STOPPED, "pause": PAUSED, "drain": DRAINING}
"""By mode, how its reason begins."""

MOST_COUNTED: Final = 10_000
"""So many of a kind are looked at when what a brake holds back is counted; beyond it the count says `or more`."""


class HeldBack(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in the scope of a brake, by what it waits for. Undos are not among it: they pass."""

    waiting: int = 0
    """Cleared, and not begun."""
    asking: int = 0
    """People have not agreed yet."""
    between: int = 0
    """Two-phase tools that reserve, have reserved, or release."""
    in_flight: int = 0
    """May be touching the world right now; a brake lets it end."""
    unsettled: int = 0
    """May have happened; nothing is repeated while the brake holds."""
    tasks: int = 0
    """Open tasks."""
    more: bool = False
    """There are more than were counted."""


class Brake(msgspec.Struct, frozen=True, kw_only=True):
    """A brake that holds, as a person names it."""

    words: str
    """`all`, `agent:NAME`, `contract:NAME`, `release:LABEL`, `tag:WORD`, `instance:THUMBPRINT`, `task:ID`, `user:NAME` or
    `tenant:NAME`: what `stop` and `resume` take."""
    stop: Stop
    why: str = ""
    """Empty once erased."""
    by: str = ""
    half_open: bool = False
    """A circuit breaker's, whose pause is over: it waits for its probe."""


def holding(control: Control, now: int) -> tuple[Stop, ...]:
    """The brakes that hold at `now`. A circuit breaker's holds until it is closed, but for its probe."""
    return tuple(stop for stop in control.stops if stop.breaker or stop.until_at is None or now < stop.until_at)


def standing(control: Control, scope: StopScope, name: str) -> Stop | None:
    """The brake that a person pulled on exactly this scope, which nothing but a person lifts; or None."""
    for stop in control.stops:
        if stop.is_on(scope, name) and stop.until_at is None and not stop.unwinding:
            return stop
    return None
