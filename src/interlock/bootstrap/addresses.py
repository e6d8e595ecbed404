"""Where people open the console of a workspace."""

from pathlib import Path
from typing import Final

PORT: Final = 8600


def address_of(folder: Path) -> str:
    """Its address, without a slash at the end; on this machine where interlock.yaml names none. Raises WorkspaceError."""
    del folder
    return f"http://127.0.0.1:{PORT}"
