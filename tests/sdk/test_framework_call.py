"""What all adapters of frameworks have in common: a framework's call through the gate, run by its own function or not at all."""

import asyncio
import contextvars
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import interlock
from interlock.domain.canonical import JsonValue
from interlock.sdk.framework_call import FrameworkCall, Given, Governor, Paused, Told
from interlock.sdk.lending import Own
from interlock.sdk.task import AsyncTask
from tests.frameworks.kit import Place, place_in


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A workspace of tools that the program itself has."""
    return place_in(tmp_path)


def calling(own: Own, cents: int = 5, call_id: str = "c1", tool: str = "refund", run_id: str = "r") -> FrameworkCall:
    """A call as a framework makes it."""
    return FrameworkCall(tool=tool, arguments={"order": "o1", "cents": cents}, call_id=call_id, own=own, run_id=run_id)


def counted(place: Place, result: object = "ok") -> Own:
    """A synchronous tool that acts."""

    def refund(arguments: dict[str, JsonValue]) -> object:
        place.effect(f"{arguments['order']} {arguments['cents']}")
        return result

    return refund


@pytest.mark.proves("frameworks.once")
def test_a_call_runs_its_own_function_once(place: Place) -> None:
    """The framework's function runs once the gate lets it, in the asking thread's context; made again the call gives the same
    result without running it, also in another process's task."""
    word: contextvars.ContextVar[str] = contextvars.ContextVar("word", default="no")
    word.set("yes")

    def refund(arguments: dict[str, JsonValue]) -> object:
        place.effect(f"{arguments['order']} {word.get()} {interlock.this_call().attempt}")
        return {"id": 7}

    with interlock.open(place.folder, apply=True) as client:
        with client.task("ag", purpose="test") as task:
            first = Governor(task).call(calling(refund))
        with client.task("ag", purpose="test") as task:
            again = Governor(task).call(calling(refund))

    assert isinstance(first, Given)
    assert isinstance(again, Given)
    assert (first.value, first.raw, first.is_raw) == ({"id": 7}, {"id": 7}, True)
    assert (again.value, again.raw, again.is_raw) == ({"id": 7}, None, False)
    assert place.effects() == {"o1 yes 1": 1}


def test_there_is_no_call_outside_of_a_tool() -> None:
    """Whoever asks which action runs, where none does, is told so."""
    with pytest.raises(interlock.NotAllowed, match="no action runs"):
        interlock.this_call()


@pytest.mark.proves("frameworks.own-function")
def test_calls_at_once_run_each_their_own_function(place: Place) -> None:
    """Twenty calls of one tool at once, with twenty functions on the asking loop, synchronous and not: each runs its own, and
    only that."""

    def own(number: int) -> Own:
        async def later(arguments: dict[str, JsonValue]) -> object:
            await asyncio.sleep(0.01)
            place.effect(f"{number} {arguments['cents']} {threading.current_thread().name == asker}")
            return number

        def now(arguments: dict[str, JsonValue]) -> object:
            place.effect(f"{number} {arguments['cents']} {threading.current_thread().name != asker}")
            return number

        return later if number % 2 else now

    asker = threading.current_thread().name

    async def program(task: Any) -> list[object]:
        governor = Governor(task)
        return await asyncio.gather(
            *(governor.acall(calling(own(number), cents=number, call_id=f"c{number}")) for number in range(20))
        )

    async def at_home() -> list[object]:
        async with client.task("ag", purpose="test") as task:
            return await program(task)

    # The client lives in a thread of its own here, and on the program's loop below.
    with interlock.open(place.folder, apply=True) as client, client.task("ag", purpose="test") as task:
        came = asyncio.run(program(task))
    assert [each.value for each in came if isinstance(each, Given)] == list(range(20))
    assert place.effects() == {f"{number} {number} True": 1 for number in range(20)}
    place.ledger.unlink()

    with interlock.open(place.folder) as client:
        came = asyncio.run(at_home())
    assert all(isinstance(each, Given) and not each.is_raw for each in came), "the same calls of the same run"
    assert not place.effects()


