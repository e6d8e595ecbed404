"""Recorded decisions made again: of an action, of a task, of a run."""

from pathlib import Path

from interlock.domain.errors import NotFound
from interlock.domain.replay import Replay
from interlock.services.replaying import Replaying
from interlock.workbench.finding import find_action, find_task
from interlock.workbench.planes import reading
from interlock.workbench.reasons import explaining_of


async def replayed(folder: Path, what: str) -> Replay:
    """Decide again what was decided: an action (by its id, or the end of it), every action of a task, or every action of a
    run (a process, by the whole id of its stream). Nothing is recorded or touched. Raises InterlockError."""
    async with reading(folder) as plane:
        means = plane.means
        replaying = Replaying(store=means.store, log=means.log, explaining=explaining_of(plane))
        try:
            return await replaying.action(await find_action(plane, what))
        except NotFound as error:
            if "may be" in error.detail:
                raise
        try:
            return await replaying.task((await find_task(plane, what)).id)
        except NotFound:
            pass
        try:
            return await replaying.run(what)
        except NotFound:
            raise NotFound(
                f"`{what}` is no action, no task and no run with actions", next_step="list actions: `interlock actions`"
            ) from None
