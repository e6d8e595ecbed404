"""Whom policies ask, held against who there is."""

import pytest

from interlock.cli.output import Exit
from tests.cli.shell import Shell

ASK = """\
@id("big")
@owner("tests")
@outcome("require_approval")
@reason("r")
@approver("{role}")
@quorum("{quorum}")
forbid (principal, action == Action::"box.put", resource)
when {{ context.args.n == 77 }};
"""


def wrong(shell: Shell, people: str, *, role: str = "lead", quorum: int = 1) -> list[str]:
    """What `policy lint` calls an error about a policy that asks, with these people."""
    shell.place.write("people.yaml", people)
    shell.place.write("policies/ask.cedar", ASK.format(role=role, quorum=quorum))
    found = shell("policy", "lint", "--json").json()["findings"]
    return [each["message"] for each in found if (each["policy"], each["severity"]) == ("big", "error")]


@pytest.mark.proves("policy.planted_faults")
@pytest.mark.parametrize(
    ("people", "quorum", "says"),
    [
        ("ana: reviewer\n", 1, ["nobody has the role `lead`"]),
        ("{}\n", 1, ["nobody has the role `lead`"]),
        ("ana: lead\nben: reviewer\n", 2, ["it takes 2 people in the role `lead`, and there is 1"]),
        ("ana: lead\nben: lead\n", 3, ["it takes 3 people in the role `lead`, and there are 2"]),
        ("ana: lead\nben: lead\n", 2, []),
    ],
)
def test_more_people_than_there_are_is_refused(shell: Shell, people: str, quorum: int, says: list[str]) -> None:
    """An approval that the people there are could never give would be waited for for ever."""
    assert wrong(shell, people, quorum=quorum) == says


def test_where_nobody_is_named_any_role_may_be_asked(shell: Shell) -> None:
    """Without people.yaml nobody knows who there will be; `check` says that, and nothing of roles."""
    (shell.place.folder / "people.yaml").unlink()
    shell.place.write("policies/ask.cedar", ASK.format(role="lead", quorum=2))

    assert shell.json("policy", "lint")["ok"]


def test_a_person_without_a_role_is_an_error_of_check(shell: Shell) -> None:
    """Nobody could agree to anything, and that is said once, where it is written."""
    shell.place.write("people.yaml", "ana: []\n")
    shell.place.write("policies/ask.cedar", ASK.format(role="lead", quorum=1))

    said = shell("check")

    assert said.code == Exit.YOURS
    assert "people.yaml:1:6" in said.out
    assert "`ana` holds no role" in said.out
    assert "nobody has the role" not in said.out


def test_how_many_have_agreed_is_said(shell: Shell) -> None:
    """After one yes of two, `approve` and `show` tell that one is there and one more is needed."""
    shell.place.write("people.yaml", "ana: lead\nben: lead\nrita: reviewer\n")
    shell.place.write("policies/ask.cedar", ASK.format(role="lead", quorum=2))
    assert shell("apply", "--as", "rita").code == 0
    action = shell.proposed(77)

    assert "0 of 2 of role lead agreed, 2 more" in shell("show", action).out
    assert "1 of 2 of role lead agreed, 1 more" in shell("approve", action, "--as", "ana").out
    assert "1 of 2 of role lead agreed, 1 more" in shell("show", action).out
    assert shell.json("approve", action, "--as", "ben")["state"] == "ready"
    assert "agreed" not in shell("approve", action, "--as", "ben").out
