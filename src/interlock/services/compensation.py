"""Step 10: undoing one action, a task with everything inside it, or everything a release did.

The scope is closed to new actions first; what has not begun is voided; what is in flight is waited for; what landed is
undone in reverse order, each undo an action of its own through the gate. The request is durable: whoever asked may be
gone, a worker goes on with it. Whatever blocks it is said, and it goes on when a person has dealt with that and retries.
"""

import contextlib
from typing import assert_never

import msgspec

from interlock.domain.action import Action, State
from interlock.domain.canonical import JsonValue
from interlock.domain.change import Change
from interlock.domain.control import Control, Stop, words_of
from interlock.domain.errors import Conflict, ContractError, IllegalMove, NotFound
from interlock.domain.evidence import Fact, Phase
from interlock.domain.ids import BrakeId, Digest, TaskId, UnwindId
from interlock.domain.people import must_be_known
from interlock.domain.record import Record
from interlock.domain.recording import control_fact
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
    irreversible_now,
    next_undo,
)
from interlock.ports.clock import Clock, Ids
from interlock.ports.steps import Steps
from interlock.ports.store import ActionQuery, Store
from interlock.services.execution import Execution
from interlock.services.known_actions import stored_action
from interlock.services.known_tasks import stored_task
from interlock.services.orders import StandingOrders
from interlock.services.recorder import Recorder
from interlock.services.saving import save
from interlock.services.tasks import Tasks
from interlock.services.undoing import Undoing

ALL = 1_000_000
"""An unwind looks at everything in its scope: an undo in the wrong order is worse than a long list."""


