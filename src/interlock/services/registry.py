"""What is in force: agents, contracts, policies, people, brakes. Every change of it is a fact in the log."""

from typing import assert_never

import msgspec

from interlock.domain.agent import Agent
from interlock.domain.brakes import Brake, holding, standing
from interlock.domain.canonical import JsonValue
from interlock.domain.change import Change
from interlock.domain.contract import Contract
from interlock.domain.control import BrakeWords, Control, Stop, StopScope, words_of
from interlock.domain.errors import Conflict, NotAllowed, NotFound
from interlock.domain.evidence import Phase
from interlock.domain.ids import BrakeId
from interlock.domain.names import instead, listed
from interlock.domain.people import must_be_known
from interlock.domain.recording import control_fact
from interlock.domain.release import Release
from interlock.domain.whose import OURS
from interlock.ports.clock import Clock, Ids
from interlock.ports.store import Store
from interlock.services.editions import Definition
from interlock.services.orders import StandingOrders
from interlock.services.publishing import Applied, Publisher
from interlock.services.saving import save

ALL = 1_000_000


class Registry:
    """Puts definitions in force where one person may, and pulls and lifts brakes."""

    def __init__(self, *, store: Store, orders: StandingOrders, publisher: Publisher, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._orders = orders
        self._publisher = publisher
        self._clock = clock
        self._ids = ids

    async def apply(self, definition: Definition, *, by: str) -> Applied:
        """Validate and store every version by its digest, form the releases, and swap the control record.

        Raises PolicyError, ContractError or WorkspaceError, and NotAllowed where the rule in force takes more people than
        one; everything in force is then as it was.
        """
        return await self._publisher.publish(definition, by=by, alone=True)

    async def stop(
        self, scope: StopScope, name: str = "", *, by: str, why: str, until_at: int | None = None
    ) -> Control:
        """Pull a brake. From the moment this returns nothing in its scope is dispatched by any process, but for undos.

        Anybody may, under any name: a brake that asks who is there is pulled too late. A scope that a person stopped already
        stays as it is.

        Raises NotAllowed for a name that only rules of ours have, and NotFound when there never was such an agent, release (by
        its whole digest) or contract: a brake that holds nothing would look like one that holds.
        """
        if by.startswith(OURS):
            raise NotAllowed(f"`{by}`: such names are of rules of the gate", next_step="say who you are: `--as NAME`")
        await self._must_exist(scope, name)
        while True:
            control = (await self._orders.refresh()).control
            already = standing(control, scope, name)
            if already is not None and until_at is None:
                return control
            stop = Stop(
                scope=scope, name=name, words=BrakeId(self._ids.new()), since_at=self._clock.now(), until_at=until_at
            )
            after = msgspec.structs.replace(control, stops=(*control.stops, stop))
            words = words_of(stop, why=why or f"by {by}", by=by)
            if await self._swap(after, "stopped", {"scope": scope, "name": name}, by, words):
                return after.saved()

    async def resume(self, scope: StopScope, name: str = "", *, by: str) -> Control:
        """Lift every brake on exactly that scope.

        Raises NotAllowed for a name that is not among the people of the workspace (where it has any), NotFound where
        nothing of that scope is stopped.
        """
        while True:
            control = (await self._orders.refresh()).control
            must_be_known(by, control)
            kept = tuple(stop for stop in control.stops if (stop.scope, stop.name) != (scope, name))
            if kept == control.stops:
                raise await self._not_stopped(scope, name)
            after = msgspec.structs.replace(control, stops=kept)
            if await self._swap(after, "resumed", {"scope": scope, "name": name}, by):
                return after.saved()

    async def brakes(self) -> list[Brake]:
        """Every brake that holds now, in the words that lift it."""
        control, now = (await self._orders.refresh()).control, self._clock.now()
        found: list[Brake] = []
        for stop in holding(control, now):
            why, by = await self._orders.words(stop)
            found.append(Brake(words=await self._words(stop), stop=stop, why=why, by=by))
        return found

    async def _words(self, stop: Stop) -> str:
        if stop.scope == "release":
            release = await self._store.get(Release, stop.name)
            return f"release:{release.label if release is not None else stop.name}"
        return f"{stop.scope}:{stop.name}" if stop.name else stop.scope

    async def _not_stopped(self, scope: StopScope, name: str) -> NotFound:
        words = await self._words(Stop(scope=scope, name=name, since_at=0))
        others = [brake.words for brake in await self.brakes()]
        return NotFound(
            f"`{words}` is not stopped",
            next_step=f"what is stopped: {listed(others)}" if others else "nothing is stopped",
        )

    async def _must_exist(self, scope: StopScope, name: str) -> None:
        known: set[str] = set()
        match scope:
            case "all":
                known = {""}
            case "agent":
                known = {agent.name for agent in await self._store.all(Agent, limit=ALL)}
            case "contract":
                known = {contract.name for contract in await self._store.all(Contract, limit=ALL)}
            case "release":
                known = {name} if await self._store.get(Release, name) is not None else set()
            case _:
                assert_never(scope)
        if name not in known:
            raise NotFound(
                f"there is no {scope} `{name}` to stop",
                next_step=instead(name, known - {""}, "bring one into force: `interlock apply`"),
            )

    # -- parts -------------------------------------------------------------------------------------------------

    async def _swap(
        self, after: Control, phase: Phase, body: dict[str, JsonValue], by: str, *beside: BrakeWords
    ) -> bool:
        fact = control_fact(after, phase, body, by, self._clock.now())
        try:
            await save(self._store, Change(puts=(after, *beside), facts=(fact,)))
        except Conflict:
            return False
        await self._orders.refresh()
        return True
