"""The doctor of a workspace: what its files, keys, store and disk are asked, beside what a control plane on it is asked."""

import shutil
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, TypeVar

import anyio.to_thread

from interlock.adapters.keys import KeyFolder
from interlock.adapters.sqlite.looking_over import look_over
from interlock.adapters.system import SystemClock
from interlock.bootstrap.connecting import looking
from interlock.bootstrap.keeping import status
from interlock.bootstrap.site import Site, draft, read_site, settled
from interlock.domain.checkup import Checked, Checkup, doubtful, good, unasked, wrong
from interlock.domain.control import Control
from interlock.domain.errors import InterlockError, PolicyError
from interlock.services.doctor import Doctor, Probe
from interlock.services.examining import live_probes
from interlock.services.plane import ControlPlane

MEGABYTE: Final = 1_000_000
LITTLE: Final = 1_000 * MEGABYTE
"""With less room than this on the store's disk somebody should look,"""
TOO_LITTLE: Final = 100 * MEGABYTE
"""and with less than this it ends soon: a full disk closes the gate."""
LONG_WAL: Final = 256 * MEGABYTE
"""A write-ahead log that long is held by a reader that does not end."""

T = TypeVar("T")


@asynccontextmanager
async def doctor(folder: Path, plane: ControlPlane | None = None) -> AsyncGenerator[Doctor]:
    """The doctor of the workspace in `folder`, who asks `plane`, or where there is none one that is opened to look only.

    What cannot be opened is a finding, so this raises nothing: whoever calls a doctor has reason to.
    """
    mine: ControlPlane | None = None
    why: InterlockError | None = None
    if plane is None:
        try:
            mine = await anyio.to_thread.run_sync(looking, folder)
        except InterlockError as error:
            why = error
    asked = plane or mine
    files = _Files(folder, asked)
    probes: dict[str, Probe] = {"workspace": files.workspace}
    if _is_workspace(folder):
        probes |= {"disk": files.disk, "store": files.store, "keys": files.keys, "backup": files.backup}
        probes |= live_probes(asked) if asked is not None else {"log": _unopened(why)}
    try:
        yield Doctor(probes, SystemClock())
    finally:
        if mine is not None:
            await mine.close()


async def examined(folder: Path, plane: ControlPlane | None = None) -> Checkup:
    """Everything looked at, see `doctor`."""
    async with doctor(folder, plane) as who:
        return await who.examine()


def _is_workspace(folder: Path) -> bool:
    """Whether its own settings can be read: where they cannot, everything else would say nothing but that."""
    try:
        settled(folder)
    except InterlockError:
        return False
    return True


def _unopened(why: InterlockError | None) -> Probe:
    async def probe() -> Sequence[Checked]:
        return (unasked("log", f"it could not be opened: {why}"),)

    return probe


