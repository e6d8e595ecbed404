"""Brakes: pulled and lifted by people, each a change of the standing orders and a fact in the log."""

from typing import assert_never

import msgspec

from interlock.domain.agent import Agent
from interlock.domain.brakes import Brake, HeldBack, holding, standing
from interlock.domain.breaker import Breaker, breaker_key, target_of
from interlock.domain.canonical import JsonValue
from interlock.domain.change import Change
from interlock.domain.contract import Contract
from interlock.domain.control import (
    HOLDS,
    REFUSES,
    BrakeWords,
    Control,
    Stop,
    StopMode,
    StopScope,
    words_of,
)
from interlock.domain.errors import Conflict, NotAllowed, NotFound
from interlock.domain.evidence import Phase
from interlock.domain.ids import BrakeId, TaskId, Tenant
from interlock.domain.names import instead, listed
from interlock.domain.people import must_be_known
from interlock.domain.record import Record
from interlock.domain.recording import control_fact
from interlock.domain.release import Release
from interlock.domain.revocation import must_be_named, pseudonym
from interlock.domain.task import Task
from interlock.domain.whose import OURS
from interlock.ports.clock import Clock, Ids
from interlock.ports.store import Store
from interlock.services.counting import Counting
from interlock.services.orders import StandingOrders
from interlock.services.saving import save

ALL = 1_000_000


