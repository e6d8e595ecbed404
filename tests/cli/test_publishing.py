"""Publishing from the command line: proposed by one, looked at and accepted by another."""

import re

import pytest

import interlock
from interlock.adapters.cedar.compiling import runtime
from interlock.domain.errors import NotAllowed
from tests.cli.shell import Shell

RULE = "publishing: {persons: 2, roles: [reviewer]}\n"
LOOSER = "context.args.n > 2000 };"
SUM = """\
@id("sum") @owner("tests") @outcome("deny") @reason("more than nine hundred")
forbid(principal, action == Action::"box.put", resource) when { context.args.n + 100 > 1000 };
"""


@pytest.fixture
def two(shell: Shell) -> Shell:
    """The same workspace, in which publishing takes two."""
    shell.place.change("interlock.yaml", lambda text: text + RULE)
    assert shell("apply").code == 0
    return shell


def loosen(shell: Shell) -> str:
    """Propose a looser policy, and give the publication's id."""
    shell.place.change("policies/all.cedar", lambda text: text.replace("context.args.n > 1000 };", LOOSER))
    found = shell.json("policy", "publish", "--why", "spring sale", "--as", "rita", code=6)
    assert (found["changed"], found["waits_for"]) == (False, "1 more person in role reviewer")
    assert isinstance(found["publication"], str)
    return found["publication"]


@pytest.mark.proves("publish.two_persons")
def test_from_a_proposal_to_a_decision(two: Shell) -> None:
    """Proposed, listed, reviewed, accepted: each says what it is about and what is next, and in between nothing changed."""
    refused = two.proposed(1500)
    which = loosen(two)
    assert two.state(two.proposed(1500)) == "denied"
    listed, seen = two("policy", "pending"), two("policy", "review", which[-12:])
    assert two("policy", "review", which[-12:-8]).out == seen.out
    accepted = two("policy", "accept", which[-12:], "--note", "agreed", "--as", "ria")

    assert which[-12:] in listed.out
    for said in (
        "proposed by rita",
        "why: spring sale",
        "policy `no` changed",
        '-forbid(principal, action == Action::"box.put", resource) when { context.args.n > 1000 };',
        "of 2 recorded decisions 2 would be looser, 0 tighter",
        f"interlock policy accept {which[-12:]} --as NAME",
    ):
        assert said in seen.out, seen.out
    assert (accepted.code, "in force" in accepted.out) == (0, True)
    assert two.state(two.proposed(1500)) == "held"
    assert two.state(refused) == "denied"
    assert two("policy", "pending").out == "nothing is proposed\n"
    (ended,) = two.json("policy", "pending", "--all")
    assert [word["person"] for word in ended["publication"]["consents"]] == ["rita", "ria"]


def test_what_ended_is_still_to_be_reviewed(two: Shell) -> None:
    """After it came into force, and when much else has since, a publication shows who agreed, when, why, and its change."""
    which = loosen(two)
    before = two.json("policy", "review", which)
    two("policy", "accept", which, "--note", "agreed [by] phone", "--as", "ria")
    two.place.change("interlock.yaml", lambda text: text.replace(RULE, ""))
    later = two.json("apply", "--as", "rita", code=6)["publication"]
    two("policy", "withdraw", later, "--as", "rita")

    after, seen = two.json("policy", "review", which), two("policy", "review", which).out

    assert (after["differences"], after["loosened"]) == (before["differences"], before["loosened"])
    assert (after["known"], after["whatif"], bool(after["differences"])) == (True, None, True)
    assert re.search(r"is published since 20[0-9 :-]+ UTC: proposed by rita at 20[0-9 :-]+ UTC", seen)
    assert re.search(r"agreed: ria at 20[0-9 :-]+ UTC: agreed \[by\] phone", seen)
    assert '-forbid(principal, action == Action::"box.put", resource) when { context.args.n > 1000 };' in seen
    assert "it waits for" not in seen
    assert "publishing" in two("policy", "review", later).out


def test_a_second_proposal_of_the_same_says_what_is_not_kept(two: Shell) -> None:
    """Whoever proposes what is proposed already reads by whom it was, and that their own reason is not kept."""
    which = loosen(two)
    again = two("apply", "--why", "mine", "--as", "ria")
    silent = two("apply", "--as", "ria")

    assert (again.code, which[-12:] in again.out) == (6, True)
    assert "proposed already by rita" in again.out
    assert "your reason is not kept" in again.out
    assert "your reason" not in silent.out
    assert two.json("apply", "--why", "mine", "--as", "ria", code=6)["proposed_before"] == "rita"
    assert two.json("policy", "review", which)["publication"]["why"] == "spring sale"


@pytest.mark.proves("publish.entitled", "publish.stale")
def test_every_mistake_says_what_to_do(two: Shell) -> None:
    """Nobody's name, the proposer's own, an unknown publication, one that was withdrawn, one that is proposed again."""
    which = loosen(two)
    mistakes = [
        (("policy", "accept", which), "nobody said who you are"),
        (("policy", "accept", which, "--as", "rita"), "proposed this"),
        (("policy", "accept", "ffffffffffff", "--as", "ria"), "there is no publication"),
        (("policy", "engine", "fast", "--as", "rita"), "there is no engine"),
        (("policy", "engine", "cedarpy", "--as", "rita"), "say why"),
        (("apply", "--as", "nobody"), "not among the people"),
    ]
    for words, said in mistakes:
        found = two(*words)
        assert (found.code, said in found.err) == (1, True), (words, found)

    assert two.json("apply", "--as", "ria", code=6)["publication"] == which
    assert two("policy", "withdraw", which, "--as", "ria").out == f"publication {which[-12:]} is withdrawn\n"
    assert "withdrawn" in two("policy", "accept", which, "--as", "ria").err


def test_a_program_does_not_apply_alone_what_takes_two(two: Shell) -> None:
    """`interlock.open(..., apply=True)` is one person at most."""
    two.place.change("policies/all.cedar", lambda text: text.replace("context.args.n > 1000 };", LOOSER))

    with pytest.raises(NotAllowed, match="more than one person"):
        interlock.open(two.place.folder, apply=True)


def test_a_rule_nobody_could_meet_is_found_by_check(shell: Shell) -> None:
    """With its line, before anything is in force."""
    shell.place.change("interlock.yaml", lambda text: text + "publishing: {persons: 3, roles: [lead]}\n")
    shell.place.change("interlock.yaml", lambda text: text + "engine: fast\n")

    found = shell("check")

    assert found.code == 1
    assert "interlock.yaml:7:" in found.out
    assert "publishing takes 3, and there are 1 people in role lead" in found.out
    assert "`engine` must be compiled or cedarpy" in found.out


@pytest.mark.proves("engine.alarm", "engine.back")
def test_a_standing_alarm_is_told_until_it_is_ended(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """By `check`, `actions`, `apply` and `policy engine`; whoever ends it says why."""
    shell.place.change("policies/all.cedar", lambda text: text + SUM)
    assert "engine  compiled" in shell("policy", "engine").out
    monkeypatch.setitem(runtime.GLOBALS, "_add", max)
    assert shell("apply").code == 0

    assert shell.state(shell.proposed(901)) == "denied"
    monkeypatch.undo()

    for words in (("check",), ("actions",), ("apply",), ("policy", "engine")):
        assert "the engines disagree about `sum` on `box.put`" in shell(*words).out, words
    assert shell.json("policy", "engine")["engine"] == "cedarpy"
    assert shell("policy", "engine", "compiled", "--why", "mended", "--as", "rita").out == "engine  compiled\n"
    assert shell.json("check")["alarm"] is None
