"""Policies from a program: the same as from the command line, on workspaces of every size."""

import asyncio
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

import interlock
import interlock_demo
from bench.tau2.play import WORKSPACE as RETAIL
from interlock.bootstrap.beginning import initialise
from interlock.cli.output import whole
from interlock.domain.errors import NotAllowed, NotFound, PolicyError, WorkspaceError
from interlock.domain.proof import Kept
from tests.cli.shell import Shell
from tests.workspaces import Place, forget, workspace

TRIAL = """\
@id("large") @owner("boxes") @mode("shadow") @outcome("deny") @reason("too many at once")
forbid(principal, action == Action::"box.put", resource) when { context.args.n > 50 };
"""
TWO = "publishing: {persons: 2}\n"
NEVER = """\
@id("sums") @invariant("never") @owner("tests") @reason("no more than a thousand")
forbid(principal, action == Action::"box.put", resource) when { context.args.n > 1000 };
"""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """The small workspace with a policy on trial, in force, with three decisions."""
    made = workspace(tmp_path)
    made.write("policies/trial.cedar", TRIAL)
    opened = interlock.open(made.folder, apply=True)
    with opened as client, client.task("ag", purpose="tests", on_behalf_of="user:rita") as task:
        for n in (10, 60, 500):
            task.propose("box.put", n=n)
    yield made
    forget(made)


def as_json(value: object) -> Any:
    """What the command line would print of it."""
    return json.loads(msgspec.json.encode(whole(value)))


@pytest.mark.proves("library.as_the_command_line")
def test_a_program_is_answered_as_the_command_line_is(place: Place) -> None:
    """Tests, findings, explanation, hypothesis, difference, trial and engine: the same values, field by field."""
    policies, shell = interlock.policies(place.folder), Shell(place)
    place.change("policies/all.cedar", lambda text: text.replace("> 100 }", "> 5 }"))
    [held] = [each for each in shell.json("actions") if each["state"] == "held"]
    wanted = interlock.Hypothesis(contract="box.put", agent="ag", arguments={"n": 60}, at=1_767_614_400_000)

    tested, compared = policies.test(), policies.diff()

    assert as_json(tested.uncovered) == shell.json("policy", "test")["coverage"]["uncovered"]
    assert as_json(policies.lint()) == shell.json("policy", "lint")["findings"]
    assert as_json(policies.explain(held["id"])) == shell.json("policy", "explain", held["id"])
    words = ("box.put", "--agent", "ag", "--args", '{"n": 60}', "--at", "2026-01-05T12:00")
    assert as_json(policies.try_(wanted)) == shell.json("policy", "try", *words)
    assert as_json(compared.decisions.groups) == shell.json("policy", "diff")["decisions"]["groups"]
    assert (compared.decisions.count("tightened"), compared.loosened) == (2, False)
    assert as_json(policies.candidates()) == shell.json("policy", "candidates")
    assert as_json(policies.engine()) == shell.json("policy", "engine")


@pytest.mark.proves("library.as_the_command_line")
def test_a_trial_ends_in_its_file(place: Place) -> None:
    """Promoted with its figures in view; published by a person, and enforced from then on."""
    policies = interlock.policies(place.folder, person="rita")

    ended = policies.promote("large")

    assert (ended.done, ended.changed_since) == ("promoted", False)
    assert ended.figures is not None
    assert (ended.figures.tightened, ended.figures.evaluated) == (2, 3)
    assert policies.publish(why="it was right").applied.changed
    assert policies.candidates() == ()
    with pytest.raises(NotFound, match="large"):
        policies.drop("large2")


@pytest.mark.proves("library.as_the_command_line")
def test_two_persons_publish_from_programs(place: Place) -> None:
    """Proposed by one, reviewed and accepted by another; neither alone, and nobody without a name."""
    place.write("interlock.yaml", (place.folder / "interlock.yaml").read_text() + TWO)
    rita, ria = (interlock.policies(place.folder, person=name) for name in ("rita", "ria"))
    rita.publish(why="two from now on")
    place.change("policies/all.cedar", lambda text: text.replace("> 100 }", "> 5 }"))

    brought = rita.publish(why="ask earlier")
    [proposed] = ria.pending()

    assert brought.applied.publication == proposed.publication.id
    assert "1 more person" in proposed.waits_for
    review = ria.review(proposed.publication.id)
    assert review.whatif is not None
    assert review.whatif.count("tightened") == 2
    with pytest.raises(NotAllowed, match="somebody else"):
        rita.accept(proposed.publication.id)
    with pytest.raises(NotAllowed, match="nobody said who"):
        interlock.policies(place.folder).accept(proposed.publication.id)
    assert ria.accept(proposed.publication.id, note="seen").publication.state == "published"
    assert ria.pending() == ()


