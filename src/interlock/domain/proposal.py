"""What an agent asks for, before anything was decided."""

import msgspec

from interlock.domain.canonical import JsonValue
from interlock.domain.ids import ContractName, Digest
from interlock.domain.presented import Presented
from interlock.domain.task import Task


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent asks for. `task` is the handle the program opened, never something the model said."""

    task: Task
    contract: ContractName
    arguments: dict[str, JsonValue]
    idempotency_key: str | None = None
    justification: str = ""
    confidence: int | None = None
    """How sure the agent says it is, per mille."""
    traceparent: str = ""
    """W3C Trace Context, or nothing."""
    kpi: dict[str, int] = {}
    """What the agent says this will do to figures of the business, by name: whole numbers."""
    request: str = ""
    """The id of the request; the gate makes one where the caller has none in the form of ids."""
    expected: Digest | None = None
    """The digest of the contract the caller's own code carries; a different one in force refuses the action."""
    unfit: str = ""
    """Why the caller could not put its call into arguments at all (an argument given twice, a value that has no JSON form):
    it is recorded as refused, with what could be written of it."""
    instance: str = ""
    """The thumbprint of the key of the process that asks, where it has proven it."""
    here: bool = True
    """Run it in this process if that is possible; otherwise it is left to a worker."""
    presented: Presented | None = None
    """What shows who makes the call."""
