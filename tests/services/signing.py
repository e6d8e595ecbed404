"""A world of people who sign in, for tests."""

from collections.abc import Mapping

from interlock.adapters.memory import Faults
from interlock.domain.ids import Person
from interlock.domain.login import Session
from interlock.services.plane import ControlPlane
from interlock.services.signing_in import Signed
from interlock.testing.world import World, contract

RITA, BEN, ADA, IVO = map(Person, ("rita", "ben", "ada", "ivo"))
ROLES: Mapping[Person, tuple[str, ...]] = {
    RITA: ("reviewer",),
    BEN: ("viewer",),
    ADA: ("admin",),
    IVO: ("auditor",),
    Person("ria"): ("reviewer", "lead"),
    Person("ana"): ("reviewer",),
}
GOOD = "five words do very well"


async def people(faults: Faults | None = None) -> World:
    """A world in which they are in force."""
    world = World(faults=faults)
    world.people = dict(ROLES)
    await world.apply(contract())
    return world


async def leave(world: World, person: Person, *, keeps: tuple[str, ...] = ()) -> None:
    """Take a person out of people.yaml, or leave them only some roles."""
    world.people.pop(person)
    if keeps:
        world.people[person] = keeps
    await world.apply(contract())


async def by_link(world: World, person: Person = RITA, process: ControlPlane | None = None) -> Signed:
    """Somebody signed in by a link."""
    plane = process or world.plane
    token, _ = await plane.signing_in.offer(person, by="ada")
    return await plane.signing_in.by_link(token)


async def secured(world: World, person: Person = RITA, password: str = GOOD) -> Session:
    """Somebody with a password; the session in which they set it."""
    signed = await by_link(world, person)
    await world.plane.signing_in.set_password(person, password, session=signed.session)
    return signed.session
