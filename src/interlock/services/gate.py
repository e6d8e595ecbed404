"""Every proposed action passes here. Steps 1 to 6 of its life, and the first write of step 7.

What is written is written once: the action as decided, its budget, and the fact that says why, in one transaction that
holds only if the standing orders and the task are still what the decision leaned on. An action that is allowed and can
run right here is stored as `dispatching` in that same transaction, so intent precedes effect at the price of one write.
"""

import msgspec

from interlock.domain.action import Action
from interlock.domain.agent import Runtime
from interlock.domain.binding import bind, fingerprint
from interlock.domain.bounds import GIVEN, Beyond, beyond
from interlock.domain.chain import Chain
from interlock.domain.change import Change, given
from interlock.domain.contract import NO_CONTRACT, Contract
from interlock.domain.control import REFUSES
from interlock.domain.errors import (
    BudgetExceeded,
    Conflict,
    ContractError,
    CredentialStale,
    KeyReused,
    RateExceeded,
)
from interlock.domain.ids import AgentName, is_id
from interlock.domain.presented import SPENT, Code, Spent
from interlock.domain.proposal import Proposal
from interlock.domain.said_beside import must_be_writable
from interlock.domain.stating import Beginning
from interlock.domain.task import Task
from interlock.ports.steps import Steps
from interlock.ports.store import ActionQuery, Store
from interlock.services.admission import Admitted, Door, let_in, of_another, words
from interlock.services.drafting import Drafts, storable
from interlock.services.habits import Habits
from interlock.services.intents import Intents
from interlock.services.judging import Judging
from interlock.services.known_tasks import KnownTasks
from interlock.services.orders import Orders, StandingOrders
from interlock.services.saving import save

MAX_ROUNDS = 20
"""How often a proposal is decided again because the orders changed while it was being decided."""


