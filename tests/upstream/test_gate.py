"""Tools of a server under the gate: from its file to the evidence of what was done."""

import json
import shutil
import subprocess
import sys
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest

from interlock.domain.account import told
from interlock.workbench.planes import reading
from tests.cli.shell import Shell
from tests.upstream.reaching import HERE, written
from tests.workspaces import forget, workspace

FILE = """\
stdio: {{command: [{python}, {program}], env: {{NOTES: {notes}}}}}
owner: lead
tools:
  add: {{effect: read, risk: low}}
  note:
    effect: write
    risk: low
    key: key
    touches: {{line: $args.text}}
    reversal: {{contract: kit.note, arguments: {{text: undone}}}}
  odd: {{effect: read, risk: low}}
"""


class Kit(Shell):
    """A workspace with the kit's server, pinned and in force."""

    @property
    def notes(self) -> Path:
        """What the server did."""
        return self.place.folder / "notes.txt"

    @property
    def program(self) -> Path:
        """The server's own code, which may change."""
        return self.place.folder / "kit_server.py"


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    """A workspace whose agent may use the kit's tools."""
    place = workspace(tmp_path)
    made = Kit(place)
    shutil.copy(HERE / "kit_server.py", made.program)
    (place.folder / "servers").mkdir()
    said = FILE.format(python=sys.executable, program=made.program, notes=made.notes)
    (place.folder / "servers/kit.yaml").write_text(said)
    agent = place.folder / "agents/ag.yaml"
    agent.write_text(agent.read_text().replace("[box.put,", "[kit.add, kit.note, kit.odd, kit.big, box.put,"))
    pinned = made("server", "pin", "kit", "--yes")
    assert pinned.code == 0
    assert "kit.note" not in pinned.out + pinned.err  # an agent names it already
    assert "under `capabilities` of an agent" in pinned.out + pinned.err
    policies = place.folder / "policies/all.cedar"
    policies.write_text(
        policies.read_text()
        + '@id("long") @owner("tests") @outcome("require_approval") @approver("reviewer") @reason("ask")\n'
        + 'forbid(principal, action == Action::"kit.note", resource) when { context.args.text == "ask" };\n'
    )
    found = made("apply")
    assert found.code == 0, found
    yield made
    forget(place)


def run(kit: Kit, contract: str, *more: str, **arguments: object) -> dict[str, Any]:
    """Propose it, and give the action."""
    found = kit("run", contract, "--agent", "ag", "--args", json.dumps(arguments), "--json", *more)
    return dict(found.json())


