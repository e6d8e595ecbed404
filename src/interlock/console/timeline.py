"""A waterfall as rows of a table, each with a strip drawn by the server: what is in a strip is said in words beside it."""

from collections.abc import Sequence
from typing import Final

import msgspec
from markupsafe import Markup

from interlock.console.words import lasting
from interlock.domain.waterfall import WORDS, Bar, Stage

WIDE: Final = 1_000
"""A strip's own units; it is stretched to the width there is."""
HIGH: Final = 14
NARROWEST: Final = 3
"""What took no time is seen all the same."""

_CLASSES: Final[dict[Stage, str]] = {
    "person": "people",
    "worker": "quiet",
    "running": "",
    "undo": "bad",
    "model": "good",
}


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of it."""

    bar: Bar
    strip: Markup
    took: str
    """How long, and what that was spent with."""


def rows_of(bars: Sequence[Bar], start: int, end: int) -> list[Row]:
    """The lines of a waterfall from `start` to `end`, UTC ms."""
    return [Row(bar=bar, strip=_strip(bar, start, end), took=_took(bar)) for bar in bars]


def swatch(stage: Stage) -> Markup:
    """What the stretches of `stage` look like, for a legend."""
    return Markup(  # noqa: S704  made of words of ours alone
        f'<svg class="swatch" width="14" height="14" aria-hidden="true"><rect class="bar {_CLASSES[stage]}" '
        'width="14" height="14" rx="2"/></svg>'
    )


def _strip(bar: Bar, start: int, end: int) -> Markup:
    """The strip of one line. Made of numbers and of words of ours alone: nothing that anybody else wrote is in it."""
    if bar.kind == "task":
        parts = [_rect("task", bar.start, bar.end, start, end)]
    else:
        parts = [_rect(_CLASSES[each.stage], each.start, each.end, start, end) for each in bar.stretches]
    drawn = "".join(parts or [_rect("quiet", bar.start, bar.end, start, end)])
    return Markup(  # noqa: S704  see above
        f'<svg class="strip" viewBox="0 0 {WIDE} {HIGH}" preserveAspectRatio="none" aria-hidden="true">{drawn}</svg>'
    )


def _rect(name: str, begin: int, stop: int, start: int, end: int) -> str:
    whole = max(end - start, 1)
    left = min(WIDE * (begin - start) // whole, WIDE - NARROWEST)
    width = max(WIDE * (stop - begin) // whole, NARROWEST)
    return f'<rect class="bar {name}" x="{left}" y="1" width="{min(width, WIDE - left)}" height="{HIGH - 2}"/>'


def _took(bar: Bar) -> str:
    if bar.kind == "task" or not bar.stretches:
        return lasting(bar.end - bar.start)
    return ", ".join(f"{WORDS[each.stage]} {lasting(each.end - each.start)}" for each in bar.stretches)
