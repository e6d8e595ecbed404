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

from interlock.domain.ids import ActionId, Person
from interlock.ports.store import ActionQuery
from tests.web.world import Served, served

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


KNOWN_BAD = """\
after: 1
within_ms: 1
items: {too-many: {contract: box.put, arguments: {n: 900}, wrong: the box has room for ten}}
"""


async def put_before_people(site: Served) -> str:
    """An item known to be bad that waits; its action's id."""
    other = await site.propose(600)
    before = {each.id for each in await site.plane.means.store.actions(ActionQuery(waiting=True))}
    await site.plane.seeding.tend()
    await site.plane.approvals.reject(ActionId(other), Person("rita"), note="no")
    with anyio.fail_after(10):
        while not await site.plane.seeding.tend():  # noqa: ASYNC110  chance and the clock decide
            await anyio.sleep(0.01)
    (bad,) = {each.id for each in await site.plane.means.store.actions(ActionQuery(waiting=True))} - before
    return bad


@pytest.mark.proves("server.killed_between")
@pytest.mark.proves("server.key_once")
@pytest.mark.proves("vigilance.never_done")
async def test_killed_between_the_word_and_the_deed(tmp_path: Path) -> None:
    """Of a server that is killed once it answered a yes nothing is lost: the next one does it, once, and knows who agreed. A
    question asked again under its key is not asked twice, and another one under that key is refused. An item known to be bad
    ended with the word that missed it: nobody does it afterwards."""
    async with served(tmp_path, files=[("vigilance.yaml", KNOWN_BAD)]) as site:
        action = await site.propose(500)
        bad = await put_before_people(site)
        secret, _ = await site.plane.api_keys.make(Person("rita"), "test", ("see", "decide"), by="rita")
    bearer = {"authorization": f"Bearer {secret}"}
    question = {"text": "what for?"}
    async with process(tmp_path, "--no-worker") as (running, client):
        path = f"/v1/approvals/{action}/ask"
        asked = await client.post(path, json=question, headers={**bearer, "idempotency-key": "q-1"})
        view = (await client.get(f"/v1/approvals/{action}", headers=bearer)).json()["view"]
        said = await client.post(f"/v1/approvals/{action}/approve", json={"view": view}, headers=bearer)
        shown = (await client.get(f"/v1/approvals/{bad}", headers=bearer)).json()["view"]
        missed = await client.post(f"/v1/approvals/{bad}/approve", json={"view": shown}, headers=bearer)
        running.send_signal(signal.SIGKILL)
        running.wait()
    async with process(tmp_path) as (running, client):
        same = await client.post(path, json=question, headers={**bearer, "idempotency-key": "q-1"})
        other = await client.post(path, json={"text": "why?"}, headers={**bearer, "idempotency-key": "q-1"})
        with anyio.fail_after(20):
            while (found := (await client.get(f"/v1/actions/{action}", headers=bearer)).json())["state"] != "done":  # noqa: ASYNC110  another process
                await anyio.sleep(0.1)
        over = (await client.get(f"/v1/actions/{bad}", headers=bearer)).json()
        again = await client.post(f"/v1/approvals/{action}/approve", json={"view": view}, headers=bearer)
        running.send_signal(signal.SIGTERM)
        ended = await anyio.to_thread.run_sync(lambda: running.wait(15))

    assert [each["text"] for each in found["hold"]["questions"]] == ["what for?"]
    assert (asked.status_code, same.status_code, same.json()["id"]) == (200, 200, action)
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")
    assert said.json()["state"] == "ready"
    assert (missed.json()["state"], over["state"]) == ("voided", "voided")
    assert "the box has room for ten" in over["reasons"][-1]
    assert [each["person"] for each in found["hold"]["approvals"]] == ["rita"]
    assert again.status_code == 409
    assert site.place.effects() == ["put 500"]
    assert ended == 0


