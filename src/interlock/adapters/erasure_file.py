"""A list of erasures in a file: it appears whole or not at all, and never takes the place of one that knows more."""

import os
import secrets
from pathlib import Path

import msgspec

from interlock.adapters.line_files import sync_folder
from interlock.domain.erasure_list import MAX_LIST_BYTES, ErasureList, checkpoint_of, parse_list
from interlock.domain.errors import ContractError


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
        before, now = checkpoint_of(read(path)), checkpoint_of(made)
        if before.origin != now.origin or before.size > now.size:
            raise ContractError(
                f"`{path}` is a list of `{before.origin}` with {before.size} entries, and this is of `{now.origin}` with "
                f"{now.size}: it is not replaced",
                next_step="a list of a longer log is what a restored one needs: feed it back first, or name another file",
            )
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
