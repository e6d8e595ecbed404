"""Erasing what is private about a person, or what was kept for long enough; and the holds that forbid it.

An erasure is proposed by one person and agreed to by another. Neither its record nor its entries keep whom it was about: the
record has a key of its own, and the last part of an erasure destroys that key too.
"""

import re
from collections.abc import Iterable, Mapping
from typing import ClassVar, Literal

import msgspec

from interlock.domain.action import SETTLED, Action
from interlock.domain.canonical import JsonValue
from interlock.domain.change import Unchanged
from interlock.domain.contract import Contract
from interlock.domain.errors import ContractError
from interlock.domain.evidence import Fact, Phase
from interlock.domain.ids import Digest, ErasureId, HoldId
from interlock.domain.record import Record, Withheld, digest_of
from interlock.domain.unwind import resolve

ErasureState = Literal["open", "erasing", "erased", "withdrawn"]
"""`erasing`: agreed to, and not yet carried out to its end; whoever comes next goes on with it."""
Basis = Literal["request", "retention", "again"]
"""A person's request, or that the time is over for which a class of data is kept; `again`: the first entry of it says on which,
and stands in a log that was lost. It is carried out on what was restored from before that."""


class Erasure(Record, frozen=True, kw_only=True, omit_defaults=True):
    """One proposal to erase."""

    kind: ClassVar[str] = "erasure"

    id: ErasureId
    basis: Basis
    subject: str = ""
    """Whose data: `customer:c-17`. Empty where a class is erased."""
    data_class: str = ""
    """Which class, where what is older than its time is erased."""
    before_at: int = 0
    """Of a class: what ended before this."""
    why: str = ""
    proposed_by: str
    """Of one that was proposed by the schedule, the first of the two who agree."""
    proposed_at: int
    scheduled: bool = False
    """Whether a worker proposed it, since the time of its class was over."""
    accepted_by: str = ""
    scope: str = ""
    """A digest of everything that it covers. Empty of one that an earlier version proposed, which covered what was found
    when it was carried out."""
    covers: dict[str, int] = {}
    """How many records of each kind that is."""
    state: ErasureState = "open"
    parts: int = 0
    """How many parts of it are done."""
    ended_at: int | None = None
    withheld: Withheld = ""

    @property
    def key(self) -> str:
        """Filed by id."""
        return self.id


class LegalHold(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What it names is not erased while it stands."""

    kind: ClassVar[str] = "legal_hold"

    id: HoldId
    subject: str = ""
    data_class: str = ""
    action: str = ""
    why: str
    placed_by: str
    placed_at: int
    lifted_by: str = ""
    lifted_at: int | None = None
    withheld: Withheld = ""

    @property
    def key(self) -> str:
        """Filed by id."""
        return self.id

    def covers(self, action: Action, subjects: frozenset[str], classes: frozenset[str]) -> bool:
        """Whether it forbids to erase `action`."""
        return self.lifted_at is None and (
            action.id == self.action or self.subject in subjects or self.data_class in classes
        )

    @property
    def words(self) -> str:
        """What it names."""
        return self.subject or self.action or f"class {self.data_class}"


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Some records to erase at once, and what the entry about it says. They must still be at the revision named."""

    erasure: ErasureId
    number: int
    """Counted from 1."""
    basis: Basis
    records: tuple[Unchanged, ...]
    consents: int
    observed_at: int
    holds: int | None = None
    """`placed` of the holds that were heeded: with others nothing is erased. None where none can be."""
    private: dict[str, JsonValue] = {}


def placed(holds: Iterable[LegalHold]) -> int:
    """A number that is another whenever one of all the holds there are was placed, lifted or erased."""
    return sum(each.revision for each in holds)


def subjects_of(*known: tuple[Contract | None, Action]) -> frozenset[str]:
    """Whom the data of an action is about, which is the first of `known`: whom its contract names, and for an undo that of
    the action it undoes; where neither names anybody, the initiator of its task."""
    action = known[0][1]
    found = frozenset[str]().union(*(_named(*each) for each in known))
    return found or frozenset((action.initiator,) if action.initiator else ())


def _named(contract: Contract | None, action: Action) -> set[str]:
    found: set[str] = set()
    for kind, path in (contract.subject if contract is not None else {}).items():
        try:
            value = resolve(path, {"$args": dict(action.arguments)})
        except ContractError:  # what was refused for its arguments may lack this one
            continue
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, str | int) and not isinstance(each, bool) and each != "":
                found.add(f"{kind}:{each}")
    return found


def speaks_of(subject: str, *texts: str) -> bool:
    """Whether one of `texts` has the name of `subject`: `customer:c-17`, or `c-17` as a word of its own, however it is written.
    A name without a letter would be found in any number; of such only the whole subject counts."""
    name = subject.partition(":")[2]
    wanted = [subject, name] if any(each.isalpha() for each in name) else [subject]
    words = "|".join(re.escape(each) for each in wanted)
    return bool(subject) and any(re.search(rf"(?<!\w)(?:{words})(?!\w)", each, re.IGNORECASE) for each in texts)


def unsettled(action: Action) -> bool:
    """Whether somebody still needs what is private of it: it waits, is in flight, or is being undone."""
    return action.state not in SETTLED or action.state in ("undoing", "undo_failed")


def erasure_fact(after: Erasure, phase: Phase, by: str, now: int) -> Fact:
    """The fact that an erasure, about to be saved as `after`, was moved by `by`. It does not say whom it is about."""
    private: dict[str, JsonValue] = {"by": by}
    if phase == "proposed":
        private |= {"why": after.why, "subject": after.subject}
    body: dict[str, JsonValue] = {"state": after.state, "basis": after.basis}
    if after.data_class:
        body["dataClass"] = after.data_class
    if after.scheduled:
        body["scheduled"] = True
    if after.scope:
        body |= {"scope": after.scope, "actions": after.covers.get(Action.kind, 0)}
    return Fact(
        phase=phase,
        subject="erasure",
        subject_id=after.id,
        subject_digest=_plain(after.id),
        observed_at=now,
        body=body,
        private=private,
    )


def erased_fact(part: Part, *, keys: Mapping[str, str], covers: str, actions: int, restored: bool = False) -> Fact:
    """The fact that a part of an erasure was carried out: which keys were destroyed, and the clear texts of which
    entries are gone with them. `restored`: it was carried out again, on a store restored from before it."""
    body: dict[str, JsonValue] = {
        "state": "erased",
        "basis": part.basis,
        "part": part.number,
        "consents": part.consents,
        "actions": actions,
        "keys": dict(keys),
        "covers": covers,
    }
    if restored:
        body["restored"] = True
    return Fact(
        phase="erased",
        subject="erasure",
        subject_id=part.erasure,
        subject_digest=_plain(part.erasure),
        observed_at=part.observed_at,
        body=body,
        private=part.private,
    )


def hold_fact(after: LegalHold, phase: Phase, by: str, now: int) -> Fact:
    """The fact that a hold was placed or lifted."""
    return Fact(
        phase=phase,
        subject="hold",
        subject_id=after.id,
        subject_digest=_plain(after.id),
        observed_at=now,
        body={"state": "lifted" if after.lifted_at is not None else "placed"},
        private={"by": by, "why": after.why, "names": after.words},
    )


class _Named(Record, frozen=True, kw_only=True):
    """What the digest of an entry's subject is over: its random id, and nothing that could be guessed."""

    kind: ClassVar[str] = "named"
    id: str


def _plain(name: str) -> Digest:
    return digest_of(_Named(id=name))
