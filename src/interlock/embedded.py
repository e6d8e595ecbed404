"""The control plane inside this process: what the SDK talks to when there is no server, and what a server lets others talk to."""

from typing import Final

import msgspec

from interlock.domain.action import SETTLED, Action
from interlock.domain.child_failure import ChildFailure
from interlock.domain.claimed import Claimed, Report
from interlock.domain.enrolling import LOCAL, Enrolling, Expected
from interlock.domain.entry_proof import EntryProof
from interlock.domain.errors import ContractError, NotAllowed
from interlock.domain.filtering import published
from interlock.domain.handover import Opened
from interlock.domain.ids import ActionId, AgentName, TaskId, UseId
from interlock.domain.presented import Presented
from interlock.domain.proposal import Proposal
from interlock.domain.task import Opening, Task
from interlock.domain.use import TokenCount, Use
from interlock.services.admission import refused
from interlock.services.plane import ControlPlane

POLL_MS: Final = 1_000
"""How long one wait for news lasts at most; news of any process ends it early."""
LONGEST_MS: Final = 30_000
"""How long one call waits at most. Whoever asks again shows again who it is."""


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

    async def open_task(self, opening: Opening, presented: Presented) -> Task:
        """Open a task for an agent in force."""
        return await self._plane.beginnings.open(opening, presented)

    async def resume_task(self, task: TaskId, agent: AgentName, presented: Presented) -> Task:
        """Take over a task that another instance began."""
        return await self._plane.beginnings.resume(task, agent, presented)

    async def close_task(self, task: TaskId, presented: Presented, *, failure: str = "") -> None:
        """No more actions in it, nor in those inside it."""
        await self._plane.holders.close(task, presented, failure=failure)

    async def failures(
        self, task: TaskId, presented: Presented, children: frozenset[TaskId] | None = None
    ) -> tuple[ChildFailure, ...]:
        """What failed inside it and nobody looked at."""
        return await self._plane.holders.failures(task, presented, children)

    async def propose(self, proposal: Proposal) -> Action:
        """Propose, and run it here if it is allowed and this process can."""
        action = await self._plane.gate.propose(proposal)
        if (
            action.state == "dispatching"
            and action.owner == self._plane.means.worker
            and action.lease_until is not None
        ):
            return await self._plane.execution.drive(action)
        # Whoever only asks whether people are to decide is told when they have not in time.
        return await self._further(action) if proposal.here or action.state == "held" else action

    async def answer(self, proposal: Proposal) -> Action:
        """The agent's answer to a reviewer's question."""
        return await self._plane.inquiring.answer(proposal)

    async def begin_use(self, proposal: Proposal) -> Use:
        """Reserve what a use of a model may take at most."""
        return await self._plane.uses.begin(proposal)

    async def settle_use(self, name: UseId, presented: Presented, used: TokenCount | None) -> Use:
        """What it took."""
        return await self._plane.holders.settle(name, presented, used)

    async def wait(
        self, action_id: ActionId, presented: Presented, *, timeout_ms: int, within: TaskId | None = None
    ) -> Action:
        """Wait until the action's caller has an answer; run it here when it becomes ready and nobody else has it."""
        clock, store = self._plane.means.clock, self._plane.means.store
        action = await self._plane.holders.waits(action_id, presented, within=within, timeout_ms=timeout_ms)
        until = clock.now() + min(timeout_ms, LONGEST_MS)
        while True:
            action = await self._further(action)
            left = until - clock.now()
            if action.state in SETTLED or left <= 0 or await self._is_theirs(action):
                return action
            due = POLL_MS if action.due_at is None else max(action.due_at - clock.now(), 1)
            await store.changed(timeout_ms=min(left, POLL_MS, due))
            action = await store.get(Action, action_id) or action

    async def claim(self, action_id: ActionId, presented: Presented, claim: str) -> Claimed:
        """The call of an action whose tool is the caller's own."""
        action, instance = await self._plane.holders.claims(action_id, presented, claim)
        return await self._plane.handing_out.claim(action, instance, claim)

    async def report(self, action_id: ActionId, presented: Presented, claim: str, report: Report) -> Claimed:
        """What came of that call."""
        action, instance = await self._plane.holders.reports(action_id, presented, claim, report)
        return await self._plane.handing_out.report(action, instance, claim, report)

    async def proof(
        self, action_id: ActionId, presented: Presented, *, anchored: bool, within: TaskId | None = None
    ) -> EntryProof:
        """What proves the last entry of an action, under the head or the latest anchored checkpoint."""
        audit = self._plane.audit
        await self._plane.holders.proves(action_id, presented, within=within, anchored=anchored)
        return await audit.proof(action_id, note=await audit.anchored() if anchored else None)

    async def close(self) -> None:
        """Let go of the store."""
        await self._plane.close()

    async def _is_theirs(self, action: Action) -> bool:
        """Whether the caller itself has to do what is due, so that it must not go on waiting for us."""
        del action
        return False

    async def _further(self, action: Action) -> Action:
        """Take `action` up if it is due and can run here."""
        now = self._plane.means.clock.now()
        if action.state in SETTLED or action.due_at is None or action.due_at > now:
            return action
        if action.state != "held":
            contract = await self._plane.orders.contract(action.contract_digest)
            if not self._plane.means.effectors.reaches(contract, action.idempotency_key):
                return action
        for claimed in await self._plane.execution.claim(places=("", action.place), only=action.id, limit=1):
            return await self._plane.execution.drive(claimed)
        return action


