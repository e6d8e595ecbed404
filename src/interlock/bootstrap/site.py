"""A workspace as it was read, and what it wants in force."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from interlock.adapters.workspace import (
    SETTINGS,
    Problem,
    Workspace,
    complete,
    read_workspace,
    sound,
)
from interlock.bootstrap.checking import policy_problems, policy_tests, wrong
from interlock.domain.contract import Contract
from interlock.domain.errors import WorkspaceError
from interlock.domain.hosting import NEAR, Hosting
from interlock.sdk.tool import Tool, tools_in
from interlock.services.editions import Definition
from interlock.services.policy_tests import Report


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """A workspace as it was read, with the contracts of its modules, and everything that is wrong with it."""

    workspace: Workspace
    contracts: tuple[Contract, ...]
    problems: tuple[Problem, ...]
    tested: Report | None = None
    """What became of the tests of the policies; None where these, or anything before them, are wrong."""

    def counts(self) -> dict[str, int]:
        """How many there are of each thing."""
        return {
            "agents": len(self.workspace.agents),
            "contracts": len(self.contracts),
            "policy files": len(self.workspace.policies),
            "people": len(self.workspace.people),
        }


def read_site(folder: Path, tools: Sequence[Tool[..., Any]] = ()) -> Site:
    """Read a workspace and import its modules; `tools` are added to those. Raises WorkspaceError if it is none."""
    workspace = read_workspace(folder)
    whole = complete(workspace, tools_in, [each.contract for each in tools])
    problems, tested = whole.problems, None
    if not wrong(problems):
        problems = (*problems, *policy_problems(workspace, whole.contracts))
    if not wrong(problems):
        tested, found = policy_tests(workspace, whole.contracts)
        problems = (*problems, *found)
    return Site(workspace=workspace, contracts=whole.contracts, problems=problems, tested=tested)


def definition(site: Site) -> Definition:
    """What the site wants in force. Raises WorkspaceError with the first thing that is wrong."""
    sound(site.problems)
    return draft(site)


def draft(site: Site) -> Definition:
    """The same, whatever the tests of its policies say: for whoever tries a policy before it has one."""
    if site.tested is None:
        sound(site.problems)
    workspace = site.workspace
    return Definition(
        agents=workspace.agents,
        contracts=site.contracts,
        policies=workspace.policies,
        people=workspace.people,
        rights=workspace.rights,
        budgets=workspace.settings.budgets,
        soft=workspace.settings.soft,
        rates=workspace.settings.rates,
        publishing=workspace.settings.publishing,
        routing=workspace.routing,
        engine=workspace.settings.engine,
    )


def settled(folder: Path) -> Workspace:
    """The workspace, whose own settings must be right: a mistake in its `tenant` or `store` would open another log."""
    workspace = read_workspace(folder)
    sound(tuple(each for each in workspace.problems if each.file == SETTINGS))
    return workspace


def hosting_for(folder: Path, host: str, *, gateway: bool = False) -> Hosting:
    """Where the server, or the gateway, is to be found. Raises WorkspaceError where that would be in the clear."""
    settings = settled(folder).settings
    hosting = settings.gateway if gateway else settings.hosting
    if host not in NEAR and not hosting.secure:
        raise WorkspaceError(
            f"others can reach `{host}`, and nothing says that TLS ends in front of it",
            file="interlock.yaml",
            next_step="put a proxy that ends TLS in front, and say so: `server: {public_url: https://...}` in interlock.yaml"
            + (", or `gateway: {resource: https://.../mcp}`" if gateway else ""),
        )
    return hosting
