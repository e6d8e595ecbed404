"""The part of the plane that governs: what is published, consented to, tried and accounted for."""

from dataclasses import dataclass

from interlock.services.baselines import Baselines
from interlock.services.consenting import Consenting
from interlock.services.drifts import Drifts
from interlock.services.engines import Engines
from interlock.services.explaining import Explaining
from interlock.services.means import Means
from interlock.services.parts.groundwork import Groundwork
from interlock.services.publishing import Publisher
from interlock.services.registry import Registry
from interlock.services.reviewing import Reviewing
from interlock.services.servers import Servers
from interlock.services.trying import Trying
from interlock.services.whatif import WhatIf


@dataclass(frozen=True, kw_only=True)
class Governing:
    """Contracts, policies and baselines, and what may be asked of them."""

    registry: Registry
    publisher: Publisher
    consenting: Consenting
    reviewing: Reviewing
    baselines: Baselines
    engines: Engines
    drifts: Drifts
    servers: Servers
    whatif: WhatIf
    explaining: Explaining | None
    """What accounts for decisions; None where nothing can say in words why a policy is satisfied."""
    trying: Trying | None
    """How what nobody proposed would be decided; None as above."""


def _unpinned(_: str) -> None:
    """Where no server is reached, none is pinned."""


def governing(m: Means, g: Groundwork) -> Governing:
    """Put together what governs."""
    pins = _unpinned if m.upstreams is None else m.upstreams.pinned
    drifts = Drifts(store=m.store, clock=m.clock, worker=m.worker, pins=pins)
    whatif = WhatIf(m.store, m.policies, m.tenant)
    consenting = Consenting(store=m.store, orders=g.orders, editions=g.editions, policies=m.policies, clock=m.clock)
    publisher = Publisher(
        store=m.store, orders=g.orders, editions=g.editions, consenting=consenting, clock=m.clock, ids=m.ids
    )
    return Governing(
        registry=Registry(publisher=publisher),
        publisher=publisher,
        consenting=consenting,
        reviewing=Reviewing(consenting=consenting, orders=g.orders, editions=g.editions, whatif=whatif),
        baselines=Baselines(store=m.store, orders=g.orders, editions=g.editions, publisher=publisher, clock=m.clock),
        engines=g.engines,
        drifts=drifts,
        servers=Servers(upstreams=m.upstreams, drifts=drifts, orders=g.orders),
        whatif=whatif,
        explaining=g.explaining,
        trying=Trying(orders=g.orders, decider=g.decider, explaining=g.explaining, clock=m.clock, tenant=m.tenant)
        if g.explaining is not None
        else None,
    )
