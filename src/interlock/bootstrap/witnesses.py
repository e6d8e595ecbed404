"""A witness in a folder of its own: made, told which logs to watch, asked what it has seen, and at work."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from interlock.adapters import witness
from interlock.adapters.keys import verify
from interlock.adapters.system import SystemClock
from interlock.adapters.witness import Kept, Seen, WitnessMemory
from interlock.api.witness import WitnessServer
from interlock.domain.errors import KeyFileError, NotFound
from interlock.domain.note import SignedNote, VerifierKey
from interlock.domain.witnessing import equivocation
from interlock.ports.steps import Steps
from interlock.services.witnessing import Witnessing


def begin(folder: Path, name: str, logs: Sequence[VerifierKey]) -> str:
    """Make a witness that cosigns for these logs. Gives its own vkey. Raises KeyFileError and ContractError."""
    made = witness.create(folder, name)
    _trust(folder, logs)
    return made.key.vkey()


def forked(one: SignedNote, other: SignedNote, key: VerifierKey) -> bool:
    """See `equivocation`, with signatures checked as everywhere."""
    return equivocation(one, other, key, verify)


def trust(folder: Path, key: VerifierKey) -> None:
    """Cosign for the log that this key names, also under this key. Raises KeyFileError and StoreErrors."""
    _there(folder)
    _trust(folder, [key])


def distrust(folder: Path, key: VerifierKey) -> None:
    """Cosign nothing more under this key. Raises NotFound where it was not trusted, KeyFileError and StoreErrors."""
    _there(folder)
    memory = WitnessMemory(folder)
    try:
        if not memory.distrust(key):
            raise NotFound(
                f"the witness does not trust `{key.vkey()}`",
                next_step="list what it trusts: `interlock witness show --json`",
            )
    finally:
        memory.close()


def seen(folder: Path) -> tuple[str, list[Seen], list[Kept]]:
    """The witness's vkey, every log it knows, and what it keeps as evidence. Raises KeyFileError and StoreErrors."""
    _there(folder)
    memory = WitnessMemory(folder)
    try:
        return witness.load(folder).key.vkey(), memory.seen(), memory.evidence()
    finally:
        memory.close()


@asynccontextmanager
async def at_work(folder: Path, steps: Steps) -> AsyncGenerator[WitnessServer]:
    """The witness as an application that answers logs. Raises KeyFileError and StoreErrors."""
    _there(folder)
    key = witness.load(folder)
    memory = WitnessMemory(folder)
    try:
        work = Witnessing(memory=memory, cosigner=key, verify=verify, clock=SystemClock(), steps=steps)
        yield WitnessServer(work.add_checkpoint, key.key.vkey())
    finally:
        memory.close()


def _trust(folder: Path, keys: Sequence[VerifierKey]) -> None:
    memory = WitnessMemory(folder)
    try:
        for key in keys:
            memory.trust(key)
    finally:
        memory.close()


def _there(folder: Path) -> None:
    if not any((folder / name).exists() for name in ("witness.key", "witness.db")):
        raise KeyFileError(f"there is no witness in `{folder}`", next_step="make one: `interlock witness init FOLDER`")
