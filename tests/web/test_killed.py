"""The server as a real process that is killed."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.to_thread
import httpx
import pytest

from interlock.domain.ids import Person
from tests.web.world import served

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def process(folder: Path, *options: str) -> AsyncGenerator[tuple[subprocess.Popen[str], httpx.AsyncClient]]:
    """`interlock serve` in a process of its own, and somebody who asks it."""
    words = [sys.executable, "-m", "interlock", "-w", str(folder), "serve", "--port", "0", *options]
    # Begun while nothing else is to go on here, so that it may block.
    running = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)  # noqa: ASYNC220  see above
    try:
        with anyio.fail_after(20):
            address = await anyio.to_thread.run_sync(lambda: _address(running))
        async with httpx.AsyncClient(base_url=address) as client:
            yield running, client
    finally:
        running.kill()
        running.communicate()


def _address(running: subprocess.Popen[str]) -> str:
    assert running.stdout is not None
    said = []
    for line in running.stdout:
        said.append(line)
        if "http://" in line and "sign-in" not in line:
            return "http://" + line.partition("http://")[2].split()[0].rstrip("/")
    raise AssertionError("".join(said))


@pytest.mark.proves("server.killed_between")
async def test_killed_between_the_word_and_the_deed(tmp_path: Path) -> None:
    """Of a server that is killed once it answered a yes nothing is lost: the next one does it, once, and knows who agreed."""
    async with served(tmp_path) as site:
        action = await site.propose(500)
        secret, _ = await site.plane.api_keys.make(Person("rita"), "test", ("see", "decide"), by="rita")
    bearer = {"authorization": f"Bearer {secret}"}
    async with process(tmp_path, "--no-worker") as (running, client):
        view = (await client.get(f"/v1/approvals/{action}", headers=bearer)).json()["view"]
        said = await client.post(f"/v1/approvals/{action}/approve", json={"view": view}, headers=bearer)
        running.send_signal(signal.SIGKILL)
        running.wait()
    async with process(tmp_path) as (running, client):
        with anyio.fail_after(20):
            while (found := (await client.get(f"/v1/actions/{action}", headers=bearer)).json())["state"] != "done":  # noqa: ASYNC110
                await anyio.sleep(0.1)
        again = await client.post(f"/v1/approvals/{action}/approve", json={"view": view}, headers=bearer)
        running.send_signal(signal.SIGTERM)
        ended = await anyio.to_thread.run_sync(lambda: running.wait(15))

    assert said.json()["state"] == "ready"
    assert [each["person"] for each in found["hold"]["approvals"]] == ["rita"]
    assert again.status_code == 409
    assert site.place.effects() == ["put 500"]
    assert ended in (0, -signal.SIGTERM)
