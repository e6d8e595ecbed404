"""What a model writes is heard for as long as whoever asked would be let in, and let on: looked at again while it writes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from interlock.adapters.system import SystemClock
from interlock.domain.budget import Draw
from interlock.domain.change import Change
from interlock.domain.duration import DAY
from interlock.domain.errors import InterlockError, NotFound, StoreBusy
from interlock.domain.ids import TaskId, UseId
from interlock.domain.task import Task
from interlock.domain.use import Use
from interlock.relay.meanwhile import unless
from interlock.relay.standing import Standing
from interlock.services.bearing import BLIND_S, LOOK_S
from tests.relay.kit import HI, Site, relayed
from tests.relay.provider import Asked, chunk, dawdles, hangs, streams, streams_chat

pytestmark = pytest.mark.anyio
EVERY_S = 0.05
BODY = {"model": "alone", "messages": HI, "stream": True}


class Later(SystemClock):
    """In a year."""

    def now(self) -> int:
        """The time, UTC ms."""
        return super().now() + 365 * DAY


@asynccontextmanager
async def looked(folder: Path, **how: Any) -> AsyncGenerator[Site]:
    """A relay that looks often."""
    async with relayed(folder, **how) as site:
        site.app._answering._standing._every_s = EVERY_S
        site.first.does(dawdles())
        yield site


async def heard(site: Site, then: Callable[[Task, str], Awaitable[object]], **body: Any) -> tuple[dict[str, Any], Use]:
    """What ended a stream of a fresh key in whose middle `then` was done, and its use."""
    key = await site.make_key()
    async with site.client(key) as client, client.stream("POST", "/v1/chat/completions", json=BODY | body) as got:
        assert got.status_code == 200, await got.aread()
        pieces = got.aiter_text()
        text = await anext(pieces)
        task = await site.plane.means.store.get(Task, TaskId(got.headers["x-interlock-task"]))
        assert task is not None
        await then(task, key.partition(".")[0].removeprefix("ila_"))
        with anyio.fail_after(5):
            text += "".join([piece async for piece in pieces])
    last = text.strip().split("\n\n")[-1]
    assert last.startswith("event: error\ndata: ")
    await site.over()
    use = await site.plane.means.store.get(Use, UseId(got.headers["x-interlock-use"]))
    assert use is not None
    return json.loads(last.partition("data: ")[2])["error"], use


@pytest.mark.proves("relay.stopped", "relay.settled_honestly")
async def test_a_stream_ends_with_what_let_it_begin(tmp_path: Path) -> None:
    """A key that is revoked or over, a task that was closed, an agent that is stopped, a budget that others used up: an error in
    OpenAI's shape ends it, the provider is left, and all that was reserved counts."""
    async with looked(tmp_path, budgets="{tokens: 1000000}") as site:
        plane, store = site.plane, site.plane.means.store

        async def revoke(_: Task, key: str) -> None:
            await plane.revoking.revoke("key", key, by="rita", why="it was found in a mail")

        async def expire(_: Task, __: str) -> None:
            plane.bearing._clock = Later()

        async def close(task: Task, _: str) -> None:
            await plane.tasks.close(task)

        async def stop(_: Task, __: str) -> None:
            await plane.braking.stop("agent", "ag", by="rita", why="it writes nonsense")

        async def spend(task: Task, _: str) -> None:
            await store.commit(Change(draws=(Draw(budget="agent:ag/tokens", move="exceed", amount=1_000_000),)))

        clock = plane.bearing._clock
        ends = [await heard(site, each) for each in (revoke, expire)]
        plane.bearing._clock = clock
        ends += [await heard(site, each) for each in (close, stop)]
        await plane.braking.resume("agent", "ag", by="rita")
        reserved = (await site.stood())[1]
        ends.append(await heard(site, spend))
        entries = await site.entries()
        with anyio.fail_after(2):
            while site.first.open:  # noqa: ASYNC110  there is no event to wait for
                await anyio.sleep(0.02)

    found = [(error["code"], error["type"], use.reply.why if use.reply else "") for error, use in ends]
    assert found == [
        *[("not_admitted", "authentication_error", "not_admitted")] * 2,
        *[("not_allowed", "permission_error", "not_allowed")] * 2,
        ("budget_exceeded", "insufficient_quota", "budget_exceeded"),
    ]
    assert "it writes nonsense" in ends[3][0]["message"]
    assert [use.state for _, use in ends] == ["lost"] * 5
    assert reserved == sum(use.most.total for _, use in ends[:4])
    assert entries[-1]["reasonCodes"] == ["interlock.relay.budget_exceeded"]
    assert entries[-1]["delivered"]["bytes"] > 0


