"""Step 7: before the world is touched. Expiry, brakes, policy and approval once more, then the durable intent.

Two-phase tools reserve here first; between reserving and committing all of that is asked again, and whatever may no
longer run is released.
"""

from typing import assert_never

import msgspec

from interlock.domain.action import Action, Outcome, intent
from interlock.domain.approval import carried, open_requirements, still_binding
from interlock.domain.call import Landed, Nothing, Unsure
from interlock.domain.contract import Contract, TwoPhase
from interlock.domain.control import Stop
from interlock.domain.errors import Conflict, IntegrityError
from interlock.domain.evidence import Phase
from interlock.domain.ids import WorkerId
from interlock.domain.policy import Decision, Requirement
from interlock.domain.record import Record
from interlock.domain.settlement import MAX_ATTEMPTS, Ask, Fail, Lose, Timing, unrepeated
from interlock.domain.task import Task
from interlock.domain.trails import disagreement, latest_states
from interlock.ports.clock import Clock
from interlock.ports.log import Log
from interlock.ports.steps import Steps
from interlock.services.calling import NEVER_CALLED, Calling, Missing
from interlock.services.cases import Cases, instance_of
from interlock.services.deciding import Decider
from interlock.services.holding import altered, asked, intact
from interlock.services.intents import Intents
from interlock.services.orders import Orders, StandingOrders
from interlock.services.recorder import Recorder

PAUSE_MS = 1_000
"""How long an action waits before it is looked at again while something holds it up."""


