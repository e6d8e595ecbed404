"""How sure an agent has to say it is, before it acts by itself: thresholds of a contract, on the agent's own word.

An agent that does not say how sure it is counts as not sure at all: silence would be the cheapest way past a threshold.
"""

from collections.abc import Iterator
from typing import Literal

import msgspec

Below = Literal["escalate", "deny"]
BELOW: tuple[Below, ...] = ("escalate", "deny")
WHOLE = 1000
"""Quite sure, per mille."""


class Sureness(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """From `act` on policies alone decide, from `ask` on a person agrees, below it people take over or it is denied."""

    act: int
    """Per mille; so is `ask`."""
    ask: int = 0
    below: Below = "escalate"

    def problems(self) -> Iterator[str]:
        """Why it is none."""
        if not 0 < self.act <= WHOLE:
            yield "to act takes a share from 1 to 1000 per mille"
        if not 0 <= self.ask <= self.act:
            yield "to ask takes no more than to act"
