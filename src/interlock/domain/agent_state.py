"""Whether an agent may act: which states there are, what leads from one to another, and who may.

A draft is no state of ours: it is a file that is not in force. What is suspended proposes nothing and begins nothing, and
what waits goes on waiting. What is retired is so for good: what waits is voided, what was done can still be undone.
"""

from collections.abc import Mapping
from typing import Final, Literal

AgentState = Literal["active", "suspended", "retired"]
STATES: tuple[AgentState, ...] = ("active", "suspended", "retired")
Move = Literal["suspend", "activate", "retire"]

MOVES: Final[Mapping[tuple[AgentState, Move], AgentState]] = {
    ("active", "suspend"): "suspended",
    ("suspended", "activate"): "active",
    ("active", "retire"): "retired",
    ("suspended", "retire"): "retired",
}
"""Every move there is. Nothing leads out of `retired`."""
