"""Files of one line, such as keys are kept in: written durably, and read only where nobody else could have."""

import os
import stat
from pathlib import Path
from typing import Final

from interlock.domain.errors import KeyFileError

PRIVATE_FILE: Final = 0o600
PRIVATE_FOLDER: Final = 0o700

_MAX_FILE_BYTES: Final = 4096
_POSIX: Final = os.name == "posix"


def read_line(path: Path, *, private: bool) -> str:
    """The line in the file. KeyFileError where it is missing, unreadable, no single line, or private and open to others."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if private and _POSIX and mode & 0o077:
                raise KeyFileError(
                    f"others may read `{path}` (mode {mode:04o})",
                    next_step=f"chmod 600 {path}; if somebody may have read it, the key is spent",
                )
            data = file.read(_MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        raise KeyFileError(f"`{path}` is missing") from None
    except PermissionError:
        raise KeyFileError(
            f"permission to read `{path}` is denied",
            next_step="run this as the user whose key it is: private keys are for their owner alone",
        ) from None
    except OSError as error:
        raise KeyFileError(f"`{path}` cannot be read: {error.strerror}") from None
    try:
        line = data.decode()
    except UnicodeDecodeError:
        raise KeyFileError(f"`{path}` is not a key file") from None
    if len(data) > _MAX_FILE_BYTES or line.count("\n") != 1 or not line.endswith("\n"):
        raise KeyFileError(f"`{path}` is not a key file: it has one line")
    return line[:-1]


def write_line(path: Path, line: str, mode: int) -> None:
    """Make the file, durably, with this line in it. Raises OSError, FileExistsError where there is one."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(line.encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """A file is durable once its folder is. Windows has no such call and needs none."""
    if _POSIX:
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
