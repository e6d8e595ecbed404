"""What others say of grants handed on and revoked, done by our chains: corpora of agent-evidence-vectors, pinned."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.foreign.grants import judged
from tests.foreign.programs import brought

# Where our chains do something else than the corpus expects, and why. The test holds the list exactly.
TREES = {
    "tree-presentation-unattested": "no second party signs a presentation: it is checked by the gate that it is made to",
    "tree-record-not-json": "a chain comes with its call, whole: there is no set of records beside it that could be damaged",
}
# Cases of the same corpus that are not told, by the beginnings of their names, with how many there are, and why.
NOT_TOLD = {
    # An instance that comes again under another key gets a new credential and new tokens; nothing of the old one is carried.
    "rereg-": 12,
    "recovery-": 12,
    # Whether the agent behind a grant is active is asked of its standing at each call, not of the chain.
    "subagent-": 7,
}
# The signer of a record bound to a subject by its DID document. We resolve no DIDs: a holder is its key.
DIDS = 12


def _expected(corpus: str) -> tuple[Path, dict[str, str]]:
    folder = brought("vectors/agent_evidence_vectors/corpora") / corpus
    said: list[dict[str, Any]] = json.loads((folder / "MANIFEST.json").read_text())["vectors"]
    return folder / "cases", {each["id"]: each["expected"]["decision"] for each in said}


@pytest.mark.proves("tokens.revoked_with_ancestor")
def test_grants_handed_on_and_revoked_are_judged_as_their_corpus_says() -> None:
    """A chain counts until any grant in it is revoked by somebody above it, and not with one left out, forged, tampered with
    or put below another."""
    cases, expected = _expected("vectors-delegation-lifecycle")
    trees = {name: said for name, said in expected.items() if name.startswith("tree-")}
    told = trees.keys() - {"tree-record-not-json"}

    otherwise = {name for name in told if judged(cases / name) != trees[name]}

    assert len(trees) == 23
    assert otherwise | {"tree-record-not-json"} == TREES.keys()


def test_what_is_not_told_is_what_it_was() -> None:
    """What is left out of the corpora has the cases it had when that was decided."""
    _, expected = _expected("vectors-delegation-lifecycle")
    _, bound = _expected("vectors-identity-binding")

    assert {begin: sum(name.startswith(begin) for name in expected) for begin in NOT_TOLD} == NOT_TOLD
    assert len(bound) == DIDS
