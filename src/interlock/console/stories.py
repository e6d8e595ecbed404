"""One action's story: what was asked and decided, what came of it, and the evidence, which can be recomputed here.

*Verify* reads the action's entries from the log once more and holds them against the public keys, by the code that a verifier
outside uses; what it shows is what that found, each step by itself.
"""

from typing import Any, Final
from urllib.parse import quote

import msgspec
from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from interlock.console.frame import frame_of
from interlock.console.given import lead_to
from interlock.console.history import history_of
from interlock.console.render import page
from interlock.console.sent import sent_by
from interlock.console.telling import now_words
from interlock.domain.action import Action
from interlock.domain.actor import Actor
from interlock.domain.dossier import Dossier
from interlock.domain.errors import ContractError, IllegalMove, IntegrityError, InterlockError, NotAllowed, NotFound
from interlock.domain.evidence import Finding, Packet
from interlock.domain.packet import verify_packet
from interlock.domain.telling import tell
from interlock.services.known_actions import stored_action
from interlock.services.plane import ControlPlane
from interlock.web.parts import Asked, Plane, Who

SEE: Final = {"needs": "see"}
OPERATE: Final = {"needs": "operate"}
LONGEST_RESULT: Final = 4_000


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a verification."""

    good: bool
    words: str
    found: tuple[str, ...] = ()
    """What is wrong, in the verifier's words."""


@get("/actions/{action_id:str}", opt=SEE, include_in_schema=False)
async def story(request: Asked, plane: Plane, actor: Who, action_id: FromPath[str]) -> Response[str]:
    """The whole of it."""
    return await _page(request, plane, await stored_action(plane.means.store, action_id), actor)


@get("/actions/{action_id:str}/verify", opt=SEE, include_in_schema=False)
async def verify(request: Asked, plane: Plane, actor: Who, action_id: FromPath[str]) -> Response[str]:
    """The same, with its evidence recomputed now."""
    action = await stored_action(plane.means.store, action_id)
    return await _page(request, plane, action, actor, verified=True)


@get("/actions/{action_id:str}/packet", opt=SEE, include_in_schema=False)
async def packet(plane: Plane, action_id: FromPath[str]) -> Response[bytes]:
    """The proof-of-action as a file, to be verified elsewhere: `interlock verify --packet FILE`."""
    made = await plane.audit.packet((await stored_action(plane.means.store, action_id)).id)
    name = "".join(each for each in made.action if each.isalnum() or each == "-")[:64]
    headers = {"Content-Disposition": f'attachment; filename="packet-{name}.json"'}
    return Response(msgspec.json.encode(made), media_type="application/json", headers=headers)


@post("/actions/{action_id:str}/undo", opt=OPERATE, include_in_schema=False, status_code=303)
async def undo(request: Asked, plane: Plane, actor: Who, action_id: FromPath[str]) -> Response[Any]:
    """Ask for it to be undone: an action of its own, through the gate."""
    action, sent = await stored_action(plane.means.store, action_id), await sent_by(request)
    try:
        await plane.compensation.undo("action", action.id, by=actor.person, why=sent.get("why", "").strip())
    except (IllegalMove, NotAllowed) as error:
        return await _page(request, plane, action, actor, problem=error, typed=sent.get("why", ""))
    return _back(action)


@post("/actions/{action_id:str}/settle", opt=OPERATE, include_in_schema=False, status_code=303)
async def settle(request: Asked, plane: Plane, actor: Who, action_id: FromPath[str]) -> Response[Any]:
    """Say what became of an unknown action, after looking."""
    action, sent = await stored_action(plane.means.store, action_id), await sent_by(request)
    happened = sent.get("happened")
    try:
        if happened not in ("done", "failed"):
            raise NotAllowed(
                "it either happened or it did not", next_step="look in the system it acts on, then say which"
            )
        await plane.settling.settle(
            action.id, actor.person, "done" if happened == "done" else "failed", note=sent.get("why", "").strip()
        )
    except (ContractError, IllegalMove, NotAllowed) as error:
        return await _page(request, plane, action, actor, problem=error, typed=sent.get("why", ""))
    return _back(action)


def _back(action: Action) -> Response[bytes]:
    return lead_to(f"/actions/{quote(action.id, safe='')}")


async def _page(
    request: Asked,
    plane: ControlPlane,
    action: Action,
    actor: Actor,
    *,
    verified: bool = False,
    problem: InterlockError | None = None,
    typed: str = "",
) -> Response[str]:
    dossier: Dossier = await plane.dossiers.of(action.id, actor.person, session=actor.session)
    made, broken = await _packet(plane, action)
    result = msgspec.json.format(msgspec.json.encode(action.outcome.result), indent=2) if action.outcome else b""
    return page(
        request,
        "story.html",
        wrong=problem,
        d=dossier,
        action=action,
        now_words=now_words(action),
        history=history_of(dossier, frame_of(request).now),
        entries=() if made is None else tell(made.entries).moments,
        broken=broken,
        result="" if action.outcome is None or action.outcome.result is None else result.decode()[:LONGEST_RESULT],
        steps=_recomputed(plane, action, made, broken) if verified else (),
        problem=problem,
        typed=typed,
        undoable=action.state in ("done", "undo_failed") and action.undoes is None and dossier.undo.possible,
    )


async def _packet(plane: ControlPlane, action: Action) -> tuple[Packet | None, str]:
    """What the log has of it, or why that cannot be read."""
    try:
        return await plane.audit.packet(action.id), ""
    except (IntegrityError, NotFound) as error:
        return None, error.detail


def _recomputed(plane: ControlPlane, action: Action, made: Packet | None, broken: str) -> tuple[Step, ...]:
    keys = plane.means.verifying
    if keys is None:
        return (Step(good=False, words="There are no public keys here to verify with"),)
    if made is None:
        return (Step(good=False, words="The log gives no proof of this action", found=(broken,)),)
    found = verify_packet(made, keys.log_key, keys.gate_keys, keys.verify)
    return _told(action, made, found.findings, found.size, found.signatures, found.state)


def _told(
    action: Action, made: Packet, findings: tuple[Finding, ...], size: int, signatures: int, state: str
) -> tuple[Step, ...]:
    head = tuple(each.problem for each in findings if each.place == "checkpoint")
    rest = tuple(f"{each.place}: {each.problem}" for each in findings if each.place != "checkpoint")
    same = state == action.state
    return (
        Step(good=not head, words=f"The head of the log, {size} entries, is signed by the log's key", found=head),
        Step(
            good=not rest,
            words=f"{len(made.entries)} entries of this action lead to that head by their proofs, carry {signatures} "
            "signatures of the gate, and follow each other without a gap, only by moves there are",
            found=rest,
        ),
        Step(
            good=same,
            words=f"The store says what the last entry says: {action.state}",
            found=() if same else (f"the last entry says: {state or 'nothing'}",),
        ),
    )


ROUTES: list[HTTPRouteHandler] = [story, verify, packet, undo, settle]
