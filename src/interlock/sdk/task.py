"""An open task, and the tools called inside it.

There is one implementation, asynchronous; `Home` carries it to wherever the caller is. Inside `with client.task(...)` a tool
that is simply called goes through the gate; `propose` gives the outcome as a value instead of raising it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import Any, TypeVar, cast

from interlock.domain.child_failure import ChildFailure
from interlock.domain.errors import ContractError
from interlock.domain.exception_case import Resolution
from interlock.domain.fitting import Amount, Count, Millis, checked
from interlock.domain.ids import ActionId, TaskId
from interlock.domain.task import Task
from interlock.domain.use import LASTS_MS, Asked, TokenCount
from interlock.sdk.children import AT_ONCE, Returned, together
from interlock.sdk.connection import Connection
from interlock.sdk.escalating import Raising, raised, resolution_of
from interlock.sdk.handing import Handing, Tokens, Wanted, wanted_of
from interlock.sdk.model_use import ModelUse
from interlock.sdk.outcomes import Done, Held, Outcome, Withheld
from interlock.sdk.proposing import NOTHING_SAID, Said, proposal_of
from interlock.sdk.tool import AnyTool, Tool

R = TypeVar("R")


class Handle:
    """An open task, and how actions are proposed in it."""

    def __init__(self, connection: Connection, task: Task, tokens: Tokens | None = None) -> None:
        self._connection = connection
        self.task = task
        self.shows = tokens
        """What its calls show; None of a task that was handed on by nobody."""
        self._own: Tokens | None = None
        self.raised: set[TaskId] = set()
        """The tasks inside it that an exception left: whoever caught it may have looked."""

    @property
    def connection(self) -> Connection:
        """What its calls go through: for what is built on tasks, such as adapters of frameworks."""
        return self._connection

    @property
    def id(self) -> str:
        """The task's id."""
        return self.task.id

    @checked
    def model_use(
        self, model: str, *, input_tokens: Amount, max_output_tokens: Amount, lasts_ms: Millis = LASTS_MS
    ) -> ModelUse:
        """A use of a model in this task, to be entered with `with` or `async with` before the model is asked.

        `model` is its provider's name for it, or `provider:model`. What so many tokens take of budgets in `tokens`,
        `tokens:<model>` and `USD.micro` is reserved; what it took you say with `use.settle(...)` inside, within `lasts_ms`.
        Entering raises NotAllowed for a model that the agent may not run on, BudgetExceeded where not enough is left.
        """
        connection = self._connection
        asked = Asked(model=model, tokens=TokenCount(input=input_tokens, output=max_output_tokens), lasts_ms=lasts_ms)
        return ModelUse(connection.settled, connection.home, partial(connection.use, self.task, self.shows), asked)

    def call_sync(self, tool: AnyTool, args: tuple[object, ...], kwargs: Mapping[str, object]) -> Any:
        """A synchronous tool called inside this task, from any thread but the event loop's."""
        return _result(self._connection.home.block(self._propose, tool, args, kwargs, NOTHING_SAID))

    async def call_async(self, tool: AnyTool, args: tuple[object, ...], kwargs: Mapping[str, object]) -> Any:
        """An asynchronous tool called inside this task."""
        return _result(await self._connection.home.run(self._propose, tool, args, kwargs, NOTHING_SAID))

    async def _propose(
        self, tool: AnyTool | str, args: tuple[object, ...], kwargs: Mapping[str, object], said: Said
    ) -> Outcome:
        proposal = proposal_of(self.task, tool, args, kwargs, said)
        known = tool if isinstance(tool, Tool) else None
        if known is not None:
            self._connection.register(known)
        action = await self._connection.propose(proposal, self.shows)
        return self._connection.outcome(action, known)

    async def _escalate(self, raising: Raising, timeout_ms: int | None) -> Resolution:
        action = await self._connection.propose(raised(self.task, raising), self.shows)
        action = await self._connection.waited(action, timeout_ms)
        found = resolution_of(action)
        if found is None:
            outcome = self._connection.outcome(action, None)
            raise ContractError("the answer is withheld", path="/answer") if isinstance(outcome, Done) else outcome
        return found

    async def _answer(self, held: Held | str, text: str, question: int | None) -> Outcome:
        name = ActionId(held.action_id if isinstance(held, Held) else held)
        if question is None:
            questions = held.questions if isinstance(held, Held) else ()
            question = next((each.number for each in questions if each.answered_at is None), None)
        if question is None:
            raise ContractError(
                "nothing was asked about this, as far as is known here",
                path="/question",
                next_step="wait for the ticket once more: what it gives then has `questions`; or say which: `question=1`",
            )
        return self._connection.outcome(
            await self._connection.answer(self.task, self.shows, name, question, text), None
        )

    async def _handed(self, wanted: Handing, opened: bool) -> str:
        if self._own is None:
            handed = self.task.delegated
            mine = self.shows is not None and handed is not None and handed.task == self.task.id
            # A task opened inside one that was handed on has no token yet.
            own = self.shows if mine else Tokens(self._connection.plane, self._connection.identity, self.task)
            self._own = own
        return await cast(Tokens, self._own).handed(wanted, opened=opened)


