"""What an agent's file says, held against the contracts and the people there are, and against itself."""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from interlock.adapters.workspace.fields import near
from interlock.adapters.workspace.problem import Severity
from interlock.domain.agent import Agent
from interlock.domain.answering import absent
from interlock.domain.contract import Contract
from interlock.domain.ids import Person

People = Mapping[Person, tuple[str, ...]]


class Found(NamedTuple):
    """Something that does not fit, and the field of the agent's file it stands in."""

    message: str
    where: tuple[str, ...]
    severity: Severity = "error"


def of_agent(
    agent: Agent, contracts: Mapping[str, Contract], people: People, missing: Callable[[str], bool]
) -> Iterator[Found]:
    """Everything that does not fit. `missing` says of a contract whether there certainly is none."""
    for name in agent.capabilities:
        if missing(name):
            yield Found(f"there is no contract `{name}`{near(name, tuple(contracts))}", ("capabilities", name))
    for field, names in (("stages", agent.stages), ("approvals", agent.approvals.required)):
        for name in names:
            if name not in agent.capabilities:
                said = f"`{name}` is none of the agent's capabilities{near(name, agent.capabilities)}"
                yield Found(said, (field, name) if field == "stages" else (field, "required"))
    yield from _owned(agent, people)
    yield from _asked(agent, people)
    yield from _accessed(agent, contracts)
    model, models = agent.behaviour.model, agent.models
    if model and models and model not in models:
        said = f"`{agent.name}` runs on `{model}`, which is none of its models{near(model, models)}"
        yield Found(said, ("behaviour", "model"), "warning")


def _owned(agent: Agent, people: People) -> Iterator[Found]:
    missing = agent.owners.missing()
    beyond = ["stage"] if agent.stage != "shadow" else []
    beyond += [f"stages.{name}" for name, stage in agent.stages.items() if stage != "shadow"]
    if missing and beyond:
        who = " and ".join(filter(None, (", ".join(missing[:-1]), missing[-1])))
        said = f"`{agent.name}` cannot leave shadow ({', '.join(beyond)}) without an owner for {who}"
        yield Found(said, ("owners",))
    known = (*people, *sorted({role for roles in people.values() for role in roles}))
    for office, owner in absent(agent.owners, people).items():
        said = f"`{owner}`, {office} owner of `{agent.name}`, is nobody in people.yaml{near(owner, known)}"
        yield Found(f"{said}; until somebody is, it is raised no stage", ("owners", office), "warning")


def _asked(agent: Agent, people: People) -> Iterator[Found]:
    held = {role for roles in people.values() for role in roles}
    for name, role in agent.approvals.required.items():
        if role not in held:
            said = f"`{name}` takes the word of `{role}`, a role that nobody holds{near(role, tuple(held))}"
            yield Found(said, ("approvals", "required"), "warning")


def _accessed(agent: Agent, contracts: Mapping[str, Contract]) -> Iterator[Found]:
    """Where the file says which records it accesses, its contracts are held to that."""
    if not agent.data:
        return
    kinds = tuple(dict.fromkeys(each.kind for each in agent.data))
    written = {each.kind for each in agent.data if each.access == "write"}
    for name in agent.capabilities:
        contract = contracts.get(name)
        for kind in contract.touches if contract is not None else ():
            if kind not in kinds:
                said = f"`{name}` touches records of the kind `{kind}`, which `data` does not list{near(kind, kinds)}"
                yield Found(said, ("data",))
            elif contract is not None and contract.acts and kind not in written:
                yield Found(f"`{name}` writes records of the kind `{kind}`, which `data` lists as read", ("data",))
