"""What whoever holds a task may do beside acting in it: close it, hear what failed inside, say what a use of a model took, and
read what became of its actions.

1. Who asks is proven as for an action: a credential of ours, and a proof by its key over exactly this call. Which release is in
   force is not asked: who may act no more still closes, settles and reads what is its own.
2. Neither the instance nor its credential was revoked.
3. Only then is what the call is about looked for, and must be the caller's.
4. What changes something spends the proof in the same commit. What only reads spends nothing: made again within half a minute,
   as long as a proof counts, it gives the same answer to whoever could listen to the first.
"""

from typing import Final, NamedTuple

from interlock.domain.action import Action
from interlock.domain.asking import (
    claim_call,
    close_call,
    failures_call,
    prove_call,
    report_call,
    settle_call,
    wait_call,
)
from interlock.domain.bounds import beyond
from interlock.domain.child_failure import ChildFailure
from interlock.domain.claimed import Report
from interlock.domain.errors import KeyFileError, NotAllowed
from interlock.domain.ids import ActionId, AgentName, TaskId, UseId
from interlock.domain.possession import Call
from interlock.domain.presented import Presented
from interlock.domain.revocation import caller_marks, revoked
from interlock.domain.spiffe import plane_id
from interlock.domain.task import Task
from interlock.domain.use import TokenCount, Use
from interlock.ports.clock import Clock
from interlock.ports.issuer import Issuer
from interlock.ports.store import Store
from interlock.services.admission import Admission, Admitted, once, refused
from interlock.services.known_actions import stored_action
from interlock.services.known_tasks import stored_task
from interlock.services.orders import StandingOrders
from interlock.services.tasks import Tasks
from interlock.services.uses import Uses

_REVOKED: Final = "start the program anew, once you know why"


class _Who(NamedTuple):
    """Who asks, as it was proven."""

    agent: AgentName
    admitted: Admitted


