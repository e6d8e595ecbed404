"""Opening and closing tasks."""

import base64
import contextlib
from typing import Any

import msgspec
import pytest

from interlock.adapters.memory import Fault
from interlock.domain.agent import Runtime
from interlock.domain.budget import Budget
from interlock.domain.duration import DAY, HOUR
from interlock.domain.errors import ContractError, NotAllowed, NotFound, StoreError
from interlock.domain.grant import anything_with, read_grant
from interlock.domain.ids import AgentName, Person, TaskId
from interlock.domain.selector import Selector
from interlock.domain.task import Opening, Task
from interlock.domain.use import MODEL_USE
from interlock.testing.world import World, contract

pytestmark = pytest.mark.anyio


@pytest.mark.proves("task.bounds")
async def test_a_task_lasts_no_longer_than_its_agent_allows() -> None:
    """The lifetime asked for is cut to the agent's; nothing asked is the agent's; zero is zero."""
    world = World()
    await world.apply(contract(), runtime=Runtime(max_task_ms=HOUR))

    lasts = [(await world.task(lasts_ms=ms)).expires_at - world.clock.now() for ms in (None, 5, DAY, 0)]

    assert lasts == [HOUR, 5, HOUR, 0]


@pytest.mark.proves("task.narrows")
async def test_a_sub_task_is_never_wider() -> None:
    """It ends with its parent at the latest, inherits what is prohibited, and goes one deeper."""
    world = World()
    await world.apply(contract(), contract("thing.other"))
    parent = await world.task(lasts_ms=HOUR, prohibited=("thing.put",))

    child = await world.task(parent=parent, lasts_ms=DAY, prohibited=("thing.other",))

    assert (child.expires_at, child.depth, child.parent) == (parent.expires_at, 1, parent.id)
    assert child.prohibited == ("thing.put", "thing.other")


@pytest.mark.proves("task.narrows")
async def test_a_task_that_is_not_open_has_no_sub_tasks() -> None:
    """Neither a closed nor a closing task can be worked on through a task below it."""
    world = World()
    await world.apply(contract())
    closed, closing = await world.task(), await world.task()
    await world.plane.tasks.close(closed)
    await world.plane.compensation.undo("task", closing.id, by="rita", why="wrong")

    for parent in (closed, closing):
        with pytest.raises(NotAllowed) as refused:
            await world.task(parent=parent)
        assert "a task of its own" in refused.value.next_step


MISSPELT: dict[str, tuple[dict[str, Any], str, str]] = {
    "tool": ({"tools": anything_with(["thing.putt"])}, "there is no tool `thing.putt`", "`thing.put`"),
    "argument": (
        {"tools": read_grant({"tools": {"thing.put": {"m": {"constraint_type": "wildcard"}}}})},
        "there is no argument of `thing.put` `m`",
        "`n`",
    ),
    "kind": ({"data": Selector(records={"thign": ("a",)})}, "there is no kind of records `thign`", "`thing`"),
    "prohibited": ({"prohibited": ("thing.putt",)}, "there is no tool `thing.putt`", "`thing.put`"),
}


@pytest.mark.proves("task.misspelt")
@pytest.mark.parametrize("which", MISSPELT)
async def test_what_a_task_is_given_or_forbidden_is_there(which: str) -> None:
    """A misspelt tool, argument or kind of records is refused when the task is opened, with the nearest name."""
    world = World()
    await world.apply(contract(touches={"thing": "$args.n"}))
    said, words, near = MISSPELT[which]

    with pytest.raises(ContractError, match=words) as refused:
        await world.task(**said)

    assert near in refused.value.next_step
    assert await world.tasks() == []


async def test_a_task_may_be_given_and_forbidden_what_there_is() -> None:
    """Contracts in force, with or without their arguments; and uses of models."""
    world = World()
    await world.apply(contract(touches={"thing": "$args.n"}))
    tools = read_grant({"tools": {"thing.put": {"n": {"constraint_type": "wildcard"}}, "thing.take": {}}})

    task = await world.task(tools=tools, data=Selector(records={"thing": (1,)}), prohibited=(MODEL_USE,))

    assert (task.tools, task.prohibited) == (tools, (MODEL_USE,))


