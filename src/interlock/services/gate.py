"""Every proposed action passes here. Steps 1 to 6 of its life, and the first write of step 7.

What is written is written once: the action as decided, its budget, and the fact that says why, in one transaction that
holds only if the standing orders and the task are still what the decision leaned on. An action that is allowed and can
run right here is stored as `dispatching` in that same transaction, so intent precedes effect at the price of one write.
"""

from typing import assert_never

import msgspec

from interlock.domain.action import Action, Move, first, intent
from interlock.domain.binding import action_digest, bind, fingerprint
from interlock.domain.canonical import CanonicalError, JsonValue, digest, encode
from interlock.domain.change import Change, given
from interlock.domain.contract import Contract, InProcess, Reversal
from interlock.domain.errors import BudgetExceeded, Conflict, ContractError, KeyReused, NotFound
from interlock.domain.evidence import Phase
from interlock.domain.ids import ActionId, ContractName, Digest, WorkerId
from interlock.domain.policy import Decision
from interlock.domain.proposal import Proposal
from interlock.domain.recording import recorded
from interlock.domain.settlement import Timing
from interlock.domain.task import Task
from interlock.domain.unwind import undo_arguments
from interlock.ports.clock import Clock, Ids
from interlock.ports.effector import Effectors
from interlock.ports.steps import Steps
from interlock.ports.store import ActionQuery, Store
from interlock.services.deciding import Case, Decider, brake
from interlock.services.drawing import draws_of
from interlock.services.holding import held
from interlock.services.intents import Intents
from interlock.services.orders import Orders, StandingOrders
from interlock.services.saving import save

MAX_ROUNDS = 20
"""How often a proposal is decided again because the orders changed while it was being decided."""
MAX_WORD_BYTES = 64 * 1024
"""Canonical size of each text around the arguments."""


