"""Steps 4 to 7 of a drafted action: decide, reserve, and hold it or write its intent, as one change to be stored."""

from typing import assert_never

import msgspec

from interlock.domain.action import Action, Move, first, intent
from interlock.domain.baseline import Unusual
from interlock.domain.change import Change, given
from interlock.domain.contract import Contract
from interlock.domain.evidence import Phase
from interlock.domain.ids import WorkerId
from interlock.domain.policy import Decision
from interlock.domain.recording import recorded
from interlock.domain.settlement import Timing
from interlock.domain.stating import Beginning
from interlock.domain.task import Task
from interlock.ports.clock import Clock
from interlock.ports.effector import Effectors
from interlock.ports.steps import Steps
from interlock.services.deciding import Case, Decider
from interlock.services.drawing import counts_of, draws_of
from interlock.services.holding import asked
from interlock.services.orders import Orders, StandingOrders


class Judging:
    """Turns a draft into the action as decided, with everything that becomes true together with it."""

    def __init__(
        self,
        *,
        orders: StandingOrders,
        decider: Decider,
        effectors: Effectors,
        clock: Clock,
        steps: Steps,
        timing: Timing,
        worker: WorkerId,
    ) -> None:
        self._orders = orders
        self._decider = decider
        self._effectors = effectors
        self._clock = clock
        self._steps = steps
        self._timing = timing
        self._worker = worker

    async def judged(
        self,
        draft: Action,
        contract: Contract,
        task: Task,
        orders: Orders,
        beginning: Beginning,
        *,
        undoing: Contract | None,
        here: bool = False,
        instance: str = "",
        unusual: tuple[Unusual, ...] = (),
    ) -> tuple[Action, Change]:
        """Decide `draft` under `orders`. Raises ContractError where its cost cannot be told."""
        # 4. Decide: policy over typed facts.
        release = await self._orders.release(task.release)
        agent = orders.agents.get(task.agent) or await self._orders.agent(release.agent_digest)
        case = Case(
            id=draft.id,
            contract=contract,
            arguments=draft.arguments,
            task=task,
            agent=agent,
            idempotency_key=draft.idempotency_key,
            confidence=draft.confidence,
            undoing=undoing,
            instance=instance,
            unusual=unusual,
        )
        now = draft.proposed_at
        judgement = await self._decider.judge(case, orders, now)
        decision = judgement.decision
        draft = msgspec.structs.replace(
            draft, decision=decision, facts=judgement.facts, asked=judgement.around, reasons=decision.reasons
        )
        self._steps.reached("propose.decided")
        # 5. Reserve, in the transaction that stores the decision.
        lives = decision.verdict in ("allow", "oblige", "require_approval", "escalate")
        draws = draws_of(draft, contract, task, orders, now) if lives else ()
        counts = counts_of(contract, task, agent.runtime, orders, now) if lives and undoing is None else ()
        draft = msgspec.structs.replace(draft, reserved=draws)
        # 6. Hold, or 7. write the intent.
        paused = ""
        if undoing is None:
            stop = await self._orders.brake(orders, task, contract, now, action=draft.id, instance=instance)
            paused = "" if stop is None else await self._orders.stopped(stop)
        here = here and not paused
        action, phase = self._placed(draft, contract, task, decision, orders, agent.approvals.within_ms, here=here)
        if paused and action.state == "ready":
            action = msgspec.structs.replace(action, reasons=(*action.reasons, paused))
        conditions = (given(orders.control),) if undoing is not None else (given(orders.control), given(task))
        action, fact = recorded(
            action, phase, self._clock.now(), contract=contract, beginning=beginning, leaning=conditions
        )
        return action, Change(puts=(action,), given=conditions, draws=draws, counts=counts, facts=(fact,))

    def _placed(
        self,
        draft: Action,
        contract: Contract,
        task: Task,
        decision: Decision,
        orders: Orders,
        within_ms: int,
        *,
        here: bool,
    ) -> tuple[Action, Phase]:
        now = draft.proposed_at
        match decision.verdict:
            case "deny":
                return _born(draft, "deny", ended_at=now), "decided"
            case "shadow":
                return _born(draft, "shadow", ended_at=now), "decided"
            case "require_approval" | "escalate":
                hold = asked(draft, contract, decision, orders, now=now, within_ms=within_ms, task=task)
                return _born(draft, "hold", hold=hold, due_at=hold.due_at), "decided"
            case "allow" | "oblige":
                if here and contract.two_phase is None and self._effectors.reaches(contract, draft.idempotency_key):
                    now = self._clock.now()  # deciding may have taken long, and the lease is the call's
                    until = now + self._timing.lease(contract)
                    return intent(_born(draft, "dispatch"), owner=self._worker, until=until, now=now), "dispatching"
                return _born(draft, "clear", due_at=now), "decided"
            case _:
                assert_never(decision.verdict)


def _born(draft: Action, move: Move, **changes: object) -> Action:
    return msgspec.structs.replace(draft, state=first(move), **changes)
