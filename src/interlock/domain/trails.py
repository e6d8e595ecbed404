"""The trail of each action through the log: what its entries may say one after the other, whoever signed them.

An action moves as `action.MOVES` allows, is `done` or `unknown` only after an intent to act was recorded, and leaves `held`
only with enough words that are bound to what was shown. What turns out to have been an item known to be bad was marked so from
the first, and did nothing but wait. The gate keeps to this when it writes; that it did, its entries show, even to who must reckon
with a gate whose key was stolen.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Literal, NamedTuple

import msgspec

from interlock.domain.action import MOVES, NEW, State
from interlock.domain.approval import spoken_in
from interlock.domain.evidence import Entry
from interlock.domain.ids import ActionId
from interlock.domain.statement import Said, stated
from interlock.domain.vigilance import mark_of

_LEFT: Final[frozenset[State]] = frozenset({"ready", "preparing", "dispatching"})
"""Where an action goes from `held` once enough people agreed."""


class Trail(NamedTuple):
    """What the log says of an action in the end: how many numbered facts there are, and its state in the last of them."""

    entries: int
    state: str
    intended: bool = False
    """Whether an intent to act was recorded."""


class _Need(msgspec.Struct, frozen=True):
    role: str
    quorum: int
    policy: str = ""
    delegate: tuple[str, ...] = ()


class _Step(msgspec.Struct, frozen=True):
    at: str
    what: str
    role: str = ""
    policy: str = ""


class _Hold(msgspec.Struct, frozen=True):
    binding: str
    requirements: tuple[_Need, ...]
    steps: tuple[_Step, ...] = ()
    walked: int = 0


class _Word(msgspec.Struct, frozen=True):
    verdict: str
    binding: str
    roles: tuple[str, ...]
    lent: tuple[str, ...] = ()

    def counts_for(self, need: _Need, roles: set[str]) -> bool:
        """Whether it was spoken in one of `roles`, held, or lent where that may be handed to such as them."""
        return spoken_in(roles, self.roles, self.lent, need.delegate)


class _Asked(NamedTuple):
    """What people are asked about an action that is held, and who agreed so far."""

    hold: _Hold
    agreed: tuple[_Word, ...] = ()
    walked: int = 0
    """How many of the hold's steps came to pass."""
    proof: str = ""
    """What the first entry names as the digest of the proof of the call."""
    handed: bool = False
    """Whether somebody handed it on."""


_hold: Final = msgspec.json.Decoder(_Hold)
_words: Final = msgspec.json.Decoder(tuple[_Word, ...])
NOWHERE: Final = Trail(0, "")
"""Of an action that the log has not heard of."""


def _reachable(state: State | Literal["new"], *, without: State | None = None) -> frozenset[str]:
    """The states that some moves lead to from `state`. Not every move leaves a fact of its own."""
    seen: set[State] = set()
    todo: list[State | Literal["new"]] = [state]
    while todo:
        for each in MOVES[todo.pop()].values():
            if each not in seen and each != without:
                seen.add(each)
                todo.append(each)
    return frozenset(seen)


_AFTER: Final[Mapping[str, frozenset[str]]] = {"" if each == NEW else each: _reachable(each) for each in MOVES}
TOUCHED: Final = _AFTER[""] - _reachable(NEW, without="dispatching") - {"dispatching"}
"""No action is in these unless its intent to act was recorded before."""


