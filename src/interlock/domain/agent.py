"""An agent: who acts, for what purpose, within what scope, owned by whom.

The agent file is the registry record and the design template in one. Its `stage` says how far its release may act by
itself; everything that makes up its behaviour (prompt, model, contracts, memory, escalation) goes into the release.
"""

from typing import ClassVar, Literal

import msgspec

from interlock.domain.duration import DAY
from interlock.domain.ids import AgentName, ContractName, Digest
from interlock.domain.rate import Rate
from interlock.domain.record import Record, digest_of

Stage = Literal["shadow", "assisted", "partial", "bounded"]
STAGES: tuple[Stage, ...] = ("shadow", "assisted", "partial", "bounded")
Direction = Literal["at_least", "at_most"]
DIRECTIONS: tuple[Direction, ...] = ("at_least", "at_most")
Access = Literal["read", "write"]
ACCESS: tuple[Access, ...] = ("read", "write")
Office = Literal["decision", "policy", "data", "engineering"]
OFFICES: tuple[Office, ...] = ("decision", "policy", "data", "engineering")
"""What an owner answers for: that the agent exists and what it does, its policies, the data it sees, its code."""


class _Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A section of the agent file."""


class Owners(_Section, frozen=True, kw_only=True):
    """The four people or roles who answer for an agent. An agent without all four stays in shadow."""

    decision: str = ""
    policy: str = ""
    data: str = ""
    engineering: str = ""

    def of(self, office: Office) -> str:
        """The person or the role, as people.yaml has it. What stands behind it in brackets is for readers:
        `paula (category management)` is `paula`."""
        named: str = getattr(self, office)
        return named.partition(" (")[0].strip()

    def missing(self) -> tuple[str, ...]:
        """Which of the four are not named."""
        return tuple(office for office in OFFICES if not getattr(self, office))


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
    max_fanout: int = 8
    """How many tasks may be open within one task at once."""
    may_recur: bool = False
    """Whether work may come back to the agent through others it was given to. Its own work it may divide in any case."""
    models: tuple[str, ...] = ()
    """The models it may run on, in the words of `behaviour.model`."""
    rate: Rate | None = None
    """How often it may call at all."""


class Behaviour(_Section, frozen=True, kw_only=True):
    """What makes the agent act as it does. `prompt` is the text itself; parameters keep the words they were written with."""

    prompt: str = ""
    model: str = ""
    parameters: dict[str, str] = {}
    memory: str = ""
    escalation: str = ""


class Metric(_Section, frozen=True, kw_only=True):
    """One measure of success and the value it should reach: a whole number of `unit` from which on it is met, going in
    `direction`; or words, which have neither."""

    name: str
    target: int | str
    unit: str = ""
    """What is counted: `cents`, `per_mille`, `hours`."""
    direction: Direction | Literal[""] = ""

    @property
    def words(self) -> str:
        """`at least 950 per_mille`."""
        return f"{self.direction.replace('_', ' ')} {self.target} {self.unit}" if self.direction else str(self.target)


class Approvals(_Section, frozen=True, kw_only=True):
    """How long a person has to answer, and what silence means. Silence never means yes."""

    within_ms: int = DAY
    notify: tuple[str, ...] = ()
    required: dict[ContractName, str] = {}
    """By contract, the role whose word every use of it takes, whatever policies say."""


class DataUse(_Section, frozen=True, kw_only=True):
    """Which records it accesses: those of one kind whose ids fit a pattern of shells, and whether it may change them."""

    records: str
    """`order:*`, `customer:eu-*`: a kind, as contracts name it in `touches`, and which of them."""
    access: Access = "read"

    @property
    def kind(self) -> str:
        """What stands before the colon."""
        return self.records.partition(":")[0]


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
    soft: dict[str, int] = {}
    """Of some of them: the share of the limit, per mille, from which on it is noticed."""
    """Limit by unit: `calls`, or a currency in minor units."""
    metrics: tuple[Metric, ...] = ()
    data: tuple[DataUse, ...] = ()
    """All the records it accesses, where that is said: its contracts touch no kind that is not among them."""
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

    @property
    def models(self) -> tuple[str, ...]:
        """The models it may run on; where none is named, its file bounds that to none in particular."""
        return self.runtime.models

    def stage_for(self, contract: ContractName) -> Stage:
        """How far it may go with this contract. Without all four owners that is never beyond shadow."""
        return "shadow" if self.owners.missing() else self.stages.get(contract, self.stage)
