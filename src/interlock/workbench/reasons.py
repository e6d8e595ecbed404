"""Why an action was decided as it was, and how another would be."""

from pathlib import Path

from interlock.bootstrap.tending import explainer
from interlock.domain.bundle import Bundle
from interlock.domain.explanation import Explanation
from interlock.services.explaining import Explaining
from interlock.services.plane import ControlPlane
from interlock.services.trying import Hypothesis, Trying
from interlock.workbench.finding import find_action
from interlock.workbench.planes import of_files, reading, supposing
from interlock.workbench.sides import FILES, IN_FORCE

DECIDED = "decided"


async def explained(folder: Path, action: str, *, by: str = DECIDED, values: bool = False) -> Explanation:
    """Why the action of that id, or whose id ends so, was decided as it was; `by` the policies that `decided` it, those
    `in-force`, those in `files`, or those of a digest. Raises InterlockError."""
    async with reading(folder) as plane:
        explaining = explaining_of(plane)
        found = await find_action(plane, action)
        return await explaining.recorded(found, await _bundle(folder, plane, explaining, by), values=values)


async def tried(folder: Path, wanted: Hypothesis, *, by: str = FILES, values: bool = False) -> Explanation:
    """How `wanted` would be decided `by` the policies in `files` or by those `in-force`. Nothing is proposed, recorded or
    touched. Raises InterlockError."""
    async with reading(folder) if by == IN_FORCE else supposing(folder) as plane:
        trying = Trying(
            orders=plane.orders,
            decider=plane.decider,
            explaining=explaining_of(plane),
            clock=plane.means.clock,
            tenant=plane.means.tenant,
        )
        return await trying.tried(wanted, values=values)


def explaining_of(plane: ControlPlane) -> Explaining:
    """What accounts for decisions, in this workspace."""
    means = plane.means
    return Explaining(
        store=means.store, orders=plane.orders, policies=means.policies, explainer=explainer(), tenant=means.tenant
    )


async def _bundle(folder: Path, plane: ControlPlane, explaining: Explaining, name: str) -> Bundle | None:
    match name:
        case "decided":
            return None
        case "in-force":
            return await explaining.in_force()
        case "files":
            return of_files(folder, plane)
        case _:
            return await explaining.bundle(name)
