"""Intents that this process wrote and has not acted upon yet.

A stored `dispatching` says that the world may be touched, not by whom: another caller with the same key may read it while
the first is still calling, or keep a copy from before. So an intent starts one call: whoever takes it here, once.
"""

from interlock.domain.action import Action
from interlock.domain.ids import ActionId


class Intents:
    """By action, the fence of the intent waiting to be acted upon. Forgotten with the process, as it must be."""

    def __init__(self) -> None:
        self._waiting: dict[ActionId, int] = {}

    def wrote(self, action: Action) -> None:
        """The intent of `action` is durable, and this process wrote it."""
        self._waiting[action.id] = action.dispatched_fence

    def take(self, action: Action) -> bool:
        """Whether the caller may now act on the intent of `action`; nobody else may after it."""
        if self._waiting.get(action.id) != action.dispatched_fence:
            return False
        del self._waiting[action.id]
        return True

    def drop(self, action: Action) -> None:
        """Somebody else goes on with `action`."""
        self._waiting.pop(action.id, None)
