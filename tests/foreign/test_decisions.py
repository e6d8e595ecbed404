"""What others say must be allowed or denied, done by our gate: corpora of agent-evidence-vectors, pinned."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.foreign.decisions import approval, authority, read
from tests.foreign.fences import dispatch
from tests.foreign.programs import brought

pytestmark = [pytest.mark.anyio, pytest.mark.proves("evidence.foreign_programs")]

# Where our gate does something else than the corpus expects, and why. Each test holds its list exactly: nothing is left out
# in silence, and what comes to agree must leave the list.
FORM = "the record's name for its own form: what an entry of ours must say is held by the tests of testimony"
APPROVALS = {
    "contract-id-missing": FORM,
    "contract-id-unknown": FORM,
    "event-differs": "a word is about one action, and an action is one event: there is no other to use it for",
    "phase-differs": "a word is about the whole of one action; in which phase it stands is the gate's own, not the user's",
    "approval-key-not-approvers": "persons hold no keys here: who speaks is established by the surface, before the gate",
    "approval-id-reused-different-content": "the second is refused as a reused key; it cannot void the word that was given",
    "allow-release-within-grace": "stricter: what was decided under other policies is decided again, without a grace",
    "allow-release-first-served-at-decision": "stricter: a word given before its policies were in force met others",
}
AUTHORITIES = {
    "contract-id-missing": FORM,
    "contract-id-unknown": FORM,
    "stale-authority-evidence": "no copy of the authority is kept that could age: it is read with the intent, in one commit",
    "evidence-age-inconsistent": "for the same reason no age is claimed that could be wrong",
    "scope-amplified-across-hops": "a wider scope is cut to its parent's, not refused: see the test below",
}
FENCES = {
    "contract-id-missing": FORM,
    "contract-id-unknown": FORM,
    "fence-rereads-state": "cannot be told: every intent is committed on the state that its decision read",
    "second-dispatch-after-expiry": "the other attempt is not admitted, as the record says it was, while the lease lasts",
    "allow-effect-ends-at-expiry": "stricter: at the very instant at which a lease ends another process may take over",
}


def _expected(corpus: str) -> tuple[Path, dict[str, str]]:
    folder = brought("vectors/agent_evidence_vectors/corpora") / corpus
    said: list[dict[str, Any]] = json.loads((folder / "MANIFEST.json").read_text())["vectors"]
    return folder / "cases", {each["id"]: each["expected"]["decision"] for each in said}


async def _otherwise(corpus: str, count: int, judge: Callable[[dict[str, Any]], Awaitable[str]]) -> set[str]:
    """The cases in which our gate did not what the corpus expects."""
    cases, expected = _expected(corpus)
    assert len(expected) == count
    found = {name: await judge(read(cases / name)) for name in expected}
    return {name for name in expected if found[name] != expected[name]}


async def test_approvals_bind_as_their_corpus_says() -> None:
    """T9: an approval that was used, or is used by another, for other bytes, another target or tool, outside its time or under
    other policies, lets nothing run."""
    assert await _otherwise("vectors-approval-binding", 23, approval) == APPROVALS.keys()


async def test_authority_is_what_it_is_at_dispatch() -> None:
    """T10: what was agreed to is not run once the grant is revoked or over, and nothing but that is."""
    assert await _otherwise("vectors-authority-at-dispatch", 14, authority) == AUTHORITIES.keys()


async def test_a_scope_that_was_widened_reaches_nothing() -> None:
    """T10: of the tool that the second hop grants and the first never had, nothing runs."""
    cases, _ = _expected("vectors-authority-at-dispatch")
    record = read(cases / "scope-amplified-across-hops")
    record["approvedAction"]["tool"] = record["dispatch"]["tool"] = "ticket.delete"

    assert await authority(record) == "deny"


async def test_dispatches_are_exclusive_as_their_corpus_says() -> None:
    """T10: what changed between check and intent is decided again, and a call that its lease does not cover is not made."""
    assert await _otherwise("vectors-dispatch-fence", 13, dispatch) == FENCES.keys()