@pytest.mark.proves("server.ends_well")
async def test_told_to_end_it_finishes_what_it_began_and_no_more(tmp_path: Path) -> None:
    """SIGTERM while a tool is being called: the call comes to its end, once, and is recorded; what was agreed to meanwhile is
    left for the next; the process ends by itself with 0, and its run has an end in the log. Told twice, it ends at once."""
    async with served(tmp_path) as site:
        slow = await site.propose(500, wait_ms=800)
        left = await site.propose(501, wait_ms=9000)
        secret, _ = await site.plane.api_keys.make(Person("rita"), "test", ("see", "decide"), by="rita")
    bearer = {"authorization": f"Bearer {secret}"}

    async def begun(client: httpx.AsyncClient, action: str) -> None:
        view = (await client.get(f"/v1/approvals/{action}", headers=bearer)).json()["view"]
        await client.post(f"/v1/approvals/{action}/approve", json={"view": view}, headers=bearer)
        with anyio.fail_after(20):
            while await state(client, action) == "ready":  # noqa: ASYNC110  another process
                await anyio.sleep(0.02)

    async def state(client: httpx.AsyncClient, action: str) -> str:
        said: str = (await client.get(f"/v1/actions/{action}", headers=bearer)).json()["state"]
        return said

    async with process(tmp_path) as (running, client):
        await begun(client, slow)
        running.send_signal(signal.SIGTERM)
        ended = await anyio.to_thread.run_sync(lambda: running.wait(15))
        assert running.stdout is not None
        assert "stopped" in running.stdout.read()
    effects = site.place.effects()
    async with process(tmp_path) as (running, client):
        after = await state(client, slow)
        await begun(client, left)
        running.send_signal(signal.SIGTERM)
        await anyio.sleep(0.3)
        running.send_signal(signal.SIGTERM)
        cut = await anyio.to_thread.run_sync(lambda: running.wait(3))

    assert (ended, after, effects) == (0, "done", ["put 500"])
    assert cut == -signal.SIGTERM


@pytest.mark.slow
@pytest.mark.proves("server.shown_or_refused")
async def test_two_reviewers_at_once_through_two_servers(tmp_path: Path) -> None:
    """Of a yes and a no at the same moment, through two processes, one counts; who was too late hears 409, and what became of it.
    A word on a view that is no longer what would be done gets the one that is, from the other process too."""
    async with served(tmp_path) as site:
        action, other = await site.propose(500), await site.propose(501)
        keys = {
            each: (await site.plane.api_keys.make(Person(each), "test", ("see", "decide"), by=each))[0]
            for each in ("rita", "ria")
        }
    rita, ria = ({"authorization": f"Bearer {keys[each]}"} for each in ("rita", "ria"))
    async with process(tmp_path, "--no-worker") as (_, one), process(tmp_path, "--no-worker") as (_, two):
        view = (await one.get(f"/v1/approvals/{action}", headers=rita)).json()["view"]
        answers: dict[str, httpx.Response] = {}

        async def say(client: httpx.AsyncClient, word: str, who: dict[str, str]) -> None:
            body = {"view": view, "note": "no" if word == "reject" else ""}
            answers[word] = await client.post(f"/v1/approvals/{action}/{word}", json=body, headers=who)

        async with anyio.create_task_group() as group:
            group.start_soon(say, one, "approve", rita)
            group.start_soon(say, two, "reject", ria)
        after = (await one.get(f"/v1/actions/{action}", headers=rita)).json()
        seen = (await one.get(f"/v1/approvals/{other}", headers=rita)).json()["view"]
        changed = {"view": seen, "arguments": {"n": 502}}
        await two.post(f"/v1/approvals/{other}/modify", json=changed, headers=ria)
        stale = await one.post(f"/v1/approvals/{other}/approve", json={"view": seen}, headers=rita)

    assert sorted(each.status_code for each in answers.values()) == [200, 409]
    assert after["state"] == ("ready" if answers["approve"].status_code == 200 else "rejected")
    assert stale.status_code == 409
