"""The worker: takes up whatever is due, in any number of processes, and can be killed at any moment."""

import logging
from collections import Counter

import anyio
import anyio.abc

from interlock.domain.action import ENDS, Action, State
from interlock.domain.channel import Channel
from interlock.domain.errors import (
    Conflict,
    IntegrityError,
    InterlockError,
    StoreBusy,
    StoreError,
    StoreUnsure,
    WitnessError,
)
from interlock.domain.masking import masked
from interlock.services.anchoring import Anchoring
from interlock.services.plane import ControlPlane

_log = logging.getLogger("interlock.worker")

SLOTS = 16
"""Actions driven at the same time."""
IDLE_MS = 500
"""How long it sleeps at most when nothing is due: the bound on how late it hears of work it was not told of."""

TEND_MS = 1_000
"""How late at most it hears that a task's time is over."""

RETAIN_MS = 3_600_000
"""How often a worker looks for what is over the time of its class."""

DRILLS_MS = 5_000
"""How often a worker looks for drills whose brake is over and that nobody ended."""

WATCH_MS = 10_000
"""How often a worker looks whether an item known to be bad is to be put before people."""

NOTIFY_MS = 1_000
"""How late at most it tells people what another process recorded."""

ANCHOR_AGAIN_MS = 5_000
"""How long a failed anchor waits; and how late a worker hears that one is due that was not."""


