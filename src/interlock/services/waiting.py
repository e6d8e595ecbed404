"""What waits for people's word, looked at by whoever is about to speak: whether it still waits, and for what."""

from interlock.domain.action import Action
from interlock.domain.approval import Hold, silence
from interlock.domain.errors import IllegalMove, IntegrityError
from interlock.domain.evidence import at
from interlock.domain.ids import ActionId
from interlock.ports.clock import Clock
from interlock.ports.store import Store
from interlock.services.known_actions import stored_action
from interlock.services.orders import StandingOrders
from interlock.services.recorder import Recorder
from interlock.services.saving import beside_it


class Waiting:
    """Reads a held action, and ends one whose time is over."""

    def __init__(self, *, store: Store, orders: StandingOrders, recorder: Recorder, clock: Clock) -> None:
        self._store = store
        self._orders = orders
        self._recorder = recorder
        self._clock = clock

    async def held(self, action_id: ActionId) -> tuple[Action, Hold]:
        """The action and what is asked about it. Raises NotFound, and IllegalMove for one that does not wait, or no more."""
        action = await stored_action(self._store, action_id)
        if action.state != "held":
            raise IllegalMove(
                f"the action is {action.state}{_spoken(action)}; only a held one can be decided upon",
                state=action.state,
            )
        if action.hold is None:
            if action.withheld:
                raise IllegalMove(f"of this action everything private is {action.withheld}", state=action.state)
            raise IntegrityError(f"action {action.id} is held without saying for what")
        if action.undoes is None and (await self._orders.current()).control.state_of(action.agent) == "retired":
            with beside_it():
                await self._recorder.end(action, "void", "voided", reasons=("its agent is retired",))
            raise IllegalMove("its agent is retired; the action is voided", state="voided")
        if self._clock.now() >= action.hold.expires_at:
            with beside_it():
                await self._recorder.end(action, "expire", "expired", reasons=silence(action.hold))
            raise IllegalMove("the time to decide is over; the action expired", state="expired")
        return action, action.hold


def _spoken(action: Action) -> str:
    """Who decided on it already, and when."""
    words = action.hold.approvals if action.hold is not None else ()
    said = "; ".join(f"{_SAID[word.verdict]} by `{word.person}` at {at(word.decided_at)}" for word in words)
    return f" ({said})" if said else ""


_SAID = {"approve": "approved", "reject": "rejected"}