@pytest.mark.proves("library.as_the_command_line")
def test_invariants_are_proved_from_a_program(place: Place) -> None:
    """Proved as they stand, refuted once the rule is gone; without a file it says which is missing."""
    policies = interlock.policies(place.folder)
    with pytest.raises(NotFound, match=r"invariants\.cedar"):
        policies.prove()

    [kept] = policies.prove(NEVER).invariants
    place.change("policies/all.cedar", lambda text: text.replace("n > 1000", "n > 2000"))
    [broken] = policies.prove(NEVER).invariants

    assert (kept.answer, broken.answer) == ("proved", "refuted")
    assert isinstance(broken, Kept)


def test_what_does_not_parse_is_said(place: Place) -> None:
    """Every problem with file and line, and no file is written."""
    place.write("policies/broken.cedar", "permit(")
    policies = interlock.policies(place.folder)

    for work in (policies.test, policies.format):
        with pytest.raises(PolicyError, match=r"broken\.cedar"):
            work()
    assert (place.folder / "policies/broken.cedar").read_text() == "permit("


def test_an_asynchronous_program_may_ask(place: Place) -> None:
    """In a thread of its own, while its loop goes on; and on the loop itself, which then waits."""

    async def both() -> tuple[int, int]:
        policies = interlock.policies(place.folder)
        aside = await asyncio.to_thread(policies.diff)
        return aside.decisions.asked, policies.diff().decisions.asked

    assert asyncio.run(both()) == (3, 3)


class Tour(NamedTuple):
    """What is asked in a workspace, and what is changed in it."""

    source: Path
    asked: interlock.Hypothesis
    decided_by: str
    never: str
    file: str
    strict: str
    loose: str


SHOP = Tour(
    source=Path(interlock_demo.__file__).parent / "workspace",
    asked=interlock.Hypothesis(
        contract="refunds.issue",
        agent="support",
        arguments={"return_id": "RET-0001", "amount_minor": 30_000},
        facts={"accepted": True, "refund_due_minor": 30_000, "refunded_minor": 0, "days_since_order": 10},
    ),
    decided_by="refund.large",
    never="""\
@id("owed") @invariant("never") @owner("tests") @reason("never more than what is owed")
forbid(principal, action == Action::"refunds.issue", resource)
when { context.args.amount_minor + context.facts.refunded_minor > context.facts.refund_due_minor };
""",
    file="money.cedar",
    strict="amount_minor > 25000",
    loose="amount_minor > 26000",
)
SUPPORT = Tour(
    source=RETAIL,
    asked=interlock.Hypothesis(
        contract="cancel_pending_order",
        agent="retail",
        arguments={"order_id": "#W1", "reason": "no longer needed"},
        facts={"known": True, "owner": "user:kim", "status": "delivered"},
        initiator="user:kim",
    ),
    decided_by="cancel.only-pending",
    never="""\
@id("gone") @invariant("never") @owner("tests") @reason("what was delivered is not cancelled")
forbid(principal, action == Action::"cancel_pending_order", resource) when { context.facts.status == "delivered" };
""",
    file="payment.cedar",
    strict="balance_minor < context.facts.total_minor",
    loose="balance_minor < context.facts.total_minor && context.facts.total_minor > 5000",
)


@pytest.mark.proves("library.everywhere")
@pytest.mark.parametrize("tour", [SHOP, SUPPORT], ids=["shop", "retail"])
def test_all_of_it_works_on_a_real_workspace(tour: Tour, tmp_path: Path) -> None:
    """The shop's and the retail benchmark's policies: linted, in form, tested, published, tried, explained, proved, put on
    trial, and a loosening found among all requests with one to show for it."""
    # As deep as the benchmark's own, so that what its `pythonpath` names is still inside.
    folder = tmp_path / "bench" / "tau2" / "workspace"
    shutil.copytree(tour.source, folder, ignore=shutil.ignore_patterns(".interlock"))
    initialise(folder, "tour")
    policies = interlock.policies(folder, person="somebody")
    path = folder / "policies" / tour.file

    assert [each for each in policies.lint() if each.severity == "error"] == []
    assert policies.format(write=False) == ()
    tested = policies.test()
    assert (tested.failed, tested.per_cent) == ((), 100)
    assert policies.publish().applied.changed
    told = policies.try_(tour.asked, by="in-force")
    assert told.decision.because == (tour.decided_by,)
    [kept] = policies.prove(tour.never).invariants
    assert kept.answer == "proved", kept

    same = policies.diff(proofs=True)
    assert (same.loosened, same.searches) == (False, ())
    path.write_text(path.read_text().replace(tour.strict, tour.loose))
    looser = policies.diff(proofs=True)
    assert looser.loosened
    assert {each.answer for each in looser.searches or ()} == {"found"}
    # What the tests have to say of it keeps it out of force.
    with pytest.raises(WorkspaceError, match="policy test"):
        policies.publish()
