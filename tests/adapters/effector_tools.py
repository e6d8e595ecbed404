"""Tools for the effector tests: functions as people write them, good and bad."""

import asyncio
import functools
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import ContextVar
from typing import Any, NoReturn, cast

import msgspec

import interlock
from interlock.domain.call import Call, Landed, Nothing, Unsure

WHERE: ContextVar[str] = ContextVar("where", default="nowhere")
RAN: list[str] = []
RELEASE = threading.Event()


class Money(msgspec.Struct, frozen=True):
    """An amount in minor units."""

    amount_minor: int
    currency: str


class OurNoEffect(Exception):
    """What a function that is no tool object raises to promise that nothing happened."""

    __interlock_no_effect__ = True


def double(n: int) -> int:
    """Twice `n`."""
    return 2 * n


async def double_async(n: int) -> int:
    """Twice `n`, after having waited."""
    await asyncio.sleep(0.001)
    return 2 * n


def typed(price: Money, call: Call) -> dict[str, object]:
    """What it was given, to be looked at."""
    return {"minor": price.amount_minor + 1, "key": call.idempotency_key, "attempt": call.attempt}


def where() -> dict[str, object]:
    """The caller's context variable, and whether this is the caller's thread."""
    return {"where": WHERE.get(), "main": threading.current_thread() is threading.main_thread()}


async def where_async() -> dict[str, object]:
    """The same, on the loop."""
    return {"where": WHERE.get(), "main": threading.current_thread() is threading.main_thread()}


def _wrapped(function: Callable[..., Coroutine[Any, Any, Any]]) -> Callable[..., Awaitable[Any]]:
    @functools.wraps(function)
    def call(**values: Any) -> Awaitable[Any]:
        return function(**values)

    return call


@_wrapped
async def wrapped(n: int) -> int:
    """An asynchronous function behind a synchronous wrapper."""
    return await double_async(n)


def slow(n: int) -> int:
    """Waits until the test lets it go on, then leaves a trace."""
    RELEASE.wait(10)
    RAN.append(f"slow {n}")
    return n


async def slow_async(n: int) -> int:
    """Leaves a trace unless it is cancelled."""
    await asyncio.sleep(10)
    RAN.append(f"slow {n}")
    return n


def raises(n: int) -> NoReturn:
    """Fails."""
    raise ValueError(f"cannot\ndo \x1b[31m{n} " + "x" * 1000)


def raises_within() -> NoReturn:
    """Fails with the marker of no effect."""
    raise OurNoEffect("the shelf was empty")


def times_out_itself() -> NoReturn:
    """Fails as a socket does."""
    raise TimeoutError("the supplier did not answer")


async def cancelled_within() -> None:
    """Waits for something that somebody else cancelled."""
    waiting = asyncio.get_running_loop().create_future()
    waiting.cancel()
    await waiting


def leaves() -> NoReturn:
    """Tries to end the process."""
    sys.exit(3)


async def leaves_async() -> NoReturn:
    """Tries to end the process."""
    sys.exit(3)


def stops() -> NoReturn:
    """Raises what generators end with."""
    raise StopIteration("over")


class UnprintableError(Exception):
    """An exception whose text cannot be had."""

    def __str__(self) -> str:
        raise RuntimeError("no words")


def unprintable() -> NoReturn:
    """Fails with it."""
    raise UnprintableError


def fraction() -> object:
    """Returns what evidence cannot hold."""
    return {"ratio": 0.5}


def thing() -> object:
    """Returns no JSON at all."""
    return threading.Lock()


def found(n: int) -> object:
    """A lookup with every possible answer."""
    answers: dict[int, object] = {
        0: None,
        1: Landed({"n": 1}),
        2: Nothing("it was never there"),
        3: Unsure("the archive is closed"),
        4: True,
        5: Landed(cast(Any, Money(5, "EUR"))),
        6: Landed(cast(Any, 0.5)),
    }
    if n == 7:
        raise KeyError("index")
    if n == 8:
        raise OurNoEffect("not this way")
    return answers[n]


def holds(n: int, result: int) -> object:
    """A postcondition."""
    if n == 9:
        raise KeyError("gone")
    return result == 2 * n if n < 5 else "yes"


def holds_args(args: dict[str, int], result: int) -> bool:
    """A postcondition over all arguments."""
    return result == sum(args.values())


@interlock.tool(effect="read", risk="low", no_effect_on=(LookupError,))
def tool(n: int) -> int:
    """A tool object."""
    if n < 0:
        raise IndexError("below the shelf")
    if n == 0:
        raise interlock.NoEffect("nothing to do")
    return 2 * n


class Nested:
    """A namespace."""

    @staticmethod
    def triple(n: int) -> int:
        """Three times `n`."""
        return 3 * n


def nap(n: int) -> int:
    """A short, busy call."""
    RAN.append(f"nap {n}")
    time.sleep(0.3)
    return n


NUMBER = 7
