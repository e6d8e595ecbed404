"""`agent`: beginning one, finding and reading them, and whether they may act."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.shell import Shell

WHY = ("--why", "because")
FULL = """\
name: courier
purpose: bring [bold]parcels[/bold]
owners: {decision: rita, policy: lead, data: rita, engineering: ria}
stage: partial
tags: [web]
capabilities: [box.put]
"""


@pytest.mark.proves("registry.reader")
def test_a_new_agent_is_sound_and_waits_in_shadow(shell: Shell) -> None:
    """What `new` writes passes `check` without a warning, is a draft until it is applied, and then only watched; it names the
    people and contracts there are, and a second one of that name, or one that is no name, is refused."""
    told = shell("agent", "new", "courier")
    assert told.code == 0
    for word in (
        "four owners",
        "`rita`",
        "`box.put`",
        'Agent::"courier"',
        "in shadow",
        "interlock check && interlock apply",
    ):
        assert word in told.out
    text = (shell.place.folder / "agents/courier.yaml").read_text()
    assert "rita (reviewer)" in text
    assert "box.put" in text
    assert [each for each in shell.json("check")["problems"] if "courier" in str(each)] == []
    (draft,) = shell.json("agent", "list", "--state", "draft")
    assert (draft["agent"]["name"], draft["agent"]["stage"]) == ("courier", "shadow")

    assert shell("apply").code == 0
    assert shell.json("agent", "list", "--state", "draft") == []
    assert shell.json("agent", "new", "courier", code=1)["error"]["code"] == "workspace"
    for name in ("two words", "../evil", "a" * 65, "agent:x"):
        assert shell("agent", "new", name).code == 1
    assert sorted(each.name for each in (shell.place.folder / "agents").iterdir()) == [
        "ag.yaml",
        "courier.yaml",
        "helper.yaml",
        "shade.yaml",
    ]


def test_agents_are_listed_and_found(shell: Shell) -> None:
    """By owner, cohort, state, contract and words; a state that is none is a mistake of the command line."""
    shell.place.write("agents/courier.yaml", FULL)
    assert shell("apply").code == 0

    def found(*options: str) -> list[str]:
        return [each["agent"]["name"] for each in shell.json("agent", "list", *options)]

    assert found() == ["ag", "courier", "helper", "shade"]
    assert found("--tag", "web") == found("--search", "PARCELS bring") == found("--owner", "lead") == ["courier"]
    assert found("--capability", "box.put", "--state", "suspended") == []
    assert shell("agent", "list", "--tag", "nobody").out == "there is no such agent\n"
    assert shell("agent", "list", "--state", "asleep").code == 2
    # Words of a file are words, not markup.
    assert "[bold]parcels[/bold]" in shell("agent", "list").out


def test_an_agent_is_shown_with_its_versions(shell: Shell) -> None:
    """The one in force first; each by its digest or the beginning of it."""
    shell.place.write("agents/courier.yaml", FULL)
    shell("apply")
    first: str = shell.json("agent", "show", "courier")["digest"]
    shell.place.write("agents/courier.yaml", FULL.replace("bring", "fetch"))
    shell("apply")

    now = shell.json("agent", "show", "courier")
    assert (now["state"], now["digest"] != first, now["agent"]["tags"]) == ("active", True, ["web"])
    versions = shell.json("agent", "show", "courier", "--versions")
    assert [each["in_force"] for each in versions] == [True, False]
    older = shell.json("agent", "show", "courier", "--at", first[:8])
    assert (older["in_force"], older["agent"]["purpose"]) == (False, "bring [bold]parcels[/bold]")
    assert "not in force" in shell("agent", "show", "courier", "--at", first).out
    assert shell("agent", "show", "courier", "--at", first[:3]).code == 1
    assert "did you mean `courier`?" in shell("agent", "show", "courir").err


@pytest.mark.proves("registry.card")
def test_the_card_is_printed_or_written(shell: Shell, tmp_path: Path) -> None:
    """The same words in each form, and a file that cannot be written is the operator's to mend."""
    printed = shell("agent", "card", "ag").out
    assert printed.startswith("# Operating contract: ag\n")
    assert "- box.put: approved by reviewer first where policy ask applies: more than a hundred" in printed
    assert shell.json("agent", "card", "ag")["card"] == printed
    assert shell("agent", "card", "ag", "--plain").out.startswith("OPERATING CONTRACT: ag\n")
    assert shell("agent", "card", "ag", "--out", str(tmp_path / "card.md")).code == 0
    assert (tmp_path / "card.md").read_text() == printed
    assert shell("agent", "card", "ag", "--out", str(tmp_path / "no" / "card.md")).code == 3


