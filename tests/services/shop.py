"""Stories that every fault and crash is tried on, and what must be true after each of them.

One contract of each kind in one idempotency class, targets that keep that class's promise and count what really happened,
and `disagreements`: the store, the log, the budgets and the world held against each other.
"""

from collections import Counter
from collections.abc import Awaitable, Callable

import msgspec

from interlock.adapters.memory import Faults
from interlock.domain.action import ENDS, Action
from interlock.domain.approval import ANSWER
from interlock.domain.budget import Budget
from interlock.domain.call import Answer, Call, Landed
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import (
    Blind,
    Conditional,
    Contract,
    Cost,
    Idempotency,
    Keyed,
    Lookup,
    NoReversal,
    PythonTarget,
    TwoPhase,
)
from interlock.domain.ids import ContractName, Person
from interlock.domain.policy import Policy
from interlock.domain.proposal import Proposal
from interlock.domain.question import Question
from interlock.domain.unwind import Unwind
from interlock.ports.steps import Steps
from interlock.ports.store import ActionQuery
from interlock.services.plane import ControlPlane
from interlock.testing.parts import Target
from interlock.testing.world import World, contract, permit
from tests.services.packets import predicate_of

RITA = Person("rita")
HAPPENED = ("done", "undoing", "undone", "undo_failed")
"""States that say: the effect happened, once."""
LIVE = ("held", "ready", "preparing", "prepared", "aborting", "dispatching", "unknown")
"""States in which what was reserved still is."""
CLASSES: dict[str, tuple[Idempotency, bool]] = {
    "keyed": (Keyed(), False),
    "conditional": (Conditional(), False),
    "conditional, askable": (Conditional(), True),
    "lookup": (Lookup(quarantine_ms=300), True),
    "blind": (Blind(), False),
    "blind, askable": (Blind(), True),
}
NAMES = ("thing.put", "thing.take", "thing.two")


def above_ten(question: Question) -> bool:
    """What people are asked about."""
    n = question.arguments["n"]
    return isinstance(n, int) and n > 10 and not question.around.undo


ASK = Policy(
    id="ask", effect="forbid", owner="pia", verdict="require_approval", approver="reviewer", reason="above ten"
)


class Shop(World):
    """A world with three tools of one class."""

    def __init__(self, kind: str = "keyed", *, faults: Faults | None = None, steps: Steps | None = None) -> None:
        super().__init__(faults=faults or Faults(), steps=steps)
        self.kind = kind
        self.people[Person("leo")] = ("reviewer",)
        self.calm = self.another("calm")
        self.prepared: set[str] = set()
        self.targets: dict[str, Target] = {}

    async def open(self) -> "Shop":
        """Bring everything into force."""
        tools = self.tools()
        await self.apply(*tools, rules=(permit(), (ASK, above_ten)), budgets={"EUR": 1_000, "calls": 100})
        for tool in tools:
            self.targets[tool.name] = Target(self.effectors, tool)
        self.effectors.on("thing.two", "prepare", self._prepare)
        self.effectors.on("thing.two", "abort", self._abort)
        self.effectors.on("thing.two", "run", self._commit)
        return self

    def tools(self) -> tuple[Contract, ...]:
        """`thing.put`, what undoes it, and one with two phases."""
        idempotency, askable = CLASSES[self.kind]
        lookup = PythonTarget(target="world:ask") if askable else None
        base = contract(idempotency=idempotency, lookup=lookup, cost=Cost(unit="EUR", amount="$args.n"))
        return (
            base,
            msgspec.structs.replace(base, name=ContractName("thing.take"), reversal=NoReversal(why="an undo")),
            msgspec.structs.replace(
                base,
                name=ContractName("thing.two"),
                two_phase=TwoPhase(prepare=PythonTarget(target="w:p"), abort=PythonTarget(target="w:a")),
            ),
        )

    async def finish(self, process: ControlPlane | None = None, rounds: int = 9) -> None:
        """Let a worker run until everything that settles by itself has settled."""
        for _ in range(rounds):
            await self.work(process)
            self.clock.advance(1_500)

    @property
    def effects(self) -> Counter[str]:
        """How often something really happened, by idempotency key."""
        return sum((target.effects for target in self.targets.values()), Counter[str]())

    def _prepare(self, arguments: dict[str, JsonValue], call: Call) -> Answer:
        del arguments
        self.prepared.add(call.idempotency_key)
        return Landed("token")

    def _abort(self, arguments: dict[str, JsonValue], call: Call) -> Answer:
        del arguments
        self.prepared.discard(call.idempotency_key)
        return Landed(None)

    def _commit(self, arguments: dict[str, JsonValue], call: Call) -> Answer:
        answer = self.targets["thing.two"].run(arguments, call)
        if isinstance(answer, Landed):
            self.prepared.discard(call.idempotency_key)
        return answer


