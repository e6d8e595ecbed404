"""Requests with a key: carried out once, whoever carries them out, and whatever fails."""

import asyncio

import pytest

from interlock.adapters.memory import Fault, Faults
from interlock.domain.action import Action
from interlock.domain.errand import KEPT_MS, MOST, Errand, Errands, asking, named, slot_of
from interlock.domain.errors import DoneBefore, InterlockError, StoreError
from interlock.domain.ids import Digest, Person
from interlock.services.plane import ControlPlane
from interlock.testing.world import World
from tests.services.test_approvals import ask, held

pytestmark = pytest.mark.anyio
RITA = Person("rita")
NAME = named(RITA, "q-1")


async def asked(plane: ControlPlane, action: Action, key: str = "q-1") -> None:
    """A question to the agent, on behalf of a request with a key."""
    with plane.carrying.out(named(RITA, key), asking(NAME, b"what for?")):
        await plane.inquiring.ask(action.id, RITA, "what for?")


async def questions(world: World, action: Action) -> int:
    """How many were asked."""
    found = await world.store.get(Action, action.id)
    assert found is not None
    assert found.hold is not None
    return len(found.hold.questions)


@pytest.mark.proves("server.key_once")
async def test_many_processes_carry_a_request_out_once() -> None:
    """Of six that carry out the same request at the same moment in two processes one does; the others hear that it is done, and
    so does whoever comes within a day. Another key is another request."""
    world = World()
    other = world.another("w2")
    action = await held(world, ask(10))

    came = await asyncio.gather(*(asked(plane, action) for plane in (world.plane, other) * 3), return_exceptions=True)

    assert sum(each is None for each in came) == 1
    assert all(isinstance(each, DoneBefore) for each in came if each is not None)
    assert await questions(world, action) == 1
    assert (await other.carrying.find(NAME)) is not None
    await asked(other, action, "q-2")
    assert await questions(world, action) == 2
    world.clock.advance(KEPT_MS)
    assert (await other.carrying.find(NAME)) is None


@pytest.mark.proves("server.key_once")
@pytest.mark.parametrize("fault", ["stored", "not stored"])
async def test_what_is_remembered_is_what_was_done(fault: Fault) -> None:
    """Where the store fails, both are there or neither: whoever repeats the request makes it once."""
    faults = Faults()
    world = World(faults=faults)
    action = await held(world, ask(10))
    faults.at[faults.writes + 1] = fault
    try:
        await asked(world.plane, action)
    except StoreError:
        assert fault == "not stored"
    assert (
        (await world.plane.carrying.find(NAME) is not None)
        == (await questions(world, action) == 1)
        == (fault == "stored")
    )
    try:
        await asked(world.plane, action)
    except DoneBefore:
        assert fault == "stored"

    assert await questions(world, action) == 1


async def test_a_request_that_was_refused_is_not_remembered() -> None:
    """Nothing was said for it: it may come again."""
    world = World()
    action = await held(world, ask(10))
    with world.plane.carrying.out(NAME, asking(NAME)), pytest.raises(InterlockError):
        await world.plane.inquiring.ask(action.id, RITA, "")

    assert await world.plane.carrying.find(NAME) is None


async def test_what_clients_send_fills_no_store() -> None:
    """A slot holds so many and no more, the newest; what is over a day old is gone."""
    slot = Errands(slot=slot_of(NAME))
    for n in range(MOST + 10):
        slot = slot.further(Errand(Digest(f"{n:064x}"), NAME, n))

    assert [int(each.name, 16) for each in slot.done] == list(range(10, MOST + 10))
    assert len(slot.further(Errand(NAME, NAME, MOST + 9 + KEPT_MS)).done) == 1
