"""One who cannot be told keeps nobody from hearing, and a server that breaks takes no other's lists away."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
from mcp.server.subscriptions import InMemorySubscriptionBus

from interlock.adapters.mcp.asking import Asking
from interlock.domain.errors import StoreBusy
from interlock.domain.upstream import Server, Stdio, Wire
from interlock.gateway import news as gateway_news
from interlock.gateway.beside import BesideTools
from interlock.gateway.news import News
from tests.upstream.test_kit import Follower

pytestmark = pytest.mark.anyio


class Session:
    """A client's, which may be gone, or take nothing any more."""

    def __init__(self, *, gone: bool = False, deaf: bool = False) -> None:
        self.gone = gone
        self.deaf = deaf
        self.told = 0

    async def send_tool_list_changed(self) -> None:
        """Tell it."""
        if self.deaf:
            await asyncio.Event().wait()
        if self.gone:
            raise ConnectionResetError("it went away")
        self.told += 1


class Orders:
    """What is offered, which is another each time it is looked at; reading it fails as it is told to."""

    def __init__(self) -> None:
        self.revision = 1
        self.fails: list[Exception] = []
        self.looks = 0

    async def now(self) -> Any:
        """The orders, as they are."""
        self.looks += 1
        return SimpleNamespace(control=SimpleNamespace(revision=self.revision))

    async def of(self, task: Any) -> Any:
        """What there is for a task."""
        del task
        if self.fails:
            raise self.fails.pop()
        return SimpleNamespace(tools={"n": self.revision})

    async def changed(self, *, timeout_ms: int) -> bool:
        """Something was recorded, as a store says it."""
        del timeout_ms
        await asyncio.sleep(0)
        return True


class Work:
    """A caller's."""

    held = SimpleNamespace(id="t-1")


async def heard(news: News, so: Any) -> None:
    """Let it run until it is so."""
    running = asyncio.create_task(news.run())
    try:
        async with asyncio.timeout(10):
            while not so():  # noqa: ASYNC110  what is waited for is another task
                await asyncio.sleep(0.01)
        assert not running.done()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@pytest.mark.proves("gateway.told_of_changes")
@pytest.mark.parametrize(("wrong", "why"), [("gone", "ConnectionResetError"), ("deaf", "TimeoutError")])
async def test_one_that_cannot_be_told_ends_alone(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, wrong: str, why: str
) -> None:
    """A client that is gone, or reads no more, is told no more, which is logged; all others hear, and go on hearing."""
    monkeypatch.setattr(gateway_news, "TAKES_S", 0.05)
    orders: Any = Orders()
    news = News(orders, orders, InMemorySubscriptionBus())
    sessions = [Session(gone=wrong == "gone", deaf=wrong == "deaf"), Session(), Session()]
    works: list[Any] = [Work() for _ in sessions]
    before: Any = SimpleNamespace(tools={})
    for work, session in zip(works, sessions, strict=True):
        news.listed(work, session, before)  # type: ignore[arg-type]  # all that is used of one

    def so() -> bool:
        orders.revision += orders.looks > 0
        return sessions[1].told > 1 and sessions[2].told > 1

    await heard(news, so)
    assert caplog.text.count(f"cannot be told that its tools changed: {why}") == 1


async def test_who_could_not_be_looked_up_is_told_later() -> None:
    """Where what is offered cannot be read for a moment, the client hears once it can be, though nothing changed again."""
    orders: Any = Orders()
    orders.fails = [StoreBusy("not now")]
    news, session, work = News(orders, orders, InMemorySubscriptionBus()), Session(), Work()
    before: Any = SimpleNamespace(tools={})
    news.listed(work, session, before)  # type: ignore[arg-type]  # all that is used of one

    def so() -> bool:
        orders.revision = 2 if orders.looks else 1
        return session.told == 1

    await heard(news, so)
    assert orders.fails == []


async def test_what_a_follower_cannot_take_is_that_news_alone(caplog: pytest.LogCaptureFixture) -> None:
    """A follower that breaks on one piece of news hears the next, and others hear all of it."""
    asking, mine, other = Asking(), Follower(), Follower()
    asking.follow("t-1", mine)
    asking.follow("t-2", other)

    async def breaking(who: Any) -> None:
        if who is mine:
            raise ConnectionResetError("it went away")
        await who.updated("s", "a")

    asking.tell("", breaking)
    asking.tell("", lambda who: who.updated("s", "b"))
    await asyncio.sleep(0.05)
    asking.close()
    assert mine.heard == [("s", "b")]
    assert other.heard == [("s", "a"), ("s", "b")]
    assert "did not reach who follows it: ConnectionResetError: it went away" in caplog.text


class Broken:
    """Two servers, of which one cannot even fail well."""

    def servers(self) -> tuple[Server, ...]:
        """Both."""
        return tuple(Server(name=each, way=Stdio(command=("x",)), resources=("*",)) for each in ("bad", "good"))

    async def offered(self, server: str, kind: str, *, task: str) -> tuple[Wire, ...]:
        """What one lists."""
        del kind, task
        if server == "bad":
            raise RuntimeError("a defect")
        return ({"uri": "notes://a", "name": "a"},)

    async def usable(self, task: Any) -> dict[str, Any]:
        """All may be used."""
        del task
        return {each: SimpleNamespace(name=f"{each}.read_resource") for each in ("bad", "good")}

    async def task(self) -> Any:
        """That of the caller."""
        return SimpleNamespace(id="t-1", task=None)


@pytest.mark.proves("gateway.resources")
async def test_a_server_that_breaks_takes_no_others_list_away(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever goes wrong with one server's list, the log says so, and those of all others are listed."""
    broken: Any = Broken()
    listed = await BesideTools(broken, broken, broken, 1_000).resources(broken, None)
    assert [str(each.uri) for each in listed.resources] == ["notes://a"]
    assert "what `bad` offers cannot be listed" in caplog.text
    assert "RuntimeError: a defect" in caplog.text
