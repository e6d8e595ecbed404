"""`interlock erase` and `interlock hold`, as a person and as a program use them."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

import interlock
from interlock.cli.output import Exit, UsageError
from tests.cli.shell import Shell


@pytest.mark.proves("erasure.two_persons")
def test_from_the_dry_run_to_the_end(shell: Shell) -> None:
    """Nothing changes before two persons agreed; afterwards nothing is left of it, and the log verifies."""
    with (
        interlock.open(shell.place.folder, apply=True) as client,
        client.task("ag", purpose="lease of the blue house", on_behalf_of="user:carla-of-the-house") as task,
    ):
        task.propose("box.put", n=7, word="a word of carla")
    before = json.loads(shell("erase", "--subject", "user:carla-of-the-house", "--json").out)
    made = json.loads(
        shell(
            "erase", "--subject", "user:carla-of-the-house", "--propose", "--why", "asked", "--as", "rita", "--json"
        ).out
    )
    alone = shell("erase", "--accept", made["erasure"], "--as", "rita")
    done = shell("erase", "--accept", made["erasure"], "--as", "ria")

    assert (before["actions"], before["tasks"], before["unsettled"]) == (1, 1, [])
    assert made["state"] == "open"
    assert alone.code == Exit.YOURS
    assert done.code == Exit.OK
    verified = json.loads(shell("verify", "--json").out)
    assert (verified["ok"], verified["erased"] > 2) == (True, True)
    kept = b"".join(path.read_bytes() for path in shell.place.folder.glob(".interlock/**/*") if path.is_file())
    for word in (b"carla", b"blue house", b"a word of"):
        assert word not in kept


def test_what_was_left_is_told_to_who_agreed(shell: Shell) -> None:
    """Who agrees hears what is not erased although it is about the person: what a hold keeps, a task that is open."""
    with interlock.open(shell.place.folder, apply=True):
        pass
    shell("run", "box.put", "--agent", "ag", "--args", '{"n": 7, "word": "w"}', "--on-behalf-of", "user:carla")
    whom = ("--subject", "user:carla")
    propose = ("erase", *whom, "--propose", "--why", "asked", "--as", "rita", "--json")
    made = json.loads(shell(*propose).out)
    shell("run", "box.put", "--agent", "ag", "--args", '{"n": 8, "word": "v"}', "--on-behalf-of", "user:carla")
    held = json.loads(shell("hold", "place", *whom, "--why", "a suit", "--as", "ria", "--json").out)
    refused = shell("erase", "--accept", made["erasure"], "--as", "ria")
    asked = shell("erase", "--subject", "user:carla").out
    (listed,) = shell.json("erase", "--list")
    shell("hold", "lift", held["id"], "--as", "ria")
    words = shell("erase", "--accept", made["erasure"], "--as", "ria").out

    assert (refused.code, "may go now: 4 held by a legal hold" in refused.err) == (Exit.YOURS, True)
    assert "nothing was changed; nothing of it can go now" in asked
    assert (listed["state"], listed["covers"], listed["parts"]) == ("open", {"action": 1}, 0)
    assert words.startswith("agreed to, of user:carla\n")
    assert words.index("actions") < words.index("erased ")
    assert (
        "left because they came, or could go, only after it was proposed: 2" in words
    )  # the hold that was lifted, too
    assert "left because they are not settled: 2" in words
    assert ", open until 20" in words
    assert "what tools wrote" in words
    assert shell.json("erase", "--list")[0]["parts"] == 2
    nobody = shell("erase", "--subject", "user:karla")
    assert (nobody.code, "nothing here is about user:karla" in nobody.out) == (0, True)
    assert "hold list" in shell("hold", "lift", held["id"], "--as", "ria").err


def test_a_proposal_that_nobody_can_agree_to_and_a_hold_on_nobody_are_told(shell: Shell) -> None:
    """A lone person hears that nobody can agree, and whoever holds a subject of whom nothing is known hears that."""
    shell.proposed(7, "--on-behalf-of", "user:carla")
    held = shell("hold", "place", "--subject", "user:karla", "--why", "a suit", "--as", "rita")
    assert (held.code, "nothing here is about user:karla yet" in held.out) == (0, True)
    shell.place.write("people.yaml", "rita: [reviewer]\n")
    assert shell("apply", "--as", "rita").code == 0

    said = shell("erase", "--subject", "user:carla", "--propose", "--why", "asked", "--as", "rita")
    assert (said.code, "nobody else holds a role here" in said.out) == (Exit.WAITING, True)


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--propose",),
        ("--subject", "x", "--list"),
        ("--accept", "x", "--withdraw", "y"),
        ("--propose", "--accept", "x"),
    ],
)
def test_one_thing_at_a_time(shell: Shell, words: tuple[str, ...]) -> None:
    """What does not say what is meant is a mistake of usage, and changes nothing."""
    with pytest.raises(UsageError, match=r"say what to erase|one thing at a time"):
        shell("erase", *words)


@pytest.mark.parametrize(
    "words",
    [
        ("erase", "--subject", "user:a", "--class", "b"),
        ("erase", "--class", "b"),
        ("erase", "--subject", "user:a", "--propose", "--as", "rita"),
        ("erase", "--subject", "user:a", "--propose", "--why", "x", "--as", "nobody"),
        ("erase", "--accept", "nothing", "--as", "rita"),
        ("hold", "place", "--why", "x", "--as", "rita"),
        ("hold", "lift", "nothing", "--as", "rita"),
    ],
)
def test_mistakes_are_told(shell: Shell, words: tuple[str, ...]) -> None:
    """A class without a time, no reason, nobody known, nothing of that name: each is said, with what to do."""
    with interlock.open(shell.place.folder, apply=True):
        pass
    said = shell(*words)

    assert said.code == Exit.YOURS
    assert "next" in said.err


@pytest.mark.proves("erasure.repeat_names_nobody")
def test_a_refused_repeat_does_not_bring_the_person_back(shell: Shell) -> None:
    """Whoever repeats an erased action by its key is refused before a task is opened in that person's name."""
    shell.proposed(7, "--on-behalf-of", "user:carla", "--key", "carla-1")
    (task,) = shell.json("tasks")["tasks"]
    assert shell("task", "close", task["task"]["id"], "--as", "rita", "--why", "over").code == 0
    propose = ("erase", "--subject", "user:carla", "--propose", "--why", "asked", "--as", "rita", "--json")
    assert shell("erase", "--accept", json.loads(shell(*propose).out)["erasure"], "--as", "ria").code == 0
    words = (
        "run",
        "box.put",
        "--agent",
        "ag",
        "--args",
        '{"n": 7}',
        "--on-behalf-of",
        "user:carla",
        "--key",
        "carla-1",
    )
    said = shell(*words)

    assert (said.code, "it is not executed again" in said.err) == (Exit.YOURS, True)
    assert shell.json("tasks")["tasks"] == []
    assert "nothing here is about user:carla" in shell("erase", "--subject", "user:carla").out


