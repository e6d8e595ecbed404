"""Breaking the glass: what it opens, for whom, for how long, and what the log says of it."""

import pytest

from interlock.adapters.memory import Fault, Faults
from interlock.domain.duration import MINUTE
from interlock.domain.errors import ContractError, IllegalMove, NotAllowed, StoreError
from interlock.domain.ids import Person
from interlock.domain.login import Login, handle_of
from interlock.services.glass import LASTS_MS
from interlock.testing.conformance.audit import predicate
from interlock.testing.world import World
from tests.services.signing import ADA, BEN, IVO, RITA, ROLES
from tests.services.test_approvals import ask, held
from tests.services.test_signing_in import entries, opened

pytestmark = pytest.mark.anyio
WHY = "the lead is on a plane and prices are wrong"


def world_of(faults: Faults | None = None) -> World:
    """A world in which only leads are asked, and rita is none."""
    world = World(faults=faults)
    world.people = dict(ROLES)
    return world


@pytest.mark.proves("access.glass")
async def test_who_broke_it_decides_and_the_word_says_so() -> None:
    """Not asked before, able to while it lasts, and not after; the word names the broken glass, whose entry says why."""
    world = world_of()
    action = await held(world, ask(10, role="lead"))
    with pytest.raises(NotAllowed, match="not asked here"):
        await world.plane.approvals.approve(action.id, RITA)
    glass = await world.plane.breaking.begin(RITA, why=WHY)
    assert (await world.plane.dossiers.of(action.id, RITA)).may_do("approve")
    assert not (await world.plane.dossiers.of(action.id, BEN)).may_do("approve")

    after = await world.plane.approvals.approve(action.id, RITA, note="it is right")

    assert after.state == "ready"
    said = [predicate(each) for each in world.store._truth.entries if each.phase == "approved"]
    assert (said[-1]["approvals"][0]["glass"], said[-1]["approvals"][0]["roles"]) == (glass.id, ["lead", "reviewer"])
    (broken,) = entries(world)
    assert (broken.phase, opened(broken)) == ("glass_broken", {"by": "rita", "person": "rita", "why": WHY})


@pytest.mark.proves("access.glass")
async def test_it_ends_by_itself_and_by_a_word() -> None:
    """After half an hour, or once it was ended by its person or somebody else, in every process."""
    world = world_of()
    other = world.another("w2")
    action = await held(world, ask(10, role="lead"))
    assert LASTS_MS == 30 * MINUTE
    for ends in (lambda: world.clock.advance(LASTS_MS), None):
        await world.plane.breaking.begin(RITA, why=WHY)
        with pytest.raises(IllegalMove):
            await other.breaking.begin(RITA, why=WHY)
        if ends is not None:
            ends()
        else:
            assert await other.breaking.end(RITA, by=ADA)
            assert not await other.breaking.end(RITA, by=ADA)
        with pytest.raises((NotAllowed, IllegalMove)):
            await world.plane.approvals.approve(action.id, RITA)
    assert [each.phase for each in entries(world)] == ["glass_broken", "glass_broken", "ended"]


@pytest.mark.proves("access.glass")
async def test_nobody_decides_on_their_own_request_through_it() -> None:
    """The initiator's word does not count, whatever they broke; nor do two words of one person make two."""
    world = world_of()
    action = await held(world, ask(10, role="lead", quorum=2))
    own = Person(action.initiator.removeprefix("user:"))
    assert own in world.people
    await world.plane.breaking.begin(own, why=WHY)
    with pytest.raises(NotAllowed, match="asked for this"):
        await world.plane.approvals.approve(action.id, own)
    await world.plane.breaking.begin(RITA, why=WHY)
    once = await world.plane.approvals.approve(action.id, RITA)
    assert once.state == "held"
    with pytest.raises(NotAllowed, match="already"):
        await world.plane.approvals.approve(action.id, RITA)


@pytest.mark.proves("access.glass_here")
async def test_it_counts_where_it_was_broken_and_nowhere_else() -> None:
    """Broken in one session it widens that session's words and views alone: not another session's, not a key's, not the
    machine's; broken at the machine, the machine's."""
    world = world_of()
    action = await held(world, ask(10, role="lead"))
    plane = world.plane
    await plane.breaking.begin(RITA, why=WHY, session="broke-it")
    for elsewhere in ("another", "a-key", ""):
        for word in (
            plane.approvals.approve(action.id, RITA, session=elsewhere),
            plane.approvals.reject(action.id, RITA, note="no", session=elsewhere),
            plane.approvals.modify(action.id, RITA, {"n": 3}, session=elsewhere),
            plane.approvals.weigh(action.id, RITA, {"n": 3}, session=elsewhere),
        ):
            with pytest.raises(NotAllowed, match="not asked here"):
                await word
        assert not (await plane.dossiers.of(action.id, RITA, session=elsewhere)).may_do("approve")
    assert (await plane.dossiers.of(action.id, RITA, session="broke-it")).may_do("approve")
    assert (await plane.approvals.weigh(action.id, RITA, {"n": 3}, session="broke-it")).verdict == "allow"
    await plane.breaking.end(RITA, by=RITA)
    await plane.breaking.begin(RITA, why=WHY)

    with pytest.raises(NotAllowed):
        await plane.approvals.approve(action.id, RITA, session="broke-it")
    assert (await plane.approvals.approve(action.id, RITA)).state == "ready"


@pytest.mark.parametrize("person", [BEN, IVO, Person("mallory")])
async def test_who_only_reads_breaks_none(person: Person) -> None:
    """Viewers, auditors, and whoever is nobody."""
    world = world_of()
    await held(world)

    with pytest.raises(NotAllowed):
        await world.plane.breaking.begin(person, why=WHY)


@pytest.mark.parametrize("why", ["", "   ", "because", "x" * 501])
async def test_it_takes_a_reason(why: str) -> None:
    """One that says something, and that somebody reads."""
    world = world_of()
    await held(world)

    with pytest.raises(ContractError):
        await world.plane.breaking.begin(RITA, why=why)


@pytest.mark.parametrize("fault", ["stored", "not stored"])
async def test_when_the_store_fails(fault: Fault) -> None:
    """Broken with an entry, or not at all."""
    faults = Faults()
    world = world_of(faults)
    await held(world)
    faults.at[faults.writes + 1] = fault
    try:
        await world.plane.breaking.begin(RITA, why=WHY)
    except StoreError:
        assert fault == "not stored"
    login = await world.store.get(Login, handle_of("rita"))
    broken = login is not None and login.glass is not None
    assert broken == (len(entries(world)) == 1) == (fault == "stored")
