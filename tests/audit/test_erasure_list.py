"""A list of erasures is believed only as far as the keys in force signed it, and no lost key counts for what it signed since."""

from collections.abc import Mapping

import anyio
import msgspec
import pytest

from interlock.adapters.keys import SigningKey, fresh, verify
from interlock.domain.erasure_list import Believed, ErasureList, Seal, believed, parse_list, sealed_text
from interlock.domain.errors import IntegrityError
from interlock.domain.keyring import keyid
from interlock.services.listing import erasure_list
from tests.audit.ledger import GATE, LOG, ORIGIN, Ledger

KEYS = {"000000000001": "0-2"}


def listed(ledger: Ledger, signer: SigningKey | None = None) -> ErasureList:
    """The list of a ledger, as its operator keeps it."""
    ledger.note = ledger.checkpoint(signer=signer).decode()
    made = anyio.run(lambda: erasure_list(ledger))
    seal = Seal(keyid=keyid(ledger.gate.verifier), sig=ledger.gate.sign(sealed_text(made)))
    return parse_list(msgspec.json.encode(msgspec.structs.replace(made, seal=seal)))


def told(ledger: Ledger, suspect: Mapping[str, int] | None = None) -> Believed:
    """What is believed of it by whoever trusts the first keys."""
    return believed(listed(ledger), LOG.verifier, (GATE.verifier,), verify, suspect)


def erased(ledger: Ledger, part: int = 1) -> None:
    """A part of an erasure that was carried out."""
    ledger.put("erased", "erasure", body={"state": "erased", "part": part, "keys": KEYS, "covers": ""})


@pytest.mark.proves("erasure.again_believed")
def test_what_the_gate_did_not_sign_is_not_believed() -> None:
    """An entry that stands in the log and is signed by somebody else than the gate destroys nothing, nor does any beside it."""
    ledger = Ledger().begin()
    erased(ledger)
    assert [(each.erasure, each.part, len(each.keys)) for each in told(ledger).shreds] == [("it", 1, 3)]
    ledger.gate = fresh(f"{ORIGIN}/gate")
    erased(ledger, 2)

    with pytest.raises(IntegrityError, match="entry 2: it is signed by"):
        told(ledger)


@pytest.mark.proves("erasure.again_believed")
def test_a_checkpoint_of_another_is_not_believed() -> None:
    """Under a checkpoint that the log's key did not sign nothing of a list counts."""
    ledger = Ledger().begin()
    erased(ledger)

    with pytest.raises(IntegrityError, match="does not hold"):
        believed(listed(ledger, fresh(ORIGIN)), LOG.verifier, (GATE.verifier,), verify)


@pytest.mark.proves("erasure.again_believed")
def test_a_lost_key_counts_for_what_it_signed_before() -> None:
    """Keys are followed through rotations; of one that may have been lost, known here or said in the list, what it signed since
    is not believed."""
    ledger = Ledger().begin()
    erased(ledger)
    new = fresh(f"{ORIGIN}/gate")
    old = keyid(GATE.verifier)
    ledger.rotate("gate", new)
    erased(ledger, 2)
    assert len(told(ledger).shreds) == 2
    assert len(told(ledger, {old: 2}).shreds) == 2

    assert told(ledger, {old: 2}).whole
    ledger.put("opened", "task", body={"state": "open"})
    assert not told(ledger, {keyid(new.verifier): 4}).whole
    for suspect in ({old: 1}, {keyid(new.verifier): 0}, {keyid(LOG.verifier): 0}):
        with pytest.raises(IntegrityError, match="may have been lost"):
            told(ledger, suspect)
    said = {"role": "gate", "key": GATE.verifier.vkey(), "since": 1, "reason": "compromised"}
    ledger.put("retired", "key", body=said)
    with pytest.raises(IntegrityError, match="may have been lost"):
        told(ledger)
