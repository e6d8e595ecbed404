"""Running instances that were recognised from outside, the tokens that let one in, and what is recorded of both."""

from hashlib import sha256
from typing import ClassVar, Final

import msgspec

from interlock.domain.attesting import Recognised
from interlock.domain.canonical import JsonValue
from interlock.domain.credential import Credential
from interlock.domain.duration import MINUTE, SECOND
from interlock.domain.evidence import Fact, Phase, at, digest_of_said
from interlock.domain.ids import AgentName, Digest, Person
from interlock.domain.record import Record

TOKEN_PREFIX: Final = "interlock-bootstrap-"  # noqa: S105  by which programs that look for leaked secrets know one
LASTS_MS: Final = 15 * MINUTE
"""How long a token that is not used counts, unless it is said."""


class BootstrapToken(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A secret that lets one instance be one agent, once. Only its digest is kept."""

    kind: ClassVar[str] = "bootstrap"

    digest: Digest
    """SHA-256 of the secret, which is 256 bits of chance."""
    id: str
    """By which the log knows it."""
    agent: AgentName
    made_at: int
    expires_at: int
    used_at: int | None = None
    instance: str = ""
    """Who used it."""

    @property
    def key(self) -> str:
        """Filed by the digest of its secret."""
        return self.digest

    def refusal(self, agent: AgentName, instance: str, now: int) -> str:
        """Why it does not let `instance` be `agent` at `now`, or nothing.

        Whoever used it and lost the answer may ask again with the same key while it lasts.
        """
        if agent != self.agent:
            return "the bootstrap token was made for another agent"
        if now >= self.expires_at:
            return "the bootstrap token has expired"
        if self.used_at is not None and instance != self.instance:
            return "the bootstrap token was used before, by another instance"
        return ""

    def spent(self, instance: str, now: int) -> "BootstrapToken":
        """The token as `instance` used it."""
        return msgspec.structs.replace(self, used_at=now, instance=instance)


class Instance(Record, frozen=True, kw_only=True, omit_defaults=True):
    """One running process of an agent that was recognised from outside. Of local ones their actions tell."""

    kind: ClassVar[str] = "instance"

    instance: str
    """The RFC 7638 thumbprint of its key."""
    agent: AgentName
    release: Digest
    """That of its last credential, as are the next three."""
    attested: str
    credential: str
    expires_at: int
    enrolled_at: int

    @property
    def key(self) -> str:
        """One key may be that of several agents, in one process."""
        return f"{self.instance}/{self.agent}"


def digest_of_secret(secret: str) -> Digest:
    """Under which a token is kept. A secret that is no text of ours has one all the same: that of no token."""
    return Digest(sha256(secret.encode(errors="surrogatepass")).hexdigest())


def instance_of(credential: Credential, agent: AgentName, before: Instance | None, now: int) -> Instance:
    """The record of an instance that is given `credential`."""
    made = Instance(
        instance=credential.instance,
        agent=agent,
        release=credential.release,
        attested=credential.attested,
        credential=credential.jti,
        expires_at=credential.exp * SECOND,
        enrolled_at=now,
    )
    return made if before is None else msgspec.structs.replace(made, revision=before.revision)


def offered(token: BootstrapToken, by: Person) -> Fact:
    """The fact that `by` made a token by which an instance may be an agent."""
    body: dict[str, JsonValue] = {"agent": token.agent, "expiresAt": at(token.expires_at)}
    return _fact("offered", token.id, body, {"by": by}, token.made_at)


def enrolled(made: Instance, recognised: Recognised, token: BootstrapToken | None, now: int) -> Fact:
    """The fact that an instance was recognised from outside, and given its first credential."""
    body: dict[str, JsonValue] = {
        "agent": made.agent,
        "release": made.release,
        "instance": made.instance,
        "attested": made.attested,
        "expiresAt": at(made.expires_at),
    }
    if recognised.issuer:
        body["issuer"] = recognised.issuer
    if token is not None:
        body["token"] = token.id
    private: dict[str, JsonValue] = {"workload": recognised.subject} if recognised.subject else {}
    return _fact("enrolled", made.credential, body, private, now)


def _fact(phase: Phase, name: str, body: dict[str, JsonValue], private: dict[str, JsonValue], now: int) -> Fact:
    return Fact(
        phase=phase,
        subject="enrolment",
        subject_id=name,
        subject_digest=digest_of_said(phase, body, name),
        observed_at=now,
        body=body,
        private=private,
    )
