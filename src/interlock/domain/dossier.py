"""Everything a reviewer sees of one action that waits for people, the same for API, console and command line.

What is bound (`view`) is what a word is about: it may not change under the reviewer. Beside it stands what helps to decide
and may change at any moment: who has spoken, precedents, questions. `shown` is the digest of all of it, kept with the word.

Names, arguments, justification, notes and answers were written by agents and people: they are data, never markup.
"""

from typing import Literal

import msgspec

from interlock.domain.action import State
from interlock.domain.agent import Stage
from interlock.domain.approval import Handing, Query
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Contract, Effect, NoReversal, Reversal, Risk
from interlock.domain.diff import Row
from interlock.domain.duration import words as span
from interlock.domain.ids import ActionId, AgentName, ContractName, Digest, Person, TaskId
from interlock.domain.policy import Verdict
from interlock.domain.precedent import Precedents
from interlock.domain.record import Withheld
from interlock.domain.timeline import Moment

Verb = Literal["approve", "modify", "reject", "ask", "delegate", "take_back"]
VERBS: tuple[Verb, ...] = ("approve", "modify", "reject", "ask", "delegate", "take_back")


class Value(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An argument, or a fact."""

    name: str
    value: JsonValue
    text: str
    """The value as people read it."""
    data_class: str = ""
    """As the contract classes it: `personal`."""
    unit: str = ""
    """The currency whose minor units it counts; empty: it is no money."""


class Asking(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One policy, or rule of ours (`interlock.*`), because of which people are asked."""

    policy: str
    reason: str = ""
    """Its author's sentence."""
    why: tuple[str, ...] = ()
    """What of this very action satisfied it, in sentences; empty where that cannot be told any more."""
    owner: str = ""


class Need(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One requirement, and how far it is met."""

    role: str
    quorum: int
    policy: str
    agreed: int
    by: tuple[Person, ...] = ()
    """Who has agreed for it."""
    able: tuple[Person, ...] = ()
    """Who else can."""
    may_take: tuple[Person, ...] = ()
    """Who cannot, and may be handed it by who can."""


class Said(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One person's word so far."""

    person: Person
    verdict: Literal["approve", "reject"]
    roles: tuple[str, ...]
    decided_at: int
    note: str = ""
    counts: bool = True
    """Whether it is about the action as it now is."""


class Undo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How it is taken back."""

    possible: bool
    words: str
    contract: str = ""
    within_ms: int = 0
    """Counted from when it was done."""
    until_at: int | None = None
    """Of what is done: when the window closes."""
    approver: str = ""
    """The role that must agree to the undo."""


class May(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whether this person may do something with it."""

    verb: Verb
    allowed: bool
    why: str = ""
    """Why not, and whom to ask."""


class Dossier(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One action as one person sees it."""

    action: ActionId
    line: str
    """What it is, on one line."""
    contract: ContractName
    contract_digest: Digest
    version: str
    description: str
    effect: Effect | Literal[""]
    """As the contract says, as the two before it and the risk; empty of what was refused because there is no such contract."""
    risk: Risk | Literal[""]
    state: State
    state_words: str
    proposed_at: int
    withheld: Withheld = ""
    """Why nothing private of it is here."""

    agent: AgentName
    agent_purpose: str = ""
    release: Digest
    stage: Stage | Literal[""] = ""
    task: TaskId
    purpose: str
    """The task's."""
    initiator: str
    caller: str = ""
    """The instance that proposed it, by the thumbprint of its key."""

    justification: str
    verdict: Verdict | Literal[""] = ""
    reasons: tuple[str, ...] = ()
    policies: tuple[Asking, ...] = ()
    bundle: Digest = Digest("")
    unusual: tuple[str, ...] = ()
    """In what it departs from what is normal of this agent, in sentences."""
    confidence: int | None = None
    """Per mille."""
    confidence_words: str
    kpi: dict[str, int] = {}
    """What the agent says it will do to figures of the business."""

    arguments: tuple[Value, ...]
    facts: tuple[Value, ...] = ()
    parsed: tuple[Value, ...] = ()
    changes: tuple[Row, ...] = ()
    undo: Undo
    modified: tuple[Row, ...] = ()
    """Where a person put other arguments in place of those the agent asked for: what they made of them."""
    schema: dict[str, JsonValue] = {}
    """The JSON Schema of the arguments, for the form that modifies them."""

    needs: tuple[Need, ...] = ()
    words: tuple[Said, ...] = ()
    deadline: int | None = None
    questions: tuple[Query, ...] = ()
    handings: tuple[Handing, ...] = ()
    """Who handed their word to whom."""
    timeline: tuple[Moment, ...] = ()
    precedents: Precedents | None = None

    may: tuple[May, ...] = ()
    target: str = ""
    """Of critical risk: what must be typed with a yes, exactly. Empty where nothing needs to be."""
    target_name: str = ""
    """The argument it is the value of."""

    warning: str = ""
    """What this person should be told about how they decide."""
    view: Digest = Digest("")
    """Of what a word is about: name it with the word, and it is refused where that changed meanwhile."""
    shown: Digest = Digest("")
    """Of all of this as it was given to this person, the schema aside; it is kept with their word."""

    def may_do(self, verb: Verb) -> bool:
        """Whether the person may."""
        return any(each.verb == verb and each.allowed for each in self.may)

    def colleagues(self, person: Person | None) -> tuple[Person, ...]:
        """Whom `person` may hand it to, each once."""
        able = (who for need in self.needs for who in (*need.able, *need.may_take) if who != person)
        return tuple(dict.fromkeys(able))


def undo_of(contract: Contract | None, done_at: int | None) -> Undo:
    """How `contract`'s effect is taken back, if it was done at `done_at`, or was not done yet. Without a contract nothing was."""
    if contract is None:
        return Undo(possible=False, words="nothing to undo")
    match contract.reversal:
        case Reversal(contract=name, within_ms=within, approver=approver):
            return Undo(
                possible=True,
                words=reversal_words(contract),
                contract=name,
                within_ms=within,
                until_at=None if done_at is None else done_at + within,
                approver=approver or "",
            )
        case NoReversal() | None:
            return Undo(possible=False, words=reversal_words(contract))


def reversal_words(contract: Contract) -> str:
    """How a contract's effect is taken back, in words."""
    match contract.reversal:
        case Reversal(contract=name, within_ms=within):
            return f"undone by {name} within {span(within)}"
        case NoReversal(why=reason):
            return f"cannot be undone: {reason}"
        case None:
            return "nothing to undo"


def confidence_words(confidence: int | None) -> str:
    """How sure the agent is, in words. It is its own word: nothing has held it against outcomes."""
    if confidence is None:
        return "the agent does not say how sure it is"
    sure = next(word for least, word in _SURE if confidence >= least)
    return f"{sure} ({confidence // 10}.{confidence % 10} %), says the agent; its own word, not calibrated"


_SURE = ((950, "very sure"), (800, "sure"), (600, "rather sure"), (400, "undecided"), (0, "unsure"))
