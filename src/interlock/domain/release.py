"""A release: one version of an agent's behaviour, known by its digest.

The digest covers everything that can change what the agent does: prompt, model and parameters, contracts, the policy
bundle it was formed under, memory strategy, escalation rules. The stage is not part of it: a release moves through
stages unchanged.
"""

from collections.abc import Mapping
from typing import ClassVar

from interlock.domain.agent import Agent
from interlock.domain.canonical import digest
from interlock.domain.contract import Contract, Reversal
from interlock.domain.errors import NotFound
from interlock.domain.ids import AgentName, ContractName, Digest
from interlock.domain.record import Record, plain


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
                plain(
                    {
                        "agent": self.agent,
                        "bundle": self.bundle,
                        "components": self.components,
                        "contracts": self.contracts,
                    }
                )
            )
        )

    @property
    def label(self) -> str:
        """`pricing@1f2e3d4c5b6a`: how people and policies name it."""
        return f"{self.agent}@{self.digest[:12]}"

    def digest_of(self, contract: ContractName) -> Digest:
        """Which version of `contract` belongs to this release. Raises NotFound if none does."""
        if contract not in self.contracts:
            raise NotFound(f"the release has no contract `{contract}`", next_step="run `interlock apply`")
        return self.contracts[contract]


def release_of(agent: Agent, contracts: Mapping[ContractName, Contract], bundle: Digest) -> Release:
    """Form the release of `agent` from the contracts it is capable of, those that undo them, and the bundle in force."""
    used = {name: contracts[name] for name in agent.capabilities if name in contracts}
    undo = {ContractName(each.reversal.contract) for each in used.values() if isinstance(each.reversal, Reversal)}
    used |= {name: contracts[name] for name in undo if name in contracts}
    behaviour = agent.behaviour
    parts = {
        "prompt": behaviour.prompt,
        "model": [behaviour.model, behaviour.parameters],
        "memory": behaviour.memory,
        "escalation": behaviour.escalation,
        "runtime": agent.runtime,
    }
    return Release(
        agent=agent.name,
        agent_digest=agent.digest,
        contracts={name: contract.digest for name, contract in used.items()},
        bundle=bundle,
        components={name: Digest(digest(plain(part))) for name, part in parts.items()},
    )
