"""A call that only this program can make, made under the gate of a control plane far away: claimed, made once, reported.

What was claimed is never made twice here: the control plane gives one call to one claim, and each has a fence of its own.
What could not end while its lease lasts is not begun. What could not be reported is the control plane's to find out.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import anyio

from interlock.domain.action import Action
from interlock.domain.asking import claim_call, report_call, wait_call
from interlock.domain.call import Answer, Landed, Nothing
from interlock.domain.canonical import CanonicalError, encode
from interlock.domain.claimed import Claimed, Report, report_of
from interlock.domain.errors import IllegalMove, InterlockError, Unreachable
from interlock.domain.refusals import TooMany
from interlock.ports.own_tools import OwnTools
from interlock.ports.plane import Plane
from interlock.sdk.identity import Identity
from interlock.sdk.patience import MOST_PATIENT

MOST_BYTES: Final = 900 * 1024
"""Of a result: a request has 1 MiB."""
ROUNDS: Final = 20


class Carrying:
    """Carries out one action of this program's."""

    def __init__(self, plane: Plane, identity: Identity, own: OwnTools) -> None:
        self._plane = plane
        self._identity = identity
        self._own = own
        self._claim = identity.new()
        self._since = (0.0, 0)
        """When the lease may have begun at the earliest: by the clock of this process in seconds, and on the wall in ms."""
        self._asked = False
        """Whether the control plane may have heard the claim, or the report, that is being made."""

    async def out(self, action: Action) -> Action:
        """The action after its call was made and reported; or as it stands where nothing is to be called now."""
        name = action.place
        found = await self._identity.again(partial(self._claimed, action), patience=MOST_PATIENT)
        made = 0
        for _ in range(ROUNDS):
            if found.call is None or found.call.fence <= made:
                break
            made = found.call.fence
            report = report_of(made, await self._called(name, found))
            self._asked = False
            try:
                found = await self._identity.again(partial(self._reported, action, report), patience=MOST_PATIENT)
            except IllegalMove:
                # It counted no more: what is known of it the control plane says.
                return await self._identity.again(partial(self._looked, action))
        return found.action

    async def _called(self, name: str, found: Claimed) -> Answer:
        """What came of the call; where too little of its lease is left, it is not made."""
        call = found.call
        begun, on_the_wall = self._since
        # A machine that slept meanwhile lost none of its own time, and one whose clock was set back none on the wall.
        spent_ms = max((anyio.current_time() - begun) * 1000, self._identity.now() - on_the_wall)
        if call is None or spent_ms > max(found.lease_ms - found.timeout_ms, 0):
            return Nothing("the call came too late to be begun")
        answer = await self._own.call(name, found.action.arguments, call, found.timeout_ms)
        return _sendable(answer)

    async def _claimed(self, action: Action) -> Claimed:
        shown = await self._identity.still(action.agent, partial(claim_call, action.id, self._claim))
        return await self._timed(partial(self._plane.claim, action.id, shown, self._claim))

    async def _reported(self, action: Action, report: Report) -> Claimed:
        shown = await self._identity.still(action.agent, partial(report_call, action.id, self._claim, report))
        return await self._timed(partial(self._plane.report, action.id, shown, self._claim, report))

    async def _timed(self, asked: Callable[[], Awaitable[Claimed]]) -> Claimed:
        """What `asked` gives. A lease that it gives began at the earliest with the first attempt that may have been heard."""
        if not self._asked:
            self._since = (anyio.current_time(), self._identity.now())
        try:
            return await asked()
        except InterlockError as error:
            self._asked = self._asked or not (type(error) is Unreachable or isinstance(error, TooMany))
            raise

    async def _looked(self, action: Action) -> Action:
        shown = await self._identity.still(action.agent, partial(wait_call, action.id, None, 0))
        return await self._plane.wait(action.id, shown, timeout_ms=0)


def _sendable(answer: Answer) -> Answer:
    """It happened, whatever it returned: a result that cannot be sent must not make the effect doubtful."""
    if not isinstance(answer, Landed):
        return answer
    try:
        encode(answer.result, max_bytes=MOST_BYTES)
    except CanonicalError as error:
        return Landed({"unrecordable": str(error)[:1_000]})
    return answer
