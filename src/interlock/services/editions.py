"""Definitions and what becomes of them: an edition to be put in force, and the versions it names."""

from collections.abc import Mapping
from typing import TypeVar

import msgspec

from interlock.domain.agent import Agent
from interlock.domain.baseline import Baseline
from interlock.domain.budget import Budget, budget_key, read
from interlock.domain.bundle import Bundle
from interlock.domain.contract import Contract, checked
from interlock.domain.control import Control, Standing
from interlock.domain.edition import Edition, in_force
from interlock.domain.errors import WorkspaceError
from interlock.domain.ids import AgentName, ContractName, Digest, Person
from interlock.domain.names import listed
from interlock.domain.ownership import Side
from interlock.domain.policy import Engine
from interlock.domain.publication import Kind
from interlock.domain.publishing import Publishing
from interlock.domain.rate import Rate
from interlock.domain.record import Record
from interlock.domain.release import Release, release_of
from interlock.domain.rights import Lending, Rights
from interlock.domain.routing import Routing
from interlock.ports.policies import Policies
from interlock.ports.store import Store
from interlock.services.orders import StandingOrders

R = TypeVar("R", bound=Record)


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """A whole workspace as values: what shall be in force."""

    agents: tuple[Agent, ...]
    contracts: tuple[Contract, ...]
    policies: dict[str, str]
    people: dict[Person, tuple[str, ...]]
    rights: Rights | None = None
    """What initiators may lend; None: nothing is said of that."""
    budgets: dict[str, int] = {}
    """The tenant's limits by unit (`EUR`, `EUR per day`)."""
    soft: dict[str, int] = {}
    """Of some of them: the share of the limit, per mille, from which on it is noticed."""
    rates: dict[str, Rate] = {}
    """How often may be called, by `tenant` or `tag:web`."""
    publishing: Publishing = Publishing()
    routing: Routing = Routing()
    engine: Engine = "compiled"


class Formed(msgspec.Struct, frozen=True, kw_only=True):
    """A definition that was found to be sound: as an edition, with every version the edition names."""

    edition: Edition
    bundle: Bundle
    agents: tuple[Agent, ...]
    contracts: dict[ContractName, Contract]
    releases: tuple[Release, ...]
    rights: Rights | None = None


