"""The doctor: one probe does not hang on another, and what only a clock in hand can show."""

from collections.abc import Sequence

import anyio
import pytest

from interlock.bootstrap.doctoring import room
from interlock.domain.checkup import Checked, good
from interlock.domain.duration import HOUR
from interlock.domain.errors import StoreBusy
from interlock.services.doctor import Doctor
from interlock.services.examining import live_probes
from interlock.testing.parts import ManualClock
from interlock.testing.world import World, contract


async def never() -> Sequence[Checked]:
    """Hang."""
    await anyio.sleep_forever()
    return ()


async def busy() -> Sequence[Checked]:
    """Fail."""
    raise StoreBusy("another process holds the store")


async def fine() -> Sequence[Checked]:
    """Be as it should."""
    return (good("fine", "it is"),)


@pytest.mark.proves("doctor.every")
@pytest.mark.anyio
async def test_a_probe_that_hangs_or_fails() -> None:
    """A probe that does not answer, and one that fails, are findings, and the next is asked all the same."""
    doctor = Doctor({"slow": never, "busy": busy, "fine": fine}, ManualClock(), patience_s=0.05)

    checkup = await doctor.examine()

    assert [(each.what, each.health) for each in checkup.checks] == [
        ("slow", "wrong"),
        ("busy", "wrong"),
        ("fine", "good"),
    ]
    assert checkup.health == "wrong"
    assert all(each.repair for each in checkup.wrong)


@pytest.mark.proves("doctor.finds")
@pytest.mark.anyio
async def test_a_clock_that_was_set_back() -> None:
    """A clock that stands before what was recorded is wrong."""
    world = World()
    await world.apply(contract())
    world.clock.advance(-HOUR)

    found = await live_probes(world.plane)["clock"]()

    assert [(each.health, "1h before" in each.said) for each in found] == [("wrong", True)]


@pytest.mark.proves("doctor.finds")
@pytest.mark.anyio
async def test_work_that_nobody_does() -> None:
    """What fell due and was left lying is wrong, and names what would take it."""
    world = World()
    await world.apply(contract())
    await world.propose(await world.task(), n=1, here=False)
    assert [each.health for each in await live_probes(world.plane)["worker"]()] == ["good"]
    world.clock.advance(HOUR)

    found = await live_probes(world.plane)["worker"]()

    assert [each.health for each in found] == ["wrong"]
    assert "interlock work" in found[0].repair


@pytest.mark.proves("doctor.finds")
@pytest.mark.anyio
async def test_nothing_in_force() -> None:
    """Where nothing is in force everything is refused, and the doctor says so."""
    found = await live_probes(World().plane)["in force"]()

    assert [(each.health, each.fault) for each in found] == [("wrong", "yours")]


@pytest.mark.proves("doctor.finds")
def test_room_on_the_disk() -> None:
    """A disk with little room is a doubt, one with next to none is wrong."""
    assert [room(each * 1_000_000).health for each in (50, 500, 5_000)] == ["wrong", "doubtful", "good"]
