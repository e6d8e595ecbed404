"""`policy test`, `policy new`, and the gate before `apply`: whole journeys in a workspace as `init` makes it."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from interlock.cli.app import app, global_first
from interlock.cli.output import Exit
from tests.cli.shell import Said

STARTERS = ("pricing", "refunds", "replenishment", "mail", "database")
NOTES = "policies/notes.cedar"
TESTS = "policies/tests/notes.yaml"


def program(*words: str, folder: Path) -> Said:
    """Run a command in `folder`, in this process."""
    found = CliRunner().invoke(app, global_first(["-w", str(folder), *words]), prog_name="interlock")
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    return Said(found.exit_code, found.stdout, found.stderr)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A workspace as `init` makes it, whose module `notes` is its own."""
    path = list(sys.path)
    assert program("init", str(tmp_path / "team"), folder=tmp_path).code == 0
    yield tmp_path / "team"
    sys.path[:] = path
    sys.modules.pop("notes", None)


def change(path: Path, right: str, wrong: str) -> None:
    """Another word in a file."""
    text = path.read_text()
    assert right in text
    path.write_text(text.replace(right, wrong))


def wrong(said: Said) -> list[tuple[str, int, str]]:
    """File, line and message of each error that `check --json` told."""
    return [
        (each["file"], each["line"], each["message"]) for each in said.json()["problems"] if each["severity"] == "error"
    ]


@pytest.mark.proves("policy.coverage_gate")
def test_a_policy_without_a_test_stays_out_of_force(folder: Path) -> None:
    """It is told with its file and line by `check`, `policy test` and `apply`; a test that makes it true lets it in; where the
    workspace only advises tests it is a warning."""
    assert program("apply", folder=folder).code == 0
    with (folder / NOTES).open("a") as file:
        file.write('@id("late") @owner("o") @outcome("deny") @reason("at night")\n')
        file.write("forbid (principal, action, resource) when { context.minuteOfDay < 360 };\n")
    line = (folder / NOTES).read_text().splitlines().index(
        '@id("late") @owner("o") @outcome("deny") @reason("at night")'
    ) + 1
    place = (NOTES, line, "no test makes the policy `late` true: add one to policies/tests/")

    checked = program("check", "--json", folder=folder)
    tested = program("policy", "test", "--json", folder=folder)
    applied = program("apply", "--json", folder=folder)
    assert (checked.code, wrong(checked)) == (Exit.YOURS, [place])
    assert (tested.code, tested.json()["coverage"]["uncovered"]) == (Exit.YOURS, ["late"])
    assert (applied.code, applied.json()["error"]["line"]) == (Exit.YOURS, line)

    with (folder / "interlock.yaml").open("a") as file:
        file.write("policy_tests: advised\n")
    assert program("check", "--json", folder=folder).json()["ok"]
    assert program("policy", "test", folder=folder).code == 0
    assert program("apply", folder=folder).code == 0

    change(folder / "interlock.yaml", "policy_tests: advised", "policy_tests: required")
    (folder / "policies/late.test.yaml").write_text(
        "- {name: at night, agent: keeper, contract: notes.add, args: {text: x}, with: {at: 2026-11-21T05:59Z}, expect: deny}\n"
    )
    assert program("check", "--json", folder=folder).json()["problems"] == []
    assert program("apply", folder=folder).code == 0


@pytest.mark.proves("policy.threshold_edit_breaks_a_test")
def test_a_moved_threshold_stays_out_of_force(folder: Path) -> None:
    """A refund limit that somebody raises fails the tests that speak of it, by name and with what is otherwise; what was in
    force stays in force."""
    assert program("policy", "new", "refunds", folder=folder).code == 0
    assert program("apply", folder=folder).code == 0
    change(folder / "policies/refunds.cedar", "amount_minor > 10000", "amount_minor > 20000")

    tested = program("policy", "test", folder=folder)
    applied = program("apply", "--json", folder=folder)

    assert tested.code == Exit.YOURS
    assert "FAIL  more asks somebody" in tested.out
    assert "expected require_approval, was allow by refunds.agent" in tested.out
    assert applied.code == Exit.YOURS
    assert "the policy test `more asks somebody` fails" in applied.json()["error"]["detail"]
    change(folder / "policies/refunds.cedar", "amount_minor > 20000", "amount_minor > 10000")
    assert not program("apply", "--json", folder=folder).json()["changed"]


