"""Addresses of forms, opened as pages. Whoever was told that a word cannot count stands at such an address: loading it again, or
a region of it, leads to the page that the form is on."""

from typing import Final
from urllib.parse import quote

from litestar import Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from interlock.console.given import lead_to

SEE: Final = {"needs": "see"}


@get(
    [f"/approvals/{{action_id:str}}/{word}" for word in ("approve", "reject", "ask", "delegate", "take-back")],
    opt=SEE,
    include_in_schema=False,
)
async def to_approval(action_id: FromPath[str]) -> Response[bytes]:
    """To what is to be decided."""
    return lead_to(f"/approvals/{quote(action_id, safe='')}")


@get(
    [f"/exceptions/{{action_id:str}}/{word}" for word in ("answer", "reject", "hand-on", "ask")],
    opt=SEE,
    include_in_schema=False,
)
async def to_exception(action_id: FromPath[str]) -> Response[bytes]:
    """To what is to be answered."""
    return lead_to(f"/exceptions/{quote(action_id, safe='')}")


@get("/approvals/batch", opt=SEE, include_in_schema=False)
async def to_approvals() -> Response[bytes]:
    """To what waits."""
    return lead_to("/approvals")


@get("/approvals/batch/{batch:str}/decide", opt=SEE, include_in_schema=False)
async def to_batch(batch: FromPath[str]) -> Response[bytes]:
    """To what was chosen together."""
    return lead_to(f"/approvals/batch/{quote(batch, safe='')}")


@get([f"/actions/{{action_id:str}}/{word}" for word in ("undo", "settle")], opt=SEE, include_in_schema=False)
async def to_story(action_id: FromPath[str]) -> Response[bytes]:
    """To the action's story."""
    return lead_to(f"/actions/{quote(action_id, safe='')}")


@get([f"/brakes/{word}" for word in ("stop", "resume")], opt=SEE, include_in_schema=False)
async def to_brakes() -> Response[bytes]:
    """To the kill switch."""
    return lead_to("/brakes")


ROUTES: Final[list[HTTPRouteHandler]] = [to_approval, to_approvals, to_batch, to_exception, to_story, to_brakes]
