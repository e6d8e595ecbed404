"""Acknowledging a loss, wherever it is cut short: it is one word of two persons, or none."""

import msgspec
import pytest

from interlock.adapters.keys import verify
from interlock.adapters.memory import Fault, Faults
from interlock.domain.errors import IllegalMove, StoreError
from interlock.domain.ids import Person
from interlock.domain.losing import Loss
from interlock.domain.loss_facts import loss_facts
from interlock.services.audit import Verifying
from interlock.services.losing import Losing
from interlock.services.verifying import verify_all
from interlock.testing.world import World, contract

pytestmark = pytest.mark.anyio

RITA, RIA = Person("rita"), Person("ria")


def losing(world: World) -> Losing:
    """The service."""
    keys = world.keys
    return Losing(
        store=world.store,
        log=world.store,
        orders=world.plane.orders,
        clock=world.clock,
        ids=world.ids,
        verifying=Verifying(log_key=keys.log.verifier, gate_keys=(keys.gate.verifier,), verify=verify),
    )


async def lose(world: World) -> list[int]:
    """Forget the clear texts of an action, as a vault that lost their key does."""
    action = await world.propose(await world.task())
    entries = world.store._open().entries
    places = [place for place, each in enumerate(entries) if each.action == action.id]
    for place in places:
        entries[place] = msgspec.structs.replace(entries[place], disclosures=())
    return places


async def verified(world: World) -> tuple[int, int]:
    """How many findings there are, and how many losses that were acknowledged."""
    keys = world.keys
    found = await verify_all(world.store, world.store, keys.log.verifier, (keys.gate.verifier,), verify)
    return len(found.findings), found.lost


@pytest.mark.proves("loss.two_persons")
@pytest.mark.parametrize("fault", ["stored", "not stored"])
async def test_a_store_that_fails(fault: Fault) -> None:
    """Where the write of the word fails unstored, the proposal stands and can be agreed to; where only the answer was lost,
    it is acknowledged, once."""
    faults = Faults()
    world = World(faults=faults)
    await world.apply(contract())
    places = await lose(world)
    service = losing(world)
    made = await service.propose(RITA, reason="damaged", why="the disk")
    faults.at[faults.writes + 1] = fault
    try:
        await service.accept(made.id, RIA)
    except StoreError:
        assert fault == "not stored"
        assert await verified(world) == (len(places), 0)
        await service.accept(made.id, RIA)
    with pytest.raises(IllegalMove):
        await service.accept(made.id, RIA)

    assert await verified(world) == (0, len(places))
    assert [each.phase for each in await world.store.marked("acknowledged")] == ["acknowledged"]


@pytest.mark.proves("loss.acknowledged")
async def test_only_what_it_names_is_acknowledged() -> None:
    """What is lost after the proposal is not named by it, and is a finding of its own."""
    world = World()
    await world.apply(contract())
    first = await lose(world)
    service = losing(world)
    made = await service.propose(RITA, reason="other", why="x")
    second = await lose(world)
    await service.accept(made.id, RIA)

    assert await verified(world) == (len(second), len(first))


def test_it_takes_as_many_entries_as_it_needs() -> None:
    """However scattered what is lost is, each entry that names it fits into a leaf, and together they name all."""
    covered = list(range(0, 5_000, 2))
    loss = Loss(
        id="l", reason="other", covers="", entries=len(covered), proposed_by="a", accepted_by="b", proposed_at=0
    )
    facts = loss_facts(loss, "acknowledged", "b", 0, covered)

    assert [fact.body["part"] for fact in facts] == [1, 2, 3]
    assert sum(int(str(fact.body["entries"])) for fact in facts) == len(covered)
    assert ",".join(str(fact.body["covers"]) for fact in facts) == ",".join(map(str, covered))
    assert max(len(msgspec.json.encode(fact.body)) for fact in facts) < 40_000
