"""Proof that whoever bears an access token holds the key it is bound to, and makes this very request (RFC 9449).

The proof is a JWS by a key that stands in its own header. What is asked of it here: that the key is the one the token names,
that it was made for this method, this address and this token, and just now. That it comes once is for whoever remembers `jti`
to see.
"""

import re
from hashlib import sha256
from typing import Final

import msgspec

from interlock.domain.duration import SECOND
from interlock.domain.ids import Digest
from interlock.domain.jwk import b64
from interlock.domain.presented import KEPT_MS, Spent
from interlock.domain.token import SKEW_MS

TYPE: Final = "dpop+jwt"
MAX_BYTES: Final = 8 * 1024
ALGORITHMS: Final = ("ES256", "RS256", "Ed25519", "EdDSA")
_URI: Final = re.compile(
    r"(?P<scheme>https?)://(?P<name>[^/?#@\s\[\]:]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{0,5}))?"
    r"(?P<path>/[^?#\s]*)?(?:\?[^#\s]*)?(?:#\S*)?",
    re.IGNORECASE,
)
_DEFAULT: Final = {"https": "443", "http": "80"}
_ESCAPE: Final = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")


class ProofClaims(msgspec.Struct, frozen=True, kw_only=True):
    """What is read of a proof."""

    jti: str
    htm: str
    htu: str
    iat: int
    ath: str = ""


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A proof whose signature by the key in it holds."""

    claims: ProofClaims
    thumbprint: str
    """Of that key (RFC 7638)."""


def unlike(held: Held, *, token: str, bound_to: str, method: str, url: str, now: int) -> str:
    """Why a proof is none of this request by the holder of `token`, or nothing. Quotes nothing of it."""
    claims = held.claims
    if held.thumbprint != bound_to:
        return "the proof is made with another key than the token is bound to"
    if claims.ath != b64(sha256(token.encode()).digest()):
        return "the proof was made for another token"
    if claims.htm != method:
        return "the proof was made for another method"
    wanted = canonical(url)
    if wanted is None or canonical(claims.htu) != wanted:
        return "the proof was made for another address"
    if not 0 <= claims.iat < 1 << 53 or abs(now // SECOND - claims.iat) * SECOND > SKEW_MS:
        return f"the proof was not made within {SKEW_MS // SECOND} s of now, by the clock here"
    if not 0 < len(claims.jti) <= 256:
        return "the proof has no name of its own"
    return ""


def spent(held: Held) -> Spent:
    """What counts once of a proof."""
    name = f"interlock.dpop\0{held.thumbprint}\0{held.claims.jti}"
    return Spent(Digest(sha256(name.encode(errors="surrogatepass")).hexdigest()), held.claims.iat * SECOND + KEPT_MS)


def canonical(uri: str) -> str | None:
    """An http address in the one form in which two are compared (RFC 3986 section 6.2.2 and 6.2.3), without query and fragment;
    None for what is none. Paths with `.` or `..` in them are none: two readers would read them differently."""
    found = _URI.fullmatch(uri) if len(uri) <= 2048 else None
    if found is None or not uri.isascii():
        return None
    scheme, port = found["scheme"].lower(), found["port"] or ""
    path = _ESCAPE.sub(_plain, found["path"] or "/")
    if {".", ".."} & set(path.split("/")):
        return None
    at = "" if port in ("", _DEFAULT[scheme]) else f":{int(port)}"
    return f"{scheme}://{found['name'].lower()}{at}{path}"


def _plain(escape: re.Match[str]) -> str:
    letter = chr(int(escape[1], 16))
    return letter if letter in _UNRESERVED else escape[0].upper()
