"""The keys of a workspace, kept: how log and key folder stand to each other, rotations, recovery, retirements.

A rotation is four durable steps, in this order, so that whatever dies in between can be ended by `recover`:

1. the successor is staged in the key folder;
2. an entry in the log hands over to it, signed by both keys, and by the old ones for the last time;
3. the successor takes the old key's place in the folder;
4. it signs the log's head for the first time.

From 2 on the store refuses every process that holds the old key.
"""

from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Final, Literal

import msgspec

from interlock.adapters import key_backup
from interlock.adapters.issuing import forget_before, identity_key, keep_before
from interlock.adapters.keys import KeyFolder, Keys, verify
from interlock.adapters.sealer import Author, Handover, LogSealer, key_of
from interlock.adapters.sqlite.store import SqliteStore
from interlock.adapters.succession import Settled, Succession
from interlock.adapters.system import SystemClock, SystemIds
from interlock.bootstrap.anchors import lacking_mldsa
from interlock.bootstrap.connecting import vault_of, worker_of
from interlock.bootstrap.site import settled
from interlock.domain.change import Change
from interlock.domain.control import Control
from interlock.domain.cosignature import CosignerKey
from interlock.domain.errors import InterlockError, KeyFileError, NotAllowed, NotFound, StoreMissing, StoreUnsure
from interlock.domain.evidence import Fact
from interlock.domain.ids import Person, StreamId
from interlock.domain.key_facts import retirement, rotation
from interlock.domain.keyring import ROLES, Keyring, Role, Window, keyid
from interlock.domain.moment import FORM, moment_of
from interlock.domain.people import must_be_known
from interlock.domain.run_facts import run_closed, run_opened
from interlock.domain.statement import observed
from interlock.domain.testimony import Reader
from interlock.ports.sealer import Sealer
from interlock.ports.steps import Steps
from interlock.services.following import size_of

PAGE: Final = 500


class SilentSteps:
    """Nobody is told of steps."""

    def reached(self, step: str) -> None:
        """Do nothing."""


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How one role stands: the key in the folder, the one the log is at, and one that is staged, as vkeys."""

    role: Role
    folder: str
    log: str | None
    staged: str | None

    @property
    def whole(self) -> bool:
        """Whether nothing is left to be done."""
        return self.staged is None and self.log in (None, self.folder)


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """The keys of a workspace."""

    path: Path
    standings: tuple[Standing, ...]
    windows: tuple[Window, ...]
    """What the log says of its keys; empty where it says nothing."""
    signed: bool = True
    """Whether the key in force has signed the log's head: it has not yet where a rotation died right before."""

    @property
    def whole(self) -> bool:
        """Whether nothing is left to be done."""
        return self.signed and all(each.whole for each in self.standings)


async def status(folder: Path) -> Kept:
    """How log and key folder stand. Changes nothing. Raises KeyFileError, WorkspaceError and StoreErrors."""
    path = settled(folder).settings.keys
    ring = await ring_of(folder)
    standings: list[Standing] = []
    for role in _roles_in(path, ring):
        succession = Succession(path, role)
        staged = succession.successor() or ("half of one" if succession.staged() else None)
        at = _at(ring, role)
        standings.append(Standing(role=role, folder=succession.current(), log=at, staged=staged))
    windows = () if ring is None else ring.windows
    signed = not windows or await _end(folder) not in [each.last for each in windows]
    return Kept(path=path, standings=tuple(standings), windows=windows, signed=signed)


def known(folder: Path, person: Person) -> Person:
    """`person`, who is one of people.yaml and holds a role. Raises NotAllowed; where the file names nobody, any name will do.

    The file is asked, not what is in force: of a store whose keys are lost or in the middle of a rotation nothing is read.
    """
    must_be_known(person, Control(people=settled(folder).people))
    return person


async def rotate(folder: Path, roles: Sequence[Role], *, by: Person, why: str, steps: Steps | None = None) -> Kept:
    """Replace the keys of `roles` by new ones, one after the other. Raises KeyFileError and StoreErrors.

    Every process that holds an old key is refused from then on and must be started again.
    """
    for role in roles:
        await _rotate(folder, role, by=by, why=why, steps=steps or SilentSteps())
    await _take_over(folder)
    return await status(folder)


async def recover(folder: Path) -> dict[Role, Settled]:
    """End rotations that were interrupted, going by the log. Raises KeyFileError where the folder holds no key of it."""
    path = settled(folder).settings.keys
    ring = await ring_of(folder)
    ended: dict[Role, Settled] = {
        role: Succession(path, role).settle(_at(ring, role)) for role in _roles_in(path, ring)
    }
    if not (await status(folder)).signed:
        await _take_over(folder)
    return ended


