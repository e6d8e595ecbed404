"""The support agent: a return, its refund, the customer's promotion, the replacement, and a mail. One case a task.

Each step has a key made of the case, so that an agent that is started again on a case says everything again and does nothing
twice.
"""

import msgspec

import interlock
from interlock_demo.agents.tally import Tally
from interlock_demo.invariants import euros
from interlock_demo.tools.mail import send_mail
from interlock_demo.tools.refunds import grant_credit, issue_refund
from interlock_demo.tools.support import accept_return, read_order, ship_exchange
from interlock_demo.world.desk import Order, Return


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A customer's wish. `writes` says whether the customer gets a mail about it."""

    order_id: str
    line_no: int
    reason: str
    replacement_sku: str = ""
    writes: bool = False


def settle(lock: interlock.Client, case: Case, tally: Tally) -> None:
    """Make the customer whole. What the gate holds goes on when a person has spoken."""
    tally.tasks += 1
    why, given = f"return of {case.order_id}", {"order": [case.order_id], "return": ["*"], "address": ["*"]}
    with lock.task("support", purpose=why, on_behalf_of="system:service-desk", data=given) as task:
        order = read_order(case.order_id)
        accepted = task.propose(
            accept_return,
            case.order_id,
            line_no=case.line_no,
            reason=case.reason,
            replacement_sku=case.replacement_sku,
            idempotency_key=f"return:{case.order_id}:{case.line_no}",
        )
        subject = f"{order.customer}, {case.order_id}"
        taken = tally.take(accepted, task=task, contract="returns.accept", subject=subject)
        if isinstance(taken, Return):
            _make_whole(task, order, taken, tally)
            if case.writes:
                _write(task, order, taken, tally)


def _make_whole(task: interlock.SyncTask, order: Order, taken: Return, tally: Tally) -> None:
    case = taken.return_id
    if taken.refund_minor:
        paid = task.propose(
            issue_refund,
            case,
            amount_minor=taken.refund_minor,
            idempotency_key=f"refund:{case}",
            justification=f"line {taken.line_no} of {order.order_id} came back and was accepted; this is what it cost",
        )
        subject = f"{euros(taken.refund_minor)} to {order.customer}, {order.order_id}"
        tally.take(paid, task=task, contract="refunds.issue", subject=subject)
    if taken.credit_minor:
        granted = task.propose(grant_credit, case, amount_minor=taken.credit_minor, idempotency_key=f"credit:{case}")
        tally.take(granted, task=task, contract="credits.grant", subject=order.customer)
    if taken.replacement_sku:
        shipped = task.propose(ship_exchange, case, idempotency_key=f"exchange:{case}")
        tally.take(shipped, task=task, contract="exchanges.ship", subject=order.customer)


def _write(task: interlock.SyncTask, order: Order, taken: Return, tally: Tally) -> None:
    outcome = task.propose(
        send_mail,
        order.email,
        subject=f"Your return {taken.return_id}",
        idempotency_key=f"mail:{taken.return_id}",
        body=f"Dear {order.customer}, we have taken back line {taken.line_no} of {order.order_id}. "
        f"{euros(taken.refund_minor)} are on their way to you.",
    )
    tally.take(outcome, task=task, contract="mail.send", subject=f"to {order.email}")
