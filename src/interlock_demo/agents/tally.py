"""What came of an agent's work: counted, and what a person will want to hear about kept."""

from collections import Counter

import msgspec

import interlock


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """An action that was not simply done: `outcome` is held, denied, refused and so on."""

    outcome: str
    action_id: str
    task: interlock.SyncTask
    """In which it was asked for, to answer questions about it."""
    contract: str
    subject: str
    reasons: tuple[str, ...]

    @property
    def task_id(self) -> str:
        """The id of its task."""
        return self.task.id


class Tally(msgspec.Struct, kw_only=True):
    """The outcomes of one agent. Each agent has its own, and only the agent writes to it."""

    tasks: int = 0
    seen: set[str] = msgspec.field(default_factory=set[str])
    outcomes: Counter[str] = msgspec.field(default_factory=Counter[str])
    notes: list[Note] = msgspec.field(default_factory=list[Note])

    def take(self, outcome: interlock.Outcome, *, task: interlock.SyncTask, contract: str, subject: str) -> object:
        """Count `outcome` and give the tool's result if there is one, else None. An action counts once: hearing its answer
        again is counted as `repeated`."""
        known = outcome.action_id in self.seen
        self.seen.add(outcome.action_id)
        word = "repeated" if known else type(outcome).__name__.lower()
        self.outcomes[word] += 1
        if isinstance(outcome, interlock.Done):
            return outcome.result
        if known:
            return None
        note = Note(
            outcome=word,
            action_id=outcome.action_id,
            task=task,
            contract=contract,
            subject=subject,
            reasons=said(outcome),
        )
        self.notes.append(note)
        return None

    def noted(self, outcome: str) -> list[Note]:
        """The notes of one outcome."""
        return [note for note in self.notes if note.outcome == outcome]


def said(outcome: interlock.NotDone) -> tuple[str, ...]:
    """Why, in words; the names of Interlock's own rules are left out."""
    reasons: tuple[str, ...] = outcome.reasons
    return tuple(reason for reason in reasons if not reason.startswith("interlock."))