# -- stories ---------------------------------------------------------------------------------------------------

Story = Callable[[Shop], Awaitable[None]]


async def allow(shop: Shop) -> None:
    """Allowed, and run here."""
    await shop.propose(await shop.task(), key="a")


async def cleared(shop: Shop) -> None:
    """Allowed, and run by a worker."""
    await shop.propose(await shop.task(), key="a", here=False)
    await shop.finish(rounds=1)


async def approve(shop: Shop) -> None:
    """Held, approved, run by a worker."""
    action = await shop.propose(await shop.task(), key="a", n=50)
    await shop.plane.approvals.approve(action.id, RITA)
    await shop.finish(rounds=1)


async def talked(shop: Shop) -> None:
    """Held, looked at, asked about and answered, handed on and taken back; then approved, run by a worker."""
    task = await shop.task()
    action = await shop.propose(task, key="a", n=50)
    await shop.plane.dossiers.open(action.id, RITA)
    await shop.plane.inquiring.ask(action.id, RITA, "why so many?")
    answer: dict[str, JsonValue] = {"action": action.id, "question": 1, "text": "it is a gross"}
    await shop.plane.inquiring.answer(Proposal(task=task, contract=ANSWER, arguments=answer))
    await shop.plane.inquiring.delegate(action.id, RITA, Person("ria"))
    await shop.plane.inquiring.take_back(action.id, RITA)
    await shop.plane.approvals.approve(action.id, RITA)
    await shop.finish(rounds=1)


async def modify(shop: Shop) -> None:
    """Held, modified, run by a worker."""
    action = await shop.propose(await shop.task(), key="a", n=50)
    await shop.plane.approvals.modify(action.id, RITA, {"n": 20})
    await shop.finish(rounds=1)


async def reject(shop: Shop) -> None:
    """Held and rejected."""
    action = await shop.propose(await shop.task(), key="a", n=50)
    await shop.plane.approvals.reject(action.id, RITA, note="no")


async def withdraw(shop: Shop) -> None:
    """Held, and no longer wanted by whoever asked."""
    action = await shop.propose(await shop.task(), key="a", n=50)
    await shop.plane.withdrawing.withdraw(action.id)
    await shop.finish(rounds=1)


async def undo_task(shop: Shop) -> None:
    """Two done, one held; the task undone."""
    task = await shop.task()
    await shop.propose(task, key="a", n=1)
    await shop.propose(task, key="b", n=2)
    await shop.propose(task, key="c", n=50)
    await shop.plane.compensation.undo("task", task.id, by="rita", why="wrong")
    await shop.finish(rounds=2)


async def undo_release(shop: Shop) -> None:
    """Two tasks of one release; the release undone."""
    first, second = await shop.task(), await shop.task()
    await shop.propose(first, key="a", n=1)
    await shop.propose(second, key="b", n=2)
    await shop.plane.compensation.undo("release", first.release, by="rita", why="wrong")
    await shop.finish(rounds=2)


async def two_phase(shop: Shop) -> None:
    """Prepared and committed."""
    await shop.propose(await shop.task(), "thing.two", key="a", n=1)
    await shop.finish(rounds=1)


async def aborted(shop: Shop) -> None:
    """Prepared, then stopped, then released."""
    task = await shop.task()

    async def halted(arguments: dict[str, JsonValue], call: Call) -> Answer:
        if not shop.prepared:
            await shop.calm.braking.stop("agent", "ag", by="rita", why="halt")
        return shop._prepare(arguments, call)

    shop.effectors.on("thing.two", "prepare", halted)
    await shop.propose(task, "thing.two", key="a", n=1)
    await shop.finish(rounds=1)


async def commit_refused(shop: Shop) -> None:
    """Prepared, and then the commit did nothing."""
    shop.targets["thing.two"].fail("nothing")
    await shop.propose(await shop.task(), "thing.two", key="a", n=1)
    await shop.finish(rounds=1)


