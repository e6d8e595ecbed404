"""Signing in by the word of an identity provider: which one, and what its ID token must say to name a person.

OpenID Connect Core 1.0, section 3.1.3.7. What a provider says of groups gives nobody a role: people.yaml does.
"""

from typing import Final

import msgspec

from interlock.domain.attesting import Claims, untimely

EMAIL: Final = "email"


class SignInProvider(msgspec.Struct, frozen=True, kw_only=True):
    """`oidc` below `server` in interlock.yaml."""

    issuer: str
    """Exactly what stands as `iss`, and where its configuration is looked for."""
    client: str
    """What we are called there."""
    secret: str = ""
    """Where our secret is: `env:NAME` or `file:PATH`. Empty: PKCE alone proves that it is us."""
    name: str = ""
    """What people call it."""
    claim: str = EMAIL
    """The claim that names a person."""
    people: dict[str, str] = {}
    """Names of people.yaml, by what the claim says, where that is another."""

    @property
    def called(self) -> str:
        """What stands on the button."""
        return self.name or self.issuer.removeprefix("https://")


class IdClaims(Claims, frozen=True, kw_only=True):
    """What is read of an ID token."""

    nonce: str = ""
    azp: str = ""
    email: str = ""
    email_verified: object = None


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a provider named."""

    subject: str
    """The provider and its own name for them, which never is another's."""
    person: str
    """A name for people.yaml, where it may not be."""


def unlike_id_token(claims: IdClaims, provider: SignInProvider, nonce: str, now: int) -> str:
    """Why a token that the provider signed signs nobody in, or nothing. Quotes nothing of it."""
    if claims.iss != provider.issuer:
        return "the token is of another issuer"
    audiences = claims.audiences()
    if provider.client not in audiences:
        return "the token was made for somebody else"
    if claims.azp not in ("", provider.client) or (len(audiences) > 1 and not claims.azp):
        return "the token was asked for by somebody else"
    if not nonce or claims.nonce != nonce:
        return "the token was made for another sign-in"
    if not claims.sub:
        return "the token names nobody"
    return untimely(claims, now)


def person_in(claims: IdClaims, extra: dict[str, object], provider: SignInProvider) -> str:
    """The name that the claim gives, as people.yaml has it; empty where it gives none that counts.

    An e-mail address that its provider did not verify could be anybody's.
    """
    if provider.claim == EMAIL:
        said = claims.email if claims.email_verified is True else ""
    else:
        value = extra.get(provider.claim)
        said = value if isinstance(value, str) else ""
    return provider.people.get(said, said) if said else ""
