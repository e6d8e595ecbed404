"""Taking back what was granted: a token, a key, a task, all of an agent's, a release's or an initiator's tasks until now.

1. One commit puts the revocation into the standing orders, with the fact that says so: from then on every process refuses the
   next call in what it takes, and voids what is about to be dispatched. *A crash before it leaves everything as it was.*
2. Then the tasks it takes are closed, whoever handed them on is told, and what waits in them is voided. *A crash before or
   between leaves them open and waiting, and nothing of it runs: any worker goes on.*

It is final. What is granted afterwards is granted anew; who is to get nothing more is stopped or suspended.
"""

import contextlib
from typing import Final, cast

import msgspec

from interlock.domain.action import Action
from interlock.domain.agent_key import AgentKey
from interlock.domain.canonical import JsonValue
from interlock.domain.change import Change
from interlock.domain.control import BrakeWords, Control
from interlock.domain.duration import DAY
from interlock.domain.errors import Conflict, NotFound
from interlock.domain.evidence import at
from interlock.domain.ids import ActionId, BrakeId, TaskId
from interlock.domain.people import must_be_known
from interlock.domain.recording import control_fact
from interlock.domain.revocation import Named, Revocation, must_be_named, pseudonym, with_one_more
from interlock.domain.task import Task
from interlock.domain.token import SKEW_MS
from interlock.domain.unwind import OPEN
from interlock.ports.clock import Clock, Ids
from interlock.ports.store import ActionQuery, Store
from interlock.services.braking import Braking
from interlock.services.orders import Orders, StandingOrders
from interlock.services.recorder import Recorder
from interlock.services.saving import save
from interlock.services.tasks import Tasks

