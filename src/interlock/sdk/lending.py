"""A framework's own function, lent to the gate for one call: it runs where and as the framework would have run it.

Synchronous ones run in a thread, asynchronous ones on the loop of whoever asked, both in the context of whoever asked, so that
what a framework keeps in context variables is there. What came back is kept beside what is recorded of it.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from contextvars import Context, ContextVar, copy_context
from typing import Any, Protocol, TypeAlias

from interlock.domain.call import Call
from interlock.domain.canonical import JsonValue
from interlock.domain.errors import NotAllowed
from interlock.sdk.tool import NoEffect

Arguments: TypeAlias = dict[str, JsonValue]
Own: TypeAlias = Callable[[Arguments], Any]
"""The framework's function: it takes all arguments as one mapping, as they were agreed to; it may be asynchronous."""

THIS_CALL: ContextVar[Call | None] = ContextVar("interlock_this_call", default=None)


class Lend(Protocol):
    """How a function is lent to the gate."""

    def __call__(self, name: str, key: str, function: Callable[..., Any], /) -> AbstractContextManager[None]:
        """Inside, `function(arguments, call)` is what the in-process tool `name` is for the action with that idempotency key."""
        ...


def this_call() -> Call:
    """Which attempt at which action the tool that runs here is: its `idempotency_key` is the same in every attempt, and is to be
    handed on to whatever keeps keys. Raises NotAllowed outside of a tool that a framework's adapter runs."""
    call = THIS_CALL.get()
    if call is None:
        raise NotAllowed(
            "no action runs here", next_step="ask for it inside of a tool that runs under an adapter of Interlock"
        )
    return call


class Lent:
    """One call's function. `function` is what is lent; afterwards `ran` says whether it ran here to its end, `raw` what it
    returned, and `kept` how that was written down before anybody looked through it."""

    def __init__(self, own: Own, rendered: Callable[[Any], JsonValue]) -> None:
        self._own = own
        self._rendered = rendered
        self._context = copy_context()
        self._loop = _running()
        self.ran = False
        self.raw: object = None
        self.kept: JsonValue = None

    @property
    def function(self) -> Callable[..., Any]:
        """Asynchronous where the framework's is."""
        return self._on_loop if inspect.iscoroutinefunction(self._own) else self._in_thread

    def _in_thread(self, arguments: Arguments, call: Call) -> Any:
        returned = self._in_context(call).run(self._own, arguments)
        # An object whose call is asynchronous looks like a function that is not.
        return self._awaited(returned, call) if inspect.isawaitable(returned) else self._kept(returned)

    async def _on_loop(self, arguments: Arguments, call: Call) -> JsonValue:
        return await self._awaited(self._own(arguments), call)

    async def _awaited(self, returned: Awaitable[Any], call: Call) -> JsonValue:
        """What comes of it, on the loop and in the context of whoever asked."""
        context, loop = self._in_context(call), self._loop

        async def there() -> Any:
            return await asyncio.get_running_loop().create_task(_of(returned), context=context)

        if loop is None or loop is asyncio.get_running_loop():
            return self._kept(await there())
        if not loop.is_running():
            raise NoEffect("the event loop of the program that asked has ended")
        return self._kept(await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(there(), loop)))

    def _in_context(self, call: Call) -> Context:
        """A copy: one context cannot be entered twice, and a tool may be tried again."""
        context = self._context.copy()
        context.run(THIS_CALL.set, call)
        return context

    def _kept(self, returned: object) -> JsonValue:
        self.kept = self._rendered(returned)
        self.ran, self.raw = True, returned
        return self.kept


async def _of(awaitable: Awaitable[Any]) -> Any:
    return await awaitable


def _running() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def nothing_lent(name: str, key: str, function: Callable[..., Any], /) -> AbstractContextManager[None]:
    """Of a connection that can run no tool of its program."""
    del key, function
    raise NotAllowed(
        f"`{name}` cannot run here: this connection runs no tools of its own program",
        next_step="open the workspace's folder, or have the contract name a function of a module or an address",
    )
