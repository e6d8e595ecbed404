"""Opening the file: is it ours, whole, writable, and of a version we know? If not, nothing is written to it."""

import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.resources import files
from pathlib import Path
from typing import Final

import apsw

from interlock.adapters.sqlite.failures import meaning
from interlock.domain.errors import StoreCorrupt, StoreError, StoreReadOnly, StoreTooNew

OLDEST_SQLITE: Final = 3_051_003
"""Versions before 3.51.3 can corrupt a WAL that several connections write (https://sqlite.org/wal.html#walreset)."""

APPLICATION_ID: Final = 0x696E746C
"""`intl` in the file's header says that it is ours."""

CHECKED_BYTES: Final = 16 * 1024 * 1024
"""Up to this size the whole file is checked at every opening (measured: 60 ms)."""

_NUMBERED: Final = re.compile(r"(\d{4})_\w+\.sql")
_OPEN: Final = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_NOMUTEX


def migrations() -> list[str]:
    """The steps of the schema, in order; step n makes version n."""
    found = sorted(
        (int(match[1]), each.read_text("utf-8"))
        for each in (files(__package__) / "migrations").iterdir()
        if (match := _NUMBERED.fullmatch(each.name))
    )
    if [number for number, _ in found] != list(range(1, len(found) + 1)):
        raise StoreError("the installation lacks a migration; install Interlock again")
    return [text for _, text in found]


def prepare(path: Path, busy_ms: int, steps: list[str] | None = None) -> None:
    """Create the file if there is none, check it, and bring its schema up to date in one transaction."""
    if apsw.sqlite_lib_version_number() < OLDEST_SQLITE if False else apsw.SQLITE_VERSION_NUMBER < OLDEST_SQLITE:
        raise StoreError("x")
