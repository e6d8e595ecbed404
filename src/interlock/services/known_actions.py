"""Actions as they are stored, by their ids."""

from interlock.domain.action import Action
from interlock.domain.errors import NotFound
from interlock.ports.store import Store


async def stored_action(store: Store, name: str) -> Action:
    """The action as it is stored now. Raises NotFound."""
    found = await store.get(Action, name)
    if found is None:
        raise NotFound(
            f"there is no action `{name}`",
            next_step="list them: `interlock actions`, or what waits: `interlock approvals`",
        )
    return found
