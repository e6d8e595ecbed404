"""What every command is given, and how it gets at the control plane."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import typer

from interlock.bootstrap import connect, public_keys
from interlock.cli.output import Output
from interlock.domain.action import Action
from interlock.domain.errors import NotAllowed, NotFound
from interlock.domain.ids import Person
from interlock.ports.store import ActionQuery
from interlock.services.audit import Verifying
from interlock.services.plane import ControlPlane

RECENT = 2_000
"""How far back a shortened identifier is looked for."""


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
    async def plane(self) -> AsyncGenerator[ControlPlane]:
        """The control plane of the workspace, closed at the end."""
        plane = connect(self.folder)
        try:
            yield plane
        finally:
            await plane.means.store.close()

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[ControlPlane]:
        """The control plane for somebody who only looks."""
        async with self.plane() as plane:
            yield plane

    def verifying(self) -> Verifying:
        """The workspace's public keys."""
        return public_keys(self.folder)


def context_of(context: typer.Context) -> Context:
    """The global options of this run."""
    found = context.find_object(Context)
    if found is None:
        raise typer.Exit(2)
    return found


async def find_action(plane: ControlPlane, text: str) -> Action:
    """The action of that id, or the one recent action whose id ends in `text`. Raises NotFound."""
    exact = await plane.means.store.get(Action, text)
    if exact is not None:
        return exact
    recent = await plane.means.store.actions(ActionQuery(limit=RECENT))
    matching = [action for action in recent if len(text) >= 4 and action.id.endswith(text)]  # noqa: PLR2004 fewer match by chance
    if len(matching) == 1:
        return matching[0]
    if matching:
        raise NotFound(f"`{text}` is the end of {len(matching)} actions; give more of it")
    raise NotFound(f"there is no action `{text}`")
