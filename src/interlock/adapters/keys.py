"""Signing keys: Ed25519 by libsodium, kept in a folder.

A folder holds two keys, each as a private and a public file of one line:

    log.key   PRIVATE+KEY+<name>+<key id>+<base64 of 0x01 and the 32-byte seed>   signs checkpoints
    log.pub   <name>+<key id>+<base64 of 0x01 and the public key>                 what verifiers are given
    gate.key, gate.pub                                                            the same, sign the entries

Both lines are those of Go's note package (https://pkg.go.dev/golang.org/x/mod/sumdb/note). The key id is derived from
name and public key, so a damaged private file is noticed before it signs anything. The private files are readable by
their owner alone: a folder that others may read or change is refused, as ssh does it.
"""

import os
import secrets
import stat
from base64 import b64encode
from binascii import a2b_base64
from importlib import import_module
from pathlib import Path
from typing import Final

import msgspec
from nacl.bindings import crypto_sign, crypto_sign_open, crypto_sign_seed_keypair
from nacl.exceptions import BadSignatureError

from interlock.adapters.line_files import PRIVATE_FILE, PRIVATE_FOLDER, read_line, sync_folder, write_line
from interlock.domain.errors import KeyFileError
from interlock.domain.note import ED25519, NoteError, VerifierKey, parse_vkey
from interlock.ports.witness import Cosigner

SEED_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64

_PREFIX: Final = "PRIVATE+KEY+"
NAMES: Final = ("log", "gate")
_POSIX: Final = os.name == "posix"


