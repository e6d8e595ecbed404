"""Deciding on like actions in one go, and what is learnt of decisions."""

import asyncio

import pytest

from interlock.adapters.memory import Faults
from interlock.domain.action import Action
from interlock.domain.batch import MOST
from interlock.domain.correction import correction_of
from interlock.domain.duration import HOUR
from interlock.domain.erasure import stripped
from interlock.domain.errors import ContractError, NotAllowed, NotFound, StoreError
from interlock.domain.ids import ActionId, Digest
from interlock.domain.pace import Attention
from interlock.domain.routing import Routing
from interlock.testing.world import World, contract, permit
from tests.services.test_approvals import ANA, RIA, RITA, ask
from tests.services.test_words import CRITICAL

pytestmark = pytest.mark.anyio


async def several(world: World, count: int = 4, **applied: object) -> list[Action]:
    """So many held actions of one contract, asked for by one policy."""
    routing = applied.get("routing")
    await world.apply(
        contract(),
        CRITICAL,
        contract("thing.other"),
        rules=(permit(), ask(10), ask(100, role="lead")),
        routing=routing if isinstance(routing, Routing) else None,
    )
    task = await world.task()
    return [await world.propose(task, n=20 + each) for each in range(count)]


def views(actions: list[Action]) -> dict[ActionId, Digest]:
    """What was shown of each."""
    return {each.id: each.hold.view for each in actions if each.hold is not None}


@pytest.mark.proves("approval.batch")
async def test_a_batch_is_decided_once_the_one_drawn_was_opened() -> None:
    """Not before; then each action has its own word and its own entry, and each is executed once."""
    world = World()
    actions = await several(world)
    names = tuple(each.id for each in actions)
    drawn = await world.plane.batches.draw(RITA, names)
    for each in actions:
        if each.id != drawn.drawn:
            await world.plane.dossiers.open(each.id, RITA)

    with pytest.raises(NotAllowed, match="was drawn"):
        await world.plane.batches.decide(drawn.id, RITA, "approve", note="", views=views(actions))
    assert {(await world.action(each)).state for each in actions} == {"held"}
    await world.plane.dossiers.open(drawn.drawn, RITA)
    result = await world.plane.batches.decide(drawn.id, RITA, "approve", note="all fine", views=views(actions))
    await world.work()

    assert (set(result.decided), result.left) == (set(names), ())
    assert world.effectors.calls["thing.put", "run"] == len(actions)
    entries = await world.store.entries(0, 10_000)
    for each in actions:
        assert sum(entry.action == each.id and entry.phase == "approved" for entry in entries) == 1


@pytest.mark.proves("approval.batch")
async def test_who_draws_again_gets_the_same() -> None:
    """For one person and one set, in whatever order and process, at the same time, the same one is drawn; for others anew."""
    world = World()
    names = tuple(each.id for each in await several(world))
    processes = [world.plane, world.another("w2"), world.another("w3")]

    drawn = await asyncio.gather(
        *(each.batches.draw(RITA, order) for each in processes for order in (names, names[::-1]))
    )

    assert len({each.drawn for each in drawn}) == 1
    assert (await world.plane.batches.draw(RIA, names)).id != drawn[0].id
    with pytest.raises(NotFound):
        await world.plane.batches.decide(drawn[0].id, RIA, "approve", note="", views={})


@pytest.mark.proves("approval.batch")
async def test_naming_other_sets_draws_no_other_one() -> None:
    """Until the one drawn was opened, a set with it draws it again and one without it draws nothing, even asked for at the same
    time; once it was opened, or waits no more, chance decides anew."""
    world = World()
    names = [each.id for each in await several(world, 6)]
    draw = world.plane.batches.draw
    first = (await draw(RITA, tuple(names[:3]))).drawn
    rest = tuple(each for each in names if each != first)

    assert {(await draw(RITA, (first, each))).drawn for each in rest} == {first}
    with pytest.raises(NotAllowed, match="have not opened it"):
        await draw(RITA, rest)
    assert (await draw(RIA, rest)).drawn in rest
    await world.plane.dossiers.open(first, RITA)
    processes = [world.plane, world.another("w2")]
    found = await asyncio.gather(
        *(each.batches.draw(RITA, rest[at : at + 2]) for at, each in enumerate(processes)), return_exceptions=True
    )
    drawn = {each.drawn for each in found if not isinstance(each, BaseException)}
    assert len(drawn) == 1
    await world.plane.approvals.reject(drawn.pop(), RITA, note="no")
    assert (await draw(RITA, rest[3:])).drawn in rest[3:]


async def test_over_many_sets_each_place_is_drawn() -> None:
    """Chance decides: no place in a set is safe from being drawn."""
    world = World()
    names = [each.id for each in await several(world, 8)]
    places: set[int] = set()
    for first in range(8):
        for second in range(first):
            chosen = tuple(sorted((names[first], names[second])))
            drawn = (await world.plane.batches.draw(RITA, chosen)).drawn
            places.add(chosen.index(drawn))
            await world.plane.dossiers.open(drawn, RITA)

    assert places == {0, 1}


