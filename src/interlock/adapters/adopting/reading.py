"""Reading files of a project that somebody else wrote: so many, so large, so deep, and nothing that a link leads to.

A project may hold anything: files without end, pipes that never answer, links out of it. What is not read is said.
"""

import errno
import os
import stat
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from interlock.domain.adoption import Overlooked
from interlock.domain.tool_words import words

MAX_FILE: Final = 1024 * 1024
MAX_TOTAL: Final = 32 * 1024 * 1024
MAX_FILES: Final = 2000
MAX_ENTRIES: Final = 50_000
MAX_DEPTH: Final = 12
MAX_SAID: Final = 200
"""So many files that were not read are named; of the others only that there were some."""

CONFIGURED: Final = (".cursor", ".vscode", ".zed", ".codex", ".gemini", ".windsurf", ".roo", ".amazonq", ".kiro")
"""Hidden folders in which clients keep a project's configuration."""
_PASSED: Final = words("node_modules __pycache__ site-packages dist build venv env target vendor htmlcov coverage")
"""Folders of things that were made or brought, not written here."""


class Reading:
    """One look at a file or a folder. `overlooked` is what was not read, and why."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.overlooked: list[Overlooked] = []
        self._bytes = 0
        self._files = 0

    def name(self, path: Path) -> str:
        """A path as it is told: below what was looked at."""
        return path.relative_to(self.root).as_posix() if path.is_relative_to(self.root) else path.name

    def overlook(self, path: Path, why: str, line: int = 0) -> None:
        """Say that something was left out."""
        if len(self.overlooked) < MAX_SAID:
            self.overlooked.append(Overlooked(file=self.name(path), why=why, line=line))

    def files(self) -> Iterator[Path]:
        """Every ordinary file below the root that may be looked at, in a stable order, nearest first."""
        waiting, seen = deque([(self.root, 0)]), 0
        while waiting:
            folder, depth = waiting.popleft()
            try:
                with os.scandir(folder) as listed:
                    entries = sorted(listed, key=lambda each: each.name)
            except OSError as error:
                self.overlook(folder, f"cannot be listed: {error.strerror}")
                continue
            for entry in entries:
                seen += 1
                if seen > MAX_ENTRIES:
                    self.overlook(self.root, f"has more than {MAX_ENTRIES} files: the others were not looked at")
                    return
                path = Path(entry.path)
                if entry.is_dir(follow_symlinks=False):
                    if self._entered(entry.name):
                        if depth < MAX_DEPTH:
                            waiting.append((path, depth + 1))
                        else:
                            self.overlook(path, f"is more than {MAX_DEPTH} folders deep")
                else:
                    yield path

    def text(self, path: Path, *, named: bool = False) -> str | None:
        """A file's text, or None. `named`: a person named exactly this file, so a link is followed."""
        if self._files >= MAX_FILES or self._bytes >= MAX_TOTAL:
            self.overlook(path, "was not read: there are too many files; name a part of the project")
            return None
        try:
            data = _bytes(path, follow=named)
        except OSError as error:
            linked = error.errno == errno.ELOOP
            why = "is a link, and links are not followed" if linked else f"cannot be read: {error.strerror}"
            self.overlook(path, why)
            return None
        except ValueError as error:
            self.overlook(path, str(error))
            return None
        self._files += 1
        self._bytes += len(data)
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError:
            self.overlook(path, "is not UTF-8 text")
            return None

    @staticmethod
    def _entered(name: str) -> bool:
        return name in CONFIGURED if name.startswith(".") else name not in _PASSED


def _bytes(path: Path, *, follow: bool) -> bytes:
    """What an ordinary file holds. Raises OSError, and ValueError for what is none or is too large."""
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | (0 if follow else os.O_NOFOLLOW)
    opened = os.open(path, flags)
    try:
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            raise ValueError("is no ordinary file")
        with os.fdopen(os.dup(opened), "rb") as file:
            data = file.read(MAX_FILE + 1)
    finally:
        os.close(opened)
    if len(data) > MAX_FILE:
        raise ValueError(f"is larger than {MAX_FILE // 1024} KiB")
    return data
