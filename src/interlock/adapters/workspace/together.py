"""What the files of a workspace, and the contracts of its modules, say of each other."""

from collections.abc import Iterator, Sequence

from interlock.adapters.workspace.agent_together import of_agent
from interlock.adapters.workspace.fields import near
from interlock.adapters.workspace.folder import Workspace
from interlock.adapters.workspace.gateway_together import of_clients, of_models, of_servers
from interlock.adapters.workspace.problem import Problem, Severity
from interlock.adapters.workspace.rights_together import of_rights
from interlock.domain.binding import bind
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Contract, InProcess, McpTarget, Reversal
from interlock.domain.errors import ContractError
from interlock.domain.names import listed


def cross_check(workspace: Workspace, contracts: Sequence[Contract], *, all_known: bool = True) -> tuple[Problem, ...]:
    """What does not fit together. `contracts` are all there are: the workspace's own and those of its modules.

    Unless `all_known`, what is missing among them may only be unread, and is not spoken of.
    """
    return tuple(_Together(workspace, contracts, all_known=all_known).all())


class _Together:
    def __init__(self, workspace: Workspace, contracts: Sequence[Contract], *, all_known: bool) -> None:
        self.workspace = workspace
        self.all_known = all_known
        self.contracts = contracts
        self.by_name: dict[str, Contract] = {contract.name: contract for contract in contracts}
        self.roles = {role for roles in workspace.people.values() for role in roles}

    def all(self) -> Iterator[Problem]:
        """Everything, the rule of publishing first."""
        yield from self.publishing()
        yield from self.rates()
        yield from self.on_call()
        yield from self.vigilance()
        yield from self.channels()
        for agent in self.workspace.agents:
            for found in of_agent(agent, self.by_name, self.workspace.people, self.missing):
                yield self.problem(found.message, "agent", agent.name, *found.where, severity=found.severity)
        if self.workspace.rights is not None:
            for found in of_rights(self.workspace.rights, self.by_name, self.workspace.people, self.missing):
                yield self.problem(found.message, "rights", *found.where, severity=found.severity)
        seen: set[str] = set()
        for contract in self.contracts:
            if contract.name in seen:
                yield self.problem(f"there are two contracts `{contract.name}`", "contract", contract.name)
            seen.add(contract.name)
            if isinstance(contract.reversal, Reversal):
                yield from self.reversal(contract, contract.reversal)
        yield from self.gateway()
        yield from self.unused()
        if self.workspace.agents and self.contracts and not self.workspace.policies:
            said = "there is no policy in `policies/`, so whatever an agent proposes is denied: `interlock policy new`"
            yield Problem(file="policies", message=said, severity="warning")

    def publishing(self) -> Iterator[Problem]:
        """The rule of publishing against the people there are: one that nobody could meet would close the door for good."""
        rule, where = self.workspace.settings.publishing, ("setting", "publishing")
        problem = rule.problem(self.workspace.people)
        if problem:
            yield self.problem(problem, *where)
        for role in rule.roles:
            if role not in self.roles:
                yield self.problem(f"nobody holds `{role}`{near(role, tuple(self.roles))}", *where, severity="warning")

    def rates(self) -> Iterator[Problem]:
        """The cohorts that have a rate against those there are: of a tag that no agent has it would look like one that holds."""
        there = {f"tag:{tag}" for agent in self.workspace.agents for tag in agent.tags}
        for scope in self.workspace.settings.rates:
            if scope.startswith("tag:") and scope not in there:
                said = f"the rate of `{scope}` bounds nobody: no agent has that tag{near(scope, tuple(sorted(there)))}"
                yield self.problem(said, "rate", scope, severity="warning")

    def channels(self) -> Iterator[Problem]:
        """Whose a channel is against who there is: nobody's would be told nothing that asks somebody."""
        for channel in self.workspace.settings.channels:
            if channel.person and channel.person not in self.workspace.people:
                said = (
                    f"`{channel.person}` is nobody in people.yaml{near(channel.person, tuple(self.workspace.people))}"
                )
                yield self.problem(said, "setting", "notifications", severity="warning")

    def on_call(self) -> Iterator[Problem]:
        """Who is on call against who there is: whoever is nobody, or holds another role, could not answer."""
        for role, rota in self.workspace.routing.on_call.items():
            if role not in self.roles:
                said = f"nobody holds `{role}`{near(role, tuple(self.roles))}"
                yield self.problem(said, "on call", role, severity="warning")
            for person in {person: None for shift in rota.shifts for person in shift.people}:
                if role not in self.workspace.people.get(person, ()):
                    hint = near(person, tuple(self.workspace.people))
                    yield self.problem(
                        f"`{person}` is on call as `{role}`, and does not hold that role{hint}", "on call", role
                    )

    def vigilance(self) -> Iterator[Problem]:
        """Items known to be bad against the contracts there are: one that does not fit is never put before anybody."""
        for item in self.workspace.watch.items:
            where, contract = ("vigilance", item.name), self.by_name.get(item.contract)
            if contract is None:
                if self.missing(item.contract):
                    hint = near(item.contract, tuple(self.by_name))
                    yield self.problem(f"`{item.name}`: there is no contract `{item.contract}`{hint}", *where)
                continue
            try:
                bind(contract, item.arguments, nonce="")
            except ContractError as error:
                yield self.problem(f"`{item.name}`: {error.detail}", *where)

    def reversal(self, contract: Contract, reversal: Reversal) -> Iterator[Problem]:
        """One reversal against the contract it would call."""
        where = ("contract", contract.name, "reversal")
        undo = self.by_name.get(reversal.contract)
        if undo is None:
            if self.missing(reversal.contract):
                hint = near(reversal.contract, tuple(self.by_name))
                yield self.problem(
                    f"`{contract.name}` is undone by `{reversal.contract}`, which does not exist{hint}", *where
                )
            return
        said = f"the undo of `{contract.name}` by `{undo.name}`"
        if not undo.acts:
            yield self.problem(f"{said} would only read", *where)
        if isinstance(undo.target, InProcess) and not isinstance(contract.target, InProcess):
            yield self.problem(f"{said} can only run in the process that declared it", *where, severity="warning")
        elif isinstance(undo.target, InProcess) and undo in self.workspace.contracts:
            # A program lends such a tool to a call that it makes itself; an undo is asked for by people.
            mend = "make it a function of a module or an address"
            yield self.problem(f"{said} waits for a program that offers it: {mend}", *where, severity="warning")
        takes, given = _names(undo.input_schema), reversal.arguments.keys()
        for name in sorted(_required(undo.input_schema) - given):
            yield self.problem(f"{said} lacks the argument `{name}`", *where)
        for name in sorted(given - takes):
            yield self.problem(f"{said} gives `{name}`, which it does not take{near(name, tuple(takes))}", *where)
        yield from self.from_result(contract, reversal, said)
        if reversal.approver is not None and reversal.approver not in self.roles:
            yield self.problem(
                f"{said} needs `{reversal.approver}`, a role that nobody holds{near(reversal.approver, tuple(self.roles))}",
                *where,
                severity="warning",
            )

    def from_result(self, contract: Contract, reversal: Reversal, said: str) -> Iterator[Problem]:
        """Arguments taken from the result must be in what the contract promises to return."""
        results = _names(contract.output_schema)
        for text in reversal.arguments.values():
            if not (results and isinstance(text, str) and text.startswith("$result.")):
                continue
            name = text.removeprefix("$result.").split(".")[0]
            if name not in results:
                yield self.problem(
                    f"{said} takes `{text}`, which is not in the result{near(name, tuple(results))}",
                    "contract",
                    contract.name,
                    "reversal",
                )

    def gateway(self) -> Iterator[Problem]:
        """Who comes through the gateway, for which models and tools, against what there is."""
        settings, agents = self.workspace.settings, self.workspace.agents
        for found in (
            *of_clients(settings.resource, agents),
            *of_models(settings.models, agents),
            *of_servers(self.by_name, agents),
        ):
            yield self.problem(found.message, *found.where, severity=found.severity)

    def unused(self) -> Iterator[Problem]:
        """Contracts that no agent may use, and that undo nothing an agent may do."""
        used: set[str] = {name for agent in self.workspace.agents for name in agent.capabilities}
        left = list(used)
        while left:
            contract = self.by_name.get(left.pop())
            if (
                contract is not None
                and isinstance(contract.reversal, Reversal)
                and contract.reversal.contract not in used
            ):
                used.add(contract.reversal.contract)
                left.append(contract.reversal.contract)
        servers: dict[str, list[str]] = {}
        for name, contract in self.by_name.items():
            if name in used:
                continue
            if isinstance(contract.target, McpTarget):
                servers.setdefault(contract.target.server, []).append(name)
                continue
            yield self.problem(f"no agent may use `{name}`", "contract", name, severity="warning")
        # A server brings tools by the dozen: one line for all that nobody gave to an agent.
        for server, names in servers.items():
            said = f"of `{server}` no agent may use {listed(sorted(names))}"
            yield self.problem(said, "contract", names[0], severity="warning")

    def missing(self, name: str) -> bool:
        """Whether there is certainly no contract `name`."""
        return self.all_known and name not in self.by_name and name not in self.workspace.unread

    def problem(self, message: str, *where: str, severity: Severity = "error") -> Problem:
        """A problem at the place that comes closest to `where`. Contracts of modules have none in the workspace."""
        for count in range(len(where), 1, -1):
            place = self.workspace.places.get(where[:count])
            if place is not None:
                return Problem(
                    file=place.file, line=place.line, column=place.column, message=message, severity=severity
                )
        return Problem(file="", message=message, severity=severity)


def _names(schema: dict[str, JsonValue]) -> frozenset[str]:
    properties = schema.get("properties")
    return frozenset(properties) if isinstance(properties, dict) else frozenset()


def _required(schema: dict[str, JsonValue]) -> frozenset[str]:
    required = schema.get("required")
    return frozenset(str(name) for name in required) if isinstance(required, list) else frozenset()
