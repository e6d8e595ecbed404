"""What other gates let through when they were tried, tried on this one: a real store, real keys, programs as users write them.

One probe a test, and what it is to come to as its sentence.
"""

import gc
import sqlite3
import tracemalloc
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import anyio
import msgspec
import pytest

import interlock
from interlock.adapters.keys import fresh
from interlock.domain.handover import read_handover
from interlock.workbench.planes import working
from interlock.worker import Worker
from tests.domain.delegations import altered, forged, parts
from tests.workspaces import Place, forget, workspace

pytestmark = pytest.mark.proves("battery.probes")
UP_TO_TEN = {"box.put": {"n": {"constraint_type": "range", "min": 0, "max": 10}, "word": ..., "wait_ms": ...}}
Two = tuple[Place, interlock.Client, interlock.Client]


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    """A workspace in force, and two programs of its agent, each with a key of its own."""
    made = workspace(tmp_path)
    cost = 'cost=interlock.Cost(unit="EUR", amount="$args.n"), '
    for tools in made.folder.glob("*.py"):
        tools.write_text(tools.read_text().replace('name="box.put", ', f'name="box.put", {cost}'))
    with interlock.open(made.folder, apply=True) as one, interlock.open(made.folder) as other:
        yield made, one, other
    forget(made)


def work(place: Place) -> None:
    """A worker, until nothing is left to do."""

    async def until_idle() -> None:
        async with working(place.folder) as plane:
            await Worker(plane).run(until_idle=True)

    anyio.run(until_idle)


def stop_all(place: Place) -> None:
    """Somebody else's process pulls the switch."""

    async def pulled() -> None:
        async with working(place.folder) as plane:
            await plane.braking.stop("all", by="rita", why="enough")

    anyio.run(pulled)


@contextmanager
def handed(one: interlock.Client, other: interlock.Client) -> Generator[tuple[str, interlock.SyncTask]]:
    """The text by which a task of the first hands a part of it to the second, and that part there."""
    with one.task("ag", purpose="to be lent", on_behalf_of="user:cleo") as task:
        text = task.delegate("ag", to=other.invitation("ag"), purpose="a part", tools=UP_TO_TEN)
        with other.accept(text) as part:
            yield text, part


def opens_nothing(other: interlock.Client, text: str, leaf: str) -> None:
    """The same text with another last token is refused."""
    handover = read_handover(text)[0]
    changed = msgspec.structs.replace(handover, chain=(*handover.chain[:-1], leaf)).text
    with pytest.raises(interlock.InterlockError), other.accept(changed):
        pass


def test_a_token_signed_garbage_is_no_token(two: Two) -> None:
    """Where another verifier said `True` of a link signed "garbage" by somebody it did not know, nothing opens here."""
    place, one, other = two
    with handed(one, other) as (text, _):
        leaf = read_handover(text)[0].chain[-1]
        for signature in ("garbage", "", "A" * 86):
            opens_nothing(other, text, f"{leaf.rpartition('.')[0]}.{signature}")
    assert place.effects() == []


def test_whoever_claims_to_have_been_lent_more_was_not(two: Two) -> None:
    """A delegation rewritten by the one it was handed to, or made up under the lender's name with another key, opens nothing."""
    place, one, other = two
    with handed(one, other) as (text, part):
        leaf, eve = read_handover(text)[0].chain[-1], fresh("eve")
        header, claims = parts(leaf)
        wider = {**claims, "del_max_depth": 9}
        for made in (altered(leaf, eve, del_max_depth=9), forged(wider, eve, kid=header["kid"]), forged(claims, eve)):
            opens_nothing(other, text, made)
        said = [part.propose("box.put", n=n) for n in (11, 10)]

    assert [type(each) for each in said] == [interlock.Refused, interlock.Done]
    assert place.effects() == ["put 10"]


def called(client: interlock.Client) -> interlock.Outcome:
    """A call in a task of its own."""
    with client.task("ag", purpose="elsewhere", on_behalf_of="user:cleo") as task:
        return task.propose("box.put", n=1)


def test_nothing_is_called_after_the_kill(two: Two) -> None:
    """A call right after the switch is refused in every process, what was agreed to before it waits, and nothing has happened."""
    place, one, other = two
    with one.task("ag", purpose="to be stopped", on_behalf_of="user:cleo") as task:
        held = task.propose("box.put", n=101, idempotency_key="held")
        stop_all(place)

        after = task.propose("box.put", n=1)
        with ThreadPoolExecutor(1) as elsewhere:
            there = elsewhere.submit(called, other).result()
        one.person("ria").approve(str(getattr(held, "action_id", "")))
        again = task.propose("box.put", n=101, idempotency_key="held")

    assert [type(each) for each in (held, after, there)] == [interlock.Held, interlock.Refused, interlock.Refused]
    assert not isinstance(again, interlock.Done)
    assert place.effects() == []


