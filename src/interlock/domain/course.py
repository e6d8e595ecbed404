"""What figures know of one action, one task, one use of a model: how it went, entry by entry, and what it counts for.

`after` takes the entries of one of them in the order of the log; `marks` says what it counts for as it stands. Figures are sums
of marks: when an entry changes what something counts for, the difference is added, in the hour in which it began. So the parts
of a figure are always about the same actions, and reading the log again gives the same figures.

What an entry says of persons is in its clear texts alone: what was erased says nothing of them.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from typing import Final, Literal

import msgspec

from interlock.domain.account import Told, listed, within
from interlock.domain.disclosure import DisclosureError, OpenValue
from interlock.domain.disclosure import parse as parse_disclosure
from interlock.domain.evidence import ms_of
from interlock.domain.exception_case import RAISE
from interlock.domain.vigilance import CODE

Ruling = Literal["", "approved", "rejected", "expired", "withdrawn", "denied", "known_bad"]
"""What became of what people were asked: `withdrawn` was stopped or undone meanwhile, `denied` by policy when it was asked
again, `known_bad` was put before them to see whether they notice; empty: they are still asked."""

RULED: Final[Mapping[str, Ruling]] = {
    "rejected": "rejected",
    "expired": "expired",
    "voided": "withdrawn",
    "aborting": "withdrawn",
    "denied": "denied",
    "refused": "denied",
}
ERRORS: Final = frozenset({"failed", "unknown", "undoing", "undone", "undo_failed"})
"""States that speak against having done it: it failed, nobody knows, or it was or is being taken back."""
BAD: Final = frozenset({"failed", "unknown", "undo_failed"})
"""States by which a task went wrong."""
ALIKE: Final = 5
"""So many alike must have been approved unchanged, one after the other, before one more may count as asked in vain."""
STEPS: Final = 8
"""Classes of durations for each doubling: a percentile is at most 9.1 % above the true one."""

_BOUNDS: Final = sorted({int(2 ** (n / STEPS)) for n in range(40 * STEPS + 1)})


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """One person's word on an action."""

    person: str
    """Empty where it cannot be read."""
    verdict: Literal["approve", "reject", "modify"]
    at: int


class Sighting(msgspec.Struct, frozen=True, kw_only=True):
    """What one entry says that figures need."""

    subject: Literal["action", "task", "use"]
    id: str
    seq: int
    """Which of its action's facts; 0: it is none of the numbered ones."""
    at: int
    phase: str
    state: str
    agent: str = ""
    release: str = ""
    contract: str = ""
    task: str = ""
    began_at: int | None = None
    undoes: bool = False
    policies: tuple[str, ...] = ()
    """Which decided."""
    codes: tuple[str, ...] = ()
    """Of our own rules."""
    asks: tuple[str, ...] = ()
    """The policies for which people are asked."""
    sure: int | None = None
    """How sure the agent said it is, in tenths: 9 is 90 % or more."""
    word: Word | None = None
    cost: int = 0
    """Of a use that is over, in `USD.micro`."""


