"""Where people open the console of a workspace."""

from pathlib import Path
from typing import Final

from interlock.bootstrap.site import settled

PORT: Final = 8600


def address_of(folder: Path, listening: str = f"http://127.0.0.1:{PORT}") -> str:
    """Its address, without a slash at the end: as interlock.yaml names it, else where it listens. Raises WorkspaceError."""
    return settled(folder).settings.hosting.public_url or listening.rstrip("/")
