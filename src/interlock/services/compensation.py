"""Step 10: undoing one action, a task, or everything a release did.

The scope is closed to new actions first; what has not begun is voided; what is in flight is waited for; what landed is
undone in reverse order, each undo an action of its own through the gate. The request is durable: whoever asked may be
gone, a worker goes on with it. Whatever blocks it is said, and it goes on when a person has dealt with that and retries.
"""

import msgspec

from interlock.domain.action import Action
from interlock.domain.change import Change, given
from interlock.domain.contract import Contract
from interlock.domain.control import Stop
from interlock.domain.errors import Conflict, ContractError, IllegalMove, NotFound
from interlock.domain.evidence import Fact, Phase
from interlock.domain.ids import Digest, TaskId, UnwindId
from interlock.domain.record import Record
from interlock.domain.release import Release
from interlock.domain.task import Task
from interlock.domain.unwind import (
    IN_FLIGHT,
    OPEN,
    Blocked,
    Finished,
    Undo,
    Unwind,
    UnwindScope,
    Wait,
    next_undo,
)
from interlock.ports.clock import Clock, Ids
from interlock.ports.steps import Steps
from interlock.ports.store import ActionQuery, Store
from interlock.services.execution import Execution
from interlock.services.gate import Gate
from interlock.services.orders import StandingOrders
from interlock.services.recorder import Recorder
from interlock.services.saving import save

LOOK_AGAIN_MS = 200
ALL = 1_000_000
"""An unwind looks at everything in its scope: an undo in the wrong order is worse than a long list."""


