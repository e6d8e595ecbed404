"""A question to a model, directly, through a plain pass-through, and through Interlock: in turns, one after the other.

Three processes answer: a model that says the same at once, a pass-through of the least that one could write on the same server
and client, and `interlock gateway --http`. CPU is that of the process in the middle, by the system's own account.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx

from bench.measure import percentile, show
from interlock.bootstrap.beginning import initialise
from interlock.bootstrap.connecting import connect
from interlock.bootstrap.site import definition, read_site
from interlock.domain.ids import AgentName, Person

ROUNDS: Final = 300
STREAMS: Final = 60
EVENTS: Final = 50
AT_ONCE: Final = (1, 16, 64)
ANSWER: Final = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "small-1",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "word " * 100}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 900, "completion_tokens": 100, "total_tokens": 1000},
}
BODY: Final = {
    "model": "small",
    "messages": [
        {"role": "system", "content": "You answer letters. " * 40},
        {"role": "user", "content": "Dear Sir, " * 200},
    ],
    "tools": [
        {
            "type": "function",
            "function": {"name": f"tool_{n}", "description": "does " * 20, "parameters": {"type": "object"}},
        }
        for n in range(10)
    ],
    "max_tokens": 200,
    "temperature": 0.2,
}
AGENT: Final = """\
name: clerk
purpose: answers letters
owners: {decision: ana, policy: ana, data: ana, engineering: ana}
capabilities: []
runtime: {models: [small]}
budgets: {tokens: {limit: 1000000000, per: day}}
"""
SETTINGS: Final = """\
policy_tests: advised
models:
  providers: {{house: {{url: "{url}/v1"}}}}
  routes: {{small: {{provider: house, most_output: 400}}}}
"""

Asked = tuple[str, httpx.AsyncClient]


@asynccontextmanager
async def process(*words: str) -> AsyncGenerator[tuple[str, int]]:
    """A program that says where it answers, as JSON; its address and its process."""
    started = await asyncio.create_subprocess_exec(sys.executable, *words, stdout=subprocess.PIPE)
    assert started.stdout is not None
    said = json.loads(await started.stdout.readuntil(b"}"))
    try:
        yield said["address"].rstrip("/").removesuffix("/mcp"), started.pid
    finally:
        started.terminate()
        await started.wait()


async def workspace(folder: Path, url: str) -> str:
    """A workspace in force whose model is at `url`, and a key of its agent."""
    (folder / "agents").mkdir(parents=True)
    (folder / "policies").mkdir()
    (folder / "interlock.yaml").write_text(SETTINGS.format(url=url))
    (folder / "people.yaml").write_text("ana: [reviewer]\n")
    (folder / "agents/clerk.yaml").write_text(AGENT)
    (folder / "policies/all.cedar").write_text('@id("all") @owner("a") permit (principal, action, resource);\n')
    initialise(folder, "bench")
    plane = connect(folder, begin=True)
    try:
        await plane.registry.apply(definition(read_site(folder)), by="bench")
        made, _ = await plane.agent_keys.make(
            AgentName("clerk"), by=Person("ana"), purpose="to be measured", surfaces=("models",)
        )
        return made
    finally:
        await plane.close()


def cpu(pid: int) -> float:
    """Seconds of processor that a process has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def whole(client: httpx.AsyncClient) -> None:
    """One question."""
    answer = await client.post("/v1/chat/completions", json=BODY)
    if answer.status_code != 200:
        raise RuntimeError(f"{answer.status_code}: {answer.text[:300]}")


async def stream(client: httpx.AsyncClient) -> float:
    """One question whose answer comes in pieces. After how many ms the first came."""
    began = time.perf_counter()
    first = 0.0
    async with client.stream("POST", "/v1/chat/completions", json={**BODY, "stream": True}) as answer:
        async for _ in answer.aiter_raw():
            first = first or time.perf_counter() - began
    return first * 1000


