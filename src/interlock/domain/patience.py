"""What a program that speaks MCP is given while its call waits: the answer later, or a ticket at once."""

from typing import Final, Literal, NamedTuple

import msgspec

from interlock.domain.duration import SECOND

HoldMode = Literal["wait", "ticket"]
HOLD_MODES: Final[tuple[HoldMode, ...]] = ("wait", "ticket")
_BY_WORD: Final[dict[str, HoldMode]] = {each: each for each in HOLD_MODES}
LONGEST_MS: Final = 600 * SECOND
"""A call that waits longer than this is given a ticket in any case: no client and no proxy keeps a request open for ever."""


class Wish(NamedTuple):
    """What whoever begins a gateway, or makes a call, asks for itself; nothing is as the workspace has it."""

    hold: str = ""
    wait_ms: int | None = None


class Patience(msgspec.Struct, frozen=True, kw_only=True):
    """`gateway` in `interlock.yaml`."""

    hold: HoldMode = "wait"
    """`wait`: the call is answered when it is over, or with a ticket once `wait_ms` are; `ticket`: with a ticket at once."""
    wait_ms: int = 45 * SECOND
    """Less than the minute after which many clients give a call up."""

    def asked(self, hold: object, wait_ms: object) -> "Patience":
        """The same, with what one call asks for itself. What is no such wish is none."""
        mode = _BY_WORD.get(hold, self.hold) if isinstance(hold, str) else self.hold
        whole = isinstance(wait_ms, int) and not isinstance(wait_ms, bool)
        return Patience(hold=mode, wait_ms=min(max(int(str(wait_ms)), 0), LONGEST_MS) if whole else self.wait_ms)
