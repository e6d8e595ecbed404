"""What recognises an instance that has no credential yet."""

from typing import Protocol

from interlock.domain.attesting import Recognised
from interlock.domain.ids import AgentName


class Attestor(Protocol):
    """One way, or several, by the word of somebody outside of the control plane."""

    async def recognised(self, evidence: str, agent: AgentName, *, audience: str, now: int) -> Recognised:
        """By what whoever holds `evidence` may be `agent`.

        `audience` is this control plane. Raises NotAllowed for evidence that does not say so, in words that quote nothing
        of it, and EffectorError where it cannot be told: keys that cannot be fetched, a library that is not installed.
        """
        ...
