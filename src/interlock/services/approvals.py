"""People's words on held actions: approve, reject, modify. Durable, single-use, bound to exactly what was shown."""

from functools import partial
from typing import Literal, NamedTuple

import msgspec

from interlock.domain.action import Action
from interlock.domain.approval import Approval, Hold, carried, look_of, open_requirements
from interlock.domain.binding import bind
from interlock.domain.budget import ended
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Contract
from interlock.domain.control import Control
from interlock.domain.deadline import ANYONE, Terms
from interlock.domain.diff import Row, between, rows_of
from interlock.domain.entitlement import entitled, lent
from interlock.domain.errors import Conflict, ContractError, NotAllowed, StaleView
from interlock.domain.ids import ActionId, Digest, Person
from interlock.domain.naming_target import must_be_named
from interlock.domain.pace import Pace, Ruled, must_not_hurry
from interlock.domain.policy import Requirement, Verdict
from interlock.domain.record import Record
from interlock.domain.vigilance import Seed
from interlock.ports.clock import Clock, Ids
from interlock.ports.store import Store
from interlock.services.cases import Cases
from interlock.services.deciding import Decider, Judgement
from interlock.services.drawing import draws_of
from interlock.services.glass import Through, through_glass
from interlock.services.holding import held
from interlock.services.orders import Orders, StandingOrders
from interlock.services.recorder import Recorder
from interlock.services.renewing import Renewing
from interlock.services.waiting import Waiting

MAX_ROUNDS = 20


class Word(NamedTuple):
    """What a person says."""

    verdict: Literal["approve", "reject"]
    note: str
    view: Digest | None
    target: str | None = None
    session: str = ""
    """Where it comes from: a session, the id of a key, or nothing from the machine itself."""


