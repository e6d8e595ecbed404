"""`/v1/audit`, `/v1/figures`, `/v1/budgets` and `/v1/log`: what happened, in rows and in sums."""

from typing import Annotated

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromQuery, QueryParameter

from interlock.api.parts import SEE, Limit, listed
from interlock.domain.action import State
from interlock.domain.duration import DAY, HOUR
from interlock.domain.figure import By, Measures, Overview
from interlock.domain.ids import ActionId, TaskId
from interlock.domain.searched import question
from interlock.domain.vigilance import VigilanceTold
from interlock.services.budget_list import Budgets, Used, budgets_there, used
from interlock.services.searching import Hit
from interlock.web.once import kept
from interlock.web.parts import Asked, Plane, Who


class Hits(msgspec.Struct, frozen=True, kw_only=True):
    """What was found in the log up to `size` entries, newest first."""

    hits: tuple[Hit, ...]
    size: int
    next: str = ""


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The log's latest checkpoint."""

    checkpoint: str
    """A signed note; empty while the log is."""


@get("/v1/audit", opt=SEE)
async def audit(
    request: Asked,
    plane: Plane,
    agent: FromQuery[str] = "",
    contract: FromQuery[str] = "",
    policy: FromQuery[str] = "",
    approver: FromQuery[str] = "",
    initiator: FromQuery[str] = "",
    touching: FromQuery[list[str] | None] = None,
    task: FromQuery[str] = "",
    release: FromQuery[str] = "",
    unusual: FromQuery[str] = "",
    states: FromQuery[list[State] | None] = None,
    since_at: FromQuery[int | None] = None,
    until_at: FromQuery[int | None] = None,
    cursor: FromQuery[str] = "",
    limit: Limit = 50,
) -> Response[Hits]:
    """Actions by what the log says of them: who, what, which policy, who agreed, which record (`touching=order:A-17`)."""
    found = await plane.searching.lately(
        question(
            agent=agent,
            contract=contract,
            policy=policy,
            approver=approver,
            initiator=initiator,
            touching=touching or (),
            task=task,
            release=release,
            unusual=unusual,
            states=states or (),
            since_at=since_at,
            until_at=until_at,
            before=ActionId(cursor) if cursor else None,
            limit=limit,
        )
    )
    page = Hits(hits=found.hits, size=found.size, next=found.hits[-1].action if found.more and found.hits else "")
    return listed(request, page, page.next)


@get("/v1/figures/overview", opt=SEE)
async def overview(
    request: Asked, plane: Plane, hours: Annotated[int, QueryParameter(ge=1, le=9_600)] = 24
) -> Response[Overview]:
    """What agents did over the last hours, as far as the sums have read."""
    return kept(request, await plane.figures.overview(hours * HOUR))


@get("/v1/figures/measures", opt=SEE)
async def measures(
    request: Asked, plane: Plane, by: FromQuery[By] = "all", days: Annotated[int, QueryParameter(ge=1, le=400)] = 30
) -> Response[Measures]:
    """How people and agents work together, over the last days."""
    return kept(request, await plane.figures.measures(by, days * DAY))


@get("/v1/vigilance", opt={"needs": "audit"})
async def vigilance(request: Asked, plane: Plane, actor: Who) -> Response[VigilanceTold]:
    """Items known to be bad that are put before people to see whether they notice, and what came of them. Whoever decides is told
    only of those that are over."""
    return kept(request, await plane.seeding.told(whole=not actor.may("decide")))


@get("/v1/budgets", opt=SEE)
async def budgets(request: Asked, plane: Plane, limit: Limit = 50) -> Response[Budgets]:
    """Budgets in force, and what is left of them."""
    return kept(request, await budgets_there(plane, limit=limit))


@get("/v1/uses", opt=SEE)
async def uses(
    request: Asked, plane: Plane, agent: FromQuery[str] = "", task: FromQuery[str] = "", limit: Limit = 50
) -> Response[Used]:
    """What models were used, and what that took."""
    return kept(request, await used(plane, agent=agent, task=TaskId(task) if task else None, limit=limit))


@get("/v1/log/head", opt=SEE)
async def head(request: Asked, plane: Plane) -> Response[Head]:
    """The latest signed checkpoint, for somebody to keep."""
    return kept(request, Head(checkpoint=await plane.audit.head() or ""))


ROUTES: list[HTTPRouteHandler] = [audit, overview, measures, vigilance, budgets, uses, head]
