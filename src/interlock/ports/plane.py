"""The control plane as the agent's side needs it, in this process or behind a network.

Whoever asks shows with each call who it is, by a credential and a proof made for that call (`domain/asking.py`, and
`domain/presented.py` of an action or a use). Without that there are only `expected`, which says nothing of anybody, and `enrol`,
which brings proofs of its own.
"""

from typing import Protocol

from interlock.domain.action import Action
from interlock.domain.child_failure import ChildFailure
from interlock.domain.claimed import Claimed, Report
from interlock.domain.enrolling import Enrolling, Expected
from interlock.domain.entry_proof import EntryProof
from interlock.domain.handover import Opened
from interlock.domain.ids import ActionId, AgentName, TaskId, UseId
from interlock.domain.presented import Presented
from interlock.domain.proposal import Proposal
from interlock.domain.task import Opening, Task
from interlock.domain.use import TokenCount, Use


class Plane(Protocol):
    """What an SDK talks to. Every method raises InterlockError, and then nothing may be assumed to have run."""

    async def expected(self, agent: AgentName) -> Expected:
        """What instances of an agent in force are to show. Costs next to nothing: it is asked before every call."""
        ...

    async def enrol(self, asked: Enrolling) -> str:
        """The credential of an instance. Raises NotAllowed for one that is not recognised."""
        ...

    async def token(self, task: TaskId, presented: Presented) -> str:
        """A token of a task for the instance that acts in it, from which it can hand it on."""
        ...

    async def open_chain(self, asked: Opened, presented: Presented) -> Task:
        """The task that the last token of a chain names, opened with those around it that are not open."""
        ...

    async def open_task(self, opening: Opening, presented: Presented) -> Task:
        """Open a task for an agent in force, in which nobody but the instance that asks acts. Raises CredentialStale when another
        release came into force meanwhile."""
        ...

    async def resume_task(self, task: TaskId, agent: AgentName, presented: Presented) -> Task:
        """Take over a task of an agent's that another instance of it began. Raises CredentialStale, too."""
        ...

    async def close_task(self, task: TaskId, presented: Presented, *, failure: str = "") -> None:
        """No more actions in it, nor in those inside it, by whoever holds it. Closing twice is once. `failure` names what ended
        it, if that failed."""
        ...

    async def failures(
        self, task: TaskId, presented: Presented, children: frozenset[TaskId] | None = None
    ) -> tuple[ChildFailure, ...]:
        """The tasks right inside it, or those of `children`, that failed and that nobody looked at. This is looking, by whoever
        holds it."""
        ...

    async def propose(self, proposal: Proposal) -> Action:
        """Propose an action and give it as it stands when nothing more can be done without waiting for somebody."""
        ...

    async def answer(self, proposal: Proposal) -> Action:
        """The agent's answer to a reviewer's question, as a proposal of `ANSWER`."""
        ...

    async def begin_use(self, proposal: Proposal) -> Use:
        """Reserve what a use of a model, proposed with `Asked.arguments`, may take at most."""
        ...

    async def settle_use(self, name: UseId, presented: Presented, used: TokenCount | None) -> Use:
        """What it took, by whoever holds its task; None: nobody can say. Settling twice is settling once."""
        ...

    async def wait(
        self, action_id: ActionId, presented: Presented, *, timeout_ms: int, within: TaskId | None = None
    ) -> Action:
        """The action, once its caller has an answer or the time is over, whichever comes first. A plane may give it back before.

        For whoever holds its task; once that is over, for any instance of its agent. `within` is the task in which whoever asks
        was given it for its idempotency key, where that is another.
        """
        ...

    async def claim(self, action_id: ActionId, presented: Presented, claim: str) -> Claimed:
        """The call of an action whose tool is this program's own, to be made by it now, once; or the action as it stands. For
        whoever holds its task. Under one `claim`, an id, it is always the same call."""
        ...

    async def report(self, action_id: ActionId, presented: Presented, claim: str, report: Report) -> Claimed:
        """What came of that call, and what is to be done next. Raises IllegalMove where the time for it is over."""
        ...

    async def proof(
        self, action_id: ActionId, presented: Presented, *, anchored: bool, within: TaskId | None = None
    ) -> EntryProof:
        """What proves, without anybody, that the last thing recorded of the action stands in the log; `anchored`, under the
        latest checkpoint that others have seen. For whom `wait` is."""
        ...

    async def close(self) -> None:
        """Let go. Idempotent."""
        ...
