"""The rotations of somebody else's receipts, told as logs of ours: `vectors-receipt-chain-end` of agent-evidence-vectors.

Each receipt becomes an entry, and the one with which a new key begins our handover, signed by both keys for its place. Who
re-roots the chain holds the new key and the log's, and the retiring key's word for the true place: nothing else.
"""

import json
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

from interlock.adapters.keys import verify
from interlock.domain.evidence import Entry
from interlock.services.verifying import verify_log
from tests.domain.logs import OpenLog
from tests.domain.rotations import Rotated
from tests.foreign.programs import brought

# By the case, the whole run that it is worked out of. The other 19 have no rotation: where a log ends, and what is cut off it,
# is told by `vectors-anchored-chain`.
ROTATIONS = {
    "control-rotation-endorsed": "control-rotation-endorsed",
    "rotation-resigned-tail-keys-pinned": "control-rotation-endorsed",
    "rotation-resigned-tail-endorsement": "control-rotation-endorsed",
    "seq-reset-control-endorsed": "seq-reset-control-endorsed",
    "seq-reset-hides-gap": "seq-reset-control-endorsed",
}


def _chain(case: Path) -> list[bytes]:
    return (case / "chain.jsonl").read_bytes().splitlines()


def _turns(line: bytes) -> bool:
    """Whether a new key begins with this receipt."""
    return "key_transition" in json.loads(line)["action_record"]


def _whole(lines: list[bytes]) -> Rotated:
    """A whole run as a log, behind the entry that introduces its keys."""
    log = Rotated()
    for line in lines:
        if _turns(line):
            log.handover("gate")
        else:
            log.add()
    return log


def _findings(case: Path, whole: list[bytes]) -> list[str]:
    """What our verification finds in what a case shows, to who trusts the first keys."""
    true, shown, lines = _whole(whole), OpenLog(), _chain(case)
    rows: list[Entry] = list(anyio.run(true.store.entries, 0, 100))
    shown.keys = true.keys
    turn = 1 + next(n for n, line in enumerate(whole) if _turns(line))
    kept = [rows[0], *(rows[1 + whole.index(line)] for line in lines if line in whole)]
    # What follows a place that is not the true one is whatever the holder of the new key has signed.
    forged = rows[turn : turn + len(lines) + 1 - len(kept)]
    shown.renumber([*kept, *forged]) if forged else shown.rows.extend(kept)
    head = case / "head.json"
    retained: list[str] = []
    if head.exists():
        said: dict[str, Any] = json.loads(head.read_text())
        retained.append(true.note(said["receipt_index"] + 2))
    work = partial(
        verify_log, shown.close(), true.first.log.verifier, (true.first.gate.verifier,), verify, retained=retained
    )
    return [each.problem for each in anyio.run(work).verification.findings]


@pytest.mark.proves("evidence.foreign_programs")
def test_rotations_are_judged_as_their_corpus_says() -> None:
    """T14: a key that takes over where the retiring one endorsed it is followed; one that cuts the other's end and begins
    earlier is found, and so is a run cut where the new key's numbers would hide it."""
    corpus = brought("vectors/agent_evidence_vectors/corpora") / "vectors-receipt-chain-end"
    said: list[dict[str, Any]] = json.loads((corpus / "MANIFEST.json").read_text())["vectors"]
    expected = {each["id"]: each["expected"]["decision"] == "rejected" for each in said}
    assert len(expected) == 24

    found = {
        name: _findings(corpus / "cases" / name, _chain(corpus / "cases" / whole)) for name, whole in ROTATIONS.items()
    }

    assert {name: bool(each) for name, each in found.items()} == {name: expected[name] for name in ROTATIONS}
    assert any("did not sign" in each for each in found["rotation-resigned-tail-endorsement"])
