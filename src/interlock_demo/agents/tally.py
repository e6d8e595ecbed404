"""What came of an agent's work: counted, and what a person will want to hear about kept."""

from collections import Counter

import msgspec

import interlock


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """An action that was not simply done: `outcome` is held, denied, refused and so on."""

    outcome: str
    action_id: str
    contract: str
    subject: str
    reasons: tuple[str, ...]
    task: interlock.SyncTask | None = None
    """In which it was asked for, to answer questions about it; None: its agent holds none, and came through the gateway."""

    @property
    def task_id(self) -> str:
        """The id of its task, where its agent holds it."""
        return "" if self.task is None else self.task.id


class Tally(msgspec.Struct, kw_only=True):
    """The outcomes of one agent. Each agent has its own, and only the agent writes to it."""

    tasks: int = 0
    seen: set[str] = msgspec.field(default_factory=set[str])
    outcomes: Counter[str] = msgspec.field(default_factory=Counter[str])
    notes: list[Note] = msgspec.field(default_factory=list[Note])

    def take(self, outcome: interlock.Outcome, *, task: interlock.SyncTask, contract: str, subject: str) -> object:
        """Count `outcome` and give the tool's result if there is one, else None."""
        note = Note(
            outcome=type(outcome).__name__.lower(),
            action_id=outcome.action_id,
            task=task,
            contract=contract,
            subject=subject,
            reasons=() if isinstance(outcome, interlock.Done) else said(outcome),
        )
        self.heard(note)
        return outcome.result if isinstance(outcome, interlock.Done) else None

    def heard(self, note: Note) -> None:
        """Count what `note` says, and keep it unless it was simply done. An action counts once: hearing its answer again is
        counted as `repeated`."""
        known = note.action_id in self.seen
        if note.action_id:
            self.seen.add(note.action_id)
        self.outcomes["repeated" if known else note.outcome] += 1
        if note.outcome != "done" and not known:
            self.notes.append(note)

    def noted(self, outcome: str) -> list[Note]:
        """The notes of one outcome."""
        return [note for note in self.notes if note.outcome == outcome]


def said(outcome: interlock.NotDone) -> tuple[str, ...]:
    """Why, in words; the names of Interlock's own rules are left out."""
    reasons: tuple[str, ...] = outcome.reasons
    return tuple(reason for reason in reasons if not reason.startswith("interlock."))
