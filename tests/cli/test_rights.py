"""Rights at the command line: what is in force, of everybody and of one; what is refused; and what is supposed."""

import json
from typing import Any

import pytest

import interlock
from interlock.cli.output import Exit
from tests.cli.shell import Shell
from tests.workspaces import forget

RIGHTS = """\
role:reviewer: {box.put: {n: {constraint_type: range, max: 50}, note: anything}}
user:ria: nothing
system:*: {box.put: anything}
"""


def test_without_rights_it_says_so(shell: Shell) -> None:
    """Whoever a task is for lends all that its agent may: `check` and `rights` say that nothing bounds it."""
    assert "no rights.yaml, so anybody lends anything" in shell("check").out
    assert shell.json("rights") == {"inForce": False, "who": ""}
    assert "no rights are in force" in shell("rights", "user:rita").out


@pytest.mark.proves("rights.bounded")
def test_rights_in_force(shell: Shell) -> None:
    """Once applied they are shown, of everybody and of one with whose they are, and hold; removed, they hold no more."""
    properties = json.loads(shell("show", "box.put", "--json").out)["input_schema"]["properties"]
    others = "".join(f", {name}: anything" for name in properties if name != "n")
    shell.place.write("rights.yaml", RIGHTS.replace(", note: anything", others))
    assert shell("apply").code == 0

    assert set(shell.json("rights")["rights"]) == {"role:reviewer", "user:ria", "system:*"}
    mine = shell.json("rights", "rita")
    assert (mine["as"], list(mine["tools"])) == (["role:reviewer"], ["box.put"])
    assert shell.json("rights", "user:ria") == {"inForce": True, "who": "user:ria", "as": ["user:ria"], "tools": {}}
    assert "nobody in rights.yaml" in shell("rights", "customer:c-1").out
    refused = shell("run", "box.put", "--agent", "ag", "--args", '{"n": 51}', "--on-behalf-of", "user:rita")
    assert refused.code == Exit.NOT_DONE
    assert (
        "`user:rita` may not lend that: `n` of `box.put` must be a whole number at most 50" in refused.out + refused.err
    )
    assert shell.state(shell.proposed(50, "--on-behalf-of", "user:rita")) == "done"
    supposed = shell("policy", "try", "box.put", "--agent", "ag", "--args", '{"n": 51}', "--user", "rita")
    assert "`user:rita` may not lend that" in supposed.out

    (shell.place.folder / "rights.yaml").unlink()
    assert shell("apply").code == 0
    assert shell.state(shell.proposed(51, "--on-behalf-of", "user:rita")) == "done"


def test_a_word_does_not_help_whoever_lost_the_right(shell: Shell) -> None:
    """What a person agreed to is denied when the right is gone; it says why, and is no contradiction to whoever replays it."""
    action = shell.proposed(500, "--on-behalf-of", "user:rita")
    assert shell.state(action) == "held"
    shell.place.write("rights.yaml", "user:rita: nothing\n")
    assert shell("apply").code == 0

    shell("approve", action, "--as", "ria")
    assert shell("work", "--until-idle").code == 0

    found = shell.json("show", action)
    assert (found["state"], found["decision"]["because"]) == ("denied", ["interlock.rights"])
    why = "policies were not asked about this action: `user:rita` may lend nothing"
    assert why in shell.json("policy", "explain", action, code=Exit.YOURS)["error"]["detail"]
    [replayed] = shell.json("replay", action)["replayed"]
    assert (why in replayed["skipped"], replayed["reproduced"], replayed["evidence"]) == (True, None, [])
    assert shell("verify").code == 0


def test_what_rights_would_have_refused(shell: Shell) -> None:
    """Held against what was decided before they come into force: by whose rights, with which contract, why, and how often."""
    for n, who in ((1, "user:rita"), (60, "user:rita"), (61, "user:rita"), (1, "system:nightly")):
        shell.proposed(n, "--on-behalf-of", who)
    assert shell("rights", "--files").code == Exit.YOURS
    properties = shell.json("show", "box.put")["input_schema"]["properties"]
    others = "".join(f", {name}: anything" for name in properties if name != "n")
    shell.place.write(
        "rights.yaml", f"role:reviewer: {{box.put: {{n: {{constraint_type: range, max: 50}}{others}}}}}\n"
    )

    found = shell.json("rights", "--files", "--since", "1h")

    assert (found["asked"], found["unread"]) == (4, 0)
    assert [(each["who"], each["named"], each["contract"], each["count"]) for each in found["refused"]] == [
        ("role:reviewer", True, "box.put", 2),
        ("system:*", False, "box.put", 1),
    ]
    said = shell("rights", "--files").out
    assert "of 4 decisions these rights would have refused 3" in said
    assert "nobody names them" in said
    assert shell.json("rights")["inForce"] is False
    assert shell("rights", "rita", "--files").code == shell("rights", "--since", "1h").code == Exit.USAGE


@pytest.mark.proves("task.data")
def test_what_a_task_was_given_is_shown(shell: Shell) -> None:
    """Its tools with what their arguments may be, and its records, a line each."""
    touching = 'name="box.put", touches={"box": "$args.word", "shelf": "$args.word"},'
    shell.place.change(f"{shell.place.module}.py", lambda text: text.replace('name="box.put",', touching))
    forget(shell.place)
    shell("apply")
    upto = {"constraint_type": "range", "max": 5}
    given: dict[str, Any] = {"tools": {"box.put": {"n": upto}}, "data": {"box": ["b-1", "b-2"], "shelf": []}}
    with (
        interlock.open(shell.place.folder) as lock,
        lock.task("ag", purpose="a test", on_behalf_of="user:rita", **given) as task,
    ):
        name = task.id

    said = shell("task", "show", name).out
    assert "box.put: n a whole number at most 5" in said
    assert "box: b-1, b-2" in said
    assert "shelf: none" in said
    assert shell.json("task", "show", name)["task"]["data"] == {"records": {"box": ["b-1", "b-2"], "shelf": []}}


def test_what_cannot_be_right_does_not_come_into_force(shell: Shell) -> None:
    """A file that names what there is not is refused with its place, and what is in force stays."""
    shell.place.write("rights.yaml", "user:rita: {box.putt: anything}\n")

    said = shell("apply")

    assert said.code == Exit.YOURS
    assert "rights.yaml:1:13" in said.err
    assert "did you mean `box.put`?" in said.err
    assert shell.json("rights")["inForce"] is False
