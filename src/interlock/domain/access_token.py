"""Access tokens of others (OAuth 2.1): whose count here, what one must say, and which agent whoever bears it is.

RFC 9068 (JWT access tokens), RFC 8707 (a token is made for one resource), RFC 7800 and RFC 9449 (`cnf`: bound to a key). A token
counts only as far as interlock.yaml says: an issuer, its clients, each as one agent; and never longer than it was bounded to.
"""

from typing import Final

import msgspec

from interlock.domain.bearer import Bearer, Bounds, Surface
from interlock.domain.dpop import ALGORITHMS as PROOFS
from interlock.domain.duration import DAY, HOUR, SECOND
from interlock.domain.errors import ContractError
from interlock.domain.grant import MAX_TOOLS, anything_with
from interlock.domain.ids import AgentName
from interlock.domain.initiator import USER
from interlock.domain.jwk import is_thumbprint
from interlock.domain.providing import EMAIL
from interlock.domain.selector import ANY, BELOW, Selector, SelectorError
from interlock.domain.through import by_client
from interlock.domain.use import MODEL_USE

SKEW_MS: Final = 30 * SECOND
LONGEST_MS: Final = DAY
ALGORITHMS: Final = ("RS256", "ES256", "Ed25519", "EdDSA")
TYPE: Final = "at+jwt"
TYPES: Final = (TYPE, "jwt")
"""What a token may call itself, where the file says so: `jwt` is what issuers write who know no better."""
MOST_SCOPES: Final = 64
EVERYTHING: Final = "*"
SUBJECT: Final = "$sub"
"""Among the records of a client: the one that the token's subject names."""


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """What whoever an issuer calls by one name is here. Names are compared as they stand: no patterns."""

    name: str
    """Exactly what stands as `client_id`, or where there is none as `azp`."""
    agent: AgentName
    purpose: str
    subject: str = ""
    """Exactly what must stand as `sub`; empty: anybody."""
    surfaces: tuple[Surface, ...] = ("mcp",)
    bounds: Bounds = Bounds()
    """What its tasks are given; among the records, `$sub` is whatever stands as `sub`."""


class AccessIssuer(msgspec.Struct, frozen=True, kw_only=True):
    """One authorization server whose tokens are taken."""

    issuer: str
    """Exactly what stands as `iss`."""
    keys: str
    """Its JWKS: an address, or a file of the workspace."""
    algorithms: tuple[str, ...] = ALGORITHMS
    types: tuple[str, ...] = (TYPE,)
    clients: tuple[Client, ...]
    initiator: str = "sub"
    """The claim that names on whose behalf: `user:<what it says>`."""
    scopes: dict[str, tuple[str, ...]] = {}
    """By scope, the tools it opens: names of contracts, `shop.*`, or `*`; `interlock.model_use` opens models, which are open
    where no scope does that. None: scopes open nothing and close nothing."""
    beside: tuple[str, ...] = ()
    """Other audiences that a token may be for as well. Whoever runs those can bear it here."""
    lasts_ms: int = HOUR
    """A token whose `exp` is later than so long after its `iat` does not count."""
    bound: bool = False
    """Whether only tokens count that are bound to a key (DPoP)."""


class Resource(msgspec.Struct, frozen=True, kw_only=True):
    """What is spoken to with such tokens: `gateway` in interlock.yaml."""

    resource: str = ""
    """Our own canonical address (RFC 8707), exactly what must stand as `aud`. Empty: no such token counts."""
    issuers: tuple[AccessIssuer, ...] = ()

    @property
    def origin(self) -> str:
        """Scheme, host and port of it."""
        scheme, _, rest = self.resource.partition("://")
        return f"{scheme}://{rest.partition('/')[0]}" if rest else ""

    @property
    def host(self) -> str:
        """The host in it, lower case, without the port."""
        name = self.origin.partition("://")[2].lower()
        return name[1:].partition("]")[0] if name.startswith("[") else name.partition(":")[0]

    @property
    def path(self) -> str:
        """What stands behind that, without a `/` at its end."""
        return self.resource.removeprefix(self.origin).rstrip("/")

    @property
    def metadata(self) -> str:
        """Where we say whose tokens count (RFC 9728 section 3.1). Empty where none does."""
        return f"{self.origin}{WELL_KNOWN}{self.path}" if self.issuers else ""

    def scopes(self) -> tuple[str, ...]:
        """Every scope that opens something."""
        return tuple(dict.fromkeys(scope for each in self.issuers for scope in each.scopes))


