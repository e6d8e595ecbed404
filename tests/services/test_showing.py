"""Publishing the log's files: what is shown is whole and true at every moment, whoever dies and however many publish."""

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.adapters.keys import fresh, verify
from interlock.adapters.shelf import FolderShelf
from interlock.bootstrap.shelves import shelf_at
from interlock.domain.errors import ContractError, IntegrityError, NotAllowed, NotFound, StoreError
from interlock.domain.note import VerifierKey, open_checkpoint, parse_note
from interlock.services.showing import OpenNote, Shown, publish_log
from tests.domain.leaves import KEY, Leaves, audited, signed


def _trusted(key: VerifierKey = KEY.verifier) -> OpenNote:
    return lambda note: open_checkpoint(parse_note(note.encode()), key, verify)


def publish(log: Leaves, folder: Path, *, note: str | None = None) -> Shown:
    """Publish as an operator does."""
    return anyio.run(partial(publish_log, log, FolderShelf(folder), opened=_trusted(), note=note))


def size_of(folder: Path) -> int:
    """How many entries a folder shows, all of which were read."""
    shown = audited(folder)
    return 0 if shown is None else shown.size


def names(folder: Path) -> set[str]:
    """Every file in a folder."""
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


# -- what is shown ---------------------------------------------------------------------------------------------------


@pytest.mark.proves("log.published_whole")
@pytest.mark.parametrize("size", [1, 255, 256, 257, 512, 700, pytest.param(65_793, marks=pytest.mark.slow)])
def test_a_log_is_shown_whole(tmp_path: Path, size: int) -> None:
    """Whatever its size, its checkpoint, tiles and bundles are there and lead to the signed root."""
    shown = publish(Leaves(size), tmp_path)

    assert size_of(tmp_path) == size == shown.size
    assert (shown.before, shown.files) == (0, len(names(tmp_path)))
    assert shown.bytes == sum((tmp_path / name).stat().st_size for name in names(tmp_path))


def test_the_files_have_the_paths_of_the_format(tmp_path: Path) -> None:
    """A log of 600 entries is these files and no other."""
    publish(Leaves(600), tmp_path)

    assert names(tmp_path) == {
        "checkpoint",
        *("tile/0/000", "tile/0/001", "tile/0/002.p/88", "tile/1/000.p/2"),
        *("tile/entries/000", "tile/entries/001", "tile/entries/002.p/88"),
    }


@pytest.mark.proves("log.published_whole")
@settings(max_examples=6)
@given(st.lists(st.integers(0, 600), min_size=1, max_size=3))
def test_what_was_shown_before_need_not_be_put_again(
    tmp_path_factory: pytest.TempPathFactory, growth: list[int]
) -> None:
    """However it grows between two publications, each shows all of it, and ends with the files of a single one."""
    folder = tmp_path_factory.mktemp("out")
    log = Leaves(1)
    size = 1
    for more in growth:
        publish(log, folder)
        assert size_of(folder) == size
        size += more
        log.grow(size)
    publish(log, folder)
    once = tmp_path_factory.mktemp("once")
    publish(log, once)

    assert size_of(folder) == size
    left = names(folder) - names(once)
    assert all(".p/" in name for name in left)
    # The format lets a partial tile go once the full one is there.
    assert not any((folder / name.partition(".p/")[0]).exists() for name in left)


def test_publishing_again_puts_nothing(tmp_path: Path) -> None:
    """Where nothing is new nothing is written."""
    log = Leaves(300)
    publish(log, tmp_path)
    stamps = {name: (tmp_path / name).stat().st_mtime_ns for name in names(tmp_path)}
    again = publish(log, tmp_path)

    assert (again.before, again.files, again.bytes) == (300, 0, 0)
    assert stamps == {name: (tmp_path / name).stat().st_mtime_ns for name in names(tmp_path)}


def test_only_what_is_new_is_put(tmp_path: Path) -> None:
    """After 1,000 entries, ten more cost their bundle, a tile and the checkpoint."""
    log = Leaves(1_000)
    publish(log, tmp_path)
    log.grow(1_010)

    assert publish(log, tmp_path).files == 3


def test_an_archive_shows_the_same(tmp_path: Path) -> None:
    """An archive holds the very files of a folder."""
    log = Leaves(600)
    publish(log, tmp_path / "out")
    with shelf_at(tmp_path / "out.zip") as shelf:
        anyio.run(publish_log, log, shelf)
        for name in names(tmp_path / "out"):
            assert anyio.run(partial(shelf.read, name, limit=10_000_000)) == (tmp_path / "out" / name).read_bytes()


def test_progress_is_told(tmp_path: Path) -> None:
    """Whoever waits hears how far it is."""
    told: list[tuple[int, int]] = []
    shelf = FolderShelf(tmp_path)
    anyio.run(partial(publish_log, Leaves(600), shelf, progress=lambda done, of: told.append((done, of))))

    assert told == [(256, 600), (512, 600), (600, 600)]


