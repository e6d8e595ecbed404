"""A network that loses, cuts, slows and doubles requests: everything asked happens once, or the program hears that nobody
knows."""

from __future__ import annotations

import contextlib
import json

import pytest

import interlock
from interlock.domain.errors import Unanswered, Unreachable
from interlock.domain.task import Task
from interlock.domain.use import Use
from tests.remote.road import How
from tests.remote.world import Reached

CUT: tuple[How, ...] = ("cut",) * 5
LOST: tuple[How, ...] = ("lose",) * 5
FATES: tuple[tuple[How, ...], ...] = (
    ("lose",),
    ("cut",),
    ("gone",),
    ("busy",),
    ("twice",),
    ("lose", "lose", "cut", "gone"),
)


@pytest.mark.proves("remote.once")
@pytest.mark.parametrize("fate", [*FATES[:-1], pytest.param(FATES[-1], marks=pytest.mark.slow)], ids="-".join)
def test_what_is_lost_on_the_way_happens_once(site: Reached, fate: tuple[How, ...]) -> None:
    """Whether a request or its answer was lost, or it came twice: one task, one action, one effect, one use; each attempt shows a
    proof of its own."""
    for end in ("/tasks", "/actions", "/uses", "/settle", "/close", "/wait"):
        site.road.will(end, *fate)
    if len(fate) == 1:
        # What a first call asks before it counts as one attempt of it.
        site.road.will("/enrol", *fate)
        site.road.will("/expected", *fate)
    with site.open() as client, client.task("ag", purpose="test", budgets={"tokens": 25}) as task:
        put = task.propose("box.put", n=1)
        with task.model_use("m", input_tokens=10, max_output_tokens=10) as use:
            use.settle(input_tokens=8, output_tokens=3)
        held = task.propose("box.put", n=500)
        assert isinstance(held, interlock.Held)
        still = held.ticket.wait(timeout_ms=50)
    tasks = site.there(site.plane.means.store.all(Task))
    uses = site.there(site.plane.means.store.all(Use))

    proposed = [json.loads(each.body) for each in site.road.asked("/actions")]
    proofs = [each["shown"]["proof"] for each in proposed]
    assert isinstance(put, interlock.Done)
    assert isinstance(still, interlock.Held)
    assert site.place.effects() == ["put 1"]
    assert len(set(proofs)) == len(proofs)
    assert len({each["idempotency_key"] for each in proposed}) == 2
    assert [each.state for each in tasks] == ["closed"]
    assert [each.state for each in uses] == ["settled"]


@pytest.mark.proves("remote.closed")
def test_nothing_is_kept_to_be_asked_later(site: Reached) -> None:
    """Where nobody answers the program hears so, with whose fault it is and what to do; nothing is sent once somebody does."""
    with site.open() as client, client.task("ag", purpose="test") as task:
        before = len(site.road.asked("/actions"))
        site.road.will("/actions", *CUT)
        with pytest.raises(Unanswered) as lost:
            task.propose("box.put", n=1)
        assert lost.value.members["idempotency_key"]
        after = len(site.road.asked("/actions"))
        assert isinstance(task.propose("box.look", word="a"), interlock.Done)

    assert after - before == 5
    assert (lost.value.code, lost.value.fault) == ("unanswered", "operator")
    assert site.place.effects() == []


@pytest.mark.proves("remote.closed")
def test_where_nobody_listens_nothing_runs(site: Reached) -> None:
    """An address at which nobody listens: Unreachable, at once said and never queued."""
    with (
        interlock.open("http://127.0.0.1:9", attest="bootstrap", evidence="x") as client,
        pytest.raises(Unreachable) as nobody,
        client.task("ag", purpose="test"),
    ):
        pass
    assert nobody.value.code == "unreachable"
    assert "nothing was done" in nobody.value.next_step


def test_a_key_brings_back_what_was_lost(site: Reached) -> None:
    """After every attempt was lost, the same key gives the action that was done, and does not do it again."""
    with site.open() as client, client.task("ag", purpose="test") as task:
        site.road.will("/actions", *LOST)
        with pytest.raises(Unanswered):
            task.propose("box.put", n=1, idempotency_key="order-7")
        done = task.propose("box.put", n=1, idempotency_key="order-7")

    assert isinstance(done, interlock.Done)
    assert site.place.effects() == ["put 1"]


def test_looking_at_failures_is_not_repeated(site: Reached) -> None:
    """Who looks at what failed inside a task looks once: where that answer was lost it is said, and never that nothing failed."""
    with site.open() as client:
        task = client.task("ag", purpose="test")
        task.__enter__()
        with contextlib.suppress(ZeroDivisionError), client.task("ag", purpose="part"):
            raise ZeroDivisionError
        site.road.will("/failures", "lose")
        with pytest.raises(Unanswered):
            task.__exit__(None, None, None)
    assert len(site.road.asked("/failures")) == 2


def test_connections_are_used_again(site: Reached) -> None:
    """A hundred calls one behind the other take a connection or two."""
    with site.open() as client, client.task("ag", purpose="test") as task:
        for _ in range(100):
            task.propose("box.look", word="a")
    assert site.road.connections <= 3


def test_a_server_that_asks_to_wait_is_waited_for(site: Reached) -> None:
    """`Retry-After` is honoured: the second attempt comes no sooner."""
    with site.open() as client, client.task("ag", purpose="test") as task:
        site.road.will("/actions", "busy")
        began = site.loop.time()
        task.propose("box.look", word="a")
        took = site.loop.time() - began
    assert took >= 1
