"""Corpora that others published, judged by our checkers: agent-evidence-vectors, pinned."""

import json
from pathlib import Path
from typing import Any

import pytest

from interlock.domain.canonical import CanonicalError, encode
from tests.foreign.chains import Chains
from tests.foreign.programs import brought


def _corpus(name: str) -> Path:
    return brought("vectors/agent_evidence_vectors/corpora") / name


def _expected(corpus: Path) -> dict[str, dict[str, Any]]:
    said = json.loads((corpus / "MANIFEST.json").read_text())["vectors"]
    return {each["id"]: each["expected"] for each in said}


@pytest.mark.proves("evidence.foreign_programs")
def test_stored_chains_are_judged_as_their_corpus_says() -> None:
    """Every edit of a stored chain that the corpus rejects is found, though its attacker is given the log's key too, and
    every honest store passes; so does the one that nothing can tell from an honest one."""
    corpus = _corpus("vectors-anchored-chain")
    chains = Chains(corpus / "cases")
    expected = {name: said["decision"] for name, said in _expected(corpus).items()}

    found = {name: bool(chains.findings(corpus / "cases" / name)) for name in expected}

    assert len(expected) == 14
    assert found == {name: decision == "rejected" for name, decision in expected.items()}


@pytest.mark.proves("evidence.foreign_programs")
def test_canonical_bytes_are_those_of_the_corpus() -> None:
    """Of the RFC 8785 vectors each is written as the corpus says or refused by our narrower profile, and none that must
    be rejected has a form."""
    written = refused = 0
    for path in sorted(_corpus("vectors-a2a-jcs-v01").glob("a[3-6]-*/*.json")):
        case = json.loads(path.read_text())
        try:
            ours = encode(json.loads(case["input_raw"]) if "input_raw" in case else case["input"])
        except (CanonicalError, ValueError):
            refused += 1
            continue
        assert case["disposition"] == "MUST-ACCEPT", path.name
        assert ours.hex() == case["expected"]["canonical_utf8_hex"], path.name
        written += 1

    # What we refuse and they write are floats, integers beyond 2^53 - 1 and keys beyond ASCII.
    assert (written, refused) == (30, 23)


# Corpora about actions that are not told to our checkers, with how many cases each has, and why.
NOT_TOLD = {
    # Writes to files that somebody below the agent saw. We neither write nor read that predicate: a gate sees calls, not
    # paths. What ours says of effects is judged as agent audit records, in test_audit_record.py.
    "vectors-observed-effect": 80,
    # The chain of another gateway's records, which we neither write nor read, and canonical forms of floats, which our
    # narrower profile refuses.
    "vectors-ai-agent-action": 75,
}


@pytest.mark.parametrize("name", NOT_TOLD)
def test_what_is_not_told_is_what_it_was(name: str) -> None:
    """A corpus that is left out has the cases it had when that was decided."""
    assert len(_expected(_corpus(name))) == NOT_TOLD[name]