@pytest.mark.parametrize(
    ("cents", "agent", "words"),
    [
        (1001, "ag", "denied: more than a thousand"),
        (5, "shade", "this agent acts in shadow"),
        ("much", "ag", "refused"),
    ],
)
@pytest.mark.proves("frameworks.no")
def test_a_no_is_words_for_the_model(place: Place, cents: Any, agent: str, words: str) -> None:
    """What is denied, does not fit its contract or runs in shadow never reaches the function, and the model is told why."""
    with interlock.open(place.folder, apply=True) as client, client.task(agent, purpose="test") as task:
        came = Governor(task).call(calling(counted(place), cents=cents))

    assert isinstance(came, Told)
    assert words in came.text
    assert came.text.startswith("Not done")
    assert not place.effects()


@pytest.mark.proves("frameworks.default-deny")
def test_a_tool_without_a_contract_never_runs(place: Place) -> None:
    """A tool that no contract in force names is refused and recorded, and the words say what the operator is to do; another
    name is given by the option."""
    with interlock.open(place.folder, apply=True) as client, client.task("ag", purpose="test") as task:
        unknown = Governor(task).call(calling(counted(place), tool="wipe"))
        named = Governor(task, contracts={"wipe": "refund"}).call(calling(counted(place), tool="wipe", call_id="c2"))

    assert isinstance(unknown, Told)
    assert "run: in_process" in unknown.text
    assert isinstance(named, Given)
    assert place.effects() == {"o1 5": 1}


@pytest.mark.proves("frameworks.approved-arguments")
def test_what_was_agreed_to_is_what_runs(place: Place) -> None:
    """While people decide the call waits; what runs then are the arguments that the reviewer gave, never those of the model."""

    async def program() -> object:
        async with interlock.open(place.folder, apply=True) as client, client.task("ag", purpose="test") as task:
            waiting = asyncio.create_task(Governor(task).acall(calling(counted(place), cents=500)))
            held = await _held(client)
            assert not place.effects()
            await client.person("rita").aio.modify(held, {"order": "o1", "cents": 90})
            return await waiting

    came = asyncio.run(program())

    assert isinstance(came, Given)
    assert came.is_raw
    assert place.effects() == {"o1 90": 1}


@pytest.mark.proves("frameworks.pause")
def test_a_paused_call_goes_on_when_it_is_made_again(place: Place) -> None:
    """With `pause` a held call gives its action at once; made again before anybody agreed it is that action still, and
    afterwards it runs, once, here; a rejected one is told."""

    async def program() -> None:
        async with interlock.open(place.folder, apply=True) as client, client.task("ag", purpose="test") as task:
            governor, rita = Governor(task, hold="pause"), client.person("rita").aio
            first = await governor.acall(calling(counted(place), cents=500))
            again = await governor.acall(calling(counted(place), cents=500))
            other = await governor.acall(calling(counted(place), cents=600, call_id="c2"))
            assert isinstance(first, Paused)
            assert isinstance(again, Paused)
            assert isinstance(other, Paused)
            assert first.action_id == again.action_id != other.action_id
            await rita.approve(first.action_id)
            await rita.reject(other.action_id, note="no")
            assert not place.effects(), "nobody here has its function"
            done = [await governor.acall(calling(counted(place), cents=500)) for _ in range(2)]
            assert [each.value for each in done if isinstance(each, Given)] == ["ok", "ok"]
            told = await governor.acall(calling(counted(place), cents=600, call_id="c2"))
            assert isinstance(told, Told)
            assert "rejected" in told.text

    asyncio.run(program())

    assert place.effects() == {"o1 500": 1}


@pytest.mark.proves("frameworks.tell")
def test_a_told_model_asks_again_for_the_same_action(place: Place) -> None:
    """With `tell` the model is told that it waits; asking again with the same arguments, under whatever call id, is asking for
    that action, and runs it once it is agreed to."""

    async def program() -> None:
        async with interlock.open(place.folder, apply=True) as client, client.task("ag", purpose="test") as task:
            governor = Governor(task, hold="tell")
            told = [await governor.acall(calling(counted(place), 500, call_id)) for call_id in ("c1", "c2")]
            (held,) = {each.outcome.action_id for each in told if isinstance(each, Told)}  # type: ignore[union-attr]
            await client.person("rita").aio.approve(held)
            done = await governor.acall(calling(counted(place), 500, "c3"))
            assert isinstance(done, Given)
            another = await governor.acall(calling(counted(place), 500, "c4"))
            assert isinstance(another, Told), "that one is over: this is another"

    asyncio.run(program())

    assert place.effects() == {"o1 500": 1}


