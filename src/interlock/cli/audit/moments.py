"""A time, as somebody who looks back says it."""

import time

from interlock.cli.output import UsageError
from interlock.domain.duration import parse
from interlock.domain.moment import moment_of

WHEN = "a time such as 2026-11-01 or 2026-11-01T18:00 (UTC unless it says otherwise), or how long ago: 30d, 12h"


def when(word: str, option: str) -> int | None:
    """UTC ms of a time or of so long ago; None where nothing was said. Raises UsageError."""
    if not word:
        return None
    try:
        return max(time.time_ns() // 1_000_000 - parse(word), 0)
    except ValueError:
        pass
    try:
        return moment_of(word)
    except ValueError:
        raise UsageError(f"`{word}` is no time", next_step=f"write `{option}` as {WHEN}") from None
