"""Money and promotional credit back to a customer, and each taken back again."""

import msgspec

import interlock
from interlock import Call
from interlock_demo.tools.promises import KEPT_BY_PAYMENTS, KEPT_BY_THE_SHOP, TIMEOUT_MS
from interlock_demo.tools.words import Minor, ReturnId, Sum
from interlock_demo.world import desk, goodwill, money
from interlock_demo.world.db import ShopRefusal
from interlock_demo.world.goodwill import Credit
from interlock_demo.world.payments_client import Refund
from interlock_demo.world.place import here


class ReturnFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the shop itself owes for the return, whatever the agent says."""

    accepted: bool
    refund_due_minor: Sum
    refunded_minor: Sum
    credit_due_minor: Sum
    days_since_order: int


def return_facts(return_id: str) -> ReturnFacts:
    """The return as it stands."""
    place = here()
    taken, status = desk.return_of(place, return_id)
    return ReturnFacts(
        accepted=status == "accepted",
        refund_due_minor=taken.refund_minor,
        refunded_minor=money.refunded_for(place, return_id),
        credit_due_minor=taken.credit_minor,
        days_since_order=desk.order_of(place, taken.order_id).days_old,
    )


def find_refund(call: Call) -> interlock.Landed | None:
    """The refund of this action, if the payment service knows of one."""
    refund = money.find_refund(here(), call.idempotency_key)
    return None if refund is None else interlock.Landed(msgspec.to_builtins(refund))


@interlock.tool(
    name="refunds.issue",
    effect="external",
    risk="high",
    idempotency=KEPT_BY_PAYMENTS,
    reversal=interlock.Reversal(
        contract="refunds.cancel", arguments={"refund_id": "$result.refund_id"}, within_ms=interlock.DAY
    ),
    lookup=find_refund,
    facts=return_facts,
    changes={
        "paid back for the return": interlock.Changing(
            before="$facts.refunded_minor", after="$facts.refunded_minor + $args.amount_minor", money="EUR"
        )
    },
    cost=interlock.Cost(unit="EUR", amount="$args.amount_minor"),
    timeout_ms=TIMEOUT_MS,
    touches={"return": "$args.return_id"},
    owner="support-team",
    no_effect_on=(ShopRefusal,),
)
def issue_refund(call: Call, return_id: ReturnId, amount_minor: Minor) -> Refund:
    """Pay money back for a return."""
    return money.issue_refund(here(), return_id, amount_minor, call.idempotency_key)


@interlock.tool(
    name="refunds.cancel",
    effect="external",
    risk="medium",
    idempotency=KEPT_BY_PAYMENTS,
    reversal=interlock.Reversal(
        contract="refunds.issue", arguments={"return_id": "$result.return_id", "amount_minor": "$result.amount_minor"}
    ),
    timeout_ms=TIMEOUT_MS,
    touches={"payment": "$args.refund_id"},
    owner="support-team",
    no_effect_on=(ShopRefusal,),
)
def cancel_refund(call: Call, refund_id: str) -> Refund:
    """Call a refund back before it reaches the customer's bank."""
    return money.cancel_refund(here(), refund_id, call.idempotency_key)


@interlock.tool(
    name="credits.grant",
    effect="write",
    risk="medium",
    idempotency=KEPT_BY_THE_SHOP,
    reversal=interlock.Reversal(
        contract="credits.revoke", arguments={"credit_id": "$result.credit_id"}, within_ms=14 * interlock.DAY
    ),
    facts=return_facts,
    timeout_ms=TIMEOUT_MS,
    touches={"return": "$args.return_id"},
    owner="support-team",
    no_effect_on=(ShopRefusal,),
)
def grant_credit(call: Call, return_id: ReturnId, amount_minor: Minor) -> Credit:
    """Let a customer keep what a promotion was worth on the line that came back."""
    return goodwill.grant_credit(here(), return_id, amount_minor, call.idempotency_key)


@interlock.tool(
    name="credits.revoke",
    effect="write",
    risk="low",
    idempotency=KEPT_BY_THE_SHOP,
    reversal=interlock.Reversal(
        contract="credits.grant", arguments={"return_id": "$result.return_id", "amount_minor": "$result.amount_minor"}
    ),
    timeout_ms=TIMEOUT_MS,
    touches={"credit": "$args.credit_id"},
    owner="support-team",
    no_effect_on=(ShopRefusal,),
)
def revoke_credit(call: Call, credit_id: str) -> Credit:
    """Take promotional credit back."""
    return goodwill.revoke_credit(here(), credit_id, call.idempotency_key)
