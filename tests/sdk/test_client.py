"""The agent's side in a synchronous program, on a real store: what calls give, what they raise, and what is left behind."""

import threading
from typing import Any

import pytest

import interlock
from interlock.domain.errors import KeyReused, NotAllowed, NotFound, StoreError, WorkspaceError
from tests.sdk.doors import Door
from tests.workspaces import Place


def test_a_call_gives_the_tools_own_result(door: Door) -> None:
    """By position, by name or left to its default a call is the same, and its result is what the tool returned."""
    with door.open() as client, client.task("ag", purpose="test"):
        tools = door.tools()
        results = [tools.put(7), tools.put(n=7), tools.put(7, "x"), tools.put(word="x", n=7)]

    assert results == [tools.Put(n=7, word="x")] * 4
    assert door.effects() == ["put 7"] * 4


Kind = type[interlock.Done] | type[interlock.NotDone]

OUTCOMES: tuple[tuple[str, str, tuple[object, ...], dict[str, Any], Kind, str], ...] = (
    ("ag", "put", (1,), {}, interlock.Done, ""),
    ("ag", "look", ("a",), {}, interlock.Done, ""),
    ("ag", "box.put", (), {"n": 1}, interlock.Done, ""),
    ("ag", "put", (5000,), {}, interlock.Denied, "more than a thousand"),
    ("ag", "put", (500,), {}, interlock.Held, "more than a hundred"),
    ("ag", "mail", ("a@b",), {}, interlock.Held, "not done unattended"),
    ("ag", "drop", ("no room",), {}, interlock.Failed, "no room"),
    ("ag", "lose", ("cable cut",), {}, interlock.Unknown, "cable cut"),
    ("ag", "put", (-1,), {}, interlock.Refused, "/n"),
    ("ag", "put", (), {}, interlock.Refused, "missing a required argument: `n`"),
    ("ag", "put", (1, "a", 0, 4, 5), {}, interlock.Refused, "too many"),
    ("ag", "put", (1,), {"n": 1}, interlock.Refused, "multiple values for argument `n`"),
    ("ag", "put", (1,), {"\ud800": 1}, interlock.Refused, "ud800"),
    ("ag", "look", (object(),), {}, interlock.Refused, "/word"),
    ("ag", "box.look", (), {"word": object()}, interlock.Refused, "/word"),
    ("ag", "box.look", ("a",), {}, interlock.Refused, "by name"),
    ("ag", "box.put", (), {"n": float("nan")}, interlock.Refused, "/n"),
    ("ag", "box.put", (), {"n": True}, interlock.Refused, "/n"),
    ("ag", "box.put", (), {"n": 1, "colour": "red"}, interlock.Refused, "/colour"),
    ("ag", "box.burn", (), {}, interlock.Refused, "no such capability"),
    ("shade", "put", (1,), {}, interlock.Shadowed, ""),
    ("helper", "put", (1,), {}, interlock.Done, ""),
    ("helper", "mail", ("a@b",), {}, interlock.Held, ""),
)
"""Agent; tool, or contract by its name; arguments; what comes of it, and a word of the reason."""


@pytest.mark.proves("sdk.outcomes", "remote.same_surface")
@pytest.mark.parametrize(("agent", "what", "args", "kwargs", "kind", "why"), OUTCOMES)
def test_every_outcome_is_a_value_and_an_exception(
    door: Door, agent: str, what: str, args: tuple[object, ...], kwargs: dict[str, Any], kind: Kind, why: str
) -> None:
    """`propose` gives the outcome with its action and its reasons; whatever is not done can be raised as it is."""
    with door.open(agent) as client, client.task(agent, purpose="test") as task:
        outcome = task.propose(what if "." in what else getattr(door.tools(), what), *args, **kwargs)
        stored = door.person("rita").action(outcome.action_id)

    assert type(outcome) is kind
    assert why in "; ".join(outcome.reasons)
    assert "interlock.sdk" not in str(outcome)
    if isinstance(outcome, interlock.NotDone):
        assert outcome.state == stored.state
        assert f"`{stored.contract}`" in str(outcome)
        assert outcome.next_step
        with pytest.raises(type(outcome)):
            raise outcome


