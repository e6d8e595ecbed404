"""Asking the evidence: the index over a million entries, filled and asked."""

import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.measure import percentile, show
from interlock.adapters.sqlite.audit_index import AuditIndex
from interlock.domain.card import ANY, Card, Question, Word
from interlock.domain.evidence import at
from interlock.domain.ids import ActionId
from interlock.ports.derived import Reached

ENTRIES = 1_000_000
STEP = 2_000
QUESTIONS = 300
BEGIN = 1_790_000_000_000
EVERY_MS = 60_000


async def run() -> None:
    """Fill the index with entries of a made-up year, ask it, and print."""
    rng = random.Random(1)  # noqa: S311  the same year every time
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.audit"
        index = AuditIndex.open(path)
        began = time.process_time()
        reached = Reached()
        cards = list[Card]()
        for card in _year(rng):
            cards.append(card)
            if len(cards) == STEP:
                now = Reached(reached.next + STEP, b"leaf")
                await index.take(cards, given=reached, now=now)
                reached, cards = now, []
        filled = time.process_time() - began
        took = list[float]()
        for number in range(QUESTIONS):
            question = _question(rng, number)
            asked = time.perf_counter()
            await index.find(question)
            took.append((time.perf_counter() - asked) * 1000)
        took.sort()
        size = path.stat().st_size
        await index.close()
    show(
        "asking the evidence",
        ("", ""),
        [
            (f"entries taken into the index, of {ENTRIES:,}, a second of CPU", f"{ENTRIES / filled:,.0f}"),
            ("bytes of the index an entry", f"{size / ENTRIES:.0f}"),
            (f"{QUESTIONS} questions of eight kinds, wall p50 ms", f"{percentile(took, 0.5):.2f}"),
            ("p95 ms", f"{percentile(took, 0.95):.2f}"),
            ("the slowest, ms", f"{took[-1]:.2f}"),
        ],
    )


def _year(rng: random.Random) -> Iterator[Card]:
    """Four entries an action: asked, approved, intent, outcome."""
    for n in range(0, ENTRIES, 4):
        action, begun = ActionId(f"{rng.getrandbits(128):032x}"), BEGIN + n * EVERY_MS
        first = {
            ANY,
            Word("agent", f"agent-{rng.randrange(20)}"),
            Word("contract", f"contract-{rng.randrange(50)}"),
            Word("policy", f"policy-{rng.randrange(100)}"),
            Word("initiator", f"user:{rng.randrange(5_000)}"),
            Word("touching", f"order:{rng.randrange(200_000)}"),
            Word("task", f"task-{n // 20}"),
        }
        yield Card(action, at(begun), "held", frozenset(first))
        yield Card(action, at(begun), "ready", frozenset({ANY, Word("approver", f"person-{rng.randrange(50)}")}))
        yield Card(action, at(begun), "dispatching", frozenset({ANY}))
        yield Card(action, at(begun), rng.choices(("done", "failed", "unknown"), (95, 4, 1))[0], frozenset({ANY}))


def _question(rng: random.Random, number: int) -> Question:
    """Who, what, which policy, who agreed, which record, which state, and when: each kind in turn."""
    agent, contract = Word("agent", f"agent-{rng.randrange(20)}"), Word("contract", f"contract-{rng.randrange(50)}")
    policy, person = Word("policy", f"policy-{rng.randrange(100)}"), Word("approver", f"person-{rng.randrange(50)}")
    words = (
        (agent,),
        (agent, contract),
        (policy, Word("initiator", f"user:{rng.randrange(5_000)}")),
        (Word("touching", f"order:{rng.randrange(200_000)}"),),
        (person, agent, policy),
        (),
        (agent,),
        (contract, person),
    )[number % 8]
    states = {5: ("unknown",), 6: ("failed", "unknown")}.get(number % 8, ())
    since = BEGIN + int(ENTRIES * EVERY_MS * rng.random())
    narrow = rng.random() < 0.5
    return Question(words=words, states=states, since_at=since if narrow else None, until_at=None)
