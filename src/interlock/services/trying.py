"""How an action would be decided that nobody proposed: by another person, in another stage, at another time."""

import jsonschema_rs
import msgspec

from interlock.domain.agent import Agent, Stage
from interlock.domain.baseline import UNUSUAL, Unusual
from interlock.domain.binding import Arguments, bind
from interlock.domain.bounds import beyond
from interlock.domain.canonical import JsonValue, pointer
from interlock.domain.contract import Contract, NoReversal, Reversal
from interlock.domain.control import REFUSES
from interlock.domain.errors import ContractError, NotFound
from interlock.domain.explanation import Explanation
from interlock.domain.fitting import Amount, Moment, PerMille, refitted
from interlock.domain.ids import ActionId, AgentName, ContractName, Digest, Person, TaskId
from interlock.domain.names import instead, listed
from interlock.domain.question import Circumstances
from interlock.domain.task import Task
from interlock.ports.clock import Clock
from interlock.services.deciding import Case, Decider, question
from interlock.services.drawing import amounts_of
from interlock.services.explaining import Explaining
from interlock.services.orders import Orders, StandingOrders

NOBODY = "nobody"
"""Names whatever a hypothetical needs and nobody will ever look up."""


class Hypothesis(msgspec.Struct, frozen=True, kw_only=True):
    """What would be proposed, and how things would stand. None is what holds in the workspace."""

    contract: str
    agent: str
    arguments: Arguments
    initiator: str = ""
    """`user:ana`; empty is the agent's own system."""
    roles: tuple[str, ...] | None = None
    facts: dict[str, JsonValue] | None = None
    read_facts: bool = False
    """Read them with the contract's own function: the only thing that is ever called."""
    stage: Stage | None = None
    at: Moment | None = None
    """UTC ms."""
    budget: dict[str, Amount] | None = None
    """What is left, by unit."""
    confidence: PerMille | None = None
    purpose: str = "a hypothetical"
    depth: Amount = 0
    tainted: tuple[str, ...] = ()
    unusual: tuple[Unusual, ...] = ()
    """In what it departs from what the agent normally does."""
    undo: bool = False


