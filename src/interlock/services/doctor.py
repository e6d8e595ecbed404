"""The doctor: looks at everything an installation stands on, and says what is wrong and what mends it. Changes nothing.

Each probe looks at one thing. One that fails or takes too long is itself a finding, and keeps no other from being asked.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, TypeAlias

import anyio

from interlock.domain.checkup import Checked, Checkup, wrong
from interlock.domain.errors import InterlockError
from interlock.ports.clock import Clock

PATIENCE_S: Final = 20.0
"""How long one probe is waited for."""

Probe: TypeAlias = Callable[[], Awaitable[Sequence[Checked]]]
"""Looks at one thing, or at a few that belong together. May raise InterlockErrors: they become what is wrong with it."""
Examine: TypeAlias = Callable[[], Awaitable[Checkup]]
"""All of it, as whoever serves can have it done."""


class Doctor:
    """Asks its probes, one after the other, in the order in which what they find is best mended."""

    def __init__(self, probes: Mapping[str, Probe], clock: Clock, *, patience_s: float = PATIENCE_S) -> None:
        self._probes = probes
        self._clock = clock
        self._patience_s = patience_s

    async def examine(self) -> Checkup:
        """Ask each. Raises nothing that a probe raises, unless it is a defect."""
        found: list[Checked] = []
        for what, probe in self._probes.items():
            found += await self._asked(what, probe)
        return Checkup(at=self._clock.now(), checks=tuple(found))

    async def _asked(self, what: str, probe: Probe) -> Sequence[Checked]:
        try:
            with anyio.fail_after(self._patience_s):
                return await probe()
        except TimeoutError:
            said = f"there was no answer within {self._patience_s:.0f} s"
            return (wrong(what, said, "see whether the disk or another process is at its limit, and ask again"),)
        except InterlockError as error:
            return (wrong(what, str(error), error.next_step, error.fault),)
