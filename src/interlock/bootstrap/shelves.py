"""A place on the disk becomes a shelf."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from interlock.adapters.shelf import FolderShelf, zip_shelf
from interlock.ports.shelf import Shelf


@contextmanager
def shelf_at(place: Path) -> Generator[Shelf]:
    """The shelf at `place`: an archive where the name ends in `.zip`, which appears at the end; a folder otherwise."""
    if place.suffix == ".zip":
        with zip_shelf(place) as archive:
            yield archive
    else:
        yield FolderShelf(place)