REVOKED: Final = "Revoked"
"""How a task failed that was revoked."""
PAGE: Final = 100
ALL: Final = 1_000_000


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What a revocation did."""

    revocation: Revocation
    already: bool = False
    """It was revoked before; what that takes was looked at once more."""
    closed: int = 0
    """How many tasks it closed, those inside them not counted."""
    voided: int = 0
    """How many waiting actions."""


class Revoking:
    """Revokes, and finishes what another process began."""

    def __init__(
        self,
        *,
        store: Store,
        orders: StandingOrders,
        tasks: Tasks,
        recorder: Recorder,
        braking: Braking,
        clock: Clock,
        ids: Ids,
    ) -> None:
        self._store = store
        self._orders = orders
        self._tasks = tasks
        self._recorder = recorder
        self._braking = braking
        self._clock = clock
        self._ids = ids
        self._swept: set[BrakeId] = set()
        """The revocations that this process has seen through, by their words."""

    async def revoke(self, kind: Named, name: str, *, by: str, why: str) -> Taken:
        """Take back what is named. A user is named as initiators are, `user:ana`.

        Raises NotAllowed for a name that is not among the people of the workspace (where it has any), and NotFound for an agent,
        a release, a task or an agent key that never was. A token, an instance, a client or a user may be revoked before it is
        heard of; ContractError for what has the form of none. An agent key ends in the same commit.
        """
        if kind == "token" or kind == "key" or kind == "client":  # noqa: PLR1714  so that the type is narrowed
            must_be_named(kind, name)
        else:
            await self._braking.must_exist(kind, name)
        while True:
            control = (await self._orders.refresh()).control
            must_be_known(by, control)
            now = self._clock.now()
            made = await self._made(kind, name, control, now)
            ended = await self._ended(name, now) if kind == "key" else ()
            already = next((each for each in control.revocations if _same(each, made, name)), None)
            kept = tuple(each for each in control.revocations if each != already)
            revocations = with_one_more(kept, made, now)
            after = msgspec.structs.replace(control, revocations=revocations)
            words = BrakeWords(
                id=made.words,
                scope=kind,
                name=made.name,
                since_at=now,
                why=why,
                by=by,
                who=name if kind == "user" else "",
            )
            body: dict[str, JsonValue] = {"revoked": kind, "name": made.name}
            if made.until_at is not None:
                body["until"] = at(made.until_at)
            fact = control_fact(after, "revoked", body, by, now)
            try:
                await save(self._store, Change(puts=(after, words, *ended), facts=(fact,)))
            except Conflict:
                continue
            closed, voided = await self._swept_through(await self._orders.refresh())
            return Taken(revocation=made, already=already is not None, closed=closed, voided=voided)

    async def revocations(self) -> list[tuple[Revocation, BrakeWords | None]]:
        """What is revoked and remembered, with the words beside it."""
        control = (await self._orders.refresh()).control
        return [(each, await self._store.get(BrakeWords, each.words)) for each in control.revocations]

    async def tend(self) -> int:
        """See through what others revoked. How many tasks were closed and actions voided."""
        orders = await self._orders.refresh()
        if {each.words for each in orders.control.revocations} <= self._swept:
            return 0
        return sum(await self._swept_through(orders))

    # -- parts -------------------------------------------------------------------------------------------------

    async def _made(self, kind: Named, name: str, control: Control, now: int) -> Revocation:
        salt = self._ids.nonce() if kind == "user" else ""
        made = Revocation(
            kind=kind,
            name=pseudonym(salt, name) if kind == "user" else name,
            salt=salt,
            since_at=now,
            epoch=control.revision + 1,
            words=BrakeId(self._ids.new()),
        )
        # No credential lives longer than a day, and no task that is open now longer than it says; one that is opened before this
        # is stored, no longer than agents may have one.
        longest = max(
            (each.runtime.max_task_ms for each in (await self._orders.refresh()).agents.values()), default=DAY
        )
        open_ = [each for each in await self._store.all(Task, limit=ALL) if each.state == "open"]
        ends = [each.expires_at for each in open_]
        return msgspec.structs.replace(made, until_at=max(now + max(longest, DAY) + 2 * SKEW_MS, *ends, now))

    async def _ended(self, name: str, now: int) -> tuple[AgentKey, ...]:
        """The agent key that is to be saved as revoked: none where it is already, and stays so for ever. Raises NotFound."""
        key = await self._store.get(AgentKey, name)
        if key is None:
            raise NotFound(f"there is no agent key `{name}`", next_step="list them: `interlock agent key list`")
        return () if key.revoked_at or key.withheld else (msgspec.structs.replace(key, revoked_at=now),)

    async def _swept_through(self, orders: Orders) -> tuple[int, int]:
        closed = await self._close(orders)
        voided = await self._void(orders)
        # Whatever opens a task, or makes an action wait, leans on the standing orders: nothing more can come of what it takes.
        self._swept = {each.words for each in orders.control.revocations}
        return closed, voided

    async def _close(self, orders: Orders) -> int:
        """Close what is open and taken, the outermost with all that is inside."""
        taken: dict[TaskId, Task] = {}
        for task in await self._store.all(Task, limit=ALL):
            if task.state == "open" and await self._orders.revoked(orders, task) is not None:
                taken[task.id] = task
        top = [task for task in taken.values() if not taken.keys() & set(task.ancestors)]
        for task in top:
            await self._tasks.close(task, failure=REVOKED)
        return len(top)

    async def _void(self, orders: Orders) -> int:
        """Void what waits in what is taken; undos are no work of an agent's, and stay."""
        count, before = 0, cast("ActionId | None", None)
        while True:
            query = ActionQuery(states=tuple(sorted(OPEN)), undos=False, before=before, limit=PAGE)
            page = await self._store.actions(query)
            for action in page:
                count += await self._voided(orders, action)
            if len(page) < PAGE:
                return count
            before = page[-1].id

    async def _voided(self, orders: Orders, action: Action) -> bool:
        task = await self._store.get(Task, action.task)
        found = None if task is None else await self._orders.revoked(orders, task, action.caller)
        if found is None:
            return False
        while True:
            current = await self._recorder.stored(action)
            if current.state not in OPEN:
                return False
            # A conflict: it moved, and is looked at again.
            with contextlib.suppress(Conflict):
                why = await self._orders.taken(found)
                await self._recorder.end(current, "void", "voided", reasons=(why,))
                return True


def _same(each: Revocation, made: Revocation, name: str) -> bool:
    if each.kind != made.kind:
        return False
    return each.name == (pseudonym(each.salt, name) if each.salt else made.name)
