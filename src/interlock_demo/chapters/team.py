"""15:30. A supervisor and its workers, each in a task of its own, draw on one budget; what would be too much is refused."""

import time

import interlock
from interlock_demo.agents import claims
from interlock_demo.agents.support import Case
from interlock_demo.invariants import Lent, euros
from interlock_demo.program import DONE, WAITING
from interlock_demo.setting import Setting
from interlock_demo.telling import StoryBroken, Teller, short
from interlock_demo.world.db import reading

CASES = 4
ROUND = 100


def shared_budget(tell: Teller, setting: Setting, lock: interlock.Client) -> Lent:
    """Settle four claims with what three of them cost at most. Gives what was lent, and for which orders."""
    cases, amounts = _cases(setting)
    limit = -(-sum(sorted(amounts)[1:]) // ROUND) * ROUND
    if limit >= sum(amounts):
        raise StoryBroken(f"{euros(limit)} are enough for all of {amounts}")
    tell.chapter(
        "15:30",
        "Three workers, one budget",
        f"A carrier dropped a pallet, and pays {euros(limit)}. The claims agent opens a task that may spend so much, and "
        "within it one for each case, three at a time. Any three cases fit; all four do not. Budgets count cents.",
    )
    tell.code("claims", f"lock.task('claims', ..., budgets={{'EUR': {limit}}})", "and task.gather(...) its workers")
    task, tallies = claims.hand_out(lock, cases, {"EUR": limit})
    refused = [note for tally in tallies for note in tally.noted("refused")]
    if len(refused) != 1:
        raise StoryBroken(f"{len(refused)} refunds were refused, not one")
    (last,) = refused
    desk = lock.person("omar")
    rows: list[tuple[str, str, str, str]] = []
    for case, tally in zip(cases, tallies, strict=True):
        refund = next(each for each in map(desk.action, tally.seen) if each.contract == "refunds.issue")
        purses = [draw.budget for draw in refund.reserved if draw.budget == f"task:{task}/EUR"]
        drew = euros(sum(draw.amount for draw in refund.reserved if draw.budget in purses))
        rows.append((short(refund.task), case.order_id, drew, f"task {short(task)}" if purses else "refused"))
    tell.table(("worker's task", "case", "drew", "from"), rows, right=("drew",))
    tell.line("no", f"{last.subject}: refused", "; ".join(last.reasons).replace(task, short(task)))
    undone = _given_back(tell, setting, last.task_id)
    tell.line("back", f"{undone} step of that case undone", "it waits for a budget of its own")
    return Lent(task=task, limit_minor=limit, orders=tuple(case.order_id for case in cases))


def _given_back(tell: Teller, setting: Setting, task: str) -> int:
    why = "nothing is left of what the carrier pays"
    tell.command("omar", "undo", f"task:{short(task)}", "--why", why)
    request = setting.program.json("undo", f"task:{task}", "--why", why, person="omar", expected=(DONE, WAITING))
    asked = request["id"]
    while request["state"] == "running":  # the worker took it up
        time.sleep(0.1)
        request = next(each for each in setting.program.json("retry") if each["id"] == asked)
    if request["state"] != "done":
        raise StoryBroken(f"the undo is {request['state']}: {request['blocked_why']}")
    return int(request["undone"])


def _cases(setting: Setting) -> tuple[list[Case], list[int]]:
    """Orders of late that were delivered, whose refund needs nobody's word and comes with no credit, and what each is owed."""
    with reading(setting.place.shop_db) as conn:
        rows = conn.execute(
            "SELECT order_id, line_no, quantity * unit_minor AS paid FROM order_lines l JOIN orders o USING (order_id)"
            " WHERE status = 'delivered' AND o.discount_minor = 0 AND quantity * unit_minor BETWEEN 3000 AND 9000"
            " AND order_id NOT IN (SELECT order_id FROM returns) GROUP BY order_id ORDER BY placed_at DESC LIMIT ?",
            (CASES,),
        ).fetchall()
    cases = [Case(order_id=row["order_id"], line_no=row["line_no"], reason="arrived damaged") for row in rows]
    return cases, [row["paid"] for row in rows]