@pytest.mark.proves("upstream.gated", "upstream.labelled")
def test_a_tool_of_a_server_is_an_action_like_any_other(kit: Kit, tmp_path: Path) -> None:
    """It is bound, decided, done once under its key and labelled with its source; both verifiers hold what the log says."""
    done = run(kit, "kit.note", "--key", "k1", text="one")
    again = run(kit, "kit.note", "--key", "k1", text="one")
    assert (done["state"], again["id"]) == ("done", done["id"])
    assert written(kit.notes) == ["one|k1"]
    sums = run(kit, "kit.add", a="0.1", b="0.2")
    outcome = sums["outcome"]
    assert outcome["source"] == {"kind": "mcp", "name": "kit", "trusted": False}
    assert outcome["result"]["structuredContent"] == {"total": repr(0.1 + 0.2)}
    packet = kit("packet", str(sums["id"]), "--out", str(tmp_path / "packet.json"))
    assert packet.code == 0
    assert kit("verify").code == 0
    out = tmp_path / "evidence"
    assert kit("audit", "export", str(out)).code == 0
    keys = kit.place.folder / ".interlock/keys"
    (tmp_path / "keys.txt").write_text((keys / "log.pub").read_text() + (keys / "gate.pub").read_text())
    verified = subprocess.run(
        [sys.executable, str(out / "verify.py"), str(out), "--key", str(tmp_path / "keys.txt")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert sources(tmp_path / "packet.json") == [{"kind": "mcp", "name": "kit"}]


def sources(packet: Path) -> list[object]:
    """What the entries of a packet say of where results came from."""
    found = list[object]()
    for entry in json.loads(packet.read_text())["entries"]:
        statement = json.loads(b64decode(json.loads(b64decode(entry["leaf"]))["payload"]))
        if "source" in statement["predicate"]:
            found.append(statement["predicate"]["source"])
    return found


@pytest.mark.proves("upstream.careful")
def test_a_tool_of_which_nobody_spoke_does_not_run_by_itself(kit: Kit) -> None:
    """A tool of which its owner said nothing is external, critical and never undone: it is not run unattended."""
    found = run(kit, "kit.big", size=3)
    assert found["state"] not in ("done", "dispatching", "unknown")


def test_a_worker_carries_out_what_was_held(kit: Kit) -> None:
    """A call that waited for a person is made by whatever process works, over a connection of its own."""
    held = run(kit, "kit.note", text="ask")
    assert held["state"] == "held"
    assert written(kit.notes) == []
    assert kit("--as", "rita", "approve", str(held["id"])).code == 0
    assert kit("work", "--until-idle").code == 0
    assert run(kit, "kit.note", "--key", str(held["idempotency_key"]), text="ask")["state"] == "done"
    assert [each.split("|")[0] for each in written(kit.notes)] == ["ask"]


@pytest.mark.proves("upstream.drift", "upstream.drift_accepted")
def test_a_server_that_changed_is_held_until_somebody_looked(kit: Kit) -> None:
    """Another description is not called: nothing happened, what changed is shown; once accepted and in force it runs."""
    kit.program.write_text(kit.program.read_text().replace("Write a line down.", "Write a line down. And tell Eve."))
    refused = run(kit, "kit.note", text="one")
    assert refused["state"] == "failed"
    assert "something else of `note`" in json.dumps(refused)
    assert written(kit.notes) == []
    assert run(kit, "kit.add", a="1")["state"] == "done"

    shown = kit("server", "diff", "kit")
    assert shown.code == 3
    assert "tell Eve" in shown.out
    assert "~ note" in shown.out
    assert "~ add" not in shown.out
    assert kit("server", "check", "kit").code == 3
    assert kit("server", "pin", "kit").code == 6  # nobody is there to be asked, and nothing is accepted
    assert kit("--as", "nobody", "server", "accept", "kit", "note").code == 1
    assert kit("--as", "rita", "server", "accept", "kit", "note").code == 0
    assert kit("server", "diff", "kit").code == 0
    assert run(kit, "kit.note", text="two")["state"] == "failed"  # accepted, and not in force yet
    assert kit("apply").code == 0
    assert run(kit, "kit.note", text="three")["state"] == "done"
    assert [each.split("|")[0] for each in written(kit.notes)] == ["three"]
    seen = [each for each in of_servers(kit) if each.get("tool") == "note"]
    assert [(each["phase"], each.get("drift")) for each in seen] == [
        ("pinned", None),
        ("drifted", "changed"),
        ("pinned", None),
    ]
    assert seen[2]["found"] == seen[1]["found"] != seen[0]["found"] == seen[1]["pinned"]
    assert kit("verify").code == 0


def of_servers(kit: Kit) -> list[dict[str, Any]]:
    """What the log says of servers."""

    async def read() -> list[dict[str, Any]]:
        async with reading(kit.place.folder) as plane:
            every = [told(each.index, each.leaf) for each in await plane.means.log.entries(0, 1_000)]
        return [each.predicate for each in every if each is not None and each.subject == "server"]

    return anyio.run(read)


def test_only_what_was_named_is_accepted(kit: Kit) -> None:
    """Accepting one tool leaves every other as it was accepted before; a tool that is not there is no tool."""
    text = kit.program.read_text()
    kit.program.write_text(text.replace("Add two numbers.", "Add.").replace("Give a long text.", "Give."))
    assert kit("server", "accept", "kit", "no_such").code == 1
    assert kit("server", "accept", "kit", "add").code == 0
    assert [each["tool"] for each in kit.json("server", "diff", "kit", code=3)["changes"]] == ["big"]
    assert kit("server", "review", "kit").code == 2


def test_servers_are_added_and_listed(kit: Kit) -> None:
    """`add` writes a file that `check` takes, overwrites none, and `list` says how each is reached."""
    assert (
        kit("server", "add", "notes", "--env", "TOKEN=${NOTES_TOKEN}", "--", "notes-server", "--root", "/x y").code == 0
    )
    assert kit("server", "add", "web", "--url", "https://x.example/mcp").code == 0
    assert kit("server", "add", "web", "--url", "https://x.example/mcp").code == 1
    for wrong in (("two words", "--url", "https://x.example"), ("none",), ("both", "--url", "https://x", "--", "a")):
        assert kit("server", "add", *wrong).code == 1
    checked = kit("check")
    assert checked.code == 0, checked
    assert "interlock server pin web" in checked.out + checked.err
    listed = kit.json("server", "list")
    assert [(each["server"]["name"], each["tools"]) for each in listed] == [("kit", 11), ("notes", 0), ("web", 0)]
    assert "notes-server --root /x y" in kit("server", "list").out
    assert kit("server", "check", "nots").code == 1
    assert kit("server", "check", "notes").code == 3
