"""`agent baseline`: looking at what is normal, putting it in force, and reviewing what departed."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

import interlock
from interlock.cli.output import Exit
from tests.cli.shell import Shell

AGREES = 3
"""What the verifier ends with where nobody vouches for keys, and nothing is wrong."""
UNUSUAL = """
@id("odd") @owner("tests") @outcome("require_approval") @approver("reviewer") @reason("unusual")
forbid(principal, action, resource) when { context.unusual.any };
@id("night") @owner("tests") @outcome("deny") @reason("at night, and unusual in what it touches")
forbid(principal, action == Action::"box.mail", resource) when { context.unusual.contract && context.args.to == "eve" };
"""
LEARN = ("agent", "baseline", "ag", "--learn", "--as", "rita", "--why", "a usual week")


def act(shell: Shell, times: int = 100) -> None:
    """Let `ag` put so many things into the box."""
    with interlock.open(shell.place.folder) as client:
        for _ in range(0, times, 10):
            with client.task("ag", purpose="putting", on_behalf_of="user:ana") as task:
                for n in range(10):
                    task.propose("box.put", n=n)


def run(shell: Shell, name: str, args: str) -> str:
    """Let it do one thing more, and give the action's id."""
    found: str = shell("run", name, "--agent", "ag", "--args", args, "--json").json()["id"]
    return found


@pytest.mark.proves("baseline.flags", "baseline.tested")
def test_from_looking_to_a_review(shell: Shell, tmp_path: Path) -> None:
    """Looked at, put in force by a person with a reason; what departs then waits where a policy says so, is listed for review,
    and shown in its story and its packet; the log verifies, and once it is given up nothing is flagged."""
    shell.place.change("policies/all.cedar", lambda text: text + UNUSUAL)
    assert shell("apply").code == 0
    assert shell.json("agent", "baseline", "ag")["learned"]["contracts"] == {}
    act(shell)
    looked = shell("agent", "baseline", "ag").out
    assert "box.put 100" in looked
    assert "hour: 1 of 7 days, so nothing is flagged for it" in looked
    assert "by its older half 0 of 50 of the newer would be flagged" in looked
    assert "nothing is in force as normal of it" in looked

    assert shell("agent", "baseline", "ag", "--learn").code == Exit.YOURS
    assert shell("agent", "baseline", "ag", "--learn", "--as", "nobody").code == Exit.YOURS
    assert "in force as normal of ag" in shell(*LEARN).out
    odd = run(shell, "box.look", '{"word": "w"}')
    assert shell.state(odd) == "held"
    assert shell.state(run(shell, "box.mail", '{"to": "eve"}')) == "denied"
    assert shell.state(run(shell, "box.put", '{"n": 7}')) == "done"

    found = shell.json("agent", "baseline", "ag", "--departures")
    assert [each["unusual"] for each in found["departed"]["hits"]] == [["contract"], ["contract"]]
    assert odd in {each["action"] for each in found["departed"]["hits"]}
    assert "unusual: contract" in shell("agent", "baseline", "ag", "--departures").out
    assert len(shell.json("audit", "query", "--unusual", "contract")["hits"]) == 2
    assert shell.json("audit", "query", "--unusual", "hour")["hits"] == []
    # An index of an earlier version knows nothing of it: it is made again.
    (index,) = shell.place.folder.glob(".interlock/**/*.audit")
    with closing(sqlite3.connect(index)) as connection:
        connection.execute("PRAGMA user_version = 1")
    assert len(shell.json("audit", "query", "--unusual", "any")["hits"]) == 2
    assert shell("audit", "query", "--unusual", "nothing").code == Exit.YOURS
    assert "a contract it did not use (contract)" in shell("show", odd).out
    assert "unusual" in shell("packet", odd).out
    assert shell.json("agent", "baseline", "ag")["in_force"]["contracts"] == {"box.put": 100}
    assert shell("verify").code == 0
    assert shell("audit", "export", str(tmp_path / "export")).code == 0
    alone = (sys.executable, str(tmp_path / "export" / "verify.py"), str(tmp_path / "export"))
    checked = subprocess.run(alone, check=False, capture_output=True, text=True, timeout=60)
    assert checked.returncode == AGREES, checked
    # The very question is put again, with what was unusual then.
    assert shell("replay", odd).code == 0

    assert "nothing is in force as normal of ag" in shell("agent", "baseline", "ag", "--forget", "--as", "rita").out
    assert shell.state(run(shell, "box.look", '{"word": "w"}')) == "done"


@pytest.mark.proves("baseline.people")
def test_where_two_publish_two_say_what_is_normal(shell: Shell) -> None:
    """The first is told whose word it waits for, and the second reviews it line by line."""
    act(shell, 10)
    shell.place.change("interlock.yaml", lambda text: text + "publishing: {persons: 2}\n")
    assert shell("apply").code == 0

    waits = shell(*LEARN)
    assert (waits.code, "1 more person" in waits.out) == (Exit.WAITING, True)
    (publication,) = shell.json("policy", "pending")
    which: str = publication["publication"]["id"]
    review = shell("policy", "review", which).out
    assert "baseline `ag` added" in review
    assert '"box.put": 10' in review
    assert shell("policy", "accept", which, "--as", "ria").code == 0
    assert shell.json("agent", "baseline", "ag")["in_force"]["contracts"] == {"box.put": 10}


def test_every_mistake_says_what_to_do(shell: Shell) -> None:
    """A name that is none, two things at once, a time that is none, nothing to learn from, nothing to give up."""
    assert "did you mean `ag`?" in shell("agent", "baseline", "agg").err
    assert shell("agent", "baseline", "ag", "--learn", "--forget", "--as", "rita").code == Exit.USAGE
    assert shell("agent", "baseline", "ag", "--since", "yesterday").code == Exit.USAGE
    assert "`ag` did nothing in that time" in shell(*LEARN).err
    assert "no baseline of `ag` is in force" in shell("agent", "baseline", "ag", "--forget", "--as", "rita").err
