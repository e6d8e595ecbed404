"""A tool called through the MCP gateway, beside the same call made directly and through the least that passes calls on.

In turns, in one run. The server's tool costs nothing; the client and the server are written with the protocol's own package, and
so is what passes calls on. Through the gateway each call is decided by a policy, and its intent and outcome are durable and
signed. CPU is that of the process in the middle alone, all threads, by the system's own account.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from mcp.client.client import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared._httpx_utils import create_mcp_http_client  # as its own examples do: there is no public name

from bench.hosted import told
from bench.mcp_middle import PROGRAM as MIDDLE
from bench.measure import percentile, show

PROGRAM: Final = str(Path(sys.executable).parent / "interlock")
ROUNDS: Final = 3
CALLS: Final = 200
WARM: Final = 40
AT_ONCE: Final = (1, 16, 64)
EACH: Final = 384
"""Calls of a round, shared by those who are there at once."""
TOOL: Final = {"direct": "put", "passed on": "put", "gateway": "shelf__put"}
SIDES: Final = tuple(TOOL)
AGENT: Final = """\
name: filler
purpose: fills the shelves
owners: {decision: ana, policy: ana, data: ana, engineering: ana}
stage: bounded
capabilities: [shelf.put, shelf.take]
runtime: {max_actions: 1000000, max_repeats: 1000000}
"""
POLICY: Final = """\
@id("shelf.fill") @owner("ana")
permit (principal, action == Action::"shelf.put", resource);
"""
FILES: Final = {
    "interlock.yaml": "tenant: bench\npolicy_tests: advised\n",
    "people.yaml": "ana: owner\n",
    "agents/filler.yaml": AGENT,
    "policies/shelf.cedar": POLICY,
}
WORDS: Final = """
tools:
  put: {effect: write, risk: low, reversal: {contract: shelf.take, arguments: {sku: $args.sku, n: $args.n}}}
  take: {effect: write, risk: low, reversal: {contract: shelf.put, arguments: {sku: $args.sku, n: $args.n}}}
"""


class Found(NamedTuple):
    """What one side took, in microseconds."""

    cpu: list[float]
    wall: list[float]


async def run() -> None:
    """Measure in turns, so that all see the same machine, and print."""
    with tempfile.TemporaryDirectory(dir=Path.cwd(), prefix=".bench-") as made:
        folder = Path(made)
        await _alone(_workspace(folder / "alone", {"stdio": {"command": [*MIDDLE, "server", "stdio"]}}))
        async with told(folder, "bench.mcp_middle", "server", "http") as (_, upstream):
            await _together(_workspace(folder / "together", {"http": {"url": upstream}}), upstream)


def _workspace(folder: Path, way: dict[str, object]) -> Path:
    """A workspace in force, with the server's tool under contract."""
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_text(text)
    interlock(folder, "init", str(folder))
    (folder / "servers").mkdir()
    (folder / "servers" / "shelf.yaml").write_text(f"{json.dumps(way)[1:-1]}\n{WORDS}")
    interlock(folder, "server", "pin", "shelf", "--yes")
    interlock(folder, "apply")
    return folder


