"""Opening and closing tasks."""

from collections.abc import Mapping
from typing import Final

import msgspec

from interlock.domain.budget import Budget
from interlock.domain.canonical import JsonValue, digest
from interlock.domain.change import Change, given
from interlock.domain.erasure import stripped
from interlock.domain.errors import Conflict, NotAllowed, NotFound
from interlock.domain.evidence import Fact, Phase, at
from interlock.domain.ids import Digest, Person, TaskId
from interlock.domain.names import instead
from interlock.domain.people import must_be_known
from interlock.domain.record import plain
from interlock.domain.task import Opening, Task
from interlock.ports.clock import Clock, Ids
from interlock.ports.store import Store
from interlock.services.orders import StandingOrders
from interlock.services.saving import save

_NOTHING: Final[Mapping[str, JsonValue]] = {}


class Tasks:
    """Every action belongs to a task; a task belongs to an agent in force, at its release in force."""

    def __init__(self, *, store: Store, orders: StandingOrders, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._orders = orders
        self._clock = clock
        self._ids = ids

    async def open(self, opening: Opening) -> Task:
        """Open a task. A sub-task may be narrower than its parent, never wider.

        Raises NotFound when no such agent is in force, NotAllowed when tasks nest too deep or the parent is not open.
        """
        while True:
            orders = await self._orders.refresh()
            standing = orders.control.agents.get(opening.agent)
            if standing is None:
                advice = instead(opening.agent, orders.control.agents, "run `interlock apply`")
                raise NotFound(f"no agent `{opening.agent}` is in force", next_step=advice)
            runtime = orders.agents[opening.agent].runtime
            parent = await self._open_parent(opening)
            depth = parent.depth + 1 if parent is not None else 0
            if depth > runtime.max_depth:
                raise NotAllowed(f"tasks of `{opening.agent}` may nest {runtime.max_depth} deep")
            now = self._clock.now()
            lasts = runtime.max_task_ms if opening.lasts_ms is None else min(opening.lasts_ms, runtime.max_task_ms)
            until = now + lasts
            budgets = {
                **opening.budgets,
                "calls": min(opening.budgets.get("calls", runtime.max_actions), runtime.max_actions),
            }
            task = Task(
                id=TaskId(self._ids.new()),
                agent=opening.agent,
                release=standing.release,
                purpose=opening.purpose,
                initiator=opening.initiator,
                opened_at=now,
                expires_at=min(until, parent.expires_at) if parent is not None else until,
                prohibited=tuple(
                    dict.fromkeys((*(parent.prohibited if parent is not None else ()), *opening.prohibited))
                ),
                budgets=budgets,
                depth=depth,
                parent=parent.id if parent is not None else None,
                ancestors=(*parent.ancestors, parent.id) if parent is not None else (),
                run=opening.run,
                plan=opening.plan,
            )
            limits = tuple(Budget(scope=f"task:{task.id}", unit=unit, limit=limit) for unit, limit in budgets.items())
            leans = (given(orders.control), *((given(parent),) if parent is not None else ()))
            change = Change(puts=(task, *limits), given=leans, facts=(_fact(task, "opened", now),))
            try:
                await save(self._store, change)
            except Conflict:
                continue
            return task.saved()

    async def _open_parent(self, opening: Opening) -> Task | None:
        if opening.parent is None:
            return None
        parent = await self._store.get(Task, opening.parent.id)
        if parent is None:
            raise NotFound(f"there is no task `{opening.parent.id}`")
        if parent.state != "open":
            raise NotAllowed(f"the parent task is {parent.state}")
        return parent

    async def close(self, task: Task, *, by: Person | None = None, why: str = "") -> Task:
        """No more actions in this task. What waits goes on waiting; nothing is undone. Closing twice is once.

        `by` is who closes it where that is not the program that opened it: kept with `why`, gone with the task. Raises
        NotFound, and NotAllowed for a person nobody knows.
        """
        if by is not None:
            must_be_known(by, (await self._orders.refresh()).control)
        while True:
            current = await self._store.get(Task, task.id)
            if current is None:
                raise NotFound(f"there is no task `{task.id}`")
            if current.state != "open":
                return current
            after = msgspec.structs.replace(current, state="closed")
            fact = _fact(after, "closed", self._clock.now(), {} if by is None else {"by": by, "why": why})
            try:
                await save(self._store, Change(puts=(after,), facts=(fact,)))
            except Conflict:
                continue
            return after.saved()


def _fact(task: Task, phase: Phase, now: int, beside: Mapping[str, JsonValue] = _NOTHING) -> Fact:
    # Of what stays readable alone: a digest of whom it is for, and why, could be guessed back.
    fixed = stripped(msgspec.structs.replace(task, revision=0, state="open"), "")
    return Fact(
        phase=phase,
        subject="task",
        subject_id=task.id,
        subject_digest=Digest(digest(plain(fixed))),
        observed_at=now,
        body={
            "state": task.state,
            "agent": {"id": task.agent, "release": task.release},
            "depth": task.depth,
            "delegation": [*task.ancestors, task.id],
            "expiresAt": at(task.expires_at),
        },
        private={"purpose": task.purpose, "initiator": task.initiator, "planSummary": task.plan, **beside},
    )
