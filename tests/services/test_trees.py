"""Trees of tasks: one budget, however many tasks draw on it, in whatever order they end."""

import asyncio
import contextlib
from collections.abc import Awaitable
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.adapters.memory import Fault, Faults
from interlock.domain.agent import Runtime
from interlock.domain.budget import Budget
from interlock.domain.contract import Cost
from interlock.domain.duration import DAY, HOUR, MINUTE
from interlock.domain.errors import BudgetExceeded, InterlockError, NotAllowed, StoreError
from interlock.domain.family import Family
from interlock.domain.policy import Policy
from interlock.domain.task import Task, task_key
from interlock.testing.parts import Predicate
from interlock.testing.world import World, contract, permit

pytestmark = pytest.mark.anyio
T = TypeVar("T")

PAID = contract(cost=Cost(unit="EUR", amount="$args.n"))
ANYHOW = Runtime(may_recur=True, max_fanout=50, max_repeats=1000)


def asked(above: int) -> tuple[Policy, Predicate]:
    """A policy that has a reviewer agree to what costs more than `above`."""
    policy = Policy(id="ask", effect="forbid", owner="pia", verdict="require_approval", approver="reviewer")
    return policy, lambda question: int(str(question.arguments["n"])) > above


async def budget(world: World, task: Task, unit: str = "EUR") -> Budget:
    """A task's own budget, as it is now."""
    found = await world.store.get(Budget, task_key(task.id, unit))
    assert found is not None
    return found


async def stand(world: World, task: Task, unit: str = "EUR") -> tuple[int, int, int]:
    """What is left, reserved and spent of it."""
    found = await budget(world, task, unit)
    return found.left, found.reserved, found.spent


@pytest.mark.proves("tree.reserved")
async def test_a_limit_of_a_sub_task_is_reserved_around_it_and_the_rest_goes_back() -> None:
    """Opened with 4 of 10, having spent 3, it leaves 7 in the task around it: 6 while it is open."""
    world = World()
    await world.apply(PAID)
    root = await world.task(budgets={"EUR": 10})

    child = await world.task(parent=root, budgets={"EUR": 4})
    opened = await stand(world, root)
    done, refused = await world.propose(child, n=3), await world.propose(child, n=2)
    inside = await stand(world, child), await stand(world, root)
    await world.plane.tasks.close(child)

    assert (done.state, refused.state, refused.reasons[0]) == ("done", "refused", "interlock.budget")
    assert opened == (6, 4, 0)
    assert inside == ((1, 0, 3), (6, 4, 0))
    assert (await stand(world, root), await stand(world, child)) == ((7, 0, 3), (0, 0, 3))


@pytest.mark.proves("tree.nearest")
async def test_a_sub_task_without_a_limit_draws_on_the_nearest_around_it() -> None:
    """Through a task without a limit and into the one with; the tenant's is drawn on once."""
    world = World()
    await world.apply(PAID, budgets={"EUR": 100})
    root = await world.task(budgets={"EUR": 10})
    middle = await world.task(parent=root, budgets={"EUR": 6})
    leaf = await world.task(parent=await world.task(parent=middle))

    await world.propose(leaf, n=5)
    refused = await world.propose(leaf, n=2)

    assert refused.state == "refused"
    assert (await stand(world, middle), await stand(world, root)) == ((1, 0, 5), (4, 6, 0))
    tenant = await world.store.get(Budget, "tenant/EUR")
    assert tenant is not None
    assert tenant.spent == 5


@pytest.mark.proves("tree.nearest")
async def test_calls_of_sub_tasks_count_around_them() -> None:
    """A tree makes no more calls than its root may, though each of its tasks could make as many by its agent's file."""
    world = World()
    await world.apply(contract(), runtime=ANYHOW)
    root = await world.task(budgets={"calls": 5})
    children = [await world.task(parent=root) for _ in range(3)]

    states = [(await world.propose(child)).state for child in children * 3]

    assert states.count("done") == 5
    assert (await budget(world, root, "calls")).left == 0


