"""What servers say of their tools, held against what was accepted whenever they say it: a drift is written down, and so is that
somebody accepted it.

Nothing here lets a call through or holds it back: a tool that is another is not called, whether that could be written or not. A
drift is told by whichever process saw it first, for the record of its tool is saved only if unchanged. What could not be written
is written when the server next says what tools it has.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from interlock.domain.change import Change as Write
from interlock.domain.errors import Conflict, InterlockError
from interlock.domain.ids import WorkerId
from interlock.domain.server_drift import (
    MOST_NEW,
    SEEN_EVERY_MS,
    Drift,
    Noted,
    Sighting,
    ended,
    mark_of,
    noted,
    pinned_now,
)
from interlock.domain.upstream import Definition, Pinned, changes
from interlock.ports.clock import Clock
from interlock.ports.store import Store
from interlock.services.saving import beside_it, save

MOST_ROUNDS: Final = 8
"""So often it is looked again because another process was at the same server."""
AT_ONCE: Final = 50
_log = logging.getLogger("interlock.servers")


class Drifts:
    """One process's part in it."""

    def __init__(self, *, store: Store, clock: Clock, worker: WorkerId, pins: Callable[[str], Pinned | None]) -> None:
        self._store = store
        self._clock = clock
        self._worker = worker
        self._pins = pins
        self._same: dict[str, tuple[object, int]] = {}
        """By server what it said when it said what was accepted, and when: for a while that costs no look into the store."""
        self._seen_at: dict[str, int] = {}

    async def saw(self, server: str, tools: Mapping[str, Definition]) -> None:
        """See `ports/upstream.py: Watcher`. A failure is a line in the program's log."""
        try:
            # It is not what a request asked for, on whose behalf the server is asked.
            with beside_it():
                await self._noted(server, tools)
                await self._sighted(server, len(tools))
        except InterlockError as error:
            _log.warning("what changed of the server `%s` could not be written down: %s", server, error)

    async def accepted(
        self, server: str, before: Mapping[str, Definition], after: Mapping[str, Definition], by: str
    ) -> int:
        """`by` accepts `after` in the place of `before`. How many tools that is another pin of. Raises StoreErrors."""
        names = [change.tool for change in changes(before, after)]
        for start in range(0, len(names), AT_ONCE):
            some = names[start : start + AT_ONCE]
            for round_ in range(MOST_ROUNDS):
                there = await self.of(server)
                now = self._clock.now()
                made = [
                    pinned_now(there.get(mark_of(tool)), server, tool, before.get(tool), after.get(tool), by, now)
                    for tool in some
                ]
                if await self._wrote(made, last=round_ == MOST_ROUNDS - 1):
                    break
        return len(names)

    async def of(self, server: str) -> dict[str, Drift]:
        """What is known of the tools of `server`, by their marks."""
        found, before = dict[str, Drift](), f"{server};"
        while page := [each for each in await self._store.all(Drift, before=before) if each.server == server]:
            found |= {each.mark: each for each in page}
            before = page[-1].key
        return found

    async def sighting(self, server: str) -> Sighting | None:
        """When it was last seen, to some minutes; None: never, by a process that writes down."""
        return await self._store.get(Sighting, server)

    # -- parts -------------------------------------------------------------------------------------------------

    async def _noted(self, server: str, tools: Mapping[str, Definition]) -> None:
        for round_ in range(MOST_ROUNDS):
            pinned = self._pins(server)
            if pinned is None:
                return
            accepted = {each.name: each for each in pinned.tools}
            found = changes(accepted, tools)
            known = ({name: each.digest for name, each in accepted.items()}, _digests(tools))
            now = self._clock.now()
            same, at = self._same.get(server, (None, 0))
            if same == known and now - at < SEEN_EVERY_MS:
                return
            there = await self.of(server)
            made: list[Noted] = []
            # Also those that are gone again: a server that has other names each time tells of no more tools than one that stays.
            room = MOST_NEW - sum(not each.pin for each in there.values())
            for change in found:
                before = there.pop(mark_of(change.tool), None)
                if change.kind == "new" and before is None:
                    room -= 1
                    if room < 0:
                        continue
                each = noted(
                    before, server, change, accepted.get(change.tool), tools.get(change.tool), self._worker, now
                )
                made += [] if each is None else [each]
            made += [Noted(ended(each), None) for each in there.values() if each.state]
            if await self._wrote(made, last=round_ == MOST_ROUNDS - 1):
                if not found:
                    self._same[server] = (known, now)
                return

    async def _wrote(self, made: list[Noted], *, last: bool) -> bool:
        """Save it; False where somebody else was at one of these, so that all are to be looked at again."""
        for start in range(0, len(made), AT_ONCE):
            some = made[start : start + AT_ONCE]
            facts = tuple(each.fact for each in some if each.fact is not None)
            try:
                await save(self._store, Write(puts=tuple(each.drift for each in some), facts=facts))
            except Conflict as conflict:
                if last or conflict.kind != Drift.kind:
                    raise
                return False
        return True

    async def _sighted(self, server: str, tools: int) -> None:
        now = self._clock.now()
        if now - self._seen_at.get(server, 0) < SEEN_EVERY_MS:
            return
        before = await self._store.get(Sighting, server)
        if before is None or now - before.seen_at >= SEEN_EVERY_MS or before.tools != tools:
            made = before or Sighting(server=server, seen_at=now, tools=tools)
            try:
                await save(self._store, Write(puts=(msgspec.structs.replace(made, seen_at=now, tools=tools),)))
            except Conflict:
                _log.debug("`%s` was seen by another process just now", server)
        self._seen_at[server] = now


def _digests(tools: Mapping[str, Definition]) -> dict[str, str]:
    return {name: each.digest for name, each in tools.items()}
