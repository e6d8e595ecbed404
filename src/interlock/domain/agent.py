"""An agent: who acts, for what purpose, within what scope, owned by whom.

The agent file is the registry record and the design template in one. Its `stage` says how far its release may act by
itself; everything that makes up its behaviour (prompt, model, contracts, memory, escalation) goes into the release.
"""

from typing import ClassVar, Literal

import msgspec

from interlock.domain.duration import DAY
from interlock.domain.ids import AgentName, ContractName, Digest
from interlock.domain.record import Record, digest_of

Stage = Literal["shadow", "assisted", "partial", "bounded"]
STAGES: tuple[Stage, ...] = ("shadow", "assisted", "partial", "bounded")


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A section of the agent file."""


class Owners(_Section, frozen=True, kw_only=True):
    """The four people or teams who answer for an agent. An agent without all four stays in shadow."""

    decision: str = ""
    policy: str = ""
    data: str = ""
    engineering: str = ""

    def missing(self) -> tuple[str, ...]:
        """Which of the four are not named."""
        return tuple(role for role in ("decision", "policy", "data", "engineering") if not getattr(self, role))


class Scope(_Section, frozen=True, kw_only=True):
    """What it is for and what it is not for, in words; `data` names what it may look at."""

    includes: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    data: tuple[str, ...] = ()


class Runtime(_Section, frozen=True, kw_only=True):
    """Limits that hold without any policy."""

    max_depth: int = 3
    """How deep tasks may nest."""
    max_repeats: int = 20
    """How often one task may ask for exactly the same thing: a loop ends here."""
    max_actions: int = 10_000
    """How many actions one task may propose."""
    max_task_ms: int = DAY
    """How long a task may last."""
    models: tuple[str, ...] = ()


class Behaviour(_Section, frozen=True, kw_only=True):
    """What makes the agent act as it does. `prompt` is the text itself; parameters keep the words they were written with."""

    prompt: str = ""
    model: str = ""
    parameters: dict[str, str] = {}
    memory: str = ""
    escalation: str = ""


class Metric(_Section, frozen=True, kw_only=True):
    """One measure of success and the value it should reach, in words."""

    name: str
    target: str


class Approvals(_Section, frozen=True, kw_only=True):
    """How long a person has to answer, and what silence means. Silence never means yes."""

    within_ms: int = DAY
    notify: tuple[str, ...] = ()


class Agent(Record, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """The registry record of one agent."""

    kind: ClassVar[str] = "agent"

    name: AgentName
    purpose: str
    scope: Scope = Scope()
    owners: Owners = Owners()
    stage: Stage = "shadow"
    stages: dict[ContractName, Stage] = {}
    """Stages for single contracts, where they differ from `stage`."""
    capabilities: tuple[ContractName, ...] = ()
    """The contracts it may use at all; whatever is not listed does not exist for it."""
    restrictions: tuple[str, ...] = ()
    runtime: Runtime = Runtime()
    approvals: Approvals = Approvals()
    behaviour: Behaviour = Behaviour()
    budgets: dict[str, int] = {}
    """Limit by unit: `calls`, or a currency in minor units."""
    metrics: tuple[Metric, ...] = ()
    escalation_triggers: tuple[str, ...] = ()
    compliance: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    """The cohorts it belongs to: what is said of a tag is said of every agent that has it."""

    @property
    def key(self) -> str:
        """Agents are filed by digest: a stored version never changes."""
        return self.digest

    @property
    def digest(self) -> Digest:
        """SHA-256 over the canonical form of everything but `revision`."""
        return digest_of(self)

    def stage_for(self, contract: ContractName) -> Stage:
        """How far it may go with this contract. Without all four owners that is never beyond shadow."""
        return "shadow" if self.owners.missing() else self.stages.get(contract, self.stage)
