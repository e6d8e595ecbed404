"""The doors to real systems."""

from typing import Literal, Protocol

from interlock.domain.call import Answer, Call
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Contract, Target

Role = Literal["run", "prepare", "abort", "lookup", "facts", "postcondition"]


class Effectors(Protocol):
    """Reaches whatever a contract's targets name."""

    def reaches(self, contract: Contract, key: str = "") -> bool:
        """Whether this process can run `contract`: with `key`, the action of that idempotency key. What was lent for one call
        alone can run for no other."""
        ...

    def missing(self, contract: Contract) -> str:
        """Why this process cannot run `contract`, in words; empty where it can."""
        ...

    async def invoke(
        self,
        contract: Contract,
        target: Target,
        role: Role,
        arguments: dict[str, JsonValue],
        call: Call,
    ) -> Answer:
        """Call `target` once and say what is known afterwards. Never raises for what the tool does.

        `run`: Landed with the result, Nothing if the tool promises that nothing happened, Unsure otherwise (an error, the
        timeout). `lookup`: Landed if it happened, Nothing if not, Unsure if it could not be told. `facts`, `postcondition`,
        `prepare`, `abort`: Landed with the value, else the reason. The contract's timeout is enforced. Raises EffectorError
        only before anything was called: the target cannot be found.
        """
        ...
