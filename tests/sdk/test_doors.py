"""Tasks, people's words and keys, through the folder and through the address: one surface."""

from __future__ import annotations

import threading
import time

import pytest

import interlock
from interlock.domain.errors import KeyReused, NotFound
from tests.sdk.doors import Door
from tests.standby import PATIENCE_S


@pytest.mark.proves("remote.same_surface")
def test_a_part_of_a_task_is_lent(door: Door) -> None:
    """Another program is given a part of a task and acts within it by its own key: by name, within the arguments, within the
    budget, and not once its task is closed."""
    with door.open() as mine, door.open("helper") as other, mine.task("ag", purpose="test") as task:
        text = task.delegate(
            "helper",
            to=other.invitation("helper"),
            purpose="part of it",
            tools={"box.look": {"word": ["a", "c"]}},
            budgets={"calls": 2},
        )
        with other.accept(text) as part:
            looked, elsewhere = part.propose("box.look", word="a"), part.propose("box.put", n=1)
            beyond = part.propose("box.look", word="b")
            over = [part.propose("box.look", word="c") for _ in range(2)]
        closed = part.propose("box.look", word="a")
        with pytest.raises(interlock.NotAllowed), mine.accept(text):
            pass

    assert isinstance(looked, interlock.Done)
    assert isinstance(elsewhere, interlock.Refused)
    assert isinstance(beyond, interlock.Refused)
    assert "/word" in " ".join(beyond.reasons) or "word" in " ".join(beyond.reasons)
    assert [type(each) for each in over] == [interlock.Done, interlock.Refused]
    assert isinstance(closed, interlock.Refused)


@pytest.mark.proves("remote.same_surface")
def test_a_part_that_is_signed_and_not_opened(door: Door) -> None:
    """Derived without asking anybody, a part is opened when it is first accepted, and only by whom it names."""
    with door.open() as mine, door.open("helper") as other, mine.task("ag", purpose="test") as task:
        text = task.derive("helper", to=other.invitation("helper"), purpose="part", tools={"box.look": {"word": ...}})
        with other.accept(text) as part:
            looked = part.propose("box.look", word="a")

    assert isinstance(looked, interlock.Done)
    assert part.task.parent == task.id


@pytest.mark.proves("remote.same_surface")
def test_a_task_is_taken_over(door: Door) -> None:
    """Another instance of the agent takes a task over; who began it is told so, and another agent's is nobody's."""
    with door.open() as first, door.open() as second, door.open("helper") as other:
        scope = first.task("ag", purpose="test")
        task = scope.__enter__()
        with second.resume(task.id, "ag") as again:
            looked, before = again.propose("box.look", word="a"), task.propose("box.look", word="a")
            with pytest.raises(interlock.InterlockError):
                other.resume(task.id, "helper").__enter__()
        with pytest.raises(interlock.NotAllowed):
            scope.__exit__(None, None, None)
        with pytest.raises(NotFound):
            first.resume("01a20311-da6b-74d4-b1c4-3197462f9bfa", "ag").__enter__()

    assert isinstance(looked, interlock.Done)
    assert isinstance(before, interlock.Refused)
    assert before.rule == "interlock.task_instance"


@pytest.mark.proves("remote.same_surface")
def test_a_reviewer_asks_and_the_agent_answers(door: Door) -> None:
    """What a reviewer asks comes with the ticket; the answer is with them, and their yes ends the waiting."""
    rita = door.person("rita")
    with door.open() as client, client.task("ag", purpose="test") as task:
        held = task.propose("box.put", n=500)
        with pytest.raises(interlock.ContractError, match="nothing was asked"):
            task.answer(held.action_id, "which one?")
        rita.ask(held.action_id, "for whom?")
        assert isinstance(held, interlock.Held)
        asked = held.ticket.wait(timeout_ms=0)
        assert isinstance(asked, interlock.Held)
        answered = task.answer(asked, "for ana")
        rita.approve(held.action_id)
        done = held.ticket.wait(timeout_ms=PATIENCE_S * 1000)

    assert [each.text for each in asked.questions] == ["for whom?"]
    assert isinstance(answered, interlock.Held)
    assert isinstance(done, interlock.Done)
    assert door.effects() == ["put 500"]