class Trying:
    """Forms the question that a hypothesis comes to, as the gate would, and has it explained."""

    def __init__(
        self, *, orders: StandingOrders, decider: Decider, explaining: Explaining, clock: Clock, tenant: str
    ) -> None:
        self._orders = orders
        self._decider = decider
        self._explaining = explaining
        self._clock = clock
        self._tenant = tenant

    async def tried(self, wanted: Hypothesis, *, values: bool = False) -> Explanation:
        """How `wanted` would be decided under what is in force, and why.

        Raises NotFound for names that there are not, ContractError with the field for what does not fit.
        """
        wanted = refitted(wanted, "wanted", "mend the hypothesis: `help(interlock.Hypothesis)` says what it takes")
        bundle = await self._explaining.in_force()
        orders = await self._orders.current()
        contract, agent = _found(wanted, orders)
        arguments = bind(contract, wanted.arguments, nonce=NOBODY).arguments
        _tainted(wanted, contract)
        undoing, notes = _undoing(wanted, contract, orders)
        at = self._clock.now() if wanted.at is None else wanted.at
        release = orders.control.agents[agent.name].release
        case = Case(
            id=ActionId(NOBODY),
            contract=contract,
            arguments=arguments,
            task=_task(wanted, agent, release, at),
            agent=agent,
            idempotency_key=NOBODY,
            confidence=wanted.confidence,
            undoing=undoing,
        )
        facts = await self._facts(wanted, case, orders)
        parsed, problem = await self._decider.parsed(contract, arguments, facts)
        if problem:
            raise ContractError(f"policies cannot be asked, so it is denied: {problem}", next_step=_FITTING)
        around = Circumstances(
            purpose=wanted.purpose,
            depth=wanted.depth,
            stage=wanted.stage or agent.stage_for(contract.name if undoing is None else undoing.name),
            asked_at=at,
            undo=wanted.undo,
            roles=_roles(wanted, case.task, orders),
            budget=await self._budget(wanted, case, orders, at),
            parsed=parsed,
            approver="" if undoing is not None else agent.approvals.required.get(contract.name, ""),
            unanswered="" if undoing is not None else orders.unanswered.get(agent.name, ""),
            tainted=tuple(sorted(set(wanted.tainted))),
            unusual=() if wanted.undo else tuple(name for name in UNUSUAL if name in wanted.unusual),
        )
        asked = question(
            contract,
            arguments,
            facts,
            around,
            agent=agent.name,
            release=release,
            initiator=case.task.initiator,
            confidence=wanted.confidence,
            tenant=self._tenant,
        )
        found = self._explaining.explained(asked, contract, undoing, bundle, values=values)
        refused = await self._refused(wanted, case, orders, at)
        return msgspec.structs.replace(found, refused=refused, notes=(*notes, *_noted(wanted, case, orders)))

    async def _refused(self, wanted: Hypothesis, case: Case, orders: Orders, at: int) -> tuple[str, ...]:
        """Why the gate would refuse it before any policy is asked."""
        agent, contract = case.agent, case.contract
        if case.undoing is not None:
            return ()
        found: list[str] = []
        if contract.name not in agent.capabilities:
            found.append(f"`{agent.name}` has no such capability")
        if wanted.depth > agent.runtime.max_depth:
            found.append(f"tasks of `{agent.name}` nest {agent.runtime.max_depth} deep")
        stop = await self._orders.brake(orders, case.task, contract, at, modes=REFUSES)
        if stop is not None:
            found.append((await self._orders.stopped(stop)).replace(": ", ", ", 1))
        over = beyond(case.task, contract, case.arguments, orders.rights_of(case.task.initiator))
        if over is not None:
            found.append(over.why)
        return tuple(found)

    async def _facts(self, wanted: Hypothesis, case: Case, orders: Orders) -> dict[str, JsonValue]:
        contract = case.contract
        if contract.facts is None:
            if wanted.facts:
                raise ContractError(f"`{contract.name}` has no facts", path="/facts", next_step="leave `--facts` away")
            return {}
        if wanted.facts is not None:
            return _fitting(contract, contract.facts.schema, wanted.facts)
        if wanted.read_facts:
            facts, problem = await self._decider.facts(case)
            if problem:
                raise ContractError(problem, path="/facts", next_step="give them: `--facts '{...}'`")
            return facts
        if orders.judge is not None and "facts" in orders.judge.reads(contract.name, case.agent.name):
            names = listed(sorted(_members(contract.facts.schema)))
            raise ContractError(
                f"policies on `{contract.name}` look at facts ({names}), and none were given",
                path="/facts",
                next_step="give them, `--facts '{...}'`, or have them read: `--read-facts`",
            )
        return {}

    async def _budget(self, wanted: Hypothesis, case: Case, orders: Orders, at: int) -> dict[str, int]:
        if wanted.budget is None:
            return await self._decider.left(case, orders, at)
        drawn = amounts_of(case.arguments, case.contract)
        for unit in wanted.budget:
            if unit not in drawn:
                raise ContractError(
                    f"`{case.contract.name}` draws on no budget in `{unit}`",
                    path="/budget",
                    next_step=instead(unit, drawn, "leave `--budget` away"),
                )
        return wanted.budget


def _found(wanted: Hypothesis, orders: Orders) -> tuple[Contract, Agent]:
    contract = orders.contracts.get(ContractName(wanted.contract))
    if contract is None:
        raise NotFound(
            f"there is no contract `{wanted.contract}`",
            next_step=instead(wanted.contract, orders.contracts, "write one, or name a module that has tools"),
        )
    agent = orders.agents.get(AgentName(wanted.agent))
    if agent is None:
        raise NotFound(
            f"there is no agent `{wanted.agent}`",
            next_step=instead(wanted.agent, orders.agents, "write one: agents/NAME.yaml"),
        )
    return contract, agent


