"""What somebody means who gives a part of an id."""

from interlock.domain.action import Action
from interlock.domain.agent import Agent
from interlock.domain.contract import Contract
from interlock.domain.errors import NotFound
from interlock.domain.ids import ActionId, AgentName, ContractName
from interlock.domain.names import instead
from interlock.domain.publication import Publication
from interlock.domain.release import Release
from interlock.domain.task import Task
from interlock.ports.store import ActionQuery
from interlock.services.plane import ControlPlane
from interlock.services.registry import ALL

PAGE = 2_000
PAGES = 50
"""How far back a shortened identifier is looked for."""
SHORTEST = 4
"""Fewer characters would match by chance."""


LISTED = 12
"""So many characters of an identifier, its last, are what lists show."""


def names(text: str, identifier: str) -> bool:
    """Whether `text` is the end of an identifier, or the beginning of what lists show of it."""
    return identifier.endswith(text) or identifier[-LISTED:].startswith(text)


async def find_action(plane: ControlPlane, text: str) -> Action:
    """The action of that id, or the newest page's only one that `text` names. Raises NotFound."""
    found = await _action(plane, text)
    if found is not None:
        return found
    if await _tasks(plane, text):
        raise NotFound(f"`{text}` is a task, not an action", next_step=f"look at it: `interlock task show {text}`")
    raise NotFound(f"there is no action `{text}`")


async def find_either(plane: ControlPlane, text: str) -> Action | Task:
    """The action that `text` names, else the task. Raises NotFound."""
    found = await _action(plane, text)
    if found is not None:
        return found
    if await _tasks(plane, text):
        return await find_task(plane, text)
    raise NotFound(
        f"there is no action and no task `{text}`", next_step="list them: `interlock actions`, `interlock tasks --all`"
    )


async def _action(plane: ControlPlane, text: str) -> Action | None:
    exact = await plane.means.store.get(Action, text)
    if exact is not None:
        return exact
    if len(text) < SHORTEST:
        raise NotFound(f"there is no action `{text}`; an id may be shortened to {SHORTEST} characters, not to fewer")
    before: ActionId | None = None
    for _ in range(PAGES):
        page = await plane.means.store.actions(ActionQuery(before=before, limit=PAGE))
        matching = [action for action in page if names(text, action.id)]
        if len(matching) > 1:
            some = ", ".join(f"`{action.id}`" for action in matching[:3])
            raise NotFound(f"`{text}` may be {len(matching)} actions: {some}", next_step="give more of the id")
        if matching:
            return matching[0]
        if len(page) < PAGE:
            break
        before = page[-1].id
    return None


async def _tasks(plane: ControlPlane, text: str) -> list[Task]:
    """The task of that id, or those of the newest page that `text` names."""
    exact = await plane.means.store.get(Task, text)
    if exact is not None:
        return [exact]
    return [each for each in await plane.means.store.all(Task, limit=PAGE) if text and names(text, each.id)]


async def find_task(plane: ControlPlane, text: str) -> Task:
    """The task of that id, or the one recent task that `text` names. Raises NotFound."""
    found = await _tasks(plane, text)
    if len(found) == 1 and (len(text) >= SHORTEST or found[0].id == text):
        return found[0]
    raise NotFound(
        f"`{text}` may be {len(found)} tasks" if found else f"there is no task `{text}`",
        next_step="list them: `interlock tasks --all`; `interlock show ACTION` says an action's task",
    )


async def find_release(plane: ControlPlane, text: str) -> Release:
    """The one release of that label, or whose digest begins with `text`. Raises NotFound."""
    agent, _, digest = text.rpartition("@")
    releases = await plane.means.store.all(Release)
    found = [each for each in releases if each.digest.startswith(digest) and agent in ("", each.agent)]
    if digest and len(found) == 1:
        return found[0]
    known = ", ".join(f"`{each.label}`" for each in releases[:5])
    raise NotFound(
        f"`{text}` is the beginning of {len(found)} releases" if digest and found else f"there is no release `{text}`",
        next_step=f"name one of them: {known}" if known else "bring one into force: `interlock apply`",
    )


async def find_publication(plane: ControlPlane, text: str) -> Publication:
    """The publication of that id, or the only one that `text` names. Raises NotFound."""
    known = await plane.consenting.publications()
    found = [each for each in known if each.id == text or (len(text) >= SHORTEST and names(text, each.id))]
    if len(found) == 1:
        return found[0]
    said = f"`{text}` may be {len(found)} publications" if found else f"there is no publication `{text}`"
    raise NotFound(said, next_step="list them: `interlock policy pending --all`")


async def must_be_there(plane: ControlPlane, agent: str = "", contract: str = "") -> None:
    """Raises NotFound for an agent or a contract that never was: a list of nothing would look like a list."""
    store, advice = plane.means.store, "bring one into force: `interlock apply`"
    agents = {each.name for each in await store.all(Agent, limit=ALL)} if agent else set[AgentName]()
    if agent and agent not in agents:
        raise NotFound(f"there is no agent `{agent}`", next_step=instead(agent, agents, advice))
    contracts = {each.name for each in await store.all(Contract, limit=ALL)} if contract else set[ContractName]()
    if contract and contract not in contracts:
        raise NotFound(f"there is no contract `{contract}`", next_step=instead(contract, contracts, advice))
