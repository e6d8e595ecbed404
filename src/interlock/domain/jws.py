"""Signed claims in one strict form: JWS compact serialization (RFC 7515) with Ed25519 (RFC 8037, named as in RFC 9864).

Credentials, task tokens and proofs of possession are all written this way, so that any JOSE library can read and check
them. We read far less than such a library would: one algorithm, a header of exactly `alg`, `typ` and `kid`, base64url
without padding in its one spelling, JSON with no key twice. What a header might ask a verifier to do (fetch a key, use
the key it brings, heed an extension) therefore cannot even be said. The signature is checked before the claims are read.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from typing import Final, Generic, TypeVar

import msgspec

from interlock.domain.canonical import CanonicalError, JsonValue, encode

ALGORITHM: Final = "Ed25519"
MAX_BYTES: Final = 16 * 1024
"""Of one signed text. A task token of eight tools with constraints is about 2 kB."""
SIGNATURE_BYTES: Final = 64

Verify = Callable[[bytes, bytes, bytes], bool]
"""Whether (public key of 32 bytes, message, signature of 64 bytes) belong together. Raises for nothing."""
Sign = Callable[[bytes], bytes]
"""The 64 bytes of the signature over a message."""

T = TypeVar("T")


class JwsError(ValueError):
    """A text is no signed text of ours, or not signed by the key it should be."""


class NotSigned(JwsError):
    """A text is not signed by the key it should be. Nothing that it claims was read."""


class Header(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What stands before the claims. Nothing else may."""

    # The fields stand in the order of canonical JSON, which is how they are written.
    alg: str
    kid: str
    typ: str


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """A text in its parts. Nothing of it is believed yet: the claims are unread bytes until `claims` has checked them."""

    header: Header
    payload: bytes
    signature: bytes
    signing_input: bytes
    """What the signature is over: the text up to its second dot."""


class Form(Generic[T]):
    """One kind of signed text: its `typ`, and the type of its claims.

    With `exact`, that type itself refuses every value without a canonical form (floats, large integers, names beyond ASCII),
    so that reading need not look for them once more: a third of what reading costs beside the signature.
    """

    def __init__(self, typ: str, claims: type[T], *, exact: bool = False) -> None:
        self.typ = typ
        self._form = _sorted if exact else _canonical
        self._decoder = msgspec.json.Decoder(claims)

    def sign(self, claims: T, *, kid: str, sign: Sign) -> str:
        """The text that says `claims`, signed."""
        header = Header(alg=ALGORITHM, kid=kid, typ=self.typ)
        signing_input = _b64(_canonical(header)) + b"." + _b64(_canonical(claims))
        return (signing_input + b"." + _b64(sign(signing_input))).decode()

    def claims(self, signed: Signed, key: bytes, verify: Verify) -> T:
        """What `signed` says, once its signature by `key` is found to hold. Raises JwsError."""
        if not verify(key, signed.signing_input, signed.signature):
            raise NotSigned(f"the {self.typ} is not signed by the key it should be")
        try:
            claims = self._decoder.decode(signed.payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise JwsError(f"the {self.typ} does not say what it must: {error}") from None
        if self._form(claims) != signed.payload:
            raise JwsError(f"the claims of the {self.typ} are not in their one form")
        return claims

    def parse(self, text: str) -> Signed:
        """The parts of `text`: sizes, form and header are right, the signature and the claims were not looked at."""
        if len(text) > MAX_BYTES:
            raise JwsError(f"the {self.typ} is {len(text)} characters long, more than {MAX_BYTES}")
        parts = text.split(".")
        if len(parts) != 3:
            raise JwsError(f"the {self.typ} is not three parts with dots between them")
        header, payload, signature = (_unb64(part, self.typ) for part in parts)
        try:
            said = _headers.decode(header)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise JwsError(f"the header of the {self.typ} is not exactly alg, kid and typ") from None
        if said.alg != ALGORITHM:
            raise JwsError(f"the {self.typ} is signed with `{said.alg[:20]}`; only {ALGORITHM} counts")
        if said.typ != self.typ:
            raise JwsError(f"a `{said.typ[:20]}` is no {self.typ}")
        if _sorted(said) != header:
            raise JwsError(f"the header of the {self.typ} is not in its one form")
        if len(signature) != SIGNATURE_BYTES:
            raise JwsError(f"the signature of the {self.typ} is not {SIGNATURE_BYTES} bytes long")
        return Signed(header=said, payload=payload, signature=signature, signing_input=text.rpartition(".")[0].encode())


_headers: Final = msgspec.json.Decoder(Header)
_sorted: Final[Callable[[object], bytes]] = msgspec.json.Encoder(order="sorted").encode


def _canonical(value: object) -> bytes:
    try:
        # By way of JSON, since a tuple is a list only there.
        built: JsonValue = msgspec.json.decode(msgspec.json.encode(value))
        return encode(built, max_bytes=MAX_BYTES)
    except (CanonicalError, UnicodeEncodeError) as error:
        raise JwsError(str(error)) from None


def _b64(data: bytes) -> bytes:
    return urlsafe_b64encode(data).rstrip(b"=")


def _unb64(part: str, typ: str) -> bytes:
    """Bytes of a part in its one spelling: urlsafe, no padding, no bits left over."""
    try:
        data = urlsafe_b64decode(part.encode("ascii") + b"=" * (-len(part) % 4))
    except (ValueError, UnicodeEncodeError):
        raise JwsError(f"a part of the {typ} is not base64url") from None
    if _b64(data).decode() != part:
        raise JwsError(f"a part of the {typ} is not base64url in its one spelling")
    return data
