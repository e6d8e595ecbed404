"""Many calls at once, forked programs, and proxies that answer for it."""

from __future__ import annotations

import asyncio
import os
import time
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

import interlock
from interlock.domain.errors import NotAllowed, NotUnderstood, Unanswered
from tests.remote.road import How
from tests.remote.world import Reached, reached

MANY = 64


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reached]:
    """One for all of them."""
    with reached(tmp_path_factory.mktemp("server")) as made:
        yield made


@pytest.fixture
def site(server: Reached) -> Reached:
    """It, with a road that loses nothing yet."""
    server.road.plan.clear()
    server.road.passed.clear()
    server.road.connections = server.road.most = 0
    (server.place.folder / "effects.txt").unlink(missing_ok=True)
    return server


@pytest.mark.proves("remote.many")
def test_many_at_once_are_recognised_once(site: Reached) -> None:
    """Sixty-four tasks opened at once by a program that was not recognised yet: one token is enough, one credential is had, and a
    connection is taken for each at most."""

    async def one(client: interlock.Client, n: int) -> interlock.Outcome:
        async with client.task("ag", purpose="test") as task:
            return await task.propose("box.put", n=n)

    async def program() -> list[interlock.Outcome]:
        async with site.open() as client:
            return await asyncio.gather(*(one(client, n) for n in range(MANY)))

    found = asyncio.run(program())

    assert {type(each) for each in found} == {interlock.Done}
    assert sorted(site.place.effects()) == sorted(f"put {n}" for n in range(MANY))
    assert len(site.road.asked("/enrol")) == 1
    assert site.road.most <= MANY


@pytest.mark.proves("remote.many")
def test_threads_share_a_client(site: Reached) -> None:
    """Sixteen threads with tasks of their own, thirty-two calls in one of them, one key for all: each effect is there once."""
    with site.open() as client:

        def worked(n: int) -> list[interlock.Outcome]:
            with client.task("ag", purpose="test") as task:
                own = task.propose("box.put", n=n)
                return [own, task.propose("box.put", n=99, idempotency_key="everybody's")]

        with ThreadPoolExecutor(16) as threads:
            found = list(threads.map(worked, range(16)))
        with client.task("ag", purpose="test") as task, ThreadPoolExecutor(16) as threads:
            read = list(threads.map(lambda _: task.propose("box.look", word="a"), range(32)))

    assert {type(each) for each in [*(own for own, _ in found), *read]} == {interlock.Done}
    assert len({same.action_id for _, same in found}) == 1
    assert sorted(site.place.effects()) == sorted([*(f"put {n}" for n in range(16)), "put 99"])
    assert site.road.most <= 16


def _forked(client: interlock.Client, task: interlock.SyncTask, address: str, token: str) -> int:
    """What the child does, and how it ends."""
    for use in (lambda: task.propose("box.look", word="b"), lambda: client.task("ag", purpose="test").__enter__()):
        with pytest.raises(NotAllowed, match="fork"):
            use()
    client.close()
    with (
        interlock.open(address, attest="bootstrap", evidence=token) as own,
        own.task("ag", purpose="child") as mine,
    ):
        return 0 if isinstance(mine.propose("box.put", n=2), interlock.Done) else 3


@pytest.mark.proves("remote.many")
def test_a_forked_program_opens_a_client_of_its_own(site: Reached) -> None:
    """What was opened before a fork is the parent's: the child is told so at once, touches none of its connections, and opens one
    of its own; the parent goes on."""
    token = site.secret()
    with site.open() as client, client.task("ag", purpose="test") as task:
        task.propose("box.look", word="a")
        child = os.fork()
        if child == 0:
            code = 1
            try:
                code = _forked(client, task, site.address, token)
            except BaseException:  # noqa: BLE001  it is the child: whatever it is ends it here
                traceback.print_exc()
            finally:
                os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        after = task.propose("box.put", n=1)

    assert isinstance(after, interlock.Done)
    assert site.place.effects() == ["put 2", "put 1"]


HOWS: tuple[How, ...] = ("full", "late", "torn")


@pytest.mark.proves("remote.once")
@pytest.mark.parametrize("how", HOWS)
def test_what_a_proxy_says_for_the_server(site: Reached, how: How) -> None:
    """Refused by a proxy that has no room, given up by one while the server did it, or cut off in the middle of the answer: asked
    again under the same key, it is done once."""
    with site.open() as client, client.task("ag", purpose="test") as task:
        site.road.will("/actions", how, how)
        done = task.propose("box.put", n=1)
        asked = len(site.road.asked("/actions"))
        site.road.will("/wait", how)
        held = task.propose("box.put", n=500)
        assert isinstance(held, interlock.Held)
        assert isinstance(held.ticket.wait(timeout_ms=10), interlock.Held)

    assert isinstance(done, interlock.Done)
    assert asked == 3
    assert site.place.effects() == ["put 1"]


@pytest.mark.proves("remote.closed")
@pytest.mark.parametrize("how", ["late", *(pytest.param(each, marks=pytest.mark.slow) for each in ("full", "torn"))])
def test_a_proxy_that_answers_for_ever(site: Reached, how: How) -> None:
    """After five attempts within seconds it is an error with a code, of whoever runs the installation; its key asks later."""
    with site.open() as client, client.task("ag", purpose="test") as task:
        site.road.will("/actions", *([how] * 5))
        began = time.monotonic()
        with pytest.raises(Unanswered) as lost:
            task.propose("box.put", n=1)
        took = time.monotonic() - began
        found = task.propose("box.put", n=1, idempotency_key=str(lost.value.members["idempotency_key"]))

    assert (lost.value.code, lost.value.fault) == ("unanswered", "operator")
    assert "proxy" not in str(lost.value), "what a page says is nobody's word"
    assert took < 10
    assert isinstance(found, interlock.Done)
    assert site.place.effects() == ["put 1"]


@pytest.mark.proves("remote.closed")
def test_a_page_to_sign_in_is_no_answer(site: Reached) -> None:
    """A page with 200 is an answer of somebody else: asked once, said at once, and nothing runs."""
    with site.open() as client, client.task("ag", purpose="test") as task:
        site.road.will("/actions", "page")
        with pytest.raises(NotUnderstood) as other:
            task.propose("box.put", n=1)

    assert (other.value.code, len(site.road.asked("/actions"))) == ("not_understood", 1)
    assert site.place.effects() == []