def test_a_tool_that_is_called_raises_what_is_not_done(door: Door) -> None:
    """A plain call raises; shadow says what would have been, a refusal by which rule, and nothing is touched."""
    tools = door.tools()
    with (
        door.open("shade") as client,
        client.task("shade", purpose="test"),
        pytest.raises(interlock.Shadowed) as shadowed,
    ):
        tools.put(1)
    with door.open() as client, client.task("ag", purpose="test"):
        with pytest.raises(interlock.Denied):
            tools.put(2000)
        with pytest.raises(interlock.Refused) as refused:
            tools.put("two")

    assert shadowed.value.would_be == "allow"
    assert refused.value.rule == "interlock.arguments"
    assert "interlock show" in refused.value.next_step
    assert door.effects() == []


@pytest.mark.proves("sdk.key_survives_restart")
def test_an_idempotency_key_outlives_the_program(door: Door) -> None:
    """The same key gives the first action's outcome, also from a client and a task opened later, and acts once."""
    outcomes: list[interlock.Outcome] = []
    key = door.key()
    tools = door.tools()
    for _ in range(2):
        with door.open() as client, client.task("ag", purpose="test") as task:
            outcomes += [task.propose(tools.put, 3, idempotency_key=key) for _ in range(2)]
            with pytest.raises(KeyReused):
                task.propose(tools.put, 4, idempotency_key=key)

    assert len({each.action_id for each in outcomes}) == 1
    assert all(isinstance(each, interlock.Done) and each.result == tools.Put(n=3, word="x") for each in outcomes)
    assert door.effects() == ["put 3"]


def test_a_held_action_is_waited_for_by_its_ticket(door: Door) -> None:
    """A ticket gives the outcome as it stands when the time is over, and the result once a person agreed."""
    with door.open() as client, client.task("ag", purpose="test") as task:
        held = task.propose(door.tools().put, 500)
        assert isinstance(held, interlock.Held)
        early = held.ticket.wait(timeout_ms=10)
        door.person("rita").approve(held.action_id)
        late = held.ticket.wait(timeout_ms=10_000)
        again = client.ticket(held.action_id).wait()

    assert isinstance(early, interlock.Held)
    assert isinstance(late, interlock.Done)
    assert late.result == door.tools().Put(n=500, word="x")
    assert isinstance(again, interlock.Done)
    assert again.result == {"n": 500, "word": "x"}
    assert door.effects() == ["put 500"]


def test_a_no_ends_the_waiting(door: Door) -> None:
    """A person's no is the outcome that the ticket gives, with the person's words."""
    with door.open() as client, client.task("ag", purpose="test") as task:
        held = task.propose(door.tools().put, 500)
        assert isinstance(held, interlock.Held)
        waiting = threading.Thread(
            target=lambda: door.person("rita").reject(held.action_id, note="not today"), name="rita"
        )
        waiting.start()
        outcome = held.ticket.wait(timeout_ms=10_000)
        waiting.join()

    assert isinstance(outcome, interlock.Denied)
    assert (outcome.state, outcome.reasons) == ("rejected", ("not today",))


def test_a_task_inside_a_task_is_its_child(door: Door) -> None:
    """What the outer task prohibits the inner one may not do either, and calls go to the innermost task."""
    with door.open() as client:
        tools = door.tools()
        with client.task("ag", purpose="outer", prohibited=("box.drop",)) as outer:
            with client.task("ag", purpose="inner") as inner:
                assert (inner.task.parent, inner.task.depth) == (outer.id, 1)
                tools.put(1)
                with pytest.raises(interlock.Refused, match="prohibits"):
                    tools.drop("x")
            tools.put(2)
            waits = {each.task for each in door.person("rita").waiting()}

    assert not waits & {outer.id, inner.id}
    assert door.effects() == ["put 1", "put 2"]


def test_a_closed_task_takes_nothing_more(door: Door) -> None:
    """After its block a task refuses, calls find no task, and an error inside closes it as well."""
    with door.open() as client:
        tools = door.tools()
        scope = client.task("ag", purpose="test")
        with pytest.raises(RuntimeError, match="planned"), scope as task:
            raise RuntimeError("planned")
        outcome = task.propose(tools.put, 1)
        with pytest.raises(NotAllowed, match="only in a task"):
            tools.put(1)
        with scope as again, pytest.raises(NotAllowed, match="open already"):
            scope.__enter__()

    assert isinstance(outcome, interlock.Refused)
    assert outcome.reasons == ("the task is closed",)
    assert again.id != task.id
    assert door.effects() == []