async def test_a_sub_task_that_asks_for_more_than_is_left_is_not_opened() -> None:
    """It is told what is left; nothing is reserved, and nothing is stored of it."""
    world = World()
    await world.apply(PAID)
    root = await world.task(budgets={"EUR": 10})
    await world.task(parent=root, budgets={"EUR": 7})

    with pytest.raises(BudgetExceeded) as caught:
        await world.task(parent=root, budgets={"EUR": 4})

    assert caught.value.left == 3
    assert (len(await world.tasks()), (await stand(world, root))[0]) == (2, 3)


@pytest.mark.proves("tree.exact")
async def test_twenty_sub_tasks_of_three_at_once_on_a_budget_of_ten() -> None:
    """Three are opened; whatever they do, never more than nine is spent."""
    world = World()
    await world.apply(PAID, runtime=ANYHOW)
    root = await world.task(budgets={"EUR": 10})

    async def lend() -> str:
        try:
            child = await world.task(parent=root, budgets={"EUR": 3})
        except BudgetExceeded:
            return "refused"
        return (await world.propose(child, n=3)).state

    states = await asyncio.gather(*(lend() for _ in range(20)))

    assert (states.count("done"), states.count("refused")) == (3, 17)
    assert await stand(world, root) == (1, 9, 0)


@pytest.mark.proves("tree.closed_with")
async def test_what_is_inside_a_task_is_closed_with_it() -> None:
    """In the same entry's transaction; what waits for a person stays reserved all the way up until that is over."""
    world = World()
    await world.apply(PAID, rules=(permit(), asked(2)), runtime=ANYHOW)
    root = await world.task(budgets={"EUR": 20})
    child = await world.task(parent=root, budgets={"EUR": 10})
    leaf = await world.task(parent=child, budgets={"EUR": 5})
    held = await world.propose(leaf, n=3)
    await world.propose(leaf, n=1)

    commits = world.store.faults.writes
    await world.plane.tasks.close(child)
    took = world.store.faults.writes - commits
    waiting = await stand(world, root)
    again = await world.propose(leaf, n=1)
    await world.plane.approvals.reject(held.id, next(iter(world.people)), note="no")
    world.clock.advance(MINUTE)
    await world.plane.tasks.tend()

    assert (held.state, took, again.state) == ("held", 1, "refused")
    assert waiting == (16, 3, 1)
    assert await stand(world, root) == (19, 0, 1)
    assert await world.plane.tasks.tend() == 0


@pytest.mark.proves("tree.over")
async def test_a_worker_closes_what_is_over_its_time_and_gives_its_limit_back() -> None:
    """The program that opened it may be gone."""
    world = World()
    await world.apply(PAID)
    root = await world.task(budgets={"EUR": 10}, lasts_ms=DAY)
    child = await world.task(parent=root, budgets={"EUR": 4}, lasts_ms=HOUR)
    await world.propose(child, n=1)

    early = await world.plane.tasks.tend()
    world.clock.advance(HOUR)
    await world.plane.tasks.tend()

    assert early == 0
    assert await stand(world, root) == (9, 0, 1)
    assert [each.why for each in await world.plane.tasks.failures(root.id)] == ["TimeOver"]


async def test_without_a_worker_the_next_sub_task_sees_to_what_is_over() -> None:
    """A tree whose tasks died is not blocked by them for good."""
    world = World()
    await world.apply(PAID, runtime=Runtime(may_recur=True, max_fanout=1))
    root = await world.task(budgets={"EUR": 10}, lasts_ms=DAY)
    await world.task(parent=root, budgets={"EUR": 10}, lasts_ms=HOUR)
    world.clock.advance(HOUR)

    assert (await world.task(parent=root, budgets={"EUR": 10})).state == "open"


@pytest.mark.proves("tree.bounds")
async def test_how_many_how_deep_and_who() -> None:
    """More at once than its agent may have, deeper, or an agent inside its own task: refused with the reason, then told."""
    world = World()
    await world.apply(contract(), runtime=Runtime(may_recur=True, max_fanout=2, max_depth=1))
    root = await world.task()
    first = await world.task(parent=root)
    await world.task(parent=root)
    with pytest.raises(NotAllowed, match="2 tasks are open inside this one"):
        await world.task(parent=root)
    with pytest.raises(NotAllowed, match="nest 1 deep"):
        await world.task(parent=first)
    await world.plane.tasks.close(first)
    await world.task(parent=root)

    await world.apply(contract(), runtime=Runtime())
    assert (await world.task(parent=await world.task())).depth == 1


