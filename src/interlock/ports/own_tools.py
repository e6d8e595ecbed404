"""The tools that only this program has, called where they are."""

from typing import Protocol

from interlock.domain.call import Answer, Call
from interlock.domain.canonical import JsonValue


class OwnTools(Protocol):
    """Functions of this program, by the names of their contracts."""

    def has(self, name: str, key: str) -> bool:
        """Whether it can be called here, for the action of that idempotency key."""
        ...

    async def call(self, name: str, arguments: dict[str, JsonValue], call: Call, timeout_ms: int) -> Answer:
        """Call it once and say what is known afterwards, as `Effectors.invoke`. Never raises for what the tool does."""
        ...
