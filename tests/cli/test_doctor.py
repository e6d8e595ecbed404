"""`interlock doctor`: what is broken on purpose is found, with what mends it, and nothing else is."""

import apsw
import pytest

from tests.cli.shell import Shell


def found(shell: Shell, code: int) -> dict[str, dict[str, str]]:
    """What the doctor says of each thing that is not good."""
    checkup = shell.json("doctor", code=code)
    return {each["what"]: each for each in checkup["checks"] if each["health"] in ("wrong", "doubtful")}


@pytest.mark.proves("doctor.whole")
def test_a_whole_installation(shell: Shell) -> None:
    """Of an installation that works nothing is wrong but what its own files leave in doubt, and the doctor ends with 0."""
    shell.proposed(7)

    said = shell.json("doctor")

    health = {each["what"]: each["health"] for each in said["checks"]}
    for what in ("policies", "store", "keys", "log", "clock", "in force", "worker", "left open"):
        assert health[what] == "good", said
    assert all(each["repair"] for each in said["checks"] if each["health"] in ("wrong", "doubtful"))
    assert "nothing that is due was left lying" in shell("doctor").out


@pytest.mark.proves("doctor.finds")
def test_a_key_that_others_may_read(shell: Shell) -> None:
    """A private key that others may read is found, with the command that mends it; the installation needs somebody."""
    key = shell.place.folder / ".interlock" / "keys" / "gate.key"
    key.chmod(0o644)

    wrong = found(shell, 3)

    assert set(wrong) >= {"keys"}
    assert "chmod 600" in wrong["keys"]["repair"]
    key.chmod(0o600)
    assert "keys" not in found(shell, 0)


@pytest.mark.proves("doctor.finds")
def test_a_file_of_the_workspace_that_is_wrong(shell: Shell) -> None:
    """A policy that does not compile is the writer's to mend: the doctor names the line, and ends with 1."""
    shell.place.change(
        "policies/all.cedar", lambda text: text.replace("context.args.n > 100 ", "context.args.m > 100 ")
    )

    wrong = found(shell, 1)

    assert wrong["workspace"]["fault"] == "yours"
    assert "policies/all.cedar:" in wrong["workspace"]["said"]


@pytest.mark.proves("doctor.finds")
def test_files_that_are_not_in_force(shell: Shell) -> None:
    """Policies that were changed and not brought into force are a doubt, not an error."""
    shell.place.change("policies/all.cedar", lambda text: text.replace("n > 100 ", "n > 50 "))

    assert "not those in force" in found(shell, 0)["policies"]["said"]


@pytest.mark.proves("doctor.finds")
def test_a_log_that_was_changed(shell: Shell) -> None:
    """A hash that somebody changed in the log is found by the spot check of a short log."""
    shell.proposed(7)
    store = apsw.Connection(str(shell.place.folder / ".interlock" / "interlock.db"))
    for (trigger,) in list(store.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'")):
        store.execute(f"DROP TRIGGER {trigger}")
    store.execute("UPDATE entry SET leaf_hash = ? WHERE idx = 1", (bytes(32),))
    store.close()

    assert "interlock verify" in found(shell, 3)["log"]["repair"]


@pytest.mark.proves("doctor.finds")
def test_a_store_that_is_gone(shell: Shell) -> None:
    """Where the store is missing the doctor says so, and goes on with what can be asked without it."""
    for each in (shell.place.folder / ".interlock").glob("interlock.db*"):
        each.unlink()

    said = shell.json("doctor", code=3)

    health = {each["what"]: each["health"] for each in said["checks"]}
    assert (health["store"], health["log"], health["disk"]) == ("wrong", "unasked", "good")


@pytest.mark.proves("doctor.finds")
def test_a_store_that_is_none(shell: Shell) -> None:
    """A store whose file is something else is wrong, and no traceback."""
    (shell.place.folder / ".interlock" / "interlock.db").write_bytes(b"SQLite format 4" + bytes(4096))

    assert found(shell, 3)["store"]["health"] == "wrong"


@pytest.mark.proves("doctor.finds")
def test_brakes_and_what_nobody_knows(shell: Shell) -> None:
    """Brakes that stand, and actions of which nobody knows what became, are doubts: everything works as it should."""
    shell("run", "box.lose", "--agent", "ag", "--args", '{"reason": "it broke"}')
    shell("stop", "agent:shade", "--why", "to be looked at", "--as", "rita")

    doubts = found(shell, 0)

    assert {"brakes", "left open"} <= set(doubts)
    assert "interlock actions --state unknown" in doubts["left open"]["repair"]


def test_no_workspace(shell: Shell) -> None:
    """Where there is no workspace that is said once, and not of everything that hangs on it."""
    (shell.place.folder / "interlock.yaml").unlink()

    said = shell.json("doctor", code=1)

    assert [each["what"] for each in said["checks"]] == ["workspace"]
