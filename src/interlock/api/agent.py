"""`/v1/agent`: agents' programs from afar, in the same types and with the same proofs as in this process.

Nobody's permission opens these doors and no session does: what a call brings (`Presented`) proves that it is made by an
instance that holds the task, and the services ask for that. What only the gate may say of a call is never read from the body:
which task is meant is said here, that it came from outside by the plane behind these doors (`embedded.Outside`).
"""

from typing import Final

import anyio
from litestar import Response, post
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath, JSONBody

from interlock.api.agent_calls import (
    Begin,
    Call,
    Chained,
    Claiming,
    Credential,
    Ending,
    Expecting,
    Looking,
    ProofWanted,
    Proving,
    Reporting,
    Resuming,
    Settled,
    Token,
    Waiting,
)
from interlock.domain.action import Action
from interlock.domain.child_failure import ChildFailure
from interlock.domain.claimed import Claimed
from interlock.domain.enrolling import Enrolling, Expected
from interlock.domain.entry_proof import EntryProof
from interlock.domain.ids import ActionId, TaskId, UseId
from interlock.domain.proposal import Proposal
from interlock.domain.task import Opening, Task
from interlock.domain.use import Use
from interlock.services.known_tasks import stored_task
from interlock.web.metrics import Meters
from interlock.web.once import kept
from interlock.web.parts import Agents, Asked
from interlock.web.parts import Plane as Services

PROVEN: Final = {"needs": "nobody", "proof": True}
"""Open to everybody, and good for nothing without a proof."""


async def _proposal(services: Services, call: Call) -> Proposal:
    return Proposal(
        task=await stored_task(services.means.store, call.task),
        contract=call.contract,
        arguments=call.arguments,
        idempotency_key=call.idempotency_key,
        justification=call.justification,
        confidence=call.confidence,
        traceparent=call.traceparent,
        kpi=call.kpi,
        request=call.request,
        expected=call.expected,
        unfit=call.unfit,
        presented=call.shown.presented(),
    )


@post("/v1/agent/expected", opt=PROVEN, status_code=200)
async def expected(request: Asked, agents: Agents, data: JSONBody[Expecting]) -> Response[Expected]:
    """What instances of an agent in force are to show."""
    return kept(request, await agents.expected(data.agent))


@post("/v1/agent/enrol", opt=PROVEN, status_code=200)
async def enrol(request: Asked, agents: Agents, data: JSONBody[Enrolling]) -> Response[Credential]:
    """The credential of an instance that is recognised. To be in this process is no way to be, from afar."""
    return kept(request, Credential(credential=await agents.enrol(data)))


@post("/v1/agent/tasks", opt=PROVEN, status_code=200)
async def open_task(request: Asked, plane: Services, agents: Agents, data: JSONBody[Begin]) -> Response[Task]:
    """Open a task, in which nobody but the instance that asks acts."""
    opening = Opening(
        agent=data.agent,
        purpose=data.purpose,
        initiator=data.initiator,
        lasts_ms=data.lasts_ms,
        budgets=data.budgets,
        prohibited=data.prohibited,
        tools=data.tools,
        data=data.data,
        parent=None if data.parent is None else await stored_task(plane.means.store, data.parent),
        plan=data.plan,
        run=data.run,
        id=data.id,
    )
    return kept(request, await agents.open_task(opening, data.shown.presented()))


@post("/v1/agent/chains", opt=PROVEN, status_code=200)
async def open_chain(request: Asked, agents: Agents, data: JSONBody[Chained]) -> Response[Task]:
    """The task that the last token of a chain names, opened."""
    return kept(request, await agents.open_chain(data.asked, data.shown.presented()))


@post("/v1/agent/tasks/{task:str}/token", opt=PROVEN, status_code=200)
async def token(request: Asked, agents: Agents, task: FromPath[str], data: JSONBody[Proving]) -> Response[Token]:
    """A token of a task, from which it can be handed on."""
    return kept(request, Token(token=await agents.token(TaskId(task), data.shown.presented())))


@post("/v1/agent/tasks/{task:str}/resume", opt=PROVEN, status_code=200)
async def resume(request: Asked, agents: Agents, task: FromPath[str], data: JSONBody[Resuming]) -> Response[Task]:
    """Take over a task that another instance of the agent began."""
    found = await agents.resume_task(TaskId(task), data.agent, data.shown.presented())
    return kept(request, found)


