"""Asking the evidence: which actions, by whom, under which policy, agreed by whom, about which record."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from interlock.bootstrap.auditing import has_figures, has_index
from interlock.bootstrap.connecting import looking
from interlock.domain.card import Question
from interlock.services.following import Progress
from interlock.services.searching import Found, Searching
from interlock.workbench.planes import reading


async def found(folder: Path, wanted: Question, progress: Progress | None = None) -> Found:
    """The actions that are meant, newest first. The index is brought up to the log's head before. Raises InterlockError."""
    async with searching(folder) as searches:
        return await searches.find(wanted, progress)


async def followed(folder: Path) -> None:
    """Bring what is read from the log up to its head, where it is there: what was erased is forgotten in it. Raises
    InterlockError."""
    if has_index(folder):
        async with searching(folder) as searches:
            await searches.catch_up()
    if has_figures(folder):
        async with reading(folder) as plane:
            await plane.figures.catch_up()


@asynccontextmanager
async def searching(folder: Path) -> AsyncGenerator[Searching]:
    """The index of the workspace in `folder`, for as long as something is asked of it."""
    plane = looking(folder)
    try:
        yield plane.searching
    finally:
        await plane.close()
