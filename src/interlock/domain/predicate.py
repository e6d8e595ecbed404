"""What an entry about an action says, field by field: the types of `action/v1`, which are also its JSON Schema.

An action's entries together are its account, and none repeats what an earlier one said: the first tells who acts, on whose
behalf and as what; later ones only what became so since. Absent means: as last said, or nothing to say.
"""

from typing import Literal

import msgspec

from interlock.domain.baseline import Unusual

Observed = Literal["occurred", "none", "unknown"]
Agreement = Literal["agree", "disagree", "not-exercised", "indeterminate"]


class Part(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True, forbid_unknown_fields=True):
    """A part of a predicate. What is at its default is not written."""


class Behaviour(Part, frozen=True, kw_only=True):
    """Which agent acted, and as which version of its behaviour."""

    id: str
    """The agent's name."""
    release: str
    """Digest over all of the behaviour below, and the contracts."""
    model: str = ""
    """The model's name, as the agent file has it."""
    components: dict[str, str] = {}
    """SHA-256 of each part: `prompt`, `model` (with its parameters), `policy` (the bundle the release was formed under),
    `tools` (the contracts by digest), `memory`, `escalation`, `runtime` (limits)."""


class Resource(Part, frozen=True, kw_only=True):
    """The tool."""

    kind: Literal["tool"]
    id: str
    """The contract's name; `?` where there is no such contract: the name it was asked for by stands behind `reasons`."""
    schema_digest: str
    """Digest of the contract; empty where no contract was found."""


class Input(Part, frozen=True, kw_only=True):
    """One thing the decision leaned on, and how fresh it was."""

    input: Literal["orders", "task", "facts", "budget"]
    """`orders`: agents, contracts, policies, people and brakes in force."""
    revision: int = 0
    """The record decided under. Written only if it still was the current one in that very transaction."""
    last_result: str = ""
    """When it was read, where it is not a record of ours."""
    age_ms: int
    """How old it was when this entry was made."""


class Evaluation(Part, frozen=True, kw_only=True):
    """Whether the policies could be asked at all, and on what."""

    status: Literal["evaluated", "not-evaluated"]
    inputs: list[Input] = []


class Decided(Part, frozen=True, kw_only=True):
    """What policy said."""

    reported: Literal["allow", "oblige", "require_approval", "escalate", "shadow", "deny"]
    policy_digest: str
    """The bundle asked."""
    policies: list[str]
    """The policies that decided, and rules of ours (`interlock.*`)."""
    at: str
    """When they were asked."""
    stage: str = ""
    """How far the release may act by itself with this contract."""
    unusual: list[Unusual] = []
    """In what it departed from the agent's baseline in force, where there is one."""
    would_be: str = ""
    """With `shadow`: what it would have been outside shadow."""
    obligations: list[str] = []
    """What must be done with it, as the policies word it."""
    candidates: list[str] = []
    """Policies on trial that were satisfied."""
    failing: list[str] = []
    """Policies on trial that could not be evaluated."""
    evaluation: Evaluation | None = None


class Asked(Part, frozen=True, kw_only=True):
    """One requirement of a hold."""

    role: str
    quorum: int
    policy: str
    delegate: list[str] = []
    """Whom it may be handed to beside those who hold the role: other roles, or `anyone`."""


class HoldStep(Part, frozen=True, kw_only=True):
    """What happens at a moment at which nobody has answered yet."""

    at: str
    what: Literal["remind", "escalate", "overdue"]
    """`escalate`: whoever holds `role` may answer from then on as well. `overdue`: it stays open, late."""
    role: str = ""
    policy: str = ""
    """Whose question it is."""


class Held(Part, frozen=True, kw_only=True):
    """What people are asked."""

    binding: str
    """Digest of all that a word is about: action, contract, release, bundle, requirements, expiry and view."""
    view: str
    """Digest of exactly what a reviewer is shown."""
    expires_at: str
    """Until when a word counts; silence is a no."""
    requirements: list[Asked]
    steps: list[HoldStep] = []
    """What happens while nobody answers. It is part of what `binding` is over."""
    walked: int = 0
    """How many of them had come to pass when this was asked."""


class Word(Part, frozen=True, kw_only=True):
    """One person's word. The name and the note stand behind the commitment `approvers`."""

    verdict: Literal["approve", "reject"]
    binding: str
    """The one it was given for."""
    roles: list[str]
    """Those the person held."""
    glass: str = ""
    """By which broken glass they held some of these: the id of its `glass_broken` entry."""
    lent: list[str] = []
    """Those of these roles in which somebody who holds them handed the question on, by an entry `delegated` before: they count
    for what may be handed to such as them."""
    decided_at: str
    """When it was given."""
    shown: str = ""
    """Digest of the dossier that the person was last shown, which stands behind `dossier` of an entry `shown`."""


class Attempt(Part, frozen=True, kw_only=True):
    """The intent to touch the world, written before it is touched."""

    number: int
    """0: a two-phase tool reserves."""
    fence: int
    """Goes up with every lease: a target that takes fences refuses a lower one."""
    at: str = ""
    """When it was written: dispatched."""


