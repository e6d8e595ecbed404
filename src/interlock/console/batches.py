"""Several alike, decided on together.

1. They are chosen in the list; one of them is drawn by lot.
2. The page shows the one drawn in full, which is recorded as any dossier that is opened, and of the others in what they differ.
3. One word is said on all. Each gets it by itself, about what the page showed of it; what changed meanwhile is left, and said.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from interlock.console.approvals import listed_for, values_of
from interlock.console.given import lead_to
from interlock.console.render import page
from interlock.console.sent import note_of, sent_by, view_of
from interlock.domain.actor import Actor
from interlock.domain.batch import MOST, Batch, BatchResult
from interlock.domain.dossier import Dossier
from interlock.domain.errors import ContractError, InterlockError, NotAllowed, NotFound, StaleView
from interlock.domain.ids import ActionId
from interlock.services.plane import ControlPlane
from interlock.web.parts import Asked, Plane, Who

DECIDE: Final = {"needs": "decide"}
VIEW: Final = "view."
"""Before an action's id: what the page showed of it."""


@post("/approvals/batch", opt=DECIDE, include_in_schema=False, status_code=303)
async def choose(request: Asked, plane: Plane, actor: Who) -> Response[Any]:
    """Draw one of those chosen. Where they cannot be decided on together, the list says why."""
    chosen = [str(each) for each in (await request.form()).getall("action", [])[: MOST + 1]]
    try:
        batch = await plane.batches.draw(actor.person, tuple(map(ActionId, chosen)))
    except (NotAllowed, NotFound) as error:
        listed = await listed_for(request, plane, actor.person)
        values: dict[str, Any] = {**values_of(request, listed, None, chosen=False), "refused": error, "said": None}
        return page(request, "approvals.html", wrong=error, **values)
    return lead_to(f"/approvals/batch/{quote(batch.id, safe='')}")


@get("/approvals/batch/{batch:str}", opt=DECIDE, include_in_schema=False)
async def look(request: Asked, plane: Plane, actor: Who, batch: FromPath[str]) -> Response[str]:
    """The one drawn, in full; and all of them, side by side."""
    return await _page(request, plane, actor, await plane.batches.of(batch, actor.person))


@post("/approvals/batch/{batch:str}/decide", opt=DECIDE, include_in_schema=False, status_code=200)
async def decide(request: Asked, plane: Plane, actor: Who, batch: FromPath[str]) -> Response[Any]:
    """One word on each."""
    drawn, sent = await plane.batches.of(batch, actor.person), await sent_by(request)
    try:
        result = await plane.batches.decide(
            drawn.id,
            actor.person,
            "reject" if sent.get("verdict") == "reject" else "approve",
            note=note_of(sent),
            views={each: view_of(sent, VIEW + each) for each in drawn.actions},
            session=actor.session,
        )
    except (NotAllowed, ContractError, StaleView) as error:
        return await _page(request, plane, actor, drawn, sent=sent, problem=error)
    return await _page(request, plane, actor, drawn, sent=sent, result=result)


async def _page(
    request: Asked,
    plane: ControlPlane,
    actor: Actor,
    batch: Batch,
    *,
    sent: Mapping[str, str] | None = None,
    problem: InterlockError | None = None,
    result: BatchResult | None = None,
) -> Response[str]:
    drawn = await plane.dossiers.shown(batch.drawn, actor)
    others = [await plane.dossiers.of(each, actor.person) for each in batch.actions if each != batch.drawn]
    each_of = (drawn, *others)
    same, apart = compared(each_of)
    return page(
        request,
        "batch.html",
        wrong=problem,
        batch=batch,
        d=drawn,
        all=each_of,
        waiting=[each for each in each_of if each.state == "held"],
        same=same,
        apart=apart,
        changing=any(row.kind not in ("same", "set") for each in each_of for row in each.changes),
        reasons=any(each.justification or each.unusual for each in each_of),
        note=(sent or {}).get("note", ""),
        verdict="reject" if (sent or {}).get("verdict") == "reject" else "approve",
        problem=problem,
        result=result,
        why={} if result is None else {each.action: each.why for each in result.left},
    )


def compared(dossiers: Sequence[Dossier]) -> tuple[dict[str, str], tuple[str, ...]]:
    """The arguments that are the same in all of them, with what they are; and the names of the others."""
    texts = [{each.name: each.text for each in dossier.arguments} for dossier in dossiers]
    names = list(dict.fromkeys(name for each in texts for name in each))
    same = {name: texts[0].get(name, "") for name in names if len({each.get(name) for each in texts}) == 1}
    return same, tuple(name for name in names if name not in same)


ROUTES: list[HTTPRouteHandler] = [choose, look, decide]
