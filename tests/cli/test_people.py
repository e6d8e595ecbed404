"""What a person says at the command line: approvals, settlements, undos, brakes; and what they may not say."""

from pathlib import Path

import pytest

from interlock.cli.output import Exit
from tests.cli.shell import Shell
from tests.workspaces import forget


def test_one_yes_is_counted_once(shell: Shell) -> None:
    """Only somebody who was asked, is not the initiator and has not spoken decides; each no says why."""
    action = shell.proposed(500, "--on-behalf-of", "user:ana")

    for who, why in (
        ((), "nobody said who you are"),
        (("--as", "zoe"), "not among the people"),
        (("--as", "ana"), "asked for this"),
    ):
        error = shell.json("approve", action, *who, code=Exit.YOURS)["error"]
        assert (error["code"], why in error["detail"]) == ("not_allowed", True)
    assert shell.json("approve", action, "--as", "rita", "--note", "fine")["state"] == "ready"
    error = shell.json("approve", action, "--as", "ria", code=Exit.YOURS)["error"]

    assert error["code"] == "illegal_move"
    assert "the action is ready (approved by `rita` at 20" in error["detail"]


def test_a_person_is_a_user_with_or_without_the_word(shell: Shell) -> None:
    """Whoever leaves `user:` away means the same person: no rule about that one is passed by it."""
    for given in ("ana", "user:ana"):
        action = shell.proposed(500, "--on-behalf-of", given)

        assert shell.json("show", action)["initiator"] == "user:ana"
    action = shell.proposed(500, "--on-behalf-of", "system:nightly")
    assert shell.json("show", action)["initiator"] == "system:nightly"


def test_who_may_not_decide_is_told_who_may(shell: Shell) -> None:
    """The advice names the role that is asked and those who hold it; a name that nobody knows is told apart from others."""
    shell.place.change("people.yaml", lambda text: text + "lee: [lead]\n")
    shell("apply")
    action = shell.proposed(500, "--on-behalf-of", "user:ana")

    advice = {
        who: shell.json("approve", action, "--as", who, code=Exit.YOURS)["error"] for who in ("ana", "lee", "ritta")
    }

    holders = "ask somebody who holds `reviewer`: `rita`, `ria`"
    assert advice["ana"]["next"] == advice["lee"]["next"] == holders
    assert advice["lee"]["detail"] == "`lee` is not asked here; one of these roles is: reviewer"
    assert advice["ritta"]["next"] == "did you mean `rita`?"


@pytest.mark.parametrize("word", ["approve", "reject"])
def test_a_no_is_to_what_was_shown_as_well(shell: Shell, word: str) -> None:
    """`--view` of either word is the beginning of what the line `view` of `show` says."""
    action = shell.proposed(500)
    (view,) = [line.split()[1] for line in shell("show", action).out.splitlines() if line.split()[:1] == ["view"]]

    error = shell.json(word, action, "--note", "so", "--view", "0" * 12, "--as", "rita", code=Exit.YOURS)["error"]
    assert error["code"] == "stale_view"
    assert shell(word, action, "--note", "so", "--view", view, "--as", "rita").code == Exit.OK


def test_only_people_of_the_workspace_undo(shell: Shell) -> None:
    """A name that is not in people.yaml undoes nothing."""
    done = shell.proposed(1)

    error = shell.json("undo", done, "--as", "stranger", code=Exit.YOURS)["error"]

    assert (error["code"], error["next"]) == ("not_allowed", "known: `ana`, `ria`, `rita`")
    assert shell.state(done) == "done"


def test_a_view_that_is_no_longer_shown_is_refused(shell: Shell) -> None:
    """With `--view` the yes is to what was shown: a change since then refuses it."""
    action = shell.proposed(500)
    view = shell.json("show", action)["hold"]["view"]

    assert (
        shell.json("approve", action, "--view", "0" * 12, "--as", "rita", code=Exit.YOURS)["error"]["code"]
        == "stale_view"
    )
    assert shell.json("approve", action, "--view", view[:12], "--as", "rita")["state"] == "ready"


def test_a_modified_action_is_validated_and_decided_anew(shell: Shell) -> None:
    """Other arguments must fit the contract and the policies; the action stays held where they do not."""
    action = shell.proposed(500)

    assert (
        shell.json("modify", action, "--args", '{"n": -1}', "--as", "rita", code=Exit.YOURS)["error"]["code"]
        == "contract"
    )
    assert (
        shell.json("modify", action, "--args", '{"n": 5000}', "--as", "rita", code=Exit.YOURS)["error"]["code"]
        == "not_allowed"
    )
    assert shell.state(action) == "held"
    after = shell.json("modify", action, "--args", '{"n": 50}', "--as", "rita")
    assert (after["state"], after["arguments"]["n"]) == ("ready", 50)
    shell("work", "--until-idle")
    assert shell.place.effects() == ["put 50"]


