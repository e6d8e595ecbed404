"""Actions: a list with filters and a search by who, which record and which policy. The address carries all of it."""

from typing import Final

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from interlock.console.given import address, all_said, choices, names_in_force, said
from interlock.console.render import page
from interlock.domain.action import MEANING
from interlock.domain.baseline import UNUSUAL
from interlock.domain.errors import ContractError
from interlock.domain.moment_given import given_moment
from interlock.domain.searched import STATES
from interlock.services.action_list import ActionPage, Sought, listed
from interlock.web.parts import Asked, Plane

FIELDS: Final = ("agent", "contract", "task", "release", "policy", "approver", "initiator", "unusual", "since", "until")
"""What the address may say once; `state` and `touching` it may say several times."""


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """The form as it was sent, to be shown again."""

    values: dict[str, str]
    states: tuple[str, ...]
    touching: str
    more: bool
    """Whether something is said that stands behind "more"."""


@get("/actions", opt={"needs": "see"}, include_in_schema=False)
async def actions(request: Asked, plane: Plane) -> Response[str]:
    """The list. What the address says wrongly is told beside the form, which keeps it."""
    form = Form(
        values={name: said(request, name) for name in FIELDS},
        states=all_said(request, "state"),
        touching=" ".join(all_said(request, "touching")),
        more=any(said(request, name) for name in ("policy", "approver", "initiator", "touching", "unusual", "release")),
    )
    problem: ContractError | None = None
    found = ActionPage(rows=(), next=None, size=None)
    try:
        sought = _sought(form, plane.means.clock.now())
        found = await listed(plane, sought, before=said(request, "before"))
    except ContractError as error:
        problem = error
    names = await names_in_force(plane)
    here = {**form.values, "state": form.states, "touching": form.touching.split()}
    return page(
        request,
        "action_list.html",
        status=200 if problem is None else 422,
        form=form,
        problem=problem,
        found=found,
        older=address("/actions", {**here, "before": found.next}),
        filtered=any(here.values()),
        first=not said(request, "before"),
        agents=choices(names["agent"], form.values["agent"]),
        contracts=choices(names["contract"], form.values["contract"]),
        states=[(each, each.replace("_", " "), MEANING[each]) for each in STATES],
        unusual=[("", "any or none"), ("any", "in anything"), *((each, each) for each in UNUSUAL)],
    )


def _sought(form: Form, now: int) -> Sought:
    """Raises ContractError."""
    values = form.values
    return Sought(
        agent=values["agent"],
        contract=values["contract"],
        states=form.states,
        task=values["task"],
        release=values["release"],
        policy=values["policy"],
        approver=values["approver"],
        initiator=values["initiator"],
        touching=tuple(form.touching.split()),
        unusual=values["unusual"],
        since_at=given_moment(values["since"], now, "since"),
        until_at=given_moment(values["until"], now, "until"),
    )


ROUTES: list[HTTPRouteHandler] = [actions]