class Trails:
    """Follows every action through the entries of a log, in order. One small value an action is kept, nothing an entry."""

    def __init__(self) -> None:
        self.of: dict[ActionId, Trail] = {}
        self._asked: dict[ActionId, _Asked] = {}
        self._alike: dict[Trail, Trail] = {}
        self._known_bad: set[ActionId] = set()

    def follow(self, subject: str, said: Said) -> list[str]:
        """What is wrong with what an entry about `subject` says of its action. What is number 0 stands beside the others."""
        if said.action_id is None:
            return []
        action = ActionId(said.action_id)
        if action in self._known_bad:
            return [f"action `{action}` was known to be bad and is over, and this is said of it"]
        if not said.action_seq:
            return []
        state = str(said.state)
        before = self.of.get(action, NOWHERE)
        intended = before.intended or said.phase == "dispatching"
        now = Trail(said.action_seq, state, intended)
        # Actions end in few ways: sharing them keeps a million of them small.
        self.of[action] = self._alike.setdefault(now, now)
        problems: list[str] = []
        if subject.rpartition(":")[2] != action:
            problems.append(f"it is about `{subject}`, and says it is of action `{action}`")
        if said.action_seq != before.entries + 1:
            problems.append(f"it is fact {said.action_seq} of action `{action}`, after fact {before.entries}")
        elif state not in _AFTER.get(before.state, ()) and not (before.entries and state == before.state):
            was = before.state if before.entries else "not there"
            problems.append(f"action `{action}` is {state}, which cannot follow on {was}")
        elif state in TOUCHED and not intended:
            problems.append(f"action `{action}` is {state} without a recorded intent to act")
        else:
            problems += self._opened(action, said, before, intended=intended)
            problems += self._words(action, said, before)
        return problems

    def _opened(self, action: ActionId, said: Said, before: Trail, *, intended: bool) -> list[str]:
        """An item known to be bad goes from `held` to its end, and nobody calls one what was not marked as one."""
        if said.opens is None:
            return []
        self._known_bad.add(action)
        asked = self._asked.get(action)
        if intended or before.state != "held" or _AFTER.get(str(said.state)):
            return [f"action `{action}` was known to be bad, and did more than wait for people"]
        if asked is None or not isinstance(said.opens, str) or mark_of(said.opens) != asked.proof:
            return [f"action `{action}` is said to have been known to be bad, and was not marked so from the first"]
        return []

    def _words(self, action: ActionId, said: Said, before: Trail) -> list[str]:
        """Who agreed, agreed to this: each word is bound to what was shown, and what was held needs enough of them.

        An entry tells only the words that are new in it. What is asked anew voids those that were given before.
        """
        if not said.hold and not said.approvals and action not in self._asked:
            return []
        asked = self._asked.pop(action, None)
        try:
            proof = str(said.proof or "") if asked is None else asked.proof
            handed = asked is not None and (asked.handed or said.phase == "delegated")
            asked = _asked(_hold.decode(said.hold), proof) if said.hold else asked
            words = _words.decode(said.approvals) if said.approvals else ()
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            return [f"who was asked, or who agreed, cannot be read: {error}"]
        agreed = tuple(each for each in words if each.verdict == "approve")
        if asked is None:
            return ["an approval of what nobody was asked"] if agreed else []
        problems: list[str] = []
        if any(each.binding != asked.hold.binding for each in agreed):
            problems.append("an approval is bound to something else than what was shown")
        if not handed and any(each.lent for each in agreed):
            problems.append("an approval in a role that nobody handed on")
        problems += _walk(asked, said)
        walked = said.walked if type(said.walked) is int else asked.walked
        asked = _Asked(asked.hold, asked.agreed + agreed, walked, asked.proof, handed)
        if said.state == "held":
            self._asked[action] = asked
        elif before.state == "held" and said.state in _LEFT:
            problems += _too_few(asked)
        return problems


def _asked(hold: _Hold, proof: str) -> _Asked:
    return _Asked(hold, walked=hold.walked, proof=proof)


def _walk(asked: _Asked, said: Said) -> list[str]:
    """Nobody else is let answer before the time that was bound into what was shown, nor once more by going back."""
    if said.walked is None:
        return []
    steps = asked.hold.steps
    if type(said.walked) is not int or not asked.walked <= said.walked <= len(steps):
        return ["what happens while nobody answers is not what was bound into what was shown"]
    early = any(step.at > said.times.observed_at for step in steps[: said.walked])
    return ["it was escalated before its time"] if early else []


def _too_few(asked: _Asked) -> list[str]:
    gone_on = [step for step in asked.hold.steps[: asked.walked] if step.what == "escalate"]
    counts = list[tuple[_Need, int]]()
    for need in asked.hold.requirements:
        roles = {need.role, *(step.role for step in gone_on if step.policy == need.policy)}
        counts.append((need, sum(each.counts_for(need, roles) for each in asked.agreed)))
    return [
        f"it left `held` with {count} of {need.quorum} approvals by a `{need.role}`"
        for need, count in counts
        if count < need.quorum
    ]


def latest_states(entries: Iterable[Entry]) -> dict[ActionId, Trail]:
    """What `entries`, in the order of the log, say of each action in the end. Nothing is verified."""
    trails = Trails()
    for entry in entries:
        statement = stated(entry.leaf)
        if statement is not None:
            trails.follow(statement.subject[0].name, statement.predicate)
    return trails.of


def disagreement(trail: Trail | None, *, entries: int, state: str) -> str | None:
    """What is wrong where the store holds an action in `state` after `entries` facts, and the log says `trail`."""
    if trail is None:
        return f"the store says it is {state}, and the log has never heard of it"
    if trail.entries != entries:
        return f"the store counts {entries} facts, the log {trail.entries}"
    if trail.state != state:
        return f"the store says it is {state}, the log that it is {trail.state}"
    return None
