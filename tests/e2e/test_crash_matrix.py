"""Real processes killed with SIGKILL between every two steps, for every idempotency class, forward and in the undo.

An outside process counts what was asked of it and what happened. After each death other processes take over; then: nothing
happened twice, nothing was lost, and what a `blind` tool leaves open is visibly unknown until a person says.
"""

import pytest

from tests.e2e.conftest import Site

FORWARD = (
    "propose.bound",
    "propose.decided",
    "propose.recorded",
    "execute.called",
    "execute.verified",
    "outcome.recorded",
)
"""The steps of an action that is allowed and runs where it was proposed."""

UNDO = (
    "undo.asked",
    "undo.proposed",
    "propose.decided",
    "propose.recorded",
    "dispatch.claimed",
    "dispatch.checked",
    "dispatch.recorded",
    "execute.called",
    "execute.verified",
    "outcome.recorded",
)
CLASSES = ("keyed", "conditional", "lookup", "blind")
TOUCHED = ("execute.called", "execute.verified")
OPEN_INTENT = ("propose.recorded", *TOUCHED)
"""After these an intent is durable and no outcome: where a blind tool cannot know."""

SHORT = {
    ("keyed", "execute.called"),
    ("conditional", "execute.called"),
    ("lookup", "execute.called"),
    ("lookup", "propose.recorded"),
    ("blind", "propose.recorded"),
    ("blind", "execute.called"),
    ("keyed", "outcome.recorded"),
    ("keyed", "propose.decided"),
}


def matrix(steps: tuple[str, ...], short: set[tuple[str, str]]) -> list[object]:
    """Every class at every step; those not in the short list are for the battery."""
    return [
        pytest.param(kind, step, marks=[] if (kind, step) in short else [pytest.mark.slow])
        for kind in CLASSES
        for step in steps
    ]


@pytest.mark.proves("crash.no_double", "crash.nothing_lost", "crash.unknown_visible")
@pytest.mark.parametrize(("kind", "step"), matrix(FORWARD, SHORT))
def test_forward(site: Site, kind: str, step: str) -> None:
    """A process killed at any step of an action leaves one effect or none, and a state that says which."""
    contract = f"{kind}.add"
    assert site.run("agent", contract, "1", step, "1") is None

    after = site.run("work")["states"]
    again = site.run("agent", contract, "1")

    effects = site.effects("add")
    if kind == "blind" and step in OPEN_INTENT:
        assert list(after.values()) == ["unknown"]
        assert again["state"] == "unknown"
        assert len(effects) == (1 if step in TOUCHED else 0)
    else:
        assert again["state"] == "done"
        assert len(effects) == 1


SHORT_UNDO = {
    ("keyed", "undo.asked"),
    ("keyed", "undo.proposed"),
    ("lookup", "execute.called"),
    ("blind", "execute.called"),
    ("conditional", "dispatch.recorded"),
}


@pytest.mark.proves("crash.undo_no_double", "crash.nothing_lost", "crash.unknown_visible")
@pytest.mark.parametrize(("kind", "step"), matrix(UNDO, SHORT_UNDO))
def test_undo(site: Site, kind: str, step: str) -> None:
    """A process killed at any step of an undo leaves one undo or none, and others go on with it."""
    action = site.run("agent", f"{kind}.add", "1")["id"]
    assert site.run("undo", action, step, "1") is None

    states = site.run("work")["states"]

    taken = site.effects("take")
    if kind == "blind" and step in ("dispatch.recorded", *TOUCHED):
        assert states[action] == "undoing"
        assert "unknown" in states.values()
        assert len(taken) == (1 if step in TOUCHED else 0)
    else:
        assert states[action] == "undone"
        assert len(taken) == 1


@pytest.mark.proves("approval.survives_downtime")
def test_approved_while_everything_is_down(site: Site) -> None:
    """An approval given while no worker lives is executed once when one comes back, even if that one is killed too."""
    held = site.run("agent", "keyed.add", "101")
    assert held["state"] == "held"
    assert site.run("approve", held["id"])["state"] == "ready"
    assert site.run("work", "execute.called", "1") is None

    states = site.run("work")["states"]

    assert states[held["id"]] == "done"
    assert len(site.effects("add")) == 1


@pytest.mark.proves("approval.survives_downtime")
@pytest.mark.parametrize("step", ["approve.recorded"])
def test_approver_dies(site: Site, step: str) -> None:
    """Once an approval is durable it does not matter that the approver's process died."""
    held = site.run("agent", "keyed.add", "101")
    assert site.run("approve", held["id"], step, "1") is None

    assert site.run("work")["states"][held["id"]] == "done"
    assert len(site.effects("add")) == 1


@pytest.mark.proves("crash.no_double")
@pytest.mark.parametrize(
    "step", ["prepare.recorded", "prepare.called", "prepare.answered", "dispatch.recorded", "execute.called"]
)
def test_two_phases(site: Site, step: str) -> None:
    """A two-phase action killed anywhere is committed once."""
    begun = site.run("agent", "phased.add", "1", step, "1")
    assert begun is None

    states = site.run("work")["states"]

    assert list(states.values()) == ["done"]
    assert len(site.effects("add")) == 1