class _Files:
    """What is asked of a workspace's folder. Reading is done in a thread, so that a server goes on serving."""

    def __init__(self, folder: Path, plane: ControlPlane | None) -> None:
        self._folder = folder
        self._plane = plane

    async def workspace(self) -> Sequence[Checked]:
        """Every file of it is right, its policies compile and pass their tests, and it is what is in force."""
        site = await _in_thread(lambda: read_site(self._folder))
        errors = [each for each in site.problems if each.severity == "error"]
        if errors:
            many = f" and {len(errors) - 1} more" if len(errors) > 1 else ""
            said = f"{errors[0].file}:{errors[0].line}: {errors[0].message}{many}"
            return (wrong("workspace", said, "mend it; all that is wrong: `interlock check`", "yours"),)
        tests = f", policy tests that pass {len(site.tested.results)}" if site.tested is not None else ""
        counts = ", ".join(f"{word} {count}" for word, count in site.counts().items())
        found = [good("workspace", f"its files are right: {counts}{tests}")]
        if site.problems:
            found = [
                doubtful("workspace", f"doubts about its files: {len(site.problems)}", "see them: `interlock check`")
            ]
        return (*found, *await self._as_in_force(site))

    async def _as_in_force(self, site: Site) -> Sequence[Checked]:
        if self._plane is None:
            return ()
        control = await self._plane.means.store.get(Control, "control")
        if control is None or not control.bundle:
            return ()
        wanted, policies = draft(site), self._plane.means.policies
        try:
            digest = (await _in_thread(lambda: policies.bundle(wanted.policies, wanted.contracts))).digest
        except PolicyError as error:
            return (wrong("policies", str(error), error.next_step, "yours"),)
        if digest != control.bundle:
            said = f"the policies in the files ({digest[:12]}) are not those in force ({control.bundle[:12]})"
            return (
                doubtful("policies", said, "see what would change: `interlock policy diff`; then `interlock apply`"),
            )
        return (good("policies", f"those in the files are in force: {digest[:12]}"),)

    async def disk(self) -> Sequence[Checked]:
        """There is room for what is to come."""
        store = settled(self._folder).settings.store
        place = next(each for each in (store.parent, *store.parent.parents) if each.exists())
        free = (await _in_thread(lambda: shutil.disk_usage(place))).free
        return (room(free),)

    async def store(self) -> Sequence[Checked]:
        """It is whole, of this program's version, and keeps a write-ahead log."""
        path = settled(self._folder).settings.store
        if not path.exists():
            said = f"there is none at `{path}`"
            return (wrong("store", said, "if there was one, restore its backup; if not, `interlock apply` begins one"),)
        file = await _in_thread(lambda: look_over(path))
        if file.damage:
            said = f"its file is damaged: {file.damage}"
            return (wrong("store", said, "stop, keep the file, restore a backup beside it: `interlock verify`"),)
        found: list[Checked] = []
        if not file.write_ahead:
            said = "it keeps no write-ahead log, so nothing is read while something is written"
            found.append(doubtful("store", said, "any command that writes mends it: `interlock work --until-idle`"))
        if file.shared:
            said = "others than its owner may read its file, which holds what people wrote in the clear"
            found.append(doubtful("store", said, f"`chmod 600 {path}`"))
        if file.wal_bytes > LONG_WAL:
            said = (
                f"its write-ahead log has {_size(file.wal_bytes)}: a reader that does not end keeps it from being cut"
            )
            found.append(doubtful("store", said, "end whatever has the file open, such as a shell in `sqlite3`"))
        read = "read whole" if file.checked else "too long to be read whole here"
        said = f"version {file.version}, {_size(file.bytes)}, {read}, SQLite {file.sqlite}"
        return found or (good("store", said),)

    async def keys(self) -> Sequence[Checked]:
        """They are there, readable by nobody else, and those the log is at."""
        await _in_thread(KeyFolder(settled(self._folder).settings.keys).load)
        kept = await status(self._folder)
        if not kept.whole:
            return (wrong("keys", "a rotation was interrupted", "end it: `interlock keys recover --as NAME`"),)
        roles = ", ".join(each.role for each in kept.standings)
        return (good("keys", f"{roles}: in `{kept.path}`, for their owner alone, and those the log is at"),)

    async def backup(self) -> Sequence[Checked]:
        """Nothing here knows of copies that were made: it says so, since no news would be read as good news."""
        return (
            unasked("backup", "nobody tells this program of copies: store, vault and keys are to be copied together"),
        )


def room(free: int) -> Checked:
    """What so many bytes of room on the store's disk mean."""
    said = f"{_size(free)} free where the store is"
    if free < TOO_LITTLE:
        return wrong("disk", said, "free some: a full disk closes the gate, and loses nothing")
    return doubtful("disk", said, "free some before it is full") if free < LITTLE else good("disk", said)


async def _in_thread(work: Callable[[], T]) -> T:
    # Left to itself when it takes too long: a disk that does not answer must not keep the doctor from saying so.
    return await anyio.to_thread.run_sync(work, abandon_on_cancel=True)


def _size(count: int) -> str:
    """Bytes for a person."""
    for unit, each in (("GB", 1_000 * MEGABYTE), ("MB", MEGABYTE)):
        if count >= each:
            return f"{count / each:.1f} {unit}"
    return f"{count // 1_000} kB"
