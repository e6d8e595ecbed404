"""What agents' programs send to `/v1/agent`, and what they are given that is no type of its own: nothing in it that only the gate
may say of a call."""

from typing import Annotated, Final

import msgspec

from interlock.domain.canonical import JsonValue
from interlock.domain.claimed import Report
from interlock.domain.grant import Grant
from interlock.domain.handover import Opened
from interlock.domain.ids import AgentName, ContractName, Digest, TaskId
from interlock.domain.presented import Presented
from interlock.domain.selector import Selector
from interlock.domain.use import TokenCount

LONGEST_MS: Final = 20_000
"""How long one request waits for news at most; whoever waits longer asks again, and shows anew who asks. The proof names it."""
_NAME: Final = msgspec.Meta(min_length=1, max_length=200)
OfAgent = Annotated[AgentName, _NAME]
OfContract = Annotated[ContractName, _NAME]
OfTask = Annotated[TaskId, _NAME]
Words = Annotated[str, msgspec.Meta(max_length=10_000)]


class Shown(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What shows who makes the call."""

    credential: str
    proof: str
    chain: tuple[str, ...] = ()

    def presented(self) -> Presented:
        """As the services take it."""
        return Presented(credential=self.credential, proof=self.proof, chain=self.chain)


class Expecting(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of which agent."""

    agent: OfAgent


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """Worth nothing without the key it names."""

    credential: str


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """Of a task."""

    token: str


class Begin(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A task to be opened. See `Opening`."""

    shown: Shown
    agent: OfAgent
    purpose: Words
    initiator: Words = ""
    lasts_ms: int | None = None
    budgets: dict[str, int] = {}
    prohibited: tuple[ContractName, ...] = ()
    tools: Grant | None = None
    data: Selector | None = None
    parent: OfTask | None = None
    """The task around it."""
    plan: Words = ""
    run: Words = ""
    id: OfTask | None = None
    """Its id, of the program's making, in the form of ids: asked once more, it is the same task."""


class Proving(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A call that brings nothing but who makes it."""

    shown: Shown


class Resuming(Proving, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of which agent the task is."""

    agent: OfAgent


class Ending(Proving, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What ended it, if that failed."""

    failure: Words = ""


class Looking(Proving, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """At which of the tasks inside; None: all."""

    children: frozenset[TaskId] | None = None


class Chained(Proving, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A chain of tokens that is to be opened."""

    asked: Opened


class Call(Proving, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A tool's call, or the use of a model. See `Proposal`."""

    task: OfTask
    contract: OfContract
    arguments: dict[str, JsonValue]
    idempotency_key: str | None = None
    justification: Words = ""
    confidence: Annotated[int, msgspec.Meta(ge=0, le=1000)] | None = None
    traceparent: Words = ""
    kpi: dict[str, int] = {}
    request: Words = ""
    expected: Digest | None = None
    unfit: Words = ""


class Waiting(Proving, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long, and in what task it was given, where that is another than the action's."""

    timeout_ms: Annotated[int, msgspec.Meta(ge=0, le=LONGEST_MS)] = 0
    within: OfTask | None = None


class Claiming(Proving, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Under which id: asked once more under it, the call is the same."""

    claim: Annotated[str, _NAME]


class Reporting(Claiming, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What came of a call that was claimed."""

    report: Report


class ProofWanted(Proving, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Under which checkpoint."""

    anchored: bool = False
    within: OfTask | None = None


class Settled(Proving, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a use took; None: nobody can say."""

    used: TokenCount | None
