"""How often may be called: by an agent, through a contract, by a cohort, within the tenant; whichever process calls."""

import asyncio
from contextlib import suppress

import pytest

from interlock.adapters.memory import Fault, Faults
from interlock.domain.agent import Runtime
from interlock.domain.duration import MINUTE
from interlock.domain.errors import StoreError
from interlock.domain.policy import Policy
from interlock.domain.question import Question
from interlock.domain.rate import Rate
from interlock.testing.world import World, contract, permit

pytestmark = pytest.mark.anyio

TWICE = Rate(calls=2, per_ms=MINUTE)
NO = Policy(id="no", effect="forbid", owner="pia", verdict="deny", reason="above ten")


def above_ten(question: Question) -> bool:
    """What is denied."""
    n = question.arguments["n"]
    return isinstance(n, int) and n > 10


async def world_with(where: str, faults: Faults | None = None) -> World:
    """One where two calls a minute are allowed, said at one of the places where that can be said."""
    world = World(faults=faults)
    tool = contract(rate=TWICE) if where == "contract:thing.put" else contract()
    runtime = Runtime(may_recur=True, rate=TWICE if where == "agent:ag" else None)
    rates = {where: TWICE} if where in ("tag:web", "tenant") else {}
    rules = (permit(), (NO, above_ten))
    await world.apply(tool, rules=rules, runtime=runtime, tags=("web",), rates={"tag:other": TWICE} | rates)
    return world


@pytest.mark.parametrize("where", ["agent:ag", "contract:thing.put", "tag:web", "tenant"])
@pytest.mark.proves("rate.exact", "rate.told")
async def test_wherever_it_is_said_it_holds_for_all_processes_and_tasks(where: str) -> None:
    """Two of six calls by two processes in three tasks are let through; the others say the limit and when to come again."""
    world = await world_with(where)
    processes = (world.plane, world.another("w2"))
    tasks = [await world.task() for _ in range(3)]

    calls = (world.propose_on(processes[n % 2], tasks[n % 3], n=n) for n in range(6))
    found = await asyncio.gather(*calls)
    world.clock.advance(MINUTE)
    later = await world.propose(tasks[0], n=7)

    assert sorted(each.state for each in found) == ["done", "done", *["refused"] * 4]
    assert later.state == "done"
    assert {each.reasons for each in found if each.state == "refused"} == {
        ("interlock.rate", f"{where} may make 2 calls in 1m, and has made them; there is room again in 60 s")
    }


@pytest.mark.proves("rate.exact")
async def test_what_is_denied_refused_or_an_undo_takes_no_room() -> None:
    """Only what may happen counts, once; taking back is free."""
    world = await world_with("tag:web")
    task = await world.task()
    first = await world.propose(task, n=1, key="one")
    denied, unfit = await world.propose(task, n=11), await world.propose(task, m=1)
    again = await world.propose(task, n=1, key="one")
    second = await world.propose(task, n=2)

    assert (denied.state, unfit.state, again.id, second.state) == ("denied", "refused", first.id, "done")
    assert (await world.propose(task, n=3)).state == "refused"
    await world.plane.compensation.undo("action", first.id, by="rita", why="a test")
    await world.work()
    assert (await world.action(first)).state == "undone"


@pytest.mark.proves("rate.exact")
async def test_a_changed_rate_counts_what_was_called_before() -> None:
    """More calls are let through at once when the file says more, and fewer when it says fewer."""
    world = await world_with("tag:web")
    task = await world.task()
    states = [(await world.propose(task, n=n)).state for n in range(3)]

    for calls, state in ((3, "done"), (1, "refused")):
        changed = world.definition(rates={"tag:web": Rate(calls=calls, per_ms=MINUTE)})
        await world.plane.registry.apply(changed, by="test")
        states.append((await world.propose(task, n=5 + calls)).state)
        assert states[-1] == state

    assert states[:3] == ["done", "done", "refused"]


@pytest.mark.parametrize(("fault", "made", "left"), [("not stored", 0, 2), ("stored", 1, 1)])
@pytest.mark.proves("rate.exact")
async def test_a_call_is_counted_if_and_only_if_it_is_stored(fault: Fault, made: int, left: int) -> None:
    """Where the store fails at the decision there is neither; where only its answer is lost there are both."""
    faults = Faults()
    world = await world_with("tag:web", faults)
    task = await world.task()
    faults.at[faults.writes + 1] = fault

    with suppress(StoreError):
        await world.propose(task, n=1)

    assert len(await world.actions()) == made
    states = [(await world.propose(task, n=2 + n)).state for n in range(3)]
    assert states.count("done") == left
