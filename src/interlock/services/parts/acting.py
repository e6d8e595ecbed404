"""The part of the plane that acts: from what is proposed to what was done, settled or undone."""

from dataclasses import dataclass

from interlock.services.calling import Calling
from interlock.services.compensation import Compensation
from interlock.services.dispatch import Dispatch
from interlock.services.drafting import Drafts
from interlock.services.execution import Execution
from interlock.services.gate import Gate
from interlock.services.handing_out import HandingOut
from interlock.services.intents import Intents
from interlock.services.means import Means
from interlock.services.parts.groundwork import Groundwork
from interlock.services.settling import Settling
from interlock.services.undoing import Undoing
from interlock.services.withdrawing import Withdrawing


@dataclass(frozen=True, kw_only=True)
class Acting:
    """The gate, execution, and what follows it."""

    gate: Gate
    execution: Execution
    compensation: Compensation
    settling: Settling
    withdrawing: Withdrawing
    handing_out: HandingOut


def acting(m: Means, g: Groundwork) -> Acting:
    """Put together what acts."""
    calling = Calling(m.effectors)
    intents = Intents()
    drafts = Drafts(m.clock, m.ids)
    dispatch = Dispatch(
        orders=g.orders,
        decider=g.decider,
        cases=g.cases,
        calling=calling,
        recorder=g.recorder,
        clock=m.clock,
        steps=m.steps,
        timing=m.timing,
        worker=m.worker,
        intents=intents,
        log=m.log,
    )
    execution = Execution(
        store=m.store,
        orders=g.orders,
        dispatch=dispatch,
        calling=calling,
        recorder=g.recorder,
        breakers=g.breakers,
        clock=m.clock,
        ids=m.ids,
        steps=m.steps,
        timing=m.timing,
        worker=m.worker,
        intents=intents,
    )
    return Acting(
        gate=Gate(
            store=m.store,
            orders=g.orders,
            drafts=drafts,
            judging=g.judging,
            steps=m.steps,
            intents=intents,
            door=g.door,
        ),
        execution=execution,
        compensation=compensation(m, g, drafts, execution),
        handing_out=HandingOut(
            execution=execution, orders=g.orders, recorder=g.recorder, clock=m.clock, ids=m.ids, timing=m.timing
        ),
        settling=Settling(store=m.store, orders=g.orders, recorder=g.recorder, clock=m.clock, ids=m.ids),
        withdrawing=Withdrawing(store=m.store, recorder=g.recorder),
    )


def compensation(m: Means, g: Groundwork, drafts: Drafts, execution: Execution) -> Compensation:
    """What undoes: every undo is itself drafted, judged and executed."""
    return Compensation(
        store=m.store,
        orders=g.orders,
        tasks=g.tasks,
        undoing=Undoing(store=m.store, orders=g.orders, drafts=drafts, judging=g.judging, steps=m.steps),
        execution=execution,
        recorder=g.recorder,
        clock=m.clock,
        ids=m.ids,
        steps=m.steps,
        places=m.places,
    )