class Compensation:
    """Plans nothing ahead: at each turn it asks the rules what is next, given what stands."""

    def __init__(
        self,
        *,
        store: Store,
        orders: StandingOrders,
        gate: Gate,
        execution: Execution,
        recorder: Recorder,
        clock: Clock,
        ids: Ids,
        steps: Steps,
        places: tuple[str, ...],
    ) -> None:
        self._store = store
        self._orders = orders
        self._gate = gate
        self._execution = execution
        self._recorder = recorder
        self._clock = clock
        self._ids = ids
        self._steps = steps
        self._places = places

    async def undo(self, scope: UnwindScope, target: str, *, by: str, why: str) -> Unwind:
        """Ask for everything in `scope` to be undone, and close the scope. A running request for it is given back.

        Raises NotFound when there is no such action, task or release, IllegalMove when a single action was never done.
        """
        for request in await self._store.all(Unwind):
            if (request.scope, request.target) == (scope, target) and request.state != "done":
                return request
        now = self._clock.now()
        request = Unwind(
            id=UnwindId(self._ids.new()), scope=scope, target=target, by=by, why=why, asked_at=now, due_at=now
        )
        fact = _fact(request, "compensation", now)
        while True:
            closed, conditions = await self._closing(scope, target, by, why)
            puts = (request, *closed)
            change = Change(puts=puts, given=tuple(given(each) for each in conditions), facts=(fact,))
            try:
                await save(self._store, change)
            except Conflict:
                await self._orders.refresh()
                continue
            break
        await self._orders.refresh()
        self._steps.reached("undo.asked")
        return request.saved()

    async def retry(self, request_id: UnwindId, *, by: str) -> Unwind:
        """Go on with a blocked request: what failed to be undone is tried once more. Raises NotFound, IllegalMove."""
        request = await self._request(request_id)
        if request.state != "blocked":
            raise IllegalMove(f"the request is {request.state}, not blocked", state=request.state)
        action = await self._store.get(Action, request.blocked_by or "")
        if action is not None and action.state == "undo_failed":
            await self._propose(action)
        after = msgspec.structs.replace(
            request, state="running", blocked_by=None, blocked_why="", due_at=self._clock.now(), by=by
        )
        return await self._keep(after, "compensation")

    async def advance(self, request: Unwind) -> Unwind:
        """Do what can be done now. Gives the request as it then stands: running, blocked or done."""
        scope = await self._scope(request)
        for action in scope:
            if action.state in OPEN:
                await self._void(action, request)
        if any(action.state in OPEN for action in scope):
            scope = await self._scope(request)
        contracts: dict[Digest, Contract] = {}
        for digest in {action.contract_digest for action in scope if action.contract_digest}:
            contracts[digest] = await self._orders.contract(digest)
        standing = {action.id: action for action in scope}
        undone = request.undone
        while True:
            step = next_undo(list(standing.values()), contracts, self._clock.now())
            match step:
                case Finished():
                    return await self._finish(request, undone)
                case Blocked(action=action, why=why):
                    return await self._block(request, action, why, undone, len(standing))
                case Wait(action=action):
                    if action.state == "undoing":
                        action = await self._follow(action)
                    if action.state in IN_FLIGHT or action.state == "undoing":
                        unknown = await self._unknown_undo(action)
                        if unknown is not None:
                            return await self._block(request, action, unknown, undone, len(standing))
                        return await self._later(request, undone, len(standing))
                case Undo(action=action):
                    try:
                        await self._propose(action)
                    except (ContractError, NotFound) as error:
                        return await self._block(request, action, error.detail, undone, len(standing))
                    except Conflict:
                        pass
                    action = await self._follow(action)
            if action.state == "undone":
                undone += 1
                del standing[action.id]
            else:
                standing[action.id] = action

    async def running(self) -> list[Unwind]:
        """The requests that a worker should look at now."""
        now = self._clock.now()
        found = await self.requests()
        return [each for each in found if each.state == "running" and each.due_at is not None and each.due_at <= now]

    async def requests(self) -> list[Unwind]:
        """Every request there was, newest first."""
        return await self._store.all(Unwind)

    # -- one action --------------------------------------------------------------------------------------------

    async def _propose(self, action: Action) -> None:
        task = await self._store.get(Task, action.task)
        if task is None:
            raise NotFound(f"there is no task `{action.task}`")
        await self._gate.propose_undo(action, task)
        self._steps.reached("undo.proposed")

    async def _follow(self, original: Action) -> Action:
        """Drive the undo of `original` if this process may, and give `original` as it then stands."""
        current = await self._action(original.id)
        if current.undone_by is not None and current.state == "undoing":
            for claimed in await self._execution.claim(places=self._places, only=current.undone_by, limit=1):
                await self._execution.drive(claimed)
            current = await self._action(original.id)
        return current

    async def _unknown_undo(self, original: Action) -> str | None:
        if original.undone_by is None or original.state != "undoing":
            return None
        undo = await self._store.get(Action, original.undone_by)
        if undo is not None and undo.state == "unknown" and undo.due_at is None:
            return f"it is unknown whether its undo {undo.id} happened; settle that first"
        return None

    async def _void(self, action: Action, request: Unwind) -> None:
        try:
            await self._recorder.end(action, "void", "voided", reasons=(f"undone by {request.by}: {request.why}",))
        except Conflict:
            return

    # -- the scope ---------------------------------------------------------------------------------------------

    async def _scope(self, request: Unwind) -> list[Action]:
        """What is in the request's scope and may still have to be undone, undos themselves left out."""
        if request.scope == "action":
            return [await self._action(request.target)]
        states = (*OPEN, *IN_FLIGHT, "done", "undoing", "undo_failed", "unknown")
        if request.scope == "task":
            query = ActionQuery(task=TaskId(request.target), states=states, undos=False, limit=ALL)
        else:
            query = ActionQuery(release=Digest(request.target), states=states, undos=False, limit=ALL)
        return await self._store.actions(query)

    async def _closing(
        self, scope: UnwindScope, target: str, by: str, why: str
    ) -> tuple[tuple[Record, ...], tuple[Record, ...]]:
        """What must be written to close the scope, and what that leans on."""
        if scope == "action":
            action = await self._action(target)
            if action.state not in ("done", "undo_failed"):
                raise IllegalMove(f"the action is {action.state}; only a done one can be undone", state=action.state)
            return (), ()
        if scope == "task":
            task = await self._store.get(Task, target)
            if task is None:
                raise NotFound(f"there is no task `{target}`")
            return ((msgspec.structs.replace(task, state="closing"),) if task.state == "open" else ()), ()
        if await self._store.get(Release, target) is None:
            raise NotFound(f"there is no release `{target[:12]}`")
        control = (await self._orders.refresh()).control
        if any(stop.scope == "release" and stop.name == target and stop.until_at is None for stop in control.stops):
            return (), (control,)
        stop = Stop(scope="release", name=target, why=f"undone: {why}", by=by, since_at=self._clock.now())
        return (msgspec.structs.replace(control, stops=(*control.stops, stop)),), ()

    # -- the request -------------------------------------------------------------------------------------------

    async def _finish(self, request: Unwind, undone: int) -> Unwind:
        after = msgspec.structs.replace(
            request, state="done", undone=undone, remaining=0, due_at=None, blocked_by=None, blocked_why=""
        )
        task = await self._store.get(Task, request.target) if request.scope == "task" else None
        closed = msgspec.structs.replace(task, state="closed") if task is not None and task.state == "closing" else None
        return await self._keep(after, "closed", *((closed,) if closed is not None else ()))

    async def _block(self, request: Unwind, action: Action, why: str, undone: int, remaining: int) -> Unwind:
        after = msgspec.structs.replace(
            request,
            state="blocked",
            blocked_by=action.id,
            blocked_why=why,
            undone=undone,
            remaining=remaining,
            due_at=None,
        )
        return await self._keep(after, "compensation")

    async def _later(self, request: Unwind, undone: int, remaining: int) -> Unwind:
        after = msgspec.structs.replace(
            request, undone=undone, remaining=remaining, due_at=self._clock.now() + LOOK_AGAIN_MS
        )
        return await self._keep(after, None)

    async def _keep(self, after: Unwind, phase: Phase | None, *others: Record) -> Unwind:
        facts = (_fact(after, phase, self._clock.now()),) if phase is not None else ()
        try:
            await save(self._store, Change(puts=(after, *others), facts=facts))
        except Conflict:
            return await self._request(after.id)
        return after.saved()

    async def _request(self, request_id: UnwindId) -> Unwind:
        found = await self._store.get(Unwind, request_id)
        if found is None:
            raise NotFound(f"there is no undo request `{request_id}`")
        return found

    async def _action(self, action_id: str) -> Action:
        found = await self._store.get(Action, action_id)
        if found is None:
            raise NotFound(f"there is no action `{action_id}`")
        return found


def _fact(request: Unwind, phase: Phase, now: int) -> Fact:
    return Fact(
        phase=phase,
        subject="unwind",
        subject_id=request.id,
        subject_digest=request.digest,
        observed_at=now,
        body={
            "scope": request.scope,
            "target": request.target,
            "state": request.state,
            "blockedBy": request.blocked_by,
            "undone": request.undone,
        },
        private={"by": request.by, "why": request.why, "blockedWhy": request.blocked_why},
    )