def test_of_twenty_calls_at_once_for_three_each_three_fit_into_ten(two: Two) -> None:
    """Where another gate spent 60 of 10, two programs with ten threads each spend 9, and the rest is told what is left."""
    place, one, other = two
    with one.task("ag", purpose="ten", on_behalf_of="user:cleo", budgets={"EUR": 10}) as task:
        text = task.delegate("ag", to=other.invitation("ag"), purpose="the same ten", tools=UP_TO_TEN)
        with other.accept(text) as part, ThreadPoolExecutor(20) as pool:
            calls = [pool.submit((task, part)[n % 2].propose, "box.put", n=3) for n in range(20)]
            said = [each.result() for each in calls]

    assert sum(isinstance(each, interlock.Done) for each in said) == 3
    refused = [each for each in said if isinstance(each, interlock.Refused)]
    assert len(refused) == 17
    assert all("has 1 left, 3 is needed" in each.reasons[0] for each in refused)
    assert len(place.effects()) == 3


def test_a_decision_is_not_overwritten_by_another_name(two: Two) -> None:
    """What one person rejected another cannot approve, and what was approved cannot be rejected: the first word stands."""
    place, one, _ = two
    with one.task("ag", purpose="to be decided", on_behalf_of="user:cleo") as task:
        no, yes = (task.propose("box.put", n=n, idempotency_key=str(n)) for n in (101, 102))
        assert isinstance(no, interlock.Held)
        assert isinstance(yes, interlock.Held)
        one.person("rita").reject(no.action_id, note="no")
        one.person("rita").approve(yes.action_id)

        with pytest.raises(interlock.InterlockError):
            one.person("ria").approve(no.action_id)
        with pytest.raises(interlock.InterlockError):
            one.person("ria").reject(yes.action_id, note="no")
        work(place)
        states = [one.person("ria").action(each.action_id).state for each in (no, yes)]

    assert states == ["rejected", "done"]
    assert place.effects() == ["put 102"]


def test_what_waits_is_not_exchanged_under_the_word_of_a_person(two: Two) -> None:
    """Of two that wait one is approved; whoever exchanges in the store's file what they are about has neither carried out."""
    place, one, _ = two
    with one.task("ag", purpose="to be exchanged", on_behalf_of="user:cleo") as task:
        small, large = (task.propose("box.put", n=n) for n in (101, 900))
        assert isinstance(small, interlock.Held)
        assert isinstance(large, interlock.Held)
    one.person("ria").approve(small.action_id)
    with closing(sqlite3.connect(next(place.folder.glob(".interlock/*.db")), isolation_level=None)) as conn:
        for (trigger,) in conn.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            conn.execute(f"DROP TRIGGER {trigger}")
        sealed = dict(conn.execute("SELECT id, sealed FROM action").fetchall())
        for here, there in ((small, large), (large, small)):
            conn.execute("UPDATE action SET sealed = ? WHERE id = ?", (sealed[there.action_id], here.action_id))

    work(place)

    assert sealed[small.action_id] != sealed[large.action_id]
    assert place.effects() == []


def test_a_no_to_one_is_a_no_to_none_of_the_others(two: Two) -> None:
    """Of three calls that wait together one is rejected, and the other two are carried out."""
    place, one, _ = two
    with one.task("ag", purpose="three", on_behalf_of="user:cleo") as task:
        waiting = [task.propose("box.put", n=n) for n in (101, 102, 103)]
    ids = [each.action_id for each in waiting if isinstance(each, interlock.Held)]
    for number, action_id in enumerate(ids):
        if number == 1:
            one.person("ria").reject(action_id, note="not this one")
        else:
            one.person("ria").approve(action_id)

    work(place)

    assert len(ids) == 3
    assert sorted(place.effects()) == ["put 101", "put 103"]


def test_arguments_by_position_are_judged_as_by_name(two: Two) -> None:
    """Where a policy was blind to what was not named, `put(2000)` is denied as `put(n=2000)` is."""
    place, one, _ = two
    put = place.tools().put
    with one.task("ag", purpose="by position", on_behalf_of="user:cleo") as task:
        said = [task.propose(put, 2000), task.propose(put, n=2000)]

    assert [type(each) for each in said] == [interlock.Denied, interlock.Denied]
    assert place.effects() == []


def test_every_word_on_record_names_the_policies_it_was_decided_under(two: Two) -> None:
    """Done, denied and held alike: the same digest of the policies in force, and of the behaviour, in the first entry."""
    _, one, _ = two
    with one.task("ag", purpose="on record", on_behalf_of="user:cleo") as task:
        outcomes = [task.propose("box.put", n=n) for n in (1, 2000, 101)]
    found = [one.person("ria").action(each.action_id) for each in outcomes]

    assert [each.state for each in found] == ["done", "denied", "held"]
    assert len({each.release for each in found}) == 1
    bundles = {each.decision.bundle for each in found if each.decision is not None}
    assert len(bundles) == 1
    assert all(bundles)


def test_what_was_called_is_not_kept_in_memory(two: Two) -> None:
    """Where an audit list grew by 5.6 KB a call without end, this grows by less than one, of caches that have a bound."""
    place, one, _ = two
    with one.task("ag", purpose="many", on_behalf_of="user:cleo") as task:

        def call(many: int) -> int:
            for _ in range(many):
                task.propose("box.put", n=1)
            gc.collect()
            return tracemalloc.get_traced_memory()[0]

        call(20)
        tracemalloc.start()
        try:
            before = call(20)
            grown = call(80) - before
        finally:
            tracemalloc.stop()

    assert len(place.effects()) == 120
    assert grown < 80 * 1024