class Editions:
    """Forms editions, and reads those that are stored."""

    def __init__(self, store: Store, orders: StandingOrders, policies: Policies) -> None:
        self._store = store
        self._orders = orders
        self._policies = policies

    def formed(self, definition: Definition) -> Formed:
        """Hold everything against the rules. Raises PolicyError, ContractError or WorkspaceError."""
        contracts = {contract.name: checked(contract) for contract in definition.contracts}
        if len(contracts) != len(definition.contracts):
            raise WorkspaceError("two contracts have the same name")
        problem = definition.publishing.problem(definition.people)
        if problem:
            raise WorkspaceError(problem, next_step="change `publishing` in interlock.yaml, or people.yaml")
        _lent_alike(definition)
        bundle = self._policies.bundle(definition.policies, definition.contracts)
        self._policies.load(bundle, definition.engine)
        releases = {agent.name: release_of(agent, contracts, bundle.digest) for agent in definition.agents}
        soft = {"tenant": definition.soft} | {f"agent:{each.name}": each.soft for each in definition.agents}
        limits = {"tenant": definition.budgets} | {f"agent:{each.name}": each.budgets for each in definition.agents}
        edition = Edition(
            bundle=bundle.digest,
            contracts={name: contract.digest for name, contract in contracts.items()},
            agents={
                agent.name: Standing(agent=agent.digest, release=releases[agent.name].digest)
                for agent in definition.agents
            },
            people=definition.people,
            rights=Digest("") if definition.rights is None else definition.rights.digest,
            limits={scope: units for scope, units in limits.items() if units},
            soft={scope: units for scope, units in soft.items() if units},
            rates=definition.rates,
            publishing=definition.publishing,
            routing=definition.routing,
            engine=definition.engine,
        )
        return Formed(
            edition=edition,
            bundle=bundle,
            agents=definition.agents,
            contracts=contracts,
            releases=tuple(releases.values()),
            rights=definition.rights,
        )

    async def in_force(self, control: Control) -> Edition:
        """The edition that `control` stands for."""
        found = [await self._store.get(Budget, key) for key in control.budgets]
        return in_force(control, [each for each in found if each is not None])

    async def fresh(self, formed: Formed) -> tuple[Record, ...]:
        """Those of the versions that are not stored yet. A stored version never changes, so it is not written twice."""
        return (
            *await self._unknown(Agent, formed.agents),
            *await self._unknown(Contract, tuple(formed.contracts.values())),
            *await self._unknown(Release, formed.releases),
            *await self._unknown(Bundle, (formed.bundle,)),
            *await self._unknown(Rights, () if formed.rights is None else (formed.rights,)),
        )

    async def limits(self, edition: Edition) -> list[Budget]:
        """The budgets that must be written for the limits of `edition` to hold."""
        changed: list[Budget] = []
        for scope, units in edition.limits.items():
            for name, limit in units.items():
                soft = edition.soft.get(scope, {}).get(name, 0)
                known = await self._store.get(Budget, budget_key(scope, name))
                if known is None:
                    unit, per = read(name)
                    changed.append(Budget(scope=scope, unit=unit, per=per, limit=limit, soft=soft))
                elif (known.limit, known.soft) != (limit, soft):
                    changed.append(msgspec.structs.replace(known, limit=limit, soft=soft, noticed=False))
        return changed

    async def labels(self, edition: Edition) -> dict[str, str]:
        """The label of each agent's release."""
        found = {name: await self._orders.release(each.release) for name, each in edition.agents.items()}
        return {str(name): release.label for name, release in found.items()}

    async def bundle(self, digest: Digest) -> Bundle:
        """A stored bundle; the empty digest is the bundle without any policy. Raises NotFound, IntegrityError."""
        return await self._orders.stored(Bundle, digest) if digest else Bundle(sources={}, schema="")

    async def side(self, edition: Edition) -> Side:
        """A stored edition, ready to be held against another."""
        return Side(
            agents={name: await self._orders.agent(each.agent) for name, each in edition.agents.items()},
            contracts={name: await self._orders.contract(each) for name, each in edition.contracts.items()},
            policies=self._policies.worded(await self.bundle(edition.bundle)) if edition.bundle else {},
            people=edition.people,
            publishing=edition.publishing,
            limits=edition.limits,
            rights=await self._orders.stored(Rights, edition.rights) if edition.rights else None,
            baselines=await self.baselines(edition.baselines),
        )

    async def baselines(self, named: Mapping[AgentName, Digest]) -> dict[AgentName, Baseline]:
        """The stored baselines of these digests. Raises NotFound, IntegrityError."""
        return {name: await self._orders.stored(Baseline, each) for name, each in named.items()}

    def side_of(self, formed: Formed) -> Side:
        """The same of one that is not stored yet."""
        return Side(
            agents={agent.name: agent for agent in formed.agents},
            contracts=formed.contracts,
            policies=self._policies.worded(formed.bundle),
            people=formed.edition.people,
            publishing=formed.edition.publishing,
            limits=formed.edition.limits,
            rights=formed.rights,
        )

    async def _unknown(self, kind: type[R], versions: tuple[R, ...]) -> list[R]:
        return [each for each in versions if await self._store.get(kind, each.key) is None]


def _lent_alike(definition: Definition) -> None:
    """Return if what each person's roles may lend can be told. Raises WorkspaceError."""
    lending = Lending(definition.rights or Rights(), definition.people)
    for person in sorted(definition.people):
        unsaid = lending.unsaid(person)
        if unsaid:
            raise WorkspaceError(
                f"the roles of `{person}` may each lend {listed(unsaid)} with something else, which cannot be said as one",
                next_step=f"say in rights.yaml what `user:{person}` may lend",
            )


def texts_of(edition: Edition, side: Side) -> dict[tuple[Kind, str], str]:
    """Everything in `edition` as text, to be compared line by line."""
    found: dict[tuple[Kind, str], str] = {}
    for name, policy in side.policies.items():
        found["policy", name] = policy.text
    for contract in side.contracts.values():
        found["contract", contract.name] = _pretty(contract)
    for agent in side.agents.values():
        found["agent", agent.name] = _pretty(agent)
    for person, roles in edition.people.items():
        found["person", person] = ", ".join(sorted(roles))
    for who, grant in side.rights.all() if side.rights is not None else ():
        found["rights", who] = "\n".join(grant.words()) or "nothing"
    for scope, units in edition.limits.items():
        for unit, limit in units.items():
            soft = edition.soft.get(scope, {}).get(unit, 0)
            found["budget", budget_key(scope, unit)] = f"{limit}, noticed from {soft} per mille" if soft else str(limit)
    for scope, rate in edition.rates.items():
        found["rate", scope] = rate.words
    for name, baseline in side.baselines.items():
        found["baseline", name] = _pretty(baseline)
    found["routing", "approvals"] = _pretty(edition.routing)
    found["publishing", "rule"] = _pretty(edition.publishing)
    found["engine", "policies"] = edition.engine
    return found


def _pretty(value: msgspec.Struct) -> str:
    plain = msgspec.to_builtins(value)
    plain.pop("revision", None)
    return msgspec.json.format(msgspec.json.encode(plain, order="sorted")).decode()
