"""The part of the plane that reads the log: what is found, counted, verified, erased and reported lost."""

from dataclasses import dataclass

from interlock.services.audit import Audit
from interlock.services.erasing import Erasing
from interlock.services.figures import Figures
from interlock.services.losing import Losing
from interlock.services.means import Means
from interlock.services.parts.groundwork import Groundwork
from interlock.services.searching import Searching
from interlock.services.warming import Warming


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What was recorded, and what is made from it."""

    searching: Searching
    figures: Figures
    warming: Warming
    audit: Audit
    erasing: Erasing
    losing: Losing


def evidence(m: Means, g: Groundwork) -> Evidence:
    """Put together what reads the log."""
    searching = Searching(store=m.store, log=m.log, index=m.index)
    figures = Figures(store=m.store, log=m.log, orders=g.orders, clock=m.clock, rollups=m.rollups)
    return Evidence(
        searching=searching,
        figures=figures,
        warming=Warming(store=m.store, searching=searching, figures=figures),
        audit=Audit(store=m.store, log=m.log, verifying=m.verifying),
        erasing=Erasing(store=m.store, orders=g.orders, clock=m.clock, ids=m.ids, retention=m.retention),
        losing=Losing(store=m.store, log=m.log, orders=g.orders, clock=m.clock, ids=m.ids, verifying=m.verifying),
    )
