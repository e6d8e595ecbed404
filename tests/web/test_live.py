"""News for open pages: told soon, told once, and never at the price of memory."""

from __future__ import annotations

import sys
from pathlib import Path

import anyio
import pytest

from interlock.bootstrap.site import definition, read_site
from interlock.domain.errors import StoreError
from interlock.domain.ids import Person
from interlock.domain.refusals import BadRequest, Crowded
from interlock.testing.world import World, contract
from interlock.web.live import MOST_EACH, MOST_TOPICS, OF_ONE, TOPICS, Client, Hub, wanted
from tests.web.test_sign_in import GOOD, PEOPLE, cookie, token_of
from tests.web.test_socket import until
from tests.web.world import served

pytestmark = pytest.mark.anyio
EVERYTHING = frozenset(TOPICS)


async def always() -> bool:
    """A reader who may always hear."""
    return True


async def test_a_page_hears_what_changed() -> None:
    """An action that is decided is news for its own page, for the list of actions and for what waits, and for no other."""
    world = World()
    await world.apply(contract())
    hub = Hub(world.plane, most=10)
    async with anyio.create_task_group() as group:
        group.start_soon(hub.run)
        stream = hub.stream("s", frozenset({"approvals", "brakes", "action:other"}), None, still=always)
        opened = await anext(stream)
        action = await world.propose(await world.task())
        with anyio.fail_after(5):
            told = await anext(stream)
        await stream.aclose()
        group.cancel_scope.cancel()

    assert b"event: open" in opened
    assert b"event: changed\ndata: approvals\n" in told
    assert {OF_ONE + action.id, "actions", "approvals"} <= ((await hub.between(1, hub.size)).topics or set())
    assert len(hub) == 0


async def test_who_comes_back_hears_what_it_missed() -> None:
    """With the log's size that it last heard of, a page is told at once what changed since; from too far back, everything."""
    world = World()
    await world.apply(contract())
    hub = Hub(world.plane, most=10)
    size = len(await world.store.entries(0, 1000))
    await world.propose(await world.task())
    hub.size = len(await world.store.entries(0, 1000))

    async def missed(since: int) -> bytes:
        stream = hub.stream("s", EVERYTHING, since, still=always)
        await anext(stream)
        with anyio.fail_after(1):
            return await anext(stream)

    assert b"actions,approvals,figures,tasks" in await missed(size)
    assert ",".join(sorted(TOPICS)).encode() in await missed(0)


@pytest.mark.proves("server.bounded")
async def test_those_who_do_not_read_cost_nothing_more() -> None:
    """Ten thousand pages that are never read, told of ten thousand changes, hold one small set each and keep nobody waiting."""
    world = World()
    hub = Hub(world.plane, most=10_000)
    clients = [hub.join(f"s{n}", EVERYTHING) for n in range(10_000)]
    for _ in range(20):
        hub.tell({"actions", "figures"})
    before = sum(sys.getsizeof(each.dirty) for each in clients)

    for n in range(50):
        hub.tell({"actions", "figures", f"{OF_ONE}{n}"})

    assert sum(sys.getsizeof(each.dirty) for each in clients) == before
    assert all(each.dirty == {"actions", "figures"} for each in clients)
    with pytest.raises(Crowded):
        hub.join("one more", EVERYTHING)


async def test_one_person_takes_not_all_places() -> None:
    """A session has so many streams and no more; those that end make room."""
    hub = Hub(World().plane, most=1000)
    held = [hub.join("s", EVERYTHING) for _ in range(MOST_EACH)]
    with pytest.raises(Crowded):
        hub.join("s", EVERYTHING)

    hub.leave(held[0])

    assert isinstance(hub.join("s", EVERYTHING), Client)