class Gate:
    """Takes proposals; gives actions that are refused, denied, shadowed, held, ready or dispatching here."""

    def __init__(
        self,
        *,
        store: Store,
        orders: StandingOrders,
        drafts: Drafts,
        judging: Judging,
        steps: Steps,
        intents: Intents,
        door: Door,
    ) -> None:
        self._door = door
        self._habits = Habits()
        self._store = store
        self._tasks = KnownTasks(store)
        self._orders = orders
        self._drafts = drafts
        self._judging = judging
        self._steps = steps
        self._intents = intents

    async def must_be_repeatable(self, agent: AgentName, key: str) -> None:
        """Raises KeyReused where everything private of the action with this key is gone: it is to be asked before a task is
        opened for a repeat, which would name whom the erased one was for."""
        found = await self._store.by_idempotency_key(agent, key)
        if found is not None:
            _must_be_readable(found, key)

    async def propose(self, proposal: Proposal) -> Action:
        """Decide `proposal` and store what came of it. A key that was used before gives the first action back.

        A call that is not proven to be an instance's of the task's agent is refused before anything else looks at it.
        Raises CredentialStale when another release came into force meanwhile, KeyReused when the key comes back with other
        arguments, ContractError when its words cannot be written down, NotFound when the task's release is unknown, and
        StoreErrors, after which nothing was decided and nothing may run.
        """
        must_be_writable(proposal)
        proposal = msgspec.structs.replace(proposal, task=await self._tasks.of(proposal.task))
        # It stands in the log in the open: nobody's words may.
        request = proposal.request if is_id(proposal.request) else self._drafts.key()
        received_at = self._drafts.now()
        admitted = await let_in(proposal, self._door, self._orders)
        if isinstance(admitted, str):
            return await self._turned_away(proposal, admitted, request, received_at)
        if admitted.caller is not None:
            # Whatever the call says of that itself is nothing.
            proposal = msgspec.structs.replace(proposal, instance=admitted.caller.instance)
        repeat = await self._repeat(proposal, admitted)
        if repeat is not None:
            if await self._store.spent(admitted.spent):
                return await self._turned_away(proposal, "proof_replayed", request, received_at)
            return repeat
        for round_ in range(MAX_ROUNDS):
            orders = await self._orders.current()
            code = self._door.standing(admitted, proposal.task.agent, orders.control)
            # The task may have been read again since the call was let in.
            code = code or of_another(proposal.task, admitted)
            if code == "credential_release" and round_:
                raise CredentialStale("another release came into force while this was decided")
            if code is not None:
                return await self._turned_away(proposal, code, request, received_at)
            beginning = Beginning(
                request=request,
                received_at=received_at,
                task=proposal.task,
                behaviour=await self._orders.behaviour(proposal.task.release),
                proposed=proposal.arguments,
                caller=admitted.caller,
            )
            action, change = await self._decide(proposal, orders, beginning, admitted.chain)
            try:
                return await self._record_or_refuse(proposal, beginning, action, change, admitted)
            except Conflict as conflict:
                if conflict.kind == SPENT:
                    return await self._turned_away(proposal, "proof_replayed", request, received_at)
                repeat = await self._repeat(proposal, admitted)
                if repeat is not None:
                    return repeat
                proposal = await self._renew(proposal)
        raise Conflict("the standing orders kept changing while this was decided", kind="control", key="control")

    # -- the steps ---------------------------------------------------------------------------------------------

    async def _decide(
        self, proposal: Proposal, orders: Orders, beginning: Beginning, chain: Chain | None
    ) -> tuple[Action, Change]:
        # 1. Authenticated, by the caller: see `services/admission.py`. The task is the stored one, whatever the caller holds.
        task = proposal.task
        release = await self._orders.release(task.release)
        agent = await self._orders.agent(release.agent_digest)
        # 2. Bind. Until arguments fit the contract nothing else looks at them.
        contract_digest = release.contracts.get(proposal.contract)
        if contract_digest is None or proposal.contract not in agent.capabilities:
            why = "the agent has no such capability"
            if contract_digest is None and proposal.contract not in orders.contracts:
                # Whatever an agent calls what is no contract is its own words: they must not stand in the open.
                why = f"{why}: `{proposal.contract}` is no contract"
                proposal = msgspec.structs.replace(proposal, contract=NO_CONTRACT)
            return self._drafts.refused(proposal, beginning, why, "interlock.capability")
        if proposal.expected is not None and proposal.expected != contract_digest:
            return self._drafts.refused(
                proposal,
                beginning,
                "the contract in force is not the one this code carries",
                "interlock.contract-changed",
            )
        contract = await self._orders.contract(contract_digest)
        if proposal.unfit:
            return self._drafts.refused(proposal, beginning, proposal.unfit, "interlock.arguments", contract)
        key = proposal.idempotency_key or self._drafts.key()
        try:
            draft = self._drafts.bound(task, contract, proposal.arguments, key)
        except ContractError as error:
            return self._drafts.refused(proposal, beginning, error.detail, "interlock.arguments", contract)
        draft = msgspec.structs.replace(
            draft,
            justification=proposal.justification,
            traceparent=proposal.traceparent,
            confidence=proposal.confidence,
            kpi=proposal.kpi,
            caller=beginning.caller,
        )
        self._steps.reached("propose.bound")
        # 3. Limits that need no policy.
        taken = await self._orders.revoked(orders, task, beginning.caller, chain)
        rule, limit = "interlock.revoked", "" if taken is None else await self._orders.taken(taken)
        if not limit:
            limit = await self._limit(draft, contract, task, agent.runtime, orders, proposal.instance)
            rule = "interlock.limit"
        if not limit:
            over = beyond(task, contract, draft.arguments, orders.rights_of(task.initiator))
            rule, limit = over or _handed(chain, contract, draft) or (rule, limit)
        if limit:
            refused, change = self._drafts.refused(proposal, beginning, limit, rule, contract)
            # A refusal by a brake that was lifted since would never be found out: it leans on the orders like a decision.
            return refused, msgspec.structs.replace(change, given=(given(orders.control), given(task)))
        # 4. to 7.
        try:
            return await self._judging.judged(
                draft,
                contract,
                task,
                orders,
                beginning,
                undoing=None,
                here=proposal.here,
                instance=proposal.instance,
                unusual=self._habits.unusual(
                    orders.baselines.get(task.agent), contract, draft.arguments, draft.proposed_at
                ),
            )
        except ContractError as error:
            return self._drafts.refused(proposal, beginning, error.detail, "interlock.cost", contract)

    # -- parts -------------------------------------------------------------------------------------------------

    async def _limit(
        self, draft: Action, contract: Contract, task: Task, runtime: Runtime, orders: Orders, instance: str
    ) -> str:
        """Why the action may not even be decided, or nothing."""
        now = draft.proposed_at
        state = orders.control.state_of(task.agent)
        if state != "active":
            return f"agent `{task.agent}` is {state}"
        stop = await self._orders.brake(orders, task, contract, now, action=draft.id, instance=instance, modes=REFUSES)
        if stop is not None:
            return await self._orders.stopped(stop)
        refusal = task.refusal(contract.name, now)
        if refusal is not None:
            return refusal
        if task.depth > runtime.max_depth:
            return f"tasks may nest {runtime.max_depth} deep; this one is at {task.depth}"
        alike = ActionQuery(task=task.id, fingerprint=draft.fingerprint)
        if await self._store.count(alike) >= runtime.max_repeats:
            return f"the task asked for exactly this {runtime.max_repeats} times already"
        return ""

    async def _turned_away(self, proposal: Proposal, code: Code, request: str, received_at: int) -> Action:
        """The call as refused. Nobody knows whose it is: of what it brought nothing is kept, and it takes no key."""
        known = proposal.contract in (await self._orders.current()).contracts
        bare = Proposal(task=proposal.task, contract=proposal.contract if known else NO_CONTRACT, arguments={})
        beginning = Beginning(
            request=request,
            received_at=received_at,
            task=proposal.task,
            behaviour=await self._orders.behaviour(proposal.task.release),
            proposed={},
        )
        refused, change = self._drafts.refused(bare, beginning, words(code), f"interlock.{code}")
        return await self._record(refused, change)

    async def _record_or_refuse(
        self, proposal: Proposal, beginning: Beginning, action: Action, change: Change, admitted: Admitted
    ) -> Action:
        try:
            return await self._record(action, change, admitted.spent)
        except (BudgetExceeded, RateExceeded) as error:
            rule = "interlock.budget" if isinstance(error, BudgetExceeded) else "interlock.rate"
            contract = await self._orders.contract(action.contract_digest)
            refused, change = self._drafts.refused(proposal, beginning, error.detail, rule, contract)
            return await self._record(refused, change, admitted.spent)

    async def _record(self, action: Action, change: Change, spent: tuple[Spent, ...] = ()) -> Action:
        await save(self._store, msgspec.structs.replace(change, spent=spent) if spent else change)
        if action.state == "dispatching":
            self._intents.wrote(action)
        if action.decision is not None:
            self._habits.decided(action.agent, action.proposed_at)
        self._steps.reached("propose.recorded")
        return action.saved()

    async def _repeat(self, proposal: Proposal, admitted: Admitted) -> Action | None:
        if proposal.idempotency_key is None:
            return None
        found = await self._store.by_idempotency_key(proposal.task.agent, proposal.idempotency_key)
        if found is None:
            return None
        _must_be_readable(found, proposal.idempotency_key)
        if found.initiator != proposal.task.initiator:
            # What was decided, agreed to and answered for one person is not another's, whatever program asks for both.
            raise KeyReused(
                f"the key `{proposal.idempotency_key}` belongs to an action on behalf of somebody else",
                next_step="make the key name for whom the action is, too",
            )
        if found.contract != proposal.contract or not await self._same(found, proposal):
            raise KeyReused(f"the key `{proposal.idempotency_key}` belongs to action {found.id} with other arguments")
        if found.task != proposal.task.id and await self._not_for(proposal, found, admitted):
            raise KeyReused(
                f"the key `{proposal.idempotency_key}` belongs to action {found.id}, and this task was not given that",
                next_step="ask in a task that may do it",
            )
        return found

    async def _not_for(self, proposal: Proposal, found: Action, admitted: Admitted) -> bool:
        """Whether what another task did is beyond this one: a key can be guessed, and what came of an action is told with it."""
        task = proposal.task
        if await self._orders.revoked(await self._orders.refresh(), task, admitted.caller, admitted.chain) is not None:
            return True
        if not found.contract_digest:
            return False  # it was refused before anything was known of it
        contract = await self._orders.contract(found.contract_digest)
        if contract.name in task.prohibited or _handed(admitted.chain, contract, found) is not None:
            return True
        return beyond(task, contract, found.arguments, None) is not None

    async def _same(self, found: Action, proposal: Proposal) -> bool:
        if not found.contract_digest or found.state == "refused":
            return found.arguments == storable(proposal.arguments)
        if proposal.unfit:
            return False
        contract = await self._orders.contract(found.contract_digest)
        try:
            again = bind(contract, proposal.arguments, nonce=found.nonce)
        except ContractError:
            return False
        if fingerprint(contract, again.arguments) == found.fingerprint:
            return True
        # What was proposed before texts were written in one way, and altered by nobody, is the same if it would be now.
        if found.withheld or fingerprint(contract, found.arguments) != found.fingerprint:
            return False
        try:
            return again.arguments == bind(contract, found.arguments, nonce=found.nonce).arguments
        except ContractError:
            return False

    async def _renew(self, proposal: Proposal) -> Proposal:
        """What the decision leaned on changed: read it again."""
        await self._orders.refresh()
        return msgspec.structs.replace(proposal, task=await self._tasks.read(proposal.task.id))


def _handed(chain: Chain | None, contract: Contract, draft: Action) -> Beyond | None:
    """Why the last token that the call shows does not grant it: that may be less by now than the task was given."""
    refusal = None if chain is None else chain.granted(contract.name, draft.arguments)
    return None if refusal is None else Beyond(GIVEN, refusal.detail)


def _must_be_readable(found: Action, key: str) -> None:
    if found.withheld:
        raise KeyReused(
            f"the key `{key}` belongs to action {found.id}, of which everything private is {found.withheld}: it is not executed "
            "again",
            next_step="use a new key for a new action; this one was already taken",
        )
