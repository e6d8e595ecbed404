"""A yes with other arguments: typed, weighed, and said once what it comes to has been seen.

Three steps, each a plain form: the arguments; what policy says of them and in what they differ; the yes. What is weighed is
weighed again with the yes, by the same rules.
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from interlock.console.form import Field, at_fault, fields_of, read
from interlock.console.given import lead_to
from interlock.console.render import page
from interlock.console.sent import note_of, sent_by, view_of
from interlock.domain.actor import Actor
from interlock.domain.canonical import JsonValue
from interlock.domain.dossier import Dossier
from interlock.domain.errors import BudgetExceeded, ContractError, IllegalMove, InterlockError, NotAllowed, StaleView
from interlock.domain.ids import ActionId
from interlock.services.approvals import Weighed
from interlock.services.plane import ControlPlane
from interlock.web.parts import Asked, Plane, Who

DECIDE: Final = {"needs": "decide"}
REFUSED: Final = (StaleView, IllegalMove, NotAllowed, ContractError, BudgetExceeded)


@get("/approvals/{action_id:str}/modify", opt=DECIDE, include_in_schema=False)
async def form(request: Asked, plane: Plane, actor: Who, action_id: FromPath[str]) -> Response[str]:
    """The arguments, to be changed."""
    dossier = await plane.dossiers.of(ActionId(action_id), actor.person, session=actor.session)
    return _page(request, dossier, fields_of(dossier.schema, dossier.arguments), {})


@post("/approvals/{action_id:str}/modify", opt=DECIDE, include_in_schema=False, status_code=200)
async def modify(request: Asked, plane: Plane, actor: Who, action_id: FromPath[str]) -> Response[Any]:
    """Weigh what was typed, or with `step=confirm` say yes to it. Whatever is wrong stands beside its field."""
    name, sent = ActionId(action_id), await sent_by(request)
    dossier = await plane.dossiers.of(name, actor.person, session=actor.session)
    changed, fields = read(fields_of(dossier.schema, dossier.arguments), sent)
    wrong = any(each.problem for each in fields)
    if wrong or not changed or sent.get("step") == "back":
        problem = None
        if not changed and not wrong and sent.get("step") != "back":
            problem = ContractError("nothing is different", next_step="change something, or approve it as it is")
        return _page(request, dossier, fields, sent, problem)
    try:
        if sent.get("step") == "confirm":
            return await _said(plane, actor, name, changed, sent)
        weighed = await plane.approvals.weigh(name, actor.person, changed, session=actor.session)
    except REFUSED as error:
        path = error.path if isinstance(error, ContractError) else ""
        return _page(request, dossier, at_fault(fields, path, error.detail) if path else fields, sent, error)
    return _page(request, dossier, fields, sent, weighed=weighed)


async def _said(
    plane: ControlPlane, actor: Actor, name: ActionId, changed: dict[str, JsonValue], sent: Mapping[str, str]
) -> Response[bytes]:
    await plane.approvals.modify(
        name,
        actor.person,
        changed,
        note=note_of(sent),
        view=view_of(sent),
        target=sent.get("target") or None,
        session=actor.session,
    )
    return lead_to(f"/approvals?about={quote(name, safe='')}")


def _page(
    request: Asked,
    dossier: Dossier,
    fields: tuple[Field, ...],
    sent: Mapping[str, str],
    problem: InterlockError | None = None,
    *,
    weighed: Weighed | None = None,
) -> Response[str]:
    return page(
        request,
        "modify.html",
        status=422 if any(each.problem for each in fields) else 200,
        wrong=problem,
        d=dossier,
        fields=fields,
        problem=problem,
        weighed=weighed,
        refused=weighed is not None and weighed.verdict in ("deny", "shadow"),
        note=sent.get("note", ""),
        typed=sent.get("target", ""),
        # What was shown when the form was opened: a change since then is found when the yes is said.
        view=sent.get("view", "") or dossier.view,
    )


ROUTES: list[HTTPRouteHandler] = [form, modify]
