"""What is lost for good is acknowledged by two persons, told as such everywhere, and never hidden."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from interlock.cli.output import Exit, UsageError
from tests.cli.shell import Shell


def _lose(shell: Shell, tmp_path: Path) -> list[str]:
    """Put the vault back as it was before some actions; give these."""
    home, kept = shell.place.folder / ".interlock", tmp_path / "old.db"
    shell.proposed(1)
    with closing(sqlite3.connect(home / "keys.db")) as vault, closing(sqlite3.connect(kept)) as copy:
        vault.backup(copy)
    actions = [shell.proposed(n, "--on-behalf-of", "user:carla") for n in (2, 3)]
    for path in home.glob("keys.db*"):
        path.unlink()
    shutil.copy(kept, home / "keys.db")
    return actions


@pytest.mark.proves("loss.acknowledged", "loss.two_persons")
def test_from_the_loss_to_the_word_about_it(shell: Shell, tmp_path: Path) -> None:
    """Red until two persons acknowledged it; then verified, counted and told as lost: here, in packets, in an export. What
    is lost later is found again."""
    first, second = _lose(shell, tmp_path)
    before = shell.json("verify", code=Exit.EVIDENCE)
    lost = shell.json("lost", code=Exit.EVIDENCE)
    assert (before["lost"], len(lost["actions"]), len(lost["entries"]) >= 4) == (0, 2, True)
    early = shell.json("audit", "export", str(tmp_path / "early"), code=Exit.EVIDENCE)
    assert early["lost"] == len(lost["entries"])
    assert "are lost, and no erasure" in shell("audit", "export", str(tmp_path / "told")).out
    for wrong in (("--reason", "mine", "--why", "x"), ("--reason", "restored")):
        assert shell("lost", "--propose", *wrong, "--as", "rita").code == Exit.YOURS
    propose = ("lost", "--propose", "--reason", "restored", "--why", "the disk of the 3rd", "--as", "rita")
    made = shell.json(*propose, code=Exit.WAITING)
    assert shell(*propose).code == Exit.YOURS
    for person in ("rita", "nobody"):
        assert shell("lost", "--accept", made["id"], "--as", person).code == Exit.YOURS
    assert shell("verify").code == Exit.EVIDENCE
    done = shell.json("lost", "--accept", made["id"], "--as", "ria")
    assert (done["state"], done["entries"], done["actions"]) == ("acknowledged", len(lost["entries"]), 2)

    after = shell.json("verify")
    assert (after["ok"], after["lost"], after["erased"]) == (True, len(lost["entries"]), 0)
    assert "gone without an erasure" in shell("verify").out
    assert "nothing is lost" in shell("lost").out
    assert "two persons acknowledged" in shell("show", first).out
    packet = tmp_path / "packet.json"
    assert "two persons acknowledged" in shell("packet", second, "--out", str(packet)).out
    assert shell.json("verify", "--packet", str(packet))["lost"] >= 2
    _exported(shell, tmp_path)
    assert shell("lost", "--accept", made["id"], "--as", "ria").code == Exit.YOURS
    assert shell(*propose).code == Exit.YOURS
    _lose(shell, tmp_path)
    assert shell("verify").code == Exit.EVIDENCE


def _exported(shell: Shell, tmp_path: Path) -> None:
    assert shell.json("audit", "export", str(tmp_path / "made"), "--disclose", "all")["lost"] == 0
    keys = str(shell.place.folder / ".interlock/keys/log.pub")
    found = shell.json("audit", "verify", str(tmp_path / "made"), "--key", keys)
    assert (found["verdict"], found["findings"]) == ("verified", [])
    assert found["lost"] > found["erased"] == 0
    assert "LOST (acknowledged by two persons)" in shell("audit", "verify", str(tmp_path / "made"), "--key", keys).out


@pytest.mark.proves("loss.two_persons")
def test_nothing_is_acknowledged_that_is_there(shell: Shell, tmp_path: Path) -> None:
    """Where nothing is lost nothing can be proposed; and what came back before the second word is not named."""
    with pytest.raises(UsageError):
        shell("lost", "--list", "--propose")
    propose = ("lost", "--propose", "--reason", "restored", "--why", "x", "--as", "rita")
    assert shell("lost").code == Exit.OK
    assert shell(*propose).code == Exit.YOURS
    action = shell.proposed(2)
    _lose(shell, tmp_path)
    made = shell.json(*propose, code=Exit.WAITING)
    assert action not in str(shell.json("lost", code=Exit.EVIDENCE)["actions"])
    withdrawn = shell.json("lost", "--withdraw", made["id"], "--as", "ria")
    assert withdrawn["state"] == "withdrawn"
    assert [each["state"] for each in shell.json("lost", "--list")] == ["withdrawn"]
    assert shell("verify").code == Exit.EVIDENCE
