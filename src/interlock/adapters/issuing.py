"""The `identity` key, which signs credentials, and the keys of instances.

    identity.key, identity.pub    in the key folder beside the log's and the gate's, in the same form
    identity.before               the public key it replaced last, and until when (UTC ms) that one's credentials count

A folder that an earlier version made has none: it is made when it is first needed. The file appears whole or not at all,
and of several processes that make one at once all go on with the first one's.
"""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Final, NamedTuple

from interlock.adapters.keys import SigningKey, fresh, private_key, public_key, verify
from interlock.adapters.line_files import PRIVATE_FILE, read_line, sync_folder, write_line
from interlock.domain.errors import KeyFileError
from interlock.domain.keyring import keyid
from interlock.domain.note import NoteError, VerifierKey, parse_vkey
from interlock.ports.clock import Clock

IDENTITY: Final = "identity"
BEFORE: Final = "identity.before"


class Before(NamedTuple):
    """The key that was replaced last, and until when the credentials it signed count, UTC ms."""

    key: VerifierKey
    until: int


class KeyIssuer:
    """Signs with one key. Shows it to nobody. What the key before it signed counts for the time it has left."""

    def __init__(
        self, key: SigningKey, trust_domain: str, *, before: Before | None = None, clock: Clock | None = None
    ) -> None:
        self._key = key
        self._trust_domain = trust_domain
        self._kid = keyid(key.verifier)
        self._keys = {self._kid: key.verifier.public}
        self._before = before
        self._clock = clock
        self._both = {} if before is None else {keyid(before.key): before.key.public, **self._keys}

    @property
    def trust_domain(self) -> str:
        """See `Issuer.trust_domain`."""
        return self._trust_domain

    @property
    def kid(self) -> str:
        """See `Issuer.kid`."""
        return self._kid

    @property
    def verifier(self) -> VerifierKey:
        """The public half."""
        return self._key.verifier

    def keys(self) -> Mapping[str, bytes]:
        """See `Issuer.keys`."""
        if self._before is not None and self._clock is not None:
            if self._clock.now() < self._before.until:
                return self._both
            self._before = None
        return self._keys

    def sign(self, message: bytes) -> bytes:
        """See `Issuer.sign`."""
        return self._key.sign(message)

    def verify(self, public: bytes, message: bytes, signature: bytes) -> bool:
        """See `Issuer.verify`."""
        return verify(public, message, signature)


class InstanceKey:
    """See `Possession`. Of this process alone: nothing writes it anywhere."""

    def __init__(self) -> None:
        self._key = fresh("instance")

    @property
    def public(self) -> bytes:
        """See `Possession.public`."""
        return self._key.verifier.public

    def sign(self, message: bytes) -> bytes:
        """See `Possession.sign`."""
        return self._key.sign(message)


def identity_key(folder: Path, origin: str) -> SigningKey:
    """The key in the folder, named `<origin>/identity`; made where there is none yet. Raises KeyFileError."""
    path = folder / f"{IDENTITY}.key"
    if not path.exists():
        _make(path, fresh(f"{origin}/{IDENTITY}"))
    key = private_key(read_line(path, private=True), path)
    beside = path.with_suffix(".pub")
    if not beside.exists():
        _write(beside, key.verifier.vkey())
    if public_key(beside) != key.verifier:
        raise KeyFileError(
            f"`{path}` and `{beside.name}` are not one pair",
            next_step="if the keys were being rotated: `interlock keys recover`; otherwise restore your backup",
        )
    return key


def keep_before(folder: Path, key: VerifierKey, until: int) -> None:
    """Let what `key`, just replaced, has signed count until then. Raises KeyFileError."""
    forget_before(folder)
    _write(folder / BEFORE, f"{until} {key.vkey()}")


def forget_before(folder: Path) -> None:
    """Let nothing count any more that a replaced key has signed. Processes that run must be started again."""
    (folder / BEFORE).unlink(missing_ok=True)


def before_in(folder: Path) -> Before | None:
    """The key that was replaced last, where what it signed may still count. Raises KeyFileError."""
    path = folder / BEFORE
    if not path.exists():
        return None
    until, _, vkey = read_line(path, private=False).partition(" ")
    try:
        if not until.isdecimal() or len(until) > 16:
            raise NoteError("it does not begin with a time")
        return Before(parse_vkey(vkey), int(until))
    except NoteError as error:
        raise KeyFileError(
            f"`{path}` is damaged: {error}", next_step="remove it: credentials by the replaced key count no more then"
        ) from None


def _make(path: Path, key: SigningKey) -> None:
    begun = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        write_line(begun, key.line(), PRIVATE_FILE)
        try:
            # Replaces nothing: whoever comes second takes what is there.
            os.link(begun, path)
        except FileExistsError:
            return
        finally:
            begun.unlink()
        sync_folder(path.parent)
    except OSError as error:
        raise KeyFileError(
            f"the key that signs credentials cannot be made in `{path.parent}`: {error.strerror}",
            next_step="let whoever owns the folder run any command that writes: `interlock work --until-idle`",
        ) from None


def _write(path: Path, line: str) -> None:
    try:
        write_line(path, line, 0o644)
    except FileExistsError:
        return
    except OSError as error:
        raise KeyFileError(f"`{path}` cannot be written: {error.strerror}") from None
