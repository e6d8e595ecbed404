"""Whether what people were asked about is still so at the moment of a yes; what is not is decided again, and asked anew."""

import msgspec

from interlock.domain.action import Action
from interlock.domain.approval import Hold, carried
from interlock.domain.diff import rows_of
from interlock.domain.errors import NotAllowed, StaleView
from interlock.domain.naming_target import must_be_named
from interlock.ports.clock import Clock
from interlock.services.cases import Cases
from interlock.services.deciding import Decider
from interlock.services.holding import held, intact
from interlock.services.orders import Orders, StandingOrders
from interlock.services.recorder import Recorder
from interlock.services.saving import beside_it


class Renewing:
    """Looks, and decides again."""

    def __init__(
        self, *, orders: StandingOrders, decider: Decider, cases: Cases, recorder: Recorder, clock: Clock
    ) -> None:
        self._orders = orders
        self._decider = decider
        self._cases = cases
        self._recorder = recorder
        self._clock = clock

    async def must_stand(self, action: Action, asked: Hold, orders: Orders, target: str | None) -> None:
        """Return where a yes, with this `target` typed, is to what is stored, decided and about to change. Raises as
        `Approvals.approve` does, StaleView once it was decided again."""
        contract = await self._orders.contract(action.contract_digest)
        intact(action, contract)
        must_be_named(action, contract, target)
        if action.decision and action.decision.bundle != orders.control.bundle:
            with beside_it():
                await self._decide_again(action, asked, orders)
            raise StaleView("the policies changed since it was held; it was decided again")
        if any("$facts." in str(path) for each in contract.changes.values() for path in (each.before, each.after)):
            facts, problem = await self._decider.facts(await self._cases.of(action, orders))
            if problem:
                raise NotAllowed(
                    f"what it will change cannot be read now: {problem}", next_step="try again once it can be read"
                )
            if rows_of(contract, action.arguments, facts) != rows_of(contract, action.arguments, action.facts):
                with beside_it():
                    await self._decide_again(action, asked, orders)
                raise StaleView("what it will change is not what it was when it was held; it was decided again")

    async def _decide_again(self, action: Action, asked: Hold, orders: Orders) -> None:
        """The bundle changed: deny it, or ask anew under the bundle in force. What was asked for before still is, or more."""
        judgement = await self._decider.judge(await self._cases.of(action, orders), orders, self._clock.now())
        decision = judgement.decision
        if decision.verdict in ("deny", "shadow"):
            reasons = decision.reasons or (decision.verdict,)
            await self._recorder.end(
                action, "deny", "decided", conditions=(orders.control,), decision=decision, reasons=reasons
            )
            return
        contract = await self._orders.contract(action.contract_digest)
        decision = msgspec.structs.replace(decision, requirements=decision.requirements or asked.requirements)
        action = msgspec.structs.replace(
            action,
            decision=decision,
            facts=judgement.facts,
            asked=judgement.around,
            reasons=decision.reasons or action.reasons,
        )
        again = carried(asked, held(action, contract, decision, asked.expires_at))
        await self._recorder.write(action.after("modify", hold=again), "decided", conditions=(orders.control,))
