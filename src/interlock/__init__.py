"""Interlock: the control plane between AI agents that act and the systems they act on.

    import interlock

    @interlock.tool(effect="write", risk="low", reversal=interlock.Reversal(contract="shop.restock", arguments={...}))
    def reserve(sku: str, count: int) -> int: ...

    with interlock.open("workspace").task("assistant", purpose="spring sale", on_behalf_of="user:ana"):
        reserve("A-1", 2)

Names are loaded when they are first used, so that importing this costs almost nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from interlock.bootstrap.connecting import open  # noqa: A004 the field's word
    from interlock.domain.action import Action
    from interlock.domain.call import Call, Landed
    from interlock.domain.changing import Changing
    from interlock.domain.child_failure import ChildFailure
    from interlock.domain.contract import (
        Blind,
        Conditional,
        Cost,
        Keyed,
        Lookup,
        NoReversal,
        Reversal,
    )
    from interlock.domain.duration import DAY, HOUR, MINUTE, SECOND
    from interlock.domain.entry_proof import EntryProof
    from interlock.domain.errors import (
        BudgetExceeded,
        ChildrenFailed,
        ContractError,
        IntegrityError,
        InterlockError,
        NotAllowed,
        NotFound,
        PolicyError,
        WorkspaceError,
    )
    from interlock.domain.notice import Notice
    from interlock.domain.output import Output, Taken
    from interlock.domain.parse import ChangePerMille, Domains, Folded, Hosts, Statements, Tables
    from interlock.domain.rate import Rate
    from interlock.domain.sureness import Sureness
    from interlock.domain.unwind import Unwind
    from interlock.sdk.client import Client
    from interlock.sdk.desk import AsyncDesk, Desk
    from interlock.sdk.lending import this_call
    from interlock.sdk.model_use import ModelUse
    from interlock.sdk.outcomes import (
        Denied,
        Done,
        Failed,
        Held,
        NotDone,
        Outcome,
        Pending,
        Refused,
        Shadowed,
        Unknown,
        Withheld,
    )
    from interlock.sdk.task import AsyncTask, SyncTask
    from interlock.sdk.ticket import Ticket
    from interlock.sdk.tool import NoEffect, Tool, tool
    from interlock.services.trying import Hypothesis
    from interlock.workbench.audits import Auditing, audit
    from interlock.workbench.policies import Policies, policies

_WHERE = {
    "interlock.bootstrap.connecting": ("open",),
    "interlock.domain.action": ("Action",),
    "interlock.domain.unwind": ("Unwind",),
    "interlock.sdk.desk": ("AsyncDesk", "Desk"),
    "interlock.domain.call": ("Call", "Landed"),
    "interlock.domain.contract": ("Blind", "Conditional", "Cost", "Keyed", "Lookup", "NoReversal", "Reversal"),
    "interlock.domain.duration": ("DAY", "HOUR", "MINUTE", "SECOND"),
    "interlock.domain.entry_proof": ("EntryProof",),
    "interlock.domain.errors": (
        "BudgetExceeded",
        "ChildrenFailed",
        "ContractError",
        "IntegrityError",
        "InterlockError",
        "NotAllowed",
        "NotFound",
        "PolicyError",
        "WorkspaceError",
    ),
    "interlock.domain.changing": ("Changing",),
    "interlock.domain.child_failure": ("ChildFailure",),
    "interlock.domain.notice": ("Notice",),
    "interlock.domain.output": ("Output", "Taken"),
    "interlock.domain.rate": ("Rate",),
    "interlock.domain.sureness": ("Sureness",),
    "interlock.domain.parse": ("ChangePerMille", "Domains", "Folded", "Hosts", "Statements", "Tables"),
    "interlock.sdk.client": ("Client",),
    "interlock.sdk.lending": ("this_call",),
    "interlock.sdk.model_use": ("ModelUse",),
    "interlock.sdk.outcomes": (
        "Denied",
        "Done",
        "Failed",
        "Held",
        "NotDone",
        "Outcome",
        "Pending",
        "Refused",
        "Shadowed",
        "Unknown",
        "Withheld",
    ),
    "interlock.sdk.task": ("AsyncTask", "SyncTask"),
    "interlock.sdk.ticket": ("Ticket",),
    "interlock.sdk.tool": ("NoEffect", "Tool", "tool"),
    "interlock.services.trying": ("Hypothesis",),
    "interlock.workbench.audits": ("Auditing", "audit"),
    "interlock.workbench.policies": ("Policies", "policies"),
}
_MODULE = {name: module for module, names in _WHERE.items() for name in names}

__all__ = [
    "DAY",
    "HOUR",
    "MINUTE",
    "SECOND",
    "Action",
    "AsyncDesk",
    "AsyncTask",
    "Auditing",
    "Blind",
    "BudgetExceeded",
    "Call",
    "ChangePerMille",
    "Changing",
    "ChildFailure",
    "ChildrenFailed",
    "Client",
    "Conditional",
    "ContractError",
    "Cost",
    "Denied",
    "Desk",
    "Domains",
    "Done",
    "EntryProof",
    "Failed",
    "Folded",
    "Held",
    "Hosts",
    "Hypothesis",
    "IntegrityError",
    "InterlockError",
    "Keyed",
    "Landed",
    "Lookup",
    "ModelUse",
    "NoEffect",
    "NoReversal",
    "NotAllowed",
    "NotDone",
    "NotFound",
    "Notice",
    "Outcome",
    "Output",
    "Pending",
    "Policies",
    "PolicyError",
    "Rate",
    "Refused",
    "Reversal",
    "Shadowed",
    "Statements",
    "Sureness",
    "SyncTask",
    "Tables",
    "Taken",
    "Ticket",
    "Tool",
    "Unknown",
    "Unwind",
    "Withheld",
    "WorkspaceError",
    "audit",
    "open",
    "policies",
    "this_call",
    "tool",
]


def __getattr__(name: str) -> object:
    """Load a public name from where it lives (PEP 562)."""
    if name not in _MODULE:
        raise AttributeError(f"module 'interlock' has no attribute '{name}'")
    value: object = getattr(import_module(_MODULE[name]), name)
    globals()[name] = value
    return value
