"""Tokens of identity providers and JWT-SVIDs of SPIFFE, looked at by `joserfc` (`interlock[identity]`).

The library is given one key and one algorithm, both of our choosing, and a header of which we have read all there is: which
key a token may be checked with follows from the key's own kind, never from what the token asks for. So no HMAC over a public
key, no `none`, no key that the token brings, no extension that must be understood. Loaded by its name.
"""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec
from joserfc import jws
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from interlock.adapters.attesting.published import Published, PublishedKey, Purpose
from interlock.domain.attesting import Attestation, Claims, Method, Oidc, Recognised, Spire, unlike_oidc, unlike_svid
from interlock.domain.errors import NotAllowed
from interlock.domain.ids import AgentName
from interlock.domain.jwk import unb64

MAX_BYTES: Final = 16 * 1024
"""Of one token: longer ones are not read."""
LEAST_RSA_BITS: Final = 2048
MOST_RSA_BITS: Final = 8192
TYPES: Final = frozenset({"", "jwt", "jose", "at+jwt"})
"""What `typ` may be, in lower case. Never one of ours: a credential or a proof is no token of others."""

KINDS: Final[Mapping[str, tuple[str, str]]] = {
    "ES256": ("EC", "P-256"),
    "RS256": ("RSA", ""),
    "EdDSA": ("OKP", "Ed25519"),
    "Ed25519": ("OKP", "Ed25519"),
}
"""The algorithms that count, each with the kind and curve of its keys."""
_REGISTRY: Final = jws.JWSRegistry(algorithms=list(KINDS))


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that may stand in a header. `x5t` and the like name a certificate, which nobody looks at."""

    alg: str
    kid: str = ""
    typ: str = ""
    x5t: str = ""


class _Issued(msgspec.Struct, frozen=True):
    iss: str = ""


_headers: Final = msgspec.json.Decoder(Header)
_issued: Final = msgspec.json.Decoder(_Issued)
_claims: Final = msgspec.json.Decoder(Claims)
_BROKEN: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError)


class Tokens:
    """See `Attestor`."""

    def __init__(self, attestation: Attestation, folder: Path, *, published: Published | None = None) -> None:
        self._oidc = {each.issuer: each for each in attestation.oidc} if "oidc" in attestation.methods else {}
        self._spire = attestation.spire if "spire" in attestation.methods else None
        self._published = published or Published(folder)

    async def recognised(self, evidence: str, agent: AgentName, *, audience: str, now: int) -> Recognised:
        """See `Attestor.recognised`."""
        header, payload = parts_of(evidence)
        issuer = _said_issuer(payload)
        if issuer in self._oidc:
            return await self._by_provider(evidence, header, self._oidc[issuer], agent, now)
        if self._spire is not None:
            return await self._by_svid(evidence, header, self._spire, agent, audience, now)
        raise _refused("the token is of no issuer that interlock.yaml names")

    async def _by_provider(self, text: str, header: Header, provider: Oidc, agent: AgentName, now: int) -> Recognised:
        claims = _claimed(await payload_of(text, header, self._published, provider.keys, "sig", now))
        return _recognised(unlike_oidc(claims, provider, agent, now), "oidc", provider.issuer, claims)

    async def _by_svid(
        self, text: str, header: Header, spire: Spire, agent: AgentName, audience: str, now: int
    ) -> Recognised:
        claims = _claimed(await payload_of(text, header, self._published, spire.bundle, "jwt-svid", now))
        return _recognised(unlike_svid(claims, spire, audience, agent, now), "spire", spire.trust_domain, claims)


async def payload_of(text: str, header: Header, published: Published, place: str, purpose: Purpose, now: int) -> bytes:
    """What `text` says, once one of the keys published at `place` is found to have signed it. Raises NotAllowed."""
    kind, curve = KINDS[header.alg]
    found = await published.key(place, header.kid, purpose, now)
    if found is None:
        raise _refused("the token is signed by a key that its issuer does not publish")
    if (found.kty, found.crv) != (kind, curve) or found.alg not in ("", header.alg):
        raise _refused("the token is signed in another way than the key it names is for")
    try:
        with warnings.catch_warnings():
            # `EdDSA` says nothing of the curve (RFC 9864), so the library warns. Of ours it is always Ed25519.
            warnings.simplefilter("ignore", SecurityWarning)
            signed = jws.deserialize_compact(text, key_of(found), [header.alg], _REGISTRY)
    except (JoseError, ValueError, TypeError):
        raise _refused("the token is not signed by the key it names") from None
    return signed.payload or b""


def _claimed(payload: bytes) -> Claims:
    try:
        return _claims.decode(payload)
    except _BROKEN:
        raise _refused("the token does not say what one must") from None


def _recognised(why: str, by: Method, issuer: str, claims: Claims) -> Recognised:
    if why:
        raise _refused(why)
    return Recognised(by, issuer, claims.sub)


def parts_of(text: str) -> tuple[Header, bytes]:
    """The header of a token and its claims, neither of them believed. Raises NotAllowed."""
    parts = text.split(".")
    if len(text) > MAX_BYTES or len(parts) != 3:
        raise _refused("the token is too long, or no signed token at all")
    try:
        header = _headers.decode(unb64(parts[0]))
        payload = unb64(parts[1])
    except _BROKEN:
        raise _refused(
            "the header of the token says more than an algorithm, a key and a type, or cannot be read"
        ) from None
    if header.alg not in KINDS:
        raise _refused(f"the token is not signed with one of {', '.join(KINDS)}")
    if header.typ.lower() not in TYPES:
        raise _refused("the token is of another kind: a credential, a proof, or something else")
    return header, payload


def _said_issuer(payload: bytes) -> str:
    """Whose a token says it is: only to know whose keys to ask."""
    try:
        return _issued.decode(payload).iss
    except _BROKEN:
        raise _refused("the token does not say what one must") from None


def key_of(found: PublishedKey) -> Key:
    """The library's key, of its public members alone. Raises ValueError for one that is too weak or none."""
    if found.kty == "RSA":
        bits = len(unb64(found.n)) * 8
        if not LEAST_RSA_BITS <= bits <= MOST_RSA_BITS or len(unb64(found.e)) > 4:
            raise ValueError("an RSA key has between 2048 and 8192 bits")
        return RSAKey.import_key({"kty": "RSA", "n": found.n, "e": found.e})
    if found.kty == "EC":
        return ECKey.import_key({"kty": "EC", "crv": found.crv, "x": found.x, "y": found.y})
    return OKPKey.import_key({"kty": "OKP", "crv": found.crv, "x": found.x})


def _refused(why: str) -> NotAllowed:
    return NotAllowed(why, next_step="see `identity:` in interlock.yaml, and what your issuer puts into its tokens")