@pytest.mark.proves("frameworks.raised")
def test_a_tool_that_raises_may_have_acted(place: Place) -> None:
    """What raises is not known to have happened or not: the model is told not to repeat it, and the same call again does not run
    it; `NoEffect` has failed, and a read is tried again and then has failed."""
    tried: list[str] = []

    def raising(arguments: dict[str, JsonValue]) -> object:
        tried.append(str(arguments["order"]))
        raise ValueError("broken")

    def harmless(arguments: dict[str, JsonValue]) -> object:
        raise interlock.NoEffect("sold out")

    with interlock.open(place.folder, apply=True) as client, client.task("ag", purpose="test") as task:
        governor = Governor(task)
        told = [governor.call(calling(raising)) for _ in range(2)]
        failed = governor.call(calling(harmless, call_id="c2"))
        look = FrameworkCall(tool="look", arguments={"order": "o2"}, call_id="c3", own=raising, run_id="r")
        read = governor.call(look)

    assert [isinstance(each, Told) and "ValueError: broken" in each.text for each in told] == [True, True]
    assert all(isinstance(each, Told) and "Do not call it again" in each.text for each in told)
    assert isinstance(failed, Told)
    assert "sold out" in failed.text
    assert isinstance(read, Told)
    assert isinstance(read.outcome, interlock.Failed)
    assert tried.count("o1") == 1


def test_the_same_call_with_other_arguments_is_told(place: Place) -> None:
    """A call id that comes back with other arguments runs nothing: the first action stands."""
    with interlock.open(place.folder, apply=True) as client, client.task("ag", purpose="test") as task:
        governor = Governor(task)
        governor.call(calling(counted(place)))
        came = governor.call(calling(counted(place), cents=6))

    assert isinstance(came, Told)
    assert "other arguments" in came.text
    assert place.effects() == {"o1 5": 1}


@pytest.mark.proves("frameworks.rendered")
@pytest.mark.parametrize(
    ("returned", "value"),
    [
        (1.5, "1.5"),
        ({"price": 0.1, "n": 2**60, "ok": [True, None]}, {"price": "0.1", "n": str(2**60), "ok": [True, None]}),
        ({"größe": 1}, '{"größe": 1}'),
        ("\ud800", "\\ud800"),
        (None, None),
    ],
)
def test_what_is_no_json_is_written_down_by_rule(place: Place, returned: object, value: object) -> None:
    """Fractions and large numbers become the text of their digits, what has no form at all becomes text; the framework is given
    the very object that its function returned."""
    with interlock.open(place.folder, apply=True) as client, client.task("ag", purpose="test") as task:
        came = Governor(task).call(calling(counted(place, returned)))
        odd = Governor(task).call(calling(counted(place, threading), call_id="c2"))

    assert isinstance(came, Given)
    assert (came.value, came.raw) == (value, returned)
    assert isinstance(odd, Given)
    assert str(odd.value).startswith("<module 'threading'")


@pytest.mark.proves("frameworks.filtered")
def test_what_was_taken_of_a_result_does_not_come_by_another_way(place: Place) -> None:
    """Where the gate takes something of a result, the framework gets what is left, never the object that its function
    returned."""

    def noting(arguments: dict[str, JsonValue]) -> object:
        return {"inner": arguments["text"], "outer": 1}

    with interlock.open(place.folder, apply=True) as client, client.task("ag", purpose="test") as task:
        note = FrameworkCall(tool="note", arguments={"text": "hush"}, call_id="c1", own=noting, run_id="r")
        came = Governor(task).call(note)

    assert isinstance(came, Given)
    assert not came.is_raw
    assert "hush" not in repr(came.value)


