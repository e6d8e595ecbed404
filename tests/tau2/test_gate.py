"""The benchmark's tasks through the gate: a fixed spread of them here, all 114 in the battery and in `make bench-tau2`."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

import interlock
from bench.tau2 import data, tools
from bench.tau2.play import PERSON, WORKSPACE, Setting, prepared, propose
from bench.tau2.run import Report, measure
from bench.tau2.violations import ELSEWHERE, violations
from interlock.cli.app import app

no_data = data.missing()
pytestmark = pytest.mark.skipif(no_data is not None, reason=no_data or "")

REFUSED = ("64", "105")
"""The two tasks with a write that the benchmark records as an error."""
SPREAD = (*REFUSED, "30", "32", "40", "41", "54", "55", "103", "104")
"""Gift cards refunded, an order changed twice, the one change of payment, five writes in a task; and every sixth task."""


@pytest.fixture(scope="module", params=["spread", pytest.param("all", marks=pytest.mark.slow)])
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Report:
    """A run of the benchmark."""
    cases = data.cases()
    if request.param == "spread":
        cases = tuple(case for place, case in enumerate(cases) if case.id in SPREAD or place % 6 == 0)
    return measure(tmp_path_factory.mktemp("tau2"), cases, Console(quiet=True))


@pytest.fixture
def setting(tmp_path: Path) -> Iterator[Setting]:
    """The benchmark's workspace in force, with its shop."""
    before = os.environ.get(tools.SHOP)
    yield prepared(tmp_path)
    os.environ.pop(tools.SHOP)
    if before is not None:
        os.environ[tools.SHOP] = before


@pytest.mark.proves("tau2.as_recorded")
def test_every_call_ends_as_the_benchmark_recorded_it(report: Report) -> None:
    """Each answer is the recorded text to the letter; the two writes recorded as errors are refused by policy."""
    assert [(each.call.function, each.said) for each in report.strange] == []
    assert [each.call.answer for each in report.answers if each.outcome == "Denied"] == [
        "Error: Non-delivered order cannot be exchanged",
        "Error: Insufficient gift card balance to pay for the price difference",
    ]
    assert [each.because for each in report.answers if each.because] == [
        ("exchange.only-delivered",),
        ("payment.gift-card-covers-difference",),
    ]


@pytest.mark.proves("tau2.equals_direct_run")
def test_the_gate_leaves_what_a_direct_run_leaves(report: Report) -> None:
    """Task by task, the whole database is the one that the same calls leave without a gate."""
    assert report.tasks >= 25
    assert report.equal == report.tasks


@pytest.mark.proves("tau2.undo_restores")
def test_undoing_a_task_restores_the_original_byte_for_byte(report: Report) -> None:
    """Every write that was done is undone in reverse, and the database is the file it was loaded from."""
    assert report.undone == report.count("Done", writes=True) > 40
    assert report.restored == report.tasks


@pytest.mark.proves("tau2.rules_refuse")
def test_every_hard_rule_refuses_its_violation_alone(report: Report) -> None:
    """Each violation is denied by the policy it violates and by no other, so no rule hides behind another."""
    assert [(each.violation.policy, each.outcome, each.because) for each in report.broken if not each.refused] == []


@pytest.mark.proves("tau2.undo_restores")
def test_undoing_a_release_restores_what_its_tasks_left(report: Report) -> None:
    """What led up to the violations is undone with the cohort, nothing twice, and every database is as before."""
    assert report.led_up > 0
    assert report.cohort_undone == report.undone + report.led_up
    assert report.cohort_restored == len(report.broken)


def test_every_policy_that_forbids_is_violated_at_least_once() -> None:
    """A policy without a violation would be a rule that nobody has seen refuse anything."""
    texts = [path.read_text() for path in sorted((WORKSPACE / "policies").glob("*.cedar"))]
    forbids = {
        found[1]
        for text in texts
        for block in re.split(r"(?=@id)", text)
        if (found := re.match(r'@id\("([^"]+)"\)', block)) and re.search(r"^forbid", block, re.MULTILINE)
    }

    assert forbids == {violation.policy for violation in violations()}


def test_the_contracts_take_the_arguments_the_benchmark_publishes() -> None:
    """Each of the benchmark's tools has a contract with the same argument names, and requires the same."""
    of_the_server = {"reset_state", "get_call_log"}
    for name, schema in data.tool_schemas().items():
        if name not in of_the_server:
            contract = getattr(tools, name).contract
            assert contract.input_schema["properties"].keys() == schema["properties"].keys(), name
            assert set(contract.input_schema["required"]) == set(schema["required"]), name
            assert (contract.effect == "write") == (name in data.WRITES), name


def test_the_workspace_is_sound() -> None:
    """`interlock check` finds nothing wrong and nothing doubtful in the benchmark's workspace."""
    result = CliRunner().invoke(app, ["--workspace", str(WORKSPACE), "check"])

    assert result.exit_code == 0, result.output
    assert "warning" not in result.output


def test_a_write_called_twice_with_one_key_happens_once(setting: Setting) -> None:
    """The shop keeps each call's key with what it did: a repeated call gets the first one's answer and changes nothing."""
    user = next(user for user in data.document()["users"].values())
    call = interlock.Call(action_id="a", idempotency_key="once")  # type: ignore[arg-type]  # an id of the gate's making
    first = tools.modify_user_address.function(call, user["user_id"], **ELSEWHERE, state_key="s")
    after = setting.shop.dump("s")

    again = tools.modify_user_address.function(call, user["user_id"], **(ELSEWHERE | {"city": "Turin"}), state_key="s")

    assert again == first
    assert setting.shop.dump("s") == after != data.document_text()


def test_an_undo_does_not_trample_on_what_came_after(setting: Setting) -> None:
    """Undoing the first of two changes of one address is refused by the tool, says why, and touches nothing."""
    user_id = next(iter(data.document()["users"]))
    with (
        interlock.open(setting.workspace, apply=True) as lock,
        lock.task("retail", purpose="move twice", on_behalf_of=f"user:{user_id}") as task,
    ):
        first = propose(task, "modify_user_address", {"user_id": user_id, **ELSEWHERE}, "s")
        second = propose(task, "modify_user_address", {"user_id": user_id, **ELSEWHERE, "city": "Turin"}, "s")
        assert isinstance(second, interlock.Done)
        left = setting.shop.dump("s")

        desk = lock.person(PERSON)
        request = desk.undo(action=first.action_id, why="too early")
        tried = desk.action(desk.action(first.action_id).undone_by or "")

    assert (request.state, request.undone, request.blocked_by) == ("blocked", 0, first.action_id)
    assert tried.outcome is not None
    assert "was changed since" in tried.outcome.error
    assert setting.shop.dump("s") == left
