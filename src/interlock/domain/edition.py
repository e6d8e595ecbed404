"""An edition: a whole definition by its digests. What is in force is one, what somebody proposes is another.

Brakes, alarms and whether an agent is suspended or retired are no part of it: they come and go, and what people agreed
to stays what it was.
"""

from collections.abc import Iterable, Mapping
from typing import TypeVar

import msgspec

from interlock.domain.agent_state import AgentState
from interlock.domain.budget import Budget, budget_key
from interlock.domain.canonical import JsonValue, digest
from interlock.domain.control import Control, Standing
from interlock.domain.ids import AgentName, ContractName, Digest, Person
from interlock.domain.policy import Engine
from interlock.domain.publishing import Publishing
from interlock.domain.rate import Rate
from interlock.domain.record import plain
from interlock.domain.routing import Routing

Name = TypeVar("Name", bound=str)


class Edition(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything a workspace brings into force."""

    bundle: Digest = Digest("")
    contracts: dict[ContractName, Digest] = {}
    agents: dict[AgentName, Standing] = {}
    people: dict[Person, tuple[str, ...]] = {}
    rights: Digest = Digest("")
    """What initiators may lend; empty: nothing is said of that."""
    limits: dict[str, dict[str, int]] = {}
    """Budgets: scope, unit (`EUR`, `EUR per day`), limit."""
    soft: dict[str, dict[str, int]] = {}
    """Of some of them: the share of the limit, per mille, from which on it is noticed."""
    rates: dict[str, Rate] = {}
    """How often may be called, by `tenant` or `tag:web`."""
    publishing: Publishing = Publishing()
    routing: Routing = Routing()
    engine: Engine = "compiled"
    baselines: dict[AgentName, Digest] = {}
    """What is normal of an agent. No file says it: it is learned, and stays until another is learned or the agent goes."""

    @property
    def digest(self) -> Digest:
        """SHA-256 over the canonical form of all of it. Names of agents, people and units may not be printable ASCII, so
        tables go in as lists of pairs."""
        parts: list[object] = [
            self.bundle,
            _pairs(self.contracts),
            _pairs(self.agents),
            _pairs({name: sorted(roles) for name, roles in self.people.items()}),
            _pairs({scope: _pairs(units) for scope, units in self.limits.items()}),
            self.publishing,
            self.engine,
        ]
        if self.soft:
            parts.append(_pairs({scope: _pairs(units) for scope, units in self.soft.items()}))
        if self.rights:
            parts.append(["rights", self.rights])
        if self.rates:
            parts.append(["rates", _pairs(self.rates)])
        if self.routing != Routing():
            parts.append(["routing", _routed(self.routing)])
        if self.baselines:
            parts.append({"baselines": _pairs(self.baselines)})
        return Digest(digest(plain(parts)))

    def enacted(self, control: Control) -> Control:
        """`control` with this in force. An alarm outlives it: until a person ends it the library answers. Who is suspended
        or retired stays so, also where the file goes and comes back."""
        alarm = control.alarm
        return msgspec.structs.replace(
            control,
            bundle=self.bundle,
            contracts=self.contracts,
            agents={name: _stands(each, control.state_of(name)) for name, each in self.agents.items()},
            aside=control.left_aside(self.agents),
            people=self.people,
            rights=self.rights,
            budgets=tuple(budget_key(scope, unit) for scope, units in self.limits.items() for unit in units),
            rates=self.rates,
            publishing=self.publishing,
            routing=self.routing,
            engine=self.engine if alarm is None else control.engine,
            alarm=None if alarm is None else msgspec.structs.replace(alarm, instead_of=self.engine),
            baselines=self.baselines,
        )


def in_force(control: Control, budgets: Iterable[Budget]) -> Edition:
    """The edition that is in force; `budgets` are those that `control` names."""
    limits: dict[str, dict[str, int]] = {}
    soft: dict[str, dict[str, int]] = {}
    for each in budgets:
        limits.setdefault(each.scope, {})[each.written] = each.limit
        if each.soft:
            soft.setdefault(each.scope, {})[each.written] = each.soft
    return Edition(
        bundle=control.bundle,
        contracts=control.contracts,
        agents={name: _stands(each, "active") for name, each in control.agents.items()},
        people=control.people,
        rights=control.rights,
        limits=limits,
        soft=soft,
        rates=control.rates,
        publishing=control.publishing,
        routing=control.routing,
        engine=control.engine if control.alarm is None else control.alarm.instead_of,
        baselines=control.baselines,
    )


def relearned(control: Control, edition: Edition) -> dict[str, JsonValue]:
    """What an entry says where `edition` changes what is normal of agents: the digest by agent, empty where nothing is."""
    names = sorted(control.baselines.keys() | edition.baselines.keys())
    found = {name: edition.baselines.get(name, "") for name in names}
    changed: dict[str, JsonValue] = {
        name: each for name, each in found.items() if each != control.baselines.get(name, "")
    }
    return {"baselines": changed} if changed else {}


def _stands(standing: Standing, state: AgentState) -> Standing:
    return standing if standing.state == state else msgspec.structs.replace(standing, state=state)


def _routed(routing: Routing) -> list[object]:
    """Names of people may not be printable ASCII."""
    return [msgspec.structs.replace(routing, on_call={}), _pairs(routing.on_call)]


def _pairs(table: Mapping[Name, object]) -> list[list[object]]:
    return [[name, value] for name, value in sorted(table.items())]
