"""ML-DSA-44 (FIPS 204) by `cryptography`, an optional part of the installation (`interlock[pq]`). Loaded by its name.

A log may sign its checkpoints a second time, under its own name, so that they still count on the day Ed25519 does not:

    second.key   PRIVATE+KEY+<name>+<key id>+<base64 of 0x06 and the 32-byte seed>
    second.pub   <name>+<key id>+<base64 of 0x06 and the public key, 1,312 bytes>
"""

import secrets
from base64 import b64encode
from binascii import a2b_base64
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

from interlock.adapters.line_files import PRIVATE_FILE, read_line, sync_folder, write_line
from interlock.domain.cosignature import MLDSA44, CosignerKey, cosigned_text, parse_cosigner, timestamped
from interlock.domain.errors import KeyFileError
from interlock.domain.note import Checkpoint, NoteError, signature_line

SEED_BYTES: Final = 32
"""FIPS 204, algorithm 1: the seed that a key pair is made from."""

_PREFIX: Final = "PRIVATE+KEY+"


def verify_mldsa44(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` (2,420 bytes) is that of `message` by `public` (1,312 bytes). Never raises for bad ones."""
    try:
        MLDSA44PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True


class SecondKey:
    """A private key of a log's second algorithm. Shows nothing of it when printed."""

    __slots__ = ("_private", "_seed", "key")

    def __init__(self, name: str, seed: bytes) -> None:
        try:
            self._private = MLDSA44PrivateKey.from_seed_bytes(seed)
        except UnsupportedAlgorithm:
            raise KeyFileError(
                "this installation of `cryptography` knows no ML-DSA-44", next_step="install a later `interlock[pq]`"
            ) from None
        self._seed = seed
        public = self._private.public_key().public_bytes_raw()
        self.key = CosignerKey(name=name, public=public, kind=MLDSA44)

    def __repr__(self) -> str:
        return f"SecondKey({self.key.name!r})"

    def cosign(self, checkpoint: Checkpoint, at_s: int) -> bytes:
        """See `Cosigner.cosign`."""
        signature = self._private.sign(cosigned_text(self.key, at_s, checkpoint))
        return signature_line(self.key.name, self.key.key_id(), timestamped(at_s, signature))

    def line(self) -> str:
        """The private key as one line, to be shown to nobody."""
        said = b64encode(bytes([MLDSA44]) + self._seed).decode()
        return f"{_PREFIX}{self.key.name}+{self.key.key_id().hex()}+{said}"


def create_second(folder: Path, name: str) -> CosignerKey:
    """Make a second key in a key folder. KeyFileError where there is one."""
    key = SecondKey(name, secrets.token_bytes(SEED_BYTES))
    try:
        # The public half first: a private one alone would be taken for a damaged pair.
        write_line(folder / "second.pub", key.key.vkey(), 0o644)
        write_line(folder / "second.key", key.line(), PRIVATE_FILE)
        sync_folder(folder)
    except OSError as error:
        raise KeyFileError(
            f"no second key can be made in `{folder}`: {error.strerror}",
            next_step="if it was interrupted: remove `second.pub` where there is no `second.key`",
        ) from None
    return key.key


def load_second(folder: Path) -> SecondKey:
    """The second key in a key folder. KeyFileError where it is missing, open to others or damaged."""
    path = folder / "second.key"
    line = read_line(path, private=True)
    name, _, rest = line.removeprefix(_PREFIX).partition("+")
    try:
        secret = a2b_base64(rest.partition("+")[2], strict_mode=True)
        if len(secret) != 1 + SEED_BYTES:
            raise NoteError("it has another length")
        key = SecondKey(name, secret[1:])
        public = parse_cosigner(read_line(folder / "second.pub", private=False))
    except (ValueError, NoteError) as error:
        raise KeyFileError(f"`{path}` is damaged: {error}") from None
    if key.line() != line or key.key != public:
        raise KeyFileError(f"`{path}` and `second.pub` are not one pair")
    return key
