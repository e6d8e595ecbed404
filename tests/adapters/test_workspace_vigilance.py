"""`vigilance.yaml`: what it says is read, and what is wrong with it is found where it stands."""

from pathlib import Path

import pytest

from interlock.adapters.workspace.together import cross_check
from interlock.domain.duration import DAY, HOUR
from interlock.domain.vigilance import Item, Watch
from tests.adapters.workspace_files import SEND, read

SENDS = {"contracts/send.yaml": SEND}


def test_items_and_how_often_they_come_are_read(tmp_path: Path) -> None:
    """Said, they are there; unsaid, there are none, and one in 200 would come."""
    said = """\
after: 50 decisions
within: 1h
again: 10d
items:
  far-too-much:
    {contract: a.b, arguments: {n: 5}, wrong: too many, fields: [n], justification: j, purpose: p, initiator: "user:x"}
"""
    found = read(tmp_path / "said", {"vigilance.yaml": said}).watch

    item = Item(
        name="far-too-much", contract="a.b", arguments={"n": 5}, wrong="too many", fields=("n",),  # type: ignore[arg-type]  # a plain name, for a test
        justification="j", purpose="p", initiator="user:x",
    )  # fmt: skip
    assert found == Watch(one_in=50, within_ms=HOUR, again_ms=10 * DAY, items=(item,))
    assert read(tmp_path / "unsaid").watch == Watch()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("after: never\n", "no number of decisions"),
        ("after: 0\n", "no number of decisions"),
        ("items: [a]\n", "must be a table"),
        ("items: {a: {arguments: {}, wrong: w}}\n", "`contract` is missing"),
        ("items: {a: {contract: a.b, wrong: w}}\n", "`arguments` is missing"),
        ("items: {a: {contract: a.b, arguments: [1], wrong: w}}\n", "is a table of fields"),
        ("items: {a: {contract: a.b, arguments: {n: 1}}}\n", "`wrong` is missing"),
        ("items: {a: {contract: a.b, arguments: {n: 1}, wrong: w, fields: [m]}}\n", "none of its arguments"),
        ("items: {a b: {contract: a.b, arguments: {n: 1}, wrong: w}}\n", "no name for an item"),
        ("items: {a: {contract: exception.raise, arguments: {}, wrong: w}}\n", "an exception is no item"),
    ],
)
def test_what_is_wrong_is_found(tmp_path: Path, text: str, said: str) -> None:
    """Each with its file, and an error: an item that nobody would ever be shown is no item."""
    found = [each for each in read(tmp_path, {"vigilance.yaml": text}).problems if each.file == "vigilance.yaml"]

    assert any(said in each.message and each.severity == "error" for each in found), found


def test_items_are_held_against_the_contracts(tmp_path: Path) -> None:
    """A contract that there is not, and arguments that do not fit, are found where the item stands."""
    text = """\
items:
  one: {contract: no.such, arguments: {n: 1}, wrong: w}
  two: {contract: mail.send, arguments: {nothing: 1}, wrong: w}
"""
    workspace = read(tmp_path, {**SENDS, "vigilance.yaml": text})
    found = {
        each.line: each.message for each in cross_check(workspace, workspace.contracts) if "vigilance" in each.file
    }

    assert "there is no contract `no.such`" in found[2]
    assert found[3].startswith("`two`: ")