@pytest.mark.proves("erasure.behind")
def test_an_older_store_says_that_it_was_erased_since(shell: Shell, tmp_path: Path) -> None:
    """Beside the vault of today, a store from before an erasure tells whoever looks that it was erased, and what to run;
    nobody is sent to the vault's backup. That command records the erasure again, and the log verifies."""
    action = shell.proposed(7, "--on-behalf-of", "user:carla")
    home = shell.place.folder / ".interlock"
    with (
        closing(sqlite3.connect(home / "interlock.db")) as store,
        closing(sqlite3.connect(tmp_path / "old.db")) as copy,
    ):
        store.backup(copy)
    propose = ("erase", "--subject", "user:carla", "--propose", "--why", "asked", "--as", "rita", "--json")
    assert shell("erase", "--accept", json.loads(shell(*propose).out)["erasure"], "--as", "ria").code == 0
    for path in home.glob("interlock.db*"):
        path.unlink()
    shutil.copy(tmp_path / "old.db", home / "interlock.db")

    said = [shell("verify"), shell("show", action), shell("packet", action, "--out", str(tmp_path / "packet"))]
    assert said[0].code == Exit.EVIDENCE
    for each in said:
        assert "erased" in each.out + each.err, each
        assert "backup" not in each.out + each.err
    assert all("interlock work --until-idle" in each.out + each.err for each in said)
    for words in (("erase", "--export"), ("audit", "export", "--disclose", "all"), ("audit", "export")):
        refused = shell(*words, str(tmp_path / "made"))
        assert (refused.code, "older than an erasure" in refused.err) == (Exit.EVIDENCE, True), refused
        assert "interlock work --until-idle" in refused.err
    assert not list(tmp_path.glob("made*"))
    assert shell("work", "--until-idle").code == 0
    assert shell.json("verify")["erased"] > 0
    assert "everything private of it was erased" in shell("show", action).out