async def in_turns(ways: dict[str, Asked], work: Any, count: int) -> dict[str, list[float]]:
    """`work` in each of the ways in turn, so that whatever else the machine does meets all alike; ms of each, sorted."""
    took: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(count + 20):
        for name, (_, client) in ways.items():
            began = time.perf_counter()
            await work(client)
            if number >= 20:
                took[name].append((time.perf_counter() - began) * 1000)
    return {name: sorted(found) for name, found in took.items()}


async def load(client: httpx.AsyncClient, pid: int, at_once: int, count: int) -> tuple[float, float, float]:
    """Questions a second, ms of processor each, and the p99 in ms, with so many open at once."""
    left, took = iter(range(count)), list[float]()

    async def ask() -> None:
        for _ in left:
            began = time.perf_counter()
            await whole(client)
            took.append((time.perf_counter() - began) * 1000)

    before, began = cpu(pid), time.perf_counter()
    await asyncio.gather(*(ask() for _ in range(at_once)))
    seconds = time.perf_counter() - began
    return count / seconds, (cpu(pid) - before) / count * 1000, percentile(sorted(took), 0.99)


async def run() -> None:
    """Measure, and print."""
    with tempfile.TemporaryDirectory() as place:
        async with process("-m", "bench.model_server") as (model, _):
            key = await workspace(Path(place) / "here", model)
            gateway = ("-m", "interlock", "--json", "-w", f"{place}/here", "gateway", "--http", "127.0.0.1:0")
            async with (
                process("-m", "bench.pass_through", f"{model}/v1") as (plain, plain_pid),
                process(*gateway) as (ours, ours_pid),
                client_of(model, "") as directly,
                client_of(plain, "") as passing,
                client_of(ours, key) as relayed,
            ):
                ways = {"direct": (model, directly), "pass-through": (plain, passing), "Interlock": (ours, relayed)}
                await _alone(ways)
                await _crowd({"pass-through": (passing, plain_pid), "Interlock": (relayed, ours_pid)})


def client_of(url: str, key: str) -> httpx.AsyncClient:
    """Somebody who asks."""
    limits = httpx.Limits(max_connections=200, max_keepalive_connections=200)
    headers = {"authorization": f"Bearer {key}"} if key else {}
    return httpx.AsyncClient(base_url=url, headers=headers, limits=limits, timeout=60)


async def _alone(ways: dict[str, Asked]) -> None:
    wholes = await in_turns(ways, whole, ROUNDS)
    firsts: dict[str, list[float]] = {name: [] for name in ways}

    async def streamed(client: httpx.AsyncClient) -> None:
        name = next(name for name, (_, each) in ways.items() if each is client)
        firsts[name].append(await stream(client))

    streams = await in_turns(ways, streamed, STREAMS)
    rows = [
        (
            name,
            f"{percentile(wholes[name], 0.5):.2f}",
            f"{percentile(wholes[name], 0.99):.2f}",
            f"{percentile(sorted(firsts[name]), 0.5):.2f}",
            f"{percentile(streams[name], 0.5):.2f}",
        )
        for name in ways
    ]
    show(
        "A question to a model, one at a time (ms)",
        ("way", "whole p50", "whole p99", "first event p50", f"stream of {EVENTS} events p50"),
        rows,
        "in turns, in one run; the model answers at once; question of 5 kB with ten tools",
    )


async def _crowd(ways: dict[str, tuple[httpx.AsyncClient, int]]) -> None:
    rows: list[tuple[str, ...]] = []
    for at_once in AT_ONCE:
        for name, (client, pid) in ways.items():
            await load(client, pid, at_once, 50)
            rate, took, slow = await load(client, pid, at_once, ROUNDS)
            rows.append((f"{name}, {at_once} at once", f"{rate:.0f}", f"{took:.2f}", f"{slow:.1f}"))
    show("Questions at once", ("way", "a second", "CPU ms each", "p99 ms"), rows, "CPU of the process in the middle")
