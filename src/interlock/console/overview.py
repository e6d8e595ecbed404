"""Where one begins: what waits, what is stopped, what is unknown, six figures with their course; and the measures of people."""

from collections.abc import Mapping
from functools import partial
from typing import Final

from litestar import Response, get
from litestar.types import ControllerRouterHandler

from interlock.console.given import said
from interlock.console.render import page
from interlock.console.sparkline import sparkline
from interlock.console.words import lasting
from interlock.domain.duration import DAY
from interlock.domain.errors import ContractError
from interlock.domain.figure import BY, By, Figure, Unit
from interlock.web.parts import Asked, Plane

SPANS: Final[Mapping[str, int]] = {"24h": DAY, "7d": 7 * DAY, "30d": 30 * DAY, "90d": 90 * DAY}
NAMES: Final[Mapping[str, str]] = {
    "tasks": "Tasks",
    "task_error": "Tasks with an error",
    "escalation": "Asked of people",
    "policy_blocks": "Blocked by policy",
    "p95_latency": "19 of 20 take at most",
    "cost_per_task": "Models cost, a task",
    "approved_unchanged": "Approved as it was",
    "time_to_resolution_p50": "Half answered within",
    "time_to_resolution_p95": "19 of 20 within",
    "error_after_approval": "Went wrong after a yes",
    "asked_in_vain": "Asked in vain",
    "expired": "Nobody answered",
    "known_bad_caught": "Known-bad items caught",
}
"""Figures in words, in front of their values."""


@get("/", opt={"needs": "see"}, include_in_schema=False)
async def overview(request: Asked, plane: Plane) -> Response[str]:
    """The first page. Figures are those that were read from the log already; the page says how far that is."""
    span = _span(request, "24h")
    found = await plane.figures.overview(SPANS[span])
    control = (await plane.orders.current()).control
    return page(
        request,
        "overview.html",
        found=found,
        span=span,
        spans=list(SPANS),
        names=NAMES,
        sparkline=sparkline,
        value=value,
        control=control,
        suspended=[name for name, each in sorted(control.agents.items()) if each.state == "suspended"],
    )


@get("/measures", opt={"needs": "see"}, include_in_schema=False)
async def measures(request: Asked, plane: Plane) -> Response[str]:
    """How people rule on what they are asked: for all, or by agent, contract, policy or reviewer."""
    span, by = _span(request, "30d"), _by(said(request, "by") or "all")
    found = await plane.figures.measures(by, SPANS[span])
    return page(
        request,
        "measures.html",
        found=found,
        by=by,
        all_by=BY,
        span=span,
        spans=[each for each in SPANS if each != "24h"],
        names=NAMES,
        value=value,
        range_of=range_of,
    )


def value(unit: Unit, number: int | None) -> str:
    """A figure's value for a person."""
    if number is None:
        return "-"
    match unit:
        case "per_mille":
            return f"{number / 10:.1f} %"
        case "ms":
            return lasting(number)
        case "usd_micro":
            return f"${number / 1_000_000:,.4f}" if number else "$0"
        case "count":
            return f"{number:,}"


def range_of(figure: Figure) -> str:
    """What is healthy of it, in words."""
    return "" if figure.healthy is None else figure.healthy.words(partial(value, figure.unit))


def _span(request: Asked, unless: str) -> str:
    span = said(request, "span") or unless
    if span not in SPANS:
        raise ContractError(f"there is no span `{span[:20]}`", path="/span", next_step=f"one of {', '.join(SPANS)}")
    return span


def _by(word: str) -> By:
    for each in BY:
        if word == each:
            return each
    raise ContractError(f"measures are not kept by `{word[:20]}`", path="/by", next_step=f"one of {', '.join(BY)}")


ROUTES: list[ControllerRouterHandler] = [overview, measures]
