"""Invariants at the command line."""

from pathlib import Path
from typing import Any

import pytest

from interlock.cli.output import Exit
from tests.cli.shell import Shell, program

NEVER = """\
@id("cap") @invariant("never") @reason("never more than five thousand")
forbid(principal, action == Action::"box.put", resource) when { context.args.n > 5000 };
"""
SEEN = """\
@id("seen") @invariant("attended")
forbid(principal, action == Action::"box.put", resource) when { context.args.n > 50 };
"""


@pytest.mark.proves("whatif.invariants")
def test_an_invariant_of_the_workspace_is_proved(shell: Shell) -> None:
    """It ends with 0, for people and for programs."""
    shell.place.write("invariants.cedar", NEVER)

    found = shell.json("policy", "prove")
    page = shell("policy", "prove").out

    (invariant,) = found["invariants"]
    assert (invariant["answer"], invariant["invariant"]["id"]) == ("proved", "cap")
    assert [each["answer"] for each in invariant["proofs"]] == ["none"]
    assert "proved cap  never more than five thousand" in page
    assert "box.put by ag, helper, shade: none is a breach" in page


@pytest.mark.proves("whatif.invariants")
def test_agents_without_the_capability_are_left_out(shell: Shell) -> None:
    """The gate refuses them before policies are asked, so nothing is searched for them."""
    shell.place.write("invariants.cedar", NEVER)
    shell.place.change("agents/shade.yaml", lambda text: text.replace("box.put, ", ""))

    assert "box.put by ag, helper: none is a breach" in shell("policy", "prove").out


@pytest.mark.proves("whatif.invariants")
def test_one_that_does_not_hold_is_refuted_with_a_request(shell: Shell, tmp_path: Path) -> None:
    """It ends with 1, though another is proved, and shows the request with what policies look at."""
    path = tmp_path / "mine.cedar"
    path.write_text(NEVER + SEEN)

    found = shell.json("policy", "prove", str(path), code=Exit.YOURS)
    page = shell("policy", "prove", str(path)).out

    assert [each["answer"] for each in found["invariants"]] == ["proved", "refuted"]
    (proof,) = found["invariants"][1]["proofs"]
    assert (proof["confirmed"], proof["new"]) == (True, "allow")
    assert 50 < proof["question"]["arguments"]["n"] <= 100
    assert "refuted seen" in page
    assert "a breach, allow" in page
    assert "confirmed by both engines" in page
    assert "arguments  n " in page


@pytest.mark.proves("whatif.invariants")
def test_which_policies_are_meant(shell: Shell) -> None:
    """Of the files unless something else is named: what is in force may keep what the files do not."""
    shell.place.write("invariants.cedar", NEVER)
    shell.place.change("policies/all.cedar", lambda text: text.replace("n > 1000", "n > 9000"))

    assert shell("policy", "prove").code == Exit.YOURS
    assert shell("policy", "prove", "--bundle", "in-force").code == Exit.OK


def test_an_invariant_about_nothing_is_not_proved(shell: Shell) -> None:
    """Nobody may do it, so nothing was searched: unknown, and said so."""
    shell.place.write("invariants.cedar", NEVER.replace("principal,", 'principal in Agent::"nobody",'))

    said = shell("policy", "prove")

    assert said.code == Exit.YOURS
    assert "unknown cap" in said.out
    assert "about no contract that any agent may use" in said.out


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        (None, "cannot be read"),
        ("", "there is no invariant"),
        ("forbid(principal", "invariants.cedar:1:"),
        (NEVER.replace("context.args.n", "context.args.m"), "invariants.cedar:2:78"),
        (NEVER.replace("never", "sometimes"), "says what it promises"),
        (NEVER + NEVER, "is taken by the invariant at invariants.cedar:1"),
    ],
)
def test_a_mistake_is_said_with_its_place(shell: Shell, text: str | None, detail: str) -> None:
    """No file, none in it, one that does not parse, a word that is not in the contract, a promise that is none."""
    if text is not None:
        shell.place.write("invariants.cedar", text)

    found: Any = shell.json("policy", "prove", code=Exit.YOURS)

    assert detail in str(found["error"])


def test_a_file_that_is_no_text(shell: Shell) -> None:
    """A folder, and bytes."""
    shell.place.folder.joinpath("invariants.cedar").write_bytes(b"\xff\xfe")

    assert "not UTF-8" in shell("policy", "prove").err
    assert shell("policy", "prove", str(shell.place.folder)).code == Exit.YOURS
    assert shell("policy", "prove", "--timeout", "0s").code == Exit.USAGE


def test_without_the_solver_it_says_what_to_install(shell: Shell, tmp_path: Path) -> None:
    """A message and an exit code, no traceback."""
    shell.place.write("invariants.cedar", NEVER)
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    hidden.joinpath("z3.py").write_text("raise ImportError\n")

    said = program("policy", "prove", folder=shell.place.folder, env={"PYTHONPATH": str(hidden)})

    assert said.code == Exit.OPERATOR
    assert "interlock[proofs]" in said.err
    assert "Traceback" not in said.err
