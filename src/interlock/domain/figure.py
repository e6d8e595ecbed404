"""Figures as people read them: a value, how many it is about, how sure that makes it, and what range of it is healthy.

Ratios are per mille, durations milliseconds, money `USD.micro`. A ratio comes with its 95 % interval after Wilson (E. B. Wilson,
Probable Inference, JASA 22, 1927): it stays honest where there are few, or where nearly all are alike.
The healthy ranges are our starting values and no standard: nobody publishes measured ones. What counts is how yours move.
"""

from collections.abc import Callable, Mapping
from math import ceil, floor, sqrt
from typing import Final, Literal

import msgspec

from interlock.domain.ids import AgentName

Unit = Literal["count", "per_mille", "ms", "usd_micro"]
Standing = Literal["", "none", "few", "low", "healthy", "unclear", "high"]
"""How a figure stands to its healthy range: `none` where there is nothing to tell of, `few` where there is too little, `low` and
`high` where its whole interval lies outside, `unclear` where it may lie inside; empty where there is no such range."""

Z: Final = 1.959964
FEW: Final = 10
"""Of fewer than so many, no figure is said to be healthy or not."""


class Range(msgspec.Struct, frozen=True, kw_only=True):
    """What is healthy, both ends included; None: no bound."""

    least: int | None = None
    most: int | None = None

    def words(self, say: Callable[[int], str]) -> str:
        """It in words, each end as `say` writes a value."""
        if self.least is not None and self.most is not None:
            return f"{say(self.least)} to {say(self.most)}"
        if self.least is not None:
            return f"from {say(self.least)}"
        return "" if self.most is None else f"up to {say(self.most)}"


class Figure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One figure."""

    name: str
    unit: Unit
    value: int | None
    """None: there is nothing it could be about."""
    of: int = 0
    """How many it is about."""
    low: int | None = None
    high: int | None = None
    """Between these it lies, 95 % sure; ratios only."""
    healthy: Range | None = None
    standing: Standing = ""
    series: tuple[int | None, ...] = ()
    """The same for each hour or day of the span, the oldest first; None where there was nothing."""


class AgentFigures(msgspec.Struct, frozen=True, kw_only=True):
    """One agent in the span. Counts are of its actions, undos aside."""

    agent: AgentName
    tasks: int
    bad: int
    """Tasks in which an action failed, or nobody knows what became of one."""
    proposed: int
    done: int
    failed: int
    unknown: int
    denied: int
    refused: int
    asked: int
    undone: int
    p95_ms: int | None
    cost: int
    """Of models, `USD.micro`."""


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """A span at a glance. Everything is counted in the hour in which its action was proposed or its task opened."""

    since_at: int
    until_at: int
    step_ms: int
    """How long each member of a series is: an hour, or a day."""
    tiles: tuple[Figure, ...]
    """Tasks, task error, escalation, policy blocks, p95 latency, cost per task."""
    agents: tuple[AgentFigures, ...]
    """Who proposed most comes first."""
    blocks: Mapping[str, int]
    """How often each policy, or rule of ours, denied or refused."""
    asks: Mapping[str, int]
    """For how many actions each policy, or rule of ours, had people asked: escalation by reason."""
    waiting: int
    """Actions that people are to decide on now."""
    unknown: int
    """Actions of which nobody knows now whether they happened."""
    size: int
    """How many entries of the log the figures know."""
    behind: int
    """How many they have not read yet."""


By = Literal["all", "agent", "contract", "policy", "reviewer"]
BY: Final[tuple[By, ...]] = ("all", "agent", "contract", "policy", "reviewer")


class Sure(msgspec.Struct, frozen=True, kw_only=True):
    """Of what an agent was so sure, and people ruled on: how much was right, approved as it was and gone well."""

    least: int
    """Per mille, included."""
    most: int
    """Not included, but for 1000."""
    right: Figure


class Row(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The measures of one agent, contract, policy or reviewer."""

    name: str
    """Empty: of all together; or of reviewers who are not among the people any more, or whose words were erased."""
    asked: int
    """How often people were asked; of a reviewer: how often they spoke."""
    waiting: int
    """How many of these still wait."""
    figures: tuple[Figure, ...]
    confidence: tuple[Sure, ...] = ()
    """How sure agents said they are against what people made of it, in tenths, the least first; only those that occurred. Not of
    a policy or a reviewer."""
    warning: str = ""
    """Of a reviewer: that they agree with nearly everything after hardly a look."""


class Measures(msgspec.Struct, frozen=True, kw_only=True):
    """How people and agents work together, over a span."""

    by: By
    since_at: int
    until_at: int
    rows: tuple[Row, ...]
    """Who was asked most comes first."""
    size: int
    behind: int


HEALTHY: Final[Mapping[str, Range]] = {
    "escalation": Range(least=10, most=150),
    "approved_unchanged": Range(least=600, most=950),
    "time_to_resolution_p50": Range(most=15 * 60_000),
    "time_to_resolution_p95": Range(most=4 * 3_600_000),
    "error_after_approval": Range(most=20),
    "asked_in_vain": Range(most=300),
    "known_bad_caught": Range(least=900),
}
"""Why these: docs/how-to/read-the-figures.md."""


def interval(hits: int, of: int) -> tuple[int, int]:
    """Between what a ratio lies, per mille, 95 % sure, where `hits` of `of` were counted. Rounded outwards."""
    if not of:
        return 0, 1000
    share, weight = hits / of, Z * Z / of
    middle = (share + weight / 2) / (1 + weight)
    half = Z * sqrt(share * (1 - share) / of + weight / (4 * of)) / (1 + weight)
    # What was counted always lies inside, also where rounding of floats would put it just outside.
    return min(max(floor(1000 * (middle - half)), 0), floor(1000 * share)), max(
        min(ceil(1000 * (middle + half)), 1000), ceil(1000 * share)
    )


def ratio(name: str, hits: int, of: int, series: tuple[int | None, ...] = ()) -> Figure:
    """`hits` of `of`, per mille."""
    if not of:
        return Figure(
            name=name, unit="per_mille", value=None, healthy=HEALTHY.get(name), standing="none", series=series
        )
    low, high = interval(hits, of)
    return Figure(
        name=name,
        unit="per_mille",
        value=round(1000 * hits / of),
        of=of,
        low=low,
        high=high,
        healthy=HEALTHY.get(name),
        standing=_standing(HEALTHY.get(name), round(1000 * hits / of), low, high, of),
        series=series,
    )


def amount(name: str, unit: Unit, value: int | None, of: int, series: tuple[int | None, ...] = ()) -> Figure:
    """A count, a duration or a sum of money over `of` of something."""
    healthy = HEALTHY.get(name)
    standing: Standing = "" if healthy is None else "none"
    if value is not None:
        standing = _standing(healthy, value, value, value, of)
    return Figure(name=name, unit=unit, value=value, of=of, healthy=healthy, standing=standing, series=series)


def per(total: int, of: int) -> int | None:
    """`total` for each, rounded; None for each of none."""
    return round(total / of) if of else None


def _standing(healthy: Range | None, value: int, low: int, high: int, of: int) -> Standing:
    if healthy is None:
        return ""
    if of < FEW:
        return "few"
    least = -1 if healthy.least is None else healthy.least
    if high < least:
        return "low"
    if healthy.most is not None and low > healthy.most:
        return "high"
    inside = least <= value and (healthy.most is None or value <= healthy.most)
    return "healthy" if inside else "unclear"
