"""`identity`: what it shows, the token it makes, and the instances it lists."""

from pathlib import Path

import pytest

import interlock
from tests.cli.shell import Shell

OUTSIDE = "identity: {attest: [local, bootstrap]}\n"


def test_how_instances_are_recognised_is_shown(shell: Shell) -> None:
    """The trust domain, the issuer and its key, the ways, and how many instances were seen."""
    shell.proposed(1)

    said = shell.json("identity", "show")

    assert said["identity"]["trust_domain"] == "tests.interlock.internal"
    assert said["identity"]["key"].startswith("tests.interlock.internal/") or "identity" in said["identity"]["key"]
    assert said["identity"]["attestation"]["methods"] == ["local"]
    assert said["instances"] == 1
    assert "spiffe://tests.interlock.internal/interlock" in shell("identity", "show").out


def test_a_token_is_shown_once_and_lets_one_instance_in(shell: Shell) -> None:
    """It takes a person who answers for the agent, says where it cannot be used, and lets one program in, which is listed."""
    assert shell.json("identity", "token", "ag", code=1)["error"]["code"] == "not_allowed"
    assert shell.json("identity", "token", "ag", "--as", "ana", code=1)["error"]["code"] == "not_allowed"
    assert shell.json("identity", "token", "nobody", "--as", "rita", code=1)["error"]["code"] == "not_found"
    assert "nobody can use it yet" in shell("identity", "token", "ag", "--as", "rita").out
    settings = shell.place.folder / "interlock.yaml"
    settings.write_text(settings.read_text() + OUTSIDE)
    made = shell.json("identity", "token", "ag", "--as", "rita", "--lasts", "1h")

    with (
        interlock.open(shell.place.folder, attest="bootstrap", evidence=lambda _: made["token"]) as client,
        client.task("ag", purpose="test") as task,
    ):
        assert isinstance(task.propose("box.look", word="x"), interlock.Done)

    (seen,) = shell.json("identity", "instances")
    assert (seen["agent"], seen["attested"], seen["actions"]) == ("ag", "bootstrap", 1)
    assert seen["instance"] in shell("identity", "instances", "--agent", "ag").out
    assert shell.json("identity", "instances", "--agent", "helper") == []
    assert shell.json("identity", "instances", "--agent", "helpr", code=1)["error"]["next"] == "did you mean `helper`?"
    assert shell("stop", f"instance:{seen['instance']}", "--as", "rita", "--why", "lost").code == 0
    assert shell.json("identity", "instances")[0]["stopped"] is True
    assert shell("verify").code == 0


def test_a_token_counts_as_it_was_printed_and_none_is_named(shell: Shell, tmp_path: Path) -> None:
    """The file that the command's output was sent to is evidence as it is; a way without evidence, or evidence without a way, is
    a mistake that is named before anything is asked for."""
    settings = shell.place.folder / "interlock.yaml"
    settings.write_text(settings.read_text() + OUTSIDE)
    printed = tmp_path / "token"
    printed.write_text(shell("identity", "token", "ag", "--as", "rita").out)
    assert len(printed.read_text().splitlines()) > 1

    with (
        interlock.open(shell.place.folder, attest="bootstrap", evidence=printed) as client,
        client.task("ag", purpose="test") as task,
    ):
        assert isinstance(task.propose("box.look", word="x"), interlock.Done)

    with pytest.raises(interlock.InterlockError, match="nothing was given") as nothing:
        interlock.open(shell.place.folder, attest="bootstrap")
    assert "evidence=" in nothing.value.next_step
    with pytest.raises(interlock.InterlockError, match="by what way") as no_way:
        interlock.open(shell.place.folder, evidence=printed)
    assert "attest='bootstrap'" in no_way.value.next_step
