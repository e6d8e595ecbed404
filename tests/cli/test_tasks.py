"""`tasks`, `task show`, `task close`, and what other commands say of a task."""

import json

import pytest

from interlock.domain.duration import HOUR
from tests.cli.shell import Shell

PEOPLE = ("--as", "rita", "--why", "it is over")


def opened(shell: Shell, n: int = 1, *more: str) -> str:
    """The id of the task in which an action was proposed from the command line."""
    action = shell.proposed(n, *more)
    task: str = shell.json("show", action)["task"]
    return task


@pytest.mark.proves("task.seen")
def test_open_tasks_are_listed_with_what_is_left(shell: Shell) -> None:
    """Each with its agent, whom it is for, until when, what is left of its budget, and how many actions it has."""
    first, second = opened(shell, 1, "--on-behalf-of", "user:cleo"), opened(shell, 2, "--on-behalf-of", "user:dan")

    listed = shell.json("tasks")["tasks"]

    assert [each["task"]["id"] for each in listed] == [second, first]
    seen = listed[1]
    assert (seen["task"]["initiator"], seen["standing"], seen["actions"]) == ("user:cleo", "open", 1)
    assert seen["task"]["expires_at"] - seen["task"]["opened_at"] == HOUR
    assert seen["budgets"] == [{"unit": "calls", "left": 4999, "limit": 5000}]
    older = shell.json("tasks", "--limit", "1")["next"]
    assert [each["task"]["id"] for each in shell.json("tasks", "--cursor", older)["tasks"]] == [first]
    assert f"--cursor {older}" in shell("tasks", "--limit", "1").out
    said = shell("tasks").out
    assert first[-12:] in said
    assert "4999 calls" in said


@pytest.mark.proves("task.seen")
def test_a_person_ends_a_task(shell: Shell) -> None:
    """Closed, it is listed no more but with `--all`, admits nothing, and a second closing says that it was closed."""
    task = opened(shell)

    assert shell("task", "close", task[-12:], *PEOPLE).out.startswith(f"task {task[-12:]} is closed: ")
    assert "closed already" in shell("task", "close", task, *PEOPLE).out
    assert shell.json("task", "close", task, *PEOPLE)["already"] is True
    assert shell.json("tasks")["tasks"] == []
    assert shell("tasks").out == "no task is open\n"
    assert [each["standing"] for each in shell.json("tasks", "--all")["tasks"]] == ["closed"]
    assert shell("verify").code == 0


def test_what_waits_outlives_the_closing_and_is_said(shell: Shell) -> None:
    """A held action goes on waiting in its closed task; who closes it is told so, and how it is stopped."""
    task = opened(shell, 200)

    said = shell("task", "close", task, *PEOPLE).out

    assert "1 action of it may still happen" in said
    assert f"interlock undo task:{task[-12:]}" in said
    (held,) = shell.json("actions", "--task", task[-12:])
    assert held["state"] == "held"
    assert shell("approve", held["id"], "--as", "rita").code == 0


def test_only_people_of_the_workspace_end_tasks_and_say_why(shell: Shell) -> None:
    """Nobody, a stranger, and whoever gives no reason close nothing."""
    task = opened(shell)

    assert shell("task", "close", task, "--why", "x").code == 1
    assert "not among the people" in shell("task", "close", task, "--as", "zoe", "--why", "x").err
    assert shell("task", "close", task, "--as", "rita").code == 2
    assert shell("task", "close", task, "--as", "rita", "--why", " ").code == 2
    assert shell.json("task", "show", task)["standing"] == "open"


def test_a_task_is_called_a_task(shell: Shell) -> None:
    """`show` shows it; what is for actions alone says that it is a task, and what to do with one."""
    task = opened(shell, 1, "--on-behalf-of", "user:cleo")

    for shown in (shell("show", task[-12:]).out, shell("task", "show", task).out):
        assert shown.startswith("task  open ")
        assert "user:cleo" in shown
        assert f"interlock task close {task[-12:]}" in shown
    for words in (("packet",), ("approve", "--as", "rita"), ("undo", "--as", "rita")):
        said = shell(words[0], task[-12:], *words[1:])
        assert said.code == 1
        assert f"`{task[-12:]}` is a task, not an action" in said.err
    assert f"interlock undo task:{task[-12:]}" in shell("undo", task[-12:], "--as", "rita").err
    assert "there is no task" in shell("actions", "--task", "ffffffff").err


def test_an_erasure_says_what_it_leaves_and_how_that_is_settled(shell: Shell) -> None:
    """The open task and the held action that are left are called what they are, each with the command that helps."""
    task = opened(shell, 200, "--on-behalf-of", "user:cleo")
    (held,) = shell.json("actions", "--task", task)

    said = shell("erase", "--subject", "user:cleo").out

    assert f"not settled: action {held['id'][-12:]}; what it waits for: `interlock show" in said
    assert f"not settled: task {task[-12:]}, open until" in said
    assert f"`interlock task close {task[-12:]} --as NAME --why ...`" in said


def test_what_a_program_wrote_into_a_task_moves_no_cursor(shell: Shell) -> None:
    """Purpose and initiator are printed on one line each, whatever characters they are made of."""
    nasty = "a\x1b[31mred\nline\u202eb [bold]x[/bold]"
    task = opened(shell, 1, "--purpose", nasty, "--on-behalf-of", f"user:{nasty}")

    for said in (shell("tasks").out, shell("show", task).out):
        assert "\x1b" not in said
        assert "\u202e" not in said
        assert "[bold]x[/bold]" in said
    assert json.loads(shell("task", "show", task, "--json").out)["task"]["purpose"] == nasty