class Braking:
    """Pulls and lifts brakes, and says which hold and what."""

    def __init__(
        self, *, store: Store, orders: StandingOrders, counting: Counting, clock: Clock, ids: Ids, tenant: Tenant
    ) -> None:
        self._store = store
        self._orders = orders
        self._counting = counting
        self._clock = clock
        self._ids = ids
        self._tenant = tenant

    async def stop(
        self,
        scope: StopScope,
        name: str = "",
        *,
        by: str,
        why: str,
        mode: StopMode = "stop",
        until_at: int | None = None,
    ) -> Control:
        """Pull a brake. From the moment this returns what `mode` says holds in its scope in every process, but for undos.

        Anybody may, under any name: a brake that asks who is there is pulled too late. A scope that a person stopped already
        stays as it is, and takes the mode that is asked for now. A user is named as initiators are, `user:ana`.

        Raises NotAllowed for a name that only rules of ours have, and NotFound when there never was such an agent, release (by
        its whole digest), contract, tag, task or tenant: a brake that holds nothing would look like one that holds. A user or an
        instance may be stopped before it is heard of.
        """
        if by.startswith(OURS):
            raise NotAllowed(f"`{by}`: such names are of rules of the gate", next_step="say who you are: `--as NAME`")
        await self.must_exist(scope, name)
        while True:
            control = (await self._orders.refresh()).control
            already = standing(control, scope, name)
            if already is not None and until_at is None and already.mode == mode:
                return control
            kept = tuple(each for each in control.stops if already is None or until_at is not None or each != already)
            stop = self.made(scope, name, mode=mode, until_at=until_at)
            after = msgspec.structs.replace(control, stops=(*kept, stop))
            words = words_of(stop, why=why or f"by {by}", by=by, who=name if scope == "user" else "")
            if await self.swap(after, "stopped", told(stop), by, words):
                return after.saved()

    async def resume(self, scope: StopScope, name: str = "", *, by: str) -> Control:
        """Lift every brake on exactly that scope.

        Raises NotAllowed for a name that is not among the people of the workspace (where it has any), NotFound where
        nothing of that scope is stopped.
        """
        while True:
            control = (await self._orders.refresh()).control
            must_be_known(by, control)
            lifted = [stop for stop in control.stops if stop.is_on(scope, name)]
            if not lifted:
                raise await self._not_stopped(scope, name)
            after = msgspec.structs.replace(control, stops=tuple(stop for stop in control.stops if stop not in lifted))
            rows = [await self._store.get(Breaker, breaker_key(scope, name)) for each in lifted if each.breaker]
            closed = tuple(Breaker(scope=row.scope, name=row.name, revision=row.revision) for row in rows if row)
            if await self.swap(after, "resumed", {"scope": scope, "name": lifted[0].name}, by, *closed):
                return after.saved()

    async def brakes(self) -> list[Brake]:
        """Every brake that holds now, in the words that lift it."""
        control, now = (await self._orders.refresh()).control, self._clock.now()
        return [await self.brake(stop) for stop in holding(control, now)]

    async def brake(self, stop: Stop) -> Brake:
        """`stop` as a person names it."""
        why, by = await self._orders.words(stop)
        half_open = stop.breaker and stop.until_at is not None and self._clock.now() >= stop.until_at
        return Brake(words=await self._words(stop), stop=stop, why=why, by=by, half_open=half_open)

    async def on(self, task: TaskId, contract: Contract, instance: str, *, refused: bool) -> Brake | None:
        """The brake that refuses such an action of a task, or keeps it from being dispatched; or None."""
        found = await self._store.get(Task, task)
        if found is None:
            return None
        orders, modes = await self._orders.refresh(), REFUSES if refused else HOLDS
        stop = await self._orders.brake(orders, found, contract, self._clock.now(), instance=instance, modes=modes)
        return None if stop is None else await self.brake(stop)

    async def held_back(self, stop: Stop) -> HeldBack:
        """What stands in the scope of `stop` right now."""
        return await self._counting.held_back(stop)

    def made(
        self, scope: StopScope, name: str, *, mode: StopMode, until_at: int | None = None, drill: bool = False
    ) -> Stop:
        """A brake that nobody has pulled yet. A user's name is not in it."""
        salt = self._ids.nonce() if scope == "user" else ""
        return Stop(
            scope=scope,
            name=pseudonym(salt, name) if scope == "user" else name,
            mode=mode,
            salt=salt,
            words=BrakeId(self._ids.new()),
            since_at=self._clock.now(),
            until_at=until_at,
            drill=drill,
        )

    async def swap(self, after: Control, phase: Phase, body: dict[str, JsonValue], by: str, *beside: Record) -> bool:
        """Save the standing orders, with the fact that says so and the records `beside`; False if they changed meanwhile."""
        fact = control_fact(after, phase, body, by, self._clock.now())
        try:
            await save(self._store, Change(puts=(after, *beside), facts=(fact,)))
        except Conflict:
            return False
        await self._orders.refresh()
        return True

    async def must_exist(self, scope: StopScope, name: str) -> None:
        """Raises NotFound where a brake on that scope could hold nothing, ContractError for what is in the form of no instance's
        name. See `stop`."""
        must_be_named(scope, name)
        known: set[str] = set()
        match scope:
            case "all":
                known = {""}
            case "tenant":
                known = {self._tenant}
            case "agent":
                known = {agent.name for agent in await self._store.all(Agent, limit=ALL)}
            case "tag":
                known = {tag for agent in await self._store.all(Agent, limit=ALL) for tag in agent.tags}
            case "contract":
                known = {contract.name for contract in await self._store.all(Contract, limit=ALL)}
            case "release":
                known = {name} if await self._store.get(Release, name) is not None else set()
            case "task":
                known = {name} if await self._store.get(Task, name) is not None else set()
            case "target":
                known = {target_of(contract) for contract in await self._store.all(Contract, limit=ALL)}
            case "instance" | "user":
                known = {name} if name else set()
            case _:
                assert_never(scope)
        if name not in known:
            raise NotFound(
                f"there is no {scope} `{name}`",
                next_step=instead(name, known - {""}, "bring one into force: `interlock apply`"),
            )

    # -- parts -------------------------------------------------------------------------------------------------

    async def _words(self, stop: Stop) -> str:
        if stop.scope == "release":
            release = await self._store.get(Release, stop.name)
            return f"release:{release.label if release is not None else stop.name}"
        if stop.scope == "user":
            found = await self._store.get(BrakeWords, stop.words)
            # Once the person is erased only who knows the name can lift it.
            return f"user:{(found.who.removeprefix('user:') if found is not None else '') or '(erased)'}"
        return f"{stop.scope}:{stop.name}" if stop.name else stop.scope

    async def _not_stopped(self, scope: StopScope, name: str) -> NotFound:
        words = name if scope == "user" else await self._words(Stop(scope=scope, name=name, since_at=0))
        others = [brake.words for brake in await self.brakes()]
        return NotFound(
            f"`{words}` is not stopped",
            next_step=f"what is stopped: {listed(others)}" if others else "nothing is stopped",
        )


def told(stop: Stop) -> dict[str, JsonValue]:
    """What an entry says of a brake in the open: of a user a pseudonym that cannot be guessed back."""
    mode: dict[str, JsonValue] = {} if stop.mode == "stop" else {"mode": stop.mode}
    return {"scope": stop.scope, "name": stop.name, **mode}