@pytest.mark.proves("approval.batch")
async def test_what_is_not_alike_is_no_batch() -> None:
    """Another contract, other policies, critical risk, one alone, too many, the initiator's, and what waits no more."""
    world = World()
    actions = await several(world, MOST + 1)
    names = tuple(each.id for each in actions)
    task = await world.task()
    other = await world.propose(task, "thing.other", n=20)
    lead = await world.propose(task, n=200)
    wipes = [await world.propose(task, "thing.wipe", n=20 + each, what="prod") for each in range(2)]
    draw = world.plane.batches.draw

    for chosen, who, why in (
        ((names[0], other.id), RITA, "another contract"),
        ((names[0], lead.id), RIA, "other policies"),
        (tuple(each.id for each in wipes), RITA, "critical"),
        (names[:1], RITA, "no batch"),
        (names, RITA, "no batch"),
        (names[:2], ANA, "asked for this"),
    ):
        with pytest.raises(NotAllowed, match=why):
            await draw(who, chosen)
    await world.plane.approvals.reject(names[0], RITA, note="no")
    with pytest.raises(NotAllowed, match="rejected"):
        await draw(RITA, names[:2])


async def test_what_changed_meanwhile_is_left_and_said() -> None:
    """One was modified by somebody, one rejected: the others are decided, these are named with the reason."""
    world = World()
    actions = await several(world, 6)
    drawn = await world.plane.batches.draw(RITA, tuple(each.id for each in actions))
    await world.plane.dossiers.open(drawn.drawn, RITA)
    changed, ended = [each for each in actions if each.id != drawn.drawn][:2]
    await world.plane.approvals.modify(changed.id, RIA, {"n": 15})
    await world.plane.approvals.reject(ended.id, RIA, note="no")

    with pytest.raises(ContractError, match="missing"):
        await world.plane.batches.decide(drawn.id, RITA, "approve", note="", views={})
    with pytest.raises(ContractError, match="says why"):
        await world.plane.batches.decide(drawn.id, RITA, "reject", note=" ", views=views(actions))
    result = await world.plane.batches.decide(drawn.id, RITA, "approve", note="", views=views(actions))

    assert len(result.decided) == 4
    assert {each.action for each in result.left} == {changed.id, ended.id}


async def test_a_batch_is_so_many_yeses() -> None:
    """What the limit leaves a person is less than the batch: none of it is decided."""
    world = World()
    actions = await several(world, 4, routing=Routing(attention=Attention(most=3, per_ms=HOUR)))
    drawn = await world.plane.batches.draw(RITA, tuple(each.id for each in actions))
    await world.plane.dossiers.open(drawn.drawn, RITA)

    with pytest.raises(NotAllowed, match="3 is as many"):
        await world.plane.batches.decide(drawn.id, RITA, "approve", note="", views=views(actions))
    assert {(await world.action(each)).state for each in actions} == {"held"}


@pytest.mark.parametrize("fault", ["stored", "not stored"])
async def test_a_draw_that_fails_draws_the_same_when_it_is_repeated(fault: str) -> None:
    """Whether it was stored or not: asked again there is one draw, and it stays."""
    faults = Faults()
    world = World(faults=faults)
    names = tuple(each.id for each in await several(world))
    faults.at[faults.writes + 1] = "stored" if fault == "stored" else "not stored"
    try:
        first = await world.plane.batches.draw(RITA, names)
    except StoreError:
        first = await world.plane.batches.draw(RITA, names)

    assert await world.plane.batches.draw(RITA, names) == first


# -- what is learnt --------------------------------------------------------------------------------------------


@pytest.mark.proves("approval.corrections")
async def test_what_people_made_of_requests_is_told_with_what_came_of_it() -> None:
    """A change, a no and a note teach something, a plain yes does not; nothing that still waits is told."""
    world = World()
    changed, rejected, noted, plain, waiting = await several(world, 5)
    await world.plane.inquiring.ask(changed.id, RITA, "why?")
    await world.plane.approvals.modify(changed.id, RITA, {"n": 15}, note="the box holds fifteen")
    await world.plane.approvals.reject(rejected.id, RITA, note="too many")
    await world.plane.approvals.approve(noted.id, RITA, note="this once")
    await world.plane.approvals.approve(plain.id, RITA)
    await world.work()

    told = [each async for each in world.plane.correcting.corrections()]
    every = [each async for each in world.plane.correcting.corrections(every=True)]

    assert [(each.action, each.verdict, each.note, each.state) for each in reversed(told)] == [
        (changed.id, "modified", "the box holds fifteen", "done"),
        (rejected.id, "rejected", "too many", "rejected"),
        (noted.id, "approved", "this once", "done"),
    ]
    first = told[-1]
    assert (first.requested, first.decided, first.questions) == ({"n": 20}, {"n": 15}, (("why?", ""),))
    assert {each.action for each in every} == {changed.id, rejected.id, noted.id, plain.id}
    assert waiting.id not in {each.action for each in every}
    assert correction_of(stripped(await world.action(changed), "erased"), contract()) is None
