"""What is written for somebody who begins: a workspace, and policies with their tests."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from interlock.adapters.cedar.formatting import formatted
from interlock.adapters.keys import KeyFolder
from interlock.adapters.workspace import (
    SETTINGS,
    Problems,
    Workspace,
    complete,
    read_cases,
    read_workspace,
    sound,
    write_workspace,
)
from interlock.adapters.workspace.starters import (
    Names,
    Starter,
    agent_of,
    policies_of,
    samples_of,
    starter_called,
    write_new,
)
from interlock.adapters.workspace.starters.matrix import matrix_files
from interlock.bootstrap.checking import tried
from interlock.bootstrap.site import settled
from interlock.domain.contract import Contract
from interlock.domain.errors import KeyFileError, PolicyError, WorkspaceError
from interlock.domain.names import instead, listed
from interlock.domain.oversight import REVIEWER
from interlock.sdk.tool import tools_in


def initialise(folder: Path, name: str) -> list[str]:
    """Write a small workspace and the keys of its log; where there is a workspace already, only the keys it lacks.

    Overwrites nothing. Gives the paths made. Raises WorkspaceError, and KeyFileError where a log is there but its keys
    are not: it cannot go on with others.
    """
    made = [] if (folder / SETTINGS).exists() else [str(path) for path in write_workspace(folder, name)]
    settings = read_workspace(folder).settings
    keys = KeyFolder(settings.keys)
    lacking = keys.lacking()
    if lacking and settings.store.exists():
        raise KeyFileError(f"the log in `{settings.store}` began with keys of which {listed(lacking)} is missing")
    if lacking:
        raise KeyFileError(
            f"of the keys in `{keys.path}`, {listed(lacking)} is missing",
            next_step="restore the backup of the keys; if no log ever began with them, remove the folder and try again",
        )
    if keys.path.exists() and not made:
        raise WorkspaceError(f"`{folder}` is complete: there is nothing to make", next_step="run `interlock check`")
    if settings.store.exists():
        raise KeyFileError(f"`{settings.store}` began with keys that are not in `{settings.keys}`")
    if not keys.path.exists():
        keys.create(f"{settings.tenant}.interlock/log")
        made.append(str(keys.path.relative_to(folder) if keys.path.is_relative_to(folder) else keys.path))
    return made


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """What was written to begin with."""

    files: list[str]
    agent: str
    contract: str = ""
    """Which one the policies are about; empty for all."""
    todo: list[str] = []
    """What is left to a person."""


def begin_policies(folder: Path, name: str, *, agent: str = "", contracts: Mapping[str, str] | None = None) -> Begun:
    """Write the policies `name` to begin with, and their tests, about a contract of the workspace that they fit; where
    there is none, about a sample that is written as well. `contracts` says by role which one is meant. Overwrites nothing.

    Raises WorkspaceError, also where the one that is meant does not fit, with what it lacks.
    """
    starter = starter_called(name)
    meant = dict(contracts or {})
    wanted = meant.pop(starter.role, "")
    if meant:
        raise WorkspaceError(
            f"`{next(iter(meant))}` is no contract of this starter", next_step=f"write `--contract {starter.role}=NAME`"
        )
    workspace = settled(folder)
    _known(workspace, agent, makes=not workspace.agents)
    whole = complete(workspace, tools_in)
    sound(whole.problems)
    known = {str(each.name): each for each in whole.contracts}
    if wanted and wanted not in known:
        raise WorkspaceError(f"there is no contract `{wanted}`", next_step=f"there are {', '.join(sorted(known))}")
    acting = sorted(name for name, each in known.items() if each.acts and name != starter.contract)
    first = [starter.contract] if starter.contract in known else []
    why = ""
    for candidate in [wanted] if wanted else [*first, *acting]:
        names = _names(workspace, starter, candidate, agent, known[candidate].owner)
        misfit = _misfit(workspace, whole.contracts, starter, names)
        if not misfit:
            return _written(workspace, policies_of(starter, names), names)
        why = misfit if candidate in (wanted, starter.contract) else why
    if wanted or any(each in known for each in (starter.contract, *starter.also)):
        raise WorkspaceError(
            f"`{wanted or starter.contract}` does not fit these policies: {why or 'a sample of theirs has its name'}",
            next_step=f"give it what it lacks, or name another: `--contract {starter.role}=NAME`",
        )
    names = _names(workspace, starter, starter.contract, agent, starter.owner)
    return _written(workspace, {**samples_of(starter), **policies_of(starter, names)}, names)


def begin_matrix(folder: Path, *, confidence: int, agent: str = "") -> Begun:
    """Write the oversight matrix as policies, with a test for each of its cells. Overwrites nothing. Raises WorkspaceError."""
    workspace = settled(folder)
    _known(workspace, agent, makes=False)
    agents = [str(each.name) for each in workspace.agents]
    files = matrix_files(
        confidence=confidence,
        agent=agent,
        agents=agents[0] if agents else "anybody",
        approver=_approver(workspace),
        owner="oversight",
    )
    return Begun(files=write_new(folder, _in_form(files)), agent=agent)


def _known(workspace: Workspace, agent: str, *, makes: bool) -> None:
    """Raises WorkspaceError for an `agent` that is named and is none of the workspace's, unless one is to be made."""
    there = [str(each.name) for each in workspace.agents]
    if agent and agent not in there and not makes:
        raise WorkspaceError(f"there is no agent `{agent}`", next_step=instead(agent, there, "write agents/NAME.yaml"))


