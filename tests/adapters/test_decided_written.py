"""What files say of those who decide, and of what they are shown: read, or refused in its place."""

from pathlib import Path

import pytest

from interlock.domain.changing import Changing
from interlock.domain.duration import MINUTE, SECOND
from interlock.domain.pace import Attention
from tests.adapters.workspace_files import SEND, problems, read

TIMEOUT = "timeout: 10s\n"


def test_the_pace_of_a_workspace_is_read(tmp_path: Path) -> None:
    """Said, it holds; not said, nobody is slowed down."""
    said = "approvals: {pace: {most: 60, per: 10m, look: 3s, agrees: 95%, words: 30}}\n"

    found = read(tmp_path / "said", {"interlock.yaml": said}).settings.routing.attention
    plain = read(tmp_path / "plain").settings.routing.attention

    assert found == Attention(most=60, per_ms=10 * MINUTE, look_ms=3 * SECOND, agrees=950, words=30)
    assert plain == Attention()
    assert plain.most is None


@pytest.mark.parametrize(
    "written",
    [
        "{most: 0}",
        "{most: -1}",
        "{most: 100000}",
        "{most: many}",
        "{most: 5, per: 2d}",
        "{least: 5}",
        "often",
        "{agrees: 2}",
        "{words: 0}",
        "{words: 51}",
    ],
)
def test_a_pace_that_is_none_is_refused(tmp_path: Path, written: str) -> None:
    """A slip never means that there is no limit."""
    assert problems(tmp_path, {"interlock.yaml": f"approvals: {{pace: {written}}}\n"})


def test_what_a_contract_changes_is_read(tmp_path: Path) -> None:
    """Before and after, with their unit."""
    changes = "changes: {words sent: {before: 0, after: $args.text, unit: words}}\n"

    found = read(tmp_path, {"contracts/send.yaml": SEND.replace(TIMEOUT, f"{TIMEOUT}{changes}")})

    assert found.problems == ()
    (send,) = [each for each in found.contracts if each.name == "mail.send"]
    assert send.changes == {"words sent": Changing(before=0, after="$args.text", unit="words")}


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("{sent: {after: $args.nothing}}", "names no argument"),
        ("{sent: {before: 1}}", "after"),
        ("{sent: {after: 1, money: euro}}", "no currency"),
        ("{sent: {after: 1, colour: red}}", "colour"),
        ("{sent: 1}", "must be a table"),
        ("{'1': {after: 1}}", "is no name"),
    ],
)
def test_a_change_that_cannot_be_shown_is_refused(tmp_path: Path, written: str, says: str) -> None:
    """With the contract, in words that say what is wrong."""
    found = problems(tmp_path, {"contracts/send.yaml": SEND.replace(TIMEOUT, f"{TIMEOUT}changes: {written}\n")})

    assert any(says in str(each) for each in found), found
