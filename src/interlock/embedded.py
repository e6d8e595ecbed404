"""The control plane inside this process: what the SDK talks to when there is no server."""

from interlock.domain.action import SETTLED, Action
from interlock.domain.child_failure import ChildFailure
from interlock.domain.enrolling import Enrolling, Expected
from interlock.domain.entry_proof import EntryProof
from interlock.domain.errors import NotFound
from interlock.domain.handover import Opened
from interlock.domain.ids import ActionId, AgentName, TaskId, UseId
from interlock.domain.presented import Presented
from interlock.domain.proposal import Proposal
from interlock.domain.task import Opening, Task
from interlock.domain.use import TokenCount, Use
from interlock.services.plane import ControlPlane

POLL_MS = 1_000
"""How long one wait for news lasts at most; news of any process ends it early."""


class Embedded:
    """`ports.plane.Plane` by calling the services directly. What can run here runs here; workers may do the rest."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane

    async def expected(self, agent: AgentName) -> Expected:
        """What instances of an agent are to show."""
        return await self._plane.enrolment.expected(agent)

    async def enrol(self, asked: Enrolling) -> str:
        """The credential of an instance of this program."""
        return await self._plane.enrolment.enrol(asked)

    async def token(self, task: TaskId, presented: Presented) -> str:
        """A token of a task for whoever acts in it."""
        return await self._plane.delegating.token(task, presented)

    async def open_chain(self, asked: Opened, presented: Presented) -> Task:
        """The task that the last token of a chain names."""
        return await self._plane.delegating.open(asked, presented)

    async def open_task(self, opening: Opening, presented: Presented | None = None) -> Task:
        """Open a task for an agent in force."""
        if presented is None:
            return await self._plane.tasks.open(opening)
        return await self._plane.beginnings.open(opening, presented)

    async def resume_task(self, task: TaskId, agent: AgentName, presented: Presented) -> Task:
        """Take over a task that another instance began."""
        return await self._plane.beginnings.resume(task, agent, presented)

    async def close_task(self, task: Task, *, failure: str = "") -> None:
        """No more actions in it, nor in those inside it."""
        await self._plane.tasks.close(task, failure=failure)

    async def failures(self, task: Task, children: frozenset[TaskId] | None = None) -> tuple[ChildFailure, ...]:
        """What failed inside it and nobody looked at."""
        return await self._plane.tasks.failures(task.id, children)

    async def propose(self, proposal: Proposal) -> Action:
        """Propose, and run it here if it is allowed and this process can."""
        action = await self._plane.gate.propose(proposal)
        if (
            action.state == "dispatching"
            and action.owner == self._plane.means.worker
            and action.lease_until is not None
        ):
            return await self._plane.execution.drive(action)
        return await self._further(action) if proposal.here else action

    async def begin_use(self, proposal: Proposal) -> Use:
        """Reserve what a use of a model may take at most."""
        return await self._plane.uses.begin(proposal)

    async def settle_use(self, name: UseId, used: TokenCount | None) -> Use:
        """What it took."""
        return await self._plane.uses.settle(name, used)

    async def wait(self, action_id: ActionId, *, timeout_ms: int | None) -> Action:
        """Wait until the action's caller has an answer; run it here when it becomes ready and nobody else has it."""
        clock, store = self._plane.means.clock, self._plane.means.store
        until = None if timeout_ms is None else clock.now() + timeout_ms
        while True:
            action = await store.get(Action, action_id)
            if action is None:
                raise NotFound(f"there is no action `{action_id}`")
            action = await self._further(action)
            left = POLL_MS if until is None else until - clock.now()
            if action.state in SETTLED or left <= 0:
                return action
            due = POLL_MS if action.due_at is None else max(action.due_at - clock.now(), 1)
            await store.changed(timeout_ms=min(left, POLL_MS, due))

    async def proof(self, action_id: ActionId, *, anchored: bool) -> EntryProof:
        """What proves the last entry of an action, under the head or the latest anchored checkpoint."""
        audit = self._plane.audit
        return await audit.proof(action_id, note=await audit.anchored() if anchored else None)

    async def close(self) -> None:
        """Let go of the store."""
        await self._plane.means.store.close()

    async def _further(self, action: Action) -> Action:
        """Take `action` up if it is due and can run here."""
        now = self._plane.means.clock.now()
        if action.state in SETTLED or action.due_at is None or action.due_at > now:
            return action
        if action.state != "held":
            contract = await self._plane.orders.contract(action.contract_digest)
            if not self._plane.means.effectors.reaches(contract):
                return action
        for claimed in await self._plane.execution.claim(places=("", action.place), only=action.id, limit=1):
            return await self._plane.execution.drive(claimed)
        return action
