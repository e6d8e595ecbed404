"""Asking the policies about one action: facts in, decision out. Used at the proposal and again before dispatch."""

from typing import Final, cast

import jsonschema_rs
import msgspec

from interlock.domain.action import Action
from interlock.domain.agent import Agent
from interlock.domain.baseline import Unusual
from interlock.domain.binding import MAX_ARGUMENT_BYTES
from interlock.domain.bounds import Beyond, beyond
from interlock.domain.budget import Budget
from interlock.domain.call import Call, Landed
from interlock.domain.canonical import CanonicalError, JsonValue, encode, pointer
from interlock.domain.contract import Contract, Reversal
from interlock.domain.errors import ContractError, EffectorError
from interlock.domain.filtering import clean
from interlock.domain.ids import ActionId, AgentName, Digest, Person
from interlock.domain.oversight import oversee, oversee_undo
from interlock.domain.policy import Decision, combine
from interlock.domain.question import Circumstances, Question
from interlock.domain.task import Task
from interlock.domain.whatif import Decided
from interlock.ports.clock import Clock
from interlock.ports.effector import Effectors
from interlock.ports.parser import Parser
from interlock.ports.store import Store
from interlock.services.drawing import amounts_of, keys_of
from interlock.services.engines import Engines
from interlock.services.orders import Orders
from interlock.services.reading import parsed_facts


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One action as it is put to the policies."""

    id: ActionId
    contract: Contract
    arguments: dict[str, JsonValue]
    task: Task
    agent: Agent
    idempotency_key: str
    confidence: int | None = None
    undoing: Contract | None = None
    """The contract of the action this one undoes."""
    instance: str = ""
    """See `Circumstances.instance`."""
    unusual: tuple[Unusual, ...] = ()
    """See `Circumstances.unusual`."""


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided, and on which facts."""

    decision: Decision
    facts: dict[str, JsonValue]
    around: Circumstances
    alarm: str = ""
    """See `Opinions.alarm`."""


class Decider:
    """Gathers what policies may look at, asks them, and applies our own rules on top."""

    def __init__(
        self, effectors: Effectors, store: Store, clock: Clock, tenant: str, engines: Engines, parser: Parser
    ) -> None:
        self._effectors = effectors
        self._clock = clock
        self._parser = parser
        self._store = store
        self._tenant = tenant
        self._engines = engines

    async def judge(self, case: Case, orders: Orders, now: int) -> Judgement:
        """Decide `case` under `orders`. Whatever cannot be found out denies; nothing raises."""
        facts, problem = await self.facts(case)
        facts_at = self._clock.now() if facts else 0
        parsed: dict[str, JsonValue] = {}
        if not problem:
            parsed, problem = await self.parsed(case.contract, case.arguments, facts)
        around = await self._around(case, orders, now, parsed)
        alarm, over = "", None
        if not problem:
            problem = _unaskable(case, orders)
        if not problem:
            over = _beyond(case, orders)
        if over is not None:
            decision = _denied(over.why, orders, over.rule)
        elif problem or orders.judge is None:
            decision = _denied(problem or orders.judge_problem, orders)
        else:
            opinions = orders.judge.opinions(question_of(case, facts, around, self._tenant))
            decision = combine(opinions, orders.judge.policies, orders.control.bundle)
            decision = overseen(decision, case.contract, case.undoing, around)
            alarm = opinions.alarm
            # Before the decision is stored: then it is made again, by the engine that is to be trusted, in every process.
            await self._engines.heard(alarm)
        decision = msgspec.structs.replace(decision, decided_at=now, facts_at=facts_at)
        return Judgement(decision=decision, facts=facts, around=around, alarm=alarm)

    async def _around(self, case: Case, orders: Orders, now: int, parsed: dict[str, JsonValue]) -> Circumstances:
        person = case.task.initiator.removeprefix("user:")
        return Circumstances(
            purpose=case.task.purpose,
            depth=case.task.depth,
            lent=0 if case.task.delegated is None else case.task.delegated.depth,
            stage=case.agent.stage_for(case.contract.name if case.undoing is None else case.undoing.name),
            asked_at=now,
            undo=case.undoing is not None,
            roles=tuple(sorted(set(orders.control.people.get(Person(person), ())))),
            confidence=None if case.contract.confidence is None else case.confidence,
            approver="" if case.undoing is not None else case.agent.approvals.required.get(case.contract.name, ""),
            unanswered="" if case.undoing is not None else orders.unanswered.get(case.task.agent, ""),
            budget=await self.left(case, orders, now),
            parsed=parsed,
            instance=case.instance,
            unusual=case.unusual,
        )

    async def left(self, case: Case, orders: Orders, now: int) -> dict[str, int]:
        """What is left for this action by unit, where a policy looks at it. What is reserved is settled by the commit."""
        if orders.judge is None or "budget" not in orders.judge.reads(case.contract.name, case.task.agent):
            return {}
        try:
            units = amounts_of(case.arguments, case.contract)
        except ContractError:
            return {}  # it is refused for that, before or after
        left: dict[str, int] = {}
        for unit in units:
            found = [await self._store.get(Budget, key) for key in keys_of(unit, case.task, orders, now)]
            limits = [each.left for each in found if each is not None]
            if unit in case.task.budgets:  # all that bounds a task that is only supposed: nothing of it is stored
                limits.append(case.task.budgets[unit])
            if limits:
                left[unit] = max(min(limits), 0)
        return left

    async def parsed(
        self, contract: Contract, arguments: dict[str, JsonValue], facts: dict[str, JsonValue]
    ) -> tuple[dict[str, JsonValue], str]:
        """What the contract's rules read out of bound arguments and facts, or why it cannot be read."""
        return await parsed_facts(contract, arguments, facts, self._parser)

    async def facts(self, case: Case) -> tuple[dict[str, JsonValue], str]:
        """What the contract's source of facts says, or why there is nothing."""
        source = case.contract.facts
        if source is None:
            return {}, ""
        call = Call(action_id=case.id, idempotency_key=case.idempotency_key)
        try:
            answer = await self._effectors.invoke(case.contract, source.source, "facts", case.arguments, call)
        except EffectorError as error:
            return {}, f"the facts policies need could not be read: {clean(error.detail, case.contract)}"
        if not isinstance(answer, Landed):
            return {}, f"the facts policies need could not be read: {clean(answer.why, case.contract)}"
        found: object = answer.result
        if not isinstance(found, dict):
            return {}, "the facts policies need are not an object"
        facts = cast(dict[str, JsonValue], found)
        try:
            encode(facts, max_bytes=MAX_ARGUMENT_BYTES)
        except CanonicalError as error:
            return {}, f"the facts policies need cannot be written down: {error}"
        broken = _broken(case.contract, facts)
        return ({}, f"the facts policies need are not what the contract says: {broken}") if broken else (facts, "")