class Compensation:
    """Plans nothing ahead: at each turn it asks the rules what is next, given what stands."""

    def __init__(
        self,
        *,
        store: Store,
        orders: StandingOrders,
        tasks: Tasks,
        undoing: Undoing,
        execution: Execution,
        recorder: Recorder,
        clock: Clock,
        ids: Ids,
        steps: Steps,
        places: tuple[str, ...],
    ) -> None:
        self._store = store
        self._orders = orders
        self._tasks = tasks
        self._undoing = undoing
        self._execution = execution
        self._recorder = recorder
        self._clock = clock
        self._ids = ids
        self._steps = steps
        self._places = places

    async def undo(self, scope: UnwindScope, target: str, *, by: str, why: str) -> Unwind:
        """Ask for everything in `scope` to be undone, and close the scope. A request for it that is not done is given back.

        Raises NotAllowed for a name that is not among the people of the workspace (where it has any), NotFound when there is
        no such action, task or release, IllegalMove when a single action was never done or is itself an undo: that would be
        done again outside of every limit; the agent may propose it anew.
        """
        must_be_known(by, (await self._orders.refresh()).control)
        action = await self._store.get(Action, target) if scope == "action" else None
        if action is not None and action.withheld == "erased":
            raise IllegalMove(
                "it was erased, and with it what an undo would need",
                state=action.state,
                next_step="undo by hand, in the system it acted on, what has to be undone",
            )
        now = self._clock.now()
        request = Unwind(
            id=UnwindId(self._ids.new()), scope=scope, target=target, by=by, why=why, asked_at=now, due_at=now
        )
        facts = (_fact(request, "compensation", now),)
        while True:
            for known in await self.requests():
                if (known.scope, known.target) == (scope, target) and known.state != "done":
                    return known
            closed = await self._closing(request)
            request = msgspec.structs.replace(request, before=0)
            request = msgspec.structs.replace(request, before=await self._undone(request))
            said = (self._said(each, request, now) for each in closed if isinstance(each, Control))
            try:
                await save(self._store, Change(puts=(request, *closed), facts=(*facts, *said)))
            except Conflict:
                await self._orders.refresh()
                continue
            break
        await self._orders.refresh()
        if scope == "task":
            await self._tasks.close_within(TaskId(target))
        self._steps.reached("undo.asked")
        return request.saved()

    async def retry(self, request_id: UnwindId, *, by: str) -> Unwind:
        """Go on with a blocked request: what failed to be undone is tried once more.

        Raises NotFound, NotAllowed as `undo` does, IllegalMove when it is not blocked or the time in which it could be undone
        is over, ContractError when its undo cannot be derived.
        """
        must_be_known(by, (await self._orders.refresh()).control)
        request = await self._request(request_id)
        if request.state != "blocked":
            raise IllegalMove(f"the request is {request.state}, not blocked", state=request.state)
        action = await self._store.get(Action, request.blocked_by or "")
        if action is not None and action.state == "undo_failed":
            contract = await self._orders.contract(action.contract_digest)
            why = irreversible_now(action, contract, self._clock.now())
            if why is not None:
                raise IllegalMove(why, state=action.state)
            # A conflict: somebody else retries it already.
            with contextlib.suppress(Conflict):
                await self._propose(action, request)
        after = msgspec.structs.replace(
            request, state="running", blocked_by=None, blocked_why="", due_at=self._clock.now(), by=by
        )
        return await self._keep(after, "compensation")

    async def advance(self, request: Unwind) -> Unwind:
        """Do what can be done now. Gives the request as it then stands: running, blocked or done."""
        if request.scope == "task":
            # Whoever asked may have died before: while something inside is open, more could be done in it after we looked.
            await self._tasks.close_within(TaskId(request.target))
        scope = await self._voided(request)
        digests = {action.contract_digest for action in scope if action.contract_digest}
        contracts = {digest: await self._orders.contract(digest) for digest in digests}
        standing = {action.id: action for action in scope}
        while True:
            step = next_undo(list(standing.values()), contracts, self._clock.now())
            if isinstance(step, Finished):
                return await self._finish(request)
            action = step.action
            if isinstance(step, Blocked):
                return await self._block(request, action, step.why, len(standing))
            if isinstance(step, Undo):
                try:
                    # A conflict: somebody else undoes it already.
                    with contextlib.suppress(Conflict):
                        await self._propose(action, request)
                except (ContractError, NotFound) as error:
                    return await self._block(request, action, error.detail, len(standing))
            action = await self._follow(action)
            if action.state not in ("undone", "undo_failed"):
                unknown = await self._unknown_undo(action)
                if unknown is not None:
                    return await self._block(request, action, unknown, len(standing))
                return await self._later(request, len(standing))
            if action.state == "undone":
                del standing[action.id]
            else:
                standing[action.id] = action

    async def waits_for_people(self, request: Unwind) -> bool:
        """Whether nothing but a person's word moves `request` on: an undo of it is held, and nothing is in flight."""
        scope = await self._scope(request)
        undos = [await self._store.get(Action, each.undone_by or "") for each in scope if each.state == "undoing"]
        moving = any(each.state in (*OPEN, *IN_FLIGHT) for each in scope)
        return not moving and any(undo is not None and undo.state == "held" for undo in undos)

    async def running(self) -> list[Unwind]:
        """The requests that a worker should look at now."""
        now = self._clock.now()
        found = await self.requests()
        return [each for each in found if _movable(each) and each.due_at is not None and each.due_at <= now]

    async def requests(self) -> list[Unwind]:
        """Every request there was, newest first."""
        return await self._store.all(Unwind)

    # -- one action --------------------------------------------------------------------------------------------

    async def _propose(self, action: Action, request: Unwind) -> None:
        task = await stored_task(self._store, action.task)
        await self._undoing.propose(action, task, request.id)
        self._steps.reached("undo.proposed")

    async def _follow(self, original: Action) -> Action:
        """Drive the undo of `original` if this process may, and give `original` as it then stands."""
        current = await stored_action(self._store, original.id)
        if current.undone_by is not None and current.state == "undoing":
            for claimed in await self._execution.claim(places=self._places, only=current.undone_by, limit=1):
                await self._execution.drive(claimed)
            current = await stored_action(self._store, original.id)
        return current

    async def _unknown_undo(self, original: Action) -> str | None:
        if original.undone_by is None or original.state != "undoing":
            return None
        undo = await self._store.get(Action, original.undone_by)
        if undo is not None and undo.state == "unknown" and (undo.due_at is None or undo.place):
            return f"it is unknown whether its undo {undo.id} happened; settle that first"
        return None

    # -- the scope ---------------------------------------------------------------------------------------------

    async def _voided(self, request: Unwind) -> list[Action]:
        """The request's scope, once nothing in it waits to begin any more."""
        while True:
            scope = await self._scope(request)
            waiting = [action for action in scope if action.state in OPEN]
            if not waiting:
                return scope
            for action in waiting:
                # A conflict: it moved; it is looked at again.
                with contextlib.suppress(Conflict):
                    why = (f"undone by {request.by}: {request.why}" if request.why else f"undone by {request.by}",)
                    await self._recorder.end(action, "void", "voided", reasons=why)

    async def _scope(self, request: Unwind) -> list[Action]:
        """What is in the request's scope and may still have to be undone, undos themselves left out."""
        states = (*OPEN, *IN_FLIGHT, "done", "undoing", "undo_failed", "unknown")
        if request.scope == "action":
            action = await stored_action(self._store, request.target)
            return [action] if action.state in states else []
        return [each for query in await self._queries(request, states) for each in await self._store.actions(query)]

    async def _undone(self, request: Unwind) -> int:
        """How many actions of the scope stand undone that did not when it was asked."""
        if request.scope == "action":
            return int((await stored_action(self._store, request.target)).state == "undone")
        counted = [await self._store.count(query) for query in await self._queries(request, ("undone",))]
        return sum(counted) - request.before

    async def _queries(self, request: Unwind, states: tuple[State, ...]) -> list[ActionQuery]:
        """What asks for the actions of the scope of a task or a release in `states`, undos left out."""
        if request.scope == "release":
            return [ActionQuery(release=Digest(request.target), states=states, undos=False, limit=ALL)]
        tasks = await self._tasks.tree(TaskId(request.target))
        return [ActionQuery(task=each, states=states, undos=False, limit=ALL) for each in tasks]

    async def _closing(self, request: Unwind) -> tuple[Record, ...]:
        """What must be written to close the scope. Something always is, so that of two requests at once one is told."""
        match request.scope:
            case "action":
                action = await stored_action(self._store, request.target)
                if action.undoes is not None:
                    raise IllegalMove("the action is itself an undo; propose the one it undid anew", state=action.state)
                if action.state not in ("done", "undo_failed"):
                    raise IllegalMove(
                        f"the action is {action.state}; only a done one can be undone", state=action.state
                    )
                return (action,)
            case "task":
                task = await stored_task(self._store, TaskId(request.target))
                # A worker closes what is inside it if we cannot, and once it is closed gives back what is left of its limits.
                return (msgspec.structs.replace(task, state="closing", due_at=request.asked_at),)
            case "release":
                if await self._store.get(Release, request.target) is None:
                    raise NotFound(f"there is no release `{request.target[:12]}`")
                control = (await self._orders.refresh()).control
                others = [each for each in control.stops if (each.scope, each.name) != ("release", request.target)]
                stop = Stop(
                    scope="release",
                    name=request.target,
                    words=BrakeId(self._ids.new()),
                    since_at=request.asked_at,
                    unwinding=True,
                )
                why = f"what it did is undone: {request.why}" if request.why else "what it did is undone"
                after = msgspec.structs.replace(control, stops=(*others, stop))
                return (after, words_of(stop, why=why, by=request.by))
            case _:
                assert_never(request.scope)

    def _said(self, control: Control, request: Unwind, now: int) -> Fact:
        body: dict[str, JsonValue] = {"scope": request.scope, "name": request.target}
        return control_fact(control, "stopped", body, request.by, now)

    # -- the request -------------------------------------------------------------------------------------------

    async def _finish(self, request: Unwind) -> Unwind:
        after = msgspec.structs.replace(
            request,
            state="done",
            undone=await self._undone(request),
            remaining=0,
            due_at=None,
            blocked_by=None,
            blocked_why="",
        )
        task = await self._store.get(Task, request.target) if request.scope == "task" else None
        closed = msgspec.structs.replace(task, state="closed") if task is not None and task.state == "closing" else None
        return await self._keep(after, "closed", *((closed,) if closed is not None else ()))

    async def _block(self, request: Unwind, action: Action, why: str, remaining: int) -> Unwind:
        after = msgspec.structs.replace(
            request,
            state="blocked",
            blocked_by=action.id,
            blocked_why=why,
            undone=await self._undone(request),
            remaining=remaining,
            due_at=None,
        )
        return await self._keep(after, "compensation")

    async def _later(self, request: Unwind, remaining: int) -> Unwind:
        undone = await self._undone(request)
        if (undone, remaining) == (request.undone, request.remaining):
            # Nothing to write down. Whatever is waited for wakes the worker, and it looks again.
            return request
        return await self._keep(msgspec.structs.replace(request, undone=undone, remaining=remaining), None)

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


def _movable(request: Unwind) -> bool:
    """Whether a worker can do anything about it: of one whose key is lost nothing can be written down."""
    return request.state == "running" and not request.withheld


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
