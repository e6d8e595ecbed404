"""Steps 8 and 9: touch the world, verify, record; and take up what others left behind.

`drive` is the one seam: safe to call from any process at any time, it does the next right thing about an action that this
process holds the lease of. Recovery is the same code as the normal path, entered at another step.
"""

from typing import assert_never

import msgspec

from interlock.domain.action import Action, Outcome
from interlock.domain.approval import reached, silence, walked
from interlock.domain.binding import result_problem
from interlock.domain.call import Answer, Landed, Nothing, Unsure
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Contract
from interlock.domain.errors import Conflict
from interlock.domain.filtering import told
from interlock.domain.ids import ActionId, WorkerId
from interlock.domain.label import source_of
from interlock.domain.settlement import Ask, Fail, Lose, NextStep, Retry, Timing, after_no, after_refusal, settle
from interlock.ports.clock import Clock, Ids
from interlock.ports.steps import Steps
from interlock.ports.store import Claim, Store
from interlock.services.breaker import Breakers
from interlock.services.calling import NEVER_CALLED, Calling, Missing
from interlock.services.dispatch import PAUSE_MS, Dispatch
from interlock.services.intents import Intents
from interlock.services.orders import StandingOrders
from interlock.services.recorder import Recorder

ROUNDS = 20
"""How often a step is taken again because the orders changed meanwhile."""


