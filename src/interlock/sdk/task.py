"""Tasks, and the tools called inside them.

There is one implementation, asynchronous; `Home` carries it to wherever the caller is. Inside `with client.task(...)` a tool
that is simply called goes through the gate; `propose` gives the outcome as a value instead of raising it.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import Token, copy_context
from functools import partial
from types import TracebackType
from typing import Any, Final, NamedTuple, TypeVar, cast

import msgspec

from interlock.domain.action import Action
from interlock.domain.canonical import JsonValue, pointer
from interlock.domain.child_failure import ChildFailure
from interlock.domain.errors import ContractError, CredentialStale, InterlockError, NotAllowed
from interlock.domain.fitting import Amount, Millis, checked
from interlock.domain.handover import Opened, begin_call, read_handover, resume_call
from interlock.domain.ids import ActionId, AgentName, ContractName, TaskId
from interlock.domain.presented import Presented
from interlock.domain.proposal import Proposal
from interlock.domain.task import Opening, Task
from interlock.domain.use import LASTS_MS, MODEL_USE, Asked, TokenCount, Use
from interlock.ports.plane import Plane
from interlock.sdk.children import AT_ONCE, Returned, named, together, told
from interlock.sdk.handing import Handing, Tokens, Wanted, wanted_of
from interlock.sdk.home import Home
from interlock.sdk.identity import NOTHING, Identity, Showing
from interlock.sdk.model_use import ModelUse
from interlock.sdk.outcomes import Done, Outcome, Withheld, outcome_of, plain_result
from interlock.sdk.signature import arguments_of, returned
from interlock.sdk.ticket import Ticket
from interlock.sdk.tool import CURRENT, Gated, Tool
from interlock.sdk.values import to_plain

AnyTool = Tool[..., Any]
ROUNDS = 5
"""How often a call is made again because releases kept changing under it."""
MAX_WORDS = 1_000
"""How much of a reason is kept."""
H = TypeVar("H", bound="_Handle")
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
        """Propose as the instance that this program is; anew where another release came into force meanwhile."""
        for _ in range(ROUNDS):
            try:
                return await self.plane.propose(await self._presented(proposal, tokens))
            except CredentialStale:
                continue
        return await self.plane.propose(await self._presented(proposal, tokens))

    async def _presented(self, proposal: Proposal, tokens: Tokens | None) -> Proposal:
        return await self.identity.presented(proposal, NOTHING if tokens is None else await tokens.shown())

    async def opened(self, opening: Opening) -> Task:
        """Open a task as the instance that this program is; anew where another release came into force meanwhile."""
        for _ in range(ROUNDS):
            with contextlib.suppress(CredentialStale):
                return await self.plane.open_task(opening, await self._beginning(opening))
        return await self.plane.open_task(opening, await self._beginning(opening))

    async def _beginning(self, opening: Opening) -> Presented:
        # No token: one is of the task around it and that one's agent. What is opened inside may be another's, of the same key.
        call = begin_call(opening, (await self.plane.expected(opening.agent)).audience)
        return await self.identity.shown(opening.agent, call)

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
        """Begin a use of a model as the instance that this program is; anew where another release came into force meanwhile."""
        proposal = Proposal(task=task, contract=MODEL_USE, arguments=asked.arguments)
        for _ in range(ROUNDS):
            try:
                return await self.plane.begin_use(await self._presented(proposal, tokens))
            except CredentialStale:
                continue
        return await self.plane.begin_use(await self._presented(proposal, tokens))

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


class _Said(NamedTuple):
    """What a caller says beside the arguments."""

    idempotency_key: str | None = None
    justification: str = ""
    confidence: int | None = None
    kpi: Mapping[str, int] | None = None
    traceparent: str = ""


_NOTHING: Final = _Said()


class _Handle:
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
        return ModelUse(connection.plane, connection.home, partial(connection.use, self.task, self.shows), asked)

    def call_sync(self, tool: AnyTool, args: tuple[object, ...], kwargs: Mapping[str, object]) -> Any:
        """A synchronous tool called inside this task, from any thread but the event loop's."""
        return _result(self._connection.home.block(self._propose, tool, args, kwargs, _NOTHING))

    async def call_async(self, tool: AnyTool, args: tuple[object, ...], kwargs: Mapping[str, object]) -> Any:
        """An asynchronous tool called inside this task."""
        return _result(await self._connection.home.run(self._propose, tool, args, kwargs, _NOTHING))

    async def _propose(
        self, tool: AnyTool | str, args: tuple[object, ...], kwargs: Mapping[str, object], said: _Said
    ) -> Outcome:
        proposal = self._proposal(tool, args, kwargs, said)
        action = await self._connection.propose(proposal, self.shows)
        return self._connection.outcome(action, tool if isinstance(tool, Tool) else None)

    async def _handed(self, wanted: Handing, opened: bool) -> str:
        if self._own is None:
            handed = self.task.delegated
            mine = self.shows is not None and handed is not None and handed.task == self.task.id
            # A task opened inside one that was handed on has no token yet.
            own = self.shows if mine else Tokens(self._connection.plane, self._connection.identity, self.task)
            self._own = own
        return await cast(Tokens, self._own).handed(wanted, opened=opened)

    def _proposal(
        self, tool: AnyTool | str, args: tuple[object, ...], kwargs: Mapping[str, object], said: _Said
    ) -> Proposal:
        named = cast(object, tool)
        if not isinstance(named, str | Tool):
            raise ContractError(
                f"`{type(named).__name__}` is no tool",
                path="/tool",
                next_step="propose what `@interlock.tool` made, or a contract by its name",
            )
        contract, expected, unfit = ContractName(str(tool)), None, ""
        if isinstance(tool, Tool):
            self._connection.register(tool)
            contract, expected = tool.contract.name, tool.contract.digest
        try:
            arguments = arguments_of(tool.function, args, kwargs) if isinstance(tool, Tool) else _by_name(args, kwargs)
            if isinstance(tool, Tool):
                _must_be_said(tool, arguments, said)
        except ContractError as error:
            # Nothing of it may be guessed; the gate refuses it and records that it was tried.
            arguments, unfit = _written(kwargs), _words(error.detail)
        return Proposal(
            task=self.task,
            contract=contract,
            arguments=arguments,
            idempotency_key=said.idempotency_key,
            justification=said.justification,
            confidence=said.confidence,
            kpi=_figures(said.kpi),
            traceparent=said.traceparent,
            expected=expected,
            unfit=unfit,
        )


