"""Asking the policies about one action: facts in, decision out. Used at the proposal and again before dispatch."""

from typing import cast

import msgspec

from interlock.domain.agent import Agent
from interlock.domain.binding import MAX_ARGUMENT_BYTES
from interlock.domain.call import Call, Landed
from interlock.domain.canonical import CanonicalError, JsonValue, encode
from interlock.domain.contract import Contract, Reversal
from interlock.domain.control import Stop
from interlock.domain.errors import EffectorError
from interlock.domain.ids import ActionId, Digest
from interlock.domain.oversight import oversee, oversee_undo
from interlock.domain.policy import Decision, Question, combine
from interlock.domain.task import Task
from interlock.ports.effector import Effectors
from interlock.services.orders import Orders


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """One action as it is put to the policies."""

    id: ActionId
    contract: Contract
    arguments: dict[str, JsonValue]
    task: Task
    agent: Agent
    idempotency_key: str
    undoing: Contract | None = None
    """The contract of the action this one undoes."""


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided, and on which facts."""

    decision: Decision
    facts: dict[str, JsonValue]


class Decider:
    """Gathers what policies may look at, asks them, and applies our own rules on top."""

    def __init__(self, effectors: Effectors, tenant: str) -> None:
        self._effectors = effectors
        self._tenant = tenant

    async def judge(self, case: Case, orders: Orders, now: int) -> Judgement:
        """Decide `case` under `orders`. Whatever cannot be found out denies; nothing raises."""
        facts, problem = await self._facts(case)
        decision = _denied(problem, orders) if problem else self._ask(case, facts, orders, now)
        return Judgement(decision=msgspec.structs.replace(decision, decided_at=now), facts=facts)

    def _ask(self, case: Case, facts: dict[str, JsonValue], orders: Orders, now: int) -> Decision:
        if case.undoing is None and case.task.agent not in orders.control.agents:
            return _denied(f"agent `{case.task.agent}` is in force no more", orders)
        if orders.judge is None:
            return _denied(orders.judge_problem, orders)
        in_force = orders.contracts.get(case.contract.name)
        if case.undoing is None and (in_force is None or in_force.judged_by != case.contract.judged_by):
            # The bundle knows the contract as it is now: its groups and bounds say nothing about another version.
            return _denied("the contract changed since the task was opened; open another task", orders)
        stage = case.agent.stage_for(case.contract.name if case.undoing is None else case.undoing.name)
        question = Question(
            agent=case.task.agent,
            release=case.task.release,
            contract=case.contract.name,
            contract_digest=case.contract.digest,
            tenant=self._tenant,
            arguments=case.arguments,
            facts=facts,
            purpose=case.task.purpose,
            initiator=case.task.initiator,
            depth=case.task.depth,
            stage=stage,
            undo=case.undoing is not None,
            asked_at=now,
        )
        decision = combine(orders.judge.opinions(question), orders.judge.policies, orders.control.bundle)
        if case.undoing is None:
            return oversee(decision, case.contract, stage)
        reversal = case.undoing.reversal
        return oversee_undo(decision, reversal.approver if isinstance(reversal, Reversal) else None)

    async def _facts(self, case: Case) -> tuple[dict[str, JsonValue], str]:
        source = case.contract.facts
        if source is None:
            return {}, ""
        call = Call(action_id=case.id, idempotency_key=case.idempotency_key)
        try:
            answer = await self._effectors.invoke(case.contract, source.source, "facts", case.arguments, call)
        except EffectorError as error:
            return {}, f"the facts policies need could not be read: {error.detail}"
        if not isinstance(answer, Landed):
            return {}, f"the facts policies need could not be read: {answer.why}"
        found: object = answer.result
        if not isinstance(found, dict):
            return {}, "the facts policies need are not an object"
        facts = cast(dict[str, JsonValue], found)
        try:
            encode(facts, max_bytes=MAX_ARGUMENT_BYTES)
        except CanonicalError as error:
            return {}, f"the facts policies need cannot be written down: {error}"
        return facts, ""


def _denied(problem: str, orders: Orders) -> Decision:
    return Decision(
        verdict="deny", because=("interlock.error",), reasons=(problem,), bundle=Digest(orders.control.bundle)
    )


def brake(orders: Orders, task: Task, contract: Contract, now: int, *, settling: bool = False) -> Stop | None:
    """The brake that holds this task's use of `contract` at `now`, or None. See `Control.stopped`."""
    return orders.control.stopped(
        agent=task.agent, release=task.release, contract=contract.name, now=now, settling=settling
    )
