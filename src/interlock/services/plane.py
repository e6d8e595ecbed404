"""The services as one bundle: what a surface receives."""

from dataclasses import dataclass

from interlock.services.deciding import Decider
from interlock.services.means import Means
from interlock.services.orders import StandingOrders
from interlock.services.parts.access import Access, access
from interlock.services.parts.acting import Acting, acting
from interlock.services.parts.agency import Agency, agency
from interlock.services.parts.evidence import Evidence, evidence
from interlock.services.parts.governing import Governing, governing
from interlock.services.parts.groundwork import groundwork
from interlock.services.parts.oversight import Oversight, oversight


@dataclass(frozen=True, kw_only=True)
class ControlPlane(Acting, Oversight, Governing, Agency, Access, Evidence):
    """Everything a surface may ask for."""

    means: Means
    orders: StandingOrders
    decider: Decider

    async def close(self) -> None:
        """Let go of what is read from the log, and of the store. Idempotent."""
        await self.searching.close()
        await self.figures.close()
        await self.means.store.close()


def plane(means: Means) -> ControlPlane:
    """Put the parts together; a service that two parts brought, or none, is an error at once."""
    ground = groundwork(means)
    reading = evidence(means, ground)
    governs = governing(means, ground)
    if means.upstreams is not None:
        means.upstreams.watch(governs.drifts)
    return ControlPlane(
        means=means,
        orders=ground.orders,
        decider=ground.decider,
        **vars(reading),
        **vars(acting(means, ground)),
        **vars(oversight(means, ground, reading)),
        **vars(governs),
        **vars(agency(means, ground)),
        **vars(access(means, ground)),
    )
