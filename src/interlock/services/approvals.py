"""People's words on held actions: approve, reject, modify. Durable, single-use, bound to exactly what was shown."""

from typing import Literal

import msgspec

from interlock.domain.action import Action
from interlock.domain.approval import Approval, is_initiator, open_requirements
from interlock.domain.binding import bind, fingerprint
from interlock.domain.canonical import JsonValue
from interlock.domain.control import Control
from interlock.domain.errors import Conflict, IllegalMove, IntegrityError, NotAllowed, NotFound, StaleView
from interlock.domain.ids import ActionId, Digest, Person
from interlock.domain.policy import Requirement
from interlock.ports.clock import Clock, Ids
from interlock.ports.store import Store
from interlock.services.cases import Cases
from interlock.services.deciding import Decider
from interlock.services.holding import held
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
        self, action_id: ActionId, person: Person, arguments: dict[str, JsonValue], *, note: str = ""
    ) -> Action:
        """Put other arguments in place of those proposed: same contract, validated and decided again, bound anew.

        `arguments` replaces fields; those not named stay. The person's own yes is counted on the new action; words given
        before are void, they were about other arguments. Raises ContractError when they do not fit, NotAllowed when policy
        denies them (the action stays held as it was), and as `approve` does.
        """
        for _ in range(MAX_ROUNDS):
            orders = await self._orders.refresh()
            action = await self._held(action_id)
            roles = self._entitled(action, person, orders.control)
            contract = await self._orders.contract(action.contract_digest)
            nonce = self._ids.nonce()
            bound = bind(contract, {**action.arguments, **arguments}, nonce=nonce)
            changed = msgspec.structs.replace(
                action,
                arguments=bound.arguments,
                nonce=nonce,
                digest=bound.digest,
                fingerprint=fingerprint(contract, bound.arguments),
            )
            now = self._clock.now()
            judgement = await self._decider.judge(await self._cases.of(changed, orders), orders, now)
            decision = judgement.decision
            if decision.verdict in ("deny", "shadow"):
                raise NotAllowed(f"policy denies the modified action: {'; '.join(decision.reasons)}")
            until = action.hold.expires_at if action.hold is not None else now
            needs = decision.requirements or (
                Requirement(role=sorted(roles)[0], quorum=1, policy="interlock.modified"),
            )
            decision = msgspec.structs.replace(decision, requirements=needs)
            changed = msgspec.structs.replace(
                changed, decision=decision, facts=judgement.facts, reasons=decision.reasons
            )
            asked = held(changed, contract, decision, until)
            word = self._word(person, orders.control, "approve", asked.binding, note)
            asked = msgspec.structs.replace(asked, approvals=(word,))
            after = changed.after("modify", hold=asked)
            if not open_requirements(asked, initiator=action.initiator):
                after = after.after("approve", due_at=now)
            try:
                return await self._recorder.write(after, "modified", "approve.recorded", (orders.control,))
            except Conflict:
                continue
        raise Conflict("the action kept changing while it was modified", kind="action", key=action_id)

    # -- parts -------------------------------------------------------------------------------------------------

    async def _say(
        self, action_id: ActionId, person: Person, verdict: Literal["approve", "reject"], note: str, view: Digest | None
    ) -> Action:
        for _ in range(MAX_ROUNDS):
            orders = await self._orders.refresh()
            action = await self._held(action_id)
            if action.hold is None:
                raise IntegrityError(f"action {action.id} is held without saying for what")
            if view is not None and view != action.hold.view:
                raise StaleView("the action is no longer what was shown")
            self._entitled(action, person, orders.control)
            if verdict == "approve" and action.decision and action.decision.bundle != orders.control.bundle:
                await self._decide_again(action, orders)
                raise StaleView("the policies changed since it was held; it was decided again")
            word = self._word(person, orders.control, verdict, action.hold.binding, note)
            hold = msgspec.structs.replace(action.hold, approvals=(*action.hold.approvals, word))
            spoken = msgspec.structs.replace(action, hold=hold)
            try:
                if verdict == "reject":
                    reason = note or f"{person} said no"
                    return await self._recorder.end(spoken, "reject", "rejected", reasons=(reason,))
                return await self._agreed(spoken, (orders.control,))
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

    async def _held(self, action_id: ActionId) -> Action:
        action = await self._store.get(Action, action_id)
        if action is None:
            raise NotFound(f"there is no action `{action_id}`")
        if action.state != "held":
            raise IllegalMove(f"the action is {action.state}; only a held one can be decided upon", state=action.state)
        if action.hold is not None and self._clock.now() >= action.hold.expires_at:
            await self._recorder.end(action, "expire", "expired", reasons=("nobody answered in time",))
            raise IllegalMove("the time to decide is over; the action expired", state="expired")
        return action

    def _entitled(self, action: Action, person: Person, control: Control) -> frozenset[str]:
        """The roles by which `person` may speak on `action`."""
        roles = control.roles(person)
        if not roles:
            raise NotAllowed(f"`{person}` is not among the people of this workspace or holds no role")
        if is_initiator(person, action.initiator):
            raise NotAllowed(f"`{person}` asked for this and cannot decide on it")
        if action.hold is None:
            raise IntegrityError(f"action {action.id} is held without saying for what")
        asked = {need.role for need in action.hold.requirements}
        if not roles & asked:
            raise NotAllowed(f"`{person}` is not asked here; one of these roles is: {', '.join(sorted(asked))}")
        if any(word.person == person and word.binding == action.hold.binding for word in action.hold.approvals):
            raise NotAllowed(f"`{person}` has decided on this already")
        return roles & asked

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

    async def _decide_again(self, action: Action, orders: Orders) -> None:
        """The bundle changed: deny it, or ask anew under the bundle in force."""
        now = self._clock.now()
        decision = (await self._decider.judge(await self._cases.of(action, orders), orders, now)).decision
        if decision.verdict in ("deny", "shadow"):
            await self._recorder.end(
                action, "deny", "decided", decision=decision, reasons=decision.reasons or (decision.verdict,)
            )
            return
        contract = await self._orders.contract(action.contract_digest)
        needs = decision.requirements or (action.hold.requirements if action.hold is not None else ())
        decision = msgspec.structs.replace(decision, requirements=needs)
        until = action.hold.expires_at if action.hold is not None else now
        asked = held(action, contract, decision, until)
        await self._recorder.write(
            action.after("modify", hold=asked, decision=decision), "decided", conditions=(orders.control,)
        )
