"""Brakes at the command line: who may, which hold, how one is lifted, and that nobody has to guess any of it."""

import pytest

from interlock.cli.output import Exit
from tests.cli.shell import Shell

RUN = ("run", "box.put", "--agent", "ag", "--args", '{"n": 1}')


def test_what_is_stopped_is_listed(shell: Shell) -> None:
    """`stop` alone lists the brakes that hold, in the words that lift them; `apply` says them, too."""
    assert (shell.json("stop")["stops"], shell("stop").out) == ([], "nothing is stopped\n")
    shell("stop", "agent:ag", "--as", "stranger", "--why", "smoke")
    shell("stop", "contract:box.look", "--as", "rita")

    stops = shell.json("stop")["stops"]
    assert [(each["what"], each["by"], each["why"]) for each in stops] == [
        ("agent:ag", "stranger", "smoke"),
        ("contract:box.look", "rita", "by rita"),
    ]
    for said in (shell("stop"), shell("apply")):
        assert "stopped: agent:ag" in said.out
        assert "interlock resume agent:ag --as NAME" in said.out
    assert [each["what"] for each in shell.json("apply")["stops"]] == ["agent:ag", "contract:box.look"]


def test_a_refusal_by_a_brake_says_how_to_lift_it(shell: Shell) -> None:
    """The first line is the reason, the last the command that lifts the brake; once it is lifted, that it is gone."""
    waiting = shell.proposed(500)
    shell("approve", waiting, "--as", "rita")
    shell("stop", "agent:ag", "--as", "rita", "--why", "smoke")

    refused = shell(*RUN)
    assert refused.code == Exit.NOT_DONE
    assert refused.out.splitlines()[0] == "box.put  refused  stopped: smoke"
    assert "interlock resume agent:ag --as NAME" in refused.out.splitlines()[-1]
    assert "interlock resume agent:ag --as NAME" in shell("show", waiting).out
    shell("resume", "agent:ag", "--as", "rita")
    action = shell.json("actions", "--state", "refused")[0]["id"]
    assert "the brake was lifted since" in shell("show", action).out


def test_stopping_twice_is_stopping_once(shell: Shell) -> None:
    """A scope that is stopped stays stopped by whoever was first, and the second is told so."""
    shell("stop", "agent:ag", "--as", "rita", "--why", "smoke")

    again = shell("stop", "agent:ag", "--as", "ana", "--why", "fire")

    assert (again.code, "already" in again.out, again.out.count("stopped: ")) == (0, True, 1)
    assert [each["by"] for each in shell.json("stop")["stops"]] == ["rita"]
    assert shell.json("stop", "all", "--as", "ana")["already"] is False


def test_only_what_is_stopped_is_resumed(shell: Shell) -> None:
    """Lifting a brake that is not there is a mistake, and says which are; so is lifting one as nobody in particular."""
    shell("stop", "agent:ag", "--as", "rita")

    for what in ("agent:shade", "agent:agg", "all"):
        error = shell.json("resume", what, "--as", "rita", code=Exit.YOURS)["error"]
        assert (error["code"], error["next"]) == ("not_found", "what is stopped: `agent:ag`")
    stranger = shell.json("resume", "agent:ag", "--as", "stranger", code=Exit.YOURS)["error"]
    assert (stranger["code"], "not among the people" in stranger["detail"]) == ("not_allowed", True)
    assert len(shell.json("stop")["stops"]) == 1


def test_a_misspelt_scope_names_the_closest(shell: Shell) -> None:
    """A brake on what is not there says what may have been meant, or what there is."""
    for what, meant in (
        ("agent:aag", "did you mean `ag`?"),
        ("contract:box.putt", "did you mean `box.put`?"),
        ("agent:zzzz", "known: `ag`, `helper`, `shade`"),
    ):
        assert shell.json("stop", what, "--as", "rita", code=Exit.YOURS)["error"]["next"] == meant


def test_an_undone_release_stays_stopped_until_somebody_resumes_it(shell: Shell) -> None:
    """The brake of the undo is among those listed, by its label, with a whole sentence as its reason."""
    (label,) = [each for each in shell.json("apply")["releases"].values() if each.startswith("ag@")]
    shell(*RUN)

    assert shell.json("undo", f"release:{label}", "--as", "rita")["state"] == "done"
    (brake,) = shell.json("stop")["stops"]

    assert (brake["what"], brake["why"]) == (f"release:{label}", "what it did is undone")
    assert shell.json(*RUN, code=Exit.NOT_DONE)["reasons"][-1] == "stopped: what it did is undone"
    shell("resume", f"release:{label}", "--as", "rita")
    assert shell(*RUN).code == Exit.OK