async def retire(folder: Path, key: str, since: int | str, *, by: Person, why: str) -> Window:
    """Record that a replaced key, by the end of its key id or as a vkey, may have been in somebody else's hands from
    entry `since` on, or from the first entry at or after that time (RFC 3339). Gives its window as it is then.

    Raises NotFound where the log knows no such key, NotAllowed while it is in force, KeyFileError and StoreErrors.
    """
    _there(folder)
    ring = await ring_of(folder)
    windows = () if ring is None else ring.windows
    found = [each for each in windows if key in (each.key.vkey(), keyid(each.key), each.key.key_id().hex())]
    if len(found) != 1:
        raise NotFound(f"the log knows no key `{key}`", next_step="list them: `interlock keys status`")
    window = found[0]
    if window.last is None:
        raise NotAllowed(
            f"`{key}` is in force", next_step=f"replace it first: `interlock keys rotate --role {window.role}`"
        )
    first = since if isinstance(since, int) else await _first_at(folder, since, window)
    first = max(window.first, first)
    if first > window.last:
        raise NotFound(
            f"`{key}` signed nothing after that: it was in force to entry {window.last}",
            next_step="see which key signed what: `interlock keys status`",
        )
    if window.suspect_since is not None and window.suspect_since <= first:
        raise NotAllowed(
            f"that is recorded already: what `{key}` signed is suspect from entry {window.suspect_since} on",
            next_step="see it: `interlock keys status`; nothing more is needed",
        )
    now = SystemClock().now()
    fact = retirement(window.key.name, window.role, window.key.vkey(), first, now, {"by": by, "why": why})
    await _record(folder, fact, None)
    if window.role == "identity":
        forget_before(_there(folder))
    return msgspec.structs.replace(window, suspect_since=first)


async def _rotate(folder: Path, role: Role, *, by: Person, why: str, steps: Steps) -> None:
    settings = settled(folder).settings
    keys = _whole(settings.keys)
    if await ring_of(folder) is None and await _begun(folder):
        raise NotAllowed(
            "this log does not begin with its keys, so nobody could follow them to others",
            next_step="an earlier version began it; begin another log for keys that can be rotated",
        )
    old = key_of(keys, role).verifier
    succession = Succession(settings.keys, role)
    new = succession.stage(old.name)
    steps.reached("key.staged")
    ids = SystemIds()
    fact = rotation(keys.log.verifier.name, role, old, new.verifier, SystemClock().now(), {"by": by, "why": why})
    try:
        await _record(folder, fact, Handover(keys, role, new, StreamId(ids.new()), ids))
    except StoreUnsure as unsure:
        raise StoreUnsure(
            unsure.detail, next_step="`interlock keys recover` reads the log and ends the rotation"
        ) from None
    except InterlockError:
        # The log never heard of it.
        succession.discard()
        raise
    steps.reached("key.recorded")
    succession.promote()
    steps.reached("key.promoted")
    if role == "identity":
        # Last, so that a rotation that died and was recovered leaves the old key counting for nothing.
        until = SystemClock().now() + settings.attestation.lasts_ms
        keep_before(settings.keys, old, until)


def _whole(path: Path) -> Keys:
    """Every key in the folder, that of credentials made where there was none yet."""
    keys = KeyFolder(path).load()
    return msgspec.structs.replace(keys, identity=identity_key(path, keys.log.verifier.name))


async def _end(folder: Path) -> int:
    """The index of the log's last entry; -1 where it is empty."""
    settings = settled(folder).settings
    store = SqliteStore.look(settings.store, settings.tenant)
    try:
        return await size_of(store) - 1
    finally:
        await store.close()


async def _take_over(folder: Path) -> None:
    """Record a run of nothing with the keys now in place, so that the log's head is theirs. Under the handover's own
    checkpoint, which the old key signs, nobody who trusts the new one would believe the log."""
    settings = settled(folder).settings
    ids, now = SystemIds(), SystemClock().now()
    keys, stream = KeyFolder(settings.keys).load(), StreamId(ids.new())
    run = Author(worker_of(ids), SystemClock()).run(stream, keys.gate.verifier.vkey())
    store = SqliteStore.open(settings.store, settings.tenant, LogSealer(keys, stream, ids), vault_of(settings.keys))
    try:
        await store.commit(Change(facts=(run_opened(run, now), run_closed(run, 2, now))))
    finally:
        await store.close()


