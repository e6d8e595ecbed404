"""What a program holds: a client, from which it opens tasks, waits for tickets, and speaks for people."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, cast

from interlock.domain.entry_proof import EntryProof
from interlock.domain.errors import ContractError, NotAllowed
from interlock.domain.fitting import Amount, Millis, checked, fitted
from interlock.domain.ids import ActionId, AgentName, ContractName, TaskId
from interlock.domain.task import Opening
from interlock.ports.people import People
from interlock.sdk.connection import Connection, Resuming
from interlock.sdk.desk import AsyncDesk, Desk
from interlock.sdk.giving import given_data, given_tools
from interlock.sdk.outcomes import Outcome
from interlock.sdk.scope import TaskScope
from interlock.sdk.ticket import Ticket
from interlock.sdk.tool import AnyTool


class Client:
    """What `interlock.open` gives. Use it as a context manager, or close it."""

    def __init__(self, connection: Connection, people: People | None) -> None:
        self._connection = connection
        self._people = people

    @checked
    def person(self, name: str) -> Desk:
        """The desk of a person of the workspace: approve, reject, modify, settle, undo. Your program answers for who it is.

        Raises NotAllowed for a client of a server: there people show who they are themselves.
        """
        home = self._connection.home
        if self._people is None:
            raise NotAllowed(
                "this program is an agent's, far from where people decide: here nobody speaks for a person",
                next_step="people decide in the console, by `interlock approvals`, or through `/v1` with an API key of their own",
            )
        return Desk(AsyncDesk(self._people, name, home), home)

    @checked
    def offer(self, name: str, function: Callable[..., Any]) -> None:
        """Have the contract `name`, whose file says `run: in_process`, call this program's `function`: under the gate, with the
        arguments that were agreed to, by name, and an `interlock.Call` where it asks for one.

        It runs in this process alone, in tasks that this program holds. Raises ContractError for what cannot be called.
        """
        given = cast(object, function)
        if not callable(given) or self._connection.offer is None:
            raise ContractError(f"`{name}` is offered nothing that can be called", path="/function")
        self._connection.offer(name, given)

    @checked
    def task(
        self,
        agent: str,
        *,
        purpose: str,
        on_behalf_of: str = "",
        lasts_ms: Millis | None = None,
        budgets: Mapping[str, Amount] | None = None,
        prohibited: tuple[str, ...] = (),
        tools: Mapping[str, Mapping[str, Any]] | None = None,
        data: Mapping[str, Sequence[str | int]] | None = None,
        plan: str = "",
        run: str = "",
    ) -> TaskScope:
        """A task for `agent`, to be entered with `with` or `async with`.

        `on_behalf_of` is the initiator (`user:ana`); people cannot approve what runs on their own behalf. `budgets` limit
        this task by unit (`calls`, or minor units of a currency). `tools` are those it may use, each with what its arguments may
        be (`{"mail.send": {}}`: anything), `data` the records it may touch by kind (`{"customer": ["c-17"], "folder":
        ["/invoices/2026/*"]}`); without them whatever the agent may. A task opened inside another is its child, on behalf of the
        same initiator, and is given no more than that one. Raises ContractError.
        """
        opening = Opening(
            agent=AgentName(agent),
            purpose=purpose,
            initiator=on_behalf_of,
            lasts_ms=lasts_ms,
            budgets=dict(budgets or {}),
            prohibited=tuple(ContractName(name) for name in prohibited),
            tools=None if tools is None else given_tools(tools),
            data=None if data is None else given_data(data),
            plan=plan,
            run=run,
        )
        return TaskScope(self._connection, opening)

    @checked
    def opening(self, opening: Opening) -> TaskScope:
        """A task as `opening` says it, to be entered with `with` or `async with`: for what acts for others in this process, such
        as a gateway, which says by what they came (`Bearer.opening`)."""
        return TaskScope(self._connection, opening)

    @checked
    def invitation(self, agent: str) -> str:
        """What to show to whoever is to hand a task to this program, as `agent`: its credential. It is no secret, and counts for
        an hour at most. Raises NotFound where no such agent is in force."""
        return self._connection.home.block(self._connection.identity.credential, AgentName(agent))

    @checked
    async def ainvitation(self, agent: str) -> str:
        """The same, awaited."""
        return await self._connection.home.run(self._connection.identity.credential, AgentName(agent))

    @checked
    def accept(self, text: str) -> TaskScope:
        """The task that another program handed to this one, to be entered with `with` or `async with`.

        `text` is what `task.delegate` or `task.derive` gave there. Entering it raises NotAllowed where the text was not meant for
        this process, counts no more, or the task may not be opened.
        """
        return TaskScope(self._connection, text)

    @checked
    def resume(self, task_id: str, agent: str) -> TaskScope:
        """A task of `agent` that an earlier process of the program opened and did not close, to be entered with `with` or `async
        with`: this program acts in it from then on, and that one no more. Which ones there are says `interlock tasks`.

        Entering it raises NotFound, and NotAllowed for one that is over, of another agent or release, or that was handed on.
        """
        return TaskScope(self._connection, Resuming(TaskId(task_id), AgentName(agent)))

    @checked
    def ticket(self, action_id: str, tool: AnyTool | None = None, *, agent: str = "") -> Ticket[Outcome]:
        """The ticket of an action proposed earlier, perhaps by another process: then `agent` says of which agent it is.

        What another process proposed is told once its task is over, and before that to who takes the task over
        (`client.resume(...)`): waiting raises NotAllowed otherwise. With `tool` its result is of the tool's own type, and a tool
        that only this program has can be run by waiting for it. Raises ContractError where `agent` is needed.
        """
        if tool is not None:
            self._connection.register(tool)
        return self._connection.ticket(ActionId(action_id), tool, agent)

    @checked
    def proof(self, action: str | Outcome, *, anchored: bool = False, agent: str = "") -> EntryProof:
        """What proves, offline and without us, that the last thing recorded of an action stands in the log.

        `action` is an outcome, or an action's id. Keep `proof.text`, a C2SP tlog-proof file, with whatever the outcome was used
        for; it holds no clear text of arguments or results. `anchored` proves it under the latest checkpoint that witnesses have
        cosigned, which covers what was recorded before that. `agent` as in `ticket`. Raises NotFound, and NotAllowed.
        """
        return self._connection.home.block(self._connection.proof, _id_of(action), agent, anchored=anchored)

    @checked
    async def aproof(self, action: str | Outcome, *, anchored: bool = False, agent: str = "") -> EntryProof:
        """The same, awaited."""
        return await self._connection.home.run(self._connection.proof, _id_of(action), agent, anchored=anchored)

    def close(self) -> None:
        """Let go of the store, from any thread. Idempotent. Calls still under way end with an error."""
        self._connection.home.finish(self._connection.plane.close)

    async def aclose(self) -> None:
        """The same, awaited."""
        await asyncio.to_thread(self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


def _id_of(action: str | Outcome) -> ActionId:
    named = action if isinstance(action, str) else action.action_id
    return ActionId(fitted(named, str, "action", "give an outcome, or an action's id"))
