"""A time as people write it, wherever they write one."""

from datetime import UTC, datetime

FORM = "2026-12-24T18:00, in UTC, or with a zone: 2026-12-24T18:00+01:00"
"""How to write one."""


def moment_of(text: str) -> int:
    """UTC ms of a time in ISO 8601; without a zone it is UTC. Raises ValueError for what is none, or before 1970."""
    said = datetime.fromisoformat(text)
    zoned = said if said.tzinfo is not None else said.replace(tzinfo=UTC)
    # In whole numbers: a float of so many milliseconds loses the last one.
    at = int(zoned.replace(microsecond=0).timestamp()) * 1000 + said.microsecond // 1000
    if at < 0:
        raise ValueError("before 1970")
    return at