def test_one_test_by_its_name(folder: Path) -> None:
    """`-k` runs the tests whose names hold a word; one that fails elsewhere does not count, and coverage is not judged."""
    change(folder / TESTS, "verdict: allow", "verdict: deny")

    found = program("policy", "test", "-k", "pinned", "--json", folder=folder)

    assert found.code == 0
    assert [(each["name"], each["passed"]) for each in found.json()["tests"]] == [
        ("a pinned note waits for a reviewer", True)
    ]
    assert program("policy", "test", folder=folder).code == Exit.YOURS


def test_a_name_that_no_test_has_is_no_green_run(folder: Path) -> None:
    """Whoever mistypes the name of a test does not take nothing for a pass."""
    found = program("policy", "test", "-k", "pinend", folder=folder)

    assert (found.code, "no test has `pinend` in its name" in found.err) == (Exit.YOURS, True)


@pytest.mark.proves("policy.starters_are_tested")
@pytest.mark.parametrize("starter", STARTERS)
def test_a_starter_is_green_in_a_fresh_workspace(folder: Path, starter: str) -> None:
    """`policy new` names what it wrote; the workspace then checks without a warning, every test passes, every policy is true in
    one, it goes into force, and nothing is written a second time."""
    made = program("policy", "new", starter, "--json", folder=folder)
    assert made.code == 0
    assert all((folder / path).is_file() for path in made.json()["files"])

    assert program("check", "--json", folder=folder).json()["problems"] == []
    assert program("policy", "lint", folder=folder).out == "nothing to say\n"
    tested = program("policy", "test", "--json", folder=folder)
    assert (tested.code, tested.json()["coverage"]["per_cent"]) == (0, 100)
    assert program("apply", folder=folder).code == 0

    before = {path: path.read_bytes() for path in folder.rglob("*.cedar")}
    again = program("policy", "new", starter, "--json", folder=folder)
    assert (again.code, "exists already" in again.json()["error"]["detail"]) == (Exit.YOURS, True)
    assert {path: path.read_bytes() for path in folder.rglob("*.cedar")} == before


@pytest.mark.proves("policy.matrix_has_a_test_a_cell")
@pytest.mark.parametrize("more", [(), ("--confidence", "990"), ("--agent", "keeper")])
def test_the_matrix_is_green_in_a_fresh_workspace(folder: Path, more: tuple[str, ...]) -> None:
    """A test for each of 24 cells, all of them passing, all policies true in one, although the workspace has contracts of two
    cells only."""
    assert program("policy", "new", "--from-matrix", *more, folder=folder).code == 0

    tested = program("policy", "test", "-k", "->", "--json", folder=folder).json()

    assert len(tested["tests"]) == 26
    checked = program("check", "--json", folder=folder)
    assert checked.code == 0
    # What the sample of `init` permits is permitted twice now, where the matrix is about the same agent.
    assert {each["severity"] for each in checked.json()["problems"]} <= {"warning"}
    assert program("apply", folder=folder).code == 0


def test_a_starter_takes_a_contract_of_the_workspace_that_fits(folder: Path) -> None:
    """A contract with all that the policies look at is used as it is, under its own name and by the agent that may use it; no
    sample is written."""
    assert program("policy", "new", "refunds", folder=folder).code == 0
    text = (folder / "contracts/refunds.issue.yaml").read_text().replace("name: refunds.issue", "name: pay.back")
    for path in ("policies/refunds.cedar", "policies/tests/refunds.yaml", "contracts/refunds.issue.yaml"):
        (folder / path).unlink()
    (folder / "contracts/pay.back.yaml").write_text(text)
    change(folder / "agents/refund-clerk.yaml", "refunds.issue", "pay.back")

    made = program("policy", "new", "refunds", "--json", folder=folder).json()

    assert made["files"] == ["policies/refunds.cedar", "policies/tests/refunds.yaml"]
    assert (made["contract"], made["agent"]) == ("pay.back", "refund-clerk")
    assert 'Action::"pay.back"' in (folder / "policies/refunds.cedar").read_text()
    assert program("check", "--json", folder=folder).json()["problems"] == []


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), Exit.USAGE, "say what to begin with"),
        (("refunds", "--from-matrix"), Exit.USAGE, "say what to begin with"),
        (("refund",), Exit.YOURS, "did you mean `refunds`?"),
        (("refunds", "--contract", "issue"), Exit.USAGE, "is not `ROLE=NAME`"),
        (("refunds", "--contract", "pay=notes.add"), Exit.YOURS, "`pay` is no contract of this starter"),
        (("refunds", "--contract", "issue=notes.ad"), Exit.YOURS, "there is no contract `notes.ad`"),
        (("refunds", "--agent", "keepr"), Exit.YOURS, "did you mean `keeper`?"),
        (("--from-matrix", "--agent", "nobody"), Exit.YOURS, "there is no agent `nobody`"),
        (("refunds", "--contract", "issue=notes.add"), Exit.YOURS, "`notes.add` does not fit these policies"),
    ],
)
def test_what_cannot_be_begun_is_told(folder: Path, words: tuple[str, ...], code: Exit, said: str) -> None:
    """Each slip is one error in words, and nothing is written."""
    before = sorted(folder.rglob("*"))

    found = program("policy", "new", *words, "--json", folder=folder)

    assert (found.code, said in json.loads(found.out)["error"]["detail"] + json.loads(found.out)["error"]["next"]) == (
        code,
        True,
    )
    assert sorted(path for path in folder.rglob("*") if "__pycache__" not in path.parts) == before