class Gate:
    """Takes proposals; gives actions that are refused, denied, shadowed, held, ready or dispatching here."""

    def __init__(
        self,
        *,
        store: Store,
        orders: StandingOrders,
        decider: Decider,
        effectors: Effectors,
        clock: Clock,
        ids: Ids,
        steps: Steps,
        timing: Timing,
        worker: WorkerId,
        intents: Intents,
    ) -> None:
        self._store = store
        self._orders = orders
        self._decider = decider
        self._effectors = effectors
        self._clock = clock
        self._ids = ids
        self._steps = steps
        self._timing = timing
        self._worker = worker
        self._intents = intents

    async def propose(self, proposal: Proposal) -> Action:
        """Decide `proposal` and store what came of it. A key that was used before gives the first action back.

        Raises KeyReused when it comes back with other arguments, ContractError when its words cannot be written down,
        NotFound when the task's release is unknown, and StoreErrors, after which nothing was decided and nothing may run.
        """
        _must_be_writable(proposal)
        repeat = await self._repeat(proposal)
        if repeat is not None:
            return repeat
        for _ in range(MAX_ROUNDS):
            orders = await self._orders.current()
            action, change = await self._decide(proposal, orders)
            try:
                return await self._record_or_refuse(proposal, action, change)
            except Conflict as conflict:
                repeat = await self._repeat(proposal)
                if repeat is not None:
                    return repeat
                proposal = await self._renew(proposal, conflict)
        raise Conflict("the standing orders kept changing while this was decided", kind="control", key="control")

    async def propose_undo(self, original: Action, unwind_task: Task) -> Action:
        """Propose the reversal of `original`, which becomes `undoing` in the same transaction.

        `unwind_task` is the original's task; that it is closing does not matter to an undo. Raises ContractError where the
        reversal's arguments cannot be derived or do not fit its contract, Conflict where somebody else undoes it already.
        """
        for _ in range(MAX_ROUNDS):
            orders = await self._orders.current()
            undoing = await self._orders.contract(original.contract_digest)
            if not isinstance(undoing.reversal, Reversal):
                raise ContractError(f"`{undoing.name}` has no reversal")
            release = await self._orders.release(original.release)
            contract = await self._orders.contract(_named(release.contracts, ContractName(undoing.reversal.contract)))
            arguments = undo_arguments(original, undoing.reversal)
            # Its key cannot be foreseen: an agent that had used it would have made its own action impossible to undo.
            draft = self._draft(unwind_task, contract, arguments, f"undo:{original.id}:{self._ids.new()}")
            bound = bind(contract, arguments, nonce=draft.nonce)
            draft = msgspec.structs.replace(
                draft,
                arguments=bound.arguments,
                digest=bound.digest,
                fingerprint=fingerprint(contract, bound.arguments),
                undoes=original.id,
                undo_attempt=original.undo_attempt + 1,
            )
            action, change = await self._judged(draft, contract, unwind_task, orders, undoing=undoing)
            moved = original.after("undo", undone_by=action.id, undo_attempt=action.undo_attempt)
            if action.state in ("denied", "refused", "shadowed"):
                moved = moved.after("undo_fail", reasons=action.reasons)
            after, fact = recorded(moved, "compensation", action.proposed_at)
            change = msgspec.structs.replace(change, puts=(*change.puts, after), facts=(*change.facts, fact))
            try:
                return await self._record(action, change)
            except Conflict as conflict:
                if conflict.kind != "control":
                    raise
                await self._orders.refresh()
        raise Conflict("the standing orders kept changing while this was decided", kind="control", key="control")

    # -- the steps ---------------------------------------------------------------------------------------------

    async def _decide(self, proposal: Proposal, orders: Orders) -> tuple[Action, Change]:
        # 1. Authenticated: the task is the program's handle, and the store says below that it is still as we hold it.
        task = proposal.task
        release = await self._orders.release(task.release)
        agent = await self._orders.agent(release.agent_digest)
        # 2. Bind. Until arguments fit the contract nothing else looks at them.
        contract_digest = release.contracts.get(proposal.contract)
        if contract_digest is None or proposal.contract not in agent.capabilities:
            return self._refused(proposal, "the agent has no such capability", "interlock.capability")
        if proposal.expected is not None and proposal.expected != contract_digest:
            return self._refused(
                proposal, "the contract in force is not the one this code carries", "interlock.contract-changed"
            )
        contract = await self._orders.contract(contract_digest)
        if proposal.unfit:
            return self._refused(proposal, proposal.unfit, "interlock.arguments", contract)
        key = proposal.idempotency_key or self._ids.new()
        draft = self._draft(task, contract, proposal.arguments, key)
        try:
            bound = bind(contract, proposal.arguments, nonce=draft.nonce)
        except ContractError as error:
            return self._refused(proposal, error.detail, "interlock.arguments", contract)
        draft = msgspec.structs.replace(
            draft,
            arguments=bound.arguments,
            digest=bound.digest,
            fingerprint=fingerprint(contract, bound.arguments),
            justification=proposal.justification,
            traceparent=proposal.traceparent,
        )
        self._steps.reached("propose.bound")
        # 3. Limits that need no policy.
        now = draft.proposed_at
        limit = await self._limit(
            draft, contract, task, agent.runtime.max_repeats, agent.runtime.max_depth, orders, now
        )
        if limit:
            refused, change = self._refused(proposal, limit, "interlock.limit", contract)
            # A refusal by a brake that was lifted since would never be found out: it leans on the orders like a decision.
            return refused, msgspec.structs.replace(change, given=(given(orders.control), given(task)))
        # 4. to 7.
        try:
            return await self._judged(draft, contract, task, orders, undoing=None, here=proposal.here)
        except ContractError as error:
            return self._refused(proposal, error.detail, "interlock.cost", contract)

    async def _judged(
        self,
        draft: Action,
        contract: Contract,
        task: Task,
        orders: Orders,
        *,
        undoing: Contract | None,
        here: bool = False,
    ) -> tuple[Action, Change]:
        # 4. Decide: policy over typed facts.
        release = await self._orders.release(task.release)
        agent = orders.agents.get(task.agent) or await self._orders.agent(release.agent_digest)
        case = Case(
            id=draft.id,
            contract=contract,
            arguments=draft.arguments,
            task=task,
            agent=agent,
            idempotency_key=draft.idempotency_key,
            undoing=undoing,
        )
        now = draft.proposed_at
        judgement = await self._decider.judge(case, orders, now)
        decision = judgement.decision
        draft = msgspec.structs.replace(draft, decision=decision, facts=judgement.facts, reasons=decision.reasons)
        self._steps.reached("propose.decided")
        # 5. Reserve, in the transaction that stores the decision.
        lives = decision.verdict in ("allow", "oblige", "require_approval", "escalate")
        draws = draws_of(draft, contract, task, orders) if lives else ()
        draft = msgspec.structs.replace(draft, reserved=draws)
        # 6. Hold, or 7. write the intent.
        action, phase = self._placed(draft, contract, task, decision, agent.approvals.within_ms, here=here)
        action, fact = recorded(action, phase, now)
        conditions = (given(orders.control),) if undoing is not None else (given(orders.control), given(task))
        return action, Change(puts=(action,), given=conditions, draws=draws, facts=(fact,))

    def _placed(
        self, draft: Action, contract: Contract, task: Task, decision: Decision, within_ms: int, *, here: bool
    ) -> tuple[Action, Phase]:
        now = draft.proposed_at
        match decision.verdict:
            case "deny":
                return _born(draft, "deny", ended_at=now), "decided"
            case "shadow":
                return _born(draft, "shadow", ended_at=now), "decided"
            case "require_approval" | "escalate":
                until = now + within_ms if draft.undoes is not None else min(now + within_ms, task.expires_at)
                asked = held(draft, contract, decision, until)
                return _born(draft, "hold", hold=asked, due_at=asked.expires_at), "decided"
            case "allow" | "oblige":
                if here and contract.two_phase is None and self._effectors.reaches(contract):
                    now = self._clock.now()  # deciding may have taken long, and the lease is the call's
                    until = now + self._timing.lease(contract)
                    return intent(_born(draft, "dispatch"), owner=self._worker, until=until, now=now), "dispatching"
                return _born(draft, "clear", due_at=now), "decided"
            case _:
                assert_never(decision.verdict)

    # -- parts -------------------------------------------------------------------------------------------------

    def _draft(self, task: Task, contract: Contract, arguments: dict[str, JsonValue], key: str) -> Action:
        """The action before anything was decided. Its state is a placeholder until `_born`."""
        nonce = self._ids.nonce()
        return Action(
            id=ActionId(self._ids.new()),
            task=task.id,
            agent=task.agent,
            release=task.release,
            contract=contract.name,
            contract_digest=contract.digest,
            arguments=arguments,
            nonce=nonce,
            digest=_digest_or_none(contract, arguments, nonce),
            idempotency_key=key,
            initiator=task.initiator,
            proposed_at=self._clock.now(),
            place=contract.target.name if isinstance(contract.target, InProcess) else "",
            state="refused",
        )

    async def _limit(
        self, draft: Action, contract: Contract, task: Task, max_repeats: int, max_depth: int, orders: Orders, now: int
    ) -> str:
        stop = brake(orders, task, contract, now)
        if stop is not None:
            return f"stopped: {stop.why}"
        refusal = task.refusal(contract.name, now)
        if refusal is not None:
            return refusal
        if task.depth > max_depth:
            return f"tasks may nest {max_depth} deep; this one is at {task.depth}"
        alike = ActionQuery(task=task.id, fingerprint=draft.fingerprint)
        if await self._store.count(alike) >= max_repeats:
            return f"the task asked for exactly this {max_repeats} times already"
        return ""

    def _refused(
        self, proposal: Proposal, why: str, rule: str, contract: Contract | None = None
    ) -> tuple[Action, Change]:
        """The action as refused. Its arguments did not pass, so only what can be written of them is kept."""
        now = self._clock.now()
        action = Action(
            id=ActionId(self._ids.new()),
            task=proposal.task.id,
            agent=proposal.task.agent,
            release=proposal.task.release,
            contract=proposal.contract,
            contract_digest=contract.digest if contract is not None else Digest(""),
            arguments=_storable(proposal.arguments),
            nonce=self._ids.nonce(),
            digest=Digest("0" * 64),
            idempotency_key=proposal.idempotency_key or self._ids.new(),
            initiator=proposal.task.initiator,
            proposed_at=now,
            ended_at=now,
            state=first("refuse"),
            reasons=(rule, why),
        )
        action, fact = recorded(action, "refused", now)
        return action, Change(puts=(action,), facts=(fact,))

    async def _record_or_refuse(self, proposal: Proposal, action: Action, change: Change) -> Action:
        try:
            return await self._record(action, change)
        except BudgetExceeded as error:
            contract = await self._orders.contract(action.contract_digest)
            refused, change = self._refused(proposal, error.detail, "interlock.budget", contract)
            return await self._record(refused, change)

    async def _record(self, action: Action, change: Change) -> Action:
        await save(self._store, change)
        if action.state == "dispatching":
            self._intents.wrote(action)
        self._steps.reached("propose.recorded")
        return action.saved()

    async def _repeat(self, proposal: Proposal) -> Action | None:
        if proposal.idempotency_key is None:
            return None
        found = await self._store.by_idempotency_key(proposal.task.agent, proposal.idempotency_key)
        if found is None:
            return None
        if found.contract != proposal.contract or not await self._same(found, proposal):
            raise KeyReused(f"the key `{proposal.idempotency_key}` belongs to action {found.id} with other arguments")
        return found

    async def _same(self, found: Action, proposal: Proposal) -> bool:
        if not found.contract_digest or found.state == "refused":
            return found.arguments == _storable(proposal.arguments)
        if proposal.unfit:
            return False
        contract = await self._orders.contract(found.contract_digest)
        try:
            again = bind(contract, proposal.arguments, nonce=found.nonce)
        except ContractError:
            return False
        return fingerprint(contract, again.arguments) == found.fingerprint

    async def _renew(self, proposal: Proposal, conflict: Conflict) -> Proposal:
        """What the decision leaned on changed: read it again."""
        await self._orders.refresh()
        task = await self._store.get(Task, proposal.task.id)
        if task is None:
            raise NotFound(f"there is no task `{proposal.task.id}`") from conflict
        return msgspec.structs.replace(proposal, task=task)