def test_an_error_is_not_hidden_by_the_task_that_cannot_be_closed(door: Door) -> None:
    """What went wrong inside is what is raised; that the task could not be closed is noted on it."""
    client = door.open()

    def use() -> None:
        with client.task("ag", purpose="test"):
            client.close()
            raise RuntimeError("planned")

    with pytest.raises(RuntimeError, match="planned") as caught:
        use()
    with (
        pytest.raises(NotAllowed, match="closed"),
        door.open() as other,
        other.task("ag", purpose="t"),
    ):
        other.close()

    assert "could not be closed" in caught.value.__notes__[-1]


def test_a_client_closes_once_and_then_says_so(door: Door) -> None:
    """Closing twice is once; afterwards every call says that the client is closed, and no thread of it is left."""
    before = {*threading.enumerate()}
    client = door.open()
    with client.task("ag", purpose="test") as task:
        pass
    client.close()
    client.close()

    for use in (lambda: client.task("ag", purpose="x").__enter__(), lambda: task.propose("box.look", word="a")):
        with pytest.raises(NotAllowed, match="this client is closed"):
            use()
    assert not {*threading.enumerate()} - before


def test_a_client_that_is_closed_ends_those_who_wait(door: Door) -> None:
    """A thread that waits for a person is not left waiting for ever when the client is closed under it."""
    client = door.open()
    with client.task("ag", purpose="test") as task:
        held = task.propose(door.tools().put, 500)
    assert isinstance(held, interlock.Held)
    errors: list[Exception] = []

    def wait() -> None:
        try:
            held.ticket.wait()
        except interlock.InterlockError as error:
            errors.append(error)

    waiting = threading.Thread(target=wait, name="waiting")
    waiting.start()
    client.close()
    waiting.join(10)

    assert not waiting.is_alive()
    assert len(errors) == 1


@pytest.mark.proves("gate.contract_changed")
def test_code_that_is_not_what_was_applied_is_refused(door: Door) -> None:
    """Where the contract in force is another than the code carries, the call is refused and says what to do."""
    with door.open() as client, client.task("ag", purpose="test"):
        tools = door.tools()

        @interlock.tool(name="box.put", effect="write", risk="high", reversal=interlock.NoReversal(why="another"))
        def put(n: int) -> None:
            """Another `box.put` than the one in force."""

        with pytest.raises(interlock.Refused) as refused:
            put(1)
        tools.put(2)

    assert refused.value.rule == "interlock.contract-changed"
    assert "interlock apply" in refused.value.next_step
    assert door.effects() == ["put 2"]


def test_what_cannot_be_opened_is_said(place: Place) -> None:
    """No workspace, nothing applied, an unknown agent, a workspace with an error: each names itself."""
    before = {*threading.enumerate()}
    with pytest.raises(WorkspaceError, match="is no workspace"):
        interlock.open(place.folder / "elsewhere")
    with pytest.raises(StoreError, match="there is no store"):
        interlock.open(place.folder)
    assert not (place.folder / ".interlock/interlock.db").exists()
    with (
        interlock.open(place.folder, apply=True) as client,
        pytest.raises(NotFound, match="no agent `agg` is in force") as caught,
    ):
        client.task("agg", purpose="test").__enter__()
    assert caught.value.next_step == "did you mean `ag`?"
    place.change("agents/ag.yaml", lambda text: text.replace("box.look", "box.lok"))
    with pytest.raises(WorkspaceError, match=r"agents/ag\.yaml:.*there is no contract `box\.lok`"):
        interlock.open(place.folder, apply=True)

    assert not {*threading.enumerate()} - before


def test_memory_keeps_nothing(place: Place) -> None:
    """`memory:FOLDER` applies the workspace, acts for real, and leaves no log and no keys behind."""
    (place.folder / ".interlock/keys").rename(place.folder / "keys-elsewhere")
    with interlock.open(f"memory:{place.folder}") as client, client.task("ag", purpose="test"):
        place.tools().put(1)
    with interlock.open(f"memory:{place.folder}") as client:
        left = client.person("rita").waiting()

    assert left == []
    assert place.effects() == ["put 1"]
    assert not list((place.folder / ".interlock").iterdir())


def test_a_budget_of_a_task_is_its_own(door: Door) -> None:
    """A task opened with a budget refuses what goes beyond it, by the rule it names."""
    with door.open() as client:
        tools = door.tools()
        with client.task("ag", purpose="test", budgets={"calls": 2}):
            tools.put(1)
            tools.put(2)
            with pytest.raises(interlock.Refused) as refused:
                tools.put(3)
        with client.task("ag", purpose="test"):
            tools.put(4)

    assert refused.value.rule == "interlock.budget"
    assert door.effects() == ["put 1", "put 2", "put 4"]