async def test_closing_twice_is_once() -> None:
    """The second closing changes nothing and records nothing."""
    world = World()
    await world.apply(contract())
    task = await world.task()

    first, size = await world.plane.tasks.close(task), len(await world.store.entries(0, 1000))
    second = await world.plane.tasks.close(task)

    assert first == second
    assert first.state == "closed"
    assert len(await world.store.entries(0, 1000)) == size


async def test_a_task_that_is_being_undone_is_not_closed_before_that_is_over() -> None:
    """Nor is one that there is not."""
    world = World()
    await world.apply(contract())
    task = await world.task()
    await world.propose(task)
    await world.plane.compensation.undo("task", task.id, by="rita", why="wrong")

    meanwhile = await world.plane.tasks.close(task)
    await world.work()

    assert meanwhile.state == "closing"
    assert (await world.plane.tasks.close(task)).state == "closed"
    with pytest.raises(NotFound):
        await world.plane.tasks.close(msgspec.structs.replace(task, id=TaskId("nope")))


async def test_only_an_agent_in_force_has_tasks() -> None:
    """An unknown agent has none, nor has one that is suspended."""
    world = World()
    await world.apply(contract())
    opening = Opening(agent=AgentName("other"), purpose="test", initiator="user:ana")

    with pytest.raises(NotFound):
        await world.plane.tasks.open(opening)
    await world.plane.agents.move(AgentName("ag"), "suspend", by=Person("rita"), why="smoke")
    with pytest.raises(NotAllowed):
        await world.plane.tasks.open(msgspec.structs.replace(opening, agent=AgentName("ag")))


@pytest.mark.proves("task.release")
async def test_a_task_keeps_the_release_it_was_opened_under() -> None:
    """A task opened before an apply belongs to the old release, one opened after it to the new."""
    world = World()
    await world.apply(contract())
    before = await world.task()
    await world.apply(contract(), runtime=Runtime(max_depth=2, may_recur=True))
    after = await world.task()

    assert before.release != after.release
    assert (await world.propose(before)).release == before.release


@pytest.mark.proves("task.closed_once")
@pytest.mark.parametrize("fault", ["stored", "not stored"])
async def test_a_closing_that_fails_is_made_good_by_the_next(fault: Fault) -> None:
    """Whether or not the failed write was stored: afterwards the task is closed, and recorded as closed once."""
    world = World()
    await world.apply(contract())
    task = await world.task()
    world.store.faults.at[world.store.faults.writes + 1] = fault

    with contextlib.suppress(StoreError):
        await world.plane.tasks.close(task, by=Person("rita"), why="over")
    after = await world.plane.tasks.close(task, by=Person("rita"), why="over")

    phases = [each.phase for each in await world.store.entries(0, 1000)]
    assert (after.state, phases.count("closed")) == ("closed", 1)


@pytest.mark.proves("task.closed_once")
@pytest.mark.parametrize(("fault", "there"), [("stored", 1), ("not stored", 0)])
async def test_an_opening_that_fails_is_there_once_or_not_at_all(fault: Fault, there: int) -> None:
    """A task whose opening failed is there with its entry and its budgets where it was stored, and nowhere else."""
    world = World()
    await world.apply(contract())
    world.store.faults.at[world.store.faults.writes + 1] = fault

    with contextlib.suppress(StoreError):
        await world.task()

    phases = [each.phase for each in await world.store.entries(0, 1000)]
    assert len(await world.store.all(Task)) == phases.count("opened") == len(await world.store.all(Budget)) == there


async def test_who_closes_a_task_is_known_and_kept_beside_the_leaf() -> None:
    """A stranger closes nothing, nor who gives no reason; a person's name and reason are committed to and stand in no leaf."""
    world = World()
    await world.apply(contract())
    task = await world.task()
    with pytest.raises(NotAllowed):
        await world.plane.tasks.close(task, by=Person("zoe"), why="over")
    with pytest.raises(ContractError, match="takes a reason"):
        await world.plane.tasks.close(task, by=Person("rita"), why=" ")
    await world.plane.tasks.close(task, by=Person("rita"), why="a reason of rita's")

    last = (await world.store.entries(0, 1000))[-1]
    assert last.phase == "closed"
    assert any("a reason of rita" in base64_text(each) for each in last.disclosures)
    assert b"rita" not in base64.b64decode(msgspec.json.decode(last.leaf)["payload"])


def base64_text(disclosure: str) -> str:
    """A disclosure as it reads."""
    return base64.urlsafe_b64decode(disclosure + "=" * (-len(disclosure) % 4)).decode()
