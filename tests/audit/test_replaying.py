"""Replaying: decided again from what is recorded, by the policies of then and of now; and auditing from a program."""

from pathlib import Path

import msgspec
import pytest

import interlock
from interlock.cli.output import Exit
from interlock.domain.errors import ContractError, NotFound
from interlock.services.replaying import against
from interlock.testing.world import World, contract
from tests.cli.shell import Shell

FILE = "policies/all.cedar"


@pytest.fixture
def past(shell: Shell) -> Shell:
    """One put allowed, one held, one denied."""
    for n in (10, 120, 2000):
        shell.proposed(n)
    return shell


def _newest(shell: Shell) -> str:
    found: str = shell.json("audit", "query", "--limit", "1")["hits"][0]["action"]
    return found


@pytest.mark.proves("audit.replayed")
def test_what_was_decided_comes_out_again(past: Shell) -> None:
    """Every recorded decision, of whatever outcome, is reproduced from the record by the policies that made it."""
    for hit in past.json("audit", "query")["hits"]:
        found = past.json("replay", hit["action"])
        (one,) = found["replayed"]
        assert found["sound"]
        assert (one["reproduced"], one["changed"], one["evidence"]) == (True, False, [])
        assert one["then"]["verdict"] == one["recorded"]["verdict"] == hit["verdict"]
    assert past("replay", _newest(past)).code == Exit.OK
    assert past("replay", "nothing-of-ours").code == Exit.YOURS


@pytest.mark.proves("audit.replayed")
def test_what_policies_of_now_say_otherwise_is_told_with_its_reason(past: Shell) -> None:
    """After a change of policies the answer of then stands, and what differs now is told with the policy it rests on."""
    held = past.json("audit", "query", "--state", "held")["hits"][0]
    past.place.change(FILE, lambda text: text.replace("context.args.n > 100 ", "context.args.n > 125 "))
    assert past("apply").code == 0
    (one,) = past.json("replay", held["action"])["replayed"]
    page = past("replay", held["action"])

    assert (one["reproduced"], one["changed"], one["direction"]) == (True, True, "loosened")
    assert (one["recorded"]["verdict"], one["now"]["verdict"]) == ("require_approval", "allow")
    assert one["why"][0] == "it was require approval, and now it is allow"
    assert any(each.startswith("`ask` decided, and now it does not: ") for each in one["why"])
    assert page.code == Exit.OK
    assert "those in force: loosened" in page.out


@pytest.mark.proves("audit.replayed")
def test_a_task_and_a_run_are_replayed_action_by_action(past: Shell) -> None:
    """All actions of a task, and all that a process recorded something about."""
    hit = past.json("audit", "query")["hits"][0]
    task = past.json("replay", hit["task"])
    run = past.json("packet", hit["action"])["entries"][0]["stream"]
    ran = past.json("replay", run)

    assert task["about"].startswith("task ")
    assert hit["action"] in [each["action"] for each in task["replayed"]]
    assert ran["about"] == f"run {run}"
    assert all(each["reproduced"] for each in ran["replayed"])


@pytest.mark.proves("audit.replayed")
@pytest.mark.anyio
async def test_a_record_that_says_otherwise_than_its_log_is_found() -> None:
    """Another state, another decision, or other arguments in the store than the log holds: each is told."""
    world = World()
    await world.apply(contract())
    action = await world.propose(await world.task(), n=3)
    entries = await world.store.entries_of(action.id)
    known = contract()
    decision = action.decision
    assert decision is not None

    def problems(**changes: object) -> list[str]:
        return [each.partition(",")[0] for each in against(msgspec.structs.replace(action, **changes), known, entries)]

    assert problems() == []
    assert problems(state="failed") == ["the log says it is done"]
    assert problems(arguments={"n": 4}) == ["its arguments are not those whose digest the log holds"]
    other = msgspec.structs.replace(decision, verdict="deny")
    assert problems(decision=other) == ["the log says it was decided allow by permit.all"]
    assert list(against(action, known, [])) == ["the log has no entry of it"]


def test_a_program_audits_as_the_command_line_does(past: Shell, tmp_path: Path) -> None:
    """Query, export, verify and replay from a program, typed; what does not fit is refused under its name."""
    auditing = interlock.audit(past.place.folder)
    denied = auditing.query(states=["denied"])
    made = auditing.export(tmp_path / "made", disclose="all", profiles=["soc2"])
    keys = [str(past.place.folder / f".interlock/keys/{name}.pub") for name in ("log", "gate")]

    assert [hit.policies for hit in denied.hits] == [("no",)]
    assert made.actions == 3
    assert auditing.verify(tmp_path / "made", keys=keys).verdict == "verified"
    assert auditing.verify(tmp_path / "made").verdict == "unvouched"
    assert auditing.replay(denied.hits[0].action).sound
    with pytest.raises(ContractError):
        auditing.query(limit=0)
    with pytest.raises(NotFound):
        auditing.replay("nothing-of-ours")