class AsyncTask(_Handle):
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
        said = _Said(idempotency_key, justification, confidence, kpi, traceparent)
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

    async def failures(self) -> tuple[ChildFailure, ...]:
        """The tasks right inside this one that failed, in whatever process, since somebody last asked. This is looking: they are
        no reason any more for this task to fail, too."""
        return await self._connection.home.run(self._connection.plane.failures, self.task)

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
        await self._connection.home.run(self._connection.plane.failures, self.task, looked)
        return together([each if isinstance(each, BaseException) else Returned(each) for each in ended])


class SyncTask(_Handle):
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
        said = _Said(idempotency_key, justification, confidence, kpi, traceparent)
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

    def failures(self) -> tuple[ChildFailure, ...]:
        """The tasks right inside this one that failed, in whatever process, since somebody last asked. This is looking: they are
        no reason any more for this task to fail, too."""
        return self._connection.home.block(self._connection.plane.failures, self.task)

    def gather(self, *works: Callable[[], R], at_once: int = AT_ONCE) -> list[R]:
        """Run each of `works` in a thread, `at_once` at a time, and give what they return, in their order.

        All of them end before this does, whatever becomes of the others. Raises an ExceptionGroup of everything that failed.
        """
        before = frozenset(self.raised)
        with ThreadPoolExecutor(max(1, at_once)) as pool:
            futures = [pool.submit(copy_context().run, work) for work in works]
        ended = [future.exception() or Returned(future.result()) for future in futures]
        self._connection.home.block(self._connection.plane.failures, self.task, frozenset(self.raised - before))
        return together(ended)


