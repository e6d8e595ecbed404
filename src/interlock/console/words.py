"""Times and identifiers as pages have them: UTC, with the exact moment beside it for programs."""

from datetime import UTC, datetime
from typing import Final

from interlock.domain.duration import DAY, HOUR, MINUTE, SECOND

_SIZES: Final = ((DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (SECOND, "s"))


def iso(ms: int) -> str:
    """`2026-11-22T05:28:32Z`, for the attribute `datetime`."""
    return _of(ms).strftime("%Y-%m-%dT%H:%M:%SZ")


def at(ms: int) -> str:
    """`22 Nov 2026 05:28:32 UTC`."""
    return _of(ms).strftime("%-d %b %Y %H:%M:%S UTC")


def clock(ms: int) -> str:
    """`05:28:32`."""
    return _of(ms).strftime("%H:%M:%S")


def lasting(ms: int) -> str:
    """How long: `3 h 20 min`, two sizes at most; under a second in milliseconds."""
    if ms < SECOND:
        return f"{ms} ms"
    parts: list[str] = []
    for size, unit in _SIZES:
        if ms >= size and len(parts) < 2:
            parts.append(f"{ms // size} {unit}")
            ms %= size
        elif parts:
            break
    return " ".join(parts)


def until(ms: int, now: int) -> str:
    """From `now` to `ms`: `in 14 min`, or `4 min ago`."""
    apart = abs(ms - now)
    if apart < SECOND:
        return "now"
    said = lasting(apart - apart % (SECOND if apart < MINUTE else MINUTE))
    return f"in {said}" if ms > now else f"{said} ago"


def short(digest: str) -> str:
    """As much of a digest or identifier as tells it from others on a page."""
    return digest if len(digest) <= 14 else f"{digest[:12]}…"


def _of(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)
