"""Everything that a `Store` and its `Log` promise, by subject."""

from typing import Final

from interlock.testing.conformance import (
    claiming,
    drawing,
    erasing,
    finding,
    rating,
    recording,
    saving,
    spending,
    waking,
)
from interlock.testing.conformance.world import Promise

SUITES: Final[dict[str, tuple[Promise, ...]]] = {
    "saving": saving.PROMISES,
    "drawing": drawing.PROMISES,
    "finding": finding.PROMISES,
    "claiming": claiming.PROMISES,
    "recording": recording.PROMISES,
    "waking": waking.PROMISES,
    "spending": spending.PROMISES,
    "rating": rating.PROMISES,
    "erasing": erasing.PROMISES,
}
