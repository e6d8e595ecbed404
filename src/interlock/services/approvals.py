"""People's words on held actions: approve, reject, modify. Durable, single-use, bound to exactly what was shown."""

from typing import Literal

import msgspec

from interlock.domain.action import Action
from interlock.domain.approval import Approval, Hold, open_requirements
from interlock.domain.binding import bind
from interlock.domain.budget import ended
from interlock.domain.canonical import JsonValue
from interlock.domain.control import Control
from interlock.domain.entitlement import entitled
from interlock.domain.errors import Conflict, IllegalMove, IntegrityError, NotAllowed, NotFound, StaleView
from interlock.domain.evidence import at
from interlock.domain.ids import ActionId, Digest, Person
from interlock.domain.policy import Requirement
from interlock.ports.clock import Clock, Ids
from interlock.ports.store import Store
from interlock.services.cases import Cases
from interlock.services.deciding import Decider
from interlock.services.drawing import draws_of
from interlock.services.holding import held, intact
from interlock.services.orders import Orders, StandingOrders
from interlock.services.recorder import Recorder

MAX_ROUNDS = 20


class Approvals:
    """Takes a person's word. Who the person is, the surface has established; what they may say is decided here."""

    def __init__(
        self,
        *,
        store: Store,
        orders: StandingOrders,
        decider: Decider,
        cases: Cases,
        recorder: Recorder,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._store = store
        self._orders = orders
        self._decider = decider
        self._cases = cases
        self._recorder = recorder
        self._clock = clock
        self._ids = ids

    async def approve(
        self, action_id: ActionId, person: Person, *, note: str = "", view: Digest | None = None
    ) -> Action:
        """Count `person`'s yes. When everybody needed has agreed the action is ready and a worker runs it, once.

        `view` is the digest of what the person was shown. Raises StaleView when that, or the policy bundle, is no longer
        what the action was held under; NotAllowed when the person is unknown, the initiator, lacks the roles asked for, or
        has spoken already; IllegalMove when it is not held.
        """
        return await self._say(action_id, person, "approve", note, view)

    async def reject(
        self, action_id: ActionId, person: Person, *, note: str = "", view: Digest | None = None
    ) -> Action:
        """One no of anybody who was asked ends it. Raises as `approve` does."""
        return await self._say(action_id, person, "reject", note, view)

    async def modify(
        self,
        action_id: ActionId,
        person: Person,
        arguments: dict[str, JsonValue],
        *,
        note: str = "",
        view: Digest | None = None,
    ) -> Action:
        """Put other arguments in place of those proposed: same contract, validated and decided again, bound anew.

        `arguments` replaces fields; those not named stay. The person's own yes is counted on the new action; words given
        before are void, they were about other arguments. What the agent asked for stays what its key stands for. Raises
        ContractError when they do not fit, BudgetExceeded when they cost more than is left, NotAllowed when policy denies
        them (the action stays held as it was in all these), and as `approve` does.
        """
        shown: Digest | None = None
        for _ in range(MAX_ROUNDS):
            orders = await self._orders.refresh()
            try:
                action, asked = await self._held(action_id)
                shown = _as_shown(asked, shown, view)
                return await self._modified(action, asked, person, arguments, note, orders)
            except Conflict:
                continue
        raise Conflict("the action kept changing while it was modified", kind="action", key=action_id)

    # -- parts -------------------------------------------------------------------------------------------------

    async def _modified(
        self, action: Action, asked: Hold, person: Person, arguments: dict[str, JsonValue], note: str, orders: Orders
    ) -> Action:
        roles = entitled(action, asked, person, orders.control)
        contract = await self._orders.contract(action.contract_digest)
        nonce = self._ids.nonce()
        bound = bind(contract, {**action.arguments, **arguments}, nonce=nonce)
        changed = msgspec.structs.replace(action, arguments=bound.arguments, nonce=nonce, digest=bound.digest)
        now = self._clock.now()
        case = await self._cases.of(changed, orders)
        judgement = await self._decider.judge(case, orders, now)
        decision = judgement.decision
        if decision.verdict in ("deny", "shadow"):
            raise NotAllowed(f"policy denies the modified action: {'; '.join(decision.reasons)}")
        own = Requirement(role=min(roles), quorum=1, policy="interlock.modified")
        decision = msgspec.structs.replace(decision, requirements=decision.requirements or (own,))
        reserved = draws_of(changed, contract, case.task, orders, now)
        changed = msgspec.structs.replace(
            changed,
            decision=decision,
            facts=judgement.facts,
            asked=judgement.around,
            reasons=decision.reasons,
            reserved=reserved,
        )
        again = msgspec.structs.replace(
            held(changed, contract, decision, asked.expires_at),
            modified=True,
            questions=asked.questions,
            handings=asked.handings,
        )
        word = self._word(person, orders.control, "approve", again.binding, note)
        again = msgspec.structs.replace(again, approvals=(word,))
        after = changed.after("modify", hold=again)
        if not open_requirements(again, initiator=action.initiator):
            after = after.after("approve", due_at=now)
        draws = () if reserved == action.reserved else (*ended(action.reserved, spent=False), *reserved)
        return await self._recorder.write(after, "modified", "approve.recorded", (orders.control,), draws)

    async def _say(
        self, action_id: ActionId, person: Person, verdict: Literal["approve", "reject"], note: str, view: Digest | None
    ) -> Action:
        shown: Digest | None = None
        for _ in range(MAX_ROUNDS):
            orders = await self._orders.refresh()
            try:
                action, asked = await self._held(action_id)
                shown = _as_shown(asked, shown, view)
                entitled(action, asked, person, orders.control)
                if verdict == "approve":
                    intact(action, await self._orders.contract(action.contract_digest))
                if verdict == "approve" and action.decision and action.decision.bundle != orders.control.bundle:
                    await self._decide_again(action, asked, orders)
                    raise StaleView("the policies changed since it was held; it was decided again")
                word = self._word(person, orders.control, verdict, asked.binding, note)
                spoken = msgspec.structs.replace(asked, approvals=(*asked.approvals, word))
                action = msgspec.structs.replace(action, hold=spoken)
                if verdict == "reject":
                    reason = note or f"{person} said no"
                    return await self._recorder.end(action, "reject", "rejected", reasons=(reason,))
                return await self._agreed(action, (orders.control,))
            except Conflict:
                continue
        raise Conflict("the action kept changing while this was decided", kind="action", key=action_id)

    async def _agreed(self, action: Action, conditions: tuple[Control, ...] = ()) -> Action:
        """Move on if everybody needed has agreed; otherwise keep the word and go on waiting."""
        missing = open_requirements(action.hold, initiator=action.initiator) if action.hold is not None else ()
        if missing:
            return await self._recorder.write(action.after("vote"), "approved", conditions=conditions)
        after = action.after("approve", due_at=self._clock.now())
        return await self._recorder.write(after, "approved", "approve.recorded", conditions)

    async def _held(self, action_id: ActionId) -> tuple[Action, Hold]:
        action = await self._store.get(Action, action_id)
        if action is None:
            raise NotFound(f"there is no action `{action_id}`")
        if action.state != "held":
            raise IllegalMove(
                f"the action is {action.state}{_spoken(action)}; only a held one can be decided upon",
                state=action.state,
            )
        if action.hold is None:
            raise IntegrityError(f"action {action.id} is held without saying for what")
        if action.undoes is None and (await self._orders.current()).control.state_of(action.agent) == "retired":
            await self._recorder.end(action, "void", "voided", reasons=("its agent is retired",))
            raise IllegalMove("its agent is retired; the action is voided", state="voided")
        if self._clock.now() >= action.hold.expires_at:
            await self._recorder.end(action, "expire", "expired", reasons=("nobody answered in time",))
            raise IllegalMove("the time to decide is over; the action expired", state="expired")
        return action, action.hold

    def _word(
        self, person: Person, control: Control, verdict: Literal["approve", "reject"], binding: Digest, note: str
    ) -> Approval:
        return Approval(
            person=person,
            roles=tuple(sorted(control.roles(person))),
            verdict=verdict,
            binding=binding,
            decided_at=self._clock.now(),
            note=note,
        )

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
        again = msgspec.structs.replace(
            held(action, contract, decision, asked.expires_at),
            modified=asked.modified,
            questions=asked.questions,
            handings=asked.handings,
        )
        await self._recorder.write(action.after("modify", hold=again), "decided", conditions=(orders.control,))


def _spoken(action: Action) -> str:
    """Who decided on it already, and when."""
    words = action.hold.approvals if action.hold is not None else ()
    said = "; ".join(f"{_SAID[word.verdict]} by `{word.person}` at {at(word.decided_at)}" for word in words)
    return f" ({said})" if said else ""


_SAID = {"approve": "approved", "reject": "rejected"}


def _as_shown(asked: Hold, shown: Digest | None, view: Digest | None) -> Digest:
    """The binding a person speaks on. Raises StaleView when it is not the view they name, or changed while they spoke."""
    if view is not None and view != asked.view:
        raise StaleView("the action is no longer what was shown")
    if shown is not None and shown != asked.binding:
        raise StaleView("the action changed in this very moment")
    return asked.binding
