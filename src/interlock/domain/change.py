"""A change: everything that becomes true together, or not at all.

Records are saved if unchanged, budgets are drawn, facts enter the log, and what the decision leaned on must still hold;
all in one transaction.
"""

import msgspec

from interlock.domain.budget import Draw
from interlock.domain.evidence import Fact
from interlock.domain.presented import Spent
from interlock.domain.rate import Count
from interlock.domain.record import Record


class Unchanged(msgspec.Struct, frozen=True):
    """`kind` and `key` must still be at `revision` for the change to hold."""

    kind: str
    key: str
    revision: int


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What to make true."""

    puts: tuple[Record, ...] = ()
    given: tuple[Unchanged, ...] = ()
    draws: tuple[Draw, ...] = ()
    facts: tuple[Fact, ...] = ()
    counts: tuple[Count, ...] = ()
    """Calls that must find room within a rate."""
    spent: tuple[Spent, ...] = ()
    """What counts once: the change fails with Conflict where any of it was spent before."""


def given(record: Record) -> Unchanged:
    """The condition that `record` is still as it was read."""
    return Unchanged(record.kind, record.key, record.revision)
