"""08:00. Four agents work through their queues at the same time, every action of theirs through the gate."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import msgspec
import yaml
from rich.progress import Progress, TaskID

import interlock
from interlock_demo.agents import assistant, pricing, replenishment, support
from interlock_demo.agents.tally import Note, Tally
from interlock_demo.invariants import euros
from interlock_demo.queue import Queue
from interlock_demo.setting import Setting
from interlock_demo.telling import Teller, many, spaced
from interlock_demo.tools.pricing import PriceFacts

Step = Callable[[], None]
AGENTS = ("pricing", "replenishment", "support", "assistant")


class Tallies(msgspec.Struct, frozen=True, kw_only=True):
    """What came of each agent's morning."""

    pricing: Tally
    replenishment: Tally
    support: Tally
    assistant: Tally

    def of(self, agent: str) -> Tally:
        """One agent's."""
        found: Tally = getattr(self, agent)
        return found

    def noted(self, outcome: str) -> list[Note]:
        """The notes of one outcome, of all agents."""
        return [note for agent in AGENTS for note in self.of(agent).noted(outcome)]


def manner_in_force(setting: Setting) -> pricing.Manner:
    """How the pricing agent prices: the parameters in its agent file."""
    text = (setting.workspace / "agents" / "pricing.yaml").read_text("utf-8")
    return pricing.manner_of(yaml.safe_load(text)["behaviour"]["parameters"])


def open_for_business(tell: Teller, setting: Setting, lock: interlock.Client, queue: Queue) -> Tallies:
    """Let the agents work, and tell what came of it."""
    tell.chapter(
        "08:00",
        "Four agents begin their day",
        f"{queue.tasks} tasks. Each call of a tool is an action: bound to its contract, decided by policy, written down "
        "before it touches anything, executed once, and proven. The shopping assistant knows nothing of that: it is an MCP "
        "client like any other, and comes through the gateway with a token of the customer it helps.",
    )
    tallies = Tallies(pricing=Tally(), replenishment=Tally(), support=Tally(), assistant=Tally())
    manner = manner_in_force(setting)
    work: dict[str, list[Step]] = {
        "pricing": [partial(pricing.review, lock, sku, manner, tallies.pricing) for sku in queue.reviews],
        "replenishment": [
            partial(replenishment.replenish, lock, sku, tallies.replenishment, queue.price_list) for sku in queue.cover
        ],
        "support": [partial(support.settle, lock, case, tallies.support) for case in queue.cases],
        "assistant": [partial(assistant.serve, setting.door, wish, tallies.assistant) for wish in queue.wishes],
    }
    tell.command("sam", "gateway", "--http", setting.door.place)
    with tell.progress() as bars, ThreadPoolExecutor(len(AGENTS)) as pool:
        rows = {agent: bars.add_task(agent, total=len(work[agent]), said="") for agent in AGENTS}
        stopped = threading.Event()
        running = [pool.submit(_work, bars, rows[agent], work[agent], tallies.of(agent), stopped) for agent in AGENTS]
        try:
            for each in running:
                each.result()
        finally:
            stopped.set()  # an agent that fails, or a person who interrupts, ends the others' day, too
    _tell(tell, lock, tallies, queue)
    return tallies


def _work(bars: Progress, row: TaskID, steps: list[Step], tally: Tally, stopped: threading.Event) -> None:
    for step in steps:
        if stopped.is_set():
            return
        step()
        said = "  ".join(f"{count} {word}" for word, count in sorted(tally.outcomes.items()))
        bars.update(row, advance=1, said=said)


def _tell(tell: Teller, lock: interlock.Client, tallies: Tallies, queue: Queue) -> None:
    denied, held, refused = (tallies.noted(word) for word in ("denied", "held", "refused"))
    done = sum(tallies.of(agent).outcomes["done"] for agent in AGENTS)
    tell.line("yes", f"{spaced(done)} actions done", "within policy, each with its way back")
    tell.line(
        "yes",
        f"{many(len(queue.wishes), 'customer')} helped over MCP",
        "one session each, behind the gateway; what the assistant calls `cart__reserve` there is the action `cart.reserve` here",
    )
    if denied:
        said = sorted({reason for note in denied for reason in note.reasons})
        tell.line("no", f"{many(len(denied), 'discount')} denied", "; ".join(said))
        asked = lock.person("paula").action(denied[0].action_id)
        wanted, floor = asked.arguments["price_minor"], msgspec.convert(asked.facts, PriceFacts).floor_minor
        tell.line("note", f"{denied[0].subject}: wanted {euros(int(str(wanted)))}, its floor is {euros(floor)}")
    for note in held:
        if note.contract == "replenishment.order_stock":
            tell.line("wait", f"held: {note.subject}", "; ".join(note.reasons))
    others = sum(note.contract != "replenishment.order_stock" for note in held)
    tell.line("wait", f"held: {others} refunds and mails", "large, late, or impossible to take back")
    for note in refused:
        tell.line("no", f"refused: `{note.contract}`, asked for by the assistant", "; ".join(note.reasons))
    if refused:
        tell.line("note", f"a customer had written: “{next(wish.says for wish in queue.wishes if wish.says)}”")
    broken_off, repeated = sum(wish.repeats for wish in queue.wishes), tallies.assistant.outcomes["repeated"]
    why = "same keys, same answers, nothing bought twice"
    tell.line("back", f"{broken_off} conversations broke off, and {repeated} steps were said again", why)
