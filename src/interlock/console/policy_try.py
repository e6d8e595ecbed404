"""Policies tried: how something would be decided by what is in force, and what other policies would have decided."""

from collections.abc import Mapping
from typing import Annotated, Final

import msgspec
from litestar import Response, get, post
from litestar.enums import RequestEncodingType
from litestar.handlers import HTTPRouteHandler
from litestar.params import Body

from interlock.console.given import names_in_force, said
from interlock.console.policies import bundle_in_force
from interlock.console.render import page
from interlock.domain.canonical import JsonValue
from interlock.domain.errors import ContractError, InterlockError, NotFound, PolicyError
from interlock.domain.explanation import Explanation
from interlock.domain.whatif import Comparison
from interlock.services.plane import ControlPlane
from interlock.services.supposing import REPLAYED, supposed
from interlock.services.trying import Hypothesis
from interlock.web.parts import Asked, Plane

WRITE: Final = {"needs": "write_policy"}
LONGEST_ARGUMENTS: Final = 20_000


class Try(msgspec.Struct, frozen=True, kw_only=True):
    """The form of a hypothetical."""

    contract: str = ""
    agent: str = ""
    arguments: str = "{}"
    initiator: str = ""
    read_facts: str = ""


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """The form of a file of policies as it might be."""

    file: str = ""
    text: str = ""
    days: int = 30


@get("/policies/try", opt=WRITE, include_in_schema=False)
async def try_form(request: Asked, plane: Plane) -> Response[str]:
    """The form, filled in as far as the address says."""
    form = Try(contract=said(request, "contract"), agent=said(request, "agent"))
    return await _tried_page(request, plane, form, None, None)


@post("/policies/try", opt=WRITE, include_in_schema=False, status_code=200)
async def try_it(
    request: Asked, plane: Plane, data: Annotated[Try, Body(media_type=RequestEncodingType.URL_ENCODED)]
) -> Response[str]:
    """How that would be decided by what is in force, and why. Nothing is proposed, recorded or touched."""
    try:
        if plane.trying is None:
            raise NotFound("nothing here can say why policies are satisfied", next_step="install Interlock again")
        wanted = Hypothesis(
            contract=data.contract,
            agent=data.agent,
            arguments=_arguments(data.arguments),
            initiator=data.initiator.strip(),
            read_facts=data.read_facts == "true",
        )
        found = await plane.trying.tried(wanted)
    except InterlockError as error:
        return await _tried_page(request, plane, data, None, error)
    return await _tried_page(request, plane, data, found, None)


@get("/policies/what-if", opt=WRITE, include_in_schema=False)
async def what_if_form(request: Asked, plane: Plane) -> Response[str]:
    """One file of the bundle, to be changed."""
    sources = await _sources(plane)
    file = said(request, "file") or min(sources, default="")
    form = Candidate(file=file, text=sources.get(file, ""))
    return _what_if_page(request, sources, form, None, None)


@post("/policies/what-if", opt=WRITE, include_in_schema=False, status_code=200)
async def what_if(
    request: Asked, plane: Plane, data: Annotated[Candidate, Body(media_type=RequestEncodingType.URL_ENCODED)]
) -> Response[str]:
    """What was decided lately, under the bundle with that file in it. Nothing comes into force."""
    sources = await _sources(plane)
    try:
        compared = await supposed(plane, data.file, data.text, days=data.days, limit=REPLAYED)
    except InterlockError as error:
        return _what_if_page(request, sources, data, None, error)
    return _what_if_page(request, sources, data, compared, None)


async def _sources(plane: ControlPlane) -> Mapping[str, str]:
    bundle = await bundle_in_force(plane)
    return {} if bundle is None else bundle.sources


def _arguments(text: str) -> dict[str, JsonValue]:
    if len(text) > LONGEST_ARGUMENTS:
        raise ContractError("that is more than arguments are", path="/arguments", next_step="give less")
    try:
        return msgspec.json.decode(text or "{}", type=dict[str, JsonValue])
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        raise ContractError(
            "the arguments are no JSON object", path="/arguments", next_step='write them so: `{"amount": 5}`'
        ) from None


async def _tried_page(
    request: Asked, plane: ControlPlane, form: Try, found: Explanation | None, problem: InterlockError | None
) -> Response[str]:
    return page(
        request,
        "policy_try.html",
        wrong=problem,
        form=form,
        found=found,
        problem=problem,
        names=await names_in_force(plane),
    )


def _what_if_page(
    request: Asked,
    sources: Mapping[str, str],
    form: Candidate,
    compared: Comparison | None,
    problem: InterlockError | None,
) -> Response[str]:
    return page(
        request,
        "policy_what_if.html",
        wrong=problem,
        files=sorted(sources),
        form=form,
        compared=compared,
        problems=problem.problems if isinstance(problem, PolicyError) else (problem.detail,) if problem else (),
        most=REPLAYED,
    )


ROUTES: list[HTTPRouteHandler] = [try_form, try_it, what_if_form, what_if]