class Execution:
    """Drives actions from where they stand to where they end or have to wait."""

    def __init__(
        self,
        *,
        store: Store,
        orders: StandingOrders,
        dispatch: Dispatch,
        calling: Calling,
        recorder: Recorder,
        breakers: Breakers,
        clock: Clock,
        ids: Ids,
        steps: Steps,
        timing: Timing,
        worker: WorkerId,
        intents: Intents,
        afar: bool = False,
    ) -> None:
        self._afar = afar
        """Whether calls are made by a program far away, not here: then `drive` ends where the call begins."""
        self._store = store
        self._orders = orders
        self._dispatch = dispatch
        self._calling = calling
        self._recorder = recorder
        self._breakers = breakers
        self._clock = clock
        self._ids = ids
        self._steps = steps
        self._timing = timing
        self._worker = worker
        self._intents = intents

    def for_program(self, worker: WorkerId) -> "Execution":
        """The same for a program far away that makes the calls itself, and holds its leases under the name of `worker`."""
        return Execution(
            store=self._store,
            orders=self._orders,
            dispatch=self._dispatch.for_program(worker),
            calling=self._calling,
            recorder=self._recorder,
            breakers=self._breakers,
            clock=self._clock,
            ids=self._ids,
            steps=self._steps,
            timing=self._timing,
            worker=worker,
            intents=Intents(),
            afar=True,
        )

    async def came(self, action: Action, contract: Contract, answer: Answer) -> Action:
        """Go on from what a program said came of the call of `action`, whose lease it holds. See `drive`."""
        try:
            after = await self._answered(action, contract, answer)
        except Conflict:
            return await self._recorder.stored(action)
        return await self.drive(after)

    async def claim(self, *, places: tuple[str, ...], only: ActionId | None = None, limit: int = 16) -> list[Action]:
        """Take due actions under a short lease; each is then this process's to `drive`."""
        return await self._store.claim(
            Claim(
                owner=self._worker,
                now=self._clock.now(),
                lease_ms=self._timing.lease_margin_ms,
                places=places,
                only=only,
                limit=limit,
            )
        )

    async def drive(self, action: Action) -> Action:
        """Do what is next for `action`, whose lease this process holds, until it ends or has to wait.

        Losing the lease on the way is no error: whoever holds it goes on, and the action is given as it then stands.
        """
        contract = await self._orders.contract(action.contract_digest)
        rounds = 0
        while action.owner == self._worker:
            try:
                after = await self._step(action, contract)
            except Conflict as conflict:
                await self._orders.refresh()
                current = await self._store.get(Action, action.id) or action
                rounds += 1
                if conflict.kind not in ("control", "task") or current.revision != action.revision or rounds > ROUNDS:
                    return current
                continue  # still ours: only what the step leaned on changed
            if after is action:
                break
            action = after
        return action

    async def _step(self, action: Action, contract: Contract) -> Action:
        match action.state:
            case "held":
                return await self._wait_for_people(action)
            case "ready":
                return await self._dispatch.clear(action, contract)
            case "preparing" | "prepared" | "aborting":
                return await self._dispatch.two_phases(action, contract)
            case "dispatching":
                return await self._dispatched(action, contract)
            case "unknown":
                return await self._ask(action, contract)
            case _:
                return action

    async def _wait_for_people(self, action: Action) -> Action:
        """Remind, escalate, or say that it is late; in the end it is over. Silence never means yes."""
        now, before = self._clock.now(), action.hold
        if before is None or now >= before.expires_at:
            return await self._recorder.end(action, "expire", "expired", reasons=silence(before))
        hold = walked(before, now)
        if hold == before:
            return await self._recorder.wait(action, before.due_at)
        after = action.after("route", hold=hold, owner=None, lease_until=None, due_at=hold.due_at)
        return await self._recorder.write(after, reached(before, hold))

    async def _dispatched(self, action: Action, contract: Contract) -> Action:
        """8. Execute, if the intent was written under this very lease; otherwise somebody may have begun."""
        if action.dispatched_fence != action.fence:
            self._intents.drop(action)
            step = settle(action, contract, self._clock.now(), self._timing)
            return await self._next(action, contract, step, Outcome(error="nobody recorded an answer"))
        if self._afar:
            return action
        if (action.lease_until or 0) - self._clock.now() <= contract.timeout_ms:
            # A lease shorter than the tool's timeout never starts a call: it is left to run out.
            return action
        if not self._intents.take(action):
            # Another caller of this process has begun the call; this is a copy from before.
            return action
        answer = await self._calling.call(action, contract, contract.target, "run")
        self._steps.reached("execute.called")
        return await self._answered(action, contract, answer)

    async def _answered(self, action: Action, contract: Contract, answer: Answer) -> Action:
        now = self._clock.now()
        match answer:
            case Landed(result=result):
                self._breakers.heard(action, contract, None)
                return await self._landed(action, contract, result)
            case Nothing(why=why):
                self._breakers.heard(action, contract, None)
                step = after_refusal(action, contract, why, now, self._timing)
                note = NEVER_CALLED if isinstance(answer, Missing) else ""
                return await self._next(action, contract, step, Outcome(error=why, observed_at=now, note=note))
            case Unsure(why=why):
                self._breakers.heard(action, contract, why)
                step = settle(action, contract, now, self._timing)
                return await self._next(action, contract, step, Outcome(error=why, observed_at=now))
            case _:
                assert_never(answer)

    async def _landed(self, action: Action, contract: Contract, result: JsonValue) -> Action:
        """9. Verify what came, filter it, then record what is known. From here on nobody sees it unfiltered."""
        problem = result_problem(contract, result)
        verified = None if problem is None else False
        if contract.postcondition is not None:
            seen: dict[str, JsonValue] = {"args": action.arguments, "result": result}
            said = await self._calling.call(action, contract, contract.postcondition, "postcondition", seen)
            verified = said.result is True if isinstance(said, Landed) else None
        self._steps.reached("execute.verified")
        now, source = self._clock.now(), source_of(contract)
        outcome = Outcome(result=result, observed_at=now, verified=verified, note=problem or "", source=source)
        outcome = told(outcome, contract, self._ids.nonce)
        if contract.postcondition is not None and verified is False:
            return await self._recorder.lose(
                action, "outcome", "the postcondition does not hold", due_at=None, outcome=outcome
            )
        return await self._recorder.end(action, "succeed", "outcome", outcome=outcome, reasons=())

    async def _ask(self, action: Action, contract: Contract) -> Action:
        """An unknown one: ask the lookup, now that a *no* can be believed."""
        if contract.lookup is None:
            if contract.place and self._may_repeat(action, contract):
                # The program that alone can repeat it is here.
                step = settle(action, contract, self._clock.now(), self._timing)
                return await self._next(action, contract, step, action.outcome or Outcome())
            return await self._recorder.wait(action, None)
        answer = await self._calling.call(action, contract, contract.lookup, "lookup")
        self._steps.reached("settle.asked")
        now = self._clock.now()
        match answer:
            case Landed(result=result):
                outcome = told(Outcome(result=result, observed_at=now, by="lookup"), contract, self._ids.nonce)
                return await self._recorder.end(action, "succeed", "settled", outcome=outcome, reasons=())
            case Nothing():
                step = after_no(action, contract, now, self._timing)
                return await self._next(action, contract, step, Outcome(observed_at=now, by="lookup"))
            case Unsure():
                return await self._recorder.wait(action, now + 10 * PAUSE_MS)
            case _:
                assert_never(answer)

    def _may_repeat(self, action: Action, contract: Contract) -> bool:
        """Whether whoever drives this could make the call once more."""
        return self._afar or not contract.place or self._calling.reaches(action, contract)

    async def _next(self, action: Action, contract: Contract, step: NextStep, outcome: Outcome) -> Action:
        """Do what the settlement rules say."""
        lost = action.state == "unknown"
        match step:
            case Retry(fresh=fresh) if not self._may_repeat(action, contract):
                if fresh:
                    why = "it did not happen, and only the program that has the tool could try again"
                    return await self._next(action, contract, Fail(why), outcome)
                if contract.lookup is not None and not contract.asked_at:
                    return await self._next(action, contract, Ask(self._timing.quiet_at(action, contract)), outcome)
                why = "the program that was to do it gave no answer, and it alone could do it again"
                now = self._clock.now()  # that program waits by itself before it tries again
                return await self._recorder.lose(
                    action, "outcome", why, due_at=now, outcome=outcome, place=contract.place
                )
            case Retry(at=at, fresh=fresh):
                await self._clock.sleep(max(0, at - self._clock.now()))
                if self._clock.now() > at + self._timing.lease_margin_ms:
                    # This process slept longer than it meant to: the key may be forgotten by now. Settled anew.
                    return action
                again = await self._dispatch.again(action, contract, fresh=fresh)
                return again if isinstance(again, Action) else await self._next(action, contract, again, outcome)
            case Ask(at=at):
                if lost:
                    return await self._recorder.wait(action, at)
                return await self._recorder.lose(
                    action, "outcome", "it will be asked", due_at=at, outcome=outcome, place=contract.asked_at
                )
            case Fail(why=why):
                said = msgspec.structs.replace(outcome, error=why, observed_at=self._clock.now())
                return await self._dispatch.fail(action, contract, said, action.reasons)
            case Lose(why=why):
                if lost:
                    return await self._recorder.wait(action, None)
                return await self._recorder.lose(action, "outcome", why, due_at=None, outcome=outcome)
            case _:
                assert_never(step)
