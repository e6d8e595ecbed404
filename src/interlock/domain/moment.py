"""A time as people write it, wherever they write one."""

from datetime import UTC, datetime

FORM = "2026-12-24T18:00, in UTC, or with a zone: 2026-12-24T18:00+01:00"
"""How to write one."""


def moment_of(text: str) -> int:
    """UTC ms of a time in ISO 8601; without a zone it is UTC. Raises ValueError for what is none, or before 1970."""
    said = datetime.fromisoformat(text)
    at = int((said if said.tzinfo is not None else said.replace(tzinfo=UTC)).timestamp() * 1000)
    if at < 0:
        raise ValueError("before 1970")
    return at
