"""The files of agents: beginning one, and those that are not in force."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from interlock.adapters.workspace import complete
from interlock.adapters.workspace.agent_starter import starter
from interlock.adapters.workspace.fields import NAME
from interlock.adapters.workspace.starters import write_new
from interlock.bootstrap.site import settled
from interlock.domain.agent import Agent
from interlock.domain.errors import WorkspaceError
from interlock.domain.ids import Person
from interlock.domain.names import listed
from interlock.sdk.tool import tools_in


class Newcomer(msgspec.Struct, frozen=True, kw_only=True):
    """An agent that was begun."""

    agent: str
    file: str
    todo: tuple[str, ...]
    """What it needs before it may act, in that order, a sentence each."""


def begin_agent(folder: Path, name: str) -> Newcomer:
    """Write `agents/NAME.yaml` to begin with, in shadow. Overwrites nothing. Raises WorkspaceError."""
    if not NAME.fullmatch(name):
        raise WorkspaceError(
            f"`{name[:64]}` is no name for an agent", next_step="give it a word of letters, digits, `_` and `-`"
        )
    workspace = settled(folder)
    if any(each.name == name for each in workspace.agents):
        raise WorkspaceError(
            f"there is an agent `{name}` already", next_step=f"look at it: `interlock agent show {name}`"
        )
    contracts = [str(each.name) for each in complete(workspace, tools_in).contracts]
    [path] = write_new(folder, {f"agents/{name}.yaml": starter(name, workspace.people, contracts)})
    return Newcomer(agent=name, file=path, todo=_todo(name, workspace.people, contracts))


def _todo(name: str, people: Mapping[Person, tuple[str, ...]], contracts: Sequence[str]) -> tuple[str, ...]:
    owners = sorted({*people, *(role for roles in people.values() for role in roles)})
    there = f" (there are {listed(owners)})" if owners else ", which names nobody yet"
    usable = f" (there are {listed(sorted(contracts))})" if contracts else ", of which there are none yet"
    return (
        f"say in it what `{name}` is for, and under `capabilities` which contracts it may use{usable}",
        f"name its four owners, people or roles of people.yaml{there}: without all four it stays in shadow",
        f'permit what it may do, in a policy on `principal in Agent::"{name}"`: what no policy permits is denied',
        f"bring it into force, and let it act in shadow: `interlock actions --agent {name}` shows what it would have done",
        "raise its `stage` to assisted, partial or bounded once that looks right",
    )


def drafts(folder: Path) -> tuple[Agent, ...]:
    """The agents that the workspace's files describe, in force or not. A file that cannot be read describes none."""
    return settled(folder).agents


def has_store(folder: Path) -> bool:
    """Whether anything was ever in force."""
    return settled(folder).settings.store.exists()
