"""The life of one action, as a table.

`MOVES` is the whole truth about what may follow what; the documentation draws its picture from it. A state without
a way out is an end. Every state that waits for something has a `due_at`, so that a worker finds it.
"""

from typing import ClassVar, Final, Literal, Self

import msgspec

from interlock.domain.approval import Hold, open_requirements, roles_for
from interlock.domain.budget import Draw
from interlock.domain.canonical import JsonValue
from interlock.domain.errors import IllegalMove
from interlock.domain.ids import ActionId, AgentName, ContractName, Digest, StreamId, TaskId, WorkerId
from interlock.domain.label import Source
from interlock.domain.output import Redaction
from interlock.domain.policy import Decision
from interlock.domain.presented import Caller
from interlock.domain.question import Circumstances
from interlock.domain.record import Record, Withheld

State = Literal[
    "refused",
    "denied",
    "shadowed",
    "held",
    "rejected",
    "expired",
    "voided",
    "ready",
    "preparing",
    "prepared",
    "aborting",
    "dispatching",
    "done",
    "failed",
    "unknown",
    "undoing",
    "undone",
    "undo_failed",
]

Move = Literal[
    "refuse",
    "deny",
    "shadow",
    "hold",
    "clear",
    "approve",
    "vote",
    "route",
    "confer",
    "modify",
    "reject",
    "expire",
    "void",
    "prepare",
    "prepared",
    "abort",
    "dispatch",
    "succeed",
    "fail",
    "lose",
    "undo",
    "undone",
    "undo_fail",
]

NEW: Literal["new"] = "new"
"""Before anything was written. Nothing in the store is ever `new`."""

MOVES: dict[State | Literal["new"], dict[Move, State]] = {
    "new": {
        "refuse": "refused",
        "deny": "denied",
        "shadow": "shadowed",
        "hold": "held",
        "clear": "ready",
        "prepare": "preparing",
        "dispatch": "dispatching",
    },
    "held": {
        "approve": "ready",
        "vote": "held",
        "route": "held",
        "confer": "held",
        "modify": "held",
        "reject": "rejected",
        "expire": "expired",
        "deny": "denied",
        "void": "voided",
    },
    "ready": {
        "prepare": "preparing",
        "dispatch": "dispatching",
        "hold": "held",
        "deny": "denied",
        "expire": "expired",
        "void": "voided",
    },
    "preparing": {"prepare": "preparing", "prepared": "prepared", "fail": "failed", "abort": "aborting"},
    "prepared": {"dispatch": "dispatching", "abort": "aborting"},
    "aborting": {"abort": "aborting", "void": "voided", "fail": "failed"},
    "dispatching": {
        "succeed": "done",
        "fail": "failed",
        "lose": "unknown",
        "dispatch": "dispatching",
        "abort": "aborting",
    },
    "unknown": {"succeed": "done", "fail": "failed", "dispatch": "dispatching", "abort": "aborting"},
    "done": {"undo": "undoing"},
    "undoing": {"undone": "undone", "undo_fail": "undo_failed"},
    "undo_failed": {"undo": "undoing", "undone": "undone"},
    "refused": {},
    "denied": {},
    "shadowed": {},
    "rejected": {},
    "expired": {},
    "voided": {},
    "failed": {},
    "undone": {},
}

MEANING: dict[State, str] = {
    "refused": "it did not fit its contract, a limit or a budget; policy was not asked or not needed",
    "denied": "policy said no",
    "shadowed": "what would have happened was recorded; nothing was touched",
    "held": "people must agree first",
    "rejected": "a person said no",
    "expired": "nobody answered in time",
    "voided": "withdrawn before it touched anything: its task, agent or release was stopped or undone",
    "ready": "cleared; waiting for a worker",
    "preparing": "a two-phase tool is reserving; it may be asked again",
    "prepared": "reserved; the commit has not begun",
    "aborting": "what was reserved is being released",
    "dispatching": "intent is durable; the world may be touched at any moment",
    "done": "the effect happened, once",
    "failed": "the tool says that nothing happened",
    "unknown": "it may or may not have happened; a probe or a person settles it",
    "undoing": "its undo is on its way through the gate",
    "undone": "its undo is done",
    "undo_failed": "its undo did not succeed; a person is needed",
}

ENDS: frozenset[State] = frozenset(state for state, ways in MOVES.items() if state != "new" and not ways)
SETTLED: frozenset[State] = ENDS | frozenset[State](("done", "undoing", "undo_failed"))
"""States in which the caller of the action has its answer."""
WAITING: frozenset[State] = frozenset({"held", "ready", "preparing", "prepared", "dispatching"})
"""States in which its caller still waits."""
_ANYWHERE: Final[frozenset[State]] = frozenset({"held", "dispatching"})
"""States in which no call of its tool is what is next."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came of touching the world."""

    result: JsonValue = None
    error: str = ""
    observed_at: int = 0
    by: Literal["tool", "lookup", "person"] = "tool"
    """Who says so."""
    verified: bool | None = None
    """What the postcondition said, or None where there is none."""
    note: str = ""
    redaction: Redaction | None = None
    """What was taken of the result before anybody got it; None: nothing."""
    source: Source | None = None
    """Whose word the result is, where it is not a tool's of the workspace's own."""


