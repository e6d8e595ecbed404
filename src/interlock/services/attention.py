"""What people are told of how they decide."""

from interlock.domain.ids import Person
from interlock.domain.pace import Attention, Pace, warning
from interlock.ports.store import Store


async def told_of_pace(store: Store, person: Person | None, attention: Attention) -> str:
    """What there is to tell `person` of their last words; empty where that is nothing, or it is nobody."""
    pace = await store.get(Pace, person) if person else None
    return "" if pace is None else warning(pace.words, attention)
