"""A release: one version of an agent's behaviour, known by its digest.

The digest covers everything that can change what the agent does: prompt, model and parameters, contracts, the policy
bundle it was formed under, memory strategy, escalation rules. The stage is not part of it: a release moves through
stages unchanged.
"""

from typing import ClassVar

import msgspec

from interlock.domain.agent import Agent
from interlock.domain.canonical import digest
from interlock.domain.ids import AgentName, ContractName, Digest
from interlock.domain.record import Record


class Release(Record, frozen=True, kw_only=True):
    """What an agent was, at one moment."""

    kind: ClassVar[str] = "release"

    agent: AgentName
    agent_digest: Digest
    contracts: dict[ContractName, Digest]
    bundle: Digest
    components: dict[str, Digest]
    """Digest of each part of the behaviour: prompt, model, memory, escalation."""

    @property
    def key(self) -> str:
        """Releases are filed by digest."""
        return self.digest

    @property
    def digest(self) -> Digest:
        """SHA-256 over what the release is made of."""
        return Digest(
            digest(
                {
                    "agent": self.agent,
                    "bundle": self.bundle,
                    "components": dict[str, str](self.components),
                    "contracts": {str(name): str(value) for name, value in self.contracts.items()},
                }
            )
        )

    @property
    def label(self) -> str:
        """`pricing@1f2e3d4c5b6a`: how people and policies name it."""
        return f"{self.agent}@{self.digest[:12]}"


def release_of(agent: Agent, contracts: dict[ContractName, Digest], bundle: Digest) -> Release:
    """Form the release of `agent` from the contracts it is capable of and the bundle in force."""
    parts = msgspec.to_builtins(agent.behaviour)
    behaviour = {name: parts.get(name, "") for name in ("prompt", "memory", "escalation")}
    model = {"model": agent.behaviour.model, "parameters": dict(agent.behaviour.parameters)}
    return Release(
        agent=agent.name,
        agent_digest=agent.digest,
        contracts={name: contracts[name] for name in agent.capabilities if name in contracts},
        bundle=bundle,
        components={
            **{name: Digest(digest(text)) for name, text in behaviour.items()},
            "model": Digest(digest(model)),
            "runtime": Digest(digest(msgspec.to_builtins(agent.runtime))),
        },
    )
