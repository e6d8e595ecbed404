"""Where the shop's customers sign in: it gives a program that works for one of them an access token that says so.

It is an authorization server as any company has one (OAuth 2.1, JWT access tokens of RFC 9068), with nothing in it of whoever
takes the tokens: a key, its public half for others to read, and tokens for one address, each for ten minutes.
"""

import json
import time

from joserfc import jwt
from joserfc.jwk import OKPKey

ISSUER = "https://shop.halden.example"
PROGRAM = "shopping-assistant"
"""What it calls the program that helps customers shop."""
LASTS_S = 600
_ALGORITHM = "Ed25519"


class SignIn:
    """One key, for as long as the shop is open."""

    def __init__(self) -> None:
        self._key = OKPKey.generate_key("Ed25519", {"kid": "shop-1", "alg": _ALGORITHM, "use": "sig"})

    def keys(self) -> str:
        """Its public keys, as a JWKS."""
        return json.dumps({"keys": [self._key.as_dict(private=False)]})

    def token(self, customer_id: str, audience: str) -> str:
        """A token for whoever helps `customer_id`, good at `audience` alone."""
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": audience,
            "sub": customer_id,
            "client_id": PROGRAM,
            "iat": now,
            "exp": now + LASTS_S,
        }
        header = {"alg": _ALGORITHM, "typ": "at+jwt", "kid": "shop-1"}
        return jwt.encode(header, claims, self._key, algorithms=[_ALGORITHM])
