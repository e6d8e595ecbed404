"""What the shop's agents say when somebody asks them, and what they ask themselves: scripted, as all they do."""

from typing import Final, NamedTuple

import interlock
from interlock.exceptions import escalate
from interlock_demo.agents.tally import Note, Tally

RAISE: Final = "exception.raise"
_KNOWS: Final = {
    "refunds.issue": "The line came back and was accepted. The amount is what it cost in the shop's own books, which I read "
    "before I asked; the payment service is asked under one key, so it is paid once.",
    "mail.send": "It tells the customer that their return is accepted and what they get back. Nothing else is in it.",
    "replenishment.order_stock": "It is how many the stock rule gives for what was sold lately and what the supplier packs. I "
    "did not ask whether the price list means pieces.",
    "pricing.set_price": "It is what the pricing rule gives for the stock and its age. The price before is kept, so it can be "
    "put back.",
    RAISE: "I looked at the order and at the return, and neither says it. Whatever you choose I do in this task.",
}
_OTHERWISE: Final = "I know no more of it than stands here."


class Doubt(NamedTuple):
    """One thing that support cannot settle by itself."""

    kind: str
    summary: str
    options: tuple[str, ...]


DOUBTS: Final = (
    Doubt(
        "conflicting_information",
        "The parcel of {order} holds three pieces and its slip says two",
        ("pay for two", "pay for three", "ask the customer"),
    ),
    Doubt(
        "user_request",
        "The customer of {order} wants to talk to a person about the return",
        ("call them today", "write to them"),
    ),
    Doubt(
        "other:paid with a gift card",
        "{order} was paid half with a gift card: where does the refund go?",
        ("half and half", "all on the card", "ask the customer"),
    ),
    Doubt(
        "potential_violation",
        "The note on the return of {order} says what illness the customer has",
        ("take the note away", "keep it"),
    ),
    Doubt(
        "other:gift card used",
        "{order} was paid with a gift card that was used up: where does the refund go?",
        ("a new card", "ask the customer"),
    ),
)
"""Two of them are the same kind in other words, which nobody declared."""


def reply(note: Note, question: str) -> str:
    """What the agent says to a question about something it asked for."""
    asked = " ".join(question.split())[:80]
    return f"You ask: {asked} It is about {note.subject}. {_KNOWS.get(note.contract, _OTHERWISE)}"


def doubt(lock: interlock.Client, number: int, order: str, tally: Tally) -> None:
    """Put something before people and leave it with them: the answer is heard when it is there."""
    tally.tasks += 1
    asks = DOUBTS[number % len(DOUBTS)]
    with lock.task("support", purpose=f"return of {order}", on_behalf_of="system:service-desk") as task:
        outcome = task.propose(
            escalate, asks.kind, asks.summary.format(order=order), options=list(asks.options), about=f"order {order}"
        )
        tally.take(outcome, task=task, contract=RAISE, subject=asks.summary.format(order=order))
