"""Access tokens as JWTs (RFC 9068), and DPoP proofs (RFC 9449), looked at by `joserfc` (`interlock[identity]`).

As with tokens by which instances are recognised (`adapters/attesting/tokens.py`, whose reading of signatures this uses): the
library is given one key and one algorithm, both of our choosing, and a header of which we have read all there is. The key of a
proof stands in its header, where a token's never may: it proves nothing but that whoever made the proof holds it. Loaded by its
name.
"""

import json
import warnings
from hashlib import sha256
from pathlib import Path
from typing import Final, cast

import msgspec
from joserfc import jws
from joserfc.errors import JoseError, SecurityWarning

from interlock.adapters.attesting.published import Published, PublishedKey
from interlock.adapters.attesting.tokens import KINDS, Header, key_of, payload_of
from interlock.domain.access_token import AccessClaims, AccessIssuer, Resource
from interlock.domain.borne import MAX_TOKEN
from interlock.domain.dpop import ALGORITHMS, MAX_BYTES, TYPE, Held, ProofClaims
from interlock.domain.errors import NotAllowed
from interlock.domain.jwk import b64, unb64
from interlock.ports.access_tokens import Signed


class _Registry(jws.JWSRegistry):
    """A proof's header holds a key: of RSA, one of some hundred characters."""

    max_header_length = MAX_BYTES


_REGISTRY: Final = _Registry(algorithms=list(ALGORITHMS))
_BROKEN: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError)


class _PublicKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A public key in a header. One with a private part, or a place to fetch another from, is none."""

    kty: str
    crv: str = ""
    x: str = ""
    y: str = ""
    n: str = ""
    e: str = ""
    kid: str = ""
    alg: str = ""
    use: str = ""


class _ProofHeader(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    typ: str
    alg: str
    jwk: _PublicKey


class _Issued(msgspec.Struct, frozen=True):
    iss: str


_headers: Final = msgspec.json.Decoder(Header)
_proof_headers: Final = msgspec.json.Decoder(_ProofHeader)
_issued: Final = msgspec.json.Decoder(_Issued)
_claims: Final = msgspec.json.Decoder(AccessClaims)
_proofs: Final = msgspec.json.Decoder(ProofClaims)


class JwtAccessTokens:
    """See `AccessTokens`."""

    def __init__(self, resource: Resource, folder: Path, *, published: Published | None = None) -> None:
        self._issuers = {each.issuer: each for each in resource.issuers}
        self._published = published or Published(folder)

    async def signed(self, token: str, *, now: int) -> Signed:
        """See `AccessTokens.signed`."""
        header, payload = _parts(token)
        issuer = self._issuer(payload)
        if header.alg not in issuer.algorithms or header.alg not in KINDS:
            raise _refused("the token is signed in a way that interlock.yaml does not take of its issuer")
        if header.typ.lower().removeprefix("application/") not in issuer.types:
            raise _refused("the token is of another type than interlock.yaml takes of its issuer")
        said = await payload_of(token, header, self._published, issuer.keys, "sig", now)
        try:
            return Signed(issuer, _claims.decode(said), _once(said))
        except _BROKEN:
            raise _refused("the token does not say what one must") from None

    def held(self, proof: str) -> Held:
        """See `AccessTokens.held`."""
        parts = proof.split(".")
        if len(proof) > MAX_BYTES or len(parts) != 3:
            raise _refused("the proof is too long, or no signed text at all")
        try:
            header = _proof_headers.decode(_exact(parts[0]))
            key = header.jwk
            if header.typ != TYPE or header.alg not in ALGORITHMS or (key.kty, key.crv) != KINDS[header.alg]:
                raise ValueError("another kind of text, or another kind of key")
            thumbprint = _thumbprint(key)
            _must_be_signed(proof, key, header.alg)
            said = _exact(parts[1])
            _once(said)
            return Held(claims=_proofs.decode(said), thumbprint=thumbprint)
        except (*_BROKEN, JoseError, TypeError):
            raise _refused("the proof of possession is not in form, or not signed by the key in it") from None

    def _issuer(self, payload: bytes) -> AccessIssuer:
        """Whose a token says it is: only to know whose keys to ask."""
        try:
            found = self._issuers.get(_issued.decode(payload).iss)
        except _BROKEN:
            found = None
        if found is None:
            raise _refused("the token is of no issuer that interlock.yaml names")
        return found


def _parts(token: str) -> tuple[Header, bytes]:
    """The header of a token and its claims, neither of them believed."""
    parts = token.split(".")
    if len(token) > MAX_TOKEN or len(parts) != 3:
        raise _refused("the token is too long, or no signed token at all")
    try:
        header, payload = _exact(parts[0]), _exact(parts[1])
        _once(header)
        return _headers.decode(header), payload
    except _BROKEN:
        raise _refused(
            "the header of the token says more than an algorithm, a key and a type, or cannot be read"
        ) from None


def _must_be_signed(text: str, key: _PublicKey, algorithm: str) -> None:
    """Raises JoseError, ValueError or TypeError."""
    found = PublishedKey(kty=key.kty, crv=key.crv, x=key.x, y=key.y, n=key.n, e=key.e)
    with warnings.catch_warnings():
        # `EdDSA` says nothing of the curve (RFC 9864), so the library warns. Of ours it is always Ed25519.
        warnings.simplefilter("ignore", SecurityWarning)
        jws.deserialize_compact(text, key_of(found), [algorithm], _REGISTRY)


def _thumbprint(key: _PublicKey) -> str:
    """RFC 7638, over the members that its kind must have."""
    match key.kty:
        case "EC":
            members = {"crv": key.crv, "kty": key.kty, "x": key.x, "y": key.y}
        case "RSA":
            members = {"e": key.e, "kty": key.kty, "n": key.n}
        case _:
            members = {"crv": key.crv, "kty": key.kty, "x": key.x}
    for name, value in members.items():
        if name not in ("crv", "kty") and b64(_exact(value)) != value:
            raise ValueError("not in its one spelling")
    return b64(sha256(json.dumps(members, separators=(",", ":"), sort_keys=True).encode()).digest())


def _exact(part: str) -> bytes:
    """Bytes of base64url in its one spelling. Raises ValueError."""
    data = unb64(part)
    if b64(data) != part:
        raise ValueError("not base64url in its one spelling")
    return data


def _once(data: bytes) -> dict[str, object]:
    """A JSON object in which no name stands twice, which two readers would read differently. Raises ValueError."""

    def pairs(found: list[tuple[str, object]]) -> dict[str, object]:
        if len({name for name, _ in found}) != len(found):
            raise ValueError("a name stands twice")
        return dict(found)

    said: object = json.loads(data, object_pairs_hook=pairs, parse_constant=_no_number)
    if not isinstance(said, dict):
        raise ValueError("no object")  # noqa: TRY004  it is what was read that is wrong
    return cast("dict[str, object]", said)


def _no_number(word: str) -> object:
    raise ValueError(f"{word} is no number")


def _refused(why: str) -> NotAllowed:
    return NotAllowed(why, next_step="see `gateway:` in interlock.yaml, and what your issuer puts into its tokens")