class Outside(Embedded):
    """The same for callers from outside of this process, over whatever brings them.

    A task that nobody who showed anything opened is nobody's there until an instance takes it over; being in this process is
    no way to be recognised; what a tool gave is told without what only its undo may read.
    """

    async def enrol(self, asked: Enrolling) -> str:
        """The credential of an instance that something vouches for."""
        if asked.by == LOCAL and not asked.credential:
            raise NotAllowed(
                "nobody is recognised from outside by being here",
                next_step="bring what vouches for the program: `interlock identity token AGENT` makes one",
            )
        return await super().enrol(asked)

    async def token(self, task: TaskId, presented: Presented) -> str:
        """See `Embedded`, as of all below."""
        return await super().token(task, _outside(presented))

    async def open_chain(self, asked: Opened, presented: Presented) -> Task:
        """The task that the last token of a chain names."""
        return await super().open_chain(asked, _outside(presented))

    async def open_task(self, opening: Opening, presented: Presented) -> Task:
        """Open a task for an agent in force."""
        inside = msgspec.structs.replace(opening, through="", epoch=None)
        return await super().open_task(inside, _outside(presented))

    async def resume_task(self, task: TaskId, agent: AgentName, presented: Presented) -> Task:
        """Take over a task that another instance began."""
        return await super().resume_task(task, agent, _outside(presented))

    async def close_task(self, task: TaskId, presented: Presented, *, failure: str = "") -> None:
        """No more actions in it, nor in those inside it."""
        await super().close_task(task, _outside(presented), failure=failure)

    async def failures(
        self, task: TaskId, presented: Presented, children: frozenset[TaskId] | None = None
    ) -> tuple[ChildFailure, ...]:
        """What failed inside it and nobody looked at."""
        return await super().failures(task, _outside(presented), children)

    async def propose(self, proposal: Proposal) -> Action:
        """Propose, and run it here if it is allowed and this process can."""
        return published(await super().propose(_brought(proposal)))

    async def answer(self, proposal: Proposal) -> Action:
        """The agent's answer to a reviewer's question."""
        return published(await super().answer(_brought(proposal)))

    async def begin_use(self, proposal: Proposal) -> Use:
        """Reserve what a use of a model may take at most."""
        if "relayed" in proposal.arguments:
            # That Interlock asks the model itself nobody else can say.
            raise ContractError(
                "a program that asks a model itself says `model`, `tokens` and `lasts_ms`", path="/relayed"
            )
        return await super().begin_use(_brought(proposal))

    async def settle_use(self, name: UseId, presented: Presented, used: TokenCount | None) -> Use:
        """What it took."""
        return await super().settle_use(name, _outside(presented), used)

    async def wait(
        self, action_id: ActionId, presented: Presented, *, timeout_ms: int, within: TaskId | None = None
    ) -> Action:
        """Wait until the action's caller has an answer."""
        found = await super().wait(action_id, _outside(presented), timeout_ms=timeout_ms, within=within)
        return published(found)

    async def claim(self, action_id: ActionId, presented: Presented, claim: str) -> Claimed:
        """The call of an action whose tool is the caller's own."""
        found = await super().claim(action_id, _outside(presented), claim)
        return msgspec.structs.replace(found, action=published(found.action))

    async def report(self, action_id: ActionId, presented: Presented, claim: str, report: Report) -> Claimed:
        """What came of that call."""
        found = await super().report(action_id, _outside(presented), claim, report)
        return msgspec.structs.replace(found, action=published(found.action))

    async def proof(
        self, action_id: ActionId, presented: Presented, *, anchored: bool, within: TaskId | None = None
    ) -> EntryProof:
        """What proves the last entry of an action."""
        return await super().proof(action_id, _outside(presented), anchored=anchored, within=within)

    async def _is_theirs(self, action: Action) -> bool:
        """What only a program far away can do is due: it has to hear so."""
        if not action.place or action.state not in ("ready", "unknown") or action.due_at is None:
            return False
        contract = await self._plane.orders.contract(action.contract_digest)
        return not self._plane.means.effectors.reaches(contract, action.idempotency_key)


def _outside(presented: Presented) -> Presented:
    return msgspec.structs.replace(presented, outside=True)


def _brought(proposal: Proposal) -> Proposal:
    """What a call from outside says, with nothing that only the gate may say of it."""
    if proposal.presented is None:
        raise refused("presented_missing")
    return msgspec.structs.replace(proposal, presented=_outside(proposal.presented), instance="", request="")
