"""Small files that somebody kept: checkpoints and proofs."""

from pathlib import Path

from interlock.cli.output import UsageError
from interlock.domain.errors import ContractError
from interlock.domain.note import MAX_NOTE_BYTES
from interlock.services.plane import ControlPlane


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


async def note_given(plane: ControlPlane, checkpoint: Path | None, *, anchored: bool) -> str | None:
    """The checkpoint to go by: one in a file, the latest one that was anchored, or None for the head. Raises UsageError."""
    if checkpoint is not None and anchored:
        raise UsageError("`--checkpoint` and `--anchored` name two different checkpoints")
    if checkpoint is not None:
        return read_file(checkpoint).decode(errors="replace")
    return await plane.audit.anchored() if anchored else None
