"""Secrets that files only name: `env:NAME` is in the environment, `file:PATH` in a file. They are read when they are needed,
and stand in no message, log or error."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

MAX_BYTES: Final = 4096
_ENV: Final = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*")


class NoSecret(ValueError):
    """There is no secret where it is said to be. It says where, and nothing of what stands there."""


def is_reference(text: str) -> bool:
    """Whether `text` names a secret, rather than being one."""
    return bool(_ENV.fullmatch(text)) or (text.startswith("file:") and len(text) > len("file:"))


def secret_at(reference: str, folder: Path, environ: Mapping[str, str] = os.environ) -> str:
    """What `reference` names; paths are below `folder`. Raises NoSecret."""
    kind, _, name = reference.partition(":")
    if kind == "env":
        found = environ.get(name, "").strip()
        if not found:
            raise NoSecret(f"the environment variable `{name}` is not set")
        return found
    try:
        data = (folder / name).read_bytes()
    except OSError as error:
        raise NoSecret(f"the file `{name}` cannot be read: {error.strerror}") from None
    if not data.strip() or len(data) > MAX_BYTES:
        raise NoSecret(f"the file `{name}` holds no secret of at most {MAX_BYTES} bytes")
    try:
        return data.decode().strip()
    except UnicodeDecodeError:
        raise NoSecret(f"the file `{name}` is no text") from None
