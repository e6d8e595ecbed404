"""Policy files on disk, for whoever formats them."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec

from interlock.adapters.cedar.formatting import formatted
from interlock.adapters.cedar.limits import MAX_FILE
from interlock.domain.errors import PolicyError


class Reformatted(msgspec.Struct, frozen=True, kw_only=True):
    """What Cedar's form of one file is."""

    path: Path
    before: str
    after: str

    @property
    def changes(self) -> bool:
        """Whether the file has another form now."""
        return self.before != self.after

    def write(self) -> None:
        """Put the file in its form, whole or not at all. Raises PolicyError."""
        # A link stays a link: what it leads to is written.
        path = self.path.resolve()
        try:
            number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
            try:
                with os.fdopen(number, "w", encoding="utf-8", newline="") as file:
                    file.write(self.after)
                Path(name).chmod(path.stat().st_mode & 0o777)
                # Somebody's editor may have saved it meanwhile: then what they wrote stays.
                if _text(self.path) != self.before:
                    raise PolicyError(f"`{self.path}` changed meanwhile", next_step="format it again")
                Path(name).replace(path)
            finally:
                Path(name).unlink(missing_ok=True)
        except OSError as error:
            raise PolicyError(f"`{self.path}` cannot be written: {error.strerror}") from error


def reformatted(paths: Sequence[Path]) -> tuple[list[Reformatted], list[Path]]:
    """The form of each file, and those that do not parse. Raises PolicyError for one that cannot be read."""
    found: list[Reformatted] = []
    wrong: list[Path] = []
    for path in paths:
        before = _text(path)
        after = formatted(path.name, before)
        if after is None:
            wrong.append(path)
        else:
            found.append(Reformatted(path=path, before=before, after=after))
    return found, wrong


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_FILE:
            raise PolicyError(f"`{path}` is longer than a policy file may be", next_step="make it several files")
        return path.read_bytes().decode()
    except OSError as error:
        raise PolicyError(
            f"`{path}` cannot be read: {error.strerror}", next_step="name a file that is there"
        ) from error
    except UnicodeDecodeError as error:
        raise PolicyError(f"`{path}` is no UTF-8 text", next_step="save it as UTF-8") from error
