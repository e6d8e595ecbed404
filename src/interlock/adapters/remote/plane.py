"""`ports.plane.Plane` over HTTP: one method, one POST to `/v1/agent`. Nothing is retried here: each attempt shows a proof of
its own, which only whoever holds the instance's key can make (`sdk/patience.py`)."""

from typing import Any, Final, TypeVar

import msgspec

from interlock.adapters.remote.wire import LASTS_S, Wire
from interlock.domain.action import Action
from interlock.domain.child_failure import ChildFailure
from interlock.domain.claimed import Claimed, Report
from interlock.domain.contract import NO_CONTRACT
from interlock.domain.duration import MINUTE
from interlock.domain.enrolling import Enrolling, Expected
from interlock.domain.entry_proof import EntryProof
from interlock.domain.errors import ContractError, CredentialStale, NotAllowed, NotUnderstood
from interlock.domain.handover import Opened
from interlock.domain.ids import ActionId, AgentName, TaskId, UseId
from interlock.domain.presented import REFUSALS, Presented
from interlock.domain.proposal import Proposal
from interlock.domain.task import Opening, Task
from interlock.domain.use import TokenCount, Use
from interlock.ports.clock import Clock

T = TypeVar("T")
KNOWN_MS: Final = MINUTE
"""How long what an agent's instances are to show is taken as known. It changes with a release, which refuses what shows
another."""
OLD: Final = "interlock.credential_release"
"""The rule by which what shows another release is refused."""
BEYOND_S: Final = 15.0
"""How much longer a call may take than it asked to wait."""


class _Credential(msgspec.Struct, frozen=True):
    credential: str


class _Token(msgspec.Struct, frozen=True):
    token: str


class Remote:
    """A control plane at an address. See `Plane`; every method raises what `Wire.post` does."""

    def __init__(self, wire: Wire, clock: Clock) -> None:
        self._wire = wire
        self._clock = clock
        self._expected: dict[AgentName, tuple[int, Expected]] = {}

    async def expected(self, agent: AgentName) -> Expected:
        """What instances of an agent are to show, as it was said within the last minute."""
        known, now = self._expected.get(agent), self._clock.now()
        if known is not None and 0 <= now - known[0] < KNOWN_MS:
            return known[1]
        found = await self._post("expected", {"agent": agent}, Expected)
        self._expected[agent] = (now, found)
        return found

    async def enrol(self, asked: Enrolling) -> str:
        """The credential of an instance."""
        return (await self._post("enrol", msgspec.to_builtins(asked), _Credential)).credential

    async def token(self, task: TaskId, presented: Presented) -> str:
        """A token of a task."""
        return (await self._post(f"tasks/{_part(task)}/token", _shown(presented), _Token)).token

    async def open_chain(self, asked: Opened, presented: Presented) -> Task:
        """The task that the last token of a chain names."""
        body = _shown(presented) | {"asked": msgspec.to_builtins(asked)}
        found = await self._post("chains", body, Task)
        if found.id != asked.task:
            raise _mixed_up()
        return found

    async def open_task(self, opening: Opening, presented: Presented) -> Task:
        """Open a task. One that names its id is opened once, however often that is asked."""
        body = {name: msgspec.to_builtins(getattr(opening, name)) for name in _OPENING} | _shown(presented)
        if opening.parent is not None:
            body["parent"] = opening.parent.id
        return _of(await self._post("tasks", body, Task), opening.agent)

    async def resume_task(self, task: TaskId, agent: AgentName, presented: Presented) -> Task:
        """Take over a task."""
        body = _shown(presented) | {"agent": agent}
        return _of(await self._post(f"tasks/{_part(task)}/resume", body, Task), agent)

    async def close_task(self, task: TaskId, presented: Presented, *, failure: str = "") -> None:
        """No more actions in it."""
        await self._sent(f"tasks/{_part(task)}/close", _shown(presented) | {"failure": failure}, LASTS_S)

    async def failures(
        self, task: TaskId, presented: Presented, children: frozenset[TaskId] | None = None
    ) -> tuple[ChildFailure, ...]:
        """What failed inside it."""
        body = _shown(presented) | {"children": None if children is None else sorted(children)}
        return await self._post(f"tasks/{_part(task)}/failures", body, tuple[ChildFailure, ...])

    async def propose(self, proposal: Proposal) -> Action:
        """Propose an action."""
        return self._of_ours(await self._post("actions", written(proposal), Action), proposal)

    async def answer(self, proposal: Proposal) -> Action:
        """The agent's answer to a reviewer's question."""
        found = await self._post("answers", written(proposal), Action)
        if found.agent != proposal.task.agent:
            raise _mixed_up()
        return found

    async def begin_use(self, proposal: Proposal) -> Use:
        """Reserve what a use of a model may take. One that names its id is begun once."""
        found = await self._post("uses", written(proposal), Use)
        if found.task != proposal.task.id or proposal.idempotency_key not in (None, found.id):
            raise _mixed_up()
        return found

    async def settle_use(self, name: UseId, presented: Presented, used: TokenCount | None) -> Use:
        """What it took."""
        body = _shown(presented) | {"used": msgspec.to_builtins(used)}
        found = await self._post(f"uses/{_part(name)}/settle", body, Use)
        if found.id != name:
            raise _mixed_up()
        return found

    async def wait(
        self, action_id: ActionId, presented: Presented, *, timeout_ms: int, within: TaskId | None = None
    ) -> Action:
        """The action, once its caller has an answer or the time is over."""
        body = _shown(presented) | {"timeout_ms": timeout_ms, "within": within}
        path = f"actions/{_part(action_id)}/wait"
        found = await self._post(path, body, Action, lasts_s=max(LASTS_S, timeout_ms / 1000 + BEYOND_S))
        if found.id != action_id:
            raise _mixed_up()
        return found

    async def claim(self, action_id: ActionId, presented: Presented, claim: str) -> Claimed:
        """The call of an action whose tool is this program's own."""
        body = _shown(presented) | {"claim": claim}
        return _claimed(await self._post(f"actions/{_part(action_id)}/claim", body, Claimed), action_id)

    async def report(self, action_id: ActionId, presented: Presented, claim: str, report: Report) -> Claimed:
        """What came of that call."""
        body = _shown(presented) | {"claim": claim, "report": report}
        return _claimed(await self._post(f"actions/{_part(action_id)}/report", body, Claimed), action_id)

    async def proof(
        self, action_id: ActionId, presented: Presented, *, anchored: bool, within: TaskId | None = None
    ) -> EntryProof:
        """What proves the last entry of an action."""
        body = _shown(presented) | {"anchored": anchored, "within": within}
        return await self._post(f"actions/{_part(action_id)}/proof", body, EntryProof)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._wire.close()

    # -- parts -------------------------------------------------------------------------------------------------

    async def _post(self, path: str, body: dict[str, Any], kind: type[T], *, lasts_s: float = LASTS_S) -> T:
        answer = await self._sent(path, body, lasts_s)
        try:
            return msgspec.json.decode(answer, type=kind)
        except (msgspec.DecodeError, RecursionError):
            # What it was instead is not repeated: it may be anything.
            raise NotUnderstood(f"the answer to `{path.rpartition('/')[2]}` is not what this version expects") from None

    async def _sent(self, path: str, body: dict[str, Any], lasts_s: float) -> bytes:
        try:
            text = msgspec.json.encode(body)
        except (UnicodeEncodeError, TypeError, RecursionError, ValueError) as error:
            raise ContractError(f"the call cannot be written as JSON: {error}") from None
        try:
            return await self._wire.post(f"/v1/agent/{path}", text, lasts_s=lasts_s)
        except CredentialStale:
            self._expected.clear()
            raise
        except NotAllowed as error:
            if self._expected and error.detail.startswith(REFUSALS["credential_release"].words):
                # What was known of the agent is asked anew, and with that comes another credential.
                self._expected.clear()
                raise CredentialStale("another release came into force") from None
            raise

    def _of_ours(self, found: Action, proposal: Proposal) -> Action:
        """Raises CredentialStale where it was refused for another release than the one that is in force by now."""
        agent = proposal.task.agent
        if found.agent != agent or found.contract not in (proposal.contract, NO_CONTRACT):
            raise _mixed_up()
        if found.state == "refused" and found.reasons[:1] == (OLD,):
            known = self._expected.pop(agent, None)
            if known is not None:
                raise CredentialStale("another release came into force")
        return found


