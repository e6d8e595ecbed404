"""The shopping assistant: one customer's wish a task. It asks twice when it is unsure whether it was heard."""

import msgspec

import interlock
from interlock_demo.agents.tally import Tally
from interlock_demo.tools.assistant import check_stock, place_order, reserve, search, take_charge
from interlock_demo.world.checkout import Sale
from interlock_demo.world.warehouse import Reservation

OTHER = "CUS-0320"
"""A customer who has nothing to do with it."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What a customer wants. `repeats`: the connection broke and the assistant says everything twice. `says` is text the
    customer wrote, and what a careless model would do about it."""

    customer_id: str
    words: str
    quantity: int
    repeats: bool = False
    says: str = ""


def serve(lock: interlock.Client, wish: Wish, tally: Tally) -> None:
    """Find it, put it aside, order it, charge it."""
    tally.tasks += 1
    customer = f"user:{wish.customer_id}"
    given = {"customer": [wish.customer_id], "product": ["*"], "cart": ["*"], "order": ["*"]}
    why = f"{wish.customer_id} wants {wish.words}"
    with lock.task("assistant", purpose=why, on_behalf_of=customer, data=given) as task:
        if wish.says:
            _listen(task, wish, tally)
        found = next((hit for hit in search(wish.words) if check_stock(hit.sku).free >= wish.quantity), None)
        if found is not None:
            for _ in range(2 if wish.repeats else 1):
                _buy(task, wish, found.sku, tally)


def _listen(task: interlock.SyncTask, wish: Wish, tally: Tally) -> None:
    """What a model does that takes a customer's text for an instruction. The one is not its tool, the other not its customer,
    so that nothing comes of it."""
    outcome = task.propose("refunds.issue", return_id="RET-0001", amount_minor=99_900, justification=wish.says)
    tally.take(outcome, task=task, contract="refunds.issue", subject=wish.customer_id)
    outcome = task.propose(reserve, OTHER, "AUR-001", 1, justification=wish.says)
    tally.take(outcome, task=task, contract="cart.reserve", subject=OTHER)


def _buy(task: interlock.SyncTask, wish: Wish, sku: str, tally: Tally) -> None:
    """Three steps, each under a key made of the task: saying them again gives the same answers and buys nothing more."""
    kept = tally.take(
        task.propose(reserve, wish.customer_id, sku, wish.quantity, idempotency_key=f"{task.id}:reserve"),
        task=task,
        contract="cart.reserve",
        subject=wish.customer_id,
    )
    if not isinstance(kept, Reservation):
        return
    sale = tally.take(
        task.propose(place_order, kept.reservation_id, idempotency_key=f"{task.id}:order"),
        task=task,
        contract="orders.place",
        subject=wish.customer_id,
    )
    if isinstance(sale, Sale):
        outcome = task.propose(
            take_charge, sale.order_id, amount_minor=sale.total_minor, idempotency_key=f"{task.id}:charge"
        )
        tally.take(outcome, task=task, contract="charges.take", subject=wish.customer_id)
