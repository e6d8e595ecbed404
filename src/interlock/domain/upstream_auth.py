"""How a credential is obtained for a server behind the gateway: by an account of this installation's own at an authorization
server.

What an agent's client bears is never passed on. Whatever calls a server calls with this, and nobody who asks for the call sees
it.
"""

from typing import Final

import msgspec

ALGORITHMS: Final = ("ES256", "RS256", "Ed25519")


class ClientCredentials(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The client credentials grant (RFC 6749 section 4.4), of a client that shows a secret or signs with a key (RFC 7523)."""

    client: str
    """What the authorization server calls this installation."""
    issuer: str = ""
    """The authorization server, as it names itself; where tokens are had is asked of it (RFC 8414)."""
    token_url: str = ""
    """Where tokens are had, where it is not to be asked."""
    secret: str = ""
    """Where the secret is: `env:NAME` or `file:PATH`."""
    key: str = ""
    """Where the private key is, PEM or JWK, in place of a secret."""
    key_id: str = ""
    """What the authorization server calls that key."""
    scope: str = ""
    resource: str = ""
    """For whom the token is to be made (RFC 8707); empty: the address of the server itself."""