async def commit_lost(shop: Shop) -> None:
    """Prepared, and the commit gave no answer; a person looks where nobody else can."""
    shop.targets["thing.two"].fail("before")
    action = await shop.propose(await shop.task(), "thing.two", key="a", n=1)
    await shop.finish(rounds=5)
    if (await shop.action(action)).state == "unknown":
        await shop.plane.settling.settle(action.id, RITA, "failed", note="looked")
    await shop.finish(rounds=1)


async def retry(shop: Shop) -> None:
    """It happened, and no answer came."""
    shop.targets["thing.put"].fail("after")
    await shop.propose(await shop.task(), key="a")
    await shop.finish(rounds=4)


async def silent(shop: Shop) -> None:
    """It did not happen, and no answer came."""
    shop.targets["thing.put"].fail("before")
    await shop.propose(await shop.task(), key="a")
    await shop.finish(rounds=4)


STORIES: dict[str, Story] = {
    story.__name__: story
    for story in (
        allow,
        cleared,
        approve,
        talked,
        modify,
        reject,
        withdraw,
        undo_task,
        undo_release,
        two_phase,
        aborted,
        commit_refused,
        commit_lost,
        retry,
        silent,
    )
}


# -- what must be true -----------------------------------------------------------------------------------------


async def disagreements(shop: Shop, *, settled: bool = True) -> list[str]:
    """What the store, the log, the budgets and the world do not agree upon. With `settled` nothing may be on its way."""
    found: list[str] = []
    actions = await shop.actions()
    effects = shop.effects
    for action in actions:
        found += await _of(shop, action, effects[action.idempotency_key], settled=settled)
    for key in effects.keys() - {action.idempotency_key for action in actions}:
        found.append(f"{key} happened and is not recorded")
    found += await _budgets(shop, actions)
    if settled:
        found += [f"undo {each.id} still runs" for each in await shop.store.all(Unwind) if each.state == "running"]
        ended = {each.idempotency_key for each in actions if each.state in ENDS}
        found += [f"{key} is still reserved" for key in shop.prepared & ended]
    return found


async def _of(shop: Shop, action: Action, effects: int, *, settled: bool) -> list[str]:
    name = f"{action.contract} {action.idempotency_key[:8]} ({action.state})"
    found: list[str] = []
    if effects > 1:
        found.append(f"{name} happened {effects} times")
    if action.state in HAPPENED and effects != 1:
        found.append(f"{name} is said to have happened")
    if effects and action.state not in (*HAPPENED, "unknown", "dispatching"):
        found.append(f"{name} happened all the same")
    if settled and action.state in ("ready", "preparing", "prepared", "aborting", "dispatching"):
        found.append(f"{name} is stuck")
    if settled and action.state == "unknown" and action.due_at is not None:
        found.append(f"{name} is still asked")
    if action.state == "undoing" and settled:
        undo = await shop.store.get(Action, action.undone_by or "")
        if undo is None or undo.state not in ("unknown", "held"):
            found.append(f"{name} is undone by nothing")
    if action.state == "undone":
        undos = await shop.store.actions(ActionQuery(undoes=action.id, states=("done",)))
        if len(undos) != 1:
            found.append(f"{name} was undone {len(undos)} times")
    said = [predicate_of(entry.leaf) for entry in await shop.store.entries_of(action.id)]
    numbered = [each for each in said if each["actionSeq"]]
    if [each["actionSeq"] for each in numbered] != list(range(1, action.entries + 1)):
        found.append(f"{name} has a gap in its entries")
    elif numbered[-1]["state"] != action.state:
        found.append(f"{name} is {numbered[-1]['state']} in the log")
    return found


async def _budgets(shop: Shop, actions: list[Action]) -> list[str]:
    reserved, spent = Counter[str](), Counter[str]()
    for action in actions:
        for draw in action.reserved:
            if action.state in LIVE:
                reserved[draw.budget] += draw.amount
            elif action.state in HAPPENED:
                spent[draw.budget] += draw.amount
    return [
        f"budget {each.key} says {each.reserved} and {each.spent}, not {reserved[each.key]} and {spent[each.key]}"
        for each in await shop.store.all(Budget)
        if (each.reserved, each.spent) != (reserved[each.key], spent[each.key])
        or each.reserved + each.spent > each.limit
    ]
