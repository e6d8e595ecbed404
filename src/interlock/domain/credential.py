"""A credential: what one running instance of an agent is given for an hour, signed by the control plane.

It is a Workload Identity Token (draft-ietf-wimse-workload-creds) with claims of ours: the instance that may use it (the
RFC 7638 thumbprint of its key), the release it was given for, and by what the instance was attested. It is worth nothing
without the instance's private key, of which every call proves possession (`domain/presented.py`).
"""

from typing import Final, Literal

import msgspec

from interlock.domain.duration import DAY, HOUR, SECOND
from interlock.domain.ids import AgentName, Digest
from interlock.domain.jwk import Confirmation, Jwk
from interlock.domain.jws import Form, JwsError
from interlock.domain.spiffe import SpiffeError, agent_id, agent_of, plane_id

LIFE_MS: Final = HOUR
MAX_LIFE_MS: Final = DAY
"""No credential counts for longer, whoever signed it."""
SKEW_MS: Final = 30 * SECOND
"""How far the clocks of an instance and of the gate may be apart."""


class Credential(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Its claims. Times are seconds, as JWT has them."""

    iss: str
    """The plane that signed it, `spiffe://<trust domain>/interlock`."""
    sub: str
    """The agent, `spiffe://<trust domain>/agent/<name>`."""
    tenant: str
    instance: str
    """Thumbprint of the key in `cnf`."""
    release: Digest
    """What was in force when it was given."""
    attested: str
    """By what: `local`, or the name of an attestor and what it went by."""
    iat: int
    exp: int
    jti: str
    cnf: Confirmation


CREDENTIAL: Final = Form("wit+jwt", Credential)


def unverified(text: str) -> Credential:
    """What a credential says, for its own holder, who has no need to believe it. Raises JwsError."""
    try:
        return msgspec.json.decode(CREDENTIAL.parse(text).payload, type=Credential)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise JwsError(f"the credential does not say what it must: {error}") from None


def credential_of(
    *,
    trust_domain: str,
    tenant: str,
    agent: AgentName,
    release: Digest,
    key: Jwk,
    attested: str,
    now: int,
    life_ms: int,
    jti: str,
) -> Credential:
    """What an instance of `agent` with `key` is given at `now`, for at most a day."""
    return Credential(
        iss=plane_id(trust_domain),
        sub=agent_id(trust_domain, agent),
        tenant=tenant,
        instance=key.thumbprint,
        release=release,
        attested=attested,
        iat=now // SECOND,
        exp=(now + min(life_ms, MAX_LIFE_MS)) // SECOND,
        jti=jti,
        cnf=Confirmation(jwk=key),
    )


Wrong = Literal[
    "credential_foreign",
    "credential_tenant",
    "credential_form",
    "credential_agent",
    "credential_early",
    "credential_expired",
]


def wrong_with(credential: Credential, *, trust_domain: str, tenant: str, agent: AgentName, now: int) -> Wrong | None:
    """Why a credential that is signed rightly does not count for a call as `agent` at `now`, or None."""
    if credential.iss != plane_id(trust_domain):
        return "credential_foreign"
    if credential.tenant != tenant:
        return "credential_tenant"
    if credential.cnf.jwk.thumbprint != credential.instance:
        return "credential_form"
    if not 0 < (credential.exp - credential.iat) * SECOND <= MAX_LIFE_MS:
        return "credential_form"
    try:
        if agent_of(credential.sub, trust_domain) != agent:
            return "credential_agent"
    except SpiffeError:
        return "credential_foreign"
    if credential.iat * SECOND > now + SKEW_MS:
        return "credential_early"
    if credential.exp * SECOND + SKEW_MS <= now:
        return "credential_expired"
    return None


def renew_at(credential: Credential) -> int:
    """When its holder should ask for the next one: at two thirds of its life, UTC ms."""
    return (credential.iat + (credential.exp - credential.iat) * 2 // 3) * SECOND