def _names(workspace: Workspace, starter: Starter, contract: str, agent: str, owner: str) -> Names:
    """What stands in the places of a starter: an agent that may use the contract, where there is one."""
    able = [str(each.name) for each in workspace.agents if contract in each.capabilities]
    return Names(
        agent=agent or (able[0] if able else starter.agent),
        contract=contract,
        approver=_approver(workspace),
        owner=owner or starter.owner,
    )


def _approver(workspace: Workspace) -> str:
    """A role that somebody holds."""
    roles = sorted({role for held in workspace.people.values() for role in held})
    return REVIEWER if REVIEWER in roles or not roles else roles[0]


def _misfit(workspace: Workspace, contracts: Sequence[Contract], starter: Starter, names: Names) -> str:
    """Why the starter's policies would not hold for the contract that `names` names, or nothing: its tests are tried."""
    policies, tests = policies_of(starter, names).values()
    agents = sorted({*(str(each.name) for each in workspace.agents), names.agent})
    problems = Problems(starter.name)
    cases = read_cases(tests.encode(), problems, {each.name: each for each in contracts}, agents)
    if problems.found:
        return problems.found[0].message
    try:
        sources = {**workspace.policies, f"{starter.name}.cedar": policies}
        failed = tried(cases, workspace, sources, contracts, agents).failed
    except PolicyError as error:
        return error.problems[0]
    return "; ".join(failed[0].differences) if failed else ""


def _written(workspace: Workspace, files: dict[str, str], names: Names) -> Begun:
    """The files of a starter, and those of an agent that may use the contract where there is none."""
    there = [each for each in workspace.agents if each.name == names.agent]
    todo: list[str] = []
    if not there:
        files = {**agent_of(names), **files}
        todo.append(f"say in agents/{names.agent}.yaml what the agent is for, and who answers for it")
    elif names.contract not in there[0].capabilities:
        todo.append(f"add `{names.contract}` to the capabilities in agents/{names.agent}.yaml")
    if f"contracts/{names.contract}.yaml" in files:
        todo.append(f"put your own tool in the place of the sample contracts/{names.contract}.yaml")
    made = write_new(workspace.folder, _in_form(files))
    return Begun(files=made, agent=names.agent, contract=names.contract, todo=todo)


def _in_form(files: Mapping[str, str]) -> dict[str, str]:
    """The policies among `files` in Cedar's own form, which depends on how long the names in them are."""
    return {path: (formatted(path, text) or text) if path.endswith(".cedar") else text for path, text in files.items()}
