"""The exceptions there were: those that wait, and the kinds among them that nobody declared."""

from collections import Counter
from collections.abc import AsyncIterator

import msgspec

from interlock.domain.action import Action, State
from interlock.domain.canonical import JsonValue
from interlock.domain.exception_case import ANSWER, KINDS, RAISE, NewKind, new_kinds
from interlock.domain.ids import ActionId, AgentName, TaskId
from interlock.ports.store import ActionQuery, Store

PAGE = 500
MOST = 10_000
"""The newest that are looked at."""
_NEVER = frozenset[State](("refused", "denied"))
"""In these it was put before nobody."""


class Raised(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One exception as people have it before them."""

    action: ActionId
    kind: str
    summary: str
    """The agent's words: data, never markup."""
    options: tuple[str, ...] = ()
    about: str = ""
    agent: AgentName
    task: TaskId
    raised_at: int
    state: State
    deadline: int | None = None
    overdue: bool = False
    roles: tuple[str, ...] = ()
    """Who may answer."""
    answer: str = ""


class Kinds(msgspec.Struct, frozen=True, kw_only=True):
    """How often each kind was raised."""

    declared: dict[str, int]
    new: tuple[NewKind, ...]
    """Those that nobody declared, those alike together."""


class Exceptions:
    """Reads exceptions. They are raised, answered and ended as the actions they are."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def waiting(self, limit: int = 100) -> list[Raised]:
        """Those that wait for an answer, the most urgent first."""
        found = await self._store.actions(ActionQuery(contract=RAISE, waiting=True, limit=limit))
        return [_told(each) for each in found]

    async def kinds(self) -> Kinds:
        """Every kind there was, of the newest exceptions."""
        said = Counter[str]()
        async for action in self._all():
            if action.state not in _NEVER:
                said[_text(action, "kind")] += 1
        declared = {kind: said[kind] for kind in KINDS if said[kind]}
        return Kinds(declared=declared, new=new_kinds(said.elements()))

    async def _all(self) -> AsyncIterator[Action]:
        query, seen = ActionQuery(contract=RAISE, limit=PAGE), 0
        while found := await self._store.actions(query):
            for action in found:
                yield action
            seen += len(found)
            if len(found) < PAGE or seen >= MOST:
                return
            query = msgspec.structs.replace(query, before=found[-1].id)


def _told(action: Action) -> Raised:
    options: JsonValue = action.arguments.get("options", [])
    return Raised(
        action=action.id,
        kind=_text(action, "kind"),
        summary=_text(action, "summary"),
        options=tuple(str(each) for each in options) if isinstance(options, list) else (),
        about=_text(action, "about"),
        agent=action.agent,
        task=action.task,
        raised_at=action.proposed_at,
        state=action.state,
        deadline=action.deadline,
        overdue=action.hold is not None and action.hold.overdue,
        roles=action.asks,
        answer=_text(action, ANSWER),
    )


def _text(action: Action, name: str) -> str:
    """An argument; of what was erased there is none."""
    said = action.arguments.get(name, "")
    return said if isinstance(said, str) else ""
