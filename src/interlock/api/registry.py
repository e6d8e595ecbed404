"""`/v1/agents`, `/v1/contracts` and `/v1/tasks`: who may act, through what, and on what work."""

import msgspec
from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, FromQuery, JSONBody

from interlock.api.parts import OPERATE, SEE, Limit, Reason, listed
from interlock.domain.agent import Agent
from interlock.domain.agent_card import Inputs
from interlock.domain.agent_state import Move
from interlock.domain.contract import Contract
from interlock.domain.errors import NotFound
from interlock.domain.ids import AgentName, ContractName, TaskId
from interlock.domain.task import Task
from interlock.services.agents import Moved, Registered
from interlock.services.known_tasks import stored_task
from interlock.services.task_list import Listed, Seen, seen, tasks_there
from interlock.web.once import Answered, kept
from interlock.web.parts import Asked, Plane, Who


class Moving(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to become of an agent."""

    move: Move
    why: Reason


class Closing(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a task is closed."""

    why: Reason


@get("/v1/agents", opt=SEE)
async def agents(request: Asked, plane: Plane) -> Response[list[Registered]]:
    """The agents in force."""
    return kept(request, await plane.agents.all())


@get("/v1/agents/{agent:str}", opt=SEE)
async def agent_of(request: Asked, plane: Plane, agent: FromPath[str]) -> Response[Registered]:
    """One agent."""
    return kept(request, await plane.agents.get(AgentName(agent)))


@get("/v1/agents/{agent:str}/card", opt=SEE)
async def card(request: Asked, plane: Plane, agent: FromPath[str]) -> Response[Inputs]:
    """Its design record: what it is for, who answers for it, what it may do and what is forbidden to it."""
    return kept(request, await plane.agents.card(AgentName(agent)))


@get("/v1/agents/{agent:str}/versions", opt=SEE)
async def versions(request: Asked, plane: Plane, agent: FromPath[str]) -> Response[list[Agent]]:
    """It, as it was defined over time."""
    return kept(request, await plane.agents.versions(AgentName(agent)))


@post("/v1/agents/{agent:str}/move", opt=OPERATE, status_code=200)
async def move(
    request: Asked, plane: Plane, actor: Who, once: Answered, agent: FromPath[str], data: JSONBody[Moving]
) -> Response[Moved]:
    """Suspend it, let it act again, or retire it, which takes two people."""

    async def work() -> Moved:
        return await plane.agents.move(AgentName(agent), data.move, by=actor.person, why=data.why)

    return await once.do(request, actor, data, work)


@get("/v1/contracts", opt=SEE)
async def contracts(request: Asked, plane: Plane) -> Response[list[Contract]]:
    """The contracts in force."""
    found = (await plane.orders.refresh()).contracts
    return kept(request, [found[name] for name in sorted(found)])


@get("/v1/contracts/{contract:str}", opt=SEE)
async def contract_of(request: Asked, plane: Plane, contract: FromPath[str]) -> Response[Contract]:
    """One contract in force."""
    found = (await plane.orders.refresh()).contracts.get(ContractName(contract))
    if found is None:
        raise NotFound("no contract of that name is in force", next_step="list them: `/v1/contracts`")
    return kept(request, found)


@get("/v1/tasks", opt=SEE)
async def tasks(
    request: Asked,
    plane: Plane,
    everything: FromQuery[bool] = False,
    agent: FromQuery[str] = "",
    cursor: FromQuery[str] = "",
    limit: Limit = 50,
) -> Response[Listed]:
    """The open tasks, newest first; with `everything` those that are over, too. A page may be short and not be the last."""
    found = await tasks_there(plane, everything=everything, limit=limit, agent=agent, cursor=cursor)
    return listed(request, found, found.next)


@get("/v1/tasks/{task:str}", opt=SEE)
async def task_of(request: Asked, plane: Plane, task: FromPath[str]) -> Response[Seen]:
    """One task with what belongs to it."""
    return kept(request, await seen(plane, await stored_task(plane.means.store, TaskId(task)), inside=True))


@post("/v1/tasks/{task:str}/close", opt=OPERATE, status_code=200)
async def close(
    request: Asked, plane: Plane, actor: Who, once: Answered, task: FromPath[str], data: JSONBody[Closing]
) -> Response[Task]:
    """No more actions in it, nor in those inside it. Nothing is undone."""

    async def work() -> Task:
        return await plane.tasks.close(
            await stored_task(plane.means.store, TaskId(task)), by=actor.person, why=data.why
        )

    return await once.do(request, actor, data, work)


ROUTES: list[HTTPRouteHandler] = [
    agents,
    agent_of,
    card,
    versions,
    move,
    contracts,
    contract_of,
    tasks,
    task_of,
    close,
]