async def test_at_the_end_every_stream_ends() -> None:
    """When the server is about to end, streams that are open end, and none begins."""
    hub = Hub(World().plane, most=10)
    stream = hub.stream("s", EVERYTHING, None, still=always)
    await anext(stream)
    hub.end()

    with anyio.fail_after(1):
        assert [each async for each in stream] == []
    with pytest.raises(Crowded):
        hub.join("s", EVERYTHING)


@pytest.mark.proves("access.streams_end")
async def test_a_stream_ends_with_what_it_was_opened_by(tmp_path: Path) -> None:
    """Signed out, a key revoked, ended by another password, or out of people.yaml: each stream is over within seconds, and
    those of others go on until it is their turn."""
    async with served(tmp_path, people=PEOPLE) as site, anyio.create_task_group() as group:
        plane, rita, ben = site.plane, Person("rita"), Person("ben")
        first, second, third = [
            await plane.signing_in.by_link((await plane.signing_in.offer(rita, by="ada")).token) for _ in range(3)
        ]
        secret, key = await plane.api_keys.make(rita, "ci", ("see",), by=rita)
        over: list[str] = []

        async def read(name: str, headers: dict[str, str]) -> None:
            await site.anonymous.get("/live", headers=headers)
            over.append(name)

        async def leave() -> None:
            site.place.write("people.yaml", PEOPLE.replace("ben:", "bea:"))
            await plane.registry.apply(definition(read_site(site.place.folder)), by="test")

        async def secure() -> None:
            await plane.signing_in.set_password(rita, GOOD, session=first.session)

        opened = {
            "key": {"authorization": f"Bearer {secret}"},
            "signed out": cookie(third.token),
            "password": cookie(second.token),
            "role": cookie(await token_of(site, ben)),
            "other": cookie(await token_of(site, "ada")),
        }
        for name, headers in opened.items():
            group.start_soon(read, name, headers)
        await until(lambda: len(site.hub) == len(opened))
        for name, end in (
            ("key", lambda: plane.api_keys.revoke(key.id, by="ada")),
            ("signed out", lambda: plane.sessions.sign_out(rita, third.session.id)),
            ("password", secure),
            ("role", leave),
        ):
            await end()
            await until(lambda name=name: name in over)  # type: ignore[misc]  # mypy sees no type in a default
        assert over == ["key", "signed out", "password", "role"]
        assert len(site.hub) == 1
        group.cancel_scope.cancel()


async def test_a_reader_who_cannot_be_looked_up_hears_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """At each heartbeat it is asked who reads; where the store does not answer, the stream ends."""
    monkeypatch.setattr("interlock.web.live.HEARTBEAT_S", 0.02)
    hub = Hub(World().plane, most=10)
    answers = iter((True, False))

    async def still() -> bool:
        if not next(answers):
            raise StoreError("gone")
        return True

    with anyio.fail_after(2):
        told = [each async for each in hub.stream("s", EVERYTHING, None, still=still)]
    assert [each[:3] for each in told] == [b"ret", b": \n"]
    assert len(hub) == 0


@pytest.mark.parametrize("words", ["nonsense", "action:", "action:../x", f"action:{'a' * 65}", ",", "approvals,"])
async def test_only_topics_are_topics(words: str) -> None:
    """Anything else is refused."""
    with pytest.raises(BadRequest):
        wanted(words)


async def test_a_page_hears_of_some_topics_and_not_of_any_number() -> None:
    """So many actions may be watched, and no more."""
    assert len(wanted(",".join(f"action:{n}" for n in range(MOST_TOPICS)))) == MOST_TOPICS
    with pytest.raises(BadRequest):
        wanted(",".join(f"action:{n}" for n in range(MOST_TOPICS + 1)))


async def test_nobody_listens_unasked(tmp_path: Path) -> None:
    """News are for people who may see; whoever is nobody hears 401, not a page."""
    async with served(tmp_path) as site:
        answer = await site.anonymous.get("/live")
        bad = await site.client_of("rita").get("/live?topics=x")

    assert (answer.status_code, bad.status_code) == (401, 400)
