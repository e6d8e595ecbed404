"""The vault's file: what is left of keys on the disk, what a copy can still do, and what a crash leaves behind."""

import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import apsw
import pytest

from interlock.adapters.sqlite import SqliteVault
from interlock.adapters.vault_key import fresh_key
from interlock.domain.erasure import Shred
from interlock.domain.errors import KeyFileError, KeyGone, StoreReadOnly
from interlock.domain.keytree import block_of, key_at, place_in, unpacked

ABOUT = b"action a-1"
TEXT = b"the arguments"


def opened(folder: Path, *, writable: bool = True) -> SqliteVault:
    """The vault in `folder`."""
    vault = SqliteVault(folder / "keys.db", folder / "keys", writable=writable)
    vault.begin(None)
    return vault


def cut(vault: SqliteVault) -> bytes:
    """Take a key, seal with it, and give what was sealed."""
    return vault.seal(vault.fresh(), ABOUT, TEXT)


def everything(folder: Path) -> bytes:
    """Every byte of every file in `folder`, in the order of their names."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


@pytest.mark.proves("vault.no_trace")
def test_no_key_is_in_the_file(tmp_path: Path) -> None:
    """Neither a key nor a secret above it stands in the file, and a shredded block's row is not left in any companion."""
    vault = opened(tmp_path)
    number = vault.fresh()
    cover = vault._at_hand._covers[block_of(number)]
    key = key_at(cover, place_in(number))
    assert key is not None
    wrapped = vault._value("SELECT cover FROM block")
    assert wrapped in everything(tmp_path)

    vault.shred(Shred(erasure="e", part=1, keys=(number,)))

    kept = everything(tmp_path)
    assert wrapped not in kept
    assert key not in kept
    assert cover[0].secret not in kept
    vault.close()


@pytest.mark.proves("vault.old_copies")
def test_an_old_copy_is_useless_after_renewal(tmp_path: Path) -> None:
    """A copy of the vault's file from before an erasure cannot be read once the key over its keys was exchanged."""
    vault = opened(tmp_path)
    number = vault.fresh()
    sealed = vault.seal(number, ABOUT, TEXT)
    vault._empty()
    shutil.copy(tmp_path / "keys.db", tmp_path / "copy")
    vault.shred(Shred(erasure="e", part=1, keys=(number,)))
    vault.renew()
    vault.close()

    with pytest.raises(KeyFileError, match="missing"):
        SqliteVault(tmp_path / "copy", tmp_path / "keys", writable=False).begin(None)
    with pytest.raises(KeyGone):
        opened(tmp_path).open(sealed, ABOUT)
    assert len(list((tmp_path / "keys").iterdir())) == 1


def test_it_is_private(tmp_path: Path) -> None:
    """The file, its companions and the key are their owner's alone, and a key that others may read is refused."""
    vault = opened(tmp_path)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*") if path.is_file()}
    (key,) = (tmp_path / "keys").iterdir()
    vault.close()

    assert modes == {0o600}
    key.chmod(0o644)
    with pytest.raises(KeyFileError, match="others may read"):
        opened(tmp_path)


@pytest.mark.parametrize("damage", ["gone", "empty", "another"])
def test_a_damaged_key_opens_nothing(tmp_path: Path, damage: str) -> None:
    """Without the key over its keys, or with another, a vault is not opened: nothing may be wrapped under a wrong one."""
    vault = opened(tmp_path)
    vault.close()
    (key,) = (tmp_path / "keys").iterdir()
    if damage == "gone":
        key.unlink()
    elif damage == "empty":
        key.write_text("\n")
    else:
        name, _ = fresh_key(tmp_path / "other")
        line = (tmp_path / "other" / f"vault.{name}.key").read_text()
        key.write_text(line.replace(name, key.name.split(".")[1]))

    with pytest.raises(KeyFileError):
        opened(tmp_path)


def test_who_only_looks_changes_nothing(tmp_path: Path) -> None:
    """A vault that is opened to be looked at opens what was sealed and refuses everything else."""
    vault = opened(tmp_path)
    sealed = cut(vault)
    looker = opened(tmp_path, writable=False)

    assert looker.open(sealed, ABOUT) == TEXT
    for attempt in (looker.fresh, looker.renew, lambda: looker.shred(Shred(erasure="e", part=1, keys=(1,)))):
        with pytest.raises(StoreReadOnly):
            attempt()
    vault.close()
    looker.close()


def test_a_missing_vault_is_not_replaced(tmp_path: Path) -> None:
    """Where a vault is known by its id and its file is gone, none is made in its place."""
    name = opened(tmp_path).begin(None)
    for path in tmp_path.glob("keys.db*"):
        path.unlink()

    with pytest.raises(KeyFileError, match="missing"):
        SqliteVault(tmp_path / "keys.db", tmp_path / "keys").begin(name)
    assert not (tmp_path / "keys.db").exists()


