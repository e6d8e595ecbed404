"""The key over all keys of a vault: one file in the key folder, readable by its owner alone.

    vault.<id>.key    INTERLOCK+VAULT+<id>+<base64 of 32 bytes>

The vault's own file says under which id its keys are wrapped. Another id is a new file, so that there is never a moment at
which the key that is needed is half written; the old file is overwritten before it is removed.
"""

import os
import secrets
from base64 import b64encode
from binascii import a2b_base64
from pathlib import Path
from typing import Final

from interlock.adapters.line_files import read_line, sync_folder, write_line
from interlock.domain.errors import KeyFileError

KEY_BYTES: Final = 32
_PREFIX: Final = "INTERLOCK+VAULT+"


def fresh_key(folder: Path) -> tuple[str, bytes]:
    """Make a key and its file, durably, and give its id and bytes. Raises KeyFileError."""
    name, key = secrets.token_hex(8), secrets.token_bytes(KEY_BYTES)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_line(_path(folder, name), f"{_PREFIX}{name}+{b64encode(key).decode()}", 0o600)
        sync_folder(folder)
    except OSError as error:
        raise KeyFileError(f"the vault's key cannot be written in `{folder}`: {error.strerror}") from None
    return name, key


def load_key(folder: Path, name: str) -> bytes:
    """The key with this id. KeyFileError where its file is missing, open to others or damaged."""
    path = _path(folder, name)
    line = read_line(path, private=True)
    start = f"{_PREFIX}{name}+"
    try:
        key = a2b_base64(line.removeprefix(start), strict_mode=True)
    except ValueError:
        key = b""
    if not line.startswith(start) or len(key) != KEY_BYTES:
        raise KeyFileError(f"`{path}` is damaged: it reads `{_PREFIX}id+key`")
    return key


def discard_keys(folder: Path, *, but: str) -> None:
    """Overwrite and remove every vault key in `folder` except the one with the id `but`."""
    for path in folder.glob("vault.*.key"):
        if path == _path(folder, but):
            continue
        try:
            with path.open("r+b") as file:
                file.write(os.urandom(path.stat().st_size))
                file.flush()
                os.fsync(file.fileno())
            path.unlink()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise KeyFileError(f"the vault's old key `{path}` cannot be removed: {error.strerror}") from None
    sync_folder(folder)


def _path(folder: Path, name: str) -> Path:
    return folder / f"vault.{name}.key"
