"""Lists of tasks: every task that is meant is on exactly one page, however many others there are between."""

import msgspec
import pytest

from interlock.domain.errors import ContractError
from interlock.domain.ids import Person
from interlock.services import task_list
from interlock.services.task_list import tasks_there
from interlock.testing.world import World, contract

pytestmark = pytest.mark.anyio


@pytest.mark.proves("task.seen")
async def test_pages_of_tasks_follow_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where only few of those that are looked at are meant: then a page is short, and says where the next begins."""
    monkeypatch.setattr(task_list, "READ", 2)
    monkeypatch.setattr(task_list, "LOOKED_AT", 4)
    world = World()
    await world.apply(contract())
    tasks = [await world.task() for _ in range(13)]
    for each in tasks[2:9]:
        await world.plane.tasks.close(each, by=Person("rita"), why="it is over")
    newest_first = [each.id for each in reversed(tasks)]
    still_open = [each.id for each in reversed([*tasks[:2], *tasks[9:]])]

    async def pages(*, everything: bool, limit: int) -> list[list[str]]:
        found, cursor = list[list[str]](), ""
        while not found or cursor:
            page = await tasks_there(world.plane, everything=everything, limit=limit, cursor=cursor)
            found.append([each.task.id for each in page.tasks])
            cursor = page.next
        return found

    for limit in (1, 2, 3, 4, 50):
        every, some = await pages(everything=True, limit=limit), await pages(everything=False, limit=limit)
        assert [each for page in every for each in page] == newest_first
        assert [each for page in some for each in page] == still_open
        assert all(len(page) <= limit for page in (*every, *some))
    assert [] in await pages(everything=False, limit=50)
    for wrong in ("x" * 65, "ü"):
        with pytest.raises(ContractError):
            await tasks_there(world.plane, everything=True, limit=1, cursor=wrong)


async def test_a_page_of_exactly_all_is_the_last() -> None:
    """Nobody is sent to a page on which there is nothing, and one agent's tasks are found among others'."""
    world = World()
    await world.apply(contract())
    made = [await world.task() for _ in range(3)]

    page = await tasks_there(world.plane, everything=False, limit=3)
    none = await tasks_there(world.plane, everything=False, limit=3, agent="nobody")
    hers = await tasks_there(world.plane, everything=False, limit=3, agent=made[0].agent)

    assert (len(page.tasks), page.next) == (3, "")
    assert msgspec.structs.asdict(none) == {"tasks": (), "next": ""}
    assert len(hers.tasks) == 3
