"""The erasures of a workspace, kept outside of it, and carried out again on what was restored from before them.

1. The list is held against the keys of the workspace: nothing of one that does not hold is carried out.
2. The keys of each part are destroyed in the vault, which notes it. *A crash leaves the parts after it; the same list goes on.*
3. The store is opened, as always: what it still has under these keys is stripped, and entries say so. *A crash before that:
   whoever opens the store next does it.*
"""

from pathlib import Path
from typing import Final

import msgspec

from interlock.adapters import erasure_file
from interlock.adapters.keys import KeyFolder, verify
from interlock.adapters.sealer import Author, LogSealer
from interlock.adapters.sqlite.store import SqliteStore
from interlock.adapters.sqlite.vault import SqliteVault
from interlock.adapters.system import SystemClock, SystemIds
from interlock.bootstrap.connecting import vault_at_hand, vault_of, worker_of
from interlock.bootstrap.keeping import SilentSteps, in_force_in, ring_of
from interlock.bootstrap.site import settled
from interlock.domain import dsse
from interlock.domain.erasure_list import Believed, ErasureList, Seal, believed, checkpoint_of, sealed_text
from interlock.domain.errors import IntegrityError, KeyFileError, StoreMissing
from interlock.domain.evidence import Entry
from interlock.domain.ids import StreamId
from interlock.domain.keyring import keyid
from interlock.domain.statement import covered
from interlock.ports.steps import Steps
from interlock.services.following import size_of
from interlock.services.listing import erasure_list
from interlock.services.verifying import must_not_be_behind

OTHER_KEYS: Final = "the log is at other keys than the key folder"
NEXT_STATUS: Final = "see how they stand: `interlock keys status`"


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What a list tells of."""

    size: int
    """How many entries the log had."""
    parts: int
    """How many parts of erasures were carried out until then."""


class Again(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a list that was fed back."""

    parts: int
    """How many parts of erasures it tells of."""
    destroyed: int
    """Of how many of these the vault still had to destroy keys."""
    entries: tuple[int, ...] = ()
    """The entries that say what was carried out again."""
    cleared: int = 0
    """How many entries lost their clear texts by it."""
    whole: bool = True
    """Whether the list shows that it has all that its log told of."""
    listed: int = 0
    """How many entries the log of the list had."""
    size: int = 0
    """How many entries the log here had before this."""


async def export(folder: Path, file: Path) -> Kept:
    """Write the list of the workspace's erasures to `file`, also over an earlier one, and seal it with the gate's key.

    Raises ContractError, KeyFileError, StoreErrors, and IntegrityError where the store is older than its vault.
    """
    settings = settled(folder).settings
    _there(settings.store)
    gate = KeyFolder(settings.keys).load().gate
    ring = await ring_of(folder)
    if ring is not None and in_force_in(ring, "gate").key != gate.verifier:
        raise KeyFileError(OTHER_KEYS, next_step=NEXT_STATUS)
    store = SqliteStore.look(settings.store, settings.tenant, vault_at_hand(settings.keys))
    try:
        await must_not_be_behind(store)
        made = await erasure_list(store)
    finally:
        await store.close()
    seal = Seal(keyid=keyid(gate.verifier), sig=gate.sign(sealed_text(made)))
    erasure_file.write(file, msgspec.structs.replace(made, seal=seal))
    return Kept(size=checkpoint_of(made).size, parts=len(made.erasures))


async def again(folder: Path, file: Path, *, steps: Steps | None = None) -> Again:
    """Carry out the erasures on the list in `file` that the workspace's store and vault know nothing of. Twice is once.

    Raises ContractError where the file is no such list, IntegrityError where it does not hold, KeyFileError, StoreErrors.
    """
    settings = settled(folder).settings
    _there(settings.store)
    told = await _believed(folder, erasure_file.read(file))
    if not told.shreds:
        raise IntegrityError(
            f"the list tells of no erasure at all, of a log of {told.checkpoint.size} entries: nothing is erased again",
            next_step="feed back the newest list that you kept; where there never was an erasure there is nothing to do",
        )
    vault = vault_of(settings.keys)
    store = _opened(folder, vault)
    try:
        size = await size_of(store)
        destroyed = _destroy(vault, told, steps or SilentSteps())
    finally:
        await store.close()
        vault.close()
    store = _opened(folder, vault_of(settings.keys))
    try:
        entries = [entry for entry in await store.marked("erased") if entry.index >= size]
    finally:
        await store.close()
    return Again(
        parts=len(told.shreds),
        destroyed=destroyed,
        entries=tuple(entry.index for entry in entries),
        cleared=sum(_cleared(entry) for entry in entries),
        whole=told.whole,
        listed=told.checkpoint.size,
        size=size,
    )


async def _believed(folder: Path, made: ErasureList) -> Believed:
    """What the list proves by the keys that the workspace's log ever had: it may be older or younger than what was restored.

    The log that it is of went on otherwise than this one, so places say nothing of which key was in force.
    """
    log, gate = KeyFolder(settled(folder).settings.keys).public()
    ring = await ring_of(folder)
    if ring is None:
        return believed(made, log, (gate,), verify)
    # A log that somebody put in place of ours would bring keys of theirs, and a list of theirs would hold.
    if (in_force_in(ring, "log").key, in_force_in(ring, "gate").key) != (log, gate):
        raise KeyFileError(OTHER_KEYS, next_step=NEXT_STATUS)
    suspect = {keyid(each.key): each.suspect_since for each in ring.windows if each.suspect_since is not None}
    gates = [each.key for each in ring.windows if each.role == "gate"]
    refused: IntegrityError | None = None
    for window in reversed([each for each in ring.windows if each.role == "log"]):
        try:
            return believed(made, window.key, gates, verify, suspect)
        except IntegrityError as error:
            refused = refused or error
    raise refused or IntegrityError("the log has no key to hold a list against")


def _destroy(vault: SqliteVault, told: Believed, steps: Steps) -> int:
    """How many parts still had keys."""
    gone = {number for each in vault.shreds() for number in each.keys}
    count = 0
    for each in told.shreds:
        if not gone.issuperset(each.keys):
            vault.shred(each)
            gone.update(each.keys)
            count += 1
            steps.reached("erasure.shredded")
    return count


def _opened(folder: Path, vault: SqliteVault) -> SqliteStore:
    settings = settled(folder).settings
    ids = SystemIds()
    author = Author(worker=worker_of(ids), clock=SystemClock())
    sealer = LogSealer(KeyFolder(settings.keys).load(), StreamId(ids.new()), ids, introduces=True, author=author)
    return SqliteStore.open(settings.store, settings.tenant, sealer, vault)


def _there(store: Path) -> None:
    if not store.exists():
        raise StoreMissing(f"there is no store `{store}`")


def _cleared(entry: Entry) -> int:
    return len(covered(dsse.parse(entry.leaf).payload, entry.index))