def test_policies_that_cannot_be_tested_are_told(folder: Path) -> None:
    """Where a policy is wrong `policy test` says what is wrong, and does not look green."""
    change(folder / NOTES, "context.args.pinned", "context.args.pined")

    found = program("policy", "test", folder=folder)

    assert found.code == Exit.YOURS
    assert "pined" in found.out
    assert "passed" not in found.out


def test_a_test_that_cannot_be_read_is_counted_beside_the_others(folder: Path) -> None:
    """The line that counts says that something could not be read; where it is stands once, as `check` writes it."""
    (folder / "policies/tests/more.yaml").write_text(
        "- {name: x, agent: keepr, contract: notes.add, args: {text: x}, expect: {verdict: allow}}\n", encoding="utf-8"
    )

    found = program("policy", "test", folder=folder).out

    assert "2 of 2 passed, and 1 error beside them; " in found
    assert found.count("error") == 2
    line = next(line for line in found.splitlines() if "keepr" in line)
    assert line.startswith("policies/tests/more.yaml:1:")
    assert line in program("check", folder=folder).out


def test_what_cannot_be_printed_is_no_trouble_of_the_store(folder: Path) -> None:
    """Where standard output is full, that is what is said, and the exit code says that it was not told."""
    for more in ("", " --json"):
        done = subprocess.run(
            ["bash", "-c", f"{sys.executable} -m interlock policy test{more} > /dev/full"],
            cwd=folder, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert (done.returncode, "Traceback" in done.stderr) == (Exit.OPERATOR, False), done
        assert more or "cannot be printed: No space left on device" in done.stderr
        assert "store" not in done.stderr


@pytest.mark.proves("policy.capability_permitted")
def test_a_capability_that_no_policy_permits_is_told_in_its_place(folder: Path) -> None:
    """A warning, in the agent's file: it keeps nothing out of force. A permit that is only on trial permits nothing."""
    assert program("check", "--json", folder=folder).json()["problems"] == []
    change(folder / NOTES, 'action in [Action::"notes.add", ', "action in [")
    file = folder / "agents/keeper.yaml"
    line = next(n for n, text in enumerate(file.read_text().splitlines(), 1) if text.startswith("capabilities:"))

    for _ in range(2):
        found = [
            each
            for each in program("check", "--json", folder=folder).json()["problems"]
            if each["message"].startswith("no policy permits")
        ]
        assert [(each["file"], each["line"], each["severity"], each["message"]) for each in found] == [
            (
                "agents/keeper.yaml",
                line,
                "warning",
                "no policy permits `keeper` to use `notes.add`: it is always denied",
            )
        ]
        with (folder / NOTES).open("a") as more:
            more.write('@id("trial") @owner("o") @mode("shadow")\n')
            more.write('permit (principal, action == Action::"notes.add", resource);\n')


@pytest.mark.proves("policy.tests_ask_as_the_gate")
def test_what_an_agents_file_asks_is_asked_in_tests_that_say_their_stage(folder: Path) -> None:
    """As the gate has it; a test of the policies alone is none of it."""
    change(folder / "agents/keeper.yaml", "approvals:\n", "approvals:\n  required: {notes.add: reviewer}\n")
    (folder / "policies/more.test.yaml").write_text(
        "- {name: alone, agent: keeper, contract: notes.add, args: {text: x}, expect: allow}\n"
        "- {name: whole, agent: keeper, contract: notes.add, args: {text: x}, with: {stage: partial}, expect: allow}\n"
    )

    told = {each["name"]: each for each in program("policy", "test", "--json", folder=folder).json()["tests"]}

    assert told["alone"]["passed"]
    assert not told["whole"]["passed"]
    assert "interlock.agent.approvals" in str(told["whole"])
