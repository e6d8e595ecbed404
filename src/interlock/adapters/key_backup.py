"""A key folder in one file, under a passphrase: Argon2id makes a key of it, XSalsa20-Poly1305 (libsodium's secretbox) seals.

    {"format": "interlock key backup v1", "ops": n, "mem": bytes, "salt": base64, "sealed": base64 of nonce and box}

What is sealed is a JSON object from file names to their one line: signing keys and public keys alone. Keys that data is
encrypted under are never in it: a copy of those would bring back what was erased.
"""

import os
import re
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
from nacl.exceptions import CryptoError
from nacl.pwhash import argon2id
from nacl.secret import SecretBox

from interlock.adapters.keys import KeyFolder, Keys
from interlock.adapters.line_files import PRIVATE_FILE, PRIVATE_FOLDER, read_line, sync_folder, write_line
from interlock.domain.errors import ContractError, KeyFileError

SHORTEST_PASSPHRASE: Final = 12
MAX_BACKUP_BYTES: Final = 1024 * 1024

_FORMAT: Final = "interlock key backup v1"
_OPS: Final = argon2id.OPSLIMIT_MODERATE
_MEM: Final = argon2id.MEMLIMIT_MODERATE
_NAMED: Final = re.compile(
    r"(log|gate|identity)(\.next)?\.(key|pub)|second\.(key|pub)|retired/(log|gate|identity)-[0-9a-f]{8}\.pub"
)


class _Backup(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    format: str
    ops: int
    mem: int
    salt: bytes
    sealed: bytes


def backup(folder: Path, file: Path, passphrase: str) -> None:
    """Write the signing keys in `folder`, which must be whole, to the new `file`. Raises KeyFileError, ContractError."""
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise ContractError(
            f"a passphrase has at least {SHORTEST_PASSPHRASE} characters",
            next_step="take some random words; whoever has file and passphrase can sign as you",
        )
    if file.exists():
        raise KeyFileError(f"the backup `{file}` is there already", next_step="name a file that is not there yet")
    KeyFolder(folder).load()
    lines: dict[str, str] = {}
    for path in sorted((*folder.glob("*.*"), *folder.glob("retired/*.pub"))):
        name = path.relative_to(folder).as_posix()
        if _NAMED.fullmatch(name):
            lines[name] = read_line(path, private=name.endswith(".key"))
    salt = secrets.token_bytes(argon2id.SALTBYTES)
    box = SecretBox(_derived(passphrase, salt, _OPS, _MEM))
    made = _Backup(format=_FORMAT, ops=_OPS, mem=_MEM, salt=salt, sealed=bytes(box.encrypt(msgspec.json.encode(lines))))
    try:
        write_line(file, msgspec.json.encode(made).decode(), PRIVATE_FILE)
        sync_folder(file.absolute().parent)
    except OSError as error:
        raise KeyFileError(
            f"the backup `{file}` cannot be written: {error.strerror}", next_step="name a file that is not there yet"
        ) from None


def restore(folder: Path, file: Path, passphrase: str) -> Keys:
    """Put back the key files that `file` was made of, beside whatever else the folder holds. Raises KeyFileError.

    A folder that is not there appears whole or not at all. In one that is there no file is replaced: one that is the same
    already is left, another is an error, before anything is written.
    """
    lines = _opened(file, passphrase)
    beside = folder.parent / f".{folder.name}.{secrets.token_hex(4)}"
    try:
        for name, line in lines.items():
            if (folder / name).exists() and (folder / name).read_bytes() != line.encode() + b"\n":
                raise KeyFileError(
                    f"`{folder / name}` is there and another; keys are never overwritten",
                    next_step="move the key files that are there out of the way",
                )
        folder.parent.mkdir(parents=True, exist_ok=True)
        _fill(beside, lines)
        keys = KeyFolder(beside).load()
        if not folder.exists():
            beside.rename(folder)
            sync_folder(folder.parent)
        else:
            _fill(folder, lines)
            _discard(beside)
    except OSError as error:
        _discard(beside)
        raise KeyFileError(f"the keys cannot be put back in `{folder}`: {error.strerror}") from None
    except KeyFileError:
        _discard(beside)
        raise
    return keys


def _fill(folder: Path, lines: Mapping[str, str]) -> None:
    (folder / "retired").mkdir(parents=True, mode=PRIVATE_FOLDER, exist_ok=True)
    folder.chmod(PRIVATE_FOLDER)
    for name, line in lines.items():
        if not (folder / name).exists():
            write_line(folder / name, line, PRIVATE_FILE if name.endswith(".key") else 0o644)
    sync_folder(folder / "retired")
    sync_folder(folder)


def _opened(file: Path, passphrase: str) -> dict[str, str]:
    try:
        with file.open("rb") as source:
            data = source.read(MAX_BACKUP_BYTES + 1)
    except OSError as error:
        raise KeyFileError(f"the backup `{file}` cannot be read: {error.strerror}") from None
    try:
        if len(data) > MAX_BACKUP_BYTES:
            raise ValueError("too long")
        found = msgspec.json.decode(data, type=_Backup)
        # Whoever wrote the file says how much memory it takes to open it: no more than we ever asked for.
        if found.format != _FORMAT or not (0 < found.ops <= _OPS and 0 < found.mem <= _MEM):
            raise ValueError("not ours")
        box = SecretBox(_derived(passphrase, found.salt, found.ops, found.mem))
        lines = msgspec.json.decode(box.decrypt(found.sealed), type=dict[str, str])
    except CryptoError:
        raise KeyFileError(
            f"`{file}` does not open: the passphrase is another, or the file was changed",
            next_step="try the passphrase it was made with",
        ) from None
    except (ValueError, TypeError, RecursionError):
        raise KeyFileError(f"`{file}` is not a backup of keys", next_step="`interlock keys backup` makes one") from None
    wrong = [name for name in lines if not _NAMED.fullmatch(name)]
    if wrong:
        raise KeyFileError(f"the backup `{file}` holds `{wrong[0]}`, which is no key file")
    return lines


def _derived(passphrase: str, salt: bytes, ops: int, mem: int) -> bytes:
    return argon2id.kdf(SecretBox.KEY_SIZE, passphrase.encode(), salt, opslimit=ops, memlimit=mem)


def _discard(folder: Path) -> None:
    if not folder.is_dir():
        return
    for parent, _, names in os.walk(folder, topdown=False):
        for name in names:
            (Path(parent) / name).unlink()
        Path(parent).rmdir()