class Holders:
    """Where instances are heard about what is their own."""

    def __init__(
        self,
        *,
        store: Store,
        orders: StandingOrders,
        tasks: Tasks,
        uses: Uses,
        admission: Admission,
        issuer: Issuer | None,
        clock: Clock,
    ) -> None:
        self._store = store
        self._orders = orders
        self._tasks = tasks
        self._uses = uses
        self._admission = admission
        self._issuer = issuer
        self._clock = clock

    async def close(self, task_id: TaskId, presented: Presented, *, failure: str = "") -> None:
        """Close the task for the instance that holds it. Closing twice is once. Raises NotFound and NotAllowed."""
        who = await self._who(presented, close_call(task_id, failure, self._audience))
        task = await self._own(task_id, who)
        if task.state != "open":
            await self._must_be_fresh(who)
            return
        await once(self._tasks.close(task, failure=failure, spent=who.admitted.spent))

    async def failures(
        self, task_id: TaskId, presented: Presented, children: frozenset[TaskId] | None = None
    ) -> tuple[ChildFailure, ...]:
        """What failed right inside the task, for the instance that holds it. This is looking: see `Tasks.failures`."""
        who = await self._who(presented, failures_call(task_id, children, self._audience))
        await self._own(task_id, who)
        return await once(self._tasks.failures(task_id, children, spent=who.admitted.spent))

    async def settle(self, name: UseId, presented: Presented, used: TokenCount | None) -> Use:
        """What a use took, by the instance that holds its task. Raises NotFound and NotAllowed; see `Uses.settle`."""
        who = await self._who(presented, settle_call(name, used, self._audience))
        use = await self._uses.of(name)
        await self._own(use.task, who)
        if use.state != "open":
            await self._must_be_fresh(who)
        return await once(self._uses.settle(name, used, spent=who.admitted.spent))

    async def waits(
        self, action_id: ActionId, presented: Presented, *, within: TaskId | None, timeout_ms: int | None
    ) -> Action:
        """The action as it stands, for whoever may wait for it. Raises NotFound and NotAllowed."""
        call = wait_call(action_id, within, timeout_ms, self._audience)
        return await self._readable(action_id, within, await self._who(presented, call))

    async def proves(
        self, action_id: ActionId, presented: Presented, *, within: TaskId | None, anchored: bool
    ) -> Action:
        """The action, for whoever may have the proof of its last entry. Raises NotFound and NotAllowed."""
        call = prove_call(action_id, within, anchored, self._audience)
        return await self._readable(action_id, within, await self._who(presented, call))

    async def claims(self, action_id: ActionId, presented: Presented, claim: str) -> tuple[Action, str]:
        """The action, for the instance that holds its task and asks to make its call, and that instance. Raises NotFound and
        NotAllowed."""
        return await self._theirs(action_id, presented, claim_call(action_id, claim, self._audience))

    async def reports(
        self, action_id: ActionId, presented: Presented, claim: str, report: Report
    ) -> tuple[Action, str]:
        """The action, for the instance that holds its task and says what came of its call, and that instance. Raises NotFound and
        NotAllowed."""
        return await self._theirs(action_id, presented, report_call(action_id, claim, report, self._audience))

    # -- parts -------------------------------------------------------------------------------------------------

    @property
    def _audience(self) -> str:
        if self._issuer is None:
            raise KeyFileError("this control plane hears no instances: it holds no key that signs their credentials")
        return plane_id(self._issuer.trust_domain)

    async def _who(self, presented: Presented, call: Call) -> _Who:
        """Steps 1 and 2."""
        found = self._admission.possessed(presented, call)
        if isinstance(found, str):
            raise refused(found)
        agent, admitted = found
        if admitted.caller is not None:
            control = (await self._orders.refresh()).control
            taken = revoked(control.revocations, caller_marks(admitted.caller))
            if taken is not None:
                raise NotAllowed(await self._orders.taken(taken), next_step=_REVOKED)
        return _Who(agent, admitted)

    async def _own(self, task_id: TaskId, who: _Who) -> Task:
        """Step 3, of a task."""
        task = await stored_task(self._store, task_id)
        if task.agent != who.agent:
            raise refused("credential_agent")
        if not who.admitted.holds(task):
            raise refused("task_instance" if task.delegated is None else "token_holder")
        return task

    async def _theirs(self, action_id: ActionId, presented: Presented, call: Call) -> tuple[Action, str]:
        """Steps 1 to 3, of an action that is the caller's to carry out. A claim and a report change what they change once, by the
        lease they are made under: made again they find it as it is."""
        who = await self._who(presented, call)
        action = await stored_action(self._store, action_id)
        await self._own(action.task, who)
        return action, who.admitted.instance

    async def _readable(self, action_id: ActionId, within: TaskId | None, who: _Who) -> Action:
        """Step 3, of an action: that of whoever holds its task; once that is over and nobody can take it over any more, of any
        instance of its agent; and of whoever was given it for its idempotency key, in a task of its own."""
        action = await stored_action(self._store, action_id)
        task = await stored_task(self._store, action.task)
        if task.agent != who.agent:
            raise refused("credential_agent")
        over = task.state != "open" or self._clock.now() >= task.expires_at
        if who.admitted.holds(task) or over or await self._given_again(action, within, who):
            return action
        raise refused("task_instance" if task.delegated is None else "token_holder")

    async def _given_again(self, action: Action, within: TaskId | None, who: _Who) -> bool:
        """Whether the same key in the task `within` gives this action: then its holder may know of it."""
        if within is None or within == action.task:
            return False
        task = await self._own(within, who)
        if task.delegated is not None or task.initiator != action.initiator:
            return False
        if not action.contract_digest:
            return True  # it was refused before anything was known of it
        contract = await self._orders.contract(action.contract_digest)
        return contract.name not in task.prohibited and beyond(task, contract, action.arguments, None) is None

    async def _must_be_fresh(self, who: _Who) -> None:
        """Where nothing is left to be changed nothing can spend a proof: one that was used is refused all the same."""
        if await self._store.spent(who.admitted.spent):
            raise refused("proof_replayed")