def test_waiting_has_an_end_where_it_is_given_one(place: Place) -> None:
    """With `patience_ms` a held call tells the model after that time; the same call goes on from there."""
    with interlock.open(place.folder, apply=True) as client, client.task("ag", purpose="test") as task:
        governor = Governor(task, patience_ms=300)
        began = time.monotonic()
        told = governor.call(calling(counted(place), cents=500))
        took = time.monotonic() - began
        assert isinstance(told, Told)
        assert isinstance(told.outcome, interlock.Held)
        client.person("rita").approve(told.outcome.action_id)
        came = governor.call(calling(counted(place), cents=500))

    assert isinstance(came, Given)
    assert 0.25 < took < 5
    assert place.effects() == {"o1 500": 1}


def test_a_cancelled_call_that_waits_runs_nothing(place: Place) -> None:
    """Cancelled while people decide, a call withdraws its function: agreed to afterwards, it runs where it is made again."""

    async def program() -> object:
        async with interlock.open(place.folder, apply=True) as client, client.task("ag", purpose="test") as task:
            governor = Governor(task)
            waiting = asyncio.create_task(governor.acall(calling(counted(place), cents=500)))
            held = await _held(client)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            await client.person("rita").aio.approve(held)
            assert not place.effects()
            return await governor.acall(calling(counted(place), cents=500))

    assert isinstance(asyncio.run(program()), Given)
    assert place.effects() == {"o1 500": 1}


async def _held(client: interlock.Client) -> str:
    """The one action that waits, once it does."""
    for _ in range(200):
        for each in await client.person("rita").aio.waiting():
            return each.id
        await asyncio.sleep(0.02)
    raise AssertionError("nothing is held")


def test_a_task_is_what_a_governor_acts_in(place: Place) -> None:
    """The key names the agent and the run: without a run it is the task."""

    async def program() -> tuple[object, ...]:
        async with interlock.open(place.folder, apply=True) as client:
            tasks: list[AsyncTask] = []
            for _ in range(2):
                async with client.task("ag", purpose="test") as task:
                    tasks.append(task)
                    await Governor(task).acall(calling(counted(place), run_id=""))
            return tuple(tasks)

    asyncio.run(program())

    assert place.effects() == {"o1 5": 2}


@pytest.mark.proves("frameworks.fractions")
def test_fractions_are_decided_on_as_text_and_given_as_numbers(place: Place) -> None:
    """A fraction is held against the contract as the text of its digits, so that a reviewer can change it; the function gets a
    number. What no number of JSON is, is refused."""
    got: list[object] = []

    def noting(arguments: dict[str, JsonValue]) -> object:
        got.append(arguments["text"])
        return None

    def call(text: object, call_id: str) -> FrameworkCall:
        return FrameworkCall(tool="note", arguments={"text": text}, call_id=call_id, own=noting, run_id="r")

    with interlock.open(place.folder, apply=True) as client, client.task("ag", purpose="test") as task:
        came = [Governor(task).call(call(text, repr(text))) for text in (12.5, 0.1, "12.5", float("nan"))]
        action = client.person("rita").action(came[0].done.action_id)  # type: ignore[union-attr]

    assert got == [12.5, 0.1, "12.5"]
    assert action.arguments == {"text": "12.5"}
    assert isinstance(came[3], Told)
    assert isinstance(came[3].outcome, interlock.Refused)


def test_asking_alone_runs_nothing(place: Place) -> None:
    """Whether people must decide first can be asked: that proposes the very action that the call then is, and runs nothing."""

    async def program() -> None:
        async with interlock.open(place.folder, apply=True) as client, client.task("ag", purpose="test") as task:
            governor = Governor(task, hold="pause")
            assert await governor.aasks(calling(counted(place))) is None
            asked = await governor.aasks(calling(counted(place), cents=500, call_id="c2"))
            assert isinstance(asked, Paused)
            assert not place.effects()
            assert isinstance(await governor.acall(calling(counted(place))), Given)
            held = await governor.acall(calling(counted(place), cents=500, call_id="c2"))
            assert isinstance(held, Paused)
            assert held.action_id == asked.action_id

    asyncio.run(program())

    assert place.effects() == {"o1 5": 1}
