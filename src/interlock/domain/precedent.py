"""How cases like this one were decided, and what came of them.

Near is what has near arguments: numbers by their ratio, texts by their words, lists by what they share. Which record each was
about counts for nothing: every refund is of another return. Near says nothing of right: a precedent is shown, never counted
as a word.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Literal

import msgspec

from interlock.domain.action import Action, State
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Contract
from interlock.domain.diff import between
from interlock.domain.ids import ActionId, AgentName
from interlock.domain.vigilance import turned_out

SHOWN: Final = 5
NEAR: Final = 700
"""Per mille of likeness from which on a case counts as like this one."""

Ruling = Literal["approved", "modified", "rejected", "expired"]


class Precedent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One decided case."""

    action: ActionId
    agent: AgentName
    likeness: int
    """Per mille: 1000 is the very same arguments."""
    ruling: Ruling
    decided_at: int
    roles: tuple[str, ...] = ()
    """Of those who decided. Who they were is told in the case itself."""
    state: State
    """What became of it: `done`, `failed`, and `undone` or `undo_failed` where it was taken back later."""
    differs: tuple[str, ...] = ()
    """In what it differs: `amount_minor 2500, here 2600`."""
    same_policies: bool = True
    """Whether the same policies asked."""
    note: str = ""


class Precedents(msgspec.Struct, frozen=True, kw_only=True):
    """The nearest cases, and how all that are like this one went."""

    cases: tuple[Precedent, ...]
    like: int
    """How many decided cases are like this one, of the `looked` newest that were looked at."""
    looked: int
    approved: int
    """Of those like it, as proposed."""
    modified: int
    rejected: int
    expired: int
    failed: int
    """Of those approved or modified: failed, or nobody knows."""
    reversed: int
    """Of those approved or modified: taken back later, or tried to be."""
    words: str
    """`38 of 40 like it were approved, 1 of them was taken back later`."""


def ruling_of(action: Action) -> tuple[Ruling, int] | None:
    """How people decided on `action`, and when; None where nobody did, or nobody was asked."""
    if action.hold is None or action.withheld or action.undoes is not None or turned_out(action):
        return None
    if action.state == "expired":
        return "expired", action.ended_at or action.hold.expires_at
    said = action.hold.words
    if action.state == "rejected" and said:
        return "rejected", said[-1].decided_at
    if action.state in ("held", "denied", "voided", "rejected") or not said:
        return None
    return ("modified" if action.hold.requested is not None else "approved"), said[-1].decided_at


def precedents(action: Action, contract: Contract, decided: Iterable[Action]) -> Precedents:
    """The cases among `decided` (of the same contract, newest first) nearest to `action`."""
    found: list[tuple[int, bool, int, Action, Ruling]] = []
    for other in decided:
        ruled = ruling_of(other)
        if other.id == action.id or ruled is None:
            continue
        same = _asking(other) == _asking(action)
        near = likeness(_beside_records(contract, action.arguments), _beside_records(contract, other.arguments))
        found.append((near, same, ruled[1], other, ruled[0]))
    found.sort(key=lambda each: (-each[0], not each[1], -each[2]))
    like = [each for each in found if each[0] >= NEAR]
    told = {
        each: sum(ruling == each for *_, ruling in like) for each in ("approved", "modified", "rejected", "expired")
    }
    ran = [other for *_, other, ruling in like if ruling in ("approved", "modified")]
    failed = sum(other.state in ("failed", "unknown") for other in ran)
    back = sum(other.state in ("undoing", "undone", "undo_failed") for other in ran)
    return Precedents(
        cases=tuple(_case(*each, action=action, contract=contract) for each in found[:SHOWN]),
        like=len(like),
        looked=len(found),
        approved=told["approved"],
        modified=told["modified"],
        rejected=told["rejected"],
        expired=told["expired"],
        failed=failed,
        reversed=back,
        words=_words(len(like), len(found), told, failed, back),
    )


def _beside_records(contract: Contract, arguments: Mapping[str, JsonValue]) -> Mapping[str, JsonValue]:
    """The arguments that do not name a record; all of them where each does."""
    naming = {path.removeprefix("$args.") for path in (*contract.touches.values(), *contract.subject.values())}
    return {name: value for name, value in arguments.items() if name not in naming} or arguments


def likeness(left: Mapping[str, JsonValue], right: Mapping[str, JsonValue]) -> int:
    """How near two sets of arguments are, per mille; every name counts alike."""
    names = {*left, *right}
    if not names:
        return 1000
    return sum(_near(left.get(name), right.get(name)) for name in names) // len(names)


def _near(left: JsonValue, right: JsonValue) -> int:
    if left == right and type(left) is type(right):
        return 1000
    if isinstance(left, bool) or isinstance(right, bool):
        return 0
    if isinstance(left, int) and isinstance(right, int):
        if (left < 0) != (right < 0):
            return 0
        low, high = sorted((abs(left), abs(right)))
        return 1000 * (low + 1) // (high + 1)
    if isinstance(left, str) and isinstance(right, str):
        mine, others = set(left.split()), set(right.split())
        return 1000 * len(mine & others) // max(len(mine | others), 1)
    if isinstance(left, list) and isinstance(right, list):
        ours, theirs = ({msgspec.json.encode(each, order="sorted") for each in side} for side in (left, right))
        return 1000 * len(ours & theirs) // max(len(ours | theirs), 1)
    if isinstance(left, dict) and isinstance(right, dict):
        return likeness(left, right)
    return 0


def _asking(action: Action) -> frozenset[str]:
    return frozenset(() if action.decision is None else action.decision.because)


def _case(
    near: int, same: bool, decided_at: int, other: Action, ruling: Ruling, *, action: Action, contract: Contract
) -> Precedent:
    words = () if other.hold is None else other.hold.approvals
    return Precedent(
        action=other.id,
        agent=other.agent,
        likeness=near,
        ruling=ruling,
        decided_at=decided_at,
        roles=tuple(sorted({role for word in words for role in word.roles})),
        state=other.state,
        differs=tuple(
            f"{row.name} {row.before_text or 'nothing'}, here {row.after_text or 'nothing'}"
            for row in between(contract, other.arguments, action.arguments)
        ),
        same_policies=same,
        note=words[-1].note if words else "",
    )


def _words(like: int, looked: int, told: Mapping[str, int], failed: int, back: int) -> str:
    if not looked:
        return "nobody has decided on one of these before"
    if not like:
        return (
            "the one decided before is not like it"
            if looked == 1
            else f"none of the {looked} decided before is like it"
        )
    yes = told["approved"]
    said = [f"{yes} of {like} like it {'was' if yes == 1 else 'were'} approved as proposed"]
    said += [
        f"{told[each]} {'was' if told[each] == 1 else 'were'} {word}"
        for each, word in (("modified", "modified"), ("rejected", "rejected"), ("expired", "left unanswered"))
        if told[each]
    ]
    if failed:
        said.append(f"{failed} failed afterwards")
    if back:
        said.append(f"{back} {'was' if back == 1 else 'were'} taken back later")
    return ", ".join(said)
