"""Policies: what is in force, how something would be decided, what other ones would have decided, and what waits for people."""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Final

import anyio.to_thread
import msgspec
from litestar import Response, get, post
from litestar.enums import RequestEncodingType
from litestar.handlers import HTTPRouteHandler
from litestar.params import Body, FromPath

from interlock.console.action_list import names_in_force
from interlock.console.given import said
from interlock.console.render import page
from interlock.domain.bundle import Bundle
from interlock.domain.canonical import JsonValue
from interlock.domain.duration import DAY
from interlock.domain.errors import ContractError, InterlockError, NotFound, PolicyError
from interlock.domain.explanation import Explanation
from interlock.domain.ids import PublicationId
from interlock.domain.publication import Publication
from interlock.domain.whatif import Comparison
from interlock.services.plane import ControlPlane
from interlock.services.trying import Hypothesis
from interlock.web.parts import Asked, Plane, Who
from interlock.web.problems import status_of

REPLAYED: Final = 2_000
"""So many of the newest recorded decisions are asked again for a page."""
SHOWN: Final = 30
"""So many publications that ended are listed."""
LONGEST_POLICY: Final = 200_000
LONGEST_ARGUMENTS: Final = 20_000
_FILE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}\.cedar")


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One policy in force, as its bundle has it."""

    id: str
    effect: str
    verdict: str
    asks: str
    """Who is asked, in words."""
    owner: str
    reason: str
    shadow: bool
    contracts: tuple[str, ...]
    text: str


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


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """The form by which somebody agrees."""

    note: str = ""


@get("/policies", opt={"needs": "see"}, include_in_schema=False)
async def policies(request: Asked, plane: Plane) -> Response[str]:
    """The bundle in force, rule by rule, and what was proposed to replace it."""
    control = (await plane.orders.current()).control
    bundle = await _bundle(plane)
    all_of_them = await plane.consenting.publications()
    ended = [each for each in all_of_them if each.state != "open"][:SHOWN]
    return page(
        request,
        "policies.html",
        bundle=bundle,
        control=control,
        rules=[] if bundle is None else _rules(plane, bundle),
        waiting=[
            (each, (await plane.consenting.waits_for(each)).words) for each in all_of_them if each.state == "open"
        ],
        ended=ended,
    )


@get("/policies/try", opt={"needs": "write_policy"}, include_in_schema=False)
async def try_form(request: Asked, plane: Plane) -> Response[str]:
    """The form, filled in as far as the address says."""
    form = Try(contract=said(request, "contract"), agent=said(request, "agent"))
    return await _tried_page(request, plane, form, None, None)


@post("/policies/try", opt={"needs": "write_policy"}, include_in_schema=False, status_code=200)
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


@get("/policies/what-if", opt={"needs": "write_policy"}, include_in_schema=False)
async def what_if_form(request: Asked, plane: Plane) -> Response[str]:
    """One file of the bundle, to be changed."""
    bundle = await _bundle(plane)
    sources: Mapping[str, str] = {} if bundle is None else bundle.sources
    file = said(request, "file") or min(sources, default="")
    form = Candidate(file=file, text=sources.get(file, ""))
    return _what_if_page(request, sources, form, None, None)


@post("/policies/what-if", opt={"needs": "write_policy"}, include_in_schema=False, status_code=200)
async def what_if(
    request: Asked, plane: Plane, data: Annotated[Candidate, Body(media_type=RequestEncodingType.URL_ENCODED)]
) -> Response[str]:
    """What was decided lately, under the bundle with that file in it. Nothing comes into force."""
    bundle = await _bundle(plane)
    sources: Mapping[str, str] = {} if bundle is None else bundle.sources
    try:
        if bundle is None:
            raise NotFound("no policies are in force", next_step="bring some into force: `interlock apply`")
        compared = await _compared(plane, bundle, data)
    except InterlockError as error:
        return _what_if_page(request, sources, data, None, error)
    return _what_if_page(request, sources, data, compared, None)


@get("/policies/publications/{publication:str}", opt={"needs": "see"}, include_in_schema=False)
async def publication_page(request: Asked, plane: Plane, actor: Who, publication: FromPath[str]) -> Response[str]:
    """What it would change, what it loosens, which recorded decisions it would change, and whose word is missing."""
    review = await plane.reviewing.review(PublicationId(publication), limit=REPLAYED)
    return page(
        request,
        "publication.html",
        review=review,
        it=review.publication,
        may=actor.may("write_policy"),
        mine=review.publication.proposed_by == actor.person,
        agreed=review.publication.agreed(actor.person),
    )


@post(
    "/policies/publications/{publication:str}/accept",
    opt={"needs": "write_policy"},
    include_in_schema=False,
    status_code=303,
)
async def accept(
    plane: Plane,
    actor: Who,
    publication: FromPath[str],
    data: Annotated[Note, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[bytes]:
    """Agree. With the last word it takes, it is in force in every process."""
    return _back_to(await plane.consenting.accept(PublicationId(publication), actor.person, note=data.note.strip()))


@post(
    "/policies/publications/{publication:str}/withdraw",
    opt={"needs": "write_policy"},
    include_in_schema=False,
    status_code=303,
)
async def withdraw(plane: Plane, actor: Who, publication: FromPath[str]) -> Response[bytes]:
    """Take it back."""
    return _back_to(await plane.consenting.withdraw(PublicationId(publication), actor.person))


def _back_to(publication: Publication) -> Response[bytes]:
    return Response(b"", status_code=303, headers={"Location": f"/policies/publications/{publication.id}"})


async def _bundle(plane: ControlPlane) -> Bundle | None:
    try:
        return await plane.orders.bundle()
    except NotFound:
        return None


def _rules(plane: ControlPlane, bundle: Bundle) -> Sequence[Rule]:
    found: list[Rule] = []
    for name, each in sorted(plane.means.policies.worded(bundle).items()):
        policy = each.policy
        asks = f"{policy.quorum} of {policy.approver}" if policy.approver else ""
        found.append(
            Rule(
                id=name,
                effect=policy.effect,
                verdict="allow" if policy.effect == "permit" else policy.verdict,
                asks=asks,
                owner=policy.owner,
                reason=policy.reason,
                shadow=policy.mode == "shadow",
                contracts=tuple(sorted(each.contracts)),
                text=each.text,
            )
        )
    return found


async def _compared(plane: ControlPlane, bundle: Bundle, data: Candidate) -> Comparison:
    if not _FILE.fullmatch(data.file):
        raise ContractError("a file of policies is called `NAME.cedar`", path="/file", next_step="name it so")
    if len(data.text) > LONGEST_POLICY:
        raise ContractError("that is longer than a file of policies is", path="/text", next_step="give less")
    orders = await plane.orders.current()
    contracts = list(orders.contracts.values())
    sources = {**bundle.sources, data.file: data.text}
    if not data.text.strip():
        del sources[data.file]

    def formed() -> Bundle:
        return plane.means.policies.bundle(sources, contracts)

    # Compiling takes a moment, in which others are served.
    candidate = await anyio.to_thread.run_sync(formed)
    since_at = plane.means.clock.now() - max(1, min(data.days, 400)) * DAY
    return await plane.whatif.replay(bundle, candidate, contracts, since_at=since_at, limit=REPLAYED)


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
        status=200 if problem is None else status_of(problem),
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
        status=200 if problem is None else status_of(problem),
        files=sorted(sources),
        form=form,
        compared=compared,
        problems=problem.problems if isinstance(problem, PolicyError) else (problem.detail,) if problem else (),
        most=REPLAYED,
    )


ROUTES: list[HTTPRouteHandler] = [
    policies,
    try_form,
    try_it,
    what_if_form,
    what_if,
    publication_page,
    accept,
    withdraw,
]
