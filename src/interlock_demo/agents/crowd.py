"""A process of the evening sale: assistants who put things aside for customers, one after the other, as fast as they can.

`python -m interlock_demo.agents.crowd WORKSPACE FOLDER NUMBER` writes down each of its calls in FOLDER, by its own clock, and
ends when its standard input does.
"""

import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from pathlib import Path

import msgspec

import interlock
from interlock_demo.tools.assistant import reserve
from interlock_demo.world.db import now_ms, reading
from interlock_demo.world.place import here

AT_ONCE = 4
"""How many assistants a process has."""
EACH = 10
"""How many things one customer has put aside."""
PAUSE_S = 0.04
"""Between two calls: customers think."""
REFUSED_S = 0.2
"""Before a call that was refused is tried again, as a new one."""


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """One call as the assistant saw it: UTC ms."""

    began_at: int
    ended_at: int
    outcome: str
    why: str = ""


def serve(lock: interlock.Client, wishes: Iterator[tuple[str, str]], note: Path, over: threading.Event) -> None:
    """One assistant: a customer a task, until it is over."""
    with note.open("ab", buffering=0) as out:
        for customer, _ in wishes:
            with lock.task("assistant", purpose="the evening sale", on_behalf_of=f"user:{customer}") as task:
                for _, sku in islice(wishes, EACH):
                    if over.is_set():
                        return
                    began = now_ms()
                    outcome = task.propose(reserve, customer, sku, 1)
                    word, why = (
                        type(outcome).__name__.lower(),
                        "" if isinstance(outcome, interlock.Done) else "; ".join(outcome.reasons),
                    )
                    made = Made(began_at=began, ended_at=now_ms(), outcome=word, why=why)
                    out.write(msgspec.json.encode(made) + b"\n")
                    time.sleep(PAUSE_S if word == "done" else REFUSED_S)


def wishes(number: int) -> Iterator[tuple[str, str]]:
    """Customers and what they want, for ever; another order for another number."""
    with reading(here().shop_db) as conn:
        customers = [row[0] for row in conn.execute("SELECT customer_id FROM customers ORDER BY customer_id")]
        skus = [row[0] for row in conn.execute("SELECT sku FROM stock ORDER BY on_hand - reserved DESC, sku LIMIT 60")]
    turn = number * 7
    return zip(cycle(customers[turn:] + customers[:turn]), cycle(skus[turn:] + skus[:turn]), strict=False)


def main(workspace: str, folder: str, number: int) -> None:
    """Serve until standard input ends."""
    over = threading.Event()
    with interlock.open(workspace) as lock, ThreadPoolExecutor(AT_ONCE) as pool:
        ones = range(number * AT_ONCE, (number + 1) * AT_ONCE)
        running = [pool.submit(serve, lock, wishes(one), Path(folder) / f"calls-{number}-{one}", over) for one in ones]
        sys.stdin.read()
        over.set()
        for each in running:
            each.result()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
