"""What fails inside a task reaches whoever leaves it, and is never swallowed."""

import asyncio
import contextlib

import pytest

import interlock
from tests.sdk.doors import Door
from tests.workspaces import Place

THREE = {"calls": 3}


@pytest.mark.proves("tree.failures")
def test_a_failure_that_was_caught_is_told_when_its_parent_is_left(door: Door) -> None:
    """Caught and forgotten it is raised as ChildrenFailed, which names the task; once looked at it is not."""
    client = door.open()
    with (
        pytest.raises(interlock.ChildrenFailed, match=r"task \S+ of `ag`: ValueError") as caught,
        client.task("ag", purpose="outer"),
        contextlib.suppress(ValueError),
        client.task("ag", purpose="inner") as inner,
    ):
        raise ValueError("a secret")
    with client.task("ag", purpose="outer") as task:
        with contextlib.suppress(ValueError), client.task("ag", purpose="inner"):
            raise ValueError("a secret")
        looked = task.failures()
    client.close()

    assert [each.task for each in caught.value.failures] == [inner.id]
    assert "secret" not in str(caught.value)
    assert [(each.purpose, each.why) for each in looked] == [("inner", "ValueError")]


@pytest.mark.proves("tree.failures")
def test_beside_an_error_that_is_on_its_way_it_is_a_note(door: Door) -> None:
    """The error that left the task keeps its kind, and says what else failed inside."""

    async def program() -> None:
        async with door.open() as client, client.task("ag", purpose="outer"):
            with contextlib.suppress(ValueError):
                async with client.task("ag", purpose="inner"):
                    raise ValueError
            raise KeyError("other")

    with pytest.raises(KeyError) as caught:
        asyncio.run(program())

    assert any("inside this task failed" in note for note in caught.value.__notes__)


@pytest.mark.proves("tree.gather")
def test_gathered_works_all_end_and_all_their_failures_are_told(door: Door) -> None:
    """Two of four fail: the others' effects are there, both failures are in the group, and none is told twice."""
    tools = door.tools()

    with door.open() as client:

        def work(n: int) -> int:
            with client.task("ag", purpose=f"part {n}", budgets=THREE):
                if n % 2:
                    raise ValueError(n)
                return int(tools.put(n + 1).n)

        with client.task("ag", purpose="outer", budgets={"calls": 12}) as task:
            with pytest.raises(ExceptionGroup) as caught:
                task.gather(*(lambda n=n: work(n) for n in range(4)), at_once=4)
            again = task.gather(*(lambda n=n: work(n) for n in (10, 20)))

    assert sorted(each.args[0] for each in caught.value.exceptions) == [1, 3]
    assert again == [11, 21]
    assert sorted(door.effects()) == ["put 1", "put 11", "put 21", "put 3"]


@pytest.mark.proves("tree.gather")
def test_the_same_asynchronously(door: Door) -> None:
    """No more run at a time than was said, and what they give comes in their order."""
    tools = door.tools()
    running, most = 0, 0

    async def program() -> list[int]:
        async with door.open() as client, client.task("ag", purpose="outer") as task:

            async def work(n: int) -> int:
                nonlocal running, most
                async with client.task("ag", purpose=f"part {n}", budgets=THREE):
                    running, most = running + 1, max(most, running + 1)
                    result = await tools.aput(n)
                    running -= 1
                    return int(result.n)

            with contextlib.suppress(ExceptionGroup):
                await task.gather(asyncio.sleep(0), _fails(client))
            return await task.gather(*(work(n) for n in range(1, 7)), at_once=2)

    assert asyncio.run(program()) == [1, 2, 3, 4, 5, 6]
    assert most == 2


async def _fails(client: interlock.Client) -> None:
    async with client.task("ag", purpose="fails"):
        raise ValueError


@pytest.mark.proves("tree.bounds")
def test_work_that_comes_back_through_others_is_refused(place: Place) -> None:
    """An agent may divide its own work; what it gave to another may not come back to it, unless its file says so."""
    with (
        interlock.open(place.folder, apply=True) as client,
        client.task("ag", purpose="whole"),
        client.task("ag", purpose="part"),
        client.task("helper", purpose="help"),
        pytest.raises(interlock.InterlockError, match="at work around this task already: ag > ag > helper"),
    ):
        client.task("ag", purpose="back again").__enter__()

    file = place.folder / "agents" / "ag.yaml"
    file.write_text(file.read_text().replace("max_task: 1h", "max_task: 1h, may_recur: true"))
    with (
        interlock.open(place.folder, apply=True) as client,
        client.task("ag", purpose="whole"),
        client.task("helper", purpose="help"),
        client.task("ag", purpose="back again") as again,
    ):
        assert again.task.depth == 2