class Effect(Part, frozen=True, kw_only=True):
    """What was observed downstream."""

    observed: Observed
    by: Literal["tool", "lookup", "person", "gate"]
    """`gate`: nobody was asked to do it. It never left the gate, or was reserved and released before it was to be done."""
    at: str
    """When it was observed."""
    verified: bool | None = None
    """What the contract's postcondition said; absent where there is none, or no answer."""


class Place(Part, frozen=True, kw_only=True):
    """Something that was taken of a result."""

    path: str
    """JSON pointer. A step is a name that the contract's result schema says, or `*`."""
    kind: str
    """`dropped`, `field`, a kind of personal data or of secret; `unreadable`: the result could not be looked through."""
    places: int
    """In how many places of that path."""


class Given(Part, frozen=True, kw_only=True):
    """What the agent was given of the result, where that is not all of it."""

    before: str
    """SHA-256 over the canonical JSON of `{"result": ..., "salt": ...}`: what the tool gave back, and `outputSalt`. Empty: it
    was no JSON."""
    after: str
    """The same over what the agent got, which is `toolResult`."""
    taken: list[Place]
    withheld: bool = False
    """Nothing of it was given."""


class Origin(Part, frozen=True, kw_only=True):
    """Where what the tool gave back came from, where that is no tool of the workspace's own."""

    kind: Literal["mcp"]
    """A server of the Model Context Protocol."""
    name: str
    """Its name in the workspace."""
    trusted: bool = False
    """Whether the workspace says that its word counts as our own systems'."""


class Undo(Part, frozen=True, kw_only=True):
    """How it can be undone, and whether it was."""

    hook: str = ""
    """The contract that undoes it."""
    within_ms: int = 0
    """How long after it was done."""
    deadline: str = ""
    """Until when, once it is done. After it `armed` means expired."""
    state: Literal["", "none", "armed", "running", "run", "failed", "impossible"] = ""
    """`none`: nothing was done yet. Absent in the entries of an undo itself."""
    ref: str = ""
    """The action that undoes it."""
    attempt: int = 0
    """Which try at undoing it."""
    undoes: str = ""
    """Of an undo: the action it undoes."""


class Sure(Part, frozen=True, kw_only=True):
    """How sure the agent says it is."""

    per_mille: int
    said_by: Literal["agent"]


class ActionBody(Part, frozen=True, kw_only=True):
    """What a fact about an action says in the open, beside what every entry has (`Common`)."""

    state: str
    """The action's state after this."""
    request_id: str = ""
    """Of the request that proposed it."""
    task_id: str = ""
    """The task it was done in, whose own entries say more of it."""
    delegation: list[str] = []
    """The tasks from the first that was opened down to this one; absent where that is this one."""
    agent: Behaviour | None = None
    instance: str = ""
    """Which running instance of the agent: the RFC 7638 thumbprint of its key. It proved that it holds the key."""
    credential: str = ""
    """The `jti` of its credential."""
    attested: str = ""
    """By what the instance was recognised: `local` is whoever can read the key folder."""
    proof: str = ""
    """SHA-256 of the signing input of its proof of possession, which is in no other action's entries; or the mark of an item
    known to be bad, which nobody proposed (`opens`)."""
    token: str = ""
    """The `jti` of the last task token it showed; absent where the task was not handed on."""
    resource: Resource | None = None
    action_digest: str = ""
    """SHA-256 over tool, contract, arguments and nonce: what approvals are bound to. Said again when arguments change."""
    data_classes: dict[str, str] = {}
    """Data class by name of the argument or result, as the contract has them."""
    confidence: Sure | None = None
    traceparent: str = ""
    """W3C Trace Context."""
    decision: Decided | None = None
    reason_codes: list[str] = []
    """Codes of our own rules. Sentences stand behind the commitment `reasons`."""
    hold: Held | None = None
    walked: int | None = None
    """How many of the steps of the hold have come to pass: of `reminded`, `escalated` and `overdue`."""
    approvals: list[Word] = []
    """The word this entry is about."""
    attempt: Attempt | None = None
    effect: Effect | None = None
    output: Given | None = None
    """Absent: what the tool gave back is what the agent got, and is `toolResult`."""
    source: Origin | None = None
    agreement: Agreement | None = None
    """Follows from the decision and the effect: see `agreement`."""
    compensation: Undo | None = None
    opens: str = ""
    """Only in the entry that ends an item known to be bad, which was put before people to see whether they notice: what opens the
    mark that its first entry has for a `proof`. The mark is SHA-256 over `interlock: known to be bad`, a zero byte and this."""
    does_not_assert: list[str] = []
    """Said once, of all entries of the action."""


def agreement(*, permitted: bool, observed: Observed) -> Agreement:
    """Whether what was observed is what was decided, as draft-gilda-audit-agent-audit-record derives it."""
    if observed == "unknown":
        return "indeterminate"
    if not permitted:
        return "agree" if observed == "none" else "disagree"
    return "agree" if observed == "occurred" else "not-exercised"