WELL_KNOWN: Final = "/.well-known/oauth-protected-resource"


class AccessClaims(msgspec.Struct, frozen=True, kw_only=True):
    """What is read of a token. What else it says is not looked at."""

    iss: str
    aud: str | tuple[str, ...]
    exp: int
    iat: int
    sub: str = ""
    nbf: int | None = None
    client_id: str = ""
    azp: str = ""
    scope: str | tuple[str, ...] = ""
    scp: str | tuple[str, ...] = ""
    """What some issuers write for `scope`."""
    cnf: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET

    @property
    def client(self) -> str:
        """What the issuer calls the program."""
        return self.client_id or self.azp

    def granted(self) -> frozenset[str]:
        """Its scopes."""
        said = (self.scope, self.scp)
        return frozenset(word for each in said for word in (each.split(" ") if isinstance(each, str) else each) if word)


class _Confirmation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    jkt: str


_confirmations: Final = msgspec.json.Decoder(_Confirmation)


class Unprovable(ValueError):
    """A token is bound to something whose possession cannot be proven here."""


def bound_to(claims: AccessClaims) -> str:
    """The thumbprint of the key that a token is bound to; empty: to none. Raises Unprovable."""
    if isinstance(claims.cnf, msgspec.UnsetType):
        return ""
    try:
        jkt = _confirmations.decode(claims.cnf).jkt
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Unprovable from None
    if not is_thumbprint(jkt):
        raise Unprovable
    return jkt


def unlike(claims: AccessClaims, issuer: AccessIssuer, resource: str, now: int) -> str:
    """Why a token that `issuer` signed does not count for `resource` at `now`, or nothing. Quotes nothing of it."""
    if claims.iss != issuer.issuer:
        return "the token is of another issuer"
    audiences = (claims.aud,) if isinstance(claims.aud, str) else claims.aud
    if resource not in audiences:
        return "the token was made for somebody else: its audience is not this resource"
    if any(each not in (resource, *issuer.beside) for each in audiences):
        return "the token was made for others as well, who could bear it here"
    return _untimely(claims, issuer, now)


def _untimely(claims: AccessClaims, issuer: AccessIssuer, now: int) -> str:
    if not 0 <= claims.iat <= claims.exp < 1 << 53:
        return "the token says of no time that it was made and ends then"
    if claims.exp * SECOND + SKEW_MS <= now:
        return "the token has expired"
    if claims.iat * SECOND > now + SKEW_MS or (claims.nbf is not None and claims.nbf * SECOND > now + SKEW_MS):
        return "the token does not count yet"
    if (claims.exp - claims.iat) * SECOND > issuer.lasts_ms:
        return "the token lasts longer than interlock.yaml lets one of its issuer last"
    return ""


def client_of(claims: AccessClaims, issuer: AccessIssuer) -> Client | None:
    """What the program of a token is here; None: nothing."""
    if not claims.client:
        return None
    fit = [each for each in issuer.clients if each.name == claims.client]
    return next((each for each in fit if each.subject in ("", claims.sub)), None)


def named_by(claims: AccessClaims, other: dict[str, object], issuer: AccessIssuer) -> str:
    """On whose behalf a token is, as `user:ana`; a client that is its own subject works for itself. Raises ContractError where
    the claim that interlock.yaml names names nobody, or nobody verified the address in it."""
    said = claims.sub if issuer.initiator == "sub" else other.get(issuer.initiator, "")
    if issuer.initiator == EMAIL and other.get("email_verified") is not True:
        said = ""
    if not isinstance(said, str) or not said.strip():
        raise ContractError(f"the token names nobody by a `{issuer.initiator}` that counts")
    # What stands there is a name, whatever it looks like: no token says of itself of what kind its user is.
    return f"system:{said}" if said == claims.client else f"{USER}:{said}"