@pytest.mark.proves("tree.bounds")
async def test_many_that_open_at_once_are_no_more_than_may_be_open() -> None:
    """Of twenty at the same moment exactly as many are opened as may be."""
    world = World()
    await world.apply(contract(), runtime=Runtime(may_recur=True, max_fanout=5))
    root = await world.task()

    results = await asyncio.gather(*(world.task(parent=root) for _ in range(20)), return_exceptions=True)

    assert sum(isinstance(each, Task) for each in results) == 5
    assert sum(isinstance(each, NotAllowed) for each in results) == 15


@pytest.mark.proves("tree.failures")
async def test_a_failure_is_heard_of_until_somebody_looks() -> None:
    """A failed task tells the one around it; nobody looking, that one fails in turn; looked at once, it is news no more."""
    world = World()
    await world.apply(contract(), runtime=ANYHOW)
    root = await world.task()
    seen, overlooked = await world.task(parent=root), await world.task(parent=root)
    leaf = await world.task(parent=overlooked)
    await world.plane.tasks.close(seen, failure="ValueError")
    first = await world.plane.tasks.failures(root.id)
    await world.plane.tasks.close(leaf, failure="KeyError")
    await world.plane.tasks.close(overlooked)

    second = await world.plane.tasks.failures(root.id)

    assert [(each.task, each.why) for each in first] == [(seen.id, "ValueError")]
    assert [(each.task, each.why) for each in second] == [(overlooked.id, "ChildrenFailed")]
    assert await world.plane.tasks.failures(root.id) == ()
    assert not (await world.plane.tasks.close(root)).failed


@pytest.mark.proves("tree.failures")
async def test_what_is_given_back_later_is_no_second_end() -> None:
    """A task that failed while something waited in it has failed when that is over, and nobody hears of it twice."""
    world = World()
    await world.apply(PAID, rules=(permit(), asked(2)), runtime=ANYHOW)
    root = await world.task(budgets={"EUR": 20})
    child = await world.task(parent=root, budgets={"EUR": 10})
    held = await world.propose(child, n=3)
    await world.plane.tasks.close(child, failure="ValueError")
    heard = await world.plane.tasks.failures(root.id)
    await world.plane.approvals.reject(held.id, next(iter(world.people)), note="no")
    world.clock.advance(MINUTE)

    await world.plane.tasks.tend()

    assert [each.why for each in heard] == ["ValueError"]
    assert await world.plane.tasks.failures(root.id) == ()
    (after,) = [each for each in await world.tasks() if each.id == child.id]
    assert (after.state, after.failed, after.failure) == ("closed", True, "ValueError")
    assert await stand(world, root) == (20, 0, 0)


@pytest.mark.proves("tree.closed_with")
async def test_undoing_a_task_ends_what_is_inside_it() -> None:
    """Nothing new is admitted in it nor inside it, and what was lent to it goes back when that is over."""
    world = World()
    await world.apply(PAID, runtime=ANYHOW)
    root = await world.task(budgets={"EUR": 10})
    child = await world.task(parent=root, budgets={"EUR": 8})
    leaf = await world.task(parent=child, budgets={"EUR": 4})
    await world.propose(child, n=2)

    await world.plane.compensation.undo("task", child.id, by="rita", why="wrong")
    refused = await world.propose(leaf, n=1)
    await world.work()
    world.clock.advance(MINUTE)
    await world.plane.tasks.tend()

    assert refused.state == "refused"
    assert await stand(world, root) == (8, 0, 2)


@pytest.mark.proves("tree.reserved")
@pytest.mark.parametrize("fault", ["stored", "not stored"])
async def test_an_opening_that_fails_reserves_once_or_not_at_all(fault: Fault) -> None:
    """What is reserved around it is exactly what is there; a task nobody got is closed when its time is over."""
    world = World()
    await world.apply(PAID)
    root = await world.task(budgets={"EUR": 10}, lasts_ms=DAY)
    world.store.faults.at[world.store.faults.writes + 1] = fault
    with contextlib.suppress(StoreError):
        await world.task(parent=root, budgets={"EUR": 4}, lasts_ms=HOUR)

    left = (await stand(world, root))[0]
    world.clock.advance(HOUR)
    await world.plane.tasks.tend()

    assert left == (6 if fault == "stored" else 10)
    assert await stand(world, root) == (10, 0, 0)