def test_a_note_with_more_signatures_takes_the_place_of_one_with_fewer(tmp_path: Path) -> None:
    """Witnesses add their lines to a checkpoint that is shown already, and publishing again does not lose them."""
    log = Leaves(300)
    publish(log, tmp_path)
    assert log.note is not None
    cosigned = log.note + log.note.splitlines()[-1] + "\n"

    assert publish(log, tmp_path, note=cosigned).files == 1
    assert publish(log, tmp_path).files == 0
    assert (tmp_path / "checkpoint").read_text() == cosigned
    with pytest.raises(NotAllowed, match="already"):
        publish(log, tmp_path, note=Leaves(200).note)


# -- what is refused -------------------------------------------------------------------------------------------------


def _refused(log: Leaves, folder: Path, match: str) -> None:
    """It is refused, what was shown stays, and no file was put that the true log would not have."""
    before = {name: (folder / name).read_bytes() for name in names(folder)}
    with pytest.raises(IntegrityError, match=match):
        publish(log, folder)
    assert before == {name: (folder / name).read_bytes() for name in before}


@pytest.mark.proves("log.shows_nothing_wrong")
@pytest.mark.parametrize("index", [0, 255, 256, 599])
def test_a_changed_entry_is_not_shown(tmp_path: Path, index: int) -> None:
    """An entry that is not the one in the tree stops publication, and once it is mended publication goes on."""
    log = Leaves(600)
    log.lies[index] = b"another"
    _refused(log, tmp_path, "the log's tree holds others")
    assert size_of(tmp_path) == 0
    log.lies.clear()

    publish(log, tmp_path)
    assert size_of(tmp_path) == 600


@pytest.mark.proves("log.shows_nothing_wrong")
@pytest.mark.parametrize("shown", [0, 100, 256, 300])
def test_tiles_that_do_not_lead_to_the_root_are_not_shown(tmp_path: Path, shown: int) -> None:
    """A changed hash in a tile, or a head over another root, stops publication before a single file."""
    log = Leaves(max(shown, 1))
    if shown:
        publish(log, tmp_path)
    log.grow(600)
    log.hashes[555] = bytes(32)
    _refused(log, tmp_path, "do not lead to the root")

    other = Leaves(600)
    other.note = signed(600, bytes(32))
    _refused(other, tmp_path, "do not lead to the root")
    assert size_of(tmp_path) == shown


@pytest.mark.proves("log.shows_nothing_wrong")
def test_a_missing_tile_or_entry_is_not_passed_over(tmp_path: Path) -> None:
    """What the log lacks is named."""
    log = Leaves(600)
    log.note = signed(700, log.root)
    _refused(log, tmp_path, "tile/0/002.p/188 of the log is missing")

    short = Leaves(600)
    short.lies[599] = b"x" * 60_001
    _refused(short, tmp_path, "others")


@pytest.mark.proves("log.shows_nothing_wrong")
def test_a_head_that_others_signed_is_not_shown(tmp_path: Path) -> None:
    """A checkpoint without the log's own signature is not put before anybody."""
    log = Leaves(10)
    stranger = partial(publish_log, log, FolderShelf(tmp_path), opened=_trusted(fresh("test/log").verifier))
    with pytest.raises(IntegrityError, match="is not signed by"):
        anyio.run(stranger)
    log.note = "no note"
    with pytest.raises(IntegrityError, match="cannot be used"):
        publish(log, tmp_path)

    assert names(tmp_path) == set()


@pytest.mark.proves("log.shows_one_history")
@pytest.mark.parametrize("size", [100, 256, 300, 600])
@pytest.mark.parametrize("more", [0, 1, 300])
def test_another_history_is_never_shown_in_the_place_of_one(tmp_path: Path, size: int, more: int) -> None:
    """A log that was written anew and signed with the true key does not get over what was shown."""
    publish(Leaves(size), tmp_path)

    _refused(Leaves(size + more, word="forged"), tmp_path, "does not continue|do not lead")
    assert size_of(tmp_path) == size


@pytest.mark.proves("log.shows_one_history")
def test_a_log_that_lost_its_end_is_told(tmp_path: Path) -> None:
    """A shorter log, signed or not, is never shown after a longer one."""
    publish(Leaves(600), tmp_path)

    _refused(Leaves(599), tmp_path, "the end of the log is missing")
    assert size_of(tmp_path) == 600


def test_a_folder_of_another_log_is_left_alone(tmp_path: Path) -> None:
    """Two logs do not share a folder."""
    log = Leaves(5)
    publish(log, tmp_path)
    log.note = signed(5, log.root, origin="other/log")
    shelf = FolderShelf(tmp_path)

    with pytest.raises(IntegrityError, match=r"shows the log `test/log`, not `other/log`"):
        anyio.run(publish_log, log, shelf)


@pytest.mark.parametrize("harm", ["missing", "short", "changed"])
def test_a_folder_that_was_harmed_is_named(tmp_path: Path, harm: str) -> None:
    """A tile that the shown checkpoint needs is missing, cut short or changed: nothing is put on top of it."""
    log = Leaves(600)
    publish(log, tmp_path)
    edge = tmp_path / "tile/1/000.p/2"
    data = edge.read_bytes()
    edge.unlink()
    if harm != "missing":
        edge.write_bytes(data[:-1] if harm == "short" else bytes([data[0] ^ 1]) + data[1:])
    log.grow(601)

    _refused(log, tmp_path, "does not continue" if harm == "changed" else "missing or cut short")


