"""A rate: how many calls there may be in any stretch of time, however many processes make them.

What was called lately is kept as a few stretches, each counted as long as its latest call is: never more than the limit fit into
any span of that length, wherever it begins. Of up to sixteen calls each is counted by itself; of more, a call may be refused
a sixteenth of the span longer than it had to be.
"""

from typing import ClassVar, Final

import msgspec

from interlock.domain import duration
from interlock.domain.errors import RateExceeded
from interlock.domain.record import Record

STRETCHES: Final = 16


class Rate(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """At most so many calls in any `per_ms` milliseconds."""

    calls: int
    per_ms: int

    @property
    def words(self) -> str:
        """`30 calls in 1m`."""
        return f"{self.calls} {'call' if self.calls == 1 else 'calls'} in {duration.words(self.per_ms)}"

    def problem(self) -> str:
        """Why it is no rate, or nothing."""
        if self.calls < 1:
            return "a rate of no calls stops everything: `interlock stop` does that"
        return "" if self.per_ms > 0 else "a rate is of a span longer than nothing"


class Stretch(msgspec.Struct, frozen=True, array_like=True):
    """Calls close together: when the first and the last of them were made (UTC ms), and how many."""

    first: int
    last: int
    calls: int


class Recent(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What was called lately in one scope. There is one a scope; what cannot count any more is left out with the next call."""

    kind: ClassVar[str] = "rate"

    scope: str
    """`agent:pricing`, `contract:mail.send`, `tag:web` or `tenant`."""
    stretches: tuple[Stretch, ...] = ()
    """The earliest first."""

    @property
    def key(self) -> str:
        """The scope."""
        return self.scope


class Count(msgspec.Struct, frozen=True, kw_only=True):
    """One call, made at `at`, that counts within `scope`, where `rate` bounds it."""

    scope: str
    rate: Rate
    at: int


def counted(before: Recent, count: Count) -> Recent:
    """`before` with the call. Raises RateExceeded where it is one too many, and says from when on it would not be.

    Of several clocks the one that is ahead counts: a call that is dated before the latest one counts as made with it.
    """
    rate = count.rate
    at = max(count.at, before.stretches[-1].last) if before.stretches else count.at
    alive = [each for each in before.stretches if each.last + rate.per_ms > at]
    over = sum(each.calls for each in alive) + 1 - rate.calls
    if over > 0:
        raise _exceeded(count, alive, over)
    width = 1 if rate.calls <= STRETCHES else rate.per_ms // STRETCHES
    if alive and at - alive[-1].first < width:
        alive[-1] = Stretch(alive[-1].first, at, alive[-1].calls + 1)
    else:
        alive.append(Stretch(at, at, 1))
    return msgspec.structs.replace(before, stretches=tuple(alive))


def _exceeded(count: Count, alive: list[Stretch], over: int) -> RateExceeded:
    again = count.at
    for each in alive:
        again, over = each.last + count.rate.per_ms, over - each.calls
        if over <= 0:
            break
    seconds = -(-(again - count.at) // duration.SECOND)
    return RateExceeded(
        f"{count.scope} may make {count.rate.words}, and has made them; there is room again in {seconds} s",
        scope=count.scope,
        calls=count.rate.calls,
        per_ms=count.rate.per_ms,
        again_at=again,
    )
