"""Plain values for the suites: each call differs from the last by its id alone, unless told otherwise."""

from typing import Any

from interlock.adapters.system import SystemIds
from interlock.domain.action import Action
from interlock.domain.binding import bound_digest
from interlock.domain.budget import Budget
from interlock.domain.canonical import CanonicalError
from interlock.domain.evidence import Fact
from interlock.domain.ids import ActionId, AgentName, ContractName, Digest, TaskId, UseId
from interlock.domain.task import Task
from interlock.domain.use import TokenCount, Use

NOON = 1_800_000_000_000
"""Some time, UTC ms."""
_ids = SystemIds()


def action(**changes: Any) -> Action:
    """An action that waits for a worker since NOON."""
    made = _ids.new()
    values: dict[str, Any] = {
        "id": ActionId(made),
        "task": TaskId("task-1"),
        "agent": AgentName("pricing"),
        "release": Digest("1" * 64),
        "contract": ContractName("pricing.set_price"),
        "contract_digest": Digest("2" * 64),
        "arguments": {"sku": "A-1", "price_minor": 1900, "tags": ["ü", None, True]},
        "nonce": "3" * 32,
        "fingerprint": Digest("5" * 64),
        "idempotency_key": f"key-{made}",
        "proposed_at": NOON,
        "state": "ready",
        "due_at": NOON,
    }
    values |= changes
    try:
        bound = bound_digest(values["contract"], values["contract_digest"], values["arguments"], values["nonce"])
    except CanonicalError:  # arguments that nobody could write down are a case, too
        bound = Digest("4" * 64)
    whole: dict[str, Any] = {"digest": bound} | values
    return Action(**whole)


def task(**changes: Any) -> Task:
    """An open task."""
    values: dict[str, Any] = {
        "id": TaskId(_ids.new()),
        "agent": AgentName("pricing"),
        "release": Digest("1" * 64),
        "purpose": "weekly review",
        "initiator": "user:ana",
        "opened_at": NOON,
        "expires_at": NOON + 1000,
    }
    return Task(**values | changes)


def budget(limit: int, scope: str = "tenant") -> Budget:
    """A budget on calls."""
    return Budget(scope=scope, unit="calls", limit=limit)


def use(**changes: Any) -> Use:
    """An open use of a model."""
    values: dict[str, Any] = {
        "id": UseId(_ids.new()),
        "task": TaskId("task-1"),
        "agent": AgentName("pricing"),
        "release": Digest("1" * 64),
        "model": "m",
        "most": TokenCount(input=1, output=1),
        "begun_at": NOON,
    }
    return Use(**values | changes)


def fact(about: Action, seq: int = 1, **changes: Any) -> Fact:
    """Something that happened to `about`, part of it private."""
    values: dict[str, Any] = {
        "phase": "decided",
        "subject": "action",
        "subject_id": about.id,
        "subject_digest": about.digest,
        "observed_at": NOON,
        "body": {"state": about.state},
        "private": {"toolArgs": {"sku": "A-1"}, "facts": {"flagship": True}},
        "action": about.id,
        "seq": seq,
    }
    return Fact(**values | changes)
