"""What would change, at the command line."""

from pathlib import Path
from typing import Any

import pytest

from interlock.cli.output import Exit
from tests.cli.shell import Shell, program
from tests.workspaces import forget, workspace

FILE = "policies/all.cedar"


def hundreds(above: int) -> str:
    """As in force, but that reviewers are asked above another number."""
    return f"context.args.n > {above} "


@pytest.fixture
def past(shell: Shell) -> Shell:
    """One put allowed, two held, one denied, and a file that asks later."""
    for n in (10, 120, 130, 2000):
        shell.proposed(n)
    shell.place.change(FILE, lambda text: text.replace(hundreds(100), hundreds(125)))
    return shell


def without_solver(folder: Path) -> dict[str, str]:
    """An environment in which the solver cannot be imported."""
    hidden = folder / "hidden"
    hidden.mkdir()
    hidden.joinpath("z3.py").write_text("raise ImportError\n")
    return {"PYTHONPATH": str(hidden)}


@pytest.mark.proves("whatif.same_question")
def test_the_files_are_held_against_what_is_in_force(past: Shell) -> None:
    """Counted and grouped with an example, for people and for programs; and nothing in force has changed."""
    found = past.json("policy", "diff")
    page = past("policy", "diff").out

    (group,) = found["decisions"]["groups"]
    assert (found["decisions"]["asked"], found["decisions"]["same"]) == (4, 3)
    assert (group["direction"], group["old"], group["new"], group["count"]) == (
        "loosened",
        "require_approval",
        "allow",
        1,
    )
    assert (group["old_policies"], group["new_policies"]) == (["ask"], ["all"])
    assert "n 120" in group["arguments"]
    assert past.state(group["example"]) == "held"
    assert (found["consents"], "searches" in found) == ([], False)
    assert "4 decisions since" in page
    assert "1 loosened, 0 tightened, 0 other, 3 as before" in page
    assert "in-force) -> " in page
    assert past.state(past.proposed(121)) == "held"


def test_what_is_the_same_is_said_to_be(shell: Shell) -> None:
    """Nothing differs, and the gate for pipelines is open."""
    shell.proposed(10)

    said = shell("policy", "diff", "--fail-on-loosening", "--proofs")

    assert said.code == Exit.OK
    assert "they are the same" in said.out
    assert "no policy changed on what any agent may use" in said.out


def test_a_pipeline_can_stop_at_a_loosening(past: Shell) -> None:
    """`--fail-on-loosening` ends with 1 where anything is looser, and not where it is only tighter."""
    assert past("policy", "diff").code == Exit.OK
    assert past("policy", "diff", "--fail-on-loosening").code == Exit.YOURS
    assert past("policy", "diff", "files", "in-force", "--fail-on-loosening").code == Exit.OK
    assert past("policy", "diff", "--fail-on-loosening", "--limit", "1").code == Exit.OK
    assert past("policy", "diff", "--fail-on-loosening", "--limit", "1", "--proofs").code == Exit.YOURS


def test_how_far_back(past: Shell) -> None:
    """Only the newest so many, and that there are more is said; decisions of the last hour."""
    page = past("policy", "diff", "--limit", "2").out

    assert "2 decisions since" in page
    assert "there are older ones" in page
    assert past.json("policy", "diff", "--since", "1h")["decisions"]["asked"] == 4


@pytest.mark.proves("whatif.no_loosening_missed")
def test_a_search_finds_what_nobody_has_asked_yet(shell: Shell) -> None:
    """With the request, confirmed by both engines; what is only tighter has none."""
    shell.place.change(FILE, lambda text: text.replace(hundreds(100), hundreds(125)))

    found = shell.json("policy", "diff", "--proofs")
    page = shell("policy", "diff", "--proofs").out
    back = shell.json("policy", "diff", "files", "in-force", "--proofs")

    assert found["decisions"]["asked"] == 0
    (search,) = found["searches"]
    assert (search["contract"], search["answer"], search["confirmed"]) == ("box.put", "found", True)
    assert (search["old"], search["new"]) == ("require_approval", "allow")
    assert 100 < search["question"]["arguments"]["n"] <= 125
    assert set(search["agents"]) == {"ag", "shade", "helper"}
    assert "confirmed by both engines" in page
    assert "arguments  n 1" in page
    assert [each["answer"] for each in back["searches"]] == ["none"]
    assert "none is looser" in shell("policy", "diff", "files", "in-force", "--proofs").out


