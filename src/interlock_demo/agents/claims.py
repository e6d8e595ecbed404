"""The claims agent: it hands out cases that belong together, and holds what may be spent on all of them."""

from collections.abc import Mapping, Sequence
from functools import partial

import interlock
from interlock_demo.agents import support
from interlock_demo.agents.support import Case
from interlock_demo.agents.tally import Tally

AT_ONCE = 3
"""How many workers settle at the same time."""


def hand_out(lock: interlock.Client, cases: Sequence[Case], limits: Mapping[str, int]) -> tuple[str, list[Tally]]:
    """Let workers settle `cases` within one task that may spend `limits` in all. Gives its id, and what came of each case."""
    tallies = [Tally() for _ in cases]
    on_behalf, why = "system:service-desk", "a pallet that the carrier dropped"
    with lock.task("claims", purpose=why, on_behalf_of=on_behalf, budgets=limits) as task:
        work = (partial(support.settle, lock, case, tally) for case, tally in zip(cases, tallies, strict=True))
        task.gather(*work, at_once=AT_ONCE)
    return task.id, tallies