class Weighed(msgspec.Struct, frozen=True, kw_only=True):
    """What a modification would come to. The same is found out again when it is made."""

    difference: tuple[Row, ...]
    """Against what the agent asked for."""
    changes: tuple[Row, ...]
    verdict: Verdict
    """What policy says of it: `deny` and `shadow` would be refused."""
    reasons: tuple[str, ...]
    requirements: tuple[Requirement, ...]
    """Who else would have to agree."""


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
        waiting: Waiting,
    ) -> None:
        self._store = store
        self._orders = orders
        self._decider = decider
        self._cases = cases
        self._recorder = recorder
        self._clock = clock
        self._ids = ids
        self._waiting = waiting
        self._renewing = Renewing(orders=orders, decider=decider, cases=cases, recorder=recorder, clock=clock)

    async def approve(
        self,
        action_id: ActionId,
        person: Person,
        *,
        note: str = "",
        view: Digest | None = None,
        target: str | None = None,
        session: str = "",
    ) -> Action:
        """Count `person`'s yes. When everybody needed has agreed the action is ready and a worker runs it, once.

        `view` is the digest of what the person was shown; `target` what they typed, which critical risk asks for; `session`
        where the word comes from, on which it depends whether glass they broke counts. Raises
        StaleView when the view, the policy bundle, or what the contract says will change is no longer what the action was
        held under; NotAllowed when the person is unknown, the initiator, lacks the roles asked for, has spoken already or
        too often, or did not name the target; IllegalMove when it is not held.
        """
        return await self._say(action_id, person, Word("approve", note, view, target, session))

    async def reject(
        self, action_id: ActionId, person: Person, *, note: str, view: Digest | None = None, session: str = ""
    ) -> Action:
        """One no of anybody who was asked ends it. `note` is why, which the agent is told. Raises as `approve` does, and
        ContractError without a reason."""
        if not note.strip():
            raise ContractError("a no says why", path="/note", next_step="give the reason: the agent is told it")
        return await self._say(action_id, person, Word("reject", note, view, session=session))

    async def modify(
        self,
        action_id: ActionId,
        person: Person,
        arguments: dict[str, JsonValue],
        *,
        note: str = "",
        view: Digest | None = None,
        target: str | None = None,
        session: str = "",
    ) -> Action:
        """Put other arguments in place of those proposed: same contract, validated and decided again, bound anew.

        `arguments` replaces fields; those not named stay. The person's own yes is counted on the new action; words given
        before are void, they were about other arguments. What the agent asked for stays what its key stands for; the
        `target` typed is that of the new arguments. Raises ContractError when they do not fit, BudgetExceeded when they cost
        more than is left, NotAllowed when policy denies them (the action stays held as it was in all these), and as
        `approve` does.
        """
        shown: Digest | None = None
        word = Word("approve", note, view, target, session)
        for _ in range(MAX_ROUNDS):
            orders = await self._orders.refresh()
            try:
                action, asked = await self._waiting.held(action_id)
                shown = _as_shown(asked, shown, view)
                return await self._modified(action, asked, person, arguments, word, orders)
            except Conflict:
                continue
        raise Conflict("the action kept changing while it was modified", kind="action", key=action_id)

    async def weigh(
        self, action_id: ActionId, person: Person, arguments: dict[str, JsonValue], *, session: str = ""
    ) -> Weighed:
        """What `modify` with these arguments would come to, without doing it: for the form in which they are typed. Raises
        ContractError where they do not fit, and as `modify` does for who may not."""
        orders = await self._orders.refresh()
        action, asked = await self._waiting.held(action_id)
        entitled(action, asked, person, (await self._for(person, asked, orders, session)).control)
        changed, contract, judgement = await self._judged(action, arguments, orders)
        return Weighed(
            difference=between(contract, asked.requested or action.arguments, changed.arguments),
            changes=rows_of(contract, changed.arguments, judgement.facts),
            verdict=judgement.decision.verdict,
            reasons=judgement.decision.reasons,
            requirements=judgement.decision.requirements,
        )

    # -- parts -------------------------------------------------------------------------------------------------

    async def _judged(
        self, action: Action, arguments: dict[str, JsonValue], orders: Orders
    ) -> tuple[Action, Contract, Judgement]:
        """The action with other arguments, and what policy says of it now."""
        contract = await self._orders.contract(action.contract_digest)
        nonce = self._ids.nonce()
        bound = bind(contract, {**action.arguments, **arguments}, nonce=nonce)
        changed = msgspec.structs.replace(action, arguments=bound.arguments, nonce=nonce, digest=bound.digest)
        case = await self._cases.of(changed, orders)
        return changed, contract, await self._decider.judge(case, orders, self._clock.now())

    async def _modified(
        self,
        action: Action,
        asked: Hold,
        person: Person,
        arguments: dict[str, JsonValue],
        word: Word,
        orders: Orders,
    ) -> Action:
        through = await self._for(person, asked, orders, word.session)
        roles = entitled(action, asked, person, through.control)
        changed, contract, judgement = await self._judged(action, arguments, orders)
        must_be_named(changed, contract, word.target)
        decision = judgement.decision
        if decision.verdict in ("deny", "shadow"):
            raise NotAllowed(f"policy denies the modified action: {'; '.join(decision.reasons)}")
        borrowed = lent(asked, person, through.control)
        # In a role of their own if they have one.
        terms = Terms() if roles - borrowed else Terms(delegate=(ANYONE,))
        own = Requirement(role=min(roles - borrowed or roles), quorum=1, policy="interlock.modified", terms=terms)
        decision = msgspec.structs.replace(decision, requirements=decision.requirements or (own,))
        now = self._clock.now()
        task = await self._cases.task(action)
        reserved = draws_of(changed, contract, task, orders, now)
        changed = msgspec.structs.replace(
            changed,
            decision=decision,
            facts=judgement.facts,
            asked=judgement.around,
            reasons=decision.reasons,
            reserved=reserved,
        )
        again = carried(asked, held(changed, contract, decision, asked.expires_at))
        spoken, pace = await self._spoken(asked, person, through, word, again.binding)
        requested = action.arguments if asked.requested is None else asked.requested
        again = msgspec.structs.replace(again, requested=requested, approvals=(spoken,))
        after = changed.after("modify", hold=again)
        seed = await self._recorder.seed(action.id)
        if seed is not None:
            if not seed.item.caught_by(changed.arguments):
                # What is wrong with it was left as it was: a yes to that.
                spoken = msgspec.structs.replace(spoken, binding=asked.binding)
                heard = msgspec.structs.replace(asked, approvals=(*asked.approvals, spoken))
                agreed = msgspec.structs.replace(action, hold=heard)
                return await self._noticed(agreed, seed, person, word, (orders.control,), pace)
            return await self._recorder.reveal(
                after, seed, "caught", phase="modified", person=person, conditions=(orders.control,), also=(pace,)
            )
        if not open_requirements(again, initiator=action.initiator):
            after = after.after("approve", due_at=now)
        draws = () if reserved == action.reserved else (*ended(action.reserved, spent=False), *reserved)
        return await self._recorder.write(after, "modified", "approve.recorded", (orders.control,), draws, puts=(pace,))

    async def _say(self, action_id: ActionId, person: Person, word: Word) -> Action:
        shown: Digest | None = None
        for _ in range(MAX_ROUNDS):
            orders = await self._orders.refresh()
            try:
                action, asked = await self._waiting.held(action_id)
                shown = _as_shown(asked, shown, word.view)
                through = await self._for(person, asked, orders, word.session)
                entitled(action, asked, person, through.control)
                if word.verdict == "approve":
                    await self._renewing.must_stand(action, asked, orders, word.target)
                spoken, pace = await self._spoken(asked, person, through, word, asked.binding)
                seed = await self._recorder.seed(action.id)
                heard = msgspec.structs.replace(asked, approvals=(*asked.approvals, spoken))
                action = msgspec.structs.replace(action, hold=heard)
                if seed is not None:
                    return await self._noticed(action, seed, person, word, (orders.control,), pace)
                if word.verdict == "reject":
                    return await self._recorder.end(action, "reject", "rejected", also=(pace,), reasons=(word.note,))
                return await self._agreed(action, (orders.control,), (pace,))
            except Conflict:
                continue
        raise Conflict("the action kept changing while this was decided", kind="action", key=action_id)

    async def _noticed(
        self, action: Action, seed: Seed, person: Person, word: Word, conditions: tuple[Control, ...], pace: Pace
    ) -> Action:
        """An item known to be bad ends with the first word on it, whatever that is, and with what it was known for."""
        reveal = partial(self._recorder.reveal, person=person, conditions=conditions, also=(pace,))
        if word.verdict == "reject":
            return await reveal(action.after("reject"), seed, "caught", phase="rejected")
        return await reveal(action.after("vote"), seed, "missed", phase="approved")

    async def _for(self, person: Person, asked: Hold, orders: Orders, session: str) -> Through:
        now = self._clock.now()
        return await through_glass(self._store, person, orders.control, asked.roles, now, session=session)

    async def _agreed(
        self, action: Action, conditions: tuple[Control, ...] = (), puts: tuple[Record, ...] = ()
    ) -> Action:
        """Move on if everybody needed has agreed; otherwise keep the word and go on waiting."""
        missing = open_requirements(action.hold, initiator=action.initiator) if action.hold is not None else ()
        if missing:
            return await self._recorder.write(action.after("vote"), "approved", conditions=conditions, puts=puts)
        after = action.after("approve", due_at=self._clock.now())
        return await self._recorder.write(after, "approved", "approve.recorded", conditions, puts=puts)

    async def _spoken(
        self, asked: Hold, person: Person, through: Through, word: Word, binding: Digest
    ) -> tuple[Approval, Pace]:
        """The word as it is kept, and the person's pace with it. Raises NotAllowed for a yes too many in too short a time: a
        no is never too fast."""
        now = self._clock.now()
        pace = await self._store.get(Pace, person) or Pace(person=person)
        if word.verdict == "approve":
            must_not_hurry(pace, through.control.routing.attention, now)
        borrowed = lent(asked, person, through.control)
        look = look_of(asked, person)
        looked_ms = None if look is None else now - look.first_at
        approval = Approval(
            person=person,
            roles=tuple(sorted(through.control.roles(person) | borrowed)),
            glass=through.glass,
            lent=tuple(sorted(borrowed)),
            verdict=word.verdict,
            binding=binding,
            decided_at=now,
            note=word.note,
            shown=Digest("") if look is None else look.shown,
            looked_ms=looked_ms,
        )
        ruled = Ruled(now, word.verdict == "approve", -1 if looked_ms is None else looked_ms)
        return approval, pace.further(ruled, through.control.routing.attention)


def _as_shown(asked: Hold, shown: Digest | None, view: Digest | None) -> Digest:
    """The binding a person speaks on. Raises StaleView when it is not the view they name, or changed while they spoke."""
    if view is not None and view != asked.view:
        raise StaleView("the action is no longer what was shown")
    if shown is not None and shown != asked.binding:
        raise StaleView("the action changed in this very moment")
    return asked.binding
