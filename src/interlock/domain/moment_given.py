"""A time as somebody who looks back gives it: `2026-11-01`, `2026-11-01T18:00`, or how long ago, `30d`."""

from interlock.domain.duration import parse
from interlock.domain.errors import ContractError
from interlock.domain.moment import moment_of

WHEN = "a time such as 2026-11-01 or 2026-11-01T18:00 (UTC unless it says otherwise), or how long ago: 30d, 12h"


def given_moment(text: str, now: int, field: str) -> int | None:
    """UTC ms of what `field` says; None where it says nothing. Raises ContractError."""
    if not text:
        return None
    try:
        return max(now - parse(text), 0)
    except ValueError:
        pass
    try:
        return moment_of(text)
    except ValueError:
        raise ContractError(f"`{text[:64]}` is no time", path=f"/{field}", next_step=f"write {WHEN}") from None
