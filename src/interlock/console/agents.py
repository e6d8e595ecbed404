"""Agents: which there are, one with its card, its owners, its limits and the brakes on it, and whether it may act."""

from collections.abc import Sequence
from typing import Annotated
from urllib.parse import quote

import msgspec
from litestar import Response, get, post
from litestar.enums import RequestEncodingType
from litestar.handlers import HTTPRouteHandler
from litestar.params import Body, FromPath

from interlock.console.given import lead_to, said
from interlock.console.render import page
from interlock.console.sent import bounded
from interlock.console.words import lasting
from interlock.domain.actor import Actor
from interlock.domain.agent import OFFICES, Agent, Stage
from interlock.domain.agent_card import OFFICE_MEANS, STAGE_MEANS, parts
from interlock.domain.agent_key import KeyToldOf, told_of
from interlock.domain.agent_state import MEANS, MOVES, Move, refusal
from interlock.domain.brakes import Brake
from interlock.domain.contract import Contract, NoReversal, Reversal
from interlock.domain.errors import NotFound
from interlock.domain.ids import AgentName, ContractName
from interlock.domain.people import roles_of
from interlock.services.agents import Registered
from interlock.services.budget_list import Stood, budgets_there
from interlock.services.plane import ControlPlane
from interlock.web.parts import Asked, Plane, Who


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One agent in the list."""

    registered: Registered
    budgets: tuple[Stood, ...]
    brakes: tuple[str, ...]
    """Those on it, in the words that lift them."""


class Moving(msgspec.Struct, frozen=True, kw_only=True):
    """The form that suspends an agent, lets it act again or retires it."""

    move: Move
    why: str = ""


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """The form that ends a key."""

    why: str = ""


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that may be said of whether an agent may act."""

    move: Move
    refused: str
    """Why not by whoever looks; empty where they may."""


@get("/agents", opt={"needs": "see"}, include_in_schema=False)
async def agents(request: Asked, plane: Plane) -> Response[str]:
    """Every agent in force."""
    budgets, brakes = await _budgets(plane), await plane.braking.brakes()
    lines = [
        Line(
            registered=each,
            budgets=_of(budgets, each.agent),
            brakes=tuple(brake.words for brake in _on(brakes, each)),
        )
        for each in await plane.agents.all()
    ]
    return page(request, "agent_list.html", lines=lines, stages=STAGE_MEANS)


@get("/agents/{name:str}", opt={"needs": "see"}, include_in_schema=False)
async def agent(request: Asked, plane: Plane, actor: Who, name: FromPath[str]) -> Response[str]:
    """One agent: everything that is in force about it. Raises NotFound."""
    found = await plane.agents.get(AgentName(name))
    card = await plane.agents.card(found.agent.name)
    orders = await plane.orders.current()
    return page(
        request,
        "agent.html",
        it=found,
        parts=parts(card),
        contracts=[_used(each, card.contracts.get(each), found.agent) for each in found.agent.capabilities],
        offices=[(office, OFFICE_MEANS[office], found.agent.owners.of(office)) for office in OFFICES],
        means=MEANS[found.state],
        stage_means=STAGE_MEANS[found.agent.stage],
        budgets=_of(await _budgets(plane), found.agent),
        brakes=_on(await plane.braking.brakes(), found),
        baseline=orders.baselines.get(found.agent.name),
        keys=await _keys(plane, found.agent.name),
        choices=_choices(actor, found, roles_of(actor.person, orders.control)),
        done=said(request, "done"),
    )


@post("/agents/{name:str}/state", opt={"needs": "stop"}, include_in_schema=False, status_code=303)
async def move(
    plane: Plane,
    actor: Who,
    name: FromPath[str],
    data: Annotated[Moving, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[bytes]:
    """Suspend it, let it act again, or retire it: who may is decided of this agent, by its owners."""
    done = await plane.agents.move(AgentName(name), data.move, by=actor.person, why=bounded(data.why, "why"))
    said_of = "waits" if done.waits_for else data.move if done.changed else "already"
    return lead_to(f"/agents/{done.agent}?done={said_of}")


@post("/agents/{name:str}/keys/{key:str}/revoke", opt={"needs": "stop"}, include_in_schema=False, status_code=303)
async def end_key(
    plane: Plane,
    actor: Who,
    name: FromPath[str],
    key: FromPath[str],
    data: Annotated[Ending, Body(media_type=RequestEncodingType.URL_ENCODED)],
) -> Response[bytes]:
    """End a key that lets programs in as the agent, with every task that was opened through it. Raises NotFound."""
    if not any(each.id == key for each in await _keys(plane, AgentName(name))):
        raise NotFound("there is no such key of this agent that counts", next_step="look at the agent's page again")
    await plane.revoking.revoke("key", key, by=actor.person, why=bounded(data.why, "why"))
    return lead_to(f"/agents/{quote(name, safe='')}?done=ended")


async def _keys(plane: ControlPlane, name: AgentName) -> list[KeyToldOf]:
    """The keys that let programs in as the agent now."""
    now = plane.means.clock.now()
    return [told_of(each, now) for each in await plane.agent_keys.all(name) if each.alive(now)]


def _used(name: ContractName, contract: Contract | None, agent: Agent) -> tuple[str, Contract | None, Stage, str]:
    """A contract as one agent may use it: its stage there, and what takes it back."""
    undone = "nothing"
    if contract is not None and not contract.acts:
        undone = "it only reads"
    elif contract is not None and isinstance(contract.reversal, Reversal):
        undone = f"{contract.reversal.contract}, within {lasting(contract.reversal.within_ms)}"
    elif contract is not None and isinstance(contract.reversal, NoReversal):
        undone = f"nothing: {contract.reversal.why}"
    return name, contract, agent.stage_for(name), undone


def _choices(actor: Actor, found: Registered, roles: frozenset[str]) -> list[Choice]:
    moves: list[Move] = [move for state, move in MOVES if state == found.state]
    if not actor.may("stop"):
        return []
    return [Choice(move=each, refused=refusal(each, actor.person, roles, found.agent.owners)) for each in moves]


async def _budgets(plane: ControlPlane) -> Sequence[Stood]:
    return (await budgets_there(plane, limit=1)).budgets


def _of(budgets: Sequence[Stood], agent: Agent) -> tuple[Stood, ...]:
    return tuple(each for each in budgets if each.scope == f"agent:{agent.name}")


def _on(brakes: Sequence[Brake], found: Registered) -> list[Brake]:
    """The brakes that hold what it does, whatever it asks for: not those on single contracts, tasks or users."""
    agent = found.agent
    return [
        each
        for each in brakes
        if each.stop.scope in ("all", "tenant")
        or (each.stop.scope == "agent" and each.stop.name == agent.name)
        or (each.stop.scope == "tag" and each.stop.name in agent.tags)
    ]


ROUTES: list[HTTPRouteHandler] = [agents, agent, move, end_key]
