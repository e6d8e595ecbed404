"""15:00. A bad pricing release: each of its actions inside policy, all of them together wrong. Noticed, and undone whole."""

import time

import interlock
from interlock_demo.agents import pricing
from interlock_demo.agents.tally import Tally, said
from interlock_demo.chapters.morning import manner_in_force
from interlock_demo.program import DONE, WAITING
from interlock_demo.queue import Queue
from interlock_demo.setting import Setting
from interlock_demo.telling import StoryBroken, Teller
from interlock_demo.tools.pricing import set_price
from interlock_demo.world.db import reading
from interlock_demo.world.pricing import price_of

MEANT, TYPED = 'markdown_per_mille: "200"', 'markdown_per_mille: "450"'
TOO_MANY = 30
"""Products that sell below what they cost before the shop's own watch calls somebody."""


def bad_release(tell: Teller, setting: Setting, lock: interlock.Client, queue: Queue) -> dict[str, int]:
    """Put it in force, notice, undo. Gives the prices that must stand again, by sku."""
    tell.chapter(
        "15:00",
        "A new version of the pricing agent",
        "An agent's behaviour (its prompt, model, parameters, contracts and policies) is a release, known by its digest. "
        "Somebody edits one parameter.",
    )
    file = setting.workspace / "agents" / "pricing.yaml"
    good = file.read_text("utf-8")
    tell.edit("agents/pricing.yaml", MEANT, TYPED)
    file.write_text(good.replace(MEANT, TYPED), "utf-8")
    tell.command("sam", "apply")
    label = setting.apply()["pricing"]
    tell.line("note", f"{label} in force instead of {setting.releases['pricing']}")
    original = _prices(setting)
    with lock.task("pricing", purpose="evening price review", on_behalf_of="system:price-review") as late:
        touched = _run_until_noticed(tell, setting, lock, queue)
        _undo(tell, setting, label, len(touched))
        sku = queue.reviews[0]
        after = late.propose(set_price, sku, price_minor=price_of(setting.place, sku).price_minor)
    if not isinstance(after, interlock.Refused):
        raise StoryBroken(f"the undone release {label} may still act")
    tell.line("no", f"whatever still runs as {label} is refused", said(after)[-1])
    file.write_text(good, "utf-8")
    tell.command("sam", "apply")
    restored = setting.apply()["pricing"]
    if restored != setting.releases["pricing"]:
        raise StoryBroken(f"the same files gave {restored} instead of {setting.releases['pricing']}")
    tell.line("yes", f"{restored} in force again, the very same")
    return {sku: original[sku] for sku in touched}


def _run_until_noticed(tell: Teller, setting: Setting, lock: interlock.Client, queue: Queue) -> list[str]:
    """Let the bad release work until the shop's own figures look wrong. Gives the skus whose price it changed."""
    tally, manner, changed = Tally(), manner_in_force(setting), list[str]()
    lossy = _below_cost(setting)
    with tell.progress() as bars:
        row = bars.add_task("pricing", total=len(queue.reviews), said="")
        for sku in queue.reviews:
            done = tally.outcomes["done"]
            pricing.review(lock, sku, manner, tally)
            if tally.outcomes["done"] > done:
                changed.append(sku)
            bars.update(row, advance=1, said=f"{len(changed)} prices changed")
            if _below_cost(setting) - lossy >= TOO_MANY:
                break
    tell.line("wait", f"{len(changed)} prices changed in {tally.tasks} tasks, each of them inside policy")
    floors = tally.outcomes["denied"]
    tell.line("note", f"{floors} more were denied: the floors of the flagship range hold whatever an agent does")
    margin = _below_cost(setting) - lossy
    tell.line("no", f"the shop's own watch calls: {margin} more products sell below what they cost")
    return changed


def _undo(tell: Teller, setting: Setting, label: str, expected: int) -> None:
    """Undo the whole cohort. The worker helps; whoever comes first to an undo does it."""
    why = "sells below cost"
    tell.command("paula", "undo", f"release:{label}", "--why", why)
    begun = _changes(setting)
    asked = setting.program.json("undo", f"release:{label}", "--why", why, person="paula", expected=(DONE, WAITING))
    with tell.progress() as bars:
        row = bars.add_task("undo", total=expected, said="last one first, each undo an action of its own")
        request = asked
        while request["state"] == "running":
            bars.update(row, completed=min(_changes(setting) - begun, expected))
            time.sleep(0.1)
            request = next(each for each in setting.program.json("retry") if each["id"] == asked["id"])
        bars.update(row, completed=_changes(setting) - begun)
    if request["state"] != "done":
        raise StoryBroken(f"the undo is {request['state']}: {request['blocked_why']}")
    tell.line("back", f"everything that {label} did is undone, and it may do nothing more")


def _prices(setting: Setting) -> dict[str, int]:
    with reading(setting.place.shop_db) as conn:
        return dict(conn.execute("SELECT sku, price_minor FROM products").fetchall())


def _below_cost(setting: Setting) -> int:
    with reading(setting.place.shop_db) as conn:
        (count,) = conn.execute("SELECT count(*) FROM products WHERE price_minor < cost_minor").fetchone()
    return int(count)


def _changes(setting: Setting) -> int:
    with reading(setting.place.shop_db) as conn:
        (count,) = conn.execute("SELECT count(*) FROM price_changes").fetchone()
    return int(count)
