"""The control plane as a program sees it from afar: `ports.plane.Plane` over HTTP, for tests of the agents' side."""

from __future__ import annotations

from typing import Any, TypeVar

import httpx
import msgspec

from interlock.domain import errors
from interlock.domain.action import Action
from interlock.domain.child_failure import ChildFailure
from interlock.domain.enrolling import Enrolling, Expected
from interlock.domain.entry_proof import EntryProof
from interlock.domain.errors import InterlockError
from interlock.domain.handover import Opened
from interlock.domain.ids import ActionId, AgentName, TaskId, UseId
from interlock.domain.presented import Presented
from interlock.domain.proposal import Proposal
from interlock.domain.task import Opening, Task
from interlock.domain.use import TokenCount, Use

T = TypeVar("T")
KINDS = {
    kind.code: kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, InterlockError)
}


class Remote:
    """See `Plane`."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self.last: tuple[str, dict[str, Any]] = ("", {})
        """What was sent last: a thief has it."""

    async def send(self, path: str, body: dict[str, Any], kind: type[T]) -> T:
        """One request. Raises what it was refused with."""
        self.last = (path, body)
        answer = await self._client.post(f"/v1/agent/{path}", content=msgspec.json.encode(body))
        if answer.status_code == 204:
            return msgspec.convert(None, kind)
        if not answer.is_success:
            said = answer.json()
            refused = KINDS.get(said["code"], InterlockError)
            error = InterlockError(said["detail"], next_step=said["next"])
            error.__class__ = refused
            raise error
        return msgspec.json.decode(answer.content, type=kind)

    async def expected(self, agent: AgentName) -> Expected:
        """See `Plane`."""
        return await self.send("expected", {"agent": agent}, Expected)

    async def enrol(self, asked: Enrolling) -> str:
        """See `Plane`."""
        found = await self.send("enrol", msgspec.to_builtins(asked), dict[str, str])
        return found["credential"]

    async def token(self, task: TaskId, presented: Presented) -> str:
        """See `Plane`."""
        return (await self.send(f"tasks/{task}/token", {"shown": shown(presented)}, dict[str, str]))["token"]

    async def open_chain(self, asked: Opened, presented: Presented) -> Task:
        """See `Plane`."""
        return await self.send("chains", {"shown": shown(presented), "asked": msgspec.to_builtins(asked)}, Task)

    async def open_task(self, opening: Opening, presented: Presented) -> Task:
        """See `Plane`."""
        names = ("agent", "purpose", "initiator", "lasts_ms", "budgets", "prohibited", "tools", "data", "plan", "run")
        body = {name: msgspec.to_builtins(getattr(opening, name)) for name in names}
        parent = {} if opening.parent is None else {"parent": opening.parent.id}
        return await self.send("tasks", body | parent | {"shown": shown(presented)}, Task)

    async def resume_task(self, task: TaskId, agent: AgentName, presented: Presented) -> Task:
        """See `Plane`."""
        return await self.send(f"tasks/{task}/resume", {"shown": shown(presented), "agent": agent}, Task)

    async def close_task(self, task: TaskId, presented: Presented, *, failure: str = "") -> None:
        """See `Plane`."""
        await self.send(f"tasks/{task}/close", {"shown": shown(presented), "failure": failure}, type(None))

    async def failures(
        self, task: TaskId, presented: Presented, children: frozenset[TaskId] | None = None
    ) -> tuple[ChildFailure, ...]:
        """See `Plane`."""
        body = {"shown": shown(presented), "children": None if children is None else sorted(children)}
        return await self.send(f"tasks/{task}/failures", body, tuple[ChildFailure, ...])

    async def propose(self, proposal: Proposal) -> Action:
        """See `Plane`."""
        return await self.send("actions", call(proposal), Action)

    async def answer(self, proposal: Proposal) -> Action:
        """See `Plane`."""
        return await self.send("answers", call(proposal), Action)

    async def begin_use(self, proposal: Proposal) -> Use:
        """See `Plane`."""
        return await self.send("uses", call(proposal), Use)

    async def settle_use(self, name: UseId, presented: Presented, used: TokenCount | None) -> Use:
        """See `Plane`."""
        return await self.send(
            f"uses/{name}/settle", {"shown": shown(presented), "used": msgspec.to_builtins(used)}, Use
        )

    async def wait(
        self, action_id: ActionId, presented: Presented, *, timeout_ms: int, within: TaskId | None = None
    ) -> Action:
        """See `Plane`."""
        body = {"shown": shown(presented), "timeout_ms": timeout_ms, "within": within}
        return await self.send(f"actions/{action_id}/wait", body, Action)

    async def proof(
        self, action_id: ActionId, presented: Presented, *, anchored: bool, within: TaskId | None = None
    ) -> EntryProof:
        """See `Plane`."""
        body = {"shown": shown(presented), "anchored": anchored, "within": within}
        return await self.send(f"actions/{action_id}/proof", body, EntryProof)

    async def close(self) -> None:
        """See `Plane`."""


def shown(presented: Presented | None) -> dict[str, Any]:
    """What shows who makes a call, as it is sent."""
    assert presented is not None
    return {"credential": presented.credential, "proof": presented.proof, "chain": list(presented.chain)}


def call(proposal: Proposal) -> dict[str, Any]:
    """A proposal, as it is sent."""
    names = ("contract", "arguments", "idempotency_key", "justification", "confidence", "traceparent", "kpi")
    body = {name: msgspec.to_builtins(getattr(proposal, name)) for name in (*names, "request", "expected", "unfit")}
    return body | {"task": proposal.task.id, "shown": shown(proposal.presented)}