def test_what_is_unknown_is_settled_by_who_looked(shell: Shell) -> None:
    """A person says done or failed, with the result as any JSON value; another word settles nothing."""
    run = ("run", "box.lose", "--agent", "ag", "--args", '{"reason": "cable"}')
    first, second = (shell.json(*run, code=Exit.WAITING) for _ in range(2))
    assert (first["state"], "cable" in first["outcome"]["error"]) == ("unknown", True)

    assert "neither" in shell.json("settle", first["id"], "maybe", "--as", "rita", code=Exit.YOURS)["error"]["detail"]
    assert (
        "JSON"
        in shell.json("settle", first["id"], "done", "--result", "{", "--as", "rita", code=Exit.USAGE)["error"][
            "detail"
        ]
    )
    done = shell.json("settle", first["id"], "done", "--result", "7", "--note", "seen", "--as", "rita")
    assert (
        "how they know"
        in shell.json("settle", second["id"], "failed", "--as", "rita", code=Exit.YOURS)["error"]["detail"]
    )
    failed = shell.json("settle", second["id"], "failed", "--note", "never came", "--as", "rita")

    assert (done["state"], done["outcome"]["result"], done["outcome"]["by"]) == ("done", 7, "person")
    assert failed["state"] == "failed"


def test_an_undo_that_is_blocked_is_listed_and_retried(shell: Shell) -> None:
    """What cannot be undone blocks the request and says why; `retry` lists it, and goes on with it by its end."""
    done = shell.json("run", "box.put", "--agent", "ag", "--args", '{"n": 1}')
    shell.place.change("policies/all.cedar", lambda text: text + NO_TAKING)
    shell("apply")
    request = shell.json("undo", done["id"], "--as", "rita", code=Exit.WAITING)
    listed = shell.json("retry")
    words = shell("undo", done["id"], "--as", "rita").out

    assert (request["state"], [each["id"] for each in listed]) == ("blocked", [request["id"]])
    assert "interlock retry" in words
    shell.place.change("policies/all.cedar", lambda text: text.replace(NO_TAKING, ""))
    shell("apply")
    assert shell.json("retry", request["id"][-12:], "--as", "rita")["state"] == "done"
    assert shell.state(done["id"]) == "undone"
    assert shell.place.effects() == ["put 1", "take 1"]


NO_TAKING = """
@id("stay") @owner("tests") @outcome("deny") @reason("it stays")
forbid(principal, action == Action::"box.take", resource);
"""


@pytest.mark.parametrize("what", ["all", "agent:ag", "contract:box.put", "release"])
def test_a_brake_holds_until_it_is_lifted(shell: Shell, what: str) -> None:
    """Each scope stops what it names, a release by its label as well; lifting it in the same words lets it go on."""
    (label,) = [each for each in shell.json("apply")["releases"].values() if each.startswith("ag@")]
    what = f"release:{label}" if what == "release" else what
    waiting = shell.proposed(500)
    shell("approve", waiting, "--as", "rita")

    stops = shell.json("stop", what, "--as", "rita", "--why", "smoke")["stops"]
    assert [(each["what"], each["by"], each["why"]) for each in stops] == [(what, "rita", "smoke")]
    assert shell.json("run", "box.put", "--agent", "ag", "--args", '{"n": 1}', code=Exit.NOT_DONE)["state"] == "refused"
    assert shell("stop", "agent:nobody", "--as", "rita").code == Exit.YOURS
    assert shell("stop", "release:nobody@123", "--as", "rita").code == Exit.YOURS
    assert shell("stop", "everything", "--as", "rita").code == Exit.YOURS
    assert shell.json("resume", what, "--as", "rita")["stops"] == []
    shell("work", "--until-idle")

    assert shell.json("run", "box.put", "--agent", "ag", "--args", '{"n": 2}')["state"] == "done"
    assert shell.place.effects() in (["put 2"], ["put 500", "put 2"])


def test_ids_may_be_shortened_but_not_guessed(shell: Shell) -> None:
    """The end of an id, or the beginning of what lists show of it, names its action where it names one alone; too few
    characters, or too many matches, name none."""
    first, second = shell.proposed(1), shell.proposed(2)
    common = "".join(a for a, b in zip(reversed(first), reversed(second), strict=True) if a == b)

    assert shell.json("show", first[-8:])["id"] == first
    assert shell.json("show", first[-12:-4])["id"] == first
    assert first[-12:-4] in shell("actions").out
    assert shell.json("show", second)["id"] == second
    for text in ("", first[-3:], "zzzz", f"x{first}", first[:8]):
        assert shell.json("show", text, code=Exit.YOURS)["error"]["code"] == "not_found"
    assert isinstance(common, str)


def test_what_an_agent_wrote_cannot_move_a_reviewers_cursor(shell: Shell, tmp_path: Path) -> None:
    """Escape sequences, direction marks and markup in arguments are shown as what they are."""
    text = "a\x1b[2J\u202eb [red]c[/red]\r\n"
    word = '"a\\u001b[2J\\u202eb [red]c[/red]\\r\\n"'
    said = shell("run", "box.put", "--agent", "ag", "--args", f'{{"n": 500, "word": {word}}}')
    listed = shell("actions")

    assert r"a\x1b[2J\u202eb [red]c[/red]\r\n" in said.out
    assert not set(said.out + listed.out) & set(text) - set("abc [red]/2J\n")


def test_what_is_to_be_typed_stands_in_the_next_step(shell: Shell) -> None:
    """Where a yes must name its target, the command that is shown for it has the place for that."""
    easy = shell.proposed(500)
    shell.place.change(
        f"{shell.place.module}.py",
        lambda text: text.replace(
            'effect="write", risk="low", idempotency=KEYED', 'effect="write", risk="critical", idempotency=KEYED', 1
        ),
    )
    forget(shell.place)
    shell("apply")
    critical = shell.proposed(500)

    assert f"interlock approve {easy[-12:]} --as NAME    (or" in shell("show", easy).out
    assert f"interlock approve {critical[-12:]} --as NAME --target VALUE" in shell("show", critical).out
