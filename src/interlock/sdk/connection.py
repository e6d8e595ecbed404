"""What the tasks of one program share: the plane, the home of its coroutines, and who it is."""

import contextlib
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from interlock.domain.action import SETTLED, Action
from interlock.domain.approval import ANSWER
from interlock.domain.asking import (
    begin_call,
    close_call,
    failures_call,
    prove_call,
    resume_call,
    settle_call,
    wait_call,
)
from interlock.domain.canonical import CanonicalError, JsonValue, encode
from interlock.domain.child_failure import ChildFailure
from interlock.domain.entry_proof import EntryProof
from interlock.domain.errors import ContractError, CredentialStale, NotAllowed, Unanswered
from interlock.domain.handover import Opened, read_handover
from interlock.domain.ids import ActionId, AgentName, TaskId
from interlock.domain.proposal import Proposal
from interlock.domain.said_beside import must_be_writable
from interlock.domain.task import Opening, Task
from interlock.domain.use import MODEL_USE, Asked, TokenCount, Use
from interlock.ports.own_tools import OwnTools
from interlock.ports.plane import Plane
from interlock.sdk.carrying_out import Carrying
from interlock.sdk.handing import Tokens
from interlock.sdk.home import Home
from interlock.sdk.identity import NOTHING, Identity, Showing
from interlock.sdk.lending import Lend, nothing_lent
from interlock.sdk.outcomes import Outcome, outcome_of, plain_result
from interlock.sdk.patience import MOST_PATIENT, Patience
from interlock.sdk.signature import returned
from interlock.sdk.ticket import Ticket
from interlock.sdk.tool import Tool

AnyTool = Tool[..., Any]
ROUNDS: Final = 5
"""How often a call is made again because releases kept changing under it."""
WAIT_MS: Final = 20_000
AGAIN_MS: Final = 1_000
"""How long one call waits for news at most; the next shows anew who asks."""
MOST_KNOWN: Final = 4096
"""Actions of which a program remembers in what task it was given them."""
R = TypeVar("R")


