"""What is recorded of a loss that two persons acknowledge: which entries it is about, in as many facts as that takes."""

from collections.abc import Iterable, Iterator
from hashlib import sha256
from itertools import islice
from typing import Final

from interlock.domain.canonical import JsonValue
from interlock.domain.erasure import ranges_of
from interlock.domain.evidence import Fact, Phase
from interlock.domain.ids import Digest
from interlock.domain.losing import Loss

RUNS: Final = 1_000
"""So many ranges of entries one entry names: it must fit into a leaf."""


def loss_facts(after: Loss, phase: Phase, by: str, now: int, covered: Iterable[int] = ()) -> tuple[Fact, ...]:
    """That an acknowledgement, about to be saved as `after`, was moved by `by`; once acknowledged, of which entries: as many
    facts as it takes to name them."""
    private: dict[str, JsonValue] = {"by": by, "why": after.why}
    parts = list(_parts(covered)) or [("", after.entries)]
    return tuple(
        Fact(
            phase=phase,
            subject="loss",
            subject_id=after.id,
            subject_digest=Digest(sha256(after.id.encode()).hexdigest()),
            observed_at=now,
            body={
                "state": after.state,
                "reason": after.reason,
                "entries": entries,
                "actions": after.actions,
                "consents": len({after.proposed_by, after.accepted_by} - {""}),
                **({"covers": covers, "part": number} if covers else {}),
            },
            private=private,
        )
        for number, (covers, entries) in enumerate(parts, 1)
    )


def _parts(covered: Iterable[int]) -> Iterator[tuple[str, int]]:
    runs = iter(ranges_of(covered).split(","))
    while some := [each for each in islice(runs, RUNS) if each]:
        yield ",".join(some), sum(_length(each) for each in some)


def _length(run: str) -> int:
    first, _, last = run.partition("-")
    return int(last or first) - int(first) + 1
