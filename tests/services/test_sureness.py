"""How sure an agent says it is, through the gate: kept with the action, said in its entries, asked again with the question."""

import msgspec
import pytest

from interlock.domain.contract import Contract
from interlock.domain.ids import ContractName
from interlock.domain.proposal import Proposal
from interlock.domain.sureness import Sureness
from interlock.embedded import Embedded
from interlock.testing.world import World, contract

pytestmark = pytest.mark.anyio

WANTED: Contract = msgspec.structs.replace(contract(), confidence=Sureness(act=900, ask=600))


@pytest.mark.proves("confidence.thresholds")
@pytest.mark.parametrize(
    ("confidence", "state", "verdict"),
    [(950, "done", "allow"), (700, "held", "require_approval"), (100, "held", "escalate"), (None, "held", "escalate")],
)
async def test_an_agent_that_is_not_sure_does_not_act_by_itself(
    confidence: int | None, state: str, verdict: str
) -> None:
    """Sure enough it is done; less sure it waits, with the rule that says so among its reasons."""
    world = World()
    await world.apply(WANTED)
    proposal = Proposal(
        task=await world.task(), contract=ContractName("thing.put"), arguments={"n": 1}, confidence=confidence
    )
    action = await Embedded(world.plane).propose(proposal)

    assert action.decision is not None
    assert (action.state, action.decision.verdict) == (state, verdict)
    assert ("interlock.confidence" in action.decision.because) == (state == "held")


async def test_a_person_may_say_yes_to_what_an_agent_is_not_sure_of() -> None:
    """It is decided again before it is done, and nothing new is asked then."""
    world = World()
    await world.apply(WANTED)
    proposal = Proposal(task=await world.task(), contract=ContractName("thing.put"), arguments={"n": 1}, confidence=100)
    action = await Embedded(world.plane).propose(proposal)
    await world.plane.approvals.approve(action.id, next(iter(world.people)))
    await world.work()

    assert (await world.action(action)).state == "done"
