"""What every command is given, and how it gets at the control plane."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import typer

from interlock.bootstrap.connecting import connect, looking, public_keys
from interlock.cli.output import Exit, Output
from interlock.domain.action import Action
from interlock.domain.errors import NotAllowed, NotFound
from interlock.domain.ids import ActionId, Person
from interlock.domain.release import Release
from interlock.domain.task import Task
from interlock.ports.store import ActionQuery
from interlock.services.audit import Verifying
from interlock.services.plane import ControlPlane

PAGE = 2_000
PAGES = 50
"""How far back a shortened identifier is looked for."""
SHORTEST = 4
"""Fewer characters would match by chance."""


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """The global options."""

    folder: Path
    person: Person | None
    output: Output

    def who(self) -> Person:
        """The person at the keyboard. Raises NotAllowed if nobody said."""
        if self.person is None:
            raise NotAllowed(
                "a person decides this, and nobody said who you are",
                next_step="add `--as NAME`, or set INTERLOCK_PERSON; names are in people.yaml",
            )
        return self.person

    @asynccontextmanager
    async def plane(self, *, begin: bool = False) -> AsyncGenerator[ControlPlane]:
        """The control plane of the workspace, closed at the end. With `begin` a store is made where there is none."""
        plane = connect(self.folder, begin=begin)
        try:
            yield plane
        finally:
            await plane.means.store.close()

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[ControlPlane]:
        """The control plane for somebody who only looks: no private key is read and nothing is written."""
        plane = looking(self.folder)
        try:
            yield plane
        finally:
            await plane.means.store.close()

    def verifying(self) -> Verifying:
        """The workspace's public keys."""
        return public_keys(self.folder)


def context_of(context: typer.Context) -> Context:
    """The global options of this run."""
    found = context.find_object(Context)
    if found is None:
        raise typer.Exit(Exit.OURS)
    return found


async def find_action(plane: ControlPlane, text: str) -> Action:
    """The action of that id, or the newest page's only one whose id ends in `text`. Raises NotFound."""
    exact = await plane.means.store.get(Action, text)
    if exact is not None:
        return exact
    if len(text) < SHORTEST:
        raise NotFound(f"there is no action `{text}`; an id may be shortened to {SHORTEST} characters, not to fewer")
    before: ActionId | None = None
    for _ in range(PAGES):
        page = await plane.means.store.actions(ActionQuery(before=before, limit=PAGE))
        matching = [action for action in page if action.id.endswith(text)]
        if len(matching) > 1:
            some = ", ".join(f"`{action.id}`" for action in matching[:3])
            raise NotFound(f"`{text}` is the end of {len(matching)} actions: {some}", next_step="give more of the id")
        if matching:
            return matching[0]
        if len(page) < PAGE:
            break
        before = page[-1].id
    raise NotFound(f"there is no action `{text}`")


async def find_task(plane: ControlPlane, text: str) -> Task:
    """The task of that id, or the one recent task whose id ends in `text`. Raises NotFound."""
    exact = await plane.means.store.get(Task, text)
    if exact is not None:
        return exact
    found = [each for each in await plane.means.store.all(Task, limit=PAGE) if each.id.endswith(text)]
    if len(text) >= SHORTEST and len(found) == 1:
        return found[0]
    raise NotFound(
        f"`{text}` is the end of {len(found)} tasks" if text and found else f"there is no task `{text}`",
        next_step="`interlock show ACTION` says an action's task",
    )


async def find_release(plane: ControlPlane, text: str) -> Release:
    """The one release of that label, or whose digest begins with `text`. Raises NotFound."""
    agent, _, digest = text.rpartition("@")
    releases = await plane.means.store.all(Release)
    found = [each for each in releases if each.digest.startswith(digest) and agent in ("", each.agent)]
    if digest and len(found) == 1:
        return found[0]
    known = ", ".join(f"`{each.label}`" for each in releases[:5])
    raise NotFound(
        f"`{text}` is the beginning of {len(found)} releases" if digest and found else f"there is no release `{text}`",
        next_step=f"name one of them: {known}" if known else "bring one into force: `interlock apply`",
    )