def test_a_checkpoint_in_the_folder_that_is_none_is_named(tmp_path: Path) -> None:
    """Something else under that name is not overwritten."""
    tmp_path.joinpath("checkpoint").write_text("mine")

    _refused(Leaves(5), tmp_path, "checkpoint` cannot be used")


def test_an_empty_log_has_nothing_to_show(tmp_path: Path) -> None:
    """There is no checkpoint yet."""
    with pytest.raises(NotFound, match="the log is empty"):
        publish(Leaves(0), tmp_path / "out")

    assert not (tmp_path / "out").exists()


def test_a_file_in_the_way_is_not_overwritten(tmp_path: Path) -> None:
    """Something else under a name of the log's stays, and is named."""
    tmp_path.joinpath("tile/0").mkdir(parents=True)
    tmp_path.joinpath("tile/0/000").write_text("mine")

    _refused(Leaves(300), tmp_path, "has another `tile/0/000`")


def test_names_that_would_lead_elsewhere_are_refused(tmp_path: Path) -> None:
    """The place is the caller's; the names in it are the format's."""
    with pytest.raises(ContractError):
        anyio.run(FolderShelf(tmp_path).put, "../x", b"")


# -- who dies, and who is faster -------------------------------------------------------------------------------------


class Failing:
    """A folder whose write number `at` fails, before it is done or after."""

    def __init__(self, folder: Path, at: int, *, stored: bool) -> None:
        self.inner = FolderShelf(folder)
        self.place = str(folder)
        self.left = at
        self.stored = stored

    async def _do(self, work: Callable[[], Awaitable[bool | None]]) -> bool | None:
        self.left -= 1
        if self.left:
            return await work()
        if self.stored:
            await work()
        raise StoreError("the disk was pulled out")

    async def read(self, name: str, *, limit: int) -> bytes | None:
        """See `Shelf.read`."""
        return await self.inner.read(name, limit=limit)

    async def put(self, name: str, data: bytes) -> bool:
        """See `Shelf.put`."""
        return bool(await self._do(lambda: self.inner.put(name, data)))

    async def swap(self, name: str, data: bytes, *, given: bytes | None) -> None:
        """See `Shelf.swap`."""
        await self._do(lambda: self.inner.swap(name, data, given=given))

    async def clear(self, folder: str) -> None:
        """See `Shelf.clear`."""
        await self._do(lambda: self.inner.clear(folder))


@pytest.mark.proves("log.published_whole")
@pytest.mark.parametrize("stored", [False, True])
def test_between_every_two_files_what_is_shown_stays_whole(tmp_path: Path, stored: bool) -> None:
    """Failed and not stored, failed but stored: the old checkpoint or the new one is shown with all it covers, and the next
    attempt ends as if nothing had been."""
    first, second = Leaves(300), Leaves(700)
    for at in range(1, 100):
        folder = tmp_path / str(at)
        publish(first, folder)
        try:
            anyio.run(publish_log, second, Failing(folder, at, stored=stored))
        except StoreError:
            assert size_of(folder) in (300, 700)
            publish(second, folder)
            assert size_of(folder) == 700
            continue
        assert at == 9, "two bundles, a full tile and two at the edge, the checkpoint, two folders to clear; then none"
        return
    pytest.fail("it never came to its end")


@pytest.mark.proves("log.shows_one_history")
@pytest.mark.parametrize("at", ["put", "swap"])
def test_who_is_overtaken_does_not_take_the_checkpoint_back(tmp_path: Path, at: str) -> None:
    """A publisher that stalls while it puts, or before its last step, while another shows more, leaves the other's
    checkpoint."""
    log = Leaves(300)

    class Stalling(Failing):
        async def _stall(self, here: str) -> None:
            if at == here and len(log.hashes) == 300:
                log.grow(900)
                await publish_log(log, FolderShelf(tmp_path))

        async def put(self, name: str, data: bytes) -> bool:
            await self._stall("put")
            return await self.inner.put(name, data)

        async def swap(self, name: str, data: bytes, *, given: bytes | None) -> None:
            await self._stall("swap")
            await self.inner.swap(name, data, given=given)

    shown = anyio.run(publish_log, log, Stalling(tmp_path, 0, stored=True))

    assert (shown.size, shown.before, size_of(tmp_path)) == (900, 900, 900)


@pytest.mark.proves("log.shows_one_history")
def test_several_publish_at_once(tmp_path: Path) -> None:
    """Ten at once, of a log that grows meanwhile, end with all of it shown."""
    log = Leaves(200)

    async def one(n: int) -> None:
        await anyio.sleep(0.001 * n)
        log.grow(200 + n * 70)
        await publish_log(log, FolderShelf(tmp_path))

    async def body() -> None:
        async with anyio.create_task_group() as group:
            for n in range(10):
                group.start_soon(one, n)

    anyio.run(body)

    assert size_of(tmp_path) == 830
