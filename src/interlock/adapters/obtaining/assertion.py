"""A client that signs instead of showing a secret: `private_key_jwt` (RFC 7523, OpenID Connect Core section 9)."""

import json
import warnings
from typing import Final, cast

from joserfc import jws
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from interlock.adapters.system import SystemIds
from interlock.domain.errors import EffectorError
from interlock.domain.upstream_auth import ALGORITHMS

TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
LASTS_S: Final = 60
_KINDS: Final[tuple[tuple[type[ECKey] | type[RSAKey] | type[OKPKey], str, str], ...]] = (
    (ECKey, "ES256", "P-256"),
    (RSAKey, "RS256", ""),
    (OKPKey, "Ed25519", "Ed25519"),
)
_REGISTRY: Final = jws.JWSRegistry(algorithms=list(ALGORITHMS))


def assertion(text: str, *, client: str, audience: str, key_id: str, now: int) -> str:
    """What proves to `audience` that `client` asks, for a minute. Raises EffectorError where `text` is no private key, which it
    does not repeat."""
    key, algorithm = _key(text)
    seconds = now // 1000
    claims = {
        "iss": client,
        "sub": client,
        "aud": audience,
        "jti": SystemIds().nonce(),
        "iat": seconds,
        "exp": seconds + LASTS_S,
    }
    header = {"alg": algorithm, "typ": "JWT", **({"kid": key_id} if key_id else {})}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)
        return jws.serialize_compact(header, json.dumps(claims), key, list(ALGORITHMS), registry=_REGISTRY)


def _key(text: str) -> tuple[Key, str]:
    said: str | dict[str, str | list[str]] = text
    if text.lstrip().startswith("{"):
        try:
            said = cast("dict[str, str | list[str]]", json.loads(text))
        except (ValueError, RecursionError):
            said = ""
    for kind, algorithm, curve in _KINDS:
        try:
            found: Key = kind.import_key(said)
            public = found.as_dict(private=False)
            if found.is_private and curve in ("", public.get("crv")):
                return found, algorithm
        except (JoseError, ValueError, TypeError, KeyError):
            continue
    raise EffectorError(
        "the key by which a token would be asked for is no private key of P-256, RSA or Ed25519",
        next_step="give `private_key` a PEM file or a JWK without a password",
    )