class AsyncTask(Handle):
    """An open task in an asynchronous program."""

    async def propose(
        self,
        tool: AnyTool | str,
        /,
        *args: object,
        idempotency_key: str | None = None,
        justification: str = "",
        confidence: int | None = None,
        kpi: Mapping[str, int] | None = None,
        traceparent: str = "",
        **kwargs: object,
    ) -> Outcome:
        """Propose one action and give its outcome; nothing is raised for a no. The same key gives the same action.

        `confidence` is how sure the agent says it is, per mille; `kpi` what it says this will do to figures of the business,
        whole numbers by name; `traceparent` is the W3C Trace Context. All three are its own word, and recorded as that. An
        argument of the tool's of such a name is given by position; a contract named as text takes a mapping of its arguments
        instead.
        """
        said = Said(idempotency_key, justification, confidence, kpi, traceparent)
        return await self._connection.home.run(self._propose, tool, args, kwargs, said)

    async def delegate(
        self,
        agent: str,
        *,
        to: str,
        purpose: str,
        tools: Wanted,
        data: Mapping[str, Sequence[str | int]] | None = None,
        budgets: Mapping[str, int] | None = None,
        lasts_ms: int | None = None,
        prohibited: tuple[str, ...] = (),
        plan: str = "",
    ) -> str:
        """Hand on a part of this task to another program: the text that it gives to its `client.accept`. It is open at once.

        `to` is what `client.invitation(agent)` gave there. `tools` says by tool what its arguments may be: `...` anything, a
        value that value, a list one of its values, a dict a constraint; none: any arguments. `data` are the records it may
        touch, as in `client.task`; `budgets` are reserved in this task's. Raises NotAllowed for what this task was not given, and
        what opening a task raises.
        """
        wanted = wanted_of(agent, to, purpose, tools, data, budgets, lasts_ms, prohibited, plan)
        return await self._connection.home.run(self._handed, wanted, True)

    async def derive(
        self,
        agent: str,
        *,
        to: str,
        purpose: str,
        tools: Wanted,
        data: Mapping[str, Sequence[str | int]] | None = None,
        budgets: Mapping[str, int] | None = None,
        lasts_ms: int | None = None,
        prohibited: tuple[str, ...] = (),
        plan: str = "",
    ) -> str:
        """The same without having it opened: signed with this program's key alone. It is opened when it is first accepted, and
        refused then where something stands against it. In a task of its own the program asks once for a token of it."""
        wanted = wanted_of(agent, to, purpose, tools, data, budgets, lasts_ms, prohibited, plan)
        return await self._connection.home.run(self._handed, wanted, False)

    @checked
    async def escalate(
        self,
        kind: str,
        summary: str,
        *,
        options: Sequence[str] = (),
        about: str = "",
        idempotency_key: str | None = None,
        justification: str = "",
        timeout_ms: Millis | None = None,
    ) -> Resolution:
        """Put before people what the agent cannot settle by itself, wait for what they say, and give that.

        `kind` is one of those declared, or `other:` and words; `options` are answers to choose from, `about` what it is about.
        Under the same `idempotency_key` it is the same exception, also after a restart in another task of the same initiator.
        Without `timeout_ms` it waits for as long as people may take. Where nobody answered and the policy that asked has a
        `@default`, that is given, as `how="default"`. Raises what `propose` gives where there is no answer: `Denied` where it was
        turned down or nobody answered, `Held` where the time given here is over, `Refused` for a kind that there is not or an
        agent without the capability `exception.raise`.
        """
        raising = Raising(kind, summary, options, about, Said(idempotency_key, justification))
        return await self._connection.home.run(self._escalate, raising, timeout_ms)

    async def answer(self, held: Held | str, text: str, *, question: Count | None = None) -> Outcome:
        """Answer a reviewer's question about an action of this task that is held: `held.questions` has them. Without `question`
        the first that is open. The action waits on; what the outcome says now is given."""
        return await self._connection.home.run(self._answer, held, text, question)

    async def failures(self) -> tuple[ChildFailure, ...]:
        """The tasks right inside this one that failed, in whatever process, since somebody last asked. This is looking: they are
        no reason any more for this task to fail, too."""
        return await self._connection.home.run(self._connection.failures, self.task)

    async def gather(self, *works: Awaitable[R], at_once: int = AT_ONCE) -> list[R]:
        """Await each of `works`, `at_once` at a time, and give what they return, in their order.

        All of them end before this does, whatever becomes of the others; cancelled, it cancels them. Raises an ExceptionGroup of
        everything that failed.
        """
        before, free = frozenset(self.raised), asyncio.Semaphore(max(1, at_once))

        async def one(work: Awaitable[R]) -> R:
            async with free:
                return await work

        ended = await asyncio.gather(*(one(work) for work in works), return_exceptions=True)
        looked = frozenset(self.raised - before)
        await self._connection.home.run(self._connection.failures, self.task, looked)
        return together([each if isinstance(each, BaseException) else Returned(each) for each in ended])


