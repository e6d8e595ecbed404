"""Names that are mistyped, words that are no JSON, the version: small mistakes are answered with what helps."""

import json

import pytest

from interlock.cli.output import Exit, counted
from tests.cli.shell import Shell, program


@pytest.mark.parametrize(
    ("words", "said", "next_step"),
    [
        (("run", "box.putt", "--agent", "ag"), "no contract `box.putt` is in force", "did you mean `box.put`?"),
        (("run", "box.put", "--agent", "agg"), "no agent `agg` is in force", "did you mean `ag`?"),
        (("show", "box.putt"), "there is no contract `box.putt` in force", "did you mean `box.put`?"),
        (("actions", "--agent", "agg"), "there is no agent `agg`", "did you mean `ag`?"),
        (("actions", "--agent", "xyz"), "there is no agent `xyz`", "known: `ag`, `helper`, `shade`"),
        (("actions", "--contract", "box.putt"), "there is no contract `box.putt`", "did you mean `box.put`?"),
    ],
)
def test_a_misspelt_name_is_answered_with_the_closest(
    shell: Shell, words: tuple[str, ...], said: str, next_step: str
) -> None:
    """Nothing is proposed or listed under a name that is not there."""
    error = shell.json(*words, code=Exit.YOURS)["error"]

    assert (error["code"], error["detail"], error["next"]) == ("not_found", said, next_step)
    assert shell.json("actions") == []


def test_a_misspelt_kind_and_a_question_without_words_are_said(shell: Shell) -> None:
    """A kind of exceptions that there is not lists nothing without a word; what has to be asked is not to be left out."""
    error = shell.json("exceptions", "--kind", "out_of_scop", code=Exit.USAGE)["error"]
    empty = shell("--as", "rita", "ask", "any", " ")
    alone = shell.json("--as", "rita", "batch", shell.proposed(200), code=Exit.YOURS)["error"]

    assert error["next"] == "did you mean `out_of_scope`?"
    assert (empty.code, "leave it out" in empty.err, "say it" in empty.err) == (Exit.USAGE, False, True)
    assert alone["detail"].startswith("one action is no batch")


def test_what_is_in_force_no_more_is_listed_still(shell: Shell) -> None:
    """An agent whose file is gone has its actions still."""
    shell.proposed(1)
    (shell.place.folder / "agents/ag.yaml").unlink()
    shell("apply")

    assert len(shell.json("actions", "--agent", "ag")) == 1


@pytest.mark.parametrize("text", ["{", "", "[1]", "7", '{"n": }'])
def test_words_that_are_no_arguments_are_a_mistake_of_usage(shell: Shell, text: str) -> None:
    """What cannot be read as an object ends as any other mistake at the command line does."""
    error = shell.json("run", "box.put", "--agent", "ag", "--args", text, code=Exit.USAGE)["error"]

    assert (error["code"], "JSON" in error["detail"]) == ("usage", True)


TWICE = '{"n": 1, "word": "x", "n": 500}'


@pytest.mark.parametrize(
    "words",
    [
        ("run", "box.put", "--agent", "ag", "--args", TWICE),
        ("run", "box.put", "--agent", "ag", "--args", '{"word": {"n": 1, "\\u006e": 2}}'),
        ("policy", "try", "box.put", "--agent", "ag", "--args", TWICE),
        ("policy", "try", "box.put", "--agent", "ag", "--args", '{"n": 1}', "--facts", TWICE),
        ("modify", "HELD", "--args", TWICE, "--as", "rita"),
        ("settle", "HELD", "done", "--result", TWICE, "--as", "rita"),
    ],
)
def test_a_name_that_is_written_twice_is_refused(shell: Shell, words: tuple[str, ...]) -> None:
    """Two values of one name in one object, however it is spelt, are a mistake: none of the two is taken."""
    held = shell.proposed(500)
    error = shell.json(*(held if word == "HELD" else word for word in words), code=Exit.USAGE)["error"]

    assert error["detail"] == "`n` is written twice in one object"
    assert shell.json("show", held)["arguments"]["n"] == 500
    assert len(shell.json("actions")) == 1


def test_half_a_character_is_called_so(shell: Shell) -> None:
    """A surrogate alone is named as what is wrong, and a broken object as what it is."""
    word = json.dumps({"word": "\ud800"})
    half = shell.json("run", "box.look", "--agent", "ag", "--args", word, code=Exit.USAGE)
    broken = shell.json("run", "box.look", "--agent", "ag", "--args", word[:-1], code=Exit.USAGE)

    assert "half of a character" in half["error"]["detail"]
    assert "half of a character" not in broken["error"]["detail"]


def test_a_long_word_is_quoted_in_part(shell: Shell) -> None:
    """What was given is quoted as far as anybody reads it."""
    said = shell("show", "x" * 5_000)

    assert f"`{'x' * 200}...`" in said.err
    assert len(said.err) < 600


def test_the_version_is_an_option_as_well(shell: Shell) -> None:
    """`--version` says what `version` says, in words and for programs, without a workspace."""
    said = program("--version", folder=shell.place.folder.parent)

    assert (said.code, said.out) == (0, program("version", folder=shell.place.folder.parent).out)
    assert shell.json("--version") == shell.json("version")


def test_a_tool_is_shown_by_the_name_it_has(shell: Shell) -> None:
    """The target's own underscores are left alone; only its kind is put into words."""
    assert f"{shell.place.module}:put (python)" in shell("show", "box.put").out
    assert "_" in shell.place.module


def test_times_say_that_they_are_utc(shell: Shell) -> None:
    """Every time that `show` prints is in UTC, and says so."""
    action = shell.proposed(500)
    shell("approve", action, "--as", "rita")
    shell("work", "--until-idle")

    times = [line for line in shell("show", action).out.splitlines() if " 20" in line and ":" in line]

    assert len(times) == 7
    assert all(" UTC" in line for line in times)


@pytest.mark.parametrize(
    ("count", "many", "said"),
    [
        (1, "agents", "1 agent"),
        (2, "agents", "2 agents"),
        (1, "people", "1 person"),
        (0, "entries", "0 entries"),
        (1, "entries", "1 entry"),
    ],
)
def test_one_is_said_in_the_singular(count: int, many: str, said: str) -> None:
    """One agent is not one agents."""
    assert counted(count, many) == said
