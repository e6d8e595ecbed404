"""An action before anything was decided about it, and one whose arguments did not pass."""

import msgspec

from interlock.domain.action import Action, first
from interlock.domain.binding import bind, fingerprint
from interlock.domain.canonical import CanonicalError, JsonValue, digest
from interlock.domain.change import Change
from interlock.domain.contract import Contract
from interlock.domain.exception_case import must_be_unanswered
from interlock.domain.ids import ActionId, Digest
from interlock.domain.proposal import Proposal
from interlock.domain.recording import recorded
from interlock.domain.stating import Beginning
from interlock.domain.task import Task
from interlock.ports.clock import Clock, Ids

NOTHING = Digest("0" * 64)
"""The digest of an action that no contract ever described."""


class Drafts:
    """Gives actions their names, and what is fixed about them from the first."""

    def __init__(self, clock: Clock, ids: Ids) -> None:
        self._clock = clock
        self._ids = ids

    def key(self) -> str:
        """An idempotency key that nobody has used."""
        return self._ids.new()

    def bound(self, task: Task, contract: Contract, arguments: dict[str, JsonValue], key: str) -> Action:
        """The action with its arguments held against the contract; its state is a placeholder until it is born.

        Raises ContractError with the first field that does not fit.
        """
        nonce = self._ids.nonce()
        bound = bind(contract, arguments, nonce=nonce)
        must_be_unanswered(contract.name, bound.arguments)
        return Action(
            id=ActionId(self._ids.new()),
            task=task.id,
            agent=task.agent,
            release=task.release,
            contract=contract.name,
            contract_digest=contract.digest,
            arguments=bound.arguments,
            nonce=nonce,
            digest=bound.digest,
            fingerprint=fingerprint(contract, bound.arguments),
            idempotency_key=key,
            initiator=task.initiator,
            proposed_at=self._clock.now(),
            place=contract.place,
            state="refused",
        )

    def now(self) -> int:
        """UTC ms."""
        return self._clock.now()

    def refused(
        self, proposal: Proposal, beginning: Beginning, why: str, rule: str, contract: Contract | None = None
    ) -> tuple[Action, Change]:
        """The action as refused. Its arguments did not pass, so only what can be written of them is kept."""
        now = self._clock.now()
        action = Action(
            id=ActionId(self._ids.new()),
            task=proposal.task.id,
            agent=proposal.task.agent,
            release=proposal.task.release,
            contract=proposal.contract,
            contract_digest=contract.digest if contract is not None else Digest(""),
            arguments=storable(proposal.arguments),
            nonce=self._ids.nonce(),
            digest=NOTHING,
            idempotency_key=proposal.idempotency_key or self._ids.new(),
            initiator=proposal.task.initiator,
            caller=beginning.caller,
            proposed_at=now,
            ended_at=now,
            state=first("refuse"),
            reasons=(rule, why),
            justification=proposal.justification,
            traceparent=proposal.traceparent,
            confidence=proposal.confidence,
            kpi=proposal.kpi,
        )
        # What was asked for could not be bound: what can be written of it stands in the action itself.
        beginning = msgspec.structs.replace(beginning, proposed=action.arguments)
        action, fact = recorded(action, "refused", now, contract=contract, beginning=beginning)
        return action, Change(puts=(action,), facts=(fact,))


def storable(arguments: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Arguments that were refused, if they can be written down at all."""
    try:
        digest(arguments)
    except CanonicalError:
        return {}
    return arguments