_OPENING: Final = (
    "agent",
    "purpose",
    "initiator",
    "lasts_ms",
    "budgets",
    "prohibited",
    "tools",
    "data",
    "plan",
    "run",
    "id",
)
_PROPOSING: Final = (
    "contract",
    "arguments",
    "idempotency_key",
    "justification",
    "confidence",
    "traceparent",
    "kpi",
    "request",
    "expected",
    "unfit",
)


def _shown(presented: Presented | None) -> dict[str, Any]:
    if presented is None:
        return {"shown": {"credential": "", "proof": ""}}
    said = {"credential": presented.credential, "proof": presented.proof, "chain": presented.chain}
    return {"shown": said}


def written(proposal: Proposal) -> dict[str, Any]:
    """A proposal, as it is sent."""
    body: dict[str, Any] = {name: getattr(proposal, name) for name in _PROPOSING}
    return body | {"task": proposal.task.id} | _shown(proposal.presented)


def _part(name: str) -> str:
    """A name as one part of a path. Ours need no escape; what is none of ours must not lead elsewhere."""
    if not name or len(name) > 200 or not all(each.isascii() and (each.isalnum() or each in "-_") for each in name):
        raise ContractError("that is no id", path="/id", next_step="give an id as Interlock gave it")
    return name


def _claimed(found: Claimed, action_id: ActionId) -> Claimed:
    """Raises NotUnderstood for the call of another action than the one that was claimed."""
    if found.action.id != action_id or (found.call is not None and found.call.action_id != action_id):
        raise _mixed_up()
    return found


def _of(task: Task, agent: AgentName) -> Task:
    if task.agent != agent:
        raise _mixed_up()
    return task


def _mixed_up() -> NotUnderstood:
    return NotUnderstood(
        "the answer is that to another question",
        next_step="see whether a proxy on the way mixes answers up; look at what was done: `interlock actions`",
    )
