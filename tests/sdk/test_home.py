"""Where a client's coroutines run, and who may wait for them."""

import asyncio
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from interlock.domain.errors import NotAllowed
from interlock.sdk.home import Home


async def where() -> str:
    """The thread that runs this."""
    return threading.current_thread().name


async def long() -> None:
    """Longer than any test."""
    await asyncio.sleep(60)


async def nothing() -> None:
    """Nothing to end."""


def test_without_a_loop_home_is_a_thread_of_ours() -> None:
    """Synchronous callers, in whatever thread, share one loop, which ends with the home."""
    before = {*threading.enumerate()}
    home = Home()
    with ThreadPoolExecutor(8) as callers:
        threads = set(callers.map(lambda _: home.block(where), range(32)))
    home.stop()

    assert threads == {"interlock"}
    assert not {*threading.enumerate()} - before


def test_the_first_loop_becomes_home() -> None:
    """An asynchronous program's own loop runs its work; threads of that program are carried over to it."""
    home = Home()

    async def program() -> tuple[str, str]:
        return await home.run(where), await asyncio.to_thread(home.block, where)

    assert set(asyncio.run(program())) == {"MainThread"}
    assert home.block(where) == "interlock"
    home.stop()


def test_an_error_arrives_as_it_was_raised() -> None:
    """Also an error that looks like one of waiting: a timeout, a cancellation."""
    home = Home()

    async def fails(error: Exception) -> None:
        raise error

    for error in (ValueError("a"), TimeoutError("b"), NotAllowed("c")):
        with pytest.raises(type(error), match=str(error)):
            home.block(fails, error)
    home.stop()


def test_a_loop_that_ends_leaves_nobody_waiting() -> None:
    """A thread, or another loop, whose work was on a loop that ended hears so instead of waiting for ever."""
    home, errors = Home(), list[str]()
    begun, ended = threading.Barrier(3), threading.Event()

    async def waits() -> None:
        await asyncio.to_thread(begun.wait)
        await asyncio.sleep(60)

    def blocked() -> None:
        with pytest.raises(NotAllowed, match="ended") as caught:
            home.block(waits)
        errors.append(caught.value.detail)

    async def carried() -> None:
        with pytest.raises(NotAllowed, match="ended") as caught:
            await home.run(waits)
        errors.append(caught.value.detail)

    async def program() -> None:
        await home.run(where)
        ended.set()
        await asyncio.to_thread(begun.wait)

    first = threading.Thread(target=asyncio.run, args=(program(),))
    first.start()
    ended.wait()
    others = [threading.Thread(target=blocked), threading.Thread(target=lambda: asyncio.run(carried()))]
    for each in (*others, first):
        if each is not first:
            each.start()
    for each in (*others, first):
        each.join(20)

    assert len(errors) == 2


def test_a_paused_loop_is_not_waited_for() -> None:
    """A loop that was run and left, not closed, is home no longer."""
    home, loop = Home(), asyncio.new_event_loop()
    loop.run_until_complete(home.run(where))

    assert home.block(where) == "interlock"
    home.stop()
    loop.close()


def test_a_stopped_home_takes_nothing_and_ends_what_runs() -> None:
    """After `stop`, and for whoever waits meanwhile, there is an error that says so; stopping twice is once."""
    home, errors = Home(), list[str]()

    def waits() -> None:
        with pytest.raises(NotAllowed) as caught:
            home.block(long)
        errors.append(caught.value.detail)

    waiting = threading.Thread(target=waits)
    waiting.start()
    time.sleep(0.1)
    home.finish(nothing)
    home.finish(nothing)
    home.stop()
    waiting.join(10)

    assert len(errors) == 1
    with pytest.raises(NotAllowed, match="closed"):
        home.block(where)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_is_told_so() -> None:
    """A forked process has none of the threads; it is told at once, and may end, instead of waiting for them."""
    home = Home()
    home.block(where)
    child = os.fork()
    if child == 0:
        try:
            home.block(where)
        except NotAllowed as error:
            home.finish(nothing)
            os._exit(0 if "forked" in error.detail else 1)
        os._exit(2)
    _, status = os.waitpid(child, 0)
    home.stop()

    assert os.waitstatus_to_exitcode(status) == 0