class Dispatch:
    """Takes an action this process holds the lease of from cleared to `dispatching`, or to where it may not run."""

    def __init__(
        self,
        *,
        orders: StandingOrders,
        decider: Decider,
        cases: Cases,
        calling: Calling,
        recorder: Recorder,
        clock: Clock,
        steps: Steps,
        timing: Timing,
        worker: WorkerId,
        intents: Intents,
        log: Log,
    ) -> None:
        self._orders = orders
        self._decider = decider
        self._cases = cases
        self._calling = calling
        self._recorder = recorder
        self._clock = clock
        self._steps = steps
        self._timing = timing
        self._worker = worker
        self._intents = intents
        self._log = log

    def for_program(self, worker: WorkerId) -> "Dispatch":
        """The same, writing intents of calls that a program far away makes under the name of `worker`."""
        return Dispatch(
            orders=self._orders,
            decider=self._decider,
            cases=self._cases,
            calling=self._calling,
            recorder=self._recorder,
            clock=self._clock,
            steps=self._steps,
            timing=self._timing,
            worker=worker,
            intents=Intents(),
            log=self._log,
        )

    async def clear(self, action: Action, contract: Contract) -> Action:
        """From `ready`: to `dispatching` or `preparing`, back to `held`, to an end, or waiting for a brake."""
        self._steps.reached("dispatch.claimed")
        await self._unaltered(action, contract)
        orders, task, now = await self._orders.refresh(), await self._cases.task(action), self._clock.now()
        if action.undoes is None:
            if orders.control.state_of(task.agent) == "retired":
                return await self._recorder.end(action, "void", "voided", reasons=("its agent is retired",))
            taken = await self._orders.revoked(orders, task, action.caller)
            if taken is not None:
                why = await self._orders.taken(taken)
                return await self._recorder.end(action, "void", "voided", reasons=(why,))
            if _suspended(action, orders) or await self._brake(action, orders, task, now) is not None:
                return await self._recorder.wait(action, now + PAUSE_MS)
            if await self._cases.is_undone(task):
                return await self._recorder.end(action, "void", "voided", reasons=("its task is being undone",))
            if now >= task.expires_at or (action.hold is not None and now >= action.hold.expires_at):
                return await self._recorder.end(action, "expire", "expired", reasons=("its time was over",))
        case = await self._cases.of(action, orders)
        judgement = await self._decider.judge(case, orders, now)
        decision = judgement.decision
        if decision.verdict in ("deny", "shadow"):
            return await self._recorder.end(
                action,
                "deny",
                "decided",
                conditions=(orders.control,),
                decision=decision,
                reasons=decision.reasons or (decision.verdict,),
            )
        if _unmet(action, decision):
            # Everybody is asked anew, those who agreed before too: their word was about another decision.
            asking = msgspec.structs.replace(
                action,
                decision=decision,
                facts=judgement.facts,
                asked=judgement.around,
                reasons=decision.reasons,
                owner=None,
                lease_until=None,
            )
            within_ms = case.agent.approvals.within_ms
            hold = asked(asking, contract, decision, orders, now=now, within_ms=within_ms, task=task)
            if action.hold is not None:
                hold = carried(action.hold, hold)
            after = asking.after("hold", hold=hold, due_at=hold.due_at)
            return await self._recorder.write(after, "decided", None, self._leaning(action, orders, task))
        self._steps.reached("dispatch.checked")
        decided = msgspec.structs.replace(action, decision=decision)
        if contract.two_phase is None:
            return await self.begin(decided, contract, self._leaning(action, orders, task))
        preparing = self._leased(decided.after("prepare"), contract)
        preparing = msgspec.structs.replace(preparing, dispatched_fence=preparing.fence)
        return await self._recorder.write(
            preparing, "dispatching", "prepare.recorded", self._leaning(action, orders, task)
        )

    async def begin(self, action: Action, contract: Contract, conditions: tuple[Record, ...]) -> Action:
        """Write the intent of one more attempt, under a lease longer than the tool's timeout."""
        now = self._clock.now()
        moved = action.after("dispatch")
        after = intent(moved, owner=self._worker, until=now + self._timing.lease(contract), now=now)
        written = await self._recorder.write(after, "dispatching", None, conditions)
        self._intents.wrote(written)
        self._steps.reached("dispatch.recorded")
        return written

    async def again(self, action: Action, contract: Contract, *, fresh: bool) -> Action | Ask | Fail | Lose:
        """Another attempt at what may have been attempted, or the step instead of it. Brakes hold it as they hold a first one;
        what was revoked is not repeated.

        With `fresh` it is known that nothing happened: then all that may stop a first attempt is asked once more, and what
        may no longer run has failed.
        """
        await self._unaltered(action, contract)
        orders, task, now = await self._orders.refresh(), await self._cases.task(action), self._clock.now()
        # What may have happened of a retired agent is still found out: it can then be undone.
        if _suspended(action, orders) or await self._brake(action, orders, task, now, settling=True) is not None:
            return await self._recorder.wait(action, now + PAUSE_MS)
        if fresh:
            why = await self._forbidden(action, orders, task, now)
            if why:
                outcome = Outcome(error=f"it did not happen, and may no longer: {why}", observed_at=now, by="lookup")
                return await self.fail(action, contract, outcome, (why,))
            return await self.begin(action, contract, self._leaning(action, orders, task))
        taken = None if action.undoes is not None else await self._orders.revoked(orders, task, action.caller)
        # What is being undone must be known to be undone, whoever may do no more.
        if taken is not None and not await self._cases.is_undone(task):
            return unrepeated(action, contract, self._timing, await self._orders.taken(taken))
        return await self.begin(action, contract, (orders.control,))

    async def fail(self, action: Action, contract: Contract, outcome: Outcome, reasons: tuple[str, ...]) -> Action:
        """It did not happen and is not tried again. What a two-phase tool reserved for it is released first."""
        if contract.two_phase is None:
            phase: Phase = "settled" if action.state == "unknown" else "outcome"
            return await self._recorder.end(action, "fail", phase, outcome=outcome, reasons=reasons)
        after = self._leased(action.after("abort", outcome=outcome, reasons=reasons, place=contract.place), contract)
        return await self._recorder.write(after, "voided")

    async def two_phases(self, action: Action, contract: Contract) -> Action:
        """From `preparing`, `prepared` or `aborting`: reserve, commit or release. The first and the last may be repeated."""
        phases = contract.two_phase
        if phases is None:
            raise IntegrityError(f"action {action.id} is {action.state}, but its contract has one phase")
        if action.dispatched_fence != action.fence:
            await self._unaltered(action, contract)
        orders, task, now = await self._orders.refresh(), await self._cases.task(action), self._clock.now()
        if action.state == "aborting":
            return await self._abort(action, contract, phases)
        stop = await self._brake(action, orders, task, now)
        if _suspended(action, orders) or (stop is not None and stop.mode == "pause"):
            # What was reserved stays reserved: it goes on from here once the brake is lifted, or the agent may act again.
            return await self._recorder.wait(action, now + PAUSE_MS)
        why = await self._forbidden(action, orders, task, now)
        if why:
            return await self._recorder.write(self._aborting(action, contract, why), "voided")
        if action.state == "prepared":
            return await self.begin(action, contract, self._leaning(action, orders, task))
        return await self._prepare(action, contract, phases)

    async def _prepare(self, action: Action, contract: Contract, phases: TwoPhase) -> Action:
        answer = await self._calling.call(action, contract, phases.prepare, "prepare")
        self._steps.reached("prepare.called")
        match answer:
            case Landed(result=token):
                after = self._leased(action.after("prepared", prepared=token), contract)
                return await self._recorder.write(after, "prepared", "prepare.answered")
            case Nothing(why=why):
                if action.dispatched_fence != action.fence:
                    # Somebody may have prepared before us, and what they reserved may be why we were refused.
                    return await self._recorder.write(self._aborting(action, contract, why), "voided")
                note = NEVER_CALLED if isinstance(answer, Missing) else ""
                outcome = Outcome(error=why, observed_at=self._clock.now(), note=note)
                return await self._recorder.end(action, "fail", "outcome", outcome=outcome)
            case Unsure():
                if action.fence > MAX_ATTEMPTS:
                    why = "it could not be prepared"
                    return await self._recorder.write(self._aborting(action, contract, why), "voided")
                return await self._recorder.wait(action, self._clock.now() + PAUSE_MS)
            case _:
                assert_never(answer)

    async def _abort(self, action: Action, contract: Contract, phases: TwoPhase) -> Action:
        answer = await self._calling.call(action, contract, phases.abort, "abort")
        if isinstance(answer, Unsure):
            return await self._recorder.wait(action, self._clock.now() + PAUSE_MS)
        if action.attempt:
            # The commit was tried, and it is known that it did nothing.
            return await self._recorder.end(action, "fail", "outcome")
        return await self._recorder.end(action, "void", "voided")

    async def _unaltered(self, action: Action, contract: Contract) -> None:
        """Return if the row from which something is about to run is what was decided, and as far as the log says it is.

        A row can be put back or moved on by whoever writes the store; the log it was recorded in cannot. Raises
        IntegrityError, and nothing runs.
        """
        intact(action, contract)
        trail = latest_states(await self._log.entries_of(action.id)).get(action.id)
        problem = disagreement(trail, entries=action.entries, state=action.state)
        if problem is not None:
            if (await self._recorder.stored(action)).revision != action.revision:
                # Our copy is old: whoever took the action over has gone on with it.
                raise Conflict(f"action `{action.id}` has moved on", kind=Action.kind, key=action.id)
            raise altered(action, problem)

    # -- what it leans on --------------------------------------------------------------------------------------

    async def _forbidden(self, action: Action, orders: Orders, task: Task, now: int) -> str:
        """Why `action` may not begin now, or nothing."""
        if action.undoes is None:
            if orders.control.state_of(task.agent) == "retired":
                return "its agent is retired"
            taken = await self._orders.revoked(orders, task, action.caller)
            if taken is not None:
                return await self._orders.taken(taken)
            stop = await self._brake(action, orders, task, now)
            if stop is not None:
                return await self._orders.stopped(stop)
            if await self._cases.is_undone(task):
                return "its task is being undone"
            if now >= task.expires_at:
                return "the time of its task is over"
        decision = (await self._decider.judge(await self._cases.of(action, orders), orders, now)).decision
        if decision.verdict in ("deny", "shadow"):
            return "; ".join(decision.reasons) or decision.verdict
        return "policy asks for more than was agreed to" if _unmet(action, decision) else ""

    async def _brake(
        self, action: Action, orders: Orders, task: Task, now: int, *, settling: bool = False
    ) -> Stop | None:
        """The brake that keeps `action` from being dispatched, or None. Undos pass every brake."""
        if action.undoes is not None:
            return None
        instance = instance_of(action)
        contract = await self._orders.contract(action.contract_digest)
        return await self._orders.brake(
            orders, task, contract, now, action=action.id, instance=instance, settling=settling
        )

    def _aborting(self, action: Action, contract: Contract, why: str) -> Action:
        return self._leased(action.after("abort", reasons=(why,)), contract)

    def _leased(self, action: Action, contract: Contract) -> Action:
        return action.with_lease(owner=self._worker, until=self._clock.now() + self._timing.lease(contract))

    def _leaning(self, action: Action, orders: Orders, task: Task) -> tuple[Record, ...]:
        return (orders.control,) if action.undoes is not None else (orders.control, task)


def _suspended(action: Action, orders: Orders) -> bool:
    return action.undoes is None and orders.control.state_of(action.agent) == "suspended"


def _unmet(action: Action, decision: Decision) -> tuple[Requirement, ...]:
    """What `decision` asks for and people have not agreed to."""
    if action.hold is None or open_requirements(action.hold, initiator=action.initiator):
        return decision.requirements
    return still_binding(action.hold, decision.requirements)
