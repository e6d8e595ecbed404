"""One call of one target, as every step makes it."""

from interlock.domain.action import Action
from interlock.domain.call import Answer, Call, Landed, Nothing, Unsure
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Contract, Target
from interlock.domain.errors import EffectorError
from interlock.domain.filtering import clean
from interlock.ports.effector import Effectors, Role

NEVER_CALLED = "the tool was never called"
"""The note on an outcome that is our own word, not the tool's."""


class Missing(Nothing, frozen=True):
    """The target could not even be found, and nobody called it before: it is us who say that nothing happened."""


class Calling:
    """Tells the tool which attempt this is, and turns a tool that cannot be found into an answer."""

    def __init__(self, effectors: Effectors) -> None:
        self._effectors = effectors

    def reaches(self, action: Action, contract: Contract) -> bool:
        """Whether this process can make the call of `action`."""
        return self._effectors.reaches(contract, action.idempotency_key)

    async def call(
        self,
        action: Action,
        contract: Contract,
        target: Target,
        role: Role,
        arguments: dict[str, JsonValue] | None = None,
    ) -> Answer:
        """Call `target` with the action's own arguments, or with `arguments`. Never raises for what the tool does.

        A target that cannot be found is Missing where this is the first attempt at it, and Unsure on a repeat: whether an
        earlier attempt found it is not ours to say.
        """
        call = call_of(action, contract)
        try:
            answer = await self._effectors.invoke(
                contract, target, role, action.arguments if arguments is None else arguments, call
            )
        except EffectorError as error:
            why = clean(error.detail, contract)
            return Missing(why) if _first(action, role) else Unsure(why)
        # Why something failed is read by agents, people and logs: what a tool says of it is cleaned where it comes in.
        return answer if isinstance(answer, Landed) else type(answer)(clean(answer.why, contract))


def call_of(action: Action, contract: Contract) -> Call:
    """What the tool is told of this attempt."""
    return Call(
        action_id=action.id,
        idempotency_key=action.idempotency_key,
        attempt=action.attempt,
        fence=action.fence,
        deadline_at=(action.dispatched_at or action.proposed_at) + contract.timeout_ms,
        precondition=action.facts or None,
        prepared=action.prepared,
        task=action.task,
        traceparent=action.traceparent,
    )


def _first(action: Action, role: Role) -> bool:
    """Whether a call in this role is the first that may touch the world, under the very lease that wrote the intent."""
    return role in ("run", "prepare") and action.attempt <= 1 and action.dispatched_fence == action.fence