def interlock(folder: Path, *words: str) -> str:
    """What a command printed."""
    done = subprocess.run([PROGRAM, "-w", str(folder), *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{words}: {done.stderr or done.stdout}")
    return done.stdout


# -- one client over standard input and output ---------------------------------------------------------------------


async def _alone(folder: Path) -> None:
    commands = {
        "direct": [*MIDDLE, "server", "stdio"],
        "passed on": [*MIDDLE, "passing", "stdio"],
        "gateway": [PROGRAM, "-w", str(folder), "gateway", "--agent", "filler", "--on-behalf-of", "user:ana"],
    }
    found = {side: Found([], []) for side in SIDES}
    async with AsyncExitStack() as stack:
        clients: dict[str, tuple[Client, int]] = {}
        for side, command in commands.items():
            before = _children()
            server = StdioServerParameters(command=command[0], args=command[1:], env=dict(os.environ), cwd=Path.cwd())
            client = await stack.enter_async_context(Client(stdio_client(server), mode="legacy"))
            (pid,) = _children() - before
            clients[side] = client, pid
            for number in range(WARM):
                await _put(client, TOOL[side], number)
        for _ in range(ROUNDS):
            for side, (client, pid) in clients.items():
                for number in range(CALLS):
                    began, began_wall = cpu_us(pid), time.perf_counter_ns()
                    await _put(client, TOOL[side], number)
                    found[side].wall.append((time.perf_counter_ns() - began_wall) / 1000)
                    await asyncio.sleep(0.002)  # what is still done after the answer counts
                    found[side].cpu.append(cpu_us(pid) - began)
    rows: list[tuple[str, ...]] = []
    for side in SIDES:
        cpu, wall = sorted(found[side].cpu), sorted(found[side].wall)
        middle = ("-", "-") if side == "direct" else (f"{percentile(cpu, 0.5):,.0f}", f"{percentile(cpu, 0.99):,.0f}")
        rows.append((side, *middle, f"{percentile(wall, 0.5):,.0f}", f"{percentile(wall, 0.99):,.0f}"))
    show(
        f"One MCP call over standard input and output, {ROUNDS} rounds of {CALLS}",
        ("", "CPU in the middle, µs p50", "p99", "wall, µs p50", "p99"),
        rows,
    )


# -- many clients over HTTP ------------------------------------------------------------------------------------------


async def _together(folder: Path, upstream: str) -> None:
    made = json.loads(
        interlock(folder, "--as", "ana", "--json", "agent", "key", "new", "filler", "--purpose", "figures")
    )
    bears = {"Authorization": f"Bearer {made['key']}"}
    paces: dict[tuple[str, int], list[tuple[float, float]]] = {}
    async with (
        told(folder, "bench.mcp_middle", "passing", "http", upstream) as (passing, passed),
        _gateway(folder) as (gateway, gated),
    ):
        sides = {"direct": (0, upstream), "passed on": (passing.pid, passed), "gateway": (gateway, gated)}
        for at_once in AT_ONCE:
            for which in range(ROUNDS + 1):
                for side, (pid, url) in sides.items():
                    pace = await _pace(url, bears if side == "gateway" else {}, TOOL[side], pid, at_once)
                    if which:  # the first is to be warm
                        paces.setdefault((side, at_once), []).append(pace)
    rows: list[tuple[str, ...]] = []
    for at_once in AT_ONCE:
        said = [sorted(paces[side, at_once])[ROUNDS // 2] for side in SIDES]
        costs = [f"{cost:,.0f}" for _, cost in said[1:]]
        rows.append((f"{at_once} sessions", *(f"{rate:,.0f}" for rate, _ in said), *costs))
    show(
        f"MCP calls over HTTP, the median of {ROUNDS} rounds of {EACH}",
        ("", "direct/s", "passed on/s", "gateway/s", "passed on, CPU µs a call", "gateway"),
        rows,
    )


async def _pace(url: str, headers: dict[str, str], tool: str, pid: int, at_once: int) -> tuple[float, float]:
    """Calls a second, and microseconds of CPU each took in the middle."""
    async with AsyncExitStack() as stack:
        clients: list[Client] = []
        for _ in range(at_once):
            http = await stack.enter_async_context(create_mcp_http_client(headers=headers))
            way = streamable_http_client(url, http_client=http)
            clients.append(await stack.enter_async_context(Client(way, mode="legacy")))
            await _put(clients[-1], tool, 0)
        began, began_wall = cpu_us(pid) if pid else 0.0, time.perf_counter()

        async def one(client: Client) -> None:
            for number in range(EACH // at_once):
                await _put(client, tool, number)

        await asyncio.gather(*(one(client) for client in clients))
        took = time.perf_counter() - began_wall
        return EACH / took, ((cpu_us(pid) if pid else 0.0) - began) / EACH


@asynccontextmanager
async def _gateway(folder: Path) -> AsyncGenerator[tuple[int, str]]:
    words = ("interlock", "-w", str(folder), "--json", "gateway", "--http", "127.0.0.1:0")
    async with told(folder, *words) as (process, address):
        yield process.pid, address


# -- parts -------------------------------------------------------------------------------------------------------------


async def _put(client: Client, tool: str, number: int) -> None:
    answer: Any = await client.call_tool(tool, {"sku": f"sku-{number}", "n": number % 100, "note": "as usual"})
    if answer.is_error:
        raise RuntimeError(str(answer.content))


def cpu_us(pid: int) -> float:
    """Microseconds that a process ran so far, all threads."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(each.read_text().split()[0]) for each in tasks) / 1000


def _children() -> set[int]:
    tasks = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    return {int(word) for each in tasks for word in each.read_text().split()}
