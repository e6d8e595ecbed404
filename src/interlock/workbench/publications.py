"""Policies come into force, with as many people as that takes."""

from pathlib import Path

import msgspec

from interlock.bootstrap.site import definition, read_site
from interlock.domain.brakes import Brake
from interlock.domain.control import Alarm
from interlock.domain.ids import Person
from interlock.domain.people import UNNAMED
from interlock.domain.policy import Engine
from interlock.domain.publication import Publication
from interlock.services.publishing import Applied
from interlock.services.reviewing import Review
from interlock.workbench.finding import find_publication
from interlock.workbench.planes import reading, working

REPLAYED = 20_000
"""How many of the newest recorded decisions a review asks again, unless told."""


class Brought(msgspec.Struct, frozen=True, kw_only=True):
    """What publishing came to, and what stands in its way."""

    applied: Applied
    began: Path | None
    """The store that was made for it, and a new log with it."""
    brakes: tuple[Brake, ...]
    alarm: Alarm | None


class Proposed(msgspec.Struct, frozen=True, kw_only=True):
    """A publication, and whose word it waits for."""

    publication: Publication
    waits_for: str = ""
    """In words; empty where it is not open."""


class EngineState(msgspec.Struct, frozen=True, kw_only=True):
    """What answers for the policies, in every process."""

    engine: Engine
    alarm: Alarm | None


async def published(folder: Path, *, by: Person | None, why: str = "") -> Brought:
    """Put what the workspace says in force, or where that takes somebody else's word, propose it. Raises InterlockError."""
    site = read_site(folder)
    wanted, store = definition(site), site.workspace.settings.store
    began = None if store.exists() else store
    async with working(folder, begin=True) as plane:
        applied = await plane.publisher.publish(wanted, by=by or UNNAMED, why=why)
        brakes = tuple(await plane.braking.brakes())
        alarm = (await plane.orders.refresh()).control.alarm
    return Brought(applied=applied, began=began, brakes=brakes, alarm=alarm)


async def pending(folder: Path, *, everything: bool = False) -> tuple[Proposed, ...]:
    """What waits for somebody's word, and with `everything` what ended."""
    async with reading(folder) as plane:
        found = [each for each in await plane.consenting.publications() if everything or each.state == "open"]
        return tuple(
            [
                Proposed(
                    publication=each,
                    waits_for=(await plane.consenting.waits_for(each)).words if each.state == "open" else "",
                )
                for each in found
            ]
        )


async def reviewed(folder: Path, publication: str, *, newest: int = REPLAYED) -> Review:
    """What a publication (its id, or the end of it) would change. Raises NotFound."""
    async with reading(folder) as plane:
        found = await find_publication(plane, publication)
        return await plane.reviewing.review(found.id, limit=newest)


async def accepted(folder: Path, publication: str, person: Person, *, note: str = "") -> Proposed:
    """The person's agreement. With the last one it takes, it is in force in every process when this returns.

    Raises NotFound, NotAllowed, IllegalMove.
    """
    async with working(folder) as plane:
        found = await find_publication(plane, publication)
        after = await plane.consenting.accept(found.id, person, note=note)
        waits = (await plane.consenting.waits_for(after)).words if after.state == "open" else ""
    return Proposed(publication=after, waits_for=waits)


async def withdrawn(folder: Path, publication: str, person: Person) -> Publication:
    """Take a publication back. Raises NotFound, NotAllowed, IllegalMove."""
    async with working(folder) as plane:
        found = await find_publication(plane, publication)
        return await plane.consenting.withdraw(found.id, person)


async def engine_in_force(folder: Path) -> EngineState:
    """What answers for the policies now."""
    async with reading(folder) as plane:
        control = (await plane.orders.refresh()).control
    return EngineState(engine=control.engine, alarm=control.alarm)


async def engine_used(folder: Path, engine: Engine, person: Person, *, why: str) -> EngineState:
    """Have `engine` answer from now on. Raises NotAllowed."""
    async with working(folder) as plane:
        control = await plane.engines.use(engine, by=person, why=why)
    return EngineState(engine=control.engine, alarm=control.alarm)