@pytest.mark.proves("remote.same_surface")
def test_what_people_changed_is_what_was_done(door: Door) -> None:
    """A reviewer changes the arguments: the ticket gives what came of those; undone by a person the outcome says so."""
    ana = door.person("ana")
    with door.open() as client, client.task("ag", purpose="test") as task:
        held = task.propose("box.put", n=500)
        assert isinstance(held, interlock.Held)
        ana.modify(held.action_id, {"n": 5})
        done = held.ticket.wait(timeout_ms=PATIENCE_S * 1000)
        ana.undo(action=held.action_id)
        assert ana.action(held.action_id).state == "undone"  # which is people's business
        after = client.ticket(held.action_id, agent="ag").wait(timeout_ms=PATIENCE_S * 1000)

    assert isinstance(done, interlock.Done)
    assert done.result == {"n": 5, "word": "x"}
    assert after == done, "its caller has its answer already"
    assert door.effects() == ["put 5", "take 5"]


@pytest.mark.proves("remote.same_surface")
def test_an_undone_task_takes_nothing_more(door: Door) -> None:
    """A person undoes what a task did while its program is in it: the next call is refused."""
    with door.open() as client, client.task("ag", purpose="test") as task:
        task.propose("box.put", n=3)
        door.person("ana").undo(task=task.id)
        after = task.propose("box.put", n=4)

    assert isinstance(after, interlock.Refused)
    assert door.effects() == ["put 3", "take 3"]


@pytest.mark.proves("remote.same_surface")
def test_a_key_is_of_one_initiator(door: Door) -> None:
    """Under one key there is one action, however many ask at once; for somebody else, or with other arguments, it is an error."""
    key, found = door.key(), list[interlock.Outcome]()
    with door.open() as client:
        with client.task("ag", purpose="test", on_behalf_of="user:ana") as task:
            crowd = [
                threading.Thread(target=lambda: found.append(task.propose("box.put", n=1, idempotency_key=key)))
                for _ in range(4)
            ]
            for each in crowd:
                each.start()
            for each in crowd:
                each.join(PATIENCE_S)
            with pytest.raises(KeyReused):
                task.propose("box.put", n=2, idempotency_key=key)
        with client.task("ag", purpose="test", on_behalf_of="user:bob") as task, pytest.raises(KeyReused):
            task.propose("box.put", n=1, idempotency_key=key)

    assert len({each.action_id for each in found}) == 1
    assert len(found) == 4
    assert door.effects() == ["put 1"]


@pytest.mark.proves("remote.same_surface")
def test_errors_are_of_the_same_classes(door: Door) -> None:
    """What has no agent or no fitting task raises the same, with the same advice."""
    with door.open() as client:
        with (
            pytest.raises(interlock.ContractError, match=r"box\.putt"),
            client.task("ag", purpose="test", prohibited=("box.putt",)),
        ):
            pass
        with (
            client.task("ag", purpose="outer", budgets={"calls": 1}),
            pytest.raises(interlock.BudgetExceeded),
            client.task("ag", purpose="inner", budgets={"calls": 2}),
        ):
            pass


@pytest.mark.proves("remote.same_surface")
def test_a_task_ends_with_its_time(door: Door) -> None:
    """When the time of a task is over it takes nothing more, and says why."""
    with door.open() as client, client.task("ag", purpose="test", lasts_ms=300) as task:
        time.sleep(0.35)
        outcome = task.propose("box.look", word="a")

    assert isinstance(outcome, interlock.Refused)
    assert "time" in " ".join(outcome.reasons) or "expired" in " ".join(outcome.reasons)


@pytest.mark.proves("remote.same_surface", "sdk.said_beside")
def test_what_the_agent_says_beside_stands_with_the_action(door: Door) -> None:
    """Why, how sure, what it expects and the trace it is part of arrive as they were said."""
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    with door.open() as client, client.task("ag", purpose="test") as task:
        said = task.propose(
            "box.look", word="a", justification="it asked", confidence=750, kpi={"grams": -5}, traceparent=trace
        )
    action = door.person("rita").action(said.action_id)

    assert (action.justification, action.confidence) == ("it asked", 750)
    assert (action.kpi, action.traceparent) == ({"grams": -5}, trace)
    assert action.caller is not None
    assert action.caller.instance
