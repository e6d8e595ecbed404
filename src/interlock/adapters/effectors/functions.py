"""Calling a person's function: its arguments, its time, and what its return or exception means.

A synchronous function runs in a thread, an asynchronous one on the loop. When the time is up the answer is `Unsure` and
nobody waits any longer, but a thread cannot be stopped: the function goes on to its end by itself, and its result is
lost. An asynchronous function is cancelled where it awaits; one that blocks the loop blocks the whole process.
"""

import asyncio
import inspect
import threading
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, Protocol, cast

import anyio
import anyio.to_thread

from interlock.adapters.effectors.answers import acts, not_called, one_line, words_of
from interlock.domain.call import Answer, Call, Landed, Nothing, Unsure
from interlock.domain.canonical import JsonValue
from interlock.domain.errors import ContractError
from interlock.ports.effector import Role

THREADS: Final = 64

Function = Callable[..., Any]
PlainResult = Callable[[object], JsonValue]
"""Makes plain JSON of what a function returned, or raises ContractError."""


class ValuesOf(Protocol):
    """Makes of plain arguments what a function's annotations ask for, by name, or raises ContractError."""

    def __call__(
        self, function: Function, arguments: Mapping[str, JsonValue], *, call: Call | None = None, **known: JsonValue
    ) -> dict[str, Any]:
        """The keyword arguments. `call` goes where it is annotated so; `known` are further names it may ask for."""
        ...


class Found(NamedTuple):
    """A function that can be called, and the exceptions by which it promises that nothing happened."""

    function: Function
    no_effect_on: tuple[type[BaseException], ...] = ()
    whole: bool = False
    """Whether it takes all arguments as one mapping, and the call: it has no signature to read."""


def found(value: object) -> Found | None:
    """`value` as a function: a plain one, or a tool object with its `function` and `no_effect_on`; None if neither."""
    function = getattr(value, "function", value)
    if not callable(function):
        return None
    return Found(cast(Function, function), getattr(value, "no_effect_on", ()))


class Functions:
    """Calls functions under a time limit."""

    def __init__(self, values_of: ValuesOf, plain_result: PlainResult, *, threads: int = THREADS) -> None:
        self._values_of = values_of
        self._plain_result = plain_result
        self._threads = anyio.CapacityLimiter(threads)

    async def call(
        self, tool: Found, role: Role, arguments: dict[str, JsonValue], call: Call, timeout_ms: int, spent_s: float = 0
    ) -> Answer:
        """Call `tool` once and say what is known afterwards. `spent_s` of its time are gone already."""
        own, known = _split(role, arguments)
        try:
            values = (
                {"arguments": own, "call": call}
                if tool.whole
                else self._values_of(tool.function, own, call=call, **known)
            )
        except ContractError as error:
            return not_called(role, error.detail)
        started = threading.Lock()
        with anyio.move_on_after(timeout_ms / 1000 - spent_s) as limit:
            try:
                return self._answer(role, await self._run(tool.function, values, started))
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if limit.cancel_called or task is None or task.cancelling():
                    raise
                # Nobody cancelled us: the function let the cancellation of something it waited for escape.
                return Unsure("what the tool waited for was cancelled")
            except (Exception, SystemExit) as error:  # noqa: BLE001  a person's function may raise anything; it is never lost
                return _raised(tool, role, error)
        if started.acquire(blocking=False):
            return not_called(role, f"no thread became free within {timeout_ms} ms")
        return Unsure(f"no answer within {timeout_ms} ms")

    async def _run(self, function: Function, values: dict[str, Any], started: threading.Lock) -> object:
        """Its return. `started` is taken by whoever is first: the call, or the end of the time."""
        if inspect.iscoroutinefunction(function):
            started.acquire(blocking=False)
            return await function(**values)

        def begin() -> object:
            return function(**values) if started.acquire(blocking=False) else None

        returned = await anyio.to_thread.run_sync(begin, abandon_on_cancel=True, limiter=self._threads)
        # A synchronous wrapper around an asynchronous function returns what is still to be awaited.
        return await returned if inspect.isawaitable(returned) else returned

    def _answer(self, role: Role, returned: object) -> Answer:
        match role:
            case "lookup":
                return self._looked_up(returned)
            case "postcondition":
                if isinstance(returned, bool):
                    return Landed(returned)
                return Unsure("the postcondition answered neither true nor false")
            case "run":
                return Landed(self._recordable(returned))
            case "prepare" | "abort" | "facts":
                return Landed(self._plain_result(returned))

    def _looked_up(self, returned: object) -> Answer:
        match returned:
            case None:
                return Nothing("the lookup found nothing")
            case Landed(result=result):
                return Landed(self._recordable(result))
            case Nothing() | Unsure():
                return returned
            case _:
                return Unsure("the lookup answered neither Landed(result) nor None")

    def _recordable(self, returned: object) -> JsonValue:
        """It happened, whatever it returned: what cannot be recorded must not make the effect doubtful."""
        try:
            return self._plain_result(returned)
        except ContractError as error:
            return {"unrecordable": error.detail}


def _split(role: Role, arguments: dict[str, JsonValue]) -> tuple[dict[str, JsonValue], dict[str, JsonValue]]:
    """What a function may ask for by name: the action's arguments, and `args` (all of them) and `result`."""
    args = arguments.get("args")
    if role == "postcondition" and isinstance(args, dict):
        return args, {"args": args, "result": arguments.get("result")}
    return arguments, {"args": arguments}


def _raised(tool: Found, role: Role, error: BaseException) -> Answer:
    # The marker is for functions that are no tool objects: this floor cannot name the SDK's exception.
    marked = getattr(type(error), "__interlock_no_effect__", False)
    if acts(role) and (marked or isinstance(error, tool.no_effect_on)):
        # What is raised to say so is said in the tool's own words; of another exception the kind is half of what it says.
        words = one_line(str(error)) if marked else ""
        return Nothing(words or words_of(error))
    return Unsure(words_of(error))
