"""What every command is given, and how it gets at the control plane."""

from contextlib import AbstractAsyncContextManager
from pathlib import Path

import msgspec
import typer

from interlock.bootstrap.connecting import public_keys
from interlock.cli.output import Exit, Output
from interlock.domain.errors import NotAllowed
from interlock.domain.ids import Person
from interlock.services.audit import Verifying
from interlock.services.plane import ControlPlane
from interlock.workbench.planes import reading, working


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

    def plane(self, *, begin: bool = False) -> AbstractAsyncContextManager[ControlPlane]:
        """The control plane of the workspace, closed at the end. With `begin` a store is made where there is none."""
        return working(self.folder, begin=begin)

    def reading(self, *, private: bool = True) -> AbstractAsyncContextManager[ControlPlane]:
        """The control plane for somebody who only looks: no private key is read and nothing is written. Without `private`
        what is sealed stays so."""
        return reading(self.folder, private=private)

    def verifying(self) -> Verifying:
        """The workspace's public keys."""
        return public_keys(self.folder)


def context_of(context: typer.Context) -> Context:
    """The global options of this run."""
    found = context.find_object(Context)
    if found is None:
        raise typer.Exit(Exit.OURS)
    return found