def opened_by(granted: frozenset[str], issuer: AccessIssuer, known: frozenset[str]) -> frozenset[str] | None:
    """The tools among `known` that these scopes open; None: scopes say nothing of that, or everything."""
    if not issuer.scopes:
        return None
    found: set[str] = set()
    for scope in granted & issuer.scopes.keys():
        for said in issuer.scopes[scope]:
            if said == EVERYTHING:
                return None
            found |= {each for each in known if each == said or (said.endswith(".*") and each.startswith(said[:-1]))}
    return frozenset(found)


def scopes_for(tool: str, issuer: AccessIssuer) -> tuple[str, ...]:
    """The scopes of which any opens `tool`."""
    return tuple(
        scope for scope in issuer.scopes if opened_by(frozenset({scope}), issuer, frozenset({tool})) != frozenset()
    )


def closed_to_models(granted: frozenset[str], issuer: AccessIssuer) -> tuple[str, ...]:
    """The scopes of which any opens models, where scopes of the issuer do and none of these was granted; else none."""
    scopes = scopes_for(MODEL_USE, issuer)
    return () if granted & set(scopes) else scopes


def bearer_of(
    claims: AccessClaims,
    client: Client,
    issuer: AccessIssuer,
    initiator: str,
    *,
    opened: frozenset[str] | None,
    thumbprint: str,
    epoch: int,
) -> Bearer:
    """Whoever bears the token. Raises ContractError where its issuer or client cannot be written down, its scopes open more
    tools than a task can be given, or its subject is to name a record and names none."""
    bounds = client.bounds
    if opened is not None:
        within = opened if bounds.tools is None else opened & bounds.tools.tools.keys()
        if len(within) > MAX_TOOLS:
            raise ContractError(f"the scopes of the token open more than {MAX_TOOLS} tools, which no task can be given")
        tools = anything_with(sorted(within))
        if bounds.tools is not None:
            tools = msgspec.structs.replace(tools, tools={name: bounds.tools.tools[name] for name in sorted(within)})
        bounds = msgspec.structs.replace(bounds, tools=tools)
    if bounds.data is not None:
        bounds = msgspec.structs.replace(bounds, data=_of_subject(bounds.data, claims.sub))
    try:
        through = by_client(issuer.issuer, claims.client)
    except ValueError as error:
        raise ContractError(str(error)) from None
    return Bearer(
        agent=client.agent,
        initiator=initiator,
        purpose=client.purpose,
        surfaces=client.surfaces,
        bounds=bounds,
        expires_at=claims.exp * SECOND,
        through=through,
        epoch=epoch,
        key_thumbprint=thumbprint or None,
    )


def _of_subject(data: Selector, subject: str) -> Selector:
    """These records, with the one that the subject names. A subject that would be read as a pattern names none: whoever chooses
    the names of an issuer's users does not choose what a task is given."""
    if not any(SUBJECT in ids for ids in data.records.values()):
        return data
    if subject == ANY or subject.endswith(BELOW):
        raise ContractError("the subject of the token names no one record")
    records = {kind: tuple(subject if each == SUBJECT else each for each in ids) for kind, ids in data.records.items()}
    try:
        return Selector(records=records)
    except SelectorError:
        raise ContractError("the subject of the token names no record") from None


def metadata_of(resource: Resource) -> dict[str, object]:
    """What we say of ourselves to whoever wants a token (RFC 9728 section 2)."""
    said: dict[str, object] = {
        "resource": resource.resource,
        "authorization_servers": [each.issuer for each in resource.issuers],
        "bearer_methods_supported": ["header"],
        "resource_name": "Interlock gateway",
        "dpop_signing_alg_values_supported": list(PROOFS),
    }
    if resource.scopes():
        said["scopes_supported"] = list(resource.scopes())
    if resource.issuers and all(each.bound for each in resource.issuers):
        said["dpop_bound_access_tokens_required"] = True
    return said
