"""What an entry says of a filtering, held by the two verifiers against the result and against itself."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from interlock.adapters.keys import verify
from interlock.domain.canonical import JsonValue
from interlock.domain.export import Selection, Wish
from interlock.domain.filtering import committed
from interlock.domain.keyring import Keyring
from interlock.domain.testimony import Reader
from tests.audit.ledger import GATE, LOG, Ledger, checked

SALT = "5" * 32
BEFORE: JsonValue = {"note": "a secret"}
AFTER: JsonValue = {"note": "[masked: aws-key]"}
Parts = dict[str, Any]


def parts() -> Parts:
    """An honest outcome: `output`, and the clear texts beside it."""
    taken = [{"path": "/note", "kind": "aws-key", "places": 1}]
    output = {"before": committed(BEFORE, SALT), "after": committed(AFTER, SALT), "taken": taken}
    return {"phase": "outcome", "output": output, "private": {"toolResult": AFTER, "outputSalt": SALT}}


def found(told: Parts, place: Path) -> tuple[list[str], list[str]]:
    """What ours and the stand-alone verifier find in a log in which a gate signed that."""
    log = Ledger().begin()
    log.act("a-0")
    log.put("dispatching", action="a-1", state="dispatching")
    body = {"output": told["output"]}
    log.put(told["phase"], action="a-1", state="done", body=body, private=told["private"])
    reader = Reader(Keyring(LOG.verifier, (GATE.verifier,), verify), verify)
    log.export(place, Wish(selection=Selection(), disclosed=None))
    ours = [problem for each in log.rows for problem in reader.read(each).problems]
    return ours, [each for _, each in checked(place).findings]


@pytest.mark.proves("output.told")
def test_an_honest_filtering_verifies(tmp_path: Path) -> None:
    """With its clear texts, and with the result left out because it was too long to keep."""
    assert found(parts(), tmp_path / "one") == ([], [])
    told = parts()
    told["private"]["toolResult"] = {"leftOut": "it is too long to keep", "bytes": 9}
    assert found(told, tmp_path / "two") == ([], [])


TAMPERED: dict[str, tuple[Callable[[Parts], Any], str]] = {
    "another result": (
        lambda told: told["private"].update(toolResult={"note": "fine"}),
        "not the one that filtering left",
    ),
    "another salt": (lambda told: told["private"].update(outputSalt="0" * 32), "not the one that filtering left"),
    "nothing taken": (lambda told: told["output"].update(taken=[]), "not what was taken"),
    "nothing before": (lambda told: told["output"].pop("before"), "before and after"),
    "nothing changed": (lambda told: told["output"].update(before=told["output"]["after"]), "before and after"),
    "no digest": (lambda told: told["output"].update(after="x"), "before and after"),
    "a list": (lambda told: told.update(output=[]), "before and after"),
    "withheld, and there": (lambda told: told["output"].update(withheld=True), "withheld, and holds one"),
    "no salt": (lambda told: told["private"].pop("outputSalt"), "commits to none"),
    "no result": (lambda told: told["private"].pop("toolResult"), "commits to none"),
    "elsewhere": (lambda told: told.update(phase="compensation"), "commits to none"),
}


@pytest.mark.proves("output.told")
@pytest.mark.parametrize("how", TAMPERED)
def test_a_filtering_that_does_not_hold_is_found(how: str, tmp_path: Path) -> None:
    """Signed by the gate itself, and named by both, in the same words."""
    told = parts()
    change, problem = TAMPERED[how]
    change(told)

    ours, alone = found(told, tmp_path / "out")

    assert [each for each in ours if problem in each]
    assert [each for each in ours if problem in each] == [each for each in alone if problem in each]
