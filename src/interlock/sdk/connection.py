"""What the tasks of one program share: the plane, the home of its coroutines, and who it is."""

import contextlib
from collections.abc import Awaitable, Callable
from typing import Any, Final, NamedTuple, TypeVar

from interlock.domain.action import Action
from interlock.domain.canonical import JsonValue
from interlock.domain.errors import ContractError, CredentialStale, NotAllowed
from interlock.domain.handover import Opened, begin_call, read_handover, resume_call
from interlock.domain.ids import ActionId, AgentName, TaskId
from interlock.domain.proposal import Proposal
from interlock.domain.task import Opening, Task
from interlock.domain.use import MODEL_USE, Asked, Use
from interlock.ports.plane import Plane
from interlock.sdk.handing import Tokens
from interlock.sdk.home import Home
from interlock.sdk.identity import NOTHING, Identity, Showing
from interlock.sdk.outcomes import Outcome, outcome_of, plain_result
from interlock.sdk.signature import returned
from interlock.sdk.ticket import Ticket
from interlock.sdk.tool import Tool

AnyTool = Tool[..., Any]
ROUNDS: Final = 5
"""How often a call is made again because releases kept changing under it."""
R = TypeVar("R")


class Resuming(NamedTuple):
    """A task that another instance of the agent began."""

    task: TaskId
    agent: AgentName


class Connection:
    """What tasks share: the plane, the home of its coroutines, and the tools whose results they give back."""

    def __init__(self, plane: Plane, home: Home, register: Callable[[AnyTool], None], identity: Identity) -> None:
        self.plane = plane
        self.home = home
        self.register = register
        self.identity = identity

    async def propose(self, proposal: Proposal, tokens: Tokens | None = None) -> Action:
        """Propose as the instance that this program is."""

        async def proposed() -> Action:
            return await self.plane.propose(await self._presented(proposal, tokens))

        return await _anew(proposed)

    async def opened(self, opening: Opening) -> Task:
        """Open a task as the instance that this program is."""

        async def begun() -> Task:
            # No token: one is of the task around it and its agent. What is opened inside may be another's, of the same key.
            call = begin_call(opening, (await self.plane.expected(opening.agent)).audience)
            return await self.plane.open_task(opening, await self.identity.shown(opening.agent, call))

        return await _anew(begun)

    async def resumed(self, wanted: Resuming) -> Task:
        """Take over a task as the instance that this program is."""
        call = resume_call(wanted.task, (await self.plane.expected(wanted.agent)).audience)
        return await self.plane.resume_task(wanted.task, wanted.agent, await self.identity.shown(wanted.agent, call))

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
        call = asked.call((await self.plane.expected(agent)).audience)
        presented = await self.identity.shown(agent, call, Showing(handover.chain, leaf.jti))
        task = await self.plane.open_chain(asked, presented)
        return task, Tokens(self.plane, self.identity, task, handover.chain)

    async def use(self, task: Task, tokens: Tokens | None, asked: Asked) -> Use:
        """Begin a use of a model as the instance that this program is."""
        proposal = Proposal(task=task, contract=MODEL_USE, arguments=asked.arguments)

        async def begun() -> Use:
            return await self.plane.begin_use(await self._presented(proposal, tokens))

        return await _anew(begun)

    def ticket(self, action_id: ActionId, tool: AnyTool | None = None) -> Ticket[Outcome]:
        """A ticket for an action, whose result is converted to `tool`'s type if that is given."""

        async def waited(wanted: ActionId, timeout_ms: int | None) -> Outcome:
            return self.outcome(await self.plane.wait(wanted, timeout_ms=timeout_ms), tool)

        async def run(wanted: ActionId, timeout_ms: int | None) -> Outcome:
            return await self.home.run(waited, wanted, timeout_ms)

        def block(wanted: ActionId, timeout_ms: int | None) -> Outcome:
            return self.home.block(waited, wanted, timeout_ms)

        return Ticket(action_id, block=block, run=run)

    def outcome(self, action: Action, tool: AnyTool | None) -> Outcome:
        """The action as its caller sees it."""
        raw = plain_result(action)
        return outcome_of(action, self.ticket(action.id, tool), raw if tool is None else _typed(tool, raw))

    async def _presented(self, proposal: Proposal, tokens: Tokens | None) -> Proposal:
        return await self.identity.presented(proposal, NOTHING if tokens is None else await tokens.shown())


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