class Worker:
    """Claims due actions under a lease, drives them, and advances running undo requests."""

    def __init__(self, plane: ControlPlane, *, slots: int = SLOTS) -> None:
        self._plane = plane
        self._slots = slots
        self._busy = 0
        self._ending = False
        self._less = anyio.Event()
        """Set when something that was begun is done; then another takes its place."""
        self.driven = 0
        """How many drives were finished since it began."""
        self.badly: Counter[State] = Counter()
        """In how many of them an action ended without having been done, or became unknown, by its state."""

    async def run(self, *, until_idle: bool = False) -> int:
        """Work until cancelled or told to `end`; with `until_idle`, until nothing is due, nothing is being driven, and no undo
        request can move without a person. Gives `driven`."""
        await self._erase()
        await self._retain()
        await self._tend()
        await self._lift()
        await self._void()
        async with anyio.create_task_group() as group:
            # Beside the claiming, so that a long undo keeps nobody waiting.
            group.start_soon(self._unwinding)
            group.start_soon(self._tending)
            group.start_soon(self._lifting)
            if self._plane.means.anchoring is not None and not until_idle:
                group.start_soon(self._anchoring, self._plane.means.anchoring)
            if not until_idle:
                for channel in self._plane.notifying.channels:
                    # One each: a way that answers slowly keeps no other waiting.
                    group.start_soon(self._notifying, channel)
            if self._plane.seeding.watch.items and not until_idle:
                group.start_soon(self._watching)
            if self._plane.means.retention and not until_idle:
                group.start_soon(self._retaining)
            while not self._ending and not (until_idle and await self._idle()):
                if await self._take(group) == 0:
                    await self._rest()
            while self._busy:
                await self._less.wait()
            group.cancel_scope.cancel()
        if until_idle:
            for channel in self._plane.notifying.channels:
                await self._notify(channel)
        return self.driven

    def end(self) -> None:
        """Begin nothing more. What was begun goes on to its end, and then so does `run`."""
        self._ending = True

    def _free(self) -> None:
        self._busy -= 1
        self._less.set()
        self._less = anyio.Event()

    async def _take(self, group: anyio.abc.TaskGroup) -> int:
        """Claim as many as there are free slots: what is claimed is begun at once, or its lease would run out waiting."""
        free = self._slots - self._busy
        if free <= 0:
            return 0
        try:
            claimed = await self._plane.execution.claim(places=self._plane.means.places, limit=free)
        except (StoreBusy, StoreUnsure):
            # What was claimed all the same is claimed again when its lease runs out.
            return 0
        for action in claimed:
            self._busy += 1
            group.start_soon(self._drive, action)
        return len(claimed)

    async def _drive(self, action: Action) -> None:
        try:
            after = await self._plane.execution.drive(action)
            if after.state == "unknown" or after.state in ENDS:
                self.badly[after.state] += 1
        except InterlockError as error:
            # Somebody else has it, or will: the lease runs out and it is claimed again. One action that cannot be driven
            # must not stop the others.
            if not isinstance(error, Conflict | StoreBusy):
                # A detail may quote arguments and results, which have no place in an operator's log.
                _log.warning("action %s could not be driven: %s", action.id, masked(error.detail, action))
        finally:
            self._free()
            self.driven += 1

    async def _anchoring(self, anchoring: Anchoring) -> None:
        """Anchor the log as often as its settings say. What fails is said, and tried again: nothing waits for it."""
        while True:
            try:
                due = await anchoring.due_in()
                if due == 0:
                    await anchoring.anchor()
                    continue
            except (WitnessError, StoreError, IntegrityError) as error:
                _log.warning("the log could not be anchored: %s", error.detail)
                due = ANCHOR_AGAIN_MS
            await anyio.sleep(min(due or ANCHOR_AGAIN_MS, ANCHOR_AGAIN_MS) / 1000)

    async def _notifying(self, channel: Channel) -> None:
        """Tell people what the log says, as it comes, and again what did not arrive."""
        while True:
            await self._notify(channel)
            left: int | None = NOTIFY_MS
            try:
                left = await self._plane.notifying.due_in(channel)
            except InterlockError as error:
                _log.warning("channel %s: its outbox cannot be read: %s", channel.name, error.code)
            await self._plane.means.store.changed(
                timeout_ms=min(NOTIFY_MS if left is None else max(left, 1), NOTIFY_MS)
            )

    async def _notify(self, channel: Channel) -> None:
        """Everything there is to tell on `channel` now."""
        try:
            while await self._plane.notifying.collect(channel):
                pass
            while await self._plane.notifying.deliver(channel):
                pass
        except InterlockError as error:
            if not isinstance(error, Conflict | StoreBusy):
                _log.warning("channel %s: nobody could be told: %s", channel.name, error.code)

    async def _erase(self) -> None:
        """Go on with erasures that were agreed to and cut short."""
        try:
            await self._plane.erasing.resume()
        except InterlockError as error:
            _log.warning("an erasure could not be carried out: %s", error.code)

    async def _retain(self) -> None:
        """Propose what is over the time of its class: two persons agree to it."""
        try:
            for each in await self._plane.erasing.schedule():
                _log.warning(
                    "to be erased, its time is over: class %s; two persons agree: erasure %s", each.data_class, each.id
                )
        except InterlockError as error:
            _log.warning("what is over its time could not be proposed: %s", error.code)

    async def _retaining(self) -> None:
        while True:
            await anyio.sleep(RETAIN_MS / 1000)
            await self._retain()

    async def _watching(self) -> None:
        while True:
            try:
                await self._plane.seeding.tend()
            except InterlockError as error:
                if not isinstance(error, Conflict | StoreBusy):
                    _log.warning("no item known to be bad could be put before people: %s", error.code)
            await anyio.sleep(WATCH_MS / 1000)

    async def _tending(self) -> None:
        while True:
            if await self._tend() == 0:
                await anyio.sleep(TEND_MS / 1000)

    async def _tend(self) -> int:
        """Close tasks inside others whose time is over, and give up uses of models. How many were looked at."""
        try:
            return await self._plane.tasks.tend() + await self._plane.uses.tend()
        except InterlockError as error:
            if not isinstance(error, Conflict | StoreBusy):
                _log.warning("tasks and uses of models whose time is over could not be closed: %s", error.code)
            return 0

    async def _lift(self) -> None:
        """Lift the brakes of drills that died, once they are over."""
        try:
            for each in await self._plane.drills.tend():
                _log.warning("a drill was cut short, and its brake is lifted: %s", each.id)
        except InterlockError as error:
            _log.warning("drills that died could not be ended: %s", error.code)

    async def _lifting(self) -> None:
        while True:
            await anyio.sleep(DRILLS_MS / 1000)
            await self._lift()

    async def _unwinding(self) -> None:
        while not self._ending:
            await self._void()
            if await self._unwind() == 0:
                await self._rest()

    async def _void(self) -> None:
        """Void what waits of agents that were retired, and in what was revoked, where whoever did so did not come to it."""
        try:
            await self._plane.agents.void()
            await self._plane.revoking.tend()
        except InterlockError as error:
            if not isinstance(error, Conflict | StoreBusy):
                _log.warning(
                    "what waits of a retired agent, or in what was revoked, could not be voided: %s", error.code
                )

    async def _unwind(self) -> int:
        """Advance every running request. How many of them moved."""
        moved = 0
        self._busy += 1
        try:
            for request in await self._plane.compensation.running():
                if self._ending:
                    break
                try:
                    after = await self._plane.compensation.advance(request)
                except InterlockError as error:
                    if not isinstance(error, Conflict | StoreBusy):
                        _log.warning("undo request %s could not be advanced: %s", request.id, error.code)
                    continue
                moved += after.state != "running" or after.undone > request.undone
        finally:
            self._free()
        return moved

    async def _idle(self) -> bool:
        """Nothing is being driven, nothing is due, and what is being undone waits for people."""
        for request in await self._plane.compensation.requests():
            if (
                request.state == "running"
                and not request.withheld
                and not await self._plane.compensation.waits_for_people(request)
            ):
                return False
        due = await self._plane.means.store.next_due_at(self._plane.means.places)
        # Asked last, with nothing awaited in between: whatever is begun now is begun by another process.
        return self._busy == 0 and (due is None or due > self._plane.means.clock.now())

    async def _rest(self) -> None:
        due = await self._plane.means.store.next_due_at(self._plane.means.places)
        left = IDLE_MS if due is None else max(1, min(IDLE_MS, due - self._plane.means.clock.now()))
        await self._plane.means.store.changed(timeout_ms=left)
