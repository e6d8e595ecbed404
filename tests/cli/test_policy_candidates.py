"""Policies on trial at the command line: their figures, and what becomes of them."""

import pytest

from interlock.cli.output import Exit
from tests.cli.shell import Shell

TRIAL = """\
// What is on trial.

// Large ones, for a week.
@id("large") @owner("boxes")
@mode("shadow")
@outcome("deny") @reason("too many at once")
forbid(principal, action == Action::"box.put", resource)
when { context.args.n > 50 };

@id("loose") @owner("boxes") @mode("shadow") permit(principal, action, resource);  // everything
"""


@pytest.fixture
def trial(shell: Shell) -> Shell:
    """Three puts beside two candidates: two allowed, one held."""
    shell.place.write("policies/trial.cedar", TRIAL)
    assert shell("apply").code == 0
    for n in (10, 60, 500):
        shell.proposed(n)
    return shell


@pytest.mark.proves("policy.candidate_figures")
def test_candidates_are_listed_with_what_they_would_have_done(trial: Shell) -> None:
    """Each with owner, place, since when, and how often it would have tightened or loosened; nothing was enforced."""
    large, loose = trial.json("policy", "candidates")
    page = trial("policy", "candidates", "--since", "7d").out

    assert (large["policy"], large["owner"], large["file"], large["line"]) == ("large", "boxes", "trial.cedar", 4)
    assert (large["decisions"], large["evaluated"], large["satisfied"]) == (3, 3, 2)
    assert (large["tightened"], large["allowed"], large["loosened"]) == (2, 1, 0)
    assert [(each["was"], each["would_be"]) for each in large["examples"]] == [
        ("require_approval", "deny"),
        ("allow", "deny"),
    ]
    assert (loose["satisfied"], loose["loosened"], loose["otherwise"]) == (3, 0, 2)
    assert "2 would be tighter (1 of them happened without asking anybody), 0 looser" in page
    assert "policies/trial.cedar:4 of boxes" in page
    assert trial.place.effects() == ["put 10", "put 60"]
    assert trial("verify").code == 0


@pytest.mark.proves("policy.promoted_alone")
def test_promote_shows_the_figures_and_changes_one_line(trial: Shell) -> None:
    """Only the file changes; what is in force stays until it is published, and what to run next is said."""
    found = trial.json("policy", "promote", "large")

    assert trial.place.folder.joinpath("policies/trial.cedar").read_text() == TRIAL.replace('@mode("shadow")\n', "", 1)
    assert (found["figures"]["tightened"], found["changed_since"]) == (2, False)
    assert "interlock policy test" in found["next"]
    assert trial.proposed(60)
    assert trial.place.effects()[-1] == "put 60"
    assert trial("apply").code == 0
    assert trial.json("run", "box.put", "--agent", "ag", "--args", '{"n": 60}', code=Exit.NOT_DONE)["state"] == "denied"


@pytest.mark.proves("policy.promoted_alone")
def test_drop_takes_the_policy_and_its_comments(trial: Shell) -> None:
    """The heading of the file and the other policy stay, and the figures are shown once more."""
    said = trial("policy", "drop", "large")

    text = trial.place.folder.joinpath("policies/trial.cedar").read_text()
    assert text == "// What is on trial.\n\n" + TRIAL[TRIAL.index('@id("loose")') :]
    assert said.out.index("2 would be tighter") < said.out.index("dropped large in policies/trial.cedar:4")
    assert "next  " in said.out
    assert trial("policy", "drop", "loose").code == 0
    assert trial("check").code == 0
    assert trial.json("policy", "candidates") != []
    assert trial("apply").code == 0
    assert trial.json("policy", "candidates") == []
    assert "no policy in force is in shadow" in trial("policy", "candidates").out


def test_figures_of_other_words_are_said_to_be_so(trial: Shell) -> None:
    """Whoever edits a candidate after it was tried is told that the figures are about what it said before."""
    trial.place.change("policies/trial.cedar", lambda text: text.replace("> 50", "> 5"))

    said = trial("policy", "promote", "large")

    assert "the file said something else than what these figures are about" in said.out


def test_what_was_never_in_force_has_no_figures(shell: Shell) -> None:
    """A candidate that was only written can be promoted or dropped, and has no figures."""
    shell.place.write("policies/trial.cedar", TRIAL)

    found = shell.json("policy", "promote", "large")

    assert (found["figures"], found["done"]) == (None, "promoted")
    assert "no figures" in shell("policy", "drop", "loose").out


@pytest.mark.parametrize(
    ("words", "code", "detail", "following"),
    [
        (("promote", "larg"), Exit.YOURS, "no policy `larg`", "did you mean `large`?"),
        (("promote", "ask"), Exit.YOURS, "it is enforced", '@mode("shadow")'),
        (("drop", "ask"), Exit.YOURS, "it is enforced", "edit the file"),
        (("candidates", "--since", "yesterday"), Exit.USAGE, "is not a duration", "7d"),
    ],
)
def test_a_mistake_changes_nothing(
    shell: Shell, words: tuple[str, ...], code: Exit, detail: str, following: str
) -> None:
    """An unknown policy, one that is no candidate, a time that is none: said, with what helps."""
    shell.place.write("policies/trial.cedar", TRIAL)

    error = shell.json("policy", *words, code=code)["error"]

    assert detail in error["detail"]
    assert following in error["next"]
    assert shell.place.folder.joinpath("policies/trial.cedar").read_text() == TRIAL