class Whose(NamedTuple):
    """In what task a program was given an action; the task is None where nobody says so but the program."""

    agent: AgentName
    task: TaskId | None = None


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
        self._own = own
        """The tools that a program far from its control plane runs itself; in its own process the plane does."""
        self._known: dict[ActionId, Whose] = {}

    async def propose(self, proposal: Proposal, tokens: Tokens | None = None) -> Action:
        """Propose as the instance that this program is."""

        if self.identity.patient:
            must_be_writable(proposal)  # as the gate says it, which far away would only find that it is no request
            proposal = _repeatable(proposal, self.identity.new())

        async def proposed() -> Action:
            return await self.plane.propose(await self._presented(proposal, tokens))

        try:
            action = await self._again(proposed)
        except Unanswered as error:
            error.members["idempotency_key"] = proposal.idempotency_key
            raise
        if len(self._known) >= MOST_KNOWN:
            del self._known[next(iter(self._known))]
        self._known[action.id] = Whose(proposal.task.agent, proposal.task.id)
        return await self._carried_out(action)

    async def opened(self, opening: Opening) -> Task:
        """Open a task as the instance that this program is."""

        if self.identity.patient:
            opening = msgspec.structs.replace(opening, id=TaskId(self.identity.new()))

        async def begun() -> Task:
            # No token: one is of the task around it and its agent. What is opened inside may be another's, of the same key.
            call = begin_call(opening, (await self.plane.expected(opening.agent)).audience)
            return await self.plane.open_task(opening, await self.identity.shown(opening.agent, call))

        return await self._again(begun)

    async def resumed(self, wanted: Resuming) -> Task:
        """Take over a task as the instance that this program is."""

        async def taken() -> Task:
            call = resume_call(wanted.task, (await self.plane.expected(wanted.agent)).audience)
            shown = await self.identity.shown(wanted.agent, call)
            return await self.plane.resume_task(wanted.task, wanted.agent, shown)

        return await self._again(taken)

    async def closed(self, task: Task, failure: str) -> None:
        """Close a task as the instance that holds it."""

        async def closed() -> None:
            shown = await self.identity.still(task.agent, partial(close_call, task.id, failure))
            await self.plane.close_task(task.id, shown, failure=failure)

        await self._again(closed)

    async def failures(self, task: Task, children: frozenset[TaskId] | None = None) -> tuple[ChildFailure, ...]:
        """What failed inside a task and nobody looked at, as the instance that holds it."""

        async def looked() -> tuple[ChildFailure, ...]:
            shown = await self.identity.still(task.agent, partial(failures_call, task.id, children))
            return await self.plane.failures(task.id, shown, children)

        # Looking counts once: where the answer was lost nobody may be told that nothing failed.
        return await self._again(looked, repeatable=False)

    async def settled(self, use: Use, used: TokenCount | None) -> Use:
        """Say what a use of a model took, as the instance that holds its task."""

        async def settled() -> Use:
            shown = await self.identity.still(use.agent, partial(settle_call, use.id, used))
            return await self.plane.settle_use(use.id, shown, used)

        return await self._again(settled)

    async def proof(self, action_id: ActionId, agent: str, *, anchored: bool) -> EntryProof:
        """What proves the last entry of an action, of `agent` where this program did not propose it."""
        whose = self._whose(action_id, agent)

        async def proven() -> EntryProof:
            shown = await self.identity.still(whose.agent, partial(prove_call, action_id, whose.task, anchored))
            return await self.plane.proof(action_id, shown, anchored=anchored, within=whose.task)

        return await self._again(proven)

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

        task = await self._again(opened)
        return task, Tokens(self.plane, self.identity, task, handover.chain)

    async def use(self, task: Task, tokens: Tokens | None, asked: Asked) -> Use:
        """Begin a use of a model as the instance that this program is."""
        key = self.identity.new() if self.identity.patient else None
        proposal = Proposal(task=task, contract=MODEL_USE, arguments=asked.arguments, idempotency_key=key)

        async def begun() -> Use:
            return await self.plane.begin_use(await self._presented(proposal, tokens))

        return await self._again(begun)

    async def answer(self, task: Task, tokens: Tokens | None, action: ActionId, question: int, text: str) -> Action:
        """Answer a reviewer's question as the instance that this program is."""
        said: dict[str, JsonValue] = {"action": action, "question": question, "text": text}
        proposal = Proposal(task=task, contract=ANSWER, arguments=said)

        async def answered() -> Action:
            return await self.plane.answer(await self._presented(proposal, tokens))

        return await self._again(answered)

    def ticket(self, action_id: ActionId, tool: AnyTool | None = None, agent: str = "") -> Ticket[Outcome]:
        """A ticket for an action, whose result is converted to `tool`'s type if that is given; of `agent` where this program did
        not propose it."""
        return self._ticket(action_id, tool, self._whose(action_id, agent))

    def outcome(self, action: Action, tool: AnyTool | None) -> Outcome:
        """The action, which this program proposed, as its caller sees it."""
        return self._outcome(action, tool, self._known.get(action.id) or Whose(action.agent, action.task))

    async def waited(self, action: Action, timeout_ms: int | None) -> Action:
        """An action that this program proposed, once it is over, or `timeout_ms` is."""
        if action.state in SETTLED:
            return action
        return await self._waited(action.id, self._known.get(action.id) or Whose(action.agent, action.task), timeout_ms)

    # -- parts -------------------------------------------------------------------------------------------------

    def _ticket(self, action_id: ActionId, tool: AnyTool | None, whose: Whose) -> Ticket[Outcome]:
        async def waited(wanted: ActionId, timeout_ms: int | None) -> Outcome:
            return self._outcome(await self._waited(wanted, whose, timeout_ms), tool, whose)

        async def run(wanted: ActionId, timeout_ms: int | None) -> Outcome:
            return await self.home.run(waited, wanted, timeout_ms)

        def block(wanted: ActionId, timeout_ms: int | None) -> Outcome:
            return self.home.block(waited, wanted, timeout_ms)

        return Ticket(action_id, block=block, run=run)

    def _outcome(self, action: Action, tool: AnyTool | None, whose: Whose) -> Outcome:
        raw = plain_result(action)
        return outcome_of(action, self._ticket(action.id, tool, whose), raw if tool is None else _typed(tool, raw))

    async def _waited(self, action_id: ActionId, whose: Whose, timeout_ms: int | None) -> Action:
        until = None if timeout_ms is None else self.identity.now() + timeout_ms
        while True:
            left = WAIT_MS if until is None else min(max(until - self.identity.now(), 0), WAIT_MS)
            began = self.identity.now()
            # Nothing is asked for by waiting: a server that is begun anew meanwhile is waited for, too.
            longer = self.identity.patient and (until is None or until - began > MOST_PATIENT.most_ms)
            patience = MOST_PATIENT if longer else None
            looked = self._again(partial(self._looked, action_id, whose, left), patience=patience)
            action = await self._carried_out(await looked)
            if self._own is not None and action.place and _claimable(action) and left:
                # What another program has to do we hear of no sooner by asking more often.
                await self.identity.pause(min(AGAIN_MS, max(0, left - (self.identity.now() - began))))
            if action.state in SETTLED or (until is not None and self.identity.now() >= until):
                return action

    async def _looked(self, action_id: ActionId, whose: Whose, timeout_ms: int) -> Action:
        shown = await self.identity.still(whose.agent, partial(wait_call, action_id, whose.task, timeout_ms))
        return await self.plane.wait(action_id, shown, timeout_ms=timeout_ms, within=whose.task)

    async def _carried_out(self, action: Action) -> Action:
        """The action, once this program made the call that only it can make, where that is due."""
        own = self._own
        if own is None or not _claimable(action) or not own.has(action.place, action.idempotency_key):
            return action
        return await Carrying(self.plane, self.identity, own).out(action)

    async def _again(
        self, attempt: Callable[[], Awaitable[R]], *, repeatable: bool = True, patience: Patience | None = None
    ) -> R:
        """`attempt`, again with another credential where another release came into force, and where the network lost it."""
        return await self.identity.again(partial(_anew, attempt), repeatable=repeatable, patience=patience)

    def _whose(self, action_id: ActionId, agent: str) -> Whose:
        known = self._known.get(action_id)
        if known is not None and agent in ("", known.agent):
            return known
        if not agent:
            raise ContractError(
                "this program did not propose that action: say whose it is",
                path="/agent",
                next_step="name its agent: `client.ticket(action_id, agent='support')`",
            )
        return Whose(AgentName(agent))

    async def _presented(self, proposal: Proposal, tokens: Tokens | None) -> Proposal:
        return await self.identity.presented(proposal, NOTHING if tokens is None else await tokens.shown())


def _claimable(action: Action) -> bool:
    """Whether a call of it is what is next."""
    return action.state in ("ready", "unknown") and action.due_at is not None


def _repeatable(proposal: Proposal, key: str) -> Proposal:
    """`proposal` under a key, so that it may be asked again; and such that it can be sent: what no JSON says the same way
    everywhere is proposed as unfit, in the words with which the gate would refuse it."""
    said = proposal if proposal.idempotency_key is not None else msgspec.structs.replace(proposal, idempotency_key=key)
    try:
        encode(said.arguments)
    except CanonicalError as error:
        return msgspec.structs.replace(said, arguments={}, unfit=said.unfit or str(error))
    return said


async def _anew(attempt: Callable[[], Awaitable[R]]) -> R:
    """`attempt`, again with another credential where another release came into force meanwhile."""
    for _ in range(ROUNDS):
        with contextlib.suppress(CredentialStale):
            return await attempt()
    return await attempt()


def _typed(tool: AnyTool, raw: JsonValue) -> object:
    """The result as the tool's own type; as JSON where it is not what the tool promises (the outcome's note says so), or
    what was taken of it leaves no such value."""
    try:
        return returned(tool.function, raw)
    except ContractError:
        return raw
