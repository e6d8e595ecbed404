"""Reading a workspace's files: bounded in size, and never raising for what a disk may answer."""

from pathlib import Path
from typing import NamedTuple

from interlock.adapters.workspace.nodes import MAX_BYTES


class Text(NamedTuple):
    """A file's text, or why there is none."""

    text: str | None
    why: str = ""


class Bytes(NamedTuple):
    """A file's bytes, or why there are none."""

    data: bytes | None
    why: str = ""


def is_within(path: Path, folder: Path) -> bool:
    """Whether `path`, its links followed, lies in `folder`. What cannot be followed does not."""
    try:
        return path.resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError, RuntimeError):
        return False


def bytes_of(path: Path) -> Bytes:
    """At most MAX_BYTES + 1 bytes of a file, so that whoever reads them sees that there are too many."""
    try:
        if not path.is_file():
            return Bytes(None, "is no file" if path.exists() else "does not exist")
        with path.open("rb") as file:
            return Bytes(file.read(MAX_BYTES + 1))
    except (OSError, ValueError) as error:
        return Bytes(None, f"cannot be read: {getattr(error, 'strerror', None) or error}")


def text_of(path: Path) -> Text:
    """A UTF-8 file's text with `\\n` at the ends of lines, so that a checkout on another system has the same digest."""
    data, why = bytes_of(path)
    if data is None:
        return Text(None, why)
    if len(data) > MAX_BYTES:
        return Text(None, f"is larger than {MAX_BYTES // 1024} KiB")
    try:
        return Text(data.decode("utf-8-sig").replace("\r\n", "\n"))
    except UnicodeDecodeError:
        return Text(None, "is not UTF-8 text")
