"""The gate over HTTP beside the gate in process, in the same run; and people's words, through the service and over HTTP.

Both gates decide the same calls of the same workspace: three policies, intent and outcome durable and signed, a tool that costs
nothing. Proofs are made beforehand, since a program makes them on its own machine. The second baseline is a bare Litestar
handler behind the same uvicorn, which reads the same call and answers with the same bytes. CPU is the server's process, all
threads.
"""

import asyncio
import tempfile
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
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
from interlock.domain.task import Opening
from interlock.embedded import Embedded
from interlock.ports.store import ActionQuery
from interlock.services.plane import ControlPlane
from interlock.web.access import TOKEN_HEADER
from tests.web.remote import call

AT_ONCE: Final = (1, 16, 64)
COUNT: Final = 960
WARM: Final = 64
VOTERS: Final = 8
VOTES: Final = 240
Send = Callable[[int, int], Awaitable[None]]


class Pace(NamedTuple):
    """How fast, and what it took."""

    a_second: float
    cpu_us: float


async def run() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as made:
        here = await _embedded(Path(made) / "here")
        async with workspace(Path(made) / "there") as plane, hosted(Path(made) / "there", "--no-worker") as server:
            there, body = await _over_http(plane, server)
            votes = await _votes(plane, server)
        bare = await _bare(Path(made), body)
    rows = [
        (
            f"{at_once} at once",
            *(f"{each[at_once].a_second:,.0f}" for each in (bare, here, there)),
            *(f"{each[at_once].cpu_us:,.0f}" for each in (bare, here, there)),
            f"{there[at_once].cpu_us / here[at_once].cpu_us:.2f}",
        )
        for at_once in AT_ONCE
    ]
    show(
        f"The gate over HTTP, {COUNT} actions each",
        ("", "bare/s", "in process/s", "over HTTP/s", "bare, CPU µs", "in process", "over HTTP", "ratio of CPU"),
        rows,
    )
    show(
        f"Approvals, {VOTES} by {VOTERS} people at once, each with its entry in the log",
        ("", "words/s", "CPU µs a word"),
        [(name, f"{pace.a_second:,.0f}", f"{pace.cpu_us:,.0f}") for name, pace in votes],
    )


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


async def _embedded(folder: Path) -> dict[int, Pace]:
    found: dict[int, Pace] = {}
    async with workspace(folder) as plane:
        embedded, identity = Embedded(plane), identity_of(plane)
        task = await plane.tasks.open(Opening(agent=AgentName("agent0"), purpose="to fill", initiator="user:customer"))
        for at_once in AT_ONCE:
            for count in (WARM, COUNT):
                asked = [await identity.presented(_proposal(task, n)) for n in range(count)]

                async def send(_: int, number: int, asked: Sequence[Proposal] = asked) -> None:
                    _done(await embedded.propose(asked[number]))

                found[at_once] = await _paced(time.process_time, at_once, count, send)
    return found


def _proposal(task: object, number: int) -> Proposal:
    return Proposal(
        task=task,  # type: ignore[arg-type]
        contract=ContractName(f"stock.put{number % 8}"),
        arguments={"n": number % 100, "sku": f"sku-{number}", "note": "as usual"},
    )


async def _over_http(plane: ControlPlane, server: Process) -> tuple[dict[int, Pace], bytes]:
    found: dict[int, Pace] = {}
    body = b""
    async with AsyncExitStack() as stack:
        agent = await program(plane, await stack.enter_async_context(client_of(server.address)), "agent0")
        task = await agent.opened()
        for at_once in AT_ONCE:
            for count in (WARM, COUNT):
                asked = [
                    request_of("/v1/agent/actions", call(await agent.identity.presented(_proposal(task, n))))
                    for n in range(count)
                ]
                async with _wires(server.address, at_once) as wires:

                    async def send(
                        who: int, number: int, asked: Sequence[bytes] = asked, wires: Sequence[Wire] = wires
                    ) -> None:
                        nonlocal body
                        body = await wires[who].post(asked[number])

                    found[at_once] = await _paced(server.cpu, at_once, count, send)
                _done(msgspec.json.decode(body, type=Action))
        await _hold(agent)
    return found, body


async def _bare(folder: Path, body: bytes) -> dict[int, Pace]:
    """The same calls, read and answered and nothing else."""
    answer = folder / "answer.json"
    answer.write_bytes(body)
    found: dict[int, Pace] = {}
    async with AsyncExitStack() as stack:
        process, address = await stack.enter_async_context(told(folder, "bench.bare_server", str(answer)))
        server = Process(process.pid, address, answer)
        wires = await stack.enter_async_context(_wires(address, max(AT_ONCE)))
        action = msgspec.json.decode(body, type=Action)
        said = {
            "task": action.task,
            "contract": action.contract,
            "arguments": action.arguments,
            "shown": {"credential": "c" * 700, "proof": "p" * 500},
        }
        request = request_of("/v1/agent/actions", said)

        async def send(who: int, _: int) -> None:
            await wires[who].post(request)

        for at_once in AT_ONCE:
            for count in (WARM, 2 * COUNT):
                found[at_once] = await _paced(server.cpu, at_once, count, send)
    return found


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
