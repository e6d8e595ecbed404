"""A list of erasures in a file: it appears whole or not at all, and never takes the place of one that knows more.

Of a log that was restored, the new list is shorter, and knows only of those erasures whose data the restored store had.
"""

import os
import secrets
from pathlib import Path

import msgspec

from interlock.adapters.line_files import sync_folder
from interlock.domain.erasure_list import MAX_LIST_BYTES, ErasureList, checkpoint_of, parse_list
from interlock.domain.errors import ContractError
from interlock.domain.statement import shred_said


def read(path: Path) -> ErasureList:
    """The list in the file, which is not verified. Raises ContractError."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_LIST_BYTES + 1)
    except OSError as error:
        raise ContractError(f"`{path}` cannot be read: {error.strerror}", next_step=_NEXT) from None
    try:
        found = parse_list(data)
        checkpoint_of(found)
    except ValueError as error:
        raise ContractError(f"`{path}` is not a list of erasures: {error}", next_step=_NEXT) from None
    return found


_NEXT = "name a file that `interlock erase --export` wrote"


def write(path: Path, made: ErasureList) -> None:
    """Write the list, durably, also over an earlier one of the same log. Raises ContractError."""
    if path.exists():
        _must_know_more(path, read(path), made)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with beside.open("xb") as file:
            file.write(msgspec.json.encode(made) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        sync_folder(path.absolute().parent)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise ContractError(f"`{path}` cannot be written: {error.strerror}", next_step="name another file") from None


def _must_know_more(path: Path, old: ErasureList, new: ErasureList) -> None:
    """Raises ContractError where `old`, in the file, knows what `new` does not."""
    before, now = checkpoint_of(old), checkpoint_of(new)
    if before.origin != now.origin or _beginning(old) != _beginning(new):
        raise ContractError(
            f"`{path}` is a list of another log, called `{before.origin}`: it is not replaced by one of `{now.origin}`",
            next_step="name another file",
        )
    keys, missing = _keys(new), 0
    for place, its in _keys(old).items():
        missing += not its <= keys.get(place, set())
    if missing:
        raise ContractError(
            f"`{path}`, of a log of {before.size} entries, tells of {missing} parts of erasures of which this log of {now.size} "
            "does not: it is not replaced",
            next_step="keep it, and name another file; after a restore feed back both (`interlock erase --again`)",
        )


def _beginning(made: ErasureList) -> bytes:
    """The entry that introduces the log's keys: logs may be called the same."""
    return made.keys[0].leaf if made.keys else b""


def _keys(made: ErasureList) -> dict[tuple[str, int], set[int]]:
    """By erasure and part the keys that went."""
    found: dict[tuple[str, int], set[int]] = {}
    for each in made.erasures:
        said = shred_said(each.leaf)
        if said is not None:
            found.setdefault((said.erasure, said.part), set()).update(said.keys)
    return found
