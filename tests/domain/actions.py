"""Actions for tests of the rules about them."""

from typing import Any

import msgspec

from interlock.domain.action import Action
from interlock.domain.contract import Contract
from interlock.domain.ids import ActionId, AgentName, ContractName, Digest, TaskId
from interlock.testing.world import contract

THING = contract()


def action(of: Contract = THING, **changes: Any) -> Action:
    """A ready action of `of`, with changes."""
    base = Action(
        id=ActionId("a1"),
        task=TaskId("t1"),
        agent=AgentName("ag"),
        release=Digest("r1"),
        contract=ContractName(of.name),
        contract_digest=of.digest,
        arguments={"n": 1},
        nonce="0" * 32,
        digest=Digest("d1"),
        idempotency_key="k",
        initiator="user:ana",
        proposed_at=0,
        state="ready",
    )
    return msgspec.structs.replace(base, **changes)
