"""A person's word on an action that machines could not settle."""

from typing import Literal

from interlock.domain.action import Action, Outcome
from interlock.domain.canonical import JsonValue
from interlock.domain.errors import ContractError, IllegalMove
from interlock.domain.filtering import told
from interlock.domain.ids import ActionId, Person
from interlock.domain.people import roles_of
from interlock.ports.clock import Clock, Ids
from interlock.ports.store import Store
from interlock.services.again import again
from interlock.services.known_actions import stored_action
from interlock.services.orders import StandingOrders
from interlock.services.recorder import Recorder


class Settling:
    """Turns `unknown` into what somebody who looked knows."""

    def __init__(self, *, store: Store, orders: StandingOrders, recorder: Recorder, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._orders = orders
        self._recorder = recorder
        self._clock = clock
        self._ids = ids

    @again
    async def settle(
        self,
        action_id: ActionId,
        person: Person,
        happened: Literal["done", "failed"],
        *,
        result: JsonValue = None,
        note: str,
    ) -> Action:
        """Record that `person` found out whether it happened; `result` is what the tool would have returned, which an
        undo may need, and `note` how they know, which is kept sealed. Raises NotFound, IllegalMove when it is not unknown,
        NotAllowed for a person nobody knows, ContractError without a note.
        """
        if not note.strip():
            raise ContractError("whoever settles says how they know", path="/note", next_step="say where you looked")
        roles_of(person, (await self._orders.refresh()).control)
        found = Outcome(result=result, observed_at=self._clock.now(), by="person", note=f"{person}: {note.strip()}")
        action = await stored_action(self._store, action_id)
        if action.state != "unknown":
            raise IllegalMove(f"the action is {action.state}; only an unknown one is settled", state=action.state)
        contract = await self._orders.contract(action.contract_digest)
        said = told(found, contract, self._ids.nonce)
        if happened == "failed" and contract.two_phase is not None:
            # A worker releases what was reserved, and ends it.
            after = action.after(
                "abort",
                outcome=said,
                reasons=(),
                owner=None,
                lease_until=None,
                due_at=said.observed_at,
                place=contract.place,
            )
            return await self._recorder.write(after, "settled")
        return await self._recorder.end(
            action, "succeed" if happened == "done" else "fail", "settled", outcome=said, reasons=()
        )