@pytest.mark.proves("brakes.listed")
def test_brakes_says_what_each_holds_back_and_modes_exclude_each_other(shell: Shell) -> None:
    """`brakes` counts what waits, by mode; two modes, or a drill without a scope, are a mistake of whoever typed them."""
    shell("stop", "agent:ag", "--pause", "--as", "rita", "--why", "the move")
    assert shell.json(*RUN, code=Exit.WAITING)["state"] == "ready"

    said = shell("brakes")
    assert "paused: agent:ag" in said.out
    assert "holds back 1 cleared, 1 open task" in said.out
    (brake,) = shell.json("brakes")["stops"]
    assert (brake["mode"], brake["holds"]["waiting"], brake["what"]) == ("pause", 1, "agent:ag")
    assert "interlock resume agent:ag" in shell(*RUN).out
    for wrong in (("stop", "all", "--pause", "--drain"), ("stop", "--drill"), ("stop", "all", "--drill", "--drain")):
        assert shell(*wrong, "--as", "rita").code == Exit.USAGE
    assert shell("stop", "all", "--drill", "--within", "soon", "--as", "rita").code == Exit.USAGE
    shell("resume", "agent:ag", "--as", "rita")
    assert shell.json("stop", "all", "--within", "5s", "--as", "rita", code=Exit.USAGE)["error"]["next"].startswith(
        "add `--drill`"
    )
    assert shell.json("stop")["stops"] == []


@pytest.mark.proves("brakes.scopes")
def test_every_scope_has_words_that_stop_and_lift_it(shell: Shell) -> None:
    """A task by its id, a person with or without the kind, a process by its thumbprint: stopped, listed and lifted alike."""
    task = shell.json("show", shell.json(*RUN)["id"])["task"]
    for what, listed in (
        (f"task:{task[-12:]}", f"task:{task}"),
        ("user:ana", "user:ana"),
        ("user:customer:c-17", "user:customer:c-17"),
        (f"instance:{'A' * 43}", f"instance:{'A' * 43}"),
    ):
        shell("stop", what, "--as", "rita")
        (brake,) = shell.json("brakes")["stops"]
        assert brake["what"] == listed
        assert shell("resume", listed, "--as", "rita").code == Exit.OK
    assert "did you mean" in shell.json("stop", "agent:aag", "--as", "rita", code=Exit.YOURS)["error"]["next"]


@pytest.mark.proves("drill.measured")
def test_a_drill_is_listed_with_what_it_measured(shell: Shell) -> None:
    """`--drill` stops and lifts, `--dry` only counts, and `brakes --drills` tells of the one and not of the other."""
    assert shell.json("stop", "agent:ag", "--dry")["holds"]["tasks"] == 0
    assert shell("brakes", "--drills").out == "there was no drill\n"

    drill = shell.json("stop", "user:ana", "--drill", "--as", "rita", "--why", "friday")

    assert (drill["state"], drill["began_ms"], drill["in_flight"]) == ("done", 0, 0)
    assert shell.json("brakes")["stops"] == []
    assert "lifted again\n" in shell("stop", "agent:ag", "--drill", "--as", "rita").out
    shell("stop", "agent:ag", "--drain", "--as", "rita")
    assert "lifted again; it is draining still, as before\n" in shell("stop", "agent:ag", "--drill", "--as", "rita").out
    (_, _, past) = shell.json("brakes", "--drills")
    assert (past["what"], past["by"], past["why"], past["state"]) == ("user:ana", "rita", "friday", "done")


def test_revoking_says_what_it_does_not_hold_back(shell: Shell) -> None:
    """What is granted over and over is granted again after it was revoked, and the command names the brake that is against that.

    Of a key or a token that nothing open is of, it says that one that is misspelt would look the same.
    """
    again = "`interlock stop user:ana` holds that back"
    assert again in shell("revoke", "user:ana", "--as", "rita", "--why", "gone").out
    for what in ("token:01a1fdd7-46cc-77d9-b5e3-12fa2b3ecb09", f"instance:{'A' * 43}"):
        said = shell("revoke", what, "--as", "rita", "--why", "astray")
        assert (said.code, "misspelt" in said.out, again in said.out) == (0, True, False)
    for what, form in (("token:abc", "jti"), ("instance:abc", "thumbprint")):
        said = shell("revoke", what, "--as", "rita", "--why", "astray")
        assert (said.code, form in said.err) == (Exit.YOURS, True)
    task = shell.json("show", shell.json(*RUN)["id"])["task"]
    said = shell("revoke", f"task:{task}", "--as", "rita", "--why", "astray")
    assert (said.code, "misspelt" in said.out, "holds that back" in said.out) == (0, False, False)


def test_what_no_limit_or_policy_admits_says_what_to_do(shell: Shell) -> None:
    """A refusal ends with what can be done about its rule, a denial with the command that shows how it followed."""
    refused = shell("run", "box.put", "--agent", "ag", "--args", '{"m": 1}')
    denied = shell("run", "box.put", "--agent", "ag", "--args", '{"n": 1001}')

    for said, state, then in (
        (refused, "refused", "next mend the arguments:"),
        (denied, "denied", "next interlock policy explain"),
    ):
        assert (said.code, said.out.split()[1]) == (Exit.NOT_DONE, state)
        assert then in " ".join(said.out.split())
    assert shell("policy", "explain", shell.json("actions", "--state", "denied")[0]["id"]).code == Exit.OK
