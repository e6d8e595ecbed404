"""Alarms when the store does not take them, and who may switch engines."""

from typing import Any

import pytest

from interlock.adapters.memory import Fault
from interlock.domain.control import Control
from interlock.domain.edition import in_force
from interlock.domain.errors import ContractError, NotAllowed, NotFound
from interlock.domain.ids import Person
from interlock.domain.publishing import Publishing
from interlock.testing.world import World, contract

pytestmark = pytest.mark.anyio

RITA, ANA = Person("rita"), Person("ana")
WHY = "the engines disagree about `sum` on `thing.put`"


async def control(world: World) -> Control:
    """The standing orders as stored."""
    found = await world.store.get(Control, "control")
    assert found is not None
    return found


async def alarms(world: World) -> int:
    """How many there are in the log."""
    return [entry.phase for entry in await world.store.entries(0, 1_000)].count("alarm")


@pytest.mark.parametrize("fault", ["stored", "not stored"])
@pytest.mark.proves("engine.alarm", "store.fault_pairs")
async def test_an_alarm_that_could_not_be_written_is_written_with_the_next_decision(fault: Fault) -> None:
    """The decision is not held up by it, and the other processes hear of it as soon as the store takes it; once."""
    world = World()
    await world.apply(contract())
    world.store.faults.at[world.store.faults.writes + 1] = fault
    await world.plane.engines.heard(WHY)
    assert ((await control(world)).alarm is not None) == (fault == "stored")

    await world.propose(await world.task())

    now = await control(world)
    assert now.alarm is not None
    assert (now.engine, now.alarm.why, await alarms(world)) == ("cedarpy", WHY, 1)


@pytest.mark.proves("engine.alarm")
async def test_an_alarm_of_yesterday_is_not_raised_again() -> None:
    """What could not be written here was written by somebody else meanwhile: that one stands for both."""
    world = World()
    await world.apply(contract())
    world.store.faults.at[world.store.faults.writes + 1] = "not stored"
    await world.plane.engines.heard(WHY)
    await world.another("w2").engines.heard("seen there")

    await world.propose(await world.task())
    await world.plane.engines.use("compiled", by=RITA, why="mended")
    await world.propose(await world.task())

    assert ((await control(world)).alarm, await alarms(world)) == (None, 1)


@pytest.mark.proves("engine.back")
async def test_who_switches_engines() -> None:
    """Somebody who may publish; a person can have the library answer, too, and then it stays so."""
    world = World()
    await world.apply(contract(), publishing=Publishing(persons=2, roles=("reviewer",)))
    world.people[Person("lena")] = ("cleaner",)

    for person in (Person("eve"), Person("")):
        with pytest.raises(NotAllowed):
            await world.plane.engines.use("cedarpy", by=person, why="why not")
    wrong: Any = "foo"
    with pytest.raises(NotFound, match="there is no engine `foo`") as unknown:
        await world.plane.engines.use(wrong, by=RITA, why="why not")
    assert unknown.value.next == "known: `cedarpy`, `compiled`"
    with pytest.raises(ContractError, match="`why` is empty"):
        await world.plane.engines.use("cedarpy", by=RITA, why=" ")
    now = await world.plane.engines.use("cedarpy", by=RITA, why="an upgrade of the library")
    assert now.alarm is not None
    assert (now.engine, now.alarm.by, now.alarm.why) == ("cedarpy", "rita", "an upgrade of the library")
    size = len(await world.store.entries(0, 1_000))
    assert await world.plane.engines.use("cedarpy", by=ANA, why="again") == now
    assert len(await world.store.entries(0, 1_000)) == size
    assert not (await world.plane.registry.apply(world.definition(), by="rita")).changed
    assert (await world.plane.engines.use("compiled", by=ANA, why="done")).alarm is None


@pytest.mark.proves("engine.back", "publish.two_persons")
async def test_an_engine_that_two_published_is_not_changed_by_one() -> None:
    """Ending an alarm puts back what was published, and where no alarm stands there is nothing for one person to end."""
    world = World()
    await world.apply(contract(), publishing=Publishing(persons=2))
    await world.plane.engines.heard(WHY)
    applied = await world.plane.publisher.publish(world.definition(engine="cedarpy"), by="rita")
    assert applied.publication is not None
    await world.plane.consenting.accept(applied.publication, ANA)
    edition = (await world.plane.consenting.get(applied.publication)).edition.digest

    now = await world.plane.engines.use("compiled", by=RITA, why="mended")
    with pytest.raises(NotAllowed, match="was published here"):
        await world.plane.engines.use("compiled", by=RITA, why="faster")

    assert (now.engine, now.alarm, (await control(world)).engine) == ("cedarpy", None, "cedarpy")
    assert in_force(await control(world), ()).digest == edition
