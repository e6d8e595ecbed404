"""The files of agents: beginning one, and those that are not in force."""

from pathlib import Path

from interlock.adapters.workspace import complete
from interlock.adapters.workspace.agent_starter import starter
from interlock.adapters.workspace.fields import NAME
from interlock.adapters.workspace.starters import write_new
from interlock.bootstrap.site import settled
from interlock.domain.agent import Agent
from interlock.domain.errors import WorkspaceError
from interlock.sdk.tool import tools_in


def begin_agent(folder: Path, name: str) -> str:
    """Write `agents/NAME.yaml` to begin with, and give its path. Overwrites nothing. Raises WorkspaceError."""
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
    return path


def drafts(folder: Path) -> tuple[Agent, ...]:
    """The agents that the workspace's files describe, in force or not. A file that cannot be read describes none."""
    return settled(folder).agents


def has_store(folder: Path) -> bool:
    """Whether anything was ever in force."""
    return settled(folder).settings.store.exists()
