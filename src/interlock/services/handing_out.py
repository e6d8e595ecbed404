"""Calls handed out to the programs whose own tools they are, and what those say of them.

1. A program that holds the action's task claims it. It is taken up as a worker takes it up: a lease, everything that may stop it
   asked once more, and the intent durable, in the program's name. *A crash before leaves it waiting; one after, a lease that runs
   out.*
2. The program is given the call. Asked again under the same claim it is given the same one, so that a lost answer loses nothing;
   under another claim it is given nothing while that lease runs.
3. It makes the call. Nobody here sees that.
4. It reports, under its claim and the call's fence. While the lease runs that counts as a tool's answer does here, in any
   process: its result is held against the contract, its postcondition asked, its output filtered. *A crash before: it reports
   once more; one after: what it reports is known already.*
5. A lease that runs out without a word is what a worker that died leaves: the class of the contract says what that means. What is
   reported after that is refused, and stands in the log beside what is known.
"""

from typing import Final

from interlock.domain.action import Action, Outcome
from interlock.domain.call import Landed
from interlock.domain.claimed import Claimed, Report, holder_of
from interlock.domain.contract import Contract, InProcess
from interlock.domain.errors import ContractError, IllegalMove, NotAllowed
from interlock.domain.filtering import clean, told
from interlock.domain.ids import WorkerId, is_id
from interlock.domain.label import source_of
from interlock.domain.settlement import Timing
from interlock.ports.clock import Clock, Ids
from interlock.services.calling import call_of
from interlock.services.execution import Execution
from interlock.services.orders import StandingOrders
from interlock.services.recorder import Recorder

_LATE: Final = "look at what is known of it: `interlock show ACTION`; a person settles what nobody knows"


class HandingOut:
    """Gives calls to programs, and takes their word on them. Who asks was found out before."""

    def __init__(
        self,
        *,
        execution: Execution,
        orders: StandingOrders,
        recorder: Recorder,
        clock: Clock,
        ids: Ids,
        timing: Timing,
    ) -> None:
        self._execution = execution
        self._orders = orders
        self._recorder = recorder
        self._clock = clock
        self._ids = ids
        self._timing = timing

    async def claim(self, action: Action, instance: str, claim: str) -> Claimed:
        """The call of `action`, if it may be made now and nobody else makes it.

        Raises NotAllowed for a tool that is no program's own, or one of two phases; ContractError for a claim that has no id.
        """
        contract, name, owner = await self._theirs(action, claim, instance)
        execution = self._execution.for_program(owner)
        if action.owner == owner:
            # Claimed before, and the answer lost; perhaps whoever was at it died on the way.
            action = await execution.drive(action) if action.state == "ready" else action
            return self._given(action, contract, owner)
        for taken in await execution.claim(places=("", name), only=action.id, limit=1):
            action = await execution.drive(taken)
        return self._given(action, contract, owner)

    async def report(self, action: Action, instance: str, claim: str, report: Report) -> Claimed:
        """What `report` means for `action`; perhaps another attempt is to be made.

        Raises IllegalMove where the lease is over, after that was recorded; nothing else becomes of it then.
        """
        contract, _, owner = await self._theirs(action, claim, instance)
        if action.owner == owner and report.fence < action.fence:
            # It was said before, and what is to be done next did not arrive.
            return self._given(action, contract, owner)
        of_this = action.fence == action.dispatched_fence == report.fence
        if of_this and action.owner is None and _told(action.outcome):
            return Claimed(action=action)
        held = of_this and action.owner == owner
        if not held or action.state != "dispatching" or (action.lease_until or 0) <= self._clock.now():
            await self._recorder.late(action, self._outcome(contract, report))
            raise IllegalMove("the time in which this could be said is over", next_step=_LATE, state=action.state)
        after = await self._execution.for_program(owner).came(action, contract, report.answer)
        return self._given(after, contract, owner)

    # -- parts -------------------------------------------------------------------------------------------------

    async def _theirs(self, action: Action, claim: str, instance: str) -> tuple[Contract, str, WorkerId]:
        if not is_id(claim):
            raise ContractError("a claim has an id, as Interlock makes them", path="/claim", next_step="make a UUIDv7")
        if not action.contract_digest:
            raise NotAllowed("it was refused before its tool was known", next_step="there is nothing to be called")
        contract = await self._orders.contract(action.contract_digest)
        if not isinstance(contract.target, InProcess):
            raise NotAllowed(
                f"`{contract.name}` is no program's own tool: the control plane calls it",
                next_step="wait for it; or say `run: in_process` in its contract",
            )
        if contract.two_phase is not None:
            raise NotAllowed(
                f"`{contract.name}` has two phases, which only a program on the workspace's folder can carry out",
                next_step="run it there, or take `two_phase` out of its contract",
            )
        return contract, contract.target.name, holder_of(instance, claim)

    def _given(self, action: Action, contract: Contract, owner: WorkerId) -> Claimed:
        ready = action.owner == owner and action.state == "dispatching" and action.fence == action.dispatched_fence
        if not ready:
            return Claimed(action=action)
        return Claimed(
            action=action,
            call=call_of(action, contract),
            timeout_ms=contract.timeout_ms,
            lease_ms=self._timing.lease(contract),
        )

    def _outcome(self, contract: Contract, report: Report) -> Outcome:
        """What was said too late, cleaned as it would have been in time."""
        answer, now = report.answer, self._clock.now()
        if isinstance(answer, Landed):
            landed = Outcome(result=answer.result, observed_at=now, source=source_of(contract))
            return told(landed, contract, self._ids.nonce)
        return Outcome(error=clean(answer.why, contract), observed_at=now)


def _told(outcome: Outcome | None) -> bool:
    """Whether it is the program's own word, and came in time."""
    return outcome is not None and outcome.by == "tool" and outcome.observed_at > 0
