"""What the tasks of one program share: the plane, the home of its coroutines, and who it is."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import msgspec

from interlock.domain.action import Action
from interlock.domain.approval import ANSWER
from interlock.domain.asking import (
    begin_call,
    close_call,
    failures_call,
    prove_call,
    resume_call,
    settle_call,
)
from interlock.domain.canonical import CanonicalError, JsonValue, encode
from interlock.domain.child_failure import ChildFailure
from interlock.domain.entry_proof import EntryProof
from interlock.domain.errors import NotAllowed, Unanswered
from interlock.domain.handover import Opened, read_handover
from interlock.domain.ids import ActionId, AgentName, TaskId
from interlock.domain.proposal import Proposal
from interlock.domain.said_beside import must_be_writable
from interlock.domain.task import Opening, Task
from interlock.domain.use import MODEL_USE, Asked, TokenCount, Use
from interlock.ports.own_tools import OwnTools
from interlock.ports.plane import Plane
from interlock.sdk.anew import anew
from interlock.sdk.became import Became
from interlock.sdk.handing import Tokens
from interlock.sdk.home import Home
from interlock.sdk.identity import NOTHING, Identity, Showing
from interlock.sdk.lending import Lend, nothing_lent
from interlock.sdk.outcomes import Outcome
from interlock.sdk.ticket import Ticket
from interlock.sdk.tool import AnyTool


class Resuming(NamedTuple):
    """A task that another instance of the agent began."""

    task: TaskId
    agent: AgentName


class Connection:
    """What tasks share: the plane, the home of its coroutines, and the tools whose results they give back."""

    def __init__(
        self,
        plane: Plane,
        home: Home,
        register: Callable[[AnyTool], None],
        identity: Identity,
        lend: Lend = nothing_lent,
        own: OwnTools | None = None,
        offer: Callable[[str, object], None] | None = None,
    ) -> None:
        self.plane = plane
        self.home = home
        self.register = register
        self.lend = lend
        self.identity = identity
        self.offer = offer
        self._became = Became(plane, home, identity, own)

    async def propose(self, proposal: Proposal, tokens: Tokens | None = None) -> Action:
        """Propose as the instance that this program is."""

        if self.identity.patient:
            must_be_writable(proposal)  # as the gate says it, which far away would only find that it is no request
            proposal = _repeatable(proposal, self.identity.new())

        async def proposed() -> Action:
            return await self.plane.propose(await self._presented(proposal, tokens))

        try:
            action = await anew(self.identity, proposed)
        except Unanswered as error:
            error.members["idempotency_key"] = proposal.idempotency_key
            raise
        return await self._became.proposed(action, proposal)

    async def opened(self, opening: Opening) -> Task:
        """Open a task as the instance that this program is."""

        if self.identity.patient:
            opening = msgspec.structs.replace(opening, id=TaskId(self.identity.new()))

        async def begun() -> Task:
            # No token: one is of the task around it and its agent. What is opened inside may be another's, of the same key.
            call = begin_call(opening, (await self.plane.expected(opening.agent)).audience)
            return await self.plane.open_task(opening, await self.identity.shown(opening.agent, call))

        return await anew(self.identity, begun)

    async def resumed(self, wanted: Resuming) -> Task:
        """Take over a task as the instance that this program is."""

        async def taken() -> Task:
            call = resume_call(wanted.task, (await self.plane.expected(wanted.agent)).audience)
            shown = await self.identity.shown(wanted.agent, call)
            return await self.plane.resume_task(wanted.task, wanted.agent, shown)

        return await anew(self.identity, taken)

    async def closed(self, task: Task, failure: str) -> None:
        """Close a task as the instance that holds it."""

        async def closed() -> None:
            shown = await self.identity.still(task.agent, partial(close_call, task.id, failure))
            await self.plane.close_task(task.id, shown, failure=failure)

        await anew(self.identity, closed)

    async def failures(self, task: Task, children: frozenset[TaskId] | None = None) -> tuple[ChildFailure, ...]:
        """What failed inside a task and nobody looked at, as the instance that holds it."""

        async def looked() -> tuple[ChildFailure, ...]:
            shown = await self.identity.still(task.agent, partial(failures_call, task.id, children))
            return await self.plane.failures(task.id, shown, children)

        # Looking counts once: where the answer was lost nobody may be told that nothing failed.
        return await anew(self.identity, looked, repeatable=False)

    async def settled(self, use: Use, used: TokenCount | None) -> Use:
        """Say what a use of a model took, as the instance that holds its task."""

        async def settled() -> Use:
            shown = await self.identity.still(use.agent, partial(settle_call, use.id, used))
            return await self.plane.settle_use(use.id, shown, used)

        return await anew(self.identity, settled)

    async def proof(self, action_id: ActionId, agent: str, *, anchored: bool) -> EntryProof:
        """What proves the last entry of an action, of `agent` where this program did not propose it."""
        whose = self._became.whose(action_id, agent)

        async def proven() -> EntryProof:
            shown = await self.identity.still(whose.agent, partial(prove_call, action_id, whose.task, anchored))
            return await self.plane.proof(action_id, shown, anchored=anchored, within=whose.task)

        return await anew(self.identity, proven)

    async def accepted(self, text: str) -> tuple[Task, Tokens]:
        """The task that `text` hands to this program, and its tokens."""
        handover, chain = read_handover(text)
        leaf = chain.leaf
        if chain.holders[-1] != self.identity.thumbprint:
            raise NotAllowed(
                "this task was handed to another process",
                next_step="have it handed to this one: what `client.invitation(...)` gives here says to whom",
            )
        agent = AgentName(leaf.agent)
        asked = Opened(task=TaskId(leaf.task), agent=agent, chain=handover.chain, works=handover.works)

        async def opened() -> Task:
            call = asked.call((await self.plane.expected(agent)).audience)
            presented = await self.identity.shown(agent, call, Showing(handover.chain, leaf.jti))
            return await self.plane.open_chain(asked, presented)

        task = await anew(self.identity, opened)
        return task, Tokens(self.plane, self.identity, task, handover.chain)

    async def use(self, task: Task, tokens: Tokens | None, asked: Asked) -> Use:
        """Begin a use of a model as the instance that this program is."""
        key = self.identity.new() if self.identity.patient else None
        proposal = Proposal(task=task, contract=MODEL_USE, arguments=asked.arguments, idempotency_key=key)

        async def begun() -> Use:
            return await self.plane.begin_use(await self._presented(proposal, tokens))

        return await anew(self.identity, begun)

    async def answer(self, task: Task, tokens: Tokens | None, action: ActionId, question: int, text: str) -> Action:
        """Answer a reviewer's question as the instance that this program is."""
        said: dict[str, JsonValue] = {"action": action, "question": question, "text": text}
        proposal = Proposal(task=task, contract=ANSWER, arguments=said)

        async def answered() -> Action:
            return await self.plane.answer(await self._presented(proposal, tokens))

        return await anew(self.identity, answered)

    def ticket(self, action_id: ActionId, tool: AnyTool | None = None, agent: str = "") -> Ticket[Outcome]:
        """A ticket for an action, whose result is converted to `tool`'s type if that is given; of `agent` where this program did
        not propose it."""
        return self._became.ticket(action_id, tool, self._became.whose(action_id, agent))

    def outcome(self, action: Action, tool: AnyTool | None) -> Outcome:
        """The action, which this program proposed, as its caller sees it."""
        return self._became.outcome(action, tool)

    async def waited(self, action: Action, timeout_ms: int | None) -> Action:
        """An action that this program proposed, once it is over, or `timeout_ms` is."""
        return await self._became.waited(action, timeout_ms)

    # -- parts -------------------------------------------------------------------------------------------------

    async def _presented(self, proposal: Proposal, tokens: Tokens | None) -> Proposal:
        return await self.identity.presented(proposal, NOTHING if tokens is None else await tokens.shown())


def _repeatable(proposal: Proposal, key: str) -> Proposal:
    """`proposal` under a key, so that it may be asked again; and such that it can be sent: what no JSON says the same way
    everywhere is proposed as unfit, in the words with which the gate would refuse it."""
    said = proposal if proposal.idempotency_key is not None else msgspec.structs.replace(proposal, idempotency_key=key)
    try:
        encode(said.arguments)
    except CanonicalError as error:
        return msgspec.structs.replace(said, arguments={}, unfit=said.unfit or str(error))
    return said