@pytest.mark.proves("registry.who", "registry.states")
def test_people_suspend_let_act_again_and_retire(shell: Shell) -> None:
    """Each says what follows; a name is needed, and a reason."""
    assert shell("agent", "suspend", "ag", *WHY).code == 1
    assert shell("agent", "suspend", "ag", "--as", "rita").code == 2
    assert shell("agent", "suspend", "ag", "--as", "ana", *WHY).code == 1

    assert shell("agent", "suspend", "ag", "--as", "rita", *WHY).out.startswith("ag is suspended: nothing new")
    assert shell("agent", "suspend", "ag", "--as", "rita", *WHY).out.startswith("ag is suspended already")
    assert "suspended by rita: because" in shell("agent", "show", "ag").out
    assert shell("run", "box.put", "--agent", "ag", "--args", '{"n": 1}').code == 1
    assert shell.json("agent", "activate", "ag", "--as", "rita", *WHY)["state"] == "active"
    assert shell("run", "box.put", "--agent", "ag", "--args", '{"n": 1}').code == 0
    held = shell.proposed(500)
    waits = shell("agent", "retire", "ag", "--as", "ana", *WHY)
    assert (waits.code, "its decision owner, `rita`" in waits.out) == (6, True)
    assert "to be retired by ana" in shell("agent", "show", "ag").out
    assert "1 action that waited: voided" in shell("agent", "retire", "ag", "--as", "rita", *WHY).out
    assert shell.state(held) == "voided"
    assert "agent new" in shell.json("agent", "activate", "ag", "--as", "rita", *WHY, code=1)["error"]["next"]
    assert shell("verify").code == 0


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from interlock.bootstrap.connecting import connect
from interlock.domain.ids import AgentName, Person

left = int(sys.argv[2])

async def main():
    plane = connect(Path(sys.argv[1]))
    pen = plane.means.store._writer._pen
    committed = pen._committed
    def one_less():
        global left
        committed()
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
    await plane.orders.refresh()
    pen._committed = one_less
    await plane.agents.move(AgentName("ag"), "retire", by=Person("rita"), why="w")

asyncio.run(main())
"""


@pytest.mark.proves("registry.crash")
def test_killed_in_the_middle_of_retiring(shell: Shell) -> None:
    """A process that is killed having voided one of two leaves the agent retired and the other waiting; nothing of it runs,
    and whoever works next voids it. The log verifies."""
    held = [shell.proposed(n) for n in (500, 501)]
    assert shell("agent", "retire", "ag", "--as", "ana", *WHY).code == 6

    run = [sys.executable, "-c", KILLED, str(shell.place.folder), "2"]
    ended = subprocess.run(run, check=False, timeout=60, env={**os.environ, "PYTHONPATH": str(shell.place.folder)})

    assert ended.returncode == -signal.SIGKILL
    assert shell.json("agent", "show", "ag")["state"] == "retired"
    assert sorted(shell.state(each) for each in held) == ["held", "voided"]
    assert shell("work", "--until-idle").code == 0
    assert [shell.state(each) for each in held] == ["voided", "voided"]
    assert shell("verify").code == 0


ESCALATES = """
@id("hard") @owner("tests") @outcome("escalate") @approver("reviewer") @reason("hard to say")
forbid(principal, action == Action::"box.aput", resource);
"""


@pytest.mark.proves("registry.owners")
def test_without_all_four_owners_nothing_leaves_shadow(shell: Shell) -> None:
    """A file that says otherwise, of the agent or of one contract, is refused with its place and who is missing, and nothing of
    it comes into force; in shadow it may act, and is only watched; with the fourth owner it acts."""
    three = FULL.replace(", engineering: ria", "")
    put = ("run", "box.put", "--agent", "courier", "--args", '{"n": 1}', "--json")
    for stages in ("stage: partial", "stage: shadow\nstages: {box.put: bounded}"):
        shell.place.write("agents/courier.yaml", three.replace("stage: partial", stages))
        [told] = shell.json("check", code=1)["problems"]
        assert (told["file"], told["severity"], "an owner for engineering" in told["message"]) == (
            "agents/courier.yaml",
            "error",
            True,
        )
        assert shell("apply").code == 1
    assert "courier" not in {each["agent"]["name"] for each in shell.json("agent", "list", "--state", "active")}

    shell.place.write("agents/courier.yaml", three.replace("stage: partial", "stage: shadow"))
    assert shell("apply").code == 0
    assert shell(*put).json()["state"] == "shadowed"
    assert shell.place.effects() == []
    shell.place.write("agents/courier.yaml", FULL)
    assert shell("apply").code == 0
    assert shell(*put).json()["state"] == "done"
    assert shell.place.effects() == ["put 1"]


@pytest.mark.proves("registry.owners")
def test_an_owner_who_left_suspends_escalation(shell: Shell) -> None:
    """As soon as people.yaml without them is in force: what a policy would escalate is denied with who is missing, the list
    marks the agent, and it goes no further; with somebody in their place it is escalated again."""
    shell.place.change("policies/all.cedar", lambda text: text + ESCALATES)
    shell.place.change("agents/ag.yaml", lambda text: text.replace("data: rita", "data: ana"))
    assert shell("apply").code == 0

    def put() -> tuple[str, str]:
        found = shell("run", "box.aput", "--agent", "ag", "--args", '{"n": 1}', "--json").json()
        return found["state"], " ".join(found["reasons"])

    assert put()[0] == "held"
    people = (shell.place.folder / "people.yaml").read_text()
    shell.place.write("people.yaml", people.replace("ana: [reviewer]\n", ""))
    assert shell("apply").code == 0

    state, why = put()
    assert (state, "`ana` (data owner)" in why) == ("denied", True)
    assert shell.json("agent", "show", "ag")["absent"] == {"data": "ana"}
    shell.place.change("agents/ag.yaml", lambda text: text.replace("stage: partial", "stage: bounded"))
    refused = shell("apply")
    assert (refused.code, "would go further than now" in refused.err) == (1, True)
    shell.place.write("people.yaml", people)
    assert shell("apply").code == 0
    assert put()[0] == "held"
