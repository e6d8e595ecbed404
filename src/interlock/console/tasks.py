"""Tasks: which there are, one with everything inside it on one axis of time, and its end by an operator's word."""

from typing import Annotated, Final

import msgspec
from litestar import Response, get, post
from litestar.enums import RequestEncodingType
from litestar.handlers import HTTPRouteHandler
from litestar.params import Body, FromPath

from interlock.console.given import address, lead_to, names_in_force, said
from interlock.console.render import page
from interlock.console.sent import bounded
from interlock.console.timeline import Row, rows_of, swatch
from interlock.domain.ids import TaskId
from interlock.domain.waterfall import WORDS
from interlock.services.known_tasks import stored_task
from interlock.services.task_list import tasks_there
from interlock.services.task_trees import TaskTree, tree_of
from interlock.web.parts import Asked, Plane, Who

LISTED: Final = 50


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """The form by which a task is ended."""

    why: str = ""


@get("/tasks", opt={"needs": "see"}, include_in_schema=False)
async def tasks(request: Asked, plane: Plane) -> Response[str]:
    """The open tasks, or all of them, newest first."""
    agent, everything, cursor = said(request, "agent"), said(request, "all") == "true", said(request, "cursor")
    found = await tasks_there(plane, everything=everything, limit=LISTED, agent=agent, cursor=cursor)
    names = await names_in_force(plane)
    older = {"agent": agent, "all": "true" if everything else "", "cursor": found.next}
    return page(
        request,
        "task_list.html",
        found=found,
        everything=everything,
        agent=agent,
        agents=names["agent"],
        first=not cursor,
        older=address("/tasks", older) if found.next else "",
    )


@get("/tasks/{task:str}", opt={"needs": "see"}, include_in_schema=False)
async def task_page(request: Asked, plane: Plane, task: FromPath[str]) -> Response[str]:
    """One task: what it may, what it took, and what happened in it when."""
    tree = await tree_of(plane, TaskId(task))
    return page(request, "task.html", tree=tree, it=tree.tasks[0], rows=_rows(tree), words=WORDS, swatch=swatch)


@post("/tasks/{task:str}/end", opt={"needs": "operate"}, include_in_schema=False, status_code=303)
async def end(
    plane: Plane,
    actor: Who,
    task: FromPath[str],
    data: Annotated[Ending, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[bytes]:
    """Admit nothing more in it: what waits goes on waiting."""
    found = await stored_task(plane.means.store, TaskId(task))
    await plane.tasks.close(found, by=actor.person, why=bounded(data.why, "why"))
    return lead_to(f"/tasks/{found.id}")


def _rows(tree: TaskTree) -> list[Row]:
    return rows_of(tree.bars, tree.start, tree.end)


ROUTES: list[HTTPRouteHandler] = [tasks, task_page, end]