def _broken(contract: Contract, facts: dict[str, JsonValue]) -> str:
    """What in facts is beyond the contract's bounds, without any value. Policies rest on those: whether one could overflow,
    or never apply, was asked of facts as they are promised. What is missing, or of another type, minds only who reads it,
    and what is more nobody sees."""
    if contract.states is None or contract.states.is_valid(facts):
        return ""
    for each in contract.states.iter_errors(facts):
        if not isinstance(each.kind, _LET_BE):
            return f"{''.join(pointer(step) for step in each.instance_path)}: {each.message}"
    return ""


_LET_BE: Final = (
    jsonschema_rs.ValidationErrorKind.Required,
    jsonschema_rs.ValidationErrorKind.Type,
    jsonschema_rs.ValidationErrorKind.AdditionalProperties,
)


def question_of(case: Case, facts: dict[str, JsonValue], around: Circumstances, tenant: str) -> Question:
    """What the policies are asked about `case`."""
    return question(
        case.contract,
        case.arguments,
        facts,
        around,
        agent=case.task.agent,
        release=case.task.release,
        initiator=case.task.initiator,
        confidence=case.confidence,
        tenant=tenant,
    )


def asked_again(contract: Contract, action: Action | Decided, around: Circumstances, tenant: str) -> Question:
    """The very question that was put when `action` was decided in the circumstances `around`."""
    return question(
        contract,
        action.arguments,
        action.facts,
        around,
        agent=action.agent,
        release=action.release,
        initiator=action.initiator,
        confidence=action.confidence,
        tenant=tenant,
    )


def question(
    contract: Contract,
    arguments: dict[str, JsonValue],
    facts: dict[str, JsonValue],
    around: Circumstances,
    *,
    agent: AgentName,
    release: Digest,
    initiator: str,
    confidence: int | None,
    tenant: str,
) -> Question:
    """What the policies are asked about such a use of `contract`, whether it is proposed or was recorded."""
    return Question(
        agent=agent,
        release=release,
        contract=contract.name,
        contract_digest=contract.digest,
        tenant=tenant,
        arguments=arguments,
        facts=facts,
        parsed=around.parsed,
        data=tuple(sorted({kind for name, kind in contract.data_classes.items() if name in arguments})),
        initiator=initiator,
        confidence=confidence,
        around=around,
    )


def _unaskable(case: Case, orders: Orders) -> str:
    """Why the policies in force cannot be asked about `case`, or nothing."""
    if orders.judge is None:
        return orders.judge_problem
    if case.undoing is not None:
        return ""
    agent = orders.agents.get(case.task.agent)
    if agent is None:
        return f"agent `{case.task.agent}` is in force no more"
    if case.contract.name not in agent.capabilities:
        # Its task was opened when it had it: what is taken away is gone for what runs and what waits, too.
        return f"agent `{case.task.agent}` has the capability no more"
    in_force = orders.contracts.get(case.contract.name)
    if in_force is None or in_force.judged_by != case.contract.judged_by:
        # The bundle knows the contract as it is now: its groups and bounds say nothing about another version.
        return "the contract changed since the task was opened; open another task"
    return ""


def _beyond(case: Case, orders: Orders) -> Beyond | None:
    """Why it is more than its task was given, or than whoever it is for may lend. A right that was taken back is gone for what
    waits, too; and what a person made of the arguments is held against it."""
    if case.undoing is not None:
        return None
    return beyond(case.task, case.contract, case.arguments, orders.rights_of(case.task.initiator))


def overseen(decision: Decision, contract: Contract, undoing: Contract | None, around: Circumstances) -> Decision:
    """`decision` on a use of `contract`, with the rules of ours that no policy can loosen. `undoing` is the contract of
    the action that it undoes."""
    if undoing is None:
        return oversee(
            decision,
            contract,
            around.stage,
            approver=around.approver,
            unanswered=around.unanswered,
            confidence=around.confidence,
        )
    reversal = undoing.reversal
    return oversee_undo(decision, reversal.approver if isinstance(reversal, Reversal) else None)


def _denied(problem: str, orders: Orders, rule: str = "interlock.error") -> Decision:
    return Decision(verdict="deny", because=(rule,), reasons=(problem,), bundle=Digest(orders.control.bundle))
