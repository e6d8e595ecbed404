"""A person's word on what machines could not settle."""

import pytest

from interlock.domain.action import Action
from interlock.domain.call import Landed, Unsure
from interlock.domain.contract import Blind, Lookup, PythonTarget
from interlock.domain.errors import ContractError, IllegalMove, NotAllowed, NotFound
from interlock.domain.ids import ActionId, Person
from interlock.testing.conformance.audit import predicate
from interlock.testing.world import World, contract

pytestmark = pytest.mark.anyio

RITA = Person("rita")


async def unknown(world: World) -> Action:
    """One unknown action."""
    await world.apply(contract(idempotency=Blind()), budgets={"calls": 10})
    world.effectors.say("thing.put", "run", Unsure("?"))
    action = await world.propose(await world.task())
    assert action.state == "unknown"
    return action


@pytest.mark.proves("settle.person", "budget.exact")
@pytest.mark.parametrize("happened", ["done", "failed"])
async def test_a_person_settles_it_with_its_evidence_and_its_budget(happened: str) -> None:
    """Done spends what was reserved and can be undone; failed gives it back; the log says who said so."""
    world = World()
    action = await unknown(world)
    assert await world.reserved() == 2

    settled = await world.plane.settling.settle(action.id, RITA, happened, result={"n": 1}, note="looked")  # type: ignore[arg-type]

    assert settled.state == happened
    assert settled.outcome is not None
    assert (settled.outcome.by, settled.outcome.note) == ("person", "rita: looked")
    assert (await world.reserved(), await world.spent()) == (0, 2 if happened == "done" else 0)
    last = (await world.store.entries_of(action.id))[-1]
    assert last.phase == "settled"
    whose = predicate(last)["fieldEvidence"]
    assert {name: set(said) for name, said in whose.items()} == {"person-asserted": {"effect", "toolResult", "note"}}


@pytest.mark.proves("settle.person")
async def test_who_and_what_may_not_be_settled() -> None:
    """A stranger's word does not count, nor one without a note, nor one on an action that is not there or not unknown."""
    world = World()
    action = await unknown(world)

    with pytest.raises(NotAllowed):
        await world.plane.settling.settle(action.id, Person("nobody"), "done", note="saw it")
    with pytest.raises(ContractError, match="how they know"):
        await world.plane.settling.settle(action.id, RITA, "done", note="  ")
    with pytest.raises(NotFound):
        await world.plane.settling.settle(ActionId("nothing"), RITA, "done", note="saw it")
    await world.plane.settling.settle(action.id, RITA, "failed", note="not there")
    with pytest.raises(IllegalMove):
        await world.plane.settling.settle(action.id, RITA, "done", note="saw it")


@pytest.mark.proves("settle.person")
async def test_a_person_may_be_faster_than_the_lookup() -> None:
    """What a person settled while a worker was asking stays as the person said."""
    world = World()
    thing = contract(idempotency=Lookup(), lookup=PythonTarget(target="world:ask"))
    await world.apply(thing)
    world.effectors.say("thing.put", "run", Unsure("?"))
    action = await world.propose(await world.task())

    async def meanwhile(*_: object) -> Landed:
        await world.plane.settling.settle(action.id, RITA, "failed", note="never arrived")
        return Landed({"n": 1})

    world.effectors.on("thing.put", "lookup", meanwhile)
    world.clock.advance(10_000)
    await world.work(world.another("w2"))

    assert (await world.action(action)).state == "failed"
    assert await world.reserved() == 0
