"""The two verifiers, ours and the one that stands alone, find the same: nothing in an honest log, and each lie where it is."""

from functools import partial
from itertools import cycle
from pathlib import Path

import anyio
import msgspec
import pytest

from interlock.adapters.keys import fresh
from tests.audit.honest import Found, lies
from tests.audit.honest import both as found_by_both
from tests.audit.ledger import GATE, IDENTITY, LOG, ORIGIN, Ledger, filled, token
from tests.audit.tampered import (
    GOES_ON,
    LENDS,
    NEED,
    OPENED,
    TAMPERED,
    Tamper,
    anchored,
    calls,
    known_bad,
    lets_in,
    own,
    put,
    signs_in,
    token_of,
    ways,
    word,
)
from tests.services.shop import CLASSES, STORIES, Shop


def both(ledger: Ledger, place: Path) -> tuple[Found, Found]:
    """What each finds in a log of one's own making."""
    ledger.note = ledger.checkpoint().decode()
    return anyio.run(found_by_both, ledger, LOG.verifier, (GATE.verifier,), ledger.sealing, ledger.now, place)


@pytest.mark.proves("evidence.both_verifiers")
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


# -- what is so ----------------------------------------------------------------------------------------------------------


def _two_words(ledger: Ledger) -> None:
    ledger.put("decided", action="b", state="held", body={"hold": NEED})
    ledger.put("approved", action="b", state="held", body={"approvals": [word()]})
    ledger.put("approved", action="b", state="ready", body={"approvals": [word()]})
    ledger.put("dispatching", action="b", state="dispatching")
    ledger.put("outcome", action="b", state="unknown")
    ledger.put("settled", action="b", state="done")


def _asked_anew(ledger: Ledger) -> None:
    ledger.put("decided", action="b", state="held", body={"hold": NEED})
    ledger.put("approved", action="b", state="held", body={"approvals": [word(), word(verdict="reject")]})
    ledger.put("modified", action="b", state="held", body={"hold": NEED | {"binding": "z"}, "approvals": [word("z")]})
    ledger.put("approved", action="b", state="ready", body={"approvals": [word("z")]})


def _gone_on(ledger: Ledger) -> None:
    ledger.put("decided", action="b", state="held", body={"hold": GOES_ON})
    ledger.put("reminded", action="b", state="held", body={"walked": 0})
    ledger.put("approved", action="b", state="held", body={"approvals": [word(role="cook")]})
    ledger.put("escalated", action="b", state="held", body={"walked": 1})
    ledger.put("approved", action="b", state="ready", body={"approvals": [word(role="boss")]})


def _lent(ledger: Ledger) -> None:
    ledger.put("decided", action="b", state="held", body={"hold": LENDS})
    ledger.put("delegated", action="b", state="held")
    ledger.put("approved", action="b", state="held", body={"approvals": [word()]})
    ledger.put("approved", action="b", state="ready", body={"approvals": [word() | {"lent": ["lead"]}]})


def _rotated(ledger: Ledger) -> None:
    own = {"gate": f"{ORIGIN}/gate", "log": ORIGIN, "identity": f"{ORIGIN}/identity"}
    for role in ("gate", "log", "identity", "log", "gate", "identity"):
        ledger.rotate(role, fresh(own[role]))
        ledger.act(f"after-{len(ledger.rows)}")
    ledger.put(
        "retired", "key", body={"role": "gate", "key": GATE.verifier.vkey(), "since": 2, "reason": "compromised"}
    )
    lost = {"role": "identity", "key": IDENTITY.verifier.vkey(), "since": 1, "reason": "compromised"}
    ledger.put("retired", "key", body=lost)
    ledger.put("retired", "key", body={"role": "log", "key": LOG.verifier.vkey(), "since": 0, "reason": "compromised"})


def _anchored(ledger: Ledger) -> None:
    first = ledger.checkpoint().decode()
    for size in (1, 5):
        anchored(partial(Ledger.checkpoint, size=size))(ledger)
    ledger.rotate("log", fresh(ORIGIN))
    anchored(lambda _: first, timestamp=token(first.encode()))(ledger)
    anchored(own)(ledger)


def _erased(ledger: Ledger) -> None:
    ledger.put("opened", "task", private={"purpose": "p"})
    ledger.put("erased", "erasure", body={"part": 1, "keys": {"000000000000": "5"}, "covers": "1,3-5"})
    ledger.put("erased", "erasure", body={"covers": ""})
    for index in (1, 3, 4, 5):
        ledger.rows[index] = msgspec.structs.replace(ledger.rows[index], disclosures=())


def _beside(ledger: Ledger) -> None:
    ledger.act("b")
    ledger.put("outcome", action="b", state="unknown", seq=0)
    ledger.put("closed", "run", body={"entries": 9})


def _let_in(ledger: Ledger) -> None:
    calls(ledger, "b")
    lets_in(ledger)
    calls(ledger, "c", attested="oidc", proof="d" * 64)
    lets_in(ledger, "offered", agent="other")
    lets_in(ledger, agent="other", attested="bootstrap", token=token_of(ledger))
    calls(ledger, "d", attested="bootstrap", proof="c" * 64, agent={"id": "other"})
    ledger.put("offered", "access", body={"what": "link"})
    signs_in(ledger, way="link", link=token_of(ledger))
    signs_in(ledger, way="password")


HONEST: dict[str, Tamper] = {
    "two words, lost, settled": _two_words,
    "asked anew": _asked_anew,
    "gone on to another": _gone_on,
    "keys replaced, some lost": _rotated,
    "anchored": _anchored,
    "erased": _erased,
    "a late word, and the end of a stream": _beside,
    "undone after it failed": ways(("ready", "dispatching", "dispatching", "done", "undoing", "undo_failed", "undone")),
    "called, and let in from outside": _let_in,
    "prepared and aborted": ways(("preparing", "preparing", "prepared", "aborting", "aborting", "voided")),
    "expired": ways(("held", "expired")),
    "handed on, and answered in a role that was lent": _lent,
    "known to be bad, and agreed to": known_bad(
        ("approved", "held", {"approvals": [word()]}), ("voided", "voided", OPENED)
    ),
    "known to be bad, modified and noticed": known_bad(
        ("modified", "held", {"hold": NEED | {"binding": "z"}, "approvals": [word("z")]}), ("voided", "voided", OPENED)
    ),
    "known to be bad, and rejected": known_bad(
        ("rejected", "rejected", OPENED | {"approvals": [word(verdict="reject")]})
    ),
    "another agent's words": put(body={"hold": 1, "approvals": "none"}),
}


@pytest.mark.proves("evidence.both_verifiers")
@pytest.mark.parametrize("how", HONEST)
def test_neither_finds_anything_in_what_is_so(tmp_path: Path, how: str) -> None:
    """Whatever a gate may record: nothing is found by either."""
    ledger = filled(2)
    HONEST[how](ledger)

    assert both(ledger, tmp_path / "export") == ([], [])


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("story", "kind"), [(story, kind) for story, kind in zip(STORIES, cycle(CLASSES), strict=False)]
)
async def test_neither_finds_anything_in_what_a_gate_did(story: str, kind: str) -> None:
    """Held, modified, prepared, aborted, lost, settled, undone: the real gate's log, of tools of one class or another."""
    shop = Shop(kind)
    await shop.open()
    await STORIES[story](shop)

    assert await lies(shop.store, shop.keys.log.verifier, shop.keys.gate) == []
