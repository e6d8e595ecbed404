"""The agent's side in asynchronous programs: the same outcomes, any loop, any thread, and no call that waits for itself."""

import asyncio
import threading

import pytest

import interlock
from interlock.domain.errors import NotAllowed
from tests.sdk.doors import Door


def test_the_same_asynchronously(door: Door) -> None:
    """Async tools are awaited, sync ones proposed or called in a thread; results, refusals and keys are the same."""
    tools, key = door.tools(), door.key()

    async def program() -> list[object]:
        async with door.open() as client, client.task("ag", purpose="test") as task:
            first = await task.propose(tools.put, 2, idempotency_key=key)
            again = await task.propose(tools.put, n=2, idempotency_key=key)
            with pytest.raises(interlock.Refused):
                await tools.aput(-1)
            return [first, again, await tools.aput(1), await asyncio.to_thread(tools.put, 3)]

    first, again, awaited, threaded = asyncio.run(program())

    assert isinstance(first, interlock.Done)
    assert first == again
    assert (first.result, awaited, threaded) == tuple(tools.Put(n=n, word="x") for n in (2, 1, 3))
    assert door.effects() == ["put 2", "put 1", "put 3"]


def test_a_ticket_is_awaited(door: Door) -> None:
    """`await ticket` gives the outcome once a person agreed, while the loop goes on with other things."""
    tools = door.tools()

    async def program() -> tuple[interlock.Outcome, int]:
        async with door.open() as client, client.task("ag", purpose="test") as task:
            held = await task.propose(tools.put, 500)
            assert isinstance(held, interlock.Held)
            waiting = asyncio.ensure_future(held.ticket.wait_async())
            turns = 0
            while not waiting.done():
                await asyncio.sleep(0.01)
                turns += 1
                if turns == 3:
                    await door.person("rita").aio.approve(held.action_id)
            return await held.ticket, turns

    outcome, turns = asyncio.run(program())

    assert isinstance(outcome, interlock.Done)
    assert outcome.result == tools.Put(n=500, word="x")
    assert turns >= 3
    assert door.effects()[-1] == "put 500"


def test_a_synchronous_call_on_the_loop_is_refused(door: Door) -> None:
    """Where a call would wait for the very loop that has to run it, it says so instead of waiting for ever."""
    tools = door.tools()

    async def program() -> None:
        async with door.open() as client, client.task("ag", purpose="test"):
            with pytest.raises(NotAllowed, match="wait for ever"):
                tools.put(1)
            with pytest.raises(NotAllowed, match="wait for ever"), client.task("ag", purpose="inner"):
                pass
            await tools.aput(2)

    asyncio.run(program())

    assert door.effects() == ["put 2"]


def test_a_client_is_closed_from_the_loop_it_lives_on(door: Door) -> None:
    """`with interlock.open(...)` around asynchronous tasks ends as it should."""
    tools = door.tools()

    async def program() -> None:
        with door.open() as client:
            async with client.task("ag", purpose="test"):
                await tools.aput(1)
        with pytest.raises(NotAllowed, match="closed"):
            await client.task("ag", purpose="test").__aenter__()

    asyncio.run(program())

    assert door.effects() == ["put 1"]


def test_one_client_in_two_loops_at_once(door: Door) -> None:
    """Two event loops in two threads and a synchronous thread share a client; every call acts once."""
    tools = door.tools()
    client = door.open()
    start, end = threading.Barrier(3), threading.Barrier(3)
    failures: list[BaseException] = []

    async def program(first: int) -> None:
        start.wait()
        async with client.task("ag", purpose="test") as task:
            for n in range(first, first + 5):
                await tools.aput(n)
                done = await task.propose(tools.put, n + 5)
                assert isinstance(done, interlock.Done)
        # The client lives on one of the two loops, which must not end before the others are done.
        await asyncio.to_thread(end.wait, 60)

    def plain(first: int) -> None:
        start.wait()
        with client.task("ag", purpose="test"):
            for n in range(first, first + 10):
                tools.put(n)
        end.wait(60)

    def guarded(work: object) -> None:
        try:
            assert callable(work)
            work()
        except BaseException as error:
            failures.append(error)
            raise

    threads = [
        threading.Thread(target=guarded, args=(work,))
        for work in (lambda: asyncio.run(program(0)), lambda: asyncio.run(program(10)), lambda: plain(20))
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    client.close()

    assert failures == []
    assert sorted(door.effects()) == sorted(f"put {n}" for n in range(30))


def test_one_client_in_one_loop_after_another(door: Door) -> None:
    """A program that runs `asyncio.run` twice, with synchronous calls in between, keeps its client."""
    tools = door.tools()
    client = door.open()

    async def program(n: int) -> None:
        async with client.task("ag", purpose="test"):
            await tools.aput(n)

    asyncio.run(program(1))
    with client.task("ag", purpose="test"):
        tools.put(2)
    asyncio.run(program(3))
    client.close()

    assert door.effects() == ["put 1", "put 2", "put 3"]


def test_tasks_of_one_program_do_not_mix(door: Door) -> None:
    """Coroutines that run at the same time each act in the task they opened."""
    tools = door.tools()

    async def program() -> list[tuple[str, str]]:
        async with door.open() as client:

            async def one(number: int) -> tuple[str, str]:
                async with client.task("ag", purpose=f"number {number}") as task:
                    await asyncio.sleep(0.01)
                    outcome = await task.propose(tools.put, 500 + number)
                    assert isinstance(outcome, interlock.Held)
                    with pytest.raises(interlock.Held) as called:
                        await asyncio.to_thread(tools.put, 600 + number)
                    desk = door.person("rita").aio
                    return task.id, (await desk.action(called.value.action_id)).task

            return list(await asyncio.gather(*(one(number) for number in range(5))))

    found = asyncio.run(program())

    assert all(task == acted for task, acted in found)
    assert len(dict(found)) == 5


def test_a_cancelled_program_closes_its_task(door: Door) -> None:
    """Cancelling an agent in the middle of a call closes its task, which takes nothing more."""
    tools = door.tools()

    async def program() -> interlock.Outcome:
        opened = asyncio.get_running_loop().create_future()

        async def agent(client: interlock.Client) -> None:
            async with client.task("ag", purpose="test") as task:
                opened.set_result(task)
                await task.propose(tools.put, 1, wait_ms=1_000)

        async with door.open() as client:
            running = asyncio.ensure_future(agent(client))
            task: interlock.AsyncTask = await opened
            await asyncio.sleep(0.1)
            running.cancel()
            with pytest.raises(asyncio.CancelledError):
                await running
            return await task.propose(tools.put, 2)

    outcome = asyncio.run(program())

    assert isinstance(outcome, interlock.Refused)
    assert outcome.reasons == ("the task is closed",)
