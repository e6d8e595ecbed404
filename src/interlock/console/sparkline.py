"""A course of figures as a small line, drawn by the server. Where there was nothing the line has a gap."""

from collections.abc import Sequence
from typing import Final

from markupsafe import Markup

WIDE: Final = 120
HIGH: Final = 30
EDGE: Final = 3


def sparkline(series: Sequence[int | None]) -> Markup:
    """The line, for the eye alone: the figure beside it says the last of it in words. Nothing where there is no line."""
    known = [each for each in series if each is not None]
    if len(known) < 2:
        return Markup("")
    most = max(*known, 1)
    step = WIDE / max(len(series) - 1, 1)
    runs: list[list[str]] = [[]]
    for place, value in enumerate(series):
        if value is None:
            runs.append([])
        else:
            runs[-1].append(f"{place * step:.1f},{HIGH - EDGE - (HIGH - 2 * EDGE) * max(value, 0) / most:.1f}")
    drawn = "".join(_drawn(run) for run in runs if run)
    # Made of numbers alone.
    return Markup(  # noqa: S704
        f'<svg class="spark" viewBox="0 0 {WIDE} {HIGH}" preserveAspectRatio="none" aria-hidden="true">{drawn}</svg>'
    )


def _drawn(run: Sequence[str]) -> str:
    if len(run) == 1:
        left, top = run[0].split(",")
        return f'<circle class="dot" cx="{left}" cy="{top}" r="1.6"/>'
    return f'<polyline class="line" vector-effect="non-scaling-stroke" points="{" ".join(run)}"/>'
