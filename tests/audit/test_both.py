"""The two verifiers, ours and the one that stands alone, find the same: nothing in an honest log, and each lie where it is."""

from functools import partial
from pathlib import Path

import anyio
import pytest

from interlock.adapters.keys import verify
from interlock.services.verifying import verify_log
from tests.audit.ledger import GATE, LOG, Ledger, checked, filled
from tests.audit.tampered import TAMPERED


def both(ledger: Ledger, place: Path) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """What each finds in a log: ours in the log, the other in its export."""
    ledger.export(place)
    reading = anyio.run(partial(verify_log, ledger, LOG.verifier, (GATE.verifier,), verify))
    ours = [(each.place, each.problem) for each in reading.verification.findings]
    return ours, checked(place, accept_suspect=True).findings


@pytest.mark.parametrize("how", TAMPERED)
def test_what_was_signed_and_cannot_be_is_found_by_both(tmp_path: Path, how: str) -> None:
    """Whatever a gate with a stolen key appends: both name the same entry first."""
    ledger = filled(2)
    TAMPERED[how](ledger)
    ours, theirs = both(ledger, tmp_path / "export")

    assert ours, "verify_log finds nothing"
    assert theirs, "verify_bundle finds nothing"
    assert ours[0][0].startswith("entry ")
    assert theirs[0][0] == ours[0][0], (ours[0], theirs[0])
