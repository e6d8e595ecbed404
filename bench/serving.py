"""The gate over HTTP beside the gate in process, in the same run; and people's words, through the service and over HTTP.

Both gates decide the same calls of the same workspace: three policies, intent and outcome durable and signed, a tool that costs
nothing. Proofs are made beforehand, since a program makes them on its own machine. The second baseline is a bare Litestar
handler behind the same uvicorn, which reads the same call and answers with the same bytes. CPU is the server's process, all
threads.
"""

import asyncio
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from bench.afar import Program, browser, client_of, program, workspace
from bench.hosted import Process, hosted, told
from bench.measure import show
from bench.wire import Wire, request_of
from interlock.bootstrap.connecting import identity_of
from interlock.domain.action import Action
from interlock.domain.ids import ActionId, AgentName, ContractName, Person
from interlock.domain.proposal import Proposal
from interlock.domain.task import Opening, Task
from interlock.embedded import Embedded
from interlock.ports.store import ActionQuery
from interlock.services.plane import ControlPlane
from interlock.web.access import TOKEN_HEADER
from tests.web.remote import call

AT_ONCE: Final = (1, 16, 64)
BATCH: Final = 192
"""A proof counts for half a minute: no more are made beforehand than are spent by then."""
ROUNDS: Final = 5
ACTIONS: Final = "/v1/agent/actions"
VOTERS: Final = 8
VOTES: Final = 240
Send = Callable[[int, int], Awaitable[None]]
Batch = Callable[[int], Awaitable["Pace"]]


class Pace(NamedTuple):
    """How fast, and what it took."""

    a_second: float
    cpu_us: float


async def run() -> None:
    """Measure in turns, so that all see the same machine, and print."""
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as made:
        folder = Path(made)
        async with (
            workspace(folder / "here") as plane,
            workspace(folder / "there") as other,
            hosted(folder / "there", "--no-worker") as server,
            AsyncExitStack() as stack,
        ):
            client = await stack.enter_async_context(client_of(server.address))
            agent = await program(other, client, "agent0")
            here, there = await _here(plane), await _there(agent, server)
            bare = await _bare(folder, agent, stack)
            found = {(side, at_once): list[Pace]() for side in range(3) for at_once in AT_ONCE}
            for at_once in AT_ONCE:
                for which in range(ROUNDS + 1):
                    for side, batch in enumerate((bare, here, there)):
                        pace = await batch(at_once)
                        if which:  # the first is to be warm
                            found[side, at_once].append(pace)
            await _hold(agent)
            votes = await _votes(other, server)
    rows: list[tuple[str, ...]] = []
    for at_once in AT_ONCE:
        paces = [_median(found[side, at_once]) for side in range(3)]
        rates, costs = [f"{each.a_second:,.0f}" for each in paces], [f"{each.cpu_us:,.0f}" for each in paces]
        rows.append((f"{at_once} at once", *rates, *costs, f"{paces[2].cpu_us / paces[1].cpu_us:.2f}"))
    show(
        f"The gate over HTTP, the median of {ROUNDS} rounds of {BATCH} actions each",
        ("", "bare/s", "in process/s", "over HTTP/s", "bare, CPU µs", "in process", "over HTTP", "ratio of CPU"),
        rows,
    )
    show(
        f"Approvals, {VOTES} by {VOTERS} people at once, each with its entry in the log",
        ("", "words/s", "CPU µs a word"),
        [(name, f"{pace.a_second:,.0f}", f"{pace.cpu_us:,.0f}") for name, pace in votes],
    )