class Action(Record, frozen=True, kw_only=True, omit_defaults=True):
    """One proposed effect through one contract, with its whole life."""

    kind: ClassVar[str] = "action"

    id: ActionId
    task: TaskId
    agent: AgentName
    release: Digest
    contract: ContractName
    contract_digest: Digest
    arguments: dict[str, JsonValue]
    facts: dict[str, JsonValue] = {}
    nonce: str
    digest: Digest
    """Of contract, arguments and nonce: what an approval is bound to."""
    fingerprint: Digest = Digest("")
    """Of contract and arguments alone: what repeats share."""
    idempotency_key: str
    initiator: str = ""
    caller: Caller | None = None
    """Which instance proposed it, as it proved; None for an undo, and for what was refused before that was known."""
    justification: str = ""
    confidence: int | None = None
    """How sure the agent says it is, per mille. Its own word."""
    traceparent: str = ""
    kpi: dict[str, int] = {}
    """What the agent says it will do to figures of the business, by name. Its own word."""
    proposed_at: int

    state: State
    reasons: tuple[str, ...] = ()
    decision: Decision | None = None
    asked: Circumstances | None = None
    """What was so around it when that was decided."""
    hold: Hold | None = None
    reserved: tuple[Draw, ...] = ()
    due_at: int | None = None
    """When a worker should look at it next, UTC ms; None: nothing to do."""

    place: str = ""
    """Where its next call can be made: `""` is any process; the name of an in-process contract a program that has that tool."""
    owner: WorkerId | None = None
    lease_until: int | None = None
    fence: int = 0
    """Goes up by one with every lease; a target that takes fences refuses a lower one."""
    attempt: int = 0
    dispatched_fence: int = 0
    """The fence under which the last intent was written: whoever holds another lease did not write it."""
    first_dispatched_at: int | None = None
    dispatched_at: int | None = None
    prepared: JsonValue = None
    outcome: Outcome | None = None
    ended_at: int | None = None

    undoes: ActionId | None = None
    undo_attempt: int = 0
    undone_by: ActionId | None = None

    entries: int = 0
    """How many facts of this action are in the log."""
    stream: StreamId = StreamId("")
    withheld: Withheld = ""
    """Why nothing private of it is here. What is withheld can be looked at, and nothing can be done with it."""

    @property
    def key(self) -> str:
        """Its id."""
        return self.id

    @property
    def waits_at(self) -> str:
        """Where it goes on when it is due. That people are silent, and that whoever made its call is dead, any process may find
        out."""
        return "" if self.state in _ANYWHERE else self.place

    @property
    def deadline(self) -> int | None:
        """When it is late, UTC ms: people decide on it by then, or it is over or overdue. None where nobody is asked."""
        return self.hold.answer_by if self.state == "held" and self.hold is not None else None

    @property
    def asks(self) -> tuple[str, ...]:
        """The roles of which somebody's word is still wanted, each once, by name."""
        if self.state != "held" or self.hold is None:
            return ()
        missing = open_requirements(self.hold, initiator=self.initiator)
        return tuple(sorted({role for each in missing for role in roles_for(self.hold, each)}))

    def after(self, move: Move, **changes: object) -> Self:
        """The action after `move`, with `changes` made. Raises IllegalMove when its state has no such move."""
        if self.withheld:
            raise IllegalMove(f"of this action everything private is {self.withheld}", state=self.state)
        target = MOVES[self.state].get(move)
        if target is None:
            raise IllegalMove(f"an action that is {self.state} cannot {move.replace('_', ' ')}", state=self.state)
        return msgspec.structs.replace(self, state=target, **changes)

    def with_lease(self, *, owner: WorkerId, until: int) -> Self:
        """The action under a new lease. Whoever held the one before finds its revision gone."""
        return msgspec.structs.replace(self, owner=owner, lease_until=until, due_at=until, fence=self.fence + 1)


def first(move: Move) -> State:
    """The state an action is born in by `move`. Raises IllegalMove when nothing is born that way."""
    state = MOVES[NEW].get(move)
    if state is None:
        raise IllegalMove(f"no action begins with {move}")
    return state


def intent(action: Action, *, owner: WorkerId, until: int, now: int) -> Action:
    """`action` with the intent of one more attempt, under a new lease of `owner` that lasts until `until`."""
    return msgspec.structs.replace(
        action.with_lease(owner=owner, until=until),
        attempt=action.attempt + 1,
        dispatched_fence=action.fence + 1,
        dispatched_at=now,
        first_dispatched_at=action.first_dispatched_at or now,
    )
