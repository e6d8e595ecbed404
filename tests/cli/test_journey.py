"""The program as people and programs use it, from an empty folder to a verified log."""

import json
from pathlib import Path
from typing import Any

import pytest

from interlock.cli.output import Exit
from tests.cli.shell import Said, program


class Desk:
    """The real program in one folder, spoken to in JSON."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *words: str, code: int = 0) -> Any:
        """One command's value; it must end with `code` and print nothing else."""
        said = self.plain(*words, "--json")
        assert said.code == code, said
        assert said.err == ""
        return said.json()

    def plain(self, *words: str) -> Said:
        """One command, in words."""
        return program(*words, folder=self.folder)


@pytest.mark.proves("cli.journey")
def test_from_an_empty_folder_to_a_verified_log(tmp_path: Path) -> None:
    """Every command in the order in which a person meets it, each as a program would read it."""
    made = program("init", "shop", "--json", folder=tmp_path).json()
    assert {"interlock.yaml", "notes.py", "people.yaml"} <= set(made["files"])
    desk = Desk(tmp_path / "shop")

    assert desk("check") == {
        "ok": True,
        "problems": [],
        "counts": {"agents": 1, "contracts": 3, "policy files": 1, "people": 1},
        "alarm": None,
    }
    first, second = desk("apply"), desk("apply")
    assert (first["changed"], second["changed"]) == (True, False)
    assert first["releases"] == second["releases"]

    run = ("run", "notes.add", "--agent", "keeper", "--args")
    added = desk(*run, '{"text": "one"}')
    assert (added["state"], added["outcome"]["result"]["text"]) == ("done", "one")
    assert desk(*run, '{"text": ""}', code=Exit.NOT_DONE)["state"] == "refused"
    pinned = [desk(*run, '{"text": "two", "pinned": true}', code=Exit.WAITING)["id"] for _ in range(3)]
    assert [each["id"] for each in desk("actions", "--waiting")] == pinned[::-1]
    assert desk("show", pinned[0][-8:])["hold"]["requirements"][0]["role"] == "reviewer"
    assert desk("show", "notes.add")["idempotency"]["kind"] == "keyed"

    assert desk("approve", pinned[0][-12:], "--as", "ana")["state"] == "ready"
    assert desk("reject", pinned[1], "--as", "ana", "--note", "no")["reasons"] == ["no"]
    assert desk("modify", pinned[2], "--args", '{"text": "three"}', "--as", "ana")["state"] == "ready"
    assert desk("work", "--until-idle") == {"driven": 2, "ended_badly": {}}
    states = {each["id"]: each["state"] for each in desk("actions")}
    assert [states[each] for each in pinned] == ["done", "rejected", "done"]
    texts = sorted(path.read_text() for path in (desk.folder / "notes").iterdir())
    assert texts == ["* three", "* two", "one"]

    assert desk("undo", added["id"], "--as", "ana", "--why", "wrong")["state"] == "done"
    assert desk("show", added["id"])["state"] == "undone"
    task = desk("show", pinned[0])["task"]
    assert desk("undo", f"task:{task[-12:]}", "--as", "ana")["undone"] == 1
    (release,) = first["releases"].values()
    assert desk("undo", f"release:{release}", "--as", "ana")["undone"] == 1  # two of three were undone before
    assert desk("show", pinned[2])["state"] == "undone"
    assert desk(*run, '{"text": "late"}', code=Exit.NOT_DONE)["reasons"][0] == "interlock.limit"
    assert list((desk.folder / "notes").iterdir()) == []
    assert [each["state"] for each in desk("retry")] == ["done"] * 3
    assert desk("resume", f"release:{release}", "--as", "ana")["stops"] == []
    assert desk("stop", "agent:keeper", "--as", "ana", "--why", "lunch")["stops"][0]["scope"] == "agent"
    assert desk(*run, '{"text": "late"}', code=Exit.NOT_DONE)["state"] == "refused"
    assert desk("resume", "agent:keeper", "--as", "ana")["stops"] == []
    assert desk(*run, '{"text": "after"}')["state"] == "done"

    packet = desk("packet", added["id"], "--out", "packet.json")
    assert packet["action"] == added["id"]
    assert json.loads((desk.folder / "packet.json").read_text())["action"] == added["id"]
    shown = desk("verify", "--packet", "packet.json")
    assert (shown["ok"], shown["state"], shown["laterEntries"]) == (True, "undone", "unknown")
    assert shown["upTo"] < shown["size"]
    assert desk("verify", "--keep", "checkpoint")["ok"]
    assert desk("verify", "--retained", "checkpoint")["findings"] == []
    assert desk("version")["version"]


def test_the_same_in_words(tmp_path: Path) -> None:
    """What a person reads says what happened, what to do next, and fits a file without being broken."""
    desk = Desk(tmp_path)
    assert "interlock check && interlock apply" in desk.plain("init").out
    assert desk.plain("check").out.startswith("all good: 1 agent, ")
    assert desk.plain("apply").out.startswith("in force\n")
    assert desk.plain("apply").out.startswith("in force already")

    long = "a word " * 60
    held = desk.plain(
        "run", "notes.add", "--agent", "keeper", "--args", json.dumps({"text": long, "pinned": True}), "--as", "bob"
    )
    assert held.code == Exit.WAITING
    lines = held.out.splitlines()
    assert lines[0] == "notes.add  held  people must agree first"
    assert [line for line in lines if long.strip() in line]
    assert not [line for line in lines if line != line.rstrip()]
    (action,) = [line.split()[0] for line in desk.plain("actions", "--waiting").out.splitlines()[1:]]
    assert action in lines[-1]
    nobody = desk.plain("approve", action)
    assert (nobody.code, nobody.out) == (Exit.YOURS, "")
    assert "--as NAME" in nobody.err
    said = program("approve", action, folder=tmp_path, env={"INTERLOCK_PERSON": "ana"})
    assert said.out == f"notes.add {action} is ready\na worker runs it: `interlock work`\n"
    assert desk.plain("work", "--until-idle").out.endswith("1 driven, nothing is due\n")
    assert desk.plain("actions", "--state", "done").out.count("\n") == 2
    assert desk.plain("packet", action).out.startswith("proof of action")
    assert desk.plain("verify").out.startswith("the log verifies")
    assert desk.plain("retry").out == "nothing was asked to be undone\n"
    assert "1 undone" in desk.plain("undo", action, "--as", "ana").out


def test_a_second_init_overwrites_nothing(tmp_path: Path) -> None:
    """Where there is a workspace it says so and every file stays; where only the keys are missing it makes those."""
    assert program("init", folder=tmp_path).code == 0
    (tmp_path / "notes.py").write_text("# mine\n")
    before = {path: path.read_bytes() for path in sorted(tmp_path.rglob("*")) if path.is_file()}

    again = program("init", "--json", folder=tmp_path)
    assert (again.code, again.json()["error"]["code"]) == (Exit.YOURS, "workspace")
    assert {path: path.read_bytes() for path in sorted(tmp_path.rglob("*")) if path.is_file()} == before

    for path in sorted((tmp_path / ".interlock").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    assert program("init", "--json", folder=tmp_path).json()["files"] == [".interlock/keys"]
    assert (tmp_path / "notes.py").read_text() == "# mine\n"