class TaskScope:
    """`with` or `async with`: opens the task, makes it current for tools called inside, and closes it at the end."""

    def __init__(self, connection: Connection, opening: Opening | Resuming | str) -> None:
        self._connection = connection
        self._opening = opening
        """What is to be opened, or taken over; or the text by which it was handed on."""
        self._handle: _Handle | None = None
        self._token: Token[Gated | None] | None = None
        self._around: _Handle | None = None

    def __enter__(self) -> SyncTask:
        task, tokens = self._connection.home.block(self._begun, self._nested())
        return self._entered(SyncTask(self._connection, task, tokens))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        handle = self._left(error)
        try:
            overlooked = self._connection.home.block(self._closed, handle.task, named(kind))
        except InterlockError as failure:
            _beside(error, failure)
        else:
            told(error, overlooked)

    async def __aenter__(self) -> AsyncTask:
        task, tokens = await self._connection.home.run(self._begun, self._nested())
        return self._entered(AsyncTask(self._connection, task, tokens))

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        handle = self._left(error)
        closing = self._connection.home.run(self._closed, handle.task, named(kind))
        try:
            # A cancelled program closes its tasks all the same.
            overlooked = await asyncio.shield(closing)
        except InterlockError as failure:
            _beside(error, failure)
        else:
            told(error, overlooked)

    async def _begun(self, opening: Opening | Resuming | str) -> tuple[Task, Tokens | None]:
        if isinstance(opening, str):
            return await self._connection.accepted(opening)
        if isinstance(opening, Resuming):
            return await self._connection.resumed(opening), None
        shows = None if self._around is None else self._around.shows
        return await self._connection.opened(opening), shows

    async def _closed(self, task: Task, failure: str) -> tuple[ChildFailure, ...]:
        await self._connection.plane.close_task(task, failure=failure)
        return await self._connection.plane.failures(task)

    def _nested(self) -> Opening | Resuming | str:
        """A task opened inside another is its child. One that was handed on stands where its token says."""
        if self._handle is not None:
            raise NotAllowed("this task is open already", next_step="ask the client for another: `client.task(...)`")
        around = CURRENT.get()
        if isinstance(around, _Handle) and isinstance(self._opening, Opening):
            self._around = around
            return msgspec.structs.replace(self._opening, parent=around.task)
        return self._opening

    def _entered(self, handle: H) -> H:
        self._handle, self._token = handle, CURRENT.set(handle)
        return handle

    def _left(self, error: BaseException | None) -> _Handle:
        handle, token = self._handle, self._token
        if handle is None or token is None:
            raise NotAllowed("this task is not open", next_step="enter it with `with` or `async with`")
        if error is not None and self._around is not None:
            self._around.raised.add(handle.task.id)
        self._handle = self._token = self._around = None
        with contextlib.suppress(ValueError):
            # Left in another context than it was entered in, as test fixtures do: there it is not current.
            CURRENT.reset(token)
        return handle


def _beside(error: BaseException | None, failure: InterlockError) -> None:
    """Raise `failure` to close a task, or mention it beside the error that is on its way already."""
    if error is None:
        raise failure
    error.add_note(f"its task could not be closed, and will expire: {failure}")


def _result(outcome: Outcome) -> object:
    if isinstance(outcome, Done):
        if outcome.withheld:
            raise Withheld(outcome)
        return outcome.result
    raise outcome


def _typed(tool: AnyTool, raw: JsonValue) -> object:
    """The result as the tool's own type; as JSON where it is not what the tool promises (the outcome's note says so), or
    what was taken of it leaves no such value."""
    try:
        return returned(tool.function, raw)
    except ContractError:
        return raw


def _must_be_said(tool: AnyTool, arguments: Mapping[str, JsonValue], said: _Said) -> None:
    """`confidence=` and the like are never the tool's own arguments, which keep their defaults then: the caller may have
    meant those."""
    properties = tool.contract.input_schema.get("properties")
    for name, meaning in _OF_THE_AGENT.items():
        given = getattr(said, name) not in (None, "")
        if given and isinstance(properties, dict) and name in properties and name not in arguments:
            raise ContractError(f"`{name}=` says {meaning}; give the tool's own `{name}` by position", path=f"/{name}")


_OF_THE_AGENT: Final = {
    "confidence": "how sure the agent is",
    "kpi": "what it expects of the business's figures",
    "traceparent": "which trace it belongs to",
}


def _figures(kpi: Mapping[str, int] | None) -> dict[str, int]:
    """`kpi` as it goes on; whether it is what it should be the gate says."""
    given = cast(object, kpi)
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise ContractError(
            "`kpi` is a mapping of figures by name", path="/kpi", next_step="give it as {'margin_minor': -250}"
        )
    return dict(cast(Mapping[str, int], given))


def _by_name(args: tuple[object, ...], kwargs: Mapping[str, object]) -> dict[str, JsonValue]:
    """The arguments of a contract whose signature is not here: by name, or as one mapping."""
    if len(args) == 1 and isinstance(args[0], Mapping):
        given = cast(Mapping[object, object], args[0])
        named = {str(name): value for name, value in given.items()}
        for twice in named.keys() & kwargs.keys():
            raise ContractError(f"`{twice}` is given twice", path=pointer(twice))
        args, kwargs = (), {**named, **kwargs}
    if args:
        raise ContractError("a contract that is named as text takes its arguments by name, or as one mapping")
    return {name: to_plain(value, pointer(name)) for name, value in kwargs.items()}


def _written(arguments: Mapping[str, object]) -> dict[str, JsonValue]:
    """What can be written of arguments that do not fit."""
    written: dict[str, JsonValue] = {}
    for name, value in arguments.items():
        with contextlib.suppress(ContractError):
            written[name] = to_plain(value)
    return written


def _words(detail: str) -> str:
    """A reason that any record can hold: it repeats what the caller wrote."""
    return detail[:MAX_WORDS].encode(errors="backslashreplace").decode()
