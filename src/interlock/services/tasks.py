"""Opening and closing tasks, and the trees they make.

A task inside another takes its limits out of the other's in the transaction that opens it, and gives back what is left when it
is closed: by its program, with the task around it, or by a worker once its time is over.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from interlock.domain.agent import Runtime
from interlock.domain.bounds import narrowed
from interlock.domain.budget import Budget
from interlock.domain.canonical import JsonValue, digest
from interlock.domain.change import Change, Unchanged, given
from interlock.domain.child_failure import ChildFailure
from interlock.domain.erasure import stripped
from interlock.domain.errors import BudgetExceeded, Conflict, NotAllowed
from interlock.domain.evidence import Fact, Phase, at
from interlock.domain.family import Family
from interlock.domain.ids import Digest, Person, TaskId
from interlock.domain.in_force import must_act, standing_of
from interlock.domain.misspelt import must_be_there
from interlock.domain.people import must_be_known, must_be_reasoned
from interlock.domain.presented import SPENT, Spent
from interlock.domain.record import plain
from interlock.domain.task import Opening, Task, lent
from interlock.domain.tree import AGAIN_MS, Branch, drawn_on, felled
from interlock.ports.clock import Clock, Ids
from interlock.ports.store import Store
from interlock.services.known_tasks import stored_task
from interlock.services.orders import StandingOrders
from interlock.services.saving import save

_NOTHING: Final[Mapping[str, JsonValue]] = {}
OVER: Final = "TimeOver"
"""How a task failed that nobody closed in time."""
AT_ONCE: Final = 100
"""So many tasks whose time has come are looked at together."""


class Tasks:
    """Every action belongs to a task; a task belongs to an agent in force, at its release in force."""

    def __init__(self, *, store: Store, orders: StandingOrders, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._orders = orders
        self._clock = clock
        self._ids = ids

    async def open(self, opening: Opening) -> Task:
        """Open a task. A task inside another may be narrower, never wider, and its limits are reserved from those around it.

        Raises NotFound when no such agent is in force; ContractError when it is given or forbidden what there is not; NotAllowed
        when tasks nest too deep, too many are open beside it, its agent is at work around it already, the parent is not open, or
        it would be wider than that; BudgetExceeded when less is left around it than it asks for; Conflict when it names its own
        id and is there already.
        """
        tidied = opening.parent is None
        while True:
            try:
                return await self._opened(opening)
            except Conflict as conflict:
                if (conflict.kind, conflict.key) == (Task.kind, opening.id) or conflict.kind == SPENT:
                    raise  # somebody opened this very task first, or with this very proof
                continue
            except (BudgetExceeded, NotAllowed):
                # What is over its time may still be counted: a worker would see to it, and there need not be one.
                if tidied or opening.parent is None or not await self._tidied(opening.parent):
                    raise
                tidied = True

    async def _opened(self, opening: Opening) -> Task:
        orders = await self._orders.refresh()
        standing = standing_of(opening.agent, orders.control)
        must_act(opening.agent, orders.control)
        must_be_there(tools=opening.tools, data=opening.data, prohibited=opening.prohibited, contracts=orders.contracts)
        runtime = orders.agents[opening.agent].runtime
        parent = await self._open_parent(opening)
        if parent is not None:
            # Who may begin nothing new has nobody else begin it either.
            must_act(parent.agent, orders.control)
        family = None if parent is None else await self._joined(opening, parent, runtime)
        now = self._clock.now()
        lasts = runtime.max_task_ms if opening.lasts_ms is None else min(opening.lasts_ms, runtime.max_task_ms)
        ends = [now + lasts, *((parent.expires_at,) if parent is not None else ())]
        until = min(ends if opening.ends_at is None else [*ends, opening.ends_at])
        task_id = opening.id or TaskId(self._ids.new())
        limits = lent(task_id, opening.budgets, runtime.max_actions, parent)
        around = parent.prohibited if parent is not None else ()
        tools, data = opening.tools, opening.data
        if parent is not None:
            tools, data = narrowed(tools, data, parent)
        task = Task(
            id=task_id,
            agent=opening.agent,
            release=standing.release,
            purpose=opening.purpose,
            initiator=_for_whom(opening, parent),
            opened_at=now,
            expires_at=until,
            prohibited=tuple(dict.fromkeys((*around, *opening.prohibited))),
            tools=tools,
            data=data,
            budgets={each.unit: each.limit for each in limits.budgets},
            purses=limits.purses,
            depth=parent.depth + 1 if parent is not None else 0,
            parent=parent.id if parent is not None else None,
            ancestors=(*parent.ancestors, parent.id) if parent is not None else (),
            above=(*parent.above, parent.agent) if parent is not None else (),
            run=opening.run,
            plan=opening.plan,
            due_at=until if parent is not None else None,
            epoch=orders.control.revision if opening.epoch is None else min(orders.control.revision, opening.epoch),
            delegated=opening.delegated or (parent.delegated if parent is not None else None),
            instance=opening.instance,
            through=opening.through if parent is None else parent.through,
        )
        taken = await self._orders.revoked(orders, task)
        if taken is not None:
            raise NotAllowed(await self._orders.taken(taken), next_step="have the work given out anew")
        leans = (given(orders.control), *((given(parent),) if parent is not None else ()))
        puts = (task, *limits.budgets, *((family.joined(task.id),) if family is not None else ()))
        change = Change(
            puts=puts, given=leans, draws=limits.draws, facts=(task_fact(task, "opened", now),), spent=opening.spent
        )
        await save(self._store, change)
        return task.saved()

    async def _open_parent(self, opening: Opening) -> Task | None:
        if opening.parent is None:
            return None
        parent = await stored_task(self._store, opening.parent.id)
        if parent.state != "open":
            raise NotAllowed(
                f"the parent task is {parent.state}",
                next_step="nothing is opened in it any more: begin in a task of its own",
            )
        return parent

    async def _joined(self, opening: Opening, parent: Task, runtime: Runtime) -> Family:
        """The family the new task joins, or NotAllowed."""
        if parent.depth + 1 > runtime.max_depth:
            raise NotAllowed(f"tasks of `{opening.agent}` may nest {runtime.max_depth} deep")
        # Its own work it may divide, as deep as tasks may nest; what comes back to it through others has gone in a circle.
        if opening.agent in parent.above and opening.agent != parent.agent and not runtime.may_recur:
            raise NotAllowed(
                f"`{opening.agent}` is at work around this task already: {' > '.join((*parent.above, parent.agent))}",
                next_step="give the work to another agent, or allow it: `runtime: {may_recur: true}` in its file",
            )
        most = (await self._orders.agent((await self._orders.release(parent.release)).agent_digest)).runtime.max_fanout
        family = await self._store.get(Family, parent.id) or Family(task=parent.id)
        if len(family.open) >= most:
            raise NotAllowed(
                f"{len(family.open)} tasks are open inside this one, and `{parent.agent}` may have {most} at once",
                next_step="wait until one is closed, or raise `runtime: {max_fanout}` in its file",
            )
        return family

    async def close(
        self, task: Task, *, by: Person | None = None, why: str = "", failure: str = "", spent: tuple[Spent, ...] = ()
    ) -> Task:
        """No more actions in this task, nor in those inside it, which are closed with it. What waits in them goes on waiting;
        nothing is undone. What is left of their limits goes back to the tasks around. Closing twice is once.

        `by` is who closes it where that is not the program that opened it: kept with `why`, gone with the task. `failure` is the
        name of what ended it, where that was a failure: the task around it hears of it. `spent` proved who closes it. Raises
        NotFound, Conflict where that was spent before, and of a person ContractError without a reason and NotAllowed where nobody
        knows them.
        """
        if by is not None:
            must_be_reasoned(why)
            must_be_known(by, (await self._orders.refresh()).control)
        said: Mapping[str, JsonValue] = {} if by is None else {"by": by, "why": why}
        # Whoever calls has just read it, mostly. Where it is another one by now, the commit is refused.
        current = task if task.state == "open" else await stored_task(self._store, task.id)
        while current.state == "open":
            try:
                return await self._felled(current, said, failure, spent)
            except Conflict as conflict:
                if conflict.kind == SPENT:
                    raise
            current = await stored_task(self._store, task.id)
        return current

    async def close_within(self, task: TaskId) -> None:
        """Close everything that is open inside a task, which is itself about to be undone. Its own state is left as it is."""
        for child in await self.inside(task):
            if child.state == "open":
                await self.close(child)

    async def tree(self, task: TaskId) -> tuple[TaskId, ...]:
        """A task and everything that was ever opened inside it."""
        return (task, *(each.id for each in await self.inside(task)))

    async def inside(self, task: TaskId) -> list[Task]:
        """Everything that was ever opened inside a task, each after the one it is in."""
        found = await self._store.inside(task)
        for each in found:
            found += await self._store.inside(each.id)
        return found

    async def failures(
        self, task: TaskId, children: frozenset[TaskId] | None = None, *, spent: tuple[Spent, ...] = ()
    ) -> tuple[ChildFailure, ...]:
        """Those of the tasks right inside this one that failed and that nobody looked at: this is looking. With `children` only
        those are looked at, and nothing else. `spent` proved who looks; raises Conflict where that was spent before."""
        while True:
            family = await self._store.get(Family, task)
            if family is None or not (family.failed or family.more):
                return ()
            looked = [each for each in family.failed if children is None or each in children]
            found = [await stored_task(self._store, each) for each in looked]
            after = family.looked_at(children)
            if after != family:
                try:
                    await save(self._store, Change(puts=(after,), spent=spent))
                except Conflict as conflict:
                    if conflict.kind == SPENT:
                        raise
                    continue
            return tuple(
                ChildFailure(task=each.id, agent=each.agent, purpose=each.purpose, why=each.failure) for each in found
            )

    async def tend(self) -> int:
        """Close the tasks inside others whose time is over, and give back what is left of those that were closed while something
        in them could still happen. How many were looked at; a worker does it again while there are any."""
        due = await self._store.due(Task, now=self._clock.now(), limit=AT_ONCE)
        for task in due:
            await self._tended(task)
        return len(due)

    # -- parts -------------------------------------------------------------------------------------------------

    async def _tidied(self, parent: Task) -> bool:
        """Whether a task inside `parent` was over its time, or had something to give back."""
        family = await self._store.get(Family, parent.id)
        before = family.revision if family is not None else 0
        for child in family.members if family is not None else ():
            task = await stored_task(self._store, child)
            if task.state == "closed" or self._clock.now() >= task.expires_at:
                await self._tended(task)
        after = await self._store.get(Family, parent.id)
        return after is not None and after.revision != before

    async def _tended(self, task: Task) -> None:
        while True:
            current = await stored_task(self._store, task.id)
            try:
                match current.state:
                    case "open" if self._clock.now() >= current.expires_at:
                        await self._felled(current, _NOTHING, OVER)
                    case "closed" if current.due_at is not None:
                        await self._felled(await self._topmost(current), _NOTHING, "")
                    case "closing":
                        # It is being undone. When that is over it is closed, and looked at then.
                        await self.close_within(current.id)
                        later = msgspec.structs.replace(current, due_at=self._clock.now() + AGAIN_MS)
                        await save(self._store, Change(puts=(later,)))
                    case _:
                        pass
            except Conflict:
                continue
            return

    async def _topmost(self, task: Task) -> Task:
        """The outermost closed task around a closed one, without an open one between them."""
        while task.parent is not None:
            around = await stored_task(self._store, task.parent)
            if around.state != "closed" or around.parent is None:
                break
            task = around
        return task

    async def _felled(
        self, top: Task, said: Mapping[str, JsonValue], failure: str, spent: tuple[Spent, ...] = ()
    ) -> Task:
        branches = await self._branches(top)
        outer = None if top.parent is None else await self._store.get(Family, top.parent)
        now = self._clock.now()
        result = felled(branches, outer, now, failure=failure)
        facts: list[Fact] = []
        for branch, after in zip(branches, result.tasks, strict=True):
            if branch.task.state != "closed":
                beside = {
                    **(said if branch is branches[0] else {}),
                    **({"failure": after.failure} if after.failed else {}),
                }
                facts.append(task_fact(after, "closed", now, beside))
        # Nobody opens another one inside it meanwhile.
        put = {each.key for each in result.puts if isinstance(each, Family)}
        leans = tuple(
            Unchanged(Family.kind, each.task.id, each.family.revision if each.family is not None else 0)
            for each in branches
            if each.task.id not in put
        )
        if result.puts or result.draws:
            change = Change(puts=result.puts, given=leans, draws=result.draws, facts=tuple(facts), spent=spent)
            await save(self._store, change)
        return result.tasks[0].saved() if result.tasks[0] in result.puts else result.tasks[0]

    async def _branches(self, top: Task) -> list[Branch]:
        """`top` and everything inside it with which there still is something to do, each after the one it is in."""
        found, wanted = list[Branch](), [top]
        while wanted:
            task = wanted.pop(0)
            family = await self._store.get(Family, task.id)
            budgets = [await self._store.get(Budget, key) for key in drawn_on(task)]
            known = tuple(each for each in budgets if each is not None)
            found.append(Branch(task=task, family=family, budgets=known))
            wanted += [await stored_task(self._store, each) for each in family.members] if family is not None else []
        return found


def _for_whom(opening: Opening, parent: Task | None) -> str:
    """On whose behalf the task is. What is done inside a task is done for the same one, whose rights bound all of it."""
    if parent is None:
        return opening.initiator or f"system:{opening.agent}"
    if opening.initiator and opening.initiator != parent.initiator:
        raise NotAllowed(
            "a task inside another is on behalf of the same one",
            next_step="leave `on_behalf_of` away, or open the task outside of the other",
        )
    return parent.initiator


def task_fact(task: Task, phase: Phase, now: int, beside: Mapping[str, JsonValue] = _NOTHING) -> Fact:
    """A fact about a task."""
    # Of what stays readable alone: a digest of whom it is for, and why, could be guessed back.
    opened: dict[str, JsonValue] = {}
    if phase == "opened" and task.tools is not None:
        opened["givenTools"] = plain(task.tools.tools)
    if phase == "opened" and task.data is not None:
        opened["givenData"] = plain(task.data.records)
    alike = msgspec.structs.replace(task, revision=0, state="open", due_at=None, failed=False, instance="")
    fixed = stripped(alike, "")
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
            **(_handed_on(task) if phase == "opened" else {}),
            **({"instance": task.instance} if task.instance and phase in ("opened", "resumed") else {}),
            **({"through": task.through} if task.through and phase == "opened" else {}),
        },
        private={"purpose": task.purpose, "initiator": task.initiator, "planSummary": task.plan, **opened, **beside},
    )


def _handed_on(task: Task) -> dict[str, JsonValue]:
    """By which tokens a task was handed on, each with the key that held it, where it was this very task."""
    delegated = task.delegated
    if delegated is None or delegated.task != task.id:
        return {}
    links = zip(delegated.tokens, delegated.holders, strict=True)
    return {"tokens": [{"id": token, "holder": holder} for token, holder in links]}