async def _record(folder: Path, fact: Fact, sealer: Sealer | None) -> None:
    settings = settled(folder).settings
    if not settings.store.exists():
        raise StoreMissing(f"there is no store `{settings.store}`")
    if sealer is None:
        ids = SystemIds()
        keys = KeyFolder(settings.keys).load()
        author = Author(worker=worker_of(ids), clock=SystemClock())
        sealer = LogSealer(keys, StreamId(ids.new()), ids, introduces=True, author=author)
    store = SqliteStore.open(settings.store, settings.tenant, sealer, vault_of(settings.keys))
    try:
        await store.commit(Change(facts=(fact,)))
    finally:
        await store.close()


def _there(folder: Path) -> Path:
    """The key folder. Raises StoreMissing where there is no store."""
    settings = settled(folder).settings
    if not settings.store.exists():
        raise StoreMissing(f"there is no store `{settings.store}`")
    return settings.keys


async def ring_of(folder: Path) -> Keyring | None:
    """What the log says of its keys, each entry verified; None where there is no log, or it introduces none."""
    settings = settled(folder).settings
    log, gate = KeyFolder(settings.keys).public()
    if not settings.store.exists():
        return None
    store = SqliteStore.look(settings.store, settings.tenant)
    try:
        entries = await store.marked("introduced", "rotated", "retired")
    finally:
        await store.close()
    if not entries:
        return None
    ring = Keyring(log, (gate,), verify)
    reader = Reader(ring, verify)
    for entry in entries:
        problems = reader.read(entry).problems
        if problems:
            raise KeyFileError(
                f"entry {entry.index}, about keys, cannot be followed: {problems[0]}",
                next_step="`interlock verify` names everything that is wrong",
            )
    return ring


def in_force_in(ring: Keyring, role: Literal["gate", "log"]) -> Window:
    """The window of the key of `role` that is in force at the log's end."""
    return next(each for each in ring.windows if each.role == role and each.last is None)


def _at(ring: Keyring | None, role: Role) -> str | None:
    """The key of `role` that the log is at; None where it names none, as of credentials before their key is first replaced."""
    windows = () if ring is None else ring.windows
    return next((each.key.vkey() for each in windows if each.role == role and each.last is None), None)


def _roles_in(path: Path, ring: Keyring | None) -> tuple[Role, ...]:
    """The roles that have a key: the identity's is made by the first process that acts."""
    has = (path / "identity.key").exists() or _at(ring, "identity") is not None
    return tuple(role for role in ROLES if role != "identity" or has)


async def _begun(folder: Path) -> bool:
    return settled(folder).settings.store.exists() and await _end(folder) >= 0


async def _first_at(folder: Path, since: str, window: Window) -> int:
    """The first entry of `window` observed at or after `since`; the one after it where there is none."""
    try:
        at = moment_of(since)
    except ValueError:
        raise NotFound(f"`{since}` is neither an entry's number nor a time", next_step=f"write {FORM}") from None
    settings = settled(folder).settings
    store = SqliteStore.look(settings.store, settings.tenant)
    end = (window.last or 0) + 1
    try:
        for start in range(window.first, end, PAGE):
            for entry in await store.entries(start, min(start + PAGE, end)):
                seen = observed(entry.leaf)
                if seen is not None and seen >= at:
                    return entry.index
    finally:
        await store.close()
    return end


async def backup(folder: Path, file: Path, passphrase: str) -> Kept:
    """Write the workspace's signing keys to `file`, sealed under `passphrase`. Raises KeyFileError, ContractError."""
    key_backup.backup(settled(folder).settings.keys, file, passphrase)
    return await status(folder)


async def restore(folder: Path, file: Path, passphrase: str) -> Kept:
    """Make the workspace's key folder of a backup, and say how it stands to the log. Replaces nothing. KeyFileError."""
    key_backup.restore(settled(folder).settings.keys, file, passphrase)
    return await status(folder)


async def second(folder: Path) -> str:
    """Make a key of a second algorithm, ML-DSA-44, under which the log's checkpoints are signed, too. Gives its vkey.

    Raises KeyFileError where there is one, EffectorError where the algorithm is not installed.
    """
    keys = settled(folder).settings.keys
    log, _ = KeyFolder(keys).public()
    try:
        make: Callable[[Path, str], CosignerKey] = import_module("interlock.adapters.mldsa").create_second
    except ImportError:
        raise lacking_mldsa() from None
    return make(keys, log.name).vkey()
