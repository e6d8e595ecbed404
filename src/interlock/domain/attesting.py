"""By what an instance is recognised before it has a credential: the ways there are, and what a token of others must say.

Nobody's word is taken for more than it says: a token of an identity provider counts for the agents that interlock.yaml
names for exactly its subject, for us as its audience, and only while it lasts.
"""

from typing import Final, Literal, NamedTuple

import msgspec

from interlock.domain.credential import LIFE_MS, SKEW_MS
from interlock.domain.duration import SECOND
from interlock.domain.ids import AgentName
from interlock.domain.spiffe import SpiffeError, agent_of, split

Method = Literal["local", "bootstrap", "oidc", "spire"]
METHODS: Final[tuple[Method, ...]] = ("local", "bootstrap", "oidc", "spire")
"""`local`: by being in the process that holds the key folder. `bootstrap`: by a token that a person handed out, once.
`oidc`: by a token of an identity provider. `spire`: by a JWT-SVID of a SPIFFE trust domain."""

Subjects = dict[str, tuple[AgentName, ...]]
"""Which agents whoever a token speaks of may be. Subjects are compared as they stand: no patterns."""


class Oidc(msgspec.Struct, frozen=True, kw_only=True):
    """One identity provider whose tokens are taken."""

    issuer: str
    """Exactly what stands as `iss`."""
    audience: str
    """What must stand in `aud`: tokens that were made for somebody else are not taken."""
    keys: str
    """The address of its keys (JWKS)."""
    subjects: Subjects


class Spire(msgspec.Struct, frozen=True, kw_only=True):
    """The SPIFFE trust domain whose JWT-SVIDs are taken."""

    trust_domain: str
    bundle: str
    """Its trust bundle in the SPIFFE format: a file, or an address."""
    subjects: Subjects = {}
    """Which agents a workload may be. Empty: `spiffe://<trust domain>/agent/<name>` may be `<name>`."""


class Attestation(msgspec.Struct, frozen=True, kw_only=True):
    """`identity` in interlock.yaml: what instances are recognised by, and for how long."""

    methods: tuple[Method, ...] = ("local",)
    lasts_ms: int = LIFE_MS
    """How long a credential counts."""
    oidc: tuple[Oidc, ...] = ()
    spire: Spire | None = None


class Recognised(NamedTuple):
    """By what an instance was recognised."""

    by: Method
    issuer: str = ""
    """Whose word it was: an identity provider, a trust domain."""
    subject: str = ""
    """Who that says it is: a workload, and for all we know a person. Never in the open."""


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """What is read of a token of others (RFC 7519). What else it says is not looked at."""

    iss: str = ""
    sub: str = ""
    aud: str | tuple[str, ...] = ()
    exp: float | None = None
    nbf: float | None = None
    iat: float | None = None

    def audiences(self) -> tuple[str, ...]:
        """For whom it was made."""
        return (self.aud,) if isinstance(self.aud, str) else self.aud


def untimely(claims: Claims, now: int) -> str:
    """Why a token does not count at `now`, or nothing. One that lasts for ever is none."""
    if claims.exp is None:
        return "the token says of no time that it ends then"
    if claims.exp * SECOND + SKEW_MS <= now:
        return "the token has expired"
    if any(each is not None and each * SECOND > now + SKEW_MS for each in (claims.nbf, claims.iat)):
        return "the token does not count yet"
    return ""


def unlike_oidc(claims: Claims, provider: Oidc, agent: AgentName, now: int) -> str:
    """Why a token that `provider` signed does not let anybody be `agent`, or nothing. Quotes nothing of it."""
    if claims.iss != provider.issuer:
        return "the token is of another issuer"
    if provider.audience not in claims.audiences():
        return "the token was made for somebody else: its audience is not the one in interlock.yaml"
    if agent not in provider.subjects.get(claims.sub, ()):
        return f"interlock.yaml lets nobody with the token's subject be `{agent}`"
    return untimely(claims, now)


def unlike_svid(claims: Claims, spire: Spire, audience: str, agent: AgentName, now: int) -> str:
    """Why a JWT-SVID that the trust domain signed does not let anybody be `agent`, or nothing. Quotes nothing of it.

    https://github.com/spiffe/spiffe/blob/main/standards/JWT-SVID.md, sections 3 and 4.
    """
    try:
        domain, _ = split(claims.sub)
        named = agent_of(claims.sub, spire.trust_domain) if not spire.subjects else None
    except SpiffeError:
        return f"the subject of the JWT-SVID is not `{agent}` of the trust domain `{spire.trust_domain}`"
    if domain != spire.trust_domain:
        return f"the JWT-SVID is not of the trust domain `{spire.trust_domain}`"
    if audience not in claims.audiences():
        return f"the JWT-SVID was made for somebody else: its audience is not `{audience}`"
    if agent != named and agent not in spire.subjects.get(claims.sub, ()):
        return f"interlock.yaml lets nobody with the JWT-SVID's subject be `{agent}`"
    return untimely(claims, now)