def _median(paces: list[Pace]) -> Pace:
    rates, costs = sorted(each.a_second for each in paces), sorted(each.cpu_us for each in paces)
    return Pace(rates[len(paces) // 2], costs[len(paces) // 2])


async def _paced(cpu: Callable[[], float], at_once: int, count: int, send: Send) -> Pace:
    """`send(who, which)` so many times, shared by so many who each wait for the answer."""
    began, began_wall = cpu(), time.perf_counter()

    async def one(who: int) -> None:
        for number in range(who, count, at_once):
            await send(who, number)

    await asyncio.gather(*(one(who) for who in range(at_once)))
    return Pace(count / (time.perf_counter() - began_wall), (cpu() - began) / count * 1e6)


@asynccontextmanager
async def _wires(address: str, count: int) -> AsyncGenerator[list[Wire]]:
    """Connections that were just opened: the server lets go of those that say nothing."""
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(Wire(address)) for _ in range(count)]


def _done(action: Action) -> None:
    if action.state != "done":
        raise RuntimeError(f"{action.state}: {action.reasons}")


def _proposal(task: Task, number: int) -> Proposal:
    return Proposal(
        task=task,
        contract=ContractName(f"stock.put{number % 8}"),
        arguments={"n": number % 100, "sku": f"sku-{number}", "note": "as usual"},
    )


async def _here(plane: ControlPlane) -> Batch:
    """The gate in process."""
    embedded, identity = Embedded(plane), identity_of(plane)
    task = await plane.tasks.open(Opening(agent=AgentName("agent0"), purpose="to fill", initiator="user:customer"))

    async def batch(at_once: int) -> Pace:
        asked = [await identity.presented(_proposal(task, number)) for number in range(BATCH)]

        async def send(_: int, number: int) -> None:
            _done(await embedded.propose(asked[number]))

        return await _paced(time.process_time, at_once, BATCH, send)

    return batch


async def _there(agent: Program, server: Process) -> Batch:
    """The gate over HTTP."""
    task = await agent.opened()

    async def batch(at_once: int) -> Pace:
        presented = [await agent.identity.presented(_proposal(task, number)) for number in range(BATCH)]
        asked = [request_of(ACTIONS, call(each)) for each in presented]
        async with _wires(server.address, at_once) as wires:

            async def send(who: int, number: int) -> None:
                answer = await wires[who].post(asked[number])
                if b'"state":"done"' not in answer:
                    _done(msgspec.json.decode(answer, type=Action))

            return await _paced(server.cpu, at_once, BATCH, send)

    return batch


async def _bare(folder: Path, agent: Program, stack: AsyncExitStack) -> Batch:
    """The same call, read and answered with the same bytes, and nothing else."""
    task = await agent.opened()
    proposal = await agent.identity.presented(_proposal(task, 1))
    answer = folder / "answer.json"
    answer.write_bytes(msgspec.json.encode(await agent.remote.propose(proposal)))
    process, address = await stack.enter_async_context(told(folder, "bench.bare_server", str(answer)))
    server, request = Process(process.pid, address, answer), request_of(ACTIONS, call(proposal))

    async def batch(at_once: int) -> Pace:
        async with _wires(address, at_once) as wires:

            async def send(who: int, _: int) -> None:
                await wires[who].post(request)

            return await _paced(server.cpu, at_once, 8 * BATCH, send)

    return batch


async def _hold(agent: Program) -> None:
    """Actions that wait for people."""
    task = await agent.opened()
    for number in range(2 * VOTES + VOTERS):
        action = await agent.act(task, f"stock.put{number % 8}", {"n": 500 + number, "sku": "sku", "note": "as usual"})
        if action.state != "held":
            raise RuntimeError(f"{action.state}: {action.reasons}")


async def _votes(plane: ControlPlane, server: Process) -> list[tuple[str, Pace]]:
    people = [Person(f"voter{n}") for n in range(VOTERS)]
    held = [each.id for each in await plane.means.store.actions(ActionQuery(waiting=True, limit=3 * VOTES))]
    heads = [await _signed_in(plane, server, person) for person in people]
    views = dict[ActionId, str]()
    found: list[tuple[str, Pace]] = []
    async with _wires(server.address, VOTERS) as wires:

        async def here(who: int, number: int) -> None:
            await plane.approvals.approve(held[number], people[who], note="fine")

        async def look(who: int, number: int) -> None:
            action = held[VOTES + number]
            shown = msgspec.json.decode(await wires[who].get(f"/v1/approvals/{action}", heads[who]))
            views[action] = str(shown["view"])

        async def there(who: int, number: int) -> None:
            action = held[VOTES + number]
            word = {"view": views[action], "note": "fine"}
            await wires[who].post(request_of(f"/v1/approvals/{action}/approve", word, heads[who]))

        looked = await _paced(server.cpu, VOTERS, VOTES, look)
        voted = await _paced(server.cpu, VOTERS, VOTES, there)
        found.append(("a word to the service, in process", await _paced(time.process_time, VOTERS, VOTES, here)))
    return [*found, ("a word over HTTP, signed in", voted), ("looking at it before, over HTTP", looked)]


async def _signed_in(plane: ControlPlane, server: Process, person: Person) -> dict[str, str]:
    """The headers by which a browser of theirs is known."""
    async with client_of(server.address) as client:
        await browser(plane, client, person)
        return {
            "cookie": f"interlock={client.cookies['interlock']}",
            "origin": "http://127.0.0.1",
            TOKEN_HEADER: client.headers[TOKEN_HEADER],
        }