def _born(draft: Action, move: Move, **changes: object) -> Action:
    return msgspec.structs.replace(draft, state=first(move), **changes)


def _named(contracts: dict[ContractName, Digest], name: ContractName) -> Digest:
    if name not in contracts:
        raise NotFound(f"the release has no contract `{name}`", next_step="run `interlock apply`")
    return contracts[name]


def _digest_or_none(contract: Contract, arguments: dict[str, JsonValue], nonce: str) -> Digest:
    try:
        return action_digest(contract, arguments, nonce)
    except CanonicalError:
        return Digest("0" * 64)


def _must_be_writable(proposal: Proposal) -> None:
    """The words around the arguments go into records and evidence as they are."""
    words: dict[str, JsonValue] = {
        "contract": proposal.contract,
        "idempotency_key": proposal.idempotency_key,
        "justification": proposal.justification,
        "traceparent": proposal.traceparent,
    }
    for name, text in words.items():
        try:
            encode(text, max_bytes=MAX_WORD_BYTES)
        except CanonicalError as error:
            raise ContractError(f"`{name}`: {error.reason}", path=f"/{name}") from None


def _storable(arguments: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Arguments that were refused, if they can be written down at all."""
    try:
        digest(arguments)
    except CanonicalError:
        return {}
    return arguments
