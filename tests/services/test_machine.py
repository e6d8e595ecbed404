"""Anything anybody may do, in any order, with crashes, on two processes: the invariants hold after every step."""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any, Literal, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from interlock.domain.action import MOVES, SETTLED, Action
from interlock.domain.control import StopScope
from interlock.domain.errors import Conflict, InterlockError, NotFound
from interlock.domain.ids import Person
from interlock.domain.task import Task
from interlock.domain.unwind import Unwind
from interlock.services.plane import ControlPlane
from interlock.testing.parts import Crash
from tests.audit.honest import lies
from tests.services.shop import CLASSES, Shop, disagreements

T = TypeVar("T")
PEOPLE = st.sampled_from([Person("rita"), Person("ria"), Person("ana"), Person("nobody")])
TOOLS = st.sampled_from(["thing.put", "thing.put", "thing.two", "thing.take"])
WAYS = st.sampled_from(["well", "well", "well", "before", "after", "nothing"])


class Fuse:
    """Kills the process after so many more steps."""

    def __init__(self) -> None:
        self.left = -1

    def reached(self, step: str) -> None:
        """One step."""
        self.left -= 1
        if self.left == 0:
            raise Crash(step)


class Life(RuleBasedStateMachine):
    """One agent, two processes, four people, no mercy."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.seen: dict[str, Action] = {}
        self.tasks: list[Task] = []
        self.processes = 0

    def teardown(self) -> None:
        """Let everything settle, and look once more."""
        if hasattr(self, "shop"):
            self.now(self.settle_all())
        self.loop.close()

    async def settle_all(self) -> None:
        """What must become of it all in the end."""
        scopes: tuple[tuple[StopScope, str], ...] = (("all", ""), ("agent", "ag"))
        for scope, name in scopes:
            with contextlib.suppress(NotFound):
                await self.shop.calm.braking.resume(scope, name, by="rita")
        await self.shop.finish(self.shop.another("last"), rounds=40)
        assert await disagreements(self.shop) == []
        keys = self.shop.keys
        assert await lies(self.shop.store, keys.log.verifier, keys.gate) == []

    def now(self, doing: Coroutine[Any, Any, T]) -> T | None:
        """Do it; a crash or a typed error is an answer too, a conflict never is."""
        try:
            return self.loop.run_until_complete(doing)
        except Crash:
            self.restart()
            return None
        except Conflict:
            raise
        except InterlockError:
            return None

    def restart(self) -> None:
        """A new process in place of the dead one."""
        self.processes += 1
        self.fuse = Fuse()
        self.shop.plane = self.shop.another(f"p{self.processes}", self.fuse)

    @property
    def process(self) -> ControlPlane:
        """The one that may die."""
        return self.shop.plane

    @initialize(kind=st.sampled_from(sorted(CLASSES)))
    def begin(self, kind: str) -> None:
        """A shop in one class."""
        self.shop = Shop(kind)
        self.loop.run_until_complete(self.shop.open())
        self.restart()
        self.open_task()

    @rule()
    def open_task(self) -> None:
        """Another task."""
        task = self.now(self.shop.task())
        if task is not None:
            self.tasks.append(task)

    @rule(data=st.data(), tool=TOOLS, n=st.integers(-1, 14), key=st.sampled_from([None, "a", "b"]), here=st.booleans())
    def propose(self, data: st.DataObject, tool: str, n: int, key: str | None, here: bool) -> None:
        """Something, in some task, perhaps again."""
        if self.tasks:
            task = data.draw(st.sampled_from(self.tasks))
            self.now(self.shop.propose(task, tool, key=key, here=here, n=n))

    def one(self, data: st.DataObject, *states: str) -> Action | None:
        """Some action in one of these states."""
        found = [each for each in self.seen.values() if each.state in states]
        return data.draw(st.sampled_from(found)) if found else None

    @rule(data=st.data(), person=PEOPLE, calm=st.booleans())
    def approve(self, data: st.DataObject, person: Person, calm: bool) -> None:
        """A yes."""
        action = self.one(data, "held")
        if action is not None:
            self.now((self.shop.calm if calm else self.process).approvals.approve(action.id, person))

    @rule(data=st.data(), person=PEOPLE)
    def reject(self, data: st.DataObject, person: Person) -> None:
        """A no."""
        action = self.one(data, "held")
        if action is not None:
            self.now(self.process.approvals.reject(action.id, person, note="no"))

    @rule(data=st.data(), person=PEOPLE, n=st.integers(-1, 20))
    def modify(self, data: st.DataObject, person: Person, n: int) -> None:
        """Something else instead."""
        action = self.one(data, "held")
        if action is not None:
            self.now(self.process.approvals.modify(action.id, person, {"n": n}))

    @rule(data=st.data(), scope=st.sampled_from(["action", "task", "release"]))
    def undo(self, data: st.DataObject, scope: Literal["action", "task", "release"]) -> None:
        """Take it back."""
        if scope == "action":
            action = self.one(data, "done", "undo_failed", "failed")
            target = action.id if action is not None else "nothing"
        elif not self.tasks:
            return
        else:
            task = data.draw(st.sampled_from(self.tasks))
            target = task.id if scope == "task" else task.release
        self.now(self.process.compensation.undo(scope, target, by="rita", why="wrong"))

    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        """Go on with an undo that is blocked."""
        blocked = [each for each in self.now(self.shop.store.all(Unwind)) or [] if each.state == "blocked"]
        if blocked:
            self.now(self.process.compensation.retry(data.draw(st.sampled_from(blocked)).id, by="ria"))

    @rule(scope=st.sampled_from(["all", "agent"]), lift=st.booleans())
    def brake(self, scope: Literal["all", "agent"], lift: bool) -> None:
        """Pull or lift it."""
        name = "ag" if scope == "agent" else ""
        if lift:
            self.now(self.process.braking.resume(scope, name, by="rita"))
        else:
            self.now(self.process.braking.stop(scope, name, by="rita", why="halt"))

    @rule(data=st.data())
    def settle(self, data: st.DataObject) -> None:
        """A person who looked says what happened: the truth, and only once nothing can land any more."""
        action = self.one(data, "unknown")
        if action is not None:
            happened = self.shop.effects[action.idempotency_key]
            self.now(
                self.process.settling.settle(
                    action.id, Person("rita"), "done" if happened else "failed", result={"n": 1}, note="looked"
                )
            )

    @rule(ms=st.sampled_from([1, 100, 1_500, 60_000]))
    def pass_time(self, ms: int) -> None:
        """Time goes by."""
        self.shop.clock.advance(ms)

    @rule(calm=st.booleans())
    def work(self, calm: bool) -> None:
        """A worker's round."""
        self.now(self.shop.work(self.shop.calm if calm else self.process))

    @rule(data=st.data())
    def close(self, data: st.DataObject) -> None:
        """A task is closed."""
        if self.tasks:
            self.now(self.process.tasks.close(data.draw(st.sampled_from(self.tasks))))

    @rule(way=WAYS, tool=st.sampled_from(["thing.put", "thing.take", "thing.two"]))
    def misbehave(self, way: str, tool: str) -> None:
        """The next call of a tool goes so."""
        if way != "well":
            self.shop.targets[tool].fail(way)

    @precondition(lambda self: self.fuse.left <= 0)
    @rule(steps=st.integers(1, 8))
    def doom(self, steps: int) -> None:
        """The process dies soon, wherever it then is."""
        self.fuse.left = steps

    @invariant()
    def holds(self) -> None:
        """Store, log, budgets and world agree, and every action came to its state by the table."""
        if not hasattr(self, "shop"):
            return
        assert self.loop.run_until_complete(disagreements(self.shop, settled=False)) == []
        for action in self.loop.run_until_complete(self.shop.actions()):
            before = self.seen.get(action.id)
            if before is not None and before.state != action.state:
                assert action.state in REACHABLE[before.state]
                assert before.state not in SETTLED or action.state in ("undoing", "undone", "undo_failed")
            self.seen[action.id] = action


def _reachable() -> dict[str, set[str]]:
    found = {str(state): {str(to) for to in ways.values()} for state, ways in MOVES.items()}
    for _ in MOVES:
        for ways in found.values():
            ways |= {further for to in list(ways) for further in found[to]}
    return found


REACHABLE = _reachable()


TestLife = pytest.mark.proves(
    "action.exactly_once", "action.moves", "budget.exact", "evidence.both_verifiers", "log.agrees"
)(Life.TestCase)
TestLife.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
