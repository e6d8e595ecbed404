"""A notice: a budget was used up to its soft share. Told once, until the limit is changed or the next hour or day begins.

It is written in the transaction of the draw that reached the share, so there is one for each crossing, whatever process made it,
and never one that did not happen. Keys sort by time: whoever delivers notices remembers the last one that it delivered.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import ClassVar

from interlock.domain.budget import Budget, Per
from interlock.domain.evidence import Fact, at
from interlock.domain.record import Record


class Notice(Record, frozen=True, kw_only=True, omit_defaults=True):
    """One crossing. It never changes."""

    kind: ClassVar[str] = "notice"

    reached_at: int
    scope: str
    unit: str
    per: Per = ""
    since: str = ""
    """Which hour, day or release it was the budget of."""
    limit: int
    soft: int
    """The share, per mille, from which on it is noticed."""
    used: int
    """What was reserved and spent together."""
    renews_at: int | None = None
    by: str = ""
    """What reached it: `action:<id>`, `use:<id>`, `task:<id>`."""

    @property
    def key(self) -> str:
        """When, and of which budget: no budget is noticed twice at one moment."""
        budget = Budget(scope=self.scope, unit=self.unit, per=self.per, since=self.since, limit=0)
        return f"{self.reached_at:015d} {budget.key}"

    def __str__(self) -> str:
        budget = Budget(scope=self.scope, unit=self.unit, per=self.per, limit=0)
        until = "" if self.renews_at is None else f"; it renews at {at(self.renews_at)}"
        return (
            f"{self.used} of the {self.limit} {budget.written} for {self.scope} are used "
            f"(noticed from {self.soft} per mille on){until}"
        )


def notices(facts: Sequence[Fact], budgets: Iterable[Budget], noticed: Collection[str]) -> tuple[Notice, ...]:
    """The notices of a change with `facts`, after which `budgets` stand so and the keys `noticed` are those that crossed. Of a
    change that says nothing there is none: nobody could tell when it was, or what."""
    if not facts or not noticed:
        return ()
    first = facts[0]
    return tuple(
        Notice(
            reached_at=first.observed_at,
            scope=each.scope,
            unit=each.unit,
            per=each.per,
            since=each.since,
            limit=each.limit,
            soft=each.soft,
            used=each.reserved + each.spent,
            renews_at=each.renews_at,
            by=f"{first.subject}:{first.action or first.subject_id}",
        )
        for each in budgets
        if each.key in noticed
    )