@post("/v1/agent/tasks/{task:str}/close", opt=PROVEN, status_code=204)
async def close_task(agents: Agents, task: FromPath[str], data: JSONBody[Ending]) -> None:
    """No more actions in it, nor in those inside it."""
    await agents.close_task(TaskId(task), data.shown.presented(), failure=data.failure)


@post("/v1/agent/tasks/{task:str}/failures", opt=PROVEN, status_code=200)
async def failures(
    request: Asked, agents: Agents, task: FromPath[str], data: JSONBody[Looking]
) -> Response[tuple[ChildFailure, ...]]:
    """The tasks right inside it that failed, and that nobody looked at. This is looking."""
    return kept(request, await agents.failures(TaskId(task), data.shown.presented(), data.children))


@post("/v1/agent/actions", opt=PROVEN, status_code=200)
async def propose(request: Asked, plane: Services, agents: Agents, data: JSONBody[Call]) -> Response[Action]:
    """Propose an action: as it stands when nothing more can be done without waiting for somebody."""
    meters: Meters = request.app.state.meters
    began = anyio.current_time()
    action = await agents.propose(await _proposal(plane, data))
    meters.decided(action.state, anyio.current_time() - began)
    return kept(request, action)


@post("/v1/agent/answers", opt=PROVEN, status_code=200)
async def answer(request: Asked, plane: Services, agents: Agents, data: JSONBody[Call]) -> Response[Action]:
    """The agent's answer to a reviewer's question."""
    return kept(request, await agents.answer(await _proposal(plane, data)))


@post("/v1/agent/actions/{action:str}/wait", opt=PROVEN, status_code=200)
async def wait(request: Asked, agents: Agents, action: FromPath[str], data: JSONBody[Waiting]) -> Response[Action]:
    """The action, once its caller has an answer or the time is over, at most 20 s: then ask again."""
    found = await agents.wait(
        ActionId(action),
        data.shown.presented(),
        timeout_ms=data.timeout_ms,
        within=data.within,
    )
    return kept(request, found)


@post("/v1/agent/actions/{action:str}/claim", opt=PROVEN, status_code=200)
async def claim(request: Asked, agents: Agents, action: FromPath[str], data: JSONBody[Claiming]) -> Response[Claimed]:
    """The call of an action whose tool is the program's own, for it to make, once."""
    return kept(request, await agents.claim(ActionId(action), data.shown.presented(), data.claim))


@post("/v1/agent/actions/{action:str}/report", opt=PROVEN, status_code=200)
async def report(request: Asked, agents: Agents, action: FromPath[str], data: JSONBody[Reporting]) -> Response[Claimed]:
    """What came of that call, while its time lasts."""
    return kept(request, await agents.report(ActionId(action), data.shown.presented(), data.claim, data.report))


@post("/v1/agent/actions/{action:str}/proof", opt=PROVEN, status_code=200)
async def proof(
    request: Asked, agents: Agents, action: FromPath[str], data: JSONBody[ProofWanted]
) -> Response[EntryProof]:
    """What proves the last entry of the action, without anybody."""
    found = await agents.proof(
        ActionId(action),
        data.shown.presented(),
        anchored=data.anchored,
        within=data.within,
    )
    return kept(request, found)


@post("/v1/agent/uses", opt=PROVEN, status_code=200)
async def begin_use(request: Asked, plane: Services, agents: Agents, data: JSONBody[Call]) -> Response[Use]:
    """Reserve what a use of a model may take at most."""
    return kept(request, await agents.begin_use(await _proposal(plane, data)))


@post("/v1/agent/uses/{use:str}/settle", opt=PROVEN, status_code=200)
async def settle_use(request: Asked, agents: Agents, use: FromPath[str], data: JSONBody[Settled]) -> Response[Use]:
    """What it took."""
    return kept(request, await agents.settle_use(UseId(use), data.shown.presented(), data.used))


ROUTES: list[HTTPRouteHandler] = [
    expected,
    enrol,
    open_task,
    open_chain,
    token,
    resume,
    close_task,
    failures,
    propose,
    answer,
    wait,
    claim,
    report,
    proof,
    begin_use,
    settle_use,
]
