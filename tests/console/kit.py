"""A workspace whose agents ask for what people see: money with what was before, a critical deletion, hostile words.

async with desk(tmp_path) as d:
    action = d.refund()
    page = await d.rita.get(f"/approvals/{action}")
"""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import anyio

import interlock
from tests.web.world import Served, served

PEOPLE = """\
rita: [reviewer, operator, policy_author]
ria: [reviewer, lead]
vera: [viewer]
ada: [admin]
"""

SETTINGS = """\
tenant: tests
modules: [{module}]
budgets: {{calls: 10000, EUR: 100000000}}
timing: {{lease_margin: 1s, skew: 50ms}}
policy_tests: advised
"""

AGENT = """\
name: {name}
purpose: refunds what customers are owed
owners: {{decision: rita, policy: rita, data: rita, engineering: rita}}
stage: partial
capabilities: [shop.refund, crm.forget, mail.send]
runtime: {{max_actions: 5000, max_task: 1h, max_repeats: 5000}}
approvals: {{within: 1h}}
"""

POLICIES = """\
@id("all") @owner("tests") permit(principal, action, resource);
@id("refund.large") @owner("finance") @outcome("require_approval") @approver("reviewer")
@reason("a refund above 100 EUR is agreed to by a person")
forbid(principal, action == Action::"shop.refund", resource) when { context.args.amount_minor > 10000 };
@id("forget.asks") @owner("privacy") @outcome("require_approval") @approver("reviewer") @reason("forgetting cannot be undone")
forbid(principal, action == Action::"crm.forget", resource);
@id("mail.asks") @owner("tests") @outcome("require_approval") @approver("reviewer") @reason("a mail leaves the house")
forbid(principal, action == Action::"mail.send", resource);
@id("refund.never") @owner("finance") @outcome("deny") @reason("nobody is paid more than 5,000 EUR")
forbid(principal, action == Action::"shop.refund", resource) when { context.args.amount_minor > 500000 };
"""

TOOLS = '''\
"""Tools whose effects are lines of `effects.txt`."""

from pathlib import Path
from typing import Annotated, Literal, TypedDict

import msgspec

import interlock
from interlock import Changing

HERE = Path(__file__).parent


class Paid(TypedDict):
    refunded_minor: int


def paid(order_id: str) -> Paid:
    """What was paid back of it."""
    return Paid(refunded_minor=sum(int(line.split()[3]) for line in lines() if line.split()[2] == order_id))


def lines() -> list[str]:
    path = HERE / "effects.txt"
    return path.read_text().splitlines() if path.exists() else []


def effect(call: interlock.Call, words: str) -> None:
    with (HERE / "effects.txt").open("a") as file:
        file.write(f"{call.idempotency_key} {words}\\n")


@interlock.tool(
    name="shop.refund", effect="external", risk="high", idempotency=interlock.Keyed(retention_ms=interlock.DAY),
    reversal=interlock.Reversal(contract="shop.charge", arguments={"order_id": "$args.order_id"}),
    facts=paid, cost=interlock.Cost(unit="EUR", amount="$args.amount_minor"),
    changes={"refunded": Changing(
        before="$facts.refunded_minor", after="$facts.refunded_minor + $args.amount_minor", money="EUR"
    )},
    touches={"order": "$args.order_id"},
)
def refund(
    call: interlock.Call, order_id: str, amount_minor: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)],
    reason: Literal["damaged", "late", "goodwill"] = "damaged", tell: bool = True, copies: list[str] = [],
) -> str:
    """Pay money back to a customer."""
    effect(call, f"refund {order_id} {amount_minor}")
    return order_id


@interlock.tool(
    name="shop.charge", effect="external", risk="medium", idempotency=interlock.Keyed(retention_ms=interlock.DAY),
    reversal=interlock.NoReversal(why="it is an undo"),
)
def charge(call: interlock.Call, order_id: str) -> str:
    """Take a refund back."""
    effect(call, f"charge {order_id} 0")
    return order_id


@interlock.tool(
    name="crm.forget", effect="write", risk="critical", reversal=interlock.NoReversal(why="it is gone"),
    subject={"customer": "$args.customer_id"},
)
def forget(call: interlock.Call, customer_id: str) -> str:
    """Forget a customer."""
    effect(call, f"forget {customer_id} 0")
    return customer_id


@interlock.tool(name="mail.send", effect="external", risk="medium", reversal=interlock.NoReversal(why="it is sent"))
def send(call: interlock.Call, to: str, text: str) -> str:
    """Send a mail."""
    effect(call, f"mail {to} 0")
    return to
'''

_NUMBERS = count()


class Desk:
    """The server, and the agents behind it."""

    def __init__(self, site: Served, lock: Any) -> None:
        self.site, self.lock = site, lock
        self.plane = site.plane
        self.rita, self.ria, self.vera = (site.client_of(each) for each in ("rita", "ria", "vera"))

    async def ask(
        self,
        tool: str,
        arguments: Mapping[str, Any],
        *,
        why: str = "the customer is owed it",
        agent: str = "support",
        purpose: str = "ticket 4711",
        of: str = "user:carla",
        confidence: int | None = 910,
    ) -> str:
        """An agent's proposal; its action's id."""

        def propose() -> str:
            with self.lock.task(agent, purpose=purpose, on_behalf_of=of) as task:
                outcome = task.propose(tool, justification=why, confidence=confidence, **arguments)
                return str(outcome.action_id)

        return await anyio.to_thread.run_sync(propose)

    async def refund(self, order: str = "A-1", amount: int = 25_000, **more: Any) -> str:
        """One that waits."""
        return await self.ask("shop.refund", {"order_id": order, "amount_minor": amount}, **more)

    def effects(self) -> list[str]:
        """What happened, without keys."""
        path = self.site.place.folder / "effects.txt"
        return [line.partition(" ")[2] for line in path.read_text().splitlines()] if path.exists() else []


@asynccontextmanager
async def desk(folder: Path, more: Sequence[tuple[str, str]] = ()) -> AsyncGenerator[Desk]:
    """The desk, with nothing waiting, and `more` files in its workspace."""
    module = f"desk_of_test_{next(_NUMBERS)}"
    files = [
        ("interlock.yaml", SETTINGS.format(module=module)),
        ("policies/all.cedar", POLICIES),
        (f"{module}.py", TOOLS),
        *((f"agents/{each}.yaml", AGENT.format(name=name)) for each, name in AGENTS.items()),
        *more,
    ]
    async with served(folder, people=PEOPLE, files=files) as site:
        with interlock.open(folder) as lock:
            try:
                yield Desk(site, lock)
            finally:
                sys.modules.pop(module, None)


AGENTS = {"ag": "support", "shade": "pricing", "helper": "mailer"}