class SyncTask(Handle):
    """An open task in a synchronous program."""

    def propose(
        self,
        tool: AnyTool | str,
        /,
        *args: object,
        idempotency_key: str | None = None,
        justification: str = "",
        confidence: int | None = None,
        kpi: Mapping[str, int] | None = None,
        traceparent: str = "",
        **kwargs: object,
    ) -> Outcome:
        """Propose one action and give its outcome; nothing is raised for a no. The same key gives the same action.

        `confidence` is how sure the agent says it is, per mille; `kpi` what it says this will do to figures of the business,
        whole numbers by name; `traceparent` is the W3C Trace Context. All three are its own word, and recorded as that. An
        argument of the tool's of such a name is given by position; a contract named as text takes a mapping of its arguments
        instead.
        """
        said = Said(idempotency_key, justification, confidence, kpi, traceparent)
        return self._connection.home.block(self._propose, tool, args, kwargs, said)

    def delegate(
        self,
        agent: str,
        *,
        to: str,
        purpose: str,
        tools: Wanted,
        data: Mapping[str, Sequence[str | int]] | None = None,
        budgets: Mapping[str, int] | None = None,
        lasts_ms: int | None = None,
        prohibited: tuple[str, ...] = (),
        plan: str = "",
    ) -> str:
        """Hand on a part of this task to another program: the text that it gives to its `client.accept`. It is open at once.

        `to` is what `client.invitation(agent)` gave there. `tools` says by tool what its arguments may be: `...` anything, a
        value that value, a list one of its values, a dict a constraint; none: any arguments. `data` are the records it may
        touch, as in `client.task`; `budgets` are reserved in this task's. Raises NotAllowed for what this task was not given, and
        what opening a task raises.
        """
        wanted = wanted_of(agent, to, purpose, tools, data, budgets, lasts_ms, prohibited, plan)
        return self._connection.home.block(self._handed, wanted, True)

    def derive(
        self,
        agent: str,
        *,
        to: str,
        purpose: str,
        tools: Wanted,
        data: Mapping[str, Sequence[str | int]] | None = None,
        budgets: Mapping[str, int] | None = None,
        lasts_ms: int | None = None,
        prohibited: tuple[str, ...] = (),
        plan: str = "",
    ) -> str:
        """The same without having it opened: signed with this program's key alone. It is opened when it is first accepted, and
        refused then where something stands against it. In a task of its own the program asks once for a token of it."""
        wanted = wanted_of(agent, to, purpose, tools, data, budgets, lasts_ms, prohibited, plan)
        return self._connection.home.block(self._handed, wanted, False)

    @checked
    def escalate(
        self,
        kind: str,
        summary: str,
        *,
        options: Sequence[str] = (),
        about: str = "",
        idempotency_key: str | None = None,
        justification: str = "",
        timeout_ms: Millis | None = None,
    ) -> Resolution:
        """Put before people what the agent cannot settle by itself, wait for what they say, and give that.

        `kind` is one of those declared, or `other:` and words; `options` are answers to choose from, `about` what it is about.
        Under the same `idempotency_key` it is the same exception, also after a restart in another task of the same initiator.
        Without `timeout_ms` it waits for as long as people may take. Where nobody answered and the policy that asked has a
        `@default`, that is given, as `how="default"`. Raises what `propose` gives where there is no answer: `Denied` where it was
        turned down or nobody answered, `Held` where the time given here is over, `Refused` for a kind that there is not or an
        agent without the capability `exception.raise`.
        """
        raising = Raising(kind, summary, options, about, Said(idempotency_key, justification))
        return self._connection.home.block(self._escalate, raising, timeout_ms)

    def answer(self, held: Held | str, text: str, *, question: Count | None = None) -> Outcome:
        """Answer a reviewer's question about an action of this task that is held: `held.questions` has them. Without `question`
        the first that is open. The action waits on; what the outcome says now is given."""
        return self._connection.home.block(self._answer, held, text, question)

    def failures(self) -> tuple[ChildFailure, ...]:
        """The tasks right inside this one that failed, in whatever process, since somebody last asked. This is looking: they are
        no reason any more for this task to fail, too."""
        return self._connection.home.block(self._connection.failures, self.task)

    def gather(self, *works: Callable[[], R], at_once: int = AT_ONCE) -> list[R]:
        """Run each of `works` in a thread, `at_once` at a time, and give what they return, in their order.

        All of them end before this does, whatever becomes of the others. Raises an ExceptionGroup of everything that failed.
        """
        before = frozenset(self.raised)
        with ThreadPoolExecutor(max(1, at_once)) as pool:
            futures = [pool.submit(copy_context().run, work) for work in works]
        ended = [future.exception() or Returned(future.result()) for future in futures]
        self._connection.home.block(self._connection.failures, self.task, frozenset(self.raised - before))
        return together(ended)


def _result(outcome: Outcome) -> object:
    if isinstance(outcome, Done):
        if outcome.withheld:
            raise Withheld(outcome)
        return outcome.result
    raise outcome