@pytest.mark.proves("tree.reserved")
@pytest.mark.parametrize("fault", ["stored", "not stored"])
async def test_a_closing_that_fails_gives_back_once(fault: Fault) -> None:
    """Closed again, or by a worker, what is left goes back exactly once."""
    world = World()
    await world.apply(PAID)
    root = await world.task(budgets={"EUR": 10})
    child = await world.task(parent=root, budgets={"EUR": 4})
    await world.propose(child, n=1)
    world.store.faults.at[world.store.faults.writes + 1] = fault
    with contextlib.suppress(StoreError):
        await world.plane.tasks.close(child)
    await world.plane.tasks.close(child)

    assert await stand(world, root) == (9, 0, 1)


class Grown:
    """A random tree at work, and what must hold of it at any time."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.tasks: list[Task] = []
        self.held: list[str] = []

    async def attempt(self, work: Awaitable[T]) -> T | None:
        """What came of it, if no limit was in the way and the store did not fail."""
        try:
            return await work
        except InterlockError:
            return None

    async def grow(self, choice: int, which: int, size: int) -> None:
        """Do one thing to one of the tasks."""
        world, task = self.world, self.tasks[which % len(self.tasks)]
        match choice:
            case 0:
                limits = {"EUR": size} if size % 3 else {}
                opened = await self.attempt(world.task(parent=task, budgets=limits, lasts_ms=(size + 1) * MINUTE))
                self.tasks += [opened] if opened is not None else []
            case 1:
                await self.attempt(world.propose(task, n=size))
            case 2:
                await self.attempt(world.plane.tasks.close(task, failure="Error" if size % 2 else ""))
            case 3:
                world.clock.advance(size * MINUTE // 4)
                await self.attempt(world.plane.tasks.tend())
            case _:
                world.store.faults.at[world.store.faults.writes + 1 + size % 3] = "stored" if size % 2 else "not stored"

    async def holds(self, root: int) -> None:
        """No limit is exceeded, and what is reserved around a task is what the tasks inside it and its actions have."""
        found = {each.key: each for each in await self.world.store.all(Budget)}
        actions = await self.world.actions()
        for each in found.values():
            inner = sum(b.limit - b.passed for b in found.values() if each.key in b.within)
            own = sum(
                draw.amount
                for action in actions
                for draw in action.reserved
                if draw.budget == each.key and action.state in ("held", "ready", "dispatching", "unknown")
            )
            assert each.reserved + each.spent <= each.limit
            assert each.reserved == inner + own
        top = found[task_key(self.tasks[0].id, "EUR")]
        assert top.reserved + top.spent <= root


@pytest.mark.proves("tree.exact")
@settings(max_examples=60, deadline=None)
@given(
    st.integers(15, 60),
    st.lists(
        st.tuples(st.sampled_from((0, 0, 1, 1, 1, 2, 3, 4)), st.integers(0, 5), st.integers(0, 9)),
        min_size=10,
        max_size=40,
    ),
)
def test_no_tree_spends_more_than_its_root_whatever_happens(root: int, steps: list[tuple[int, int, int]]) -> None:
    """Tasks opened, closed, expired, failing writes, held and lost actions: at any time reserved and spent fit every limit, and
    in the end all that is not spent is back."""

    async def live() -> None:
        world = World(faults=Faults())
        await world.apply(PAID, rules=(permit(), asked(2)), runtime=ANYHOW)
        grown = Grown(world)
        grown.tasks.append(await world.task(budgets={"EUR": root}, lasts_ms=DAY))
        for step in steps:
            await grown.grow(*step)
            await grown.holds(root)
        world.store.faults.at.clear()
        await world.plane.tasks.close(grown.tasks[0])
        for _ in range(4):
            world.clock.advance(DAY)
            await world.work()
            await world.plane.tasks.tend()
            await grown.holds(root)
        top = await budget(world, grown.tasks[0])
        spent = sum(int(str(each.arguments["n"])) for each in await world.actions() if each.state == "done")
        unknown = [each for each in await world.actions() if each.state == "unknown"]
        assert unknown or (top.reserved, top.spent) == (0, spent)
        assert not any(each.open for each in await world.store.all(Family))

    asyncio.run(live())
