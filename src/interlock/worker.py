"""The worker: takes up whatever is due, in any number of processes, and can be killed at any moment."""

import anyio
import anyio.abc

from interlock.domain.action import Action
from interlock.domain.errors import Conflict, StoreBusy
from interlock.services.plane import ControlPlane

SLOTS = 16
"""Actions driven at the same time."""
IDLE_MS = 500
"""How long it sleeps at most when nothing is due: the bound on how late it hears of work it was not told of."""


class Worker:
    """Claims due actions under a lease, drives them, and advances running undo requests."""

    def __init__(self, plane: ControlPlane, *, slots: int = SLOTS) -> None:
        self._plane = plane
        self._slots = slots
        self._busy = 0
        self.driven = 0
        """How many drives were finished since it began."""

    async def run(self, *, until_idle: bool = False) -> int:
        """Work until cancelled; with `until_idle`, until nothing is due and nothing is being driven. Gives `driven`."""
        async with anyio.create_task_group() as group:
            while not (until_idle and await self._idle()):
                if await self._take(group) + await self._unwind() == 0:
                    await self._rest()
        return self.driven

    async def _take(self, group: anyio.abc.TaskGroup) -> int:
        """Claim as many as there are free slots: what is claimed is begun at once, or its lease would run out waiting."""
        free = self._slots - self._busy
        if free <= 0:
            return 0
        try:
            claimed = await self._plane.execution.claim(places=self._plane.means.places, limit=free)
        except StoreBusy:
            return 0
        for action in claimed:
            self._busy += 1
            group.start_soon(self._drive, action)
        return len(claimed)

    async def _drive(self, action: Action) -> None:
        try:
            await self._plane.execution.drive(action)
        except (Conflict, StoreBusy):
            # Somebody else has it, or will: the lease runs out and it is claimed again.
            return
        finally:
            self._busy -= 1
            self.driven += 1

    async def _unwind(self) -> int:
        moved = 0
        for request in await self._plane.compensation.running():
            after = await self._plane.compensation.advance(request)
            moved += after.state != "running" or after.undone > request.undone
        return moved

    async def _idle(self) -> bool:
        """Nothing is being driven, nothing is due, and no undo request is on its way."""
        if self._busy or any(each.state == "running" for each in await self._plane.compensation.requests()):
            return False
        due = await self._plane.means.store.next_due_at()
        return due is None or due > self._plane.means.clock.now()

    async def _rest(self) -> None:
        due = await self._plane.means.store.next_due_at()
        left = IDLE_MS if due is None else max(1, min(IDLE_MS, due - self._plane.means.clock.now()))
        await self._plane.means.store.changed(timeout_ms=left)
