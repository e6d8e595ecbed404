"""What policies are asked about one action: typed facts only, none of them from the agent but its arguments and how sure it
says it is."""

import msgspec

from interlock.domain.agent import Stage
from interlock.domain.baseline import Unusual
from interlock.domain.canonical import JsonValue
from interlock.domain.ids import AgentName, ContractName, Digest


class Circumstances(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was so around an action when the policies were asked. Kept with the action, so that the very same question can
    be put again: to another bundle, to another engine, by an auditor."""

    purpose: str
    """The task's."""
    depth: int
    """How deep the task is nested."""
    lent: int = 0
    """How often it was handed on to come to whoever acts in it; 0: not at all."""
    stage: Stage
    """How far the agent's release may act by itself, with this contract."""
    asked_at: int
    undo: bool = False
    roles: tuple[str, ...] = ()
    """Those of the person on whose behalf the task runs, sorted."""
    budget: dict[str, int] = {}
    """By unit, the least that is left in any budget this action would draw on; only where a policy asks for it."""
    parsed: dict[str, JsonValue] = {}
    """What was read out of arguments and facts, by the contract's rules."""
    approver: str = ""
    """The role whose word the agent's own file asks for, with this contract."""
    confidence: int | None = None
    """How sure the agent says it is, per mille, where the contract asks."""
    unanswered: str = ""
    """Which owners of the agent are nobody any more, in words."""
    tainted: tuple[str, ...] = ()
    """Arguments whose value comes from untrusted content alone."""
    unusual: tuple[Unusual, ...] = ()
    """In what it departed from the agent's baseline when it was proposed."""
    instance: str = ""
    """The thumbprint of the key of the process that asked, where it has proven it."""


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One question: whether this agent may do this, now."""

    agent: AgentName
    release: Digest
    contract: ContractName
    contract_digest: Digest
    tenant: str
    arguments: dict[str, JsonValue]
    facts: dict[str, JsonValue]
    """What the contract's own source of facts said."""
    parsed: dict[str, JsonValue] = {}
    """See `Circumstances.parsed`."""
    data: tuple[str, ...] = ()
    """Data classes of the arguments given, sorted."""
    initiator: str
    confidence: int | None = None
    """How sure the agent says it is, per mille."""
    around: Circumstances
