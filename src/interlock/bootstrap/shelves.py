"""A place on the disk becomes a shelf. Few ask for an archive: what makes one is loaded when somebody does."""

from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module
from pathlib import Path

from interlock.adapters.shelf import FolderShelf
from interlock.domain.errors import ContractError
from interlock.ports.shelf import Shelf


@contextmanager
def shelf_at(place: Path) -> Generator[Shelf]:
    """The shelf at `place`: an archive where the name ends in `.zip`, which appears at the end; a folder otherwise."""
    if place.suffix.lower() == ".zip":
        made: AbstractContextManager[Shelf] = import_module("interlock.adapters.shelf.archive").zip_shelf(place)
        with made as archive:
            yield archive
    else:
        _no_export(place)
        yield FolderShelf(place)


def _no_export(place: Path) -> None:
    """Raises ContractError for an export of the evidence: its manifest says what belongs to it, and its checkpoint stays."""
    if any((place / name).exists() for name in ("export.json", "MANIFEST")):
        raise ContractError(
            f"`{place}` is an export of the evidence: what is published there would spoil it",
            next_step="publish into a folder of its own",
        )
