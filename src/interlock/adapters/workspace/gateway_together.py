"""What the workspace says of those who reach it through the gateway, held against the agents, contracts and models there are."""

from collections.abc import Iterator, Mapping, Sequence

from interlock.adapters.workspace.agent_together import Found
from interlock.adapters.workspace.fields import near
from interlock.domain.access_token import Resource
from interlock.domain.agent import Agent
from interlock.domain.contract import Contract, McpTarget, NoReversal
from interlock.domain.model_route import Models
from interlock.domain.names import listed
from interlock.domain.upstream_contract import UNSAID


def of_clients(resource: Resource, agents: Sequence[Agent]) -> Iterator[Found]:
    """Clients whose tokens let them in as an agent that is none: they would be refused, each time, at the door."""
    there = tuple(each.name for each in agents)
    for issuer in resource.issuers:
        for client in issuer.clients:
            if client.agent not in there:
                said = f"the client `{client.name}` is let in as `{client.agent}`, which is no agent{near(client.agent, there)}"
                yield Found(said, ("client", issuer.issuer, client.name), "warning")


def of_models(models: Models, agents: Sequence[Agent]) -> Iterator[Found]:
    """Routes to models that no agent may run on, and agents that may run on none that there is a route to. An agent that names no
    models may run on all."""
    if not models.routes:
        return
    named = {name for agent in agents for name in agent.models}
    anything = not agents or any(not agent.models for agent in agents)
    for route in models.routes.values():
        for place, leg in enumerate(route.legs):
            if not anything and leg.name not in named:
                hint = near(leg.name, tuple(named)) if place == 0 else ""
                what = f"the route `{route.name}`" if place == 0 else f"what stands behind the route `{route.name}`"
                said = f"no agent may run on `{leg.name}`, as {what} counts{hint}"
                yield Found(said, ("route", route.name), "warning")
    counted = {leg.name for route in models.routes.values() for leg in route.legs[:1]}
    for agent in agents:
        if agent.models and not counted.intersection(agent.models):
            said = f"`{agent.name}` may run on {listed(sorted(agent.models))}, and no route leads there"
            yield Found(said, ("agent", agent.name, "runtime", "models"), "warning")


def of_servers(contracts: Mapping[str, Contract], agents: Sequence[Agent]) -> Iterator[Found]:
    """Tools of servers that an agent may use and of which nobody said what they do: one line a server."""
    silent: dict[str, list[str]] = {}
    for name in dict.fromkeys(name for agent in agents for name in agent.capabilities):
        contract = contracts.get(name)
        if contract is not None and isinstance(contract.target, McpTarget) and _unspoken(contract):
            silent.setdefault(contract.target.server, []).append(name)
    for server, names in silent.items():
        said = f"nobody said what {listed(sorted(names))} may do, so it counts as external, critical and never undone"
        yield Found(f"of `{server}` {said}", ("contract", names[0]), "warning")


def _unspoken(contract: Contract) -> bool:
    careful = contract.effect == "external" and contract.risk == "critical"
    return careful and contract.reversal == NoReversal(why=UNSAID)
