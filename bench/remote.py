"""A gated call of the SDK over HTTP beside the same call in process, in the same run, by the clock and in CPU.

Both programs use nothing but `interlock.open`, one on the folder and one on the address of an `interlock serve`, and call the
same tool, which costs nothing, in one task, one call after the other. The third row is a tool that only the remote program
has: proposed, claimed, called there and reported. What the program takes and what the server takes are told apart.
"""

import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

import interlock
from bench.afar import SETTINGS
from bench.crowded import lay_out
from bench.hosted import Process, hosted
from bench.measure import percentile, show
from interlock.bootstrap.connecting import connect
from interlock.bootstrap.site import definition, read_site
from interlock.domain.ids import AgentName, Person

COUNT: Final = 100
ROUNDS: Final = 3
AGENT: Final = "agent0"
OWN: Final = """\
name: own.put
owner: bench
effect: write
risk: low
arguments: {n: {type: integer, minimum: 0}}
result: {type: object, properties: {n: {type: integer}}}
idempotency: {keyed: {retention: 1d}}
reversal: {contract: stock.take, arguments: {n: $args.n}}
run: in_process
"""
Work = Callable[[Any], Awaitable[interlock.Outcome]]


class Round(NamedTuple):
    """Microseconds: of the clock, a call; of CPU, a call on average."""

    p50: float
    p99: float
    program: float
    server: float


async def run() -> None:
    """Measure in turns, so that all see the same machine, and print."""
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as made:
        here, there = Path(made) / "here", Path(made) / "there"
        await _in_force(here)
        secret = await _in_force(there)
        async with hosted(there, "--no-worker") as server:
            found: dict[str, list[Round]] = {name: [] for name in ("here", "afar", "own")}
            with (
                interlock.open(here) as embedded,
                interlock.open(server.address, attest="bootstrap", evidence=secret) as remote,
            ):
                remote.offer("own.put", _put)
                for _ in range(ROUNDS):
                    found["here"].append(await _round(embedded, None, _stock))
                    found["afar"].append(await _round(remote, server, _stock))
                    found["own"].append(await _round(remote, server, _own))
    middle = {name: sorted(rounds, key=lambda each: each.p50)[ROUNDS // 2] for name, rounds in found.items()}
    base = middle["here"]
    show(
        f"A gated call of the SDK, one after the other, {ROUNDS} rounds of {COUNT}, the median round",
        ("", "wall p50 µs", "wall p99 µs", "CPU of the program µs", "CPU of the server µs", "ratio of p50"),
        [
            _row("in process", base, base),
            _row("over HTTP", middle["afar"], base),
            _row("over HTTP, a tool of its own", middle["own"], base),
        ],
    )


def _row(name: str, each: Round, base: Round) -> tuple[str, ...]:
    server = f"{each.server:,.0f}" if each.server else ""
    return name, f"{each.p50:,.0f}", f"{each.p99:,.0f}", f"{each.program:,.0f}", server, f"{each.p50 / base.p50:.2f}"


async def _in_force(folder: Path) -> str:
    """A workspace, in force; and what a program is recognised by there."""
    lay_out(folder, settings=SETTINGS)
    (folder / "contracts").mkdir(exist_ok=True)
    (folder / "contracts/own.yaml").write_text(OWN)
    agent = folder / f"agents/{AGENT}.yaml"
    agent.write_text(agent.read_text().replace("capabilities: [", "capabilities: [own.put, "))
    plane = connect(folder, begin=True)
    try:
        await plane.registry.apply(definition(read_site(folder)), by="bench")
        return (await plane.inviting.offer(AgentName(AGENT), by=Person("rita")))[0]
    finally:
        await plane.close()


async def _round(client: interlock.Client, server: Process | None, work: Work) -> Round:
    wall: list[float] = []
    async with client.task(AGENT, purpose="to fill the shelves", on_behalf_of="user:customer") as task:
        for _ in range(20):
            await work(task)
        before, at_server = time.process_time_ns(), 0.0 if server is None else server.cpu()
        for _ in range(COUNT):
            began = time.perf_counter_ns()
            outcome = await work(task)
            wall.append((time.perf_counter_ns() - began) / 1000)
            if not isinstance(outcome, interlock.Done):
                raise outcome
        program = (time.process_time_ns() - before) / 1000 / COUNT
        taken = 0.0 if server is None else (server.cpu() - at_server) * 1e6 / COUNT
    wall.sort()
    return Round(percentile(wall, 0.5), percentile(wall, 0.99), program, taken)


async def _stock(task: Any) -> interlock.Outcome:
    found: interlock.Outcome = await task.propose("stock.put0", n=1)
    return found


async def _own(task: Any) -> interlock.Outcome:
    found: interlock.Outcome = await task.propose("own.put", n=1)
    return found


async def _put(n: int) -> dict[str, int]:
    return {"n": n}