@pytest.mark.proves("whatif.consent")
def test_whose_consent_it_needs(shell: Shell) -> None:
    """What cannot be undone is listed apart, with its owner or that nobody is."""
    shell.place.change(FILE, lambda text: text + MAIL)
    assert shell("apply").code == 0
    denied = shell("run", "box.mail", "--agent", "ag", "--args", '{"to": "ana"}', "--json")
    assert denied.code == Exit.NOT_DONE
    shell.place.change(FILE, lambda text: text.replace(MAIL, ""))

    found = shell.json("policy", "diff")
    page = shell("policy", "diff", "--proofs").out

    (consent,) = found["consents"]
    assert (consent["contract"], consent["owner"]) == ("box.mail", "")
    assert consent["why"] == "deny becomes require_approval (1 recorded)"
    assert "box.mail: nobody owns it  deny becomes require approval (1 recorded); deny becomes" in page


MAIL = (
    '@id("mute") @owner("tests") @outcome("deny") @reason("quiet") '
    'forbid(principal, action == Action::"box.mail", resource);\n'
)


def test_a_folder_and_the_beginning_of_a_digest(past: Shell, tmp_path: Path) -> None:
    """Policies may stand elsewhere, and what was in force once can be named."""
    before = past.json("policy", "diff")["decisions"]
    other = tmp_path / "other"
    other.mkdir()
    text = past.place.folder.joinpath(FILE).read_text()
    other.joinpath("all.cedar").write_text(text.replace("> 1000", "> 5000"))
    assert past("apply").code == 0

    found = past.json("policy", "diff", before["old"][:12], "in-force")["decisions"]
    elsewhere = past.json("policy", "diff", "in-force", str(other))["decisions"]

    assert (found["old"], found["new"]) == (before["old"], before["new"])
    assert found["groups"] == before["groups"]
    assert [(each["old"], each["new"]) for each in elsewhere["groups"]] == [("deny", "require_approval")]


def test_without_a_store_files_are_compared(tmp_path: Path) -> None:
    """Before anything is in force there is nothing to ask again, but files can be searched."""
    place = workspace(tmp_path / "new")
    try:
        shell = Shell(place)
        other = tmp_path / "other"
        other.mkdir()
        other.joinpath("all.cedar").write_text('@id("all") @owner("o") permit(principal, action, resource);')

        found = shell.json("policy", "diff", "files", str(other), "--proofs")
        error = shell.json("policy", "diff", code=Exit.OPERATOR)

        assert found["decisions"]["asked"] == 0
        assert {(each["contract"], each["answer"]) for each in found["searches"]} == {("box.put", "found")}
        assert error["error"]["code"] == "store_missing"
    finally:
        forget(place)


def test_without_the_solver_it_says_what_to_install(shell: Shell, tmp_path: Path) -> None:
    """The search ends with a message, no traceback; without it everything else works."""
    env = without_solver(tmp_path)

    said = program("policy", "diff", "--proofs", folder=shell.place.folder, env=env)
    plain = program("policy", "diff", folder=shell.place.folder, env=env)

    assert said.code == Exit.OPERATOR
    assert "the solver is not installed" in said.err
    assert "interlock[proofs]" in said.err
    assert "Traceback" not in said.err
    assert plain.code == Exit.OK


@pytest.mark.parametrize(
    ("words", "code", "detail"),
    [
        (("--since", "yesterday"), Exit.USAGE, "is not a duration"),
        (("abcdef012345",), Exit.YOURS, "is no bundle and no folder"),
        (("",), Exit.YOURS, "is no bundle and no folder"),
        (("in-force", "x" * 5_000), Exit.YOURS, "is no bundle and no folder"),
        (("in-force", "a\0b"), Exit.YOURS, "is no bundle and no folder"),
        (("in-force", "agents"), Exit.YOURS, "there are no policies in"),
        (("in-force", "broken"), Exit.YOURS, "bad.cedar:1:"),
        (("in-force", "latin"), Exit.YOURS, "UTF-8"),
    ],
)
def test_a_mistake_is_said(shell: Shell, words: tuple[str, ...], code: Exit, detail: str) -> None:
    """A time that is none, policies that nobody knows, a folder without any, one that does not parse or is no text."""
    shell.place.write("broken/bad.cedar", "permit(principal")
    shell.place.write("latin/bad.cedar", "")
    shell.place.folder.joinpath("latin/bad.cedar").write_bytes(b'@id("\xe9")')
    here = str(shell.place.folder)
    found: Any = shell.json(
        "policy",
        "diff",
        *(f"{here}/{word}" if word in ("agents", "broken", "latin") else word for word in words),
        code=code,
    )

    assert detail in str(found["error"])


def test_numbers_that_mean_nothing_are_refused(shell: Shell) -> None:
    """No decision at all, and no time at all."""
    assert shell("policy", "diff", "--limit", "0").code == Exit.USAGE
    assert shell("policy", "diff", "--timeout", "0s").code == Exit.USAGE