def test_a_foreign_file_is_left_alone(tmp_path: Path) -> None:
    """A database of somebody else's is refused and not changed."""
    connection = apsw.Connection(str(tmp_path / "keys.db"))
    connection.execute("CREATE TABLE theirs (x)")
    connection.close()

    with pytest.raises(KeyFileError, match="not a vault"):
        opened(tmp_path)


_KILLED = """
import os, sys
from pathlib import Path
from typing import Any
from interlock.adapters import vault_key
from interlock.adapters.sqlite import vault as module
from interlock.domain.erasure import Shred

folder, step = Path(sys.argv[1]), sys.argv[2]
vault = module.SqliteVault(folder / "keys.db", folder / "keys")
vault.begin(None)
die = lambda *_, **__: os.kill(os.getpid(), 9)
if step == "before the rows":
    real = module.fresh_key
    module.fresh_key = lambda folder: (real(folder), die())
elif step == "before the commit":
    vault._wrapped = die
elif step == "before the old key goes":
    module.discard_keys = die
elif step == "half an old key":
    old = lambda folder, but: [path for path in folder.glob("vault.*.key") if but not in path.name]
    module.discard_keys = lambda folder, but: [path.write_text("x") for path in old(folder, but)] and die()
vault.renew()
"""


@pytest.mark.parametrize("step", ["before the rows", "before the commit", "before the old key goes", "half an old key"])
@pytest.mark.proves("vault.crash")
def test_killed_while_renewing(tmp_path: Path, step: str) -> None:
    """Killed at any step of exchanging the key, the vault reads and writes as before, and one key file is left."""
    vault = opened(tmp_path)
    sealed, word = cut(vault), vault.mark("x")
    vault.close()

    died = subprocess.run([sys.executable, "-c", _KILLED, str(tmp_path), step], check=False)

    assert died.returncode == -9
    again = opened(tmp_path)
    assert again.open(sealed, ABOUT) == TEXT
    assert again.open(cut(again), ABOUT) == TEXT
    assert again.mark("x") == word
    assert len(list((tmp_path / "keys").iterdir())) == 1
    again.close()


def test_a_renewal_elsewhere_is_seen(tmp_path: Path) -> None:
    """A process that holds the old key over the keys finds the new one by itself, also for blocks it never saw."""
    here, there = opened(tmp_path), opened(tmp_path)
    assert there.mark("x") == here.mark("x")
    here.renew()
    sealed = cut(here)

    assert there.open(sealed, ABOUT) == TEXT
    assert there.open(cut(there), ABOUT) == TEXT
    here.close()
    there.close()


@pytest.mark.parametrize("kept", [True, False])
def test_a_shred_is_all_or_nothing(tmp_path: Path, kept: bool) -> None:
    """A shred whose commit fails leaves every key; one that was stored and not answered is done, and again is once."""
    vault = opened(tmp_path)
    numbers = [vault.fresh(), vault.fresh()]
    sealed = [vault.seal(number, ABOUT, TEXT) for number in numbers]
    shred = Shred(erasure="e", part=1, keys=tuple(numbers))
    setattr(vault, "_empty" if kept else "_wrapped", _broken)  # after the commit, or before it
    with pytest.raises(OSError, match="broken"):
        vault.shred(shred)
    vault.close()

    again = opened(tmp_path)
    for each in sealed:
        if kept:
            with pytest.raises(KeyGone):
                again.open(each, ABOUT)
        else:
            assert again.open(each, ABOUT) == TEXT
    again.shred(shred)
    assert again.shreds() == [shred]
    again.close()


def test_a_cover_is_bound_to_its_block(tmp_path: Path) -> None:
    """Rows of two blocks that were exchanged in the file open nothing."""
    vault = opened(tmp_path)
    sealed = [cut(vault) for _ in range(1025)]
    vault.close()
    connection = apsw.Connection(str(tmp_path / "keys.db"))
    rows: Any = connection.execute("SELECT number, cover FROM block").fetchall()
    (one, first), (two, second) = rows
    connection.execute("UPDATE block SET cover = ? WHERE number = ?", (second, one))
    connection.execute("UPDATE block SET cover = ? WHERE number = ?", (first, two))
    connection.close()

    with pytest.raises(KeyGone, match="damaged"):
        opened(tmp_path).open(sealed[0], ABOUT)


def _broken(*_: object) -> bytes:
    raise OSError("broken")


def test_unpacked_is_what_was_packed() -> None:
    """An empty cover is a block of which every key was forgotten."""
    assert unpacked(b"") == ()
