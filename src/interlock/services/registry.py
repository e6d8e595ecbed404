"""What is in force: agents, contracts, policies, people, brakes. Every change of it is a fact in the log."""

from typing import assert_never

import msgspec

from interlock.domain.agent import Agent
from interlock.domain.budget import Budget, budget_key
from interlock.domain.bundle import Bundle
from interlock.domain.canonical import JsonValue
from interlock.domain.change import Change
from interlock.domain.contract import Contract, checked
from interlock.domain.control import Control, Standing, Stop, StopScope
from interlock.domain.errors import Conflict, NotFound, WorkspaceError
from interlock.domain.evidence import Phase
from interlock.domain.ids import Person
from interlock.domain.record import Record
from interlock.domain.recording import control_fact
from interlock.domain.release import Release, release_of
from interlock.ports.clock import Clock
from interlock.ports.policies import Policies
from interlock.ports.store import R, Store
from interlock.services.orders import StandingOrders
from interlock.services.saving import save

ALL = 1_000_000


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """A whole workspace as values: what shall be in force."""

    agents: tuple[Agent, ...]
    contracts: tuple[Contract, ...]
    policies: dict[str, str]
    people: dict[Person, tuple[str, ...]]
    budgets: dict[str, int] = {}
    """The tenant's limits by unit."""


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """What an apply brought into force."""

    bundle: str
    releases: dict[str, str]
    """Label by agent."""
    changed: bool
    """False when exactly this was in force already: nothing was written."""


class Registry:
    """Brings definitions into force, whole or not at all."""

    def __init__(self, *, store: Store, orders: StandingOrders, policies: Policies, clock: Clock) -> None:
        self._store = store
        self._orders = orders
        self._policies = policies
        self._clock = clock

    async def apply(self, definition: Definition, *, by: str) -> Applied:
        """Validate and store every version by its digest, form the releases, and swap the control record.

        Raises PolicyError, ContractError or WorkspaceError, after which everything in force is as it was.
        """
        contracts = {contract.name: checked(contract) for contract in definition.contracts}
        if len(contracts) != len(definition.contracts):
            raise WorkspaceError("two contracts have the same name")
        bundle = self._policies.bundle(definition.policies, definition.contracts)
        self._policies.load(bundle)
        releases = {agent.name: release_of(agent, contracts, bundle.digest) for agent in definition.agents}
        labels = {str(name): release.label for name, release in releases.items()}
        while True:
            control = (await self._orders.refresh()).control
            limits, budgets = await self._budgets(definition)
            after = msgspec.structs.replace(
                control,
                bundle=bundle.digest,
                contracts={name: contract.digest for name, contract in contracts.items()},
                agents={
                    agent.name: Standing(agent=agent.digest, release=releases[agent.name].digest)
                    for agent in definition.agents
                },
                people=definition.people,
                budgets=budgets,
            )
            if after == control and not limits:
                return Applied(bundle=bundle.digest, releases=labels, changed=False)
            fresh = await self._fresh(definition.agents, tuple(contracts.values()), tuple(releases.values()), bundle)
            fact = control_fact(after, "applied", {"releases": dict[str, JsonValue](labels)}, by, self._clock.now())
            try:
                await save(self._store, Change(puts=(after, *fresh, *limits), facts=(fact,)))
            except Conflict:
                continue
            await self._orders.refresh()
            return Applied(bundle=bundle.digest, releases=labels, changed=True)

    async def stop(
        self, scope: StopScope, name: str = "", *, by: str, why: str, until_at: int | None = None
    ) -> Control:
        """Pull a brake. From the moment this returns nothing in its scope is dispatched by any process, but for undos.

        Raises NotFound when there never was such an agent, release (by its whole digest) or contract: a brake that holds
        nothing would look like one that holds.
        """
        await self._must_exist(scope, name)
        while True:
            control = (await self._orders.refresh()).control
            stop = Stop(scope=scope, name=name, why=why, by=by, since_at=self._clock.now(), until_at=until_at)
            after = msgspec.structs.replace(control, stops=(*control.stops, stop))
            if await self._swap(after, "stopped", {"scope": scope, "name": name}, by):
                return after.saved()

    async def resume(self, scope: StopScope, name: str = "", *, by: str) -> Control:
        """Lift every brake on exactly that scope. Lifting what is not there changes nothing."""
        while True:
            control = (await self._orders.refresh()).control
            kept = tuple(stop for stop in control.stops if (stop.scope, stop.name) != (scope, name))
            if kept == control.stops:
                return control
            after = msgspec.structs.replace(control, stops=kept)
            if await self._swap(after, "resumed", {"scope": scope, "name": name}, by):
                return after.saved()

    async def _must_exist(self, scope: StopScope, name: str) -> None:
        match scope:
            case "all":
                found = not name
            case "agent":
                found = any(agent.name == name for agent in await self._store.all(Agent, limit=ALL))
            case "contract":
                found = any(contract.name == name for contract in await self._store.all(Contract, limit=ALL))
            case "release":
                found = await self._store.get(Release, name) is not None
            case _:
                assert_never(scope)
        if not found:
            raise NotFound(f"there is no {scope} `{name}` to stop")

    # -- parts -------------------------------------------------------------------------------------------------

    async def _swap(self, after: Control, phase: Phase, body: dict[str, JsonValue], by: str) -> bool:
        try:
            await save(
                self._store, Change(puts=(after,), facts=(control_fact(after, phase, body, by, self._clock.now()),))
            )
        except Conflict:
            return False
        await self._orders.refresh()
        return True

    async def _fresh(
        self, agents: tuple[Agent, ...], contracts: tuple[Contract, ...], releases: tuple[Release, ...], bundle: Bundle
    ) -> tuple[Record, ...]:
        """Those of the versions that are not stored yet. A stored version never changes, so it is not written twice."""
        return (
            *await self._unknown(Agent, agents),
            *await self._unknown(Contract, contracts),
            *await self._unknown(Release, releases),
            *await self._unknown(Bundle, (bundle,)),
        )

    async def _unknown(self, kind: type[R], versions: tuple[R, ...]) -> list[R]:
        return [each for each in versions if await self._store.get(kind, each.key) is None]

    async def _budgets(self, definition: Definition) -> tuple[list[Budget], tuple[str, ...]]:
        """Budgets whose limit must be written, and the keys of all that apply."""
        wanted = {("tenant", unit): limit for unit, limit in definition.budgets.items()}
        for agent in definition.agents:
            wanted |= {(f"agent:{agent.name}", unit): limit for unit, limit in agent.budgets.items()}
        changed: list[Budget] = []
        for (scope, unit), limit in wanted.items():
            known = await self._store.get(Budget, budget_key(scope, unit))
            if known is None:
                changed.append(Budget(scope=scope, unit=unit, limit=limit))
            elif known.limit != limit:
                changed.append(msgspec.structs.replace(known, limit=limit))
        return changed, tuple(budget_key(scope, unit) for scope, unit in wanted)
