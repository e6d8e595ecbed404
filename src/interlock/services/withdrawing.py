"""Taking back what was asked for and has not begun: whoever proposed it wants it no more.

What is about to be dispatched, or was, goes on: nobody takes back an effect by no longer wanting it.
"""

from typing import Final

from interlock.domain.action import Action
from interlock.domain.ids import ActionId
from interlock.domain.unwind import OPEN
from interlock.ports.store import Store
from interlock.services.again import again
from interlock.services.known_actions import stored_action
from interlock.services.recorder import Recorder

WITHDRAWN: Final = "whoever asked for it withdrew it"


class Withdrawing:
    """Voids what waits, on the word of whoever proposed it. That they did is for the caller to know."""

    def __init__(self, *, store: Store, recorder: Recorder) -> None:
        self._store = store
        self._recorder = recorder

    @again  # somebody speaks on it, or takes it up
    async def withdraw(self, action_id: ActionId) -> Action:
        """The action as it then stands: voided where it still waited, and as it was where it did not. Raises NotFound."""
        action = await stored_action(self._store, action_id)
        if action.state not in OPEN or action.undoes is not None:
            return action
        return await self._recorder.end(action, "void", "voided", reasons=(WITHDRAWN,))