@pytest.mark.proves("relay.stopped")
async def test_what_nobody_stops_goes_on(tmp_path: Path) -> None:
    """A pause and a drain keep others from beginning; an answer that has begun comes to its end, whole and settled."""
    async with looked(tmp_path) as site:
        for mode in ("pause", "drain"):
            site.first.does(streams_chat(words=" ".join(["word"] * 20), pause=0.02))
            async with site.client() as client, client.stream("POST", "/v1/chat/completions", json=BODY) as got:
                pieces = got.aiter_text()
                text = await anext(pieces)
                await site.plane.braking.stop("agent", "ag", mode=mode, by="rita", why="lunch")
                text += "".join([piece async for piece in pieces])
            assert "error" not in text
            assert text.endswith("data: [DONE]\n\n")
            assert (await site.ask(model="alone")).status_code == 403
            await site.plane.braking.resume("agent", "ag", by="rita")
        uses = await site.uses()

    assert [use.state for use in uses] == ["settled"] * 2


@pytest.mark.proves("relay.stopped")
async def test_an_answer_that_comes_whole_is_waited_for_no_longer(tmp_path: Path) -> None:
    """Whoever is stopped while a model thinks hears so at once, with the status of that, and nobody else is asked instead."""
    async with looked(tmp_path) as site:
        site.first.does(hangs)
        asking = asyncio.ensure_future(site.ask(model="gpt-4o-mini"))
        with anyio.fail_after(5):
            while not site.first.asked:  # noqa: ASYNC110  there is no event to wait for
                await anyio.sleep(0.01)
        await site.plane.braking.stop("agent", "ag", by="rita", why="it writes nonsense")
        got = await asyncio.wait_for(asking, 1)
        (use,) = await site.uses()

    assert (got.status_code, got.json()["error"]["code"]) == (403, "not_allowed")
    assert (use.state, use.reply.why if use.reply else "") == ("lost", "not_allowed")
    assert site.second.asked == []


@pytest.mark.proves("relay.stopped")
async def test_while_the_store_does_not_say_it_goes_on_for_a_while() -> None:
    """A store that fails once ends nothing; one that fails for long, or never answers, ends it; what it says does at once. It is
    looked every two seconds unless said."""
    who: Any = "whoever"
    use = UseId("u")
    asked: list[str] = []

    async def fine(_: object) -> None:
        asked.append("fine")

    async def stutters(_: object) -> None:
        asked.append("asked")
        if len(asked) in (2, 6):
            raise StoreBusy("the store cannot be asked")
        if len(asked) > 10:
            raise NotFound("it is over")

    async def fails(_: object) -> None:
        raise StoreBusy("the store cannot be asked")

    async def hangs(_: object) -> None:
        await anyio.sleep_forever()

    with anyio.fail_after(3):
        why = [
            await Standing(fine, stutters, every_s=0.01, blind_s=1).over(who, use),
            await Standing(fine, fails, every_s=0.01, blind_s=0.1).over(who, use),
            await Standing(hangs, fine, every_s=0.01, blind_s=0.1).over(who, use),
        ]
    assert [type(each) for each in why] == [NotFound, StoreBusy, StoreBusy]
    with anyio.move_on_after(0.05) as waited:
        await Standing(fine, stutters).over(who, use)
    assert waited.cancelled_caught
    assert (LOOK_S, BLIND_S) == (2.0, 30.0)


@pytest.mark.proves("relay.settled_honestly")
async def test_a_provider_that_says_meanwhile_that_it_takes_more_is_left(tmp_path: Path) -> None:
    """Of a stream that counts as it goes, no more comes once that is more than was reserved; what it said counts."""
    async with looked(tmp_path, budgets="{tokens: 1000000}") as site:
        usage = {"prompt_tokens": 9, "completion_tokens": 900_000, "total_tokens": 900_009}

        async def counts(asked: Asked, writer: asyncio.StreamWriter) -> None:
            word = {"index": 0, "delta": {"content": "word "}, "finish_reason": None}
            small = chunk(asked, choices=[word], usage={**usage, "completion_tokens": 1})
            pieces = [json.dumps(each).encode() for each in (small, small, chunk(asked, choices=[word], usage=usage))]
            await streams(*(b"data: " + each for each in pieces), pause=0.02, hangs=True)(asked, writer)

        site.first.does(counts)
        got = await site.ask(model="alone", stream=True)
        (use,) = await site.uses()
        stood = await site.stood()

    assert "more than it was asked for" in got.text
    assert (use.state, use.reply.why if use.reply else "") == ("settled", "too_long")
    assert stood == (0, 900_009)


async def test_what_ends_a_work_from_beside() -> None:
    """Its own failure comes first and is none of a group; what is over is over, whatever is said beside it."""

    async def said() -> InterlockError:
        return NotFound("over")

    async def never() -> None:
        await anyio.sleep_forever()

    async def fails() -> None:
        raise ZeroDivisionError

    async def done() -> None:
        return None

    assert isinstance(await unless(said, never), NotFound)
    assert await unless(said, done) is None
    assert await unless(_waiting, done) is None
    with pytest.raises(ZeroDivisionError):
        await unless(said, fails)


async def _waiting() -> None:
    await anyio.sleep_forever()
