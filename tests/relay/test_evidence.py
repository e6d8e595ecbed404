"""What the log says of model calls verifies by both verifiers, goes with the person it is about, and survives a kill."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from base64 import urlsafe_b64decode
from pathlib import Path

import anyio
import httpx
import pytest

from interlock.adapters.system import SystemClock
from interlock.bootstrap.connecting import connect
from interlock.domain.duration import HOUR
from interlock.domain.ids import AgentName, Person, TaskId
from interlock.domain.use import Use
from interlock.services.erasing import Target
from interlock.services.plane import ControlPlane
from interlock.services.task_trees import tree_of
from interlock.worker import Worker
from tests.relay.kit import HI, prepared, relayed
from tests.relay.provider import closes, provider, streams_chat
from tests.workspaces import forget

pytestmark = pytest.mark.anyio


def run(*words: str) -> str:
    """A command of the program, or of Python."""
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


async def clear(plane: ControlPlane) -> str:
    """Every clear text of every entry."""
    texts = [each for entry in await plane.means.log.entries(0, 999) for each in entry.disclosures]
    return "\n".join(urlsafe_b64decode(each + "=" * (-len(each) % 4)).decode() for each in texts)


@pytest.mark.proves("relay.recorded", "evidence.both_verifiers")
async def test_both_verifiers_find_nothing_wrong(tmp_path: Path) -> None:
    """Of uses that were settled, refused, lost and asked elsewhere; `interlock uses` shows who was asked."""
    async with relayed(tmp_path / "here", budgets="{tokens: 3000}") as site:
        await site.ask()
        site.first.does(closes)
        await site.ask()
        await site.ask(model="alone")
        await site.ask(model="alone", messages=[{"role": "user", "content": "x" * 4000}])
        folder, away = str(site.place.folder), str(tmp_path / "away")
        verified = await asyncio.to_thread(run, "-m", "interlock", "-w", folder, "verify")
        await asyncio.to_thread(run, "-m", "interlock", "-w", folder, "audit", "export", away)
        keys = tmp_path / "keys.txt"
        names = ("log.pub", "gate.pub")
        keys.write_text("".join((site.place.folder / ".interlock/keys" / name).read_text() for name in names))
        alone = await asyncio.to_thread(run, f"{away}/verify.py", away, "--key", str(keys))
        shown = await asyncio.to_thread(run, "-m", "interlock", "-w", folder, "uses")
        told = json.loads(await asyncio.to_thread(run, "-m", "interlock", "-w", folder, "--json", "uses"))
        tree = await tree_of(site.plane, TaskId(told["uses"][-1]["task"]))

    assert "verifies" in verified
    assert "verifies" in alone
    assert "local (2.)" in shown
    assert "lost: all of it (broken)" in shown
    assert "llama by local" in str(tree)
    assert told["uses"][-1]["reply"]["model"] == "gpt-4o-mini-2024-07-18"
    assert told["uses"][-1]["reply"]["digest"] == ""


@pytest.mark.proves("relay.recorded")
async def test_digests_of_what_was_asked_go_with_the_person_it_was_for(tmp_path: Path) -> None:
    """They stand behind commitments under their task's key, and in no row of a use: erased with it, what is left verifies."""
    async with relayed(tmp_path) as site:
        await site.ask()
        (opened, settled) = await site.entries()
        digests = [opened["prompt"]["digest"], settled["delivered"]["digest"]]
        before = await clear(site.plane)
        rows = [str(use) for use in await site.uses()]
        await site.app.close()
        made = await site.plane.erasing.propose(Target(subject="user:ana"), Person("rita"), why="asked in writing")
        await site.plane.erasing.accept(made.id, Person("ria"))
        after = await clear(site.plane)
        verified = await asyncio.to_thread(run, "-m", "interlock", "-w", str(site.place.folder), "verify")

    for each in digests:
        assert each in before
        assert each not in after
        assert all(each not in row for row in rows)
    assert "verifies" in verified


class Later(SystemClock):
    """An hour from now."""

    def now(self) -> int:
        """The time, UTC ms."""
        return super().now() + HOUR


@pytest.mark.proves("relay.settled_honestly", "use.lost")
async def test_a_gateway_killed_in_a_stream_leaves_all_of_it_counted(tmp_path: Path) -> None:
    """What it had reserved stays reserved, and counts once a worker has seen that its time is over."""
    async with provider() as first, provider() as second:
        place = await asyncio.to_thread(lambda: prepared(tmp_path, first.url, second.url, budgets="{tokens: 5000}"))
        first.does(streams_chat(3, hangs=True))
        plane = connect(place.folder)
        try:
            key, _ = await plane.agent_keys.make(
                AgentName("ag"), by=Person("rita"), purpose="answer", on_behalf_of="user:ana", surfaces=("models",)
            )
            command = [
                sys.executable,
                "-m",
                "interlock",
                "--json",
                "-w",
                str(place.folder),
                "gateway",
                "--http",
                "127.0.0.1:0",
            ]
            gateway = await asyncio.create_subprocess_exec(*command, stdout=subprocess.PIPE)
            assert gateway.stdout is not None
            said = await asyncio.wait_for(gateway.stdout.readuntil(b"}"), 30)
            url = json.loads(said)["address"].removesuffix("/mcp")
            body = {"model": "alone", "messages": HI, "stream": True}
            headers = {"authorization": f"Bearer {key}"}
            async with (
                httpx.AsyncClient(base_url=url, headers=headers, timeout=30) as client,
                client.stream("POST", "/v1/chat/completions", json=body) as answer,
            ):
                pieces = answer.aiter_bytes()
                await anext(pieces)
                os.kill(gateway.pid, signal.SIGKILL)
                with pytest.raises(httpx.HTTPError):
                    [piece async for piece in pieces]
            await gateway.wait()
            (left,) = await plane.means.store.all(Use)
            plane.uses._clock = Later()
            with anyio.fail_after(20):
                await Worker(plane).run(until_idle=True)
            (over,) = await plane.means.store.all(Use)
        finally:
            await plane.close()
            forget(place)

    assert (left.state, over.state) == ("open", "lost")
    assert over.route is not None
    assert over.route.provider == "openai"
