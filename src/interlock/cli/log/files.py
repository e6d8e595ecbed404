"""Small files that somebody keeps: checkpoints and proofs."""

from pathlib import Path

from interlock.domain.errors import ContractError
from interlock.domain.note import MAX_NOTE_BYTES


def read_file(path: Path) -> bytes:
    """A file of at most 1 MiB. Raises ContractError."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_NOTE_BYTES + 1)
    except OSError as error:
        raise ContractError(f"`{path}` cannot be read: {error.strerror}", next_step="name another file") from None
    if len(data) > MAX_NOTE_BYTES:
        raise ContractError(f"`{path}` is larger than any checkpoint or proof", next_step="name another file")
    return data


def write_file(path: Path, data: bytes) -> None:
    """Write it. Raises ContractError."""
    try:
        path.write_bytes(data)
    except OSError as error:
        raise ContractError(f"`{path}` cannot be written: {error.strerror}", next_step="name another file") from None
