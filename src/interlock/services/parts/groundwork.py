"""What several parts of the plane stand on: standing orders, how it is decided, judged and recorded, who is let in."""

from dataclasses import dataclass

from interlock.services.admission import Admission, Door
from interlock.services.breaker import Breakers
from interlock.services.cases import Cases
from interlock.services.counting import Counting
from interlock.services.deciding import Decider
from interlock.services.editions import Editions
from interlock.services.engines import Engines
from interlock.services.explaining import Explaining
from interlock.services.judging import Judging
from interlock.services.means import Means
from interlock.services.orders import StandingOrders
from interlock.services.recorder import Recorder
from interlock.services.tasks import Tasks
from interlock.services.waiting import Waiting


@dataclass(frozen=True, kw_only=True)
class Groundwork:
    """Services that more than one part needs, each made once: some of them remember."""

    orders: StandingOrders
    engines: Engines
    decider: Decider
    cases: Cases
    breakers: Breakers
    recorder: Recorder
    counting: Counting
    waiting: Waiting
    admission: Admission
    door: Door
    tasks: Tasks
    editions: Editions
    judging: Judging
    explaining: Explaining | None


def groundwork(m: Means) -> Groundwork:
    """Make what the parts share."""
    orders = StandingOrders(m.store, m.policies)
    engines = Engines(m.store, orders, m.clock)
    decider = Decider(m.effectors, m.store, m.clock, m.tenant, engines, m.parser)
    breakers = Breakers(m.store, orders, m.clock, m.ids)
    recorder = Recorder(m.store, orders, m.clock, m.steps, breakers)
    admission = Admission(issuer=m.issuer, tenant=m.tenant, clock=m.clock)
    judging = Judging(
        orders=orders,
        decider=decider,
        effectors=m.effectors,
        clock=m.clock,
        steps=m.steps,
        timing=m.timing,
        worker=m.worker,
    )
    explaining = (
        Explaining(store=m.store, orders=orders, policies=m.policies, explainer=m.explainer, tenant=m.tenant)
        if m.explainer is not None
        else None
    )
    return Groundwork(
        orders=orders,
        engines=engines,
        decider=decider,
        cases=Cases(m.store, orders),
        breakers=breakers,
        recorder=recorder,
        counting=Counting(m.store, orders, m.clock, m.timing),
        waiting=Waiting(store=m.store, orders=orders, recorder=recorder, clock=m.clock),
        admission=admission,
        door=m.door or admission,
        tasks=Tasks(store=m.store, orders=orders, clock=m.clock, ids=m.ids),
        editions=Editions(m.store, orders, m.policies),
        judging=judging,
        explaining=explaining,
    )
