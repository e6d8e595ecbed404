"""Audit: the log itself, newest first, its signed head and anchors, and a button that recomputes it."""

from typing import Final

import anyio
import msgspec
from litestar import Response, get, post
from litestar.types import ControllerRouterHandler

from interlock.console.given import said
from interlock.console.render import page
from interlock.domain.account import told
from interlock.domain.actor import Actor
from interlock.domain.errors import ContractError, InterlockError
from interlock.domain.evidence import Entry, Verification
from interlock.services.examining import live_probes
from interlock.services.plane import ControlPlane
from interlock.web.live import log_size
from interlock.web.parts import Asked, Plane

PAGE: Final = 50
ANCHORS: Final = 10
WHOLE: Final = 3_000
"""A log of at most so many entries is recomputed while somebody waits; of a longer one some are proven, and the command is
named that recomputes all of it."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the log."""

    index: int
    at: str
    subject: str
    phase: str
    action: str
    state: str
    name: str


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """What recomputing came to."""

    whole: Verification | None = None
    some: str = ""
    problem: str = ""
    """What is wrong, where only some were asked."""
    next: str = ""


@get("/audit", opt={"needs": "see"}, include_in_schema=False)
async def audit(request: Asked, plane: Plane) -> Response[str]:
    """The log, from its end or from before an entry."""
    return await _page(request, plane, None)


@post("/audit/verify", opt={"needs": "see"}, include_in_schema=False, status_code=200)
async def verify(request: Asked, plane: Plane) -> Response[str]:
    """Recompute it, or of a long one some. One at a time, whoever asks."""
    lock = _lock(request)
    async with lock:
        found = await _verified(plane)
    return await _page(request, plane, found)


def _lock(request: Asked) -> anyio.Lock:
    """One for the server: recomputing takes its time from everybody."""
    if "verifying" not in request.app.state:
        request.app.state.verifying = anyio.Lock()
    lock: anyio.Lock = request.app.state.verifying
    return lock


async def _verified(plane: ControlPlane) -> Verified:
    try:
        if await log_size(plane.means.log) <= WHOLE:
            return Verified(whole=await plane.audit.verify())
        found = await live_probes(plane)["log"]()
    except InterlockError as error:
        return Verified(problem=error.detail, next=error.next_step)
    return Verified(some="; ".join(each.said for each in found))


async def _page(request: Asked, plane: ControlPlane, verified: Verified | None) -> Response[str]:
    size = await log_size(plane.means.log)
    before = _before(said(request, "before"), size)
    entries = await plane.means.log.entries(max(0, before - PAGE), before)
    anchors = await plane.means.log.marked("anchored")
    actor: Actor | None = request.user
    may = actor is not None and actor.may("audit")
    return page(
        request,
        "audit.html",
        vigilance=await plane.seeding.told(whole=not (actor and actor.may("decide"))) if may else None,
        size=size,
        head=await plane.audit.head() or "",
        lines=[_line(each) for each in reversed(entries)],
        older=max(0, before - PAGE),
        anchors=[_line(each) for each in reversed(anchors[-ANCHORS:])],
        anchoring=plane.means.anchoring is not None,
        verified=verified,
        first=before == size,
        whole=WHOLE,
    )


def _before(text: str, size: int) -> int:
    if not text:
        return size
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise ContractError("an entry has a number", path="/before", next_step="begin without one: `/audit`")
    return min(int(text), size)


def _line(entry: Entry) -> Line:
    found = told(entry.index, entry.leaf)
    if found is None:
        return Line(index=entry.index, at="", subject="?", phase=entry.phase, action="", state="", name="")
    return Line(
        index=entry.index,
        at=found.at,
        subject=found.subject,
        phase=found.phase,
        action=found.action,
        state=found.state,
        name=found.name.rpartition(":")[2],
    )


ROUTES: list[ControllerRouterHandler] = [audit, verify]
