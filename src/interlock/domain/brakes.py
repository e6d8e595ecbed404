"""Brakes as people speak of them: which hold, and which one a scope has already."""

from typing import Final

import msgspec

from interlock.domain.control import Control, Stop, StopScope

STOPPED: Final = "stopped: "
"""How the reason of a refusal by a brake begins."""


class Brake(msgspec.Struct, frozen=True, kw_only=True):
    """A brake that holds, as a person names it."""

    words: str
    """`all`, `agent:NAME`, `contract:NAME` or `release:LABEL`: what `stop` and `resume` take."""
    stop: Stop
    why: str = ""
    """Empty once erased."""
    by: str = ""


def holding(control: Control, now: int) -> tuple[Stop, ...]:
    """The brakes that hold at `now`."""
    return tuple(stop for stop in control.stops if stop.until_at is None or now < stop.until_at)


def standing(control: Control, scope: StopScope, name: str) -> Stop | None:
    """The brake that a person pulled on exactly this scope, which nothing but a person lifts; or None."""
    for stop in control.stops:
        if (stop.scope, stop.name) == (scope, name) and stop.until_at is None and not stop.unwinding:
            return stop
    return None
