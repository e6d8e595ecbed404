"""Agent keys: a secret by which a program that can bear no more than a token is let in as an agent, for one purpose, within
bounds, and not for ever.

A key of a person (`il_`) opens what that person may do with the control plane. A key of an agent opens no such thing: whoever
bears it proposes actions as the agent, through a gateway, and each takes the life that every action takes.
"""

from typing import ClassVar, Final

import msgspec

from interlock.domain.bearer import Bearer, Bounds, Surface
from interlock.domain.canonical import JsonValue
from interlock.domain.duration import DAY, HOUR
from interlock.domain.evidence import Fact, at, digest_of_said
from interlock.domain.ids import AgentName, Person
from interlock.domain.secret_key import KeyForm, SecretKey
from interlock.domain.through import KEY

AGENT_KEY: Final = KeyForm("ila_")
LASTS_MS: Final = 8 * HOUR
LONGEST_MS: Final = 90 * DAY


class AgentKey(SecretKey, frozen=True, kw_only=True, omit_defaults=True):
    """What is kept of a key."""

    kind: ClassVar[str] = "agent_key"

    agent: AgentName
    initiator: str
    """On whose behalf whoever bears it works."""
    purpose: str
    surfaces: tuple[Surface, ...]
    bounds: Bounds = Bounds()
    by: Person
    """Who made it."""
    epoch: int
    """The revision of the standing orders under which it was made: what is revoked of its agent or initiator later takes it."""

    @property
    def through(self) -> str:
        """What a task says that was opened by it."""
        return f"{KEY}{self.id}"

    def alive(self, now: int) -> bool:
        """Whether it counts at `now`."""
        return self.made_at <= now and super().alive(now)

    def bearer(self) -> Bearer:
        """Whoever bears it."""
        return Bearer(
            agent=self.agent,
            initiator=self.initiator,
            purpose=self.purpose,
            surfaces=self.surfaces,
            bounds=self.bounds,
            expires_at=self.expires_at,
            through=self.through,
            epoch=self.epoch,
            ends_with_token=True,
        )


class KeyToldOf(msgspec.Struct, frozen=True, kw_only=True):
    """A key as people are shown it: all of it but the digest of its secret."""

    id: str
    agent: AgentName
    on_behalf_of: str
    purpose: str
    surfaces: tuple[Surface, ...] = msgspec.field(name="for")
    bounds: Bounds
    by: Person
    made_at: int
    expires_at: int
    used_at: int
    revoked_at: int
    counts: bool
    """Whether it does now, as far as the key itself goes."""


def told_of(key: AgentKey, now: int) -> KeyToldOf:
    """`key` as people are shown it at `now`."""
    return KeyToldOf(
        id=key.id,
        agent=key.agent,
        on_behalf_of=key.initiator,
        purpose=key.purpose,
        surfaces=key.surfaces,
        bounds=key.bounds,
        by=key.by,
        made_at=key.made_at,
        expires_at=key.expires_at,
        used_at=key.used_at,
        revoked_at=key.revoked_at,
        counts=key.alive(now),
    )


def made_fact(key: AgentKey) -> Fact:
    """The fact that a key was made. Nothing that opens anything, nor a digest of it; words and names behind commitments."""
    body: dict[str, JsonValue] = {
        "what": AgentKey.kind,
        "agent": key.agent,
        "surfaces": list(key.surfaces),
        "until": at(key.expires_at),
    }
    return Fact(
        phase="key_made",
        subject="access",
        subject_id=key.id,
        subject_digest=digest_of_said("key_made", body, key.id),
        observed_at=key.made_at,
        body=body,
        private={"by": key.by, "initiator": key.initiator, "purpose": key.purpose},
        under=(AgentKey.kind, key.id),
    )