def _task(wanted: Hypothesis, agent: Agent, release: Digest, at: int) -> Task:
    return Task(
        id=TaskId(NOBODY),
        agent=agent.name,
        release=release,
        purpose=wanted.purpose,
        initiator=wanted.initiator or f"system:{agent.name}",
        opened_at=at,
        expires_at=at + agent.runtime.max_task_ms,
        budgets={"calls": agent.runtime.max_actions},
        depth=wanted.depth,
    )


def _roles(wanted: Hypothesis, task: Task, orders: Orders) -> tuple[str, ...]:
    if wanted.roles is not None:
        return tuple(sorted(set(wanted.roles)))
    return tuple(sorted(orders.control.roles(Person(task.initiator.removeprefix("user:")))))


def _tainted(wanted: Hypothesis, contract: Contract) -> None:
    known = _members(contract.input_schema)
    for name in wanted.tainted:
        if name not in known:
            raise ContractError(
                f"`{contract.name}` has no argument `{name}`",
                path=pointer(name),
                next_step=instead(name, known, "leave `--tainted` away"),
            )


def _undoing(wanted: Hypothesis, contract: Contract, orders: Orders) -> tuple[Contract | None, tuple[str, ...]]:
    """The contract that it would be the undo of, and what a reader should know of that choice."""
    if not wanted.undo:
        return None, ()
    undone = [
        each
        for _, each in sorted(orders.contracts.items())
        if isinstance(each.reversal, Reversal) and each.reversal.contract == contract.name
    ]
    if not undone:
        # An undo of nothing in particular: no rule asks anybody, and the stage is its own.
        return msgspec.structs.replace(contract, reversal=NoReversal(why=NOBODY)), (
            f"no contract in force is undone by `{contract.name}`",
        )
    others = f"; {listed(each.name for each in undone[1:])} would be as well" if len(undone) > 1 else ""
    return undone[0], (f"taken for the undo of `{undone[0].name}`{others}",)


def _noted(wanted: Hypothesis, case: Case, orders: Orders) -> list[str]:
    """What else a reader may trip over."""
    found: list[str] = []
    agent, people = case.agent, orders.control.people
    missing = agent.owners.missing()
    if missing and wanted.stage is None:
        found.append(f"`{agent.name}` stays in shadow: nobody is named as its owner of {', '.join(missing)}")
    person = wanted.initiator.removeprefix("user:")
    if wanted.roles is None and wanted.initiator.startswith("user:") and person not in people:
        found.append(f"`{person}` is not among the people, so holds no role")
    held = {role for roles in people.values() for role in roles}
    found += [
        f"nobody holds the role `{role}`; {instead(role, held, 'people.yaml names the roles')}"
        for role in wanted.roles or ()
        if role not in held
    ]
    return found


def _fitting(contract: Contract, schema: dict[str, JsonValue], facts: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """`facts` with defaults. What is missing is left so: only the policies that read it will mind."""
    known = _members(schema)
    for name in facts:
        if name not in known:
            raise ContractError(
                f"`{contract.name}` has no fact `{name}`",
                path=f"/facts{pointer(name)}",
                next_step=instead(name, known, "leave it away"),
            )
    for problem in jsonschema_rs.validator_for(schema, mask="the value", offline=True).iter_errors(facts):
        if isinstance(problem.kind, jsonschema_rs.ValidationErrorKind.Required):
            continue
        path = "/facts" + "".join(pointer(step) for step in problem.instance_path)
        raise ContractError(f"`{contract.name}` {path}: {problem.message}", path=path, next_step=_FITTING)
    return {
        name: node["default"] for name, node in known.items() if isinstance(node, dict) and "default" in node
    } | facts


_FITTING = "compare it with the contract: `interlock show CONTRACT`"


def _members(schema: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """What an object's schema names, its own reference followed."""
    node: JsonValue = schema
    reference = schema.get("$ref")
    if isinstance(reference, str) and reference.startswith("#/"):
        for step in reference.removeprefix("#/").split("/"):
            node = node.get(step) if isinstance(node, dict) else None
    found = node.get("properties") if isinstance(node, dict) else None
    return found if isinstance(found, dict) else {}