def verify(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` (64 bytes) is that of `message` by the key `public` (32 bytes). Never raises for bad ones."""
    if len(signature) != SIGNATURE_BYTES or len(public) != SEED_BYTES:
        return False
    try:
        crypto_sign_open(signature + message, public)
    except BadSignatureError:
        return False
    return True


class SigningKey:
    """A private key and the name it signs under. Shows neither when printed."""

    __slots__ = ("_secret", "_seed", "verifier")

    def __init__(self, name: str, seed: bytes) -> None:
        if len(seed) != SEED_BYTES:
            raise KeyFileError(f"a seed is {SEED_BYTES} bytes long, not {len(seed)}")
        public, self._secret = crypto_sign_seed_keypair(seed)
        self._seed = seed
        self.verifier = VerifierKey(name=name, public=public)

    def __repr__(self) -> str:
        return f"SigningKey({self.verifier.vkey()!r})"

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of the signature."""
        return crypto_sign(message, self._secret)[:SIGNATURE_BYTES]

    def line(self) -> str:
        """The private key as one line, to be shown to nobody."""
        name, key_id, _ = self.verifier.vkey().split("+", 2)
        return f"{_PREFIX}{name}+{key_id}+{b64encode(ED25519 + self._seed).decode()}"


def fresh(name: str) -> SigningKey:
    """A new key from the system's generator."""
    return SigningKey(name, secrets.token_bytes(SEED_BYTES))


class Keys(msgspec.Struct, frozen=True, kw_only=True):
    """What a process that records must hold."""

    log: SigningKey
    gate: SigningKey
    identity: SigningKey | None = None
    """What signs credentials; None for whoever only records."""
    second: Cosigner | None = None
    """What signs checkpoints beside the log's key, by another algorithm, where there is one."""


class KeyFolder:
    """The folder in which an installation's keys lie."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def create(self, origin: str) -> Keys:
        """Make both keys, the log's named `origin` and the gate's `<origin>/gate`, and give them.

        The folder appears complete or not at all. KeyFileError where there is one already: a log that began with one
        key cannot go on with another.
        """
        try:
            keys = Keys(log=fresh(origin), gate=fresh(f"{origin}/gate"))
        except NoteError as error:
            raise KeyFileError(
                f"`{origin}` cannot name a log: {error}", next_step="choose a name without spaces"
            ) from None
        beside = self.path.parent / f".{self.path.name}.{secrets.token_hex(4)}"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            beside.mkdir(mode=PRIVATE_FOLDER)
            for name, key in zip(NAMES, (keys.log, keys.gate), strict=True):
                write_line(beside / f"{name}.key", key.line(), PRIVATE_FILE)
                write_line(beside / f"{name}.pub", key.verifier.vkey(), 0o644)
            sync_folder(beside)
            # Replaces nothing but an empty folder: whoever comes second fails.
            beside.rename(self.path)
            sync_folder(self.path.parent)
        except OSError as error:
            _discard(beside)
            if self.path.exists():
                raise KeyFileError(
                    f"`{self.path}` exists; keys are never overwritten", next_step="use the keys that are there"
                ) from None
            raise KeyFileError(f"keys cannot be made in `{self.path}`: {error.strerror}") from None
        return keys

    def lacking(self) -> list[str]:
        """The files that the folder lacks; nothing where there is no folder at all."""
        if not self.path.is_dir():
            return []
        wanted = [f"{name}.{kind}" for name in NAMES for kind in ("key", "pub")]
        return [name for name in wanted if not (self.path / name).exists()]

    def load(self) -> Keys:
        """Both keys, or KeyFileError saying which file is missing, unreadable, open to others or wrong."""
        if not self.path.is_dir():
            raise KeyFileError(f"there is no key folder `{self.path}`")
        if _POSIX and stat.S_IMODE(self.path.stat().st_mode) & 0o022:
            raise KeyFileError(f"others may exchange the keys in `{self.path}`", next_step=f"chmod 700 {self.path}")
        log, gate = (self._load(name) for name in NAMES)
        return Keys(log=log, gate=gate, second=self._second())

    def public(self) -> tuple[VerifierKey, VerifierKey]:
        """The log's and the gate's public keys, for who only verifies."""
        log, gate = (self._public(name) for name in NAMES)
        return log, gate

    def _second(self) -> Cosigner | None:
        """The second key, where there is one: a log that has it must not go on without."""
        if not (self.path / "second.key").exists():
            return None
        try:
            second: Cosigner = import_module("interlock.adapters.mldsa").load_second(self.path)
        except ImportError:
            raise KeyFileError(
                "this log signs with a second algorithm, which is not installed",
                next_step="install it: `pip install 'interlock[pq]'`",
            ) from None
        return second

    def _load(self, name: str) -> SigningKey:
        path = self.path / f"{name}.key"
        key = private_key(read_line(path, private=True), path)
        if self._public(name) != key.verifier:
            raise KeyFileError(
                f"`{path}` and `{name}.pub` are not one pair",
                next_step="if the keys were being rotated: `interlock keys recover`; otherwise restore your backup",
            )
        return key

    def _public(self, name: str) -> VerifierKey:
        return public_key(self.path / f"{name}.pub")


def public_key(path: Path) -> VerifierKey:
    """The key in a public file. Raises KeyFileError."""
    try:
        return parse_vkey(read_line(path, private=False))
    except NoteError as error:
        raise KeyFileError(f"`{path}` is not a public key: {error}") from None


def private_key(line: str, path: Path) -> SigningKey:
    """The key in the line of the private file `path`. Raises KeyFileError."""
    parts = line.removeprefix(_PREFIX).split("+", 2)
    if not line.startswith(_PREFIX) or len(parts) != 3:
        raise KeyFileError(f"`{path}` is not a private key: it reads `{_PREFIX}name+id+key`")
    name, key_id, encoded = parts
    try:
        secret = a2b_base64(encoded, strict_mode=True)
    except ValueError:
        raise KeyFileError(f"`{path}` is damaged: its key is not base64") from None
    if secret[:1] != ED25519 or len(secret) != 1 + SEED_BYTES:
        raise KeyFileError(f"`{path}` is not an Ed25519 key")
    try:
        key = SigningKey(name, secret[1:])
    except NoteError as error:
        raise KeyFileError(f"`{path}` is damaged: {error}") from None
    if key.verifier.key_id().hex() != key_id:
        raise KeyFileError(f"`{path}` is damaged: its key id does not belong to it")
    return key


def _discard(folder: Path) -> None:
    if folder.is_dir():
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()