class Course(msgspec.Struct, frozen=True, kw_only=True):
    """One action as far as the log tells. Times are UTC ms."""

    id: str
    began_at: int
    agent: str
    release: str
    contract: str
    task: str
    undoes: bool = False
    state: str = ""
    blocked_by: tuple[str, ...] = ()
    """The policies that denied it, or the rules of ours that refused it."""
    asked_at: int | None = None
    asked_by: tuple[str, ...] = ()
    ruling: Ruling = ""
    ruled_at: int | None = None
    modified: bool = False
    alike: int = 0
    """How many alike had been approved unchanged, one right after the other, when this one was ruled on."""
    sure: int | None = None
    took_ms: int | None = None
    """From its proposal to what came of it, where no person was asked."""

    @property
    def kind(self) -> tuple[str, tuple[str, ...]]:
        """What those alike share: the contract, and the policies for which people are asked."""
        return self.contract, self.asked_by

    @property
    def waited_ms(self) -> int | None:
        """How long people were asked."""
        if self.asked_at is None or self.ruled_at is None:
            return None
        return max(self.ruled_at - self.asked_at, 0)

    @property
    def error(self) -> bool:
        """Whether it was approved and should not have been: see `ERRORS`."""
        return self.ruling == "approved" and self.state in ERRORS

    @property
    def in_vain(self) -> bool:
        """Whether asking was in vain, as far as one can say: it was approved as it was and went well, and so were all of the
        `ALIKE` before it."""
        if self.contract == RAISE:
            return False  # what an agent cannot settle by itself is answered, not only allowed
        return self.ruling == "approved" and not self.modified and self.state == "done" and self.alike >= ALIKE


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """One task as far as the log tells."""

    id: str
    began_at: int
    agent: str
    release: str
    bad: bool = False
    """Whether an action in it failed, or nobody knows what became of one."""


def seen(told: Told, disclosures: Iterable[str]) -> Sighting | None:
    """What figures need of an entry; None where that is nothing."""
    said = told.predicate
    match told.subject:
        case "action" if told.action:
            return Sighting(
                subject="action",
                id=told.action,
                seq=told.seq,
                at=ms_of(told.at),
                phase=told.phase,
                state=told.state,
                agent=str(within(said, "agent", "id")),
                release=str(within(said, "agent", "release")),
                contract=str(within(said, "resource", "id")),
                task=str(within(said, "taskId")),
                began_at=ms_of(str(within(said, "times", "receivedAt"))) or None,
                undoes=bool(within(said, "compensation", "undoes")),
                policies=_texts(listed(said, "decision", "policies")),
                codes=_texts(listed(said, "reasonCodes")),
                asks=_texts(within(each, "policy") for each in listed(said, "hold", "requirements")),
                sure=_tenths(within(said, "confidence", "perMille")),
                word=_word(told, disclosures),
            )
        case "task" if told.phase == "opened":
            return Sighting(
                subject="task",
                id=told.name.rpartition(":")[2],
                seq=0,
                at=ms_of(told.at),
                phase=told.phase,
                state=told.state,
                agent=str(within(said, "agent", "id")),
                release=str(within(said, "agent", "release")),
            )
        case "use" if told.state in ("settled", "lost"):
            return Sighting(
                subject="use",
                id=told.name.rpartition(":")[2],
                seq=0,
                at=ms_of(told.at),
                phase=told.phase,
                state=told.state,
                agent=str(within(said, "agent", "id")),
                release=str(within(said, "agent", "release")),
                cost=_cost(disclosures),
            )
        case _:
            return None


def after(course: Course | None, seen: Sighting, alike: int = 0) -> Course:
    """An action's course after one more entry; None before the first. `alike`: how many of its kind were approved unchanged
    one after the other until now."""
    if course is None:
        course = Course(
            id=seen.id,
            began_at=seen.began_at or seen.at,
            agent=seen.agent,
            release=seen.release,
            contract=seen.contract,
            task=seen.task,
            undoes=seen.undoes,
            sure=seen.sure,
        )
    if not seen.seq:
        return course
    now = msgspec.structs.replace(course, state=seen.state)
    if seen.state in ("denied", "refused"):
        now = msgspec.structs.replace(now, blocked_by=seen.policies or seen.codes or course.blocked_by)
    if seen.state == "held" and seen.asks:
        asked_at = seen.at if course.asked_at is None else course.asked_at
        now = msgspec.structs.replace(
            now, asked_at=asked_at, asked_by=tuple(sorted({*seen.asks})), ruling="", ruled_at=None
        )
    if seen.phase == "modified" and course.contract != RAISE:
        now = msgspec.structs.replace(now, modified=True)
    if now.asked_at is not None and now.ruled_at is None and now.state != "held":
        ruling = "known_bad" if CODE in seen.codes else RULED.get(now.state, "approved")
        now = msgspec.structs.replace(now, ruling=ruling, ruled_at=seen.at, alike=alike)
    if now.asked_at is None and now.took_ms is None and now.state in ("done", "failed"):
        now = msgspec.structs.replace(now, took_ms=max(seen.at - now.began_at, 0))
    return now


