"""`check` and `apply`: what is wrong with a workspace is said with line and column, and nothing else goes into force."""

import pytest

from interlock.cli.output import Exit
from tests.cli.shell import Shell, program

PLANTED: tuple[tuple[str, str, str, tuple[str, int, int]], ...] = (
    ("interlock.yaml", "tenant: tests", "tenants: tests", ("interlock.yaml", 1, 1)),
    ("people.yaml", "rita: [reviewer]", "rita: {a: b}", ("people.yaml", 1, 7)),
    ("agents/ag.yaml", "stage: partial", "stage: parial", ("agents/ag.yaml", 4, 8)),
    ("policies/all.cedar", "context.args.n > 1000", "context.args.m > 1000", ("policies/all.cedar", 5, 78)),
    ("policies/all.cedar", "permit(principal", "permit(prinzipal", ("policies/all.cedar", 1, 35)),
)


@pytest.mark.proves("cli.check_line_and_column")
@pytest.mark.parametrize(("file", "right", "wrong", "place"), PLANTED)
def test_a_planted_error_is_found_where_it_stands(
    shell: Shell, file: str, right: str, wrong: str, place: tuple[str, int, int]
) -> None:
    """In each kind of file one mistake is one error at its line and column, in JSON and in words; `apply` refuses it."""
    shell.place.change(file, lambda text: text.replace(right, wrong))

    found = shell.json("check", code=Exit.YOURS)
    errors = [each for each in found["problems"] if each["severity"] == "error"]
    assert (found["ok"], [(each["file"], each["line"], each["column"]) for each in errors]) == (False, [place])
    words = shell("check")
    assert words.out.splitlines()[0].startswith(":".join(str(part) for part in place) + ": error: ")
    assert words.out.splitlines()[-1].startswith("1 wrong, ")
    refused = shell.json("apply", code=Exit.YOURS)["error"]
    assert refused["code"] in ("workspace", "policy")
    still = shell("run", "box.put", "--agent", "ag", "--args", '{"n": 1}', "--json")
    # What is in force stays so, but where the log is must not be guessed.
    assert still.code == (Exit.YOURS if file == "interlock.yaml" else Exit.OK)


def test_a_contract_file_and_a_module_are_checked_as_well(shell: Shell) -> None:
    """A contract in YAML with a misspelt field, and a module that does not import, are errors at their places."""
    shell.place.write("contracts/extra.yaml", "name: extra.call\nefect: write\n")
    shell.place.change("interlock.yaml", lambda text: text.replace("modules: [", "modules: [no_such_module, "))

    found = shell.json("check", code=Exit.YOURS)["problems"]

    places = {(each["file"], each["line"]) for each in found if each["severity"] == "error"}
    assert {("contracts/extra.yaml", 2), ("interlock.yaml", 2)} <= places
    assert any("no_such_module" in each["message"] for each in found)


def test_apply_twice_changes_nothing(shell: Shell) -> None:
    """The same workspace is the same release; a change is another, and coming back is the first one again."""
    first = shell.json("apply")
    shell.place.change("policies/all.cedar", lambda text: text.replace("more than a hundred", "over a hundred"))
    second = shell.json("apply")
    shell.place.change("policies/all.cedar", lambda text: text.replace("over a hundred", "more than a hundred"))
    third, fourth = shell.json("apply"), shell.json("apply")

    assert [each["changed"] for each in (first, second, third, fourth)] == [False, True, True, False]
    assert first["releases"] == third["releases"] == fourth["releases"] != second["releases"]


def test_a_cloned_workspace_is_told_how_to_get_keys(shell: Shell) -> None:
    """A workspace without keys and without a log names the command that makes them; it then works."""
    for path in sorted((shell.place.folder / ".interlock").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()

    error = shell.json("apply", code=Exit.OPERATOR)["error"]
    assert (error["code"], "interlock init" in error["next"]) == ("key", True)
    assert program("init", folder=shell.place.folder).code == 0
    assert shell.json("apply")["changed"]


@pytest.mark.proves("approval.survives_upgrade")
@pytest.mark.parametrize("many", [20, pytest.param(100, marks=pytest.mark.slow)])
def test_waiting_approvals_survive_an_upgrade(shell: Shell, many: int) -> None:
    """Many actions wait; then tools, an agent and policies change and go into force. Each that is approved afterwards,
    once it was looked at again where the policies are others, is done once, by the code as it is now."""
    with_interlock = program("-w", ".", "actions", "--json", folder=shell.place.folder)
    assert with_interlock.json() == []
    waiting = [shell.proposed(500 + n) for n in range(many)]

    module = f"{shell.place.module}.py"
    # Another length: Python takes what it compiled before for a source of the same size and second.
    shell.place.change(module, lambda text: text.replace('effect(call, f"put {n}")', 'effect(call, f"anew {n}")'))
    shell.place.change("agents/ag.yaml", lambda text: text.replace("to be tested", "to be tested again"))
    shell.place.change("policies/all.cedar", lambda text: text.replace("more than a hundred", "over a hundred"))
    assert program("apply", "--json", folder=shell.place.folder).json()["changed"]

    again = [shell.json("approve", each, "--as", "rita", code=Exit.YOURS)["error"]["code"] for each in waiting]
    ready = [shell.json("approve", each, "--as", "rita")["state"] for each in waiting]
    worked = program("work", "--until-idle", "--json", folder=shell.place.folder)

    assert set(again) == {"stale_view"}
    assert set(ready) == {"ready"}
    assert worked.json() == {"driven": many, "ended_badly": {}}
    assert sorted(shell.place.effects()) == sorted(f"anew {500 + n}" for n in range(many))
    assert set(shell.place.by_key().values()) == {1}
