"""Files that a command leaves for somebody."""

from pathlib import Path

from interlock.domain.errors import FileError


def write_file(path: Path, data: bytes) -> None:
    """Write it. Raises FileError."""
    try:
        path.write_bytes(data)
    except OSError as error:
        raise FileError(f"`{path}` cannot be written: {error.strerror}") from None