def verdict_on(course: Course, word: Word) -> Literal["approve", "reject", "modify"]:
    """What a word came to: the answer to an exception is what was asked for, and no change of it."""
    return "approve" if word.verdict == "modify" and course.contract == RAISE else word.verdict


def streak(before: Course | None, now: Course, alike: int) -> int | None:
    """How many of a kind were approved unchanged one after the other, once this one was ruled on; None where it was not."""
    if not now.ruling or (before is not None and before.ruling):
        return None
    if now.ruling in ("withdrawn", "denied", "known_bad"):
        return alike
    return alike + 1 if now.ruling == "approved" and not now.modified else 0


def marks(course: Course) -> dict[str, int]:
    """What an action counts for as it stands. One that undoes another is no proposal of its agent, nor is one known to be bad."""
    if course.undoes:
        return {"undos": 1}
    if course.ruling == "known_bad":
        return {"known_bad": 1}
    found = {"proposed": 1, f"in:{course.state}": 1}
    if course.asked_at is not None:
        found["asked"] = 1
        found |= {f"for:{policy}": 1 for policy in course.asked_by}
    found |= {f"by:{policy}": 1 for policy in course.blocked_by}
    if course.sure is not None and course.ruling in ("approved", "rejected"):
        right = course.ruling == "approved" and not course.modified and not course.error
        found[f"sure:{course.sure}:{'right' if right else 'wrong'}"] = 1
    if course.took_ms is not None:
        found[f"took:{duration_class(course.took_ms)}"] = 1
    return found


def marks_of_piece(piece: Piece) -> dict[str, int]:
    """What a task counts for as it stands."""
    return {"tasks": 1, "bad": 1} if piece.bad else {"tasks": 1}


def duration_class(ms: int) -> int:
    """The class of a duration; `most_ms` of it is not below the duration, up to 35 years."""
    return min(bisect_left(_BOUNDS, ms), len(_BOUNDS) - 1)


def most_ms(number: int) -> int:
    """The longest duration of a class."""
    return _BOUNDS[number]


def percentile(classes: Mapping[int, int], share: float) -> int | None:
    """The duration within which this share of them lies, in ms: the longest of its class. None where there are none."""
    total, passed = sum(classes.values()), 0
    for number in sorted(classes):
        passed += classes[number]
        if total and passed >= share * total:
            return most_ms(number)
    return None


def _word(told: Told, disclosures: Iterable[str]) -> Word | None:
    verdict = {"approved": "approve", "rejected": "reject", "modified": "modify"}.get(told.phase)
    if verdict is None:
        return None
    person = ""
    for name, value in _opened(disclosures):
        # Each is a person and the person's note.
        if name == "approvers" and isinstance(value, list) and value and isinstance(value[-1], list) and value[-1]:
            person = str(value[-1][0])
    return msgspec.convert({"person": person, "verdict": verdict, "at": ms_of(told.at)}, Word)


def _cost(disclosures: Iterable[str]) -> int:
    for name, value in _opened(disclosures):
        amount = value.get("amount") if name == "cost" and isinstance(value, dict) else None
        if type(amount) is int and amount > 0:
            return amount
    return 0


def _tenths(per_mille: object) -> int | None:
    return min(per_mille // 100, 9) if type(per_mille) is int and per_mille >= 0 else None


def _opened(disclosures: Iterable[str]) -> Iterable[tuple[str, OpenValue]]:
    for text in disclosures:
        try:
            opened = parse_disclosure(text)
        except DisclosureError:
            continue
        yield opened.name, opened.value


def _texts(values: Iterable[object]) -> tuple[str, ...]:
    return tuple(each for each in values if isinstance(each, str) and each)
