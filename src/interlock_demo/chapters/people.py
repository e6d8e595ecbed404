"""11:00. What waits for a person: looked at, changed, refused, agreed to. By command and at a desk, as people would."""

import json

import msgspec

import interlock
from interlock_demo.agents.tally import Note
from interlock_demo.setting import Setting
from interlock_demo.telling import Teller, short, spaced
from interlock_demo.tools.replenishment import OrderFacts

SHOWN = 6
SENSIBLE = 12
"""What the supply lead orders instead of ten thousand."""


class Approved(msgspec.Struct, frozen=True, kw_only=True):
    """Actions that people agreed to, and which no worker has run yet."""

    order: str
    refunds: tuple[str, ...]
    mails: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        """Every one of them."""
        return (self.order, *self.refunds, *self.mails)


def decide(tell: Teller, setting: Setting, lock: interlock.Client, held: list[Note]) -> Approved:
    """Every held action gets a person's word."""
    tell.chapter(
        "11:00",
        f"{len(held)} actions wait for a person",
        "A word is good once, for exactly the action that was shown: the same contract, release, policies and arguments. "
        "No worker is running yet; what people say is kept until one is.",
    )
    _list(tell, held)
    order = _modify(tell, setting, lock, held)
    rejected = _reject(tell, setting, held)
    rest = [note for note in held if note.action_id != order and note.task_id != rejected.task_id]
    refunds = [note for note in rest if note.contract == "refunds.issue"]
    mails = [note for note in rest if note.contract == "mail.send"]
    agreed = f"{len(refunds)} refunds and {len(mails)} mails"
    tell.code("omar", "desk.approve(action.id, view=action.hold.view)", "at his own desk: lock.person('omar')")
    desk = lock.person("omar")
    for note in rest:
        hold = desk.action(note.action_id).hold
        desk.approve(note.action_id, note="looked at the case", view=None if hold is None else hold.view)
    tell.line("yes", f"{agreed} approved, each as it was shown")
    return Approved(
        order=order,
        refunds=tuple(note.action_id for note in refunds),
        mails=tuple(note.action_id for note in mails),
    )


def _list(tell: Teller, held: list[Note]) -> None:
    first = sorted(held, key=lambda note: (note.contract != "replenishment.order_stock", note.action_id))
    rows = [(short(note.action_id), note.contract, note.subject, "; ".join(note.reasons)) for note in first[:SHOWN]]
    tell.table(("action", "what", "about", "why a person"), rows)
    if len(held) > SHOWN:
        tell.line("note", f"and {len(held) - SHOWN} more")
    tell.console.print()


def _modify(tell: Teller, setting: Setting, lock: interlock.Client, held: list[Note]) -> str:
    """The supply lead makes a sensible order of a mad one."""
    note = next(note for note in held if note.contract == "replenishment.order_stock")
    facts = msgspec.convert(lock.person("ruth").action(note.action_id).facts, OrderFacts)
    weeks = f"it would last {spaced(facts.weeks_of_cover_after)} weeks"
    tell.line("wait", note.subject, f"{facts.sold_in_eight_weeks} sold in eight weeks: {weeks}")
    change = json.dumps({"quantity": SENSIBLE})
    tell.command("ruth", "modify", short(note.action_id), "--args", change)
    why = "the price list means grams, not pieces"
    setting.program.json("modify", note.action_id, "--args", change, "--note", why, person="ruth")
    tell.line("yes", f"{SENSIBLE} instead, validated and decided anew", why)
    return note.action_id


def _reject(tell: Teller, setting: Setting, held: list[Note]) -> Note:
    """One refund is refused, and what its case had done already is taken back in reverse order."""
    writes = {note.task_id for note in held if note.contract == "mail.send"}
    refunds = [note for note in held if note.contract == "refunds.issue"]
    note = min(refunds, key=lambda each: (each.task_id not in writes, each.action_id))
    tell.command("ines", "reject", short(note.action_id), "--note", "it has been used for a month")
    setting.program.json("reject", note.action_id, "--note", "it has been used for a month", person="ines")
    tell.line("no", f"{note.subject}: rejected", "but its return was accepted this morning, so:")
    tell.command("ines", "undo", f"task:{note.task_id}")
    undone = setting.program.json("undo", f"task:{note.task_id}", "--why", "its refund was rejected", person="ines")
    voided = ", and its mail, still waiting, is withdrawn" if note.task_id in writes else ""
    tell.line("back", f"{undone['undone']} steps of the case undone, last one first{voided}")
    return note
