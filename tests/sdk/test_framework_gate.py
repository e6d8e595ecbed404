"""The gate as adapters see it: which call a call is, and what is done while people decide."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

import interlock
from interlock.sdk.framework_call import Given, Paused, Told
from interlock.sdk.framework_gate import FrameworkGate
from tests.frameworks.kit import Place, place_in
from tests.sdk.test_framework_call import calling, counted


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A workspace of tools that the program itself has."""
    return place_in(tmp_path)


@pytest.mark.proves("frameworks.no-id")
def test_calls_without_an_id_are_told_by_what_they_do(place: Place) -> None:
    """Of a framework that gives no ids, or a model that leaves them out, alike calls of one run are one call; another run's are
    others, and so is each call of a tool that repeats."""
    with interlock.open(place.folder, apply=True) as client, client.task("ag", purpose="test") as task:
        gate, repeating = FrameworkGate(task), FrameworkGate(task, repeats=["refund"])
        came = [gate.call(calling(counted(place), cents, call_id="")) for cents in (5, 6, 5)]
        other = gate.call(calling(counted(place), call_id="", run_id="other"))
        for _ in range(2):
            repeating.call(calling(counted(place), 7, call_id=""))

    assert all(isinstance(each, Given) for each in (*came, other))
    assert place.effects() == {"o1 5": 2, "o1 6": 1, "o1 7": 2}


@pytest.mark.proves("frameworks.same-id")
def test_two_calls_under_one_id_are_never_taken_for_one(place: Place) -> None:
    """A model that gives two different calls of a run the same id is told of the second that it is another call; of two alike
    the second gets the first one's answer. In another run the id is another call's."""
    with interlock.open(place.folder, apply=True) as client, client.task("ag", purpose="test") as task:
        gate = FrameworkGate(task)
        first, alike = (gate.call(calling(counted(place))) for _ in range(2))
        other = gate.call(calling(counted(place), 6))
        named = gate.call(calling(counted(place), tool="keyed"))
        elsewhere = gate.call(calling(counted(place), 7, run_id="other"))

    assert isinstance(first, Given)
    assert isinstance(alike, Given)
    assert isinstance(other, Told)
    assert isinstance(named, Told)
    assert "other arguments" in other.text
    assert isinstance(elsewhere, Given)
    assert place.effects() == {"o1 5": 1, "o1 7": 1}


def test_a_resumed_call_waits_and_does_not_pause_again(place: Place) -> None:
    """What paused is, once its run is resumed, waited for."""

    async def program() -> tuple[Any, Any]:
        async with interlock.open(place.folder, apply=True) as client, client.task("ag", purpose="test") as task:
            gate, rita = FrameworkGate(task, hold="pause"), client.person("rita").aio
            call = calling(counted(place), 500)
            paused = await gate.acall(call)
            assert gate.pauses
            assert await gate.aasks(call) is not None
            resumed = asyncio.create_task(gate.aresumed(call))
            await asyncio.sleep(0.05)
            assert not resumed.done()
            await rita.approve((await rita.waiting())[0].id)
            return paused, await resumed

    paused, resumed = asyncio.run(program())
    assert isinstance(paused, Paused)
    assert isinstance(resumed, Given)
    assert place.effects() == {"o1 500": 1}


def test_whoever_asks_hears_that_nobody_answered_in_time(tmp_path: Path) -> None:
    """A call that people did not decide on in time is none that they are to decide on: asked again, without any worker, it is
    over, and made again it is told so."""

    async def program() -> Any:
        place = place_in(tmp_path, within="100ms")
        async with interlock.open(place.folder, apply=True) as client, client.task("ag", purpose="test") as task:
            gate, call = FrameworkGate(task, hold="pause"), calling(counted(place), 500)
            assert await gate.aasks(call) is not None
            await asyncio.sleep(0.15)
            assert await gate.aasks(call) is None
            return await gate.acall(call)

    came = asyncio.run(program())
    assert isinstance(came, Told)
    assert "expired" in came.text


@pytest.mark.parametrize("run", ["", "monday"])
@pytest.mark.parametrize("depth", [100, 900, 20_000])
def test_arguments_that_are_too_deep_are_told(place: Place, depth: int, run: str) -> None:
    """However deep a model nests what it wants, the call is refused and not an error of the program."""
    deep: Any = 5
    for _ in range(depth):
        deep = [deep]
    with interlock.open(place.folder, apply=True) as client, client.task("ag", purpose="test") as task:
        call = calling(counted(place))._replace(arguments={"order": deep, "cents": 5})
        came = FrameworkGate(task, run=run).call(call)

    assert isinstance(came, Told)
    assert "Not done" in came.text
    assert not place.effects()


def test_a_hold_that_cannot_be_kept_is_an_error() -> None:
    """A word that is none, and a pause where a framework has none, are refused when the adapter is made."""
    hold: Any = "later"
    with pytest.raises(interlock.ContractError, match="no `hold='later'`"):
        FrameworkGate(hold=hold)
    with pytest.raises(interlock.ContractError, match="has no pause"):
        FrameworkGate(hold="pause", cannot_pause="it has no pause")
