"""The part of the plane where people decide: what waits for them, what they see, ask, say and are told."""

from dataclasses import dataclass

from interlock.services.approvals import Approvals
from interlock.services.batches import Batches
from interlock.services.correcting import Correcting
from interlock.services.dossiers import Dossiers
from interlock.services.drafting import Drafts
from interlock.services.exceptions import Exceptions
from interlock.services.inbox import Inbox
from interlock.services.inquiring import Inquiring
from interlock.services.means import Means
from interlock.services.notifying import Notifying
from interlock.services.parts.evidence import Evidence
from interlock.services.parts.groundwork import Groundwork
from interlock.services.seeding import Seeding


@dataclass(frozen=True, kw_only=True)
class Oversight:
    """Approvals, and everything around them."""

    approvals: Approvals
    batches: Batches
    inquiring: Inquiring
    correcting: Correcting
    dossiers: Dossiers
    inbox: Inbox
    exceptions: Exceptions
    notifying: Notifying
    seeding: Seeding


def oversight(m: Means, g: Groundwork, reading: Evidence) -> Oversight:
    """Put together where people decide; `reading` is where dossiers compare and exceptions are looked up."""
    approvals = Approvals(
        store=m.store,
        orders=g.orders,
        decider=g.decider,
        cases=g.cases,
        recorder=g.recorder,
        clock=m.clock,
        ids=m.ids,
        waiting=g.waiting,
    )
    return Oversight(
        approvals=approvals,
        batches=Batches(store=m.store, orders=g.orders, approvals=approvals, clock=m.clock, ids=m.ids),
        inquiring=Inquiring(
            store=m.store, orders=g.orders, waiting=g.waiting, recorder=g.recorder, clock=m.clock, door=g.door
        ),
        correcting=Correcting(store=m.store, orders=g.orders),
        dossiers=Dossiers(
            store=m.store,
            orders=g.orders,
            policies=m.policies,
            clock=m.clock,
            recorder=g.recorder,
            figures=reading.figures,
            explaining=g.explaining,
        ),
        inbox=Inbox(store=m.store, orders=g.orders),
        exceptions=Exceptions(m.store, reading.searching, approvals),
        notifying=Notifying(
            store=m.store,
            log=m.log,
            orders=g.orders,
            clock=m.clock,
            ids=m.ids,
            channels=m.channels,
            notifiers=m.notifiers,
            public_url=m.public_url,
        ),
        seeding=Seeding(
            store=m.store,
            orders=g.orders,
            drafts=Drafts(m.clock, m.ids),
            judging=g.judging,
            tasks=g.tasks,
            clock=m.clock,
            ids=m.ids,
            watch=m.watch,
        ),
    )
