"""The exceptions there are: those that wait, those there were, and the kinds among them that nobody declared.

They are raised and ended as the actions they are; an answer is a person's word on one.
"""

from collections import Counter
from collections.abc import AsyncIterator
from typing import Final

import msgspec

from interlock.domain.action import Action, State
from interlock.domain.canonical import JsonValue
from interlock.domain.cursor import before_of
from interlock.domain.errors import NotFound
from interlock.domain.exception_case import ANSWER, KINDS, OTHER, RAISE, NewKind, Sighting, new_kinds
from interlock.domain.ids import ActionId, AgentName, Digest, Person, TaskId
from interlock.domain.inbox import place_of, place_text
from interlock.domain.record import Withheld
from interlock.domain.searched import question
from interlock.ports.store import ActionQuery, Store
from interlock.services.approvals import Approvals
from interlock.services.searching import Searching

PAGE: Final = 500
MOST: Final = 10_000
"""The newest that are looked at."""
LONGEST_LIST: Final = 200
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
    initiator: str = ""
    """Whom the task is for: they do not answer."""
    raised_at: int
    state: State
    deadline: int | None = None
    overdue: bool = False
    roles: tuple[str, ...] = ()
    """Who may answer."""
    answer: str = ""
    default: str = ""
    """What it is answered where nobody does in time, as the policy that asks says."""
    answered_by: tuple[Person, ...] = ()
    ended_at: int | None = None
    withheld: Withheld = ""


class RaisedPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some exceptions, in their order."""

    rows: tuple[Raised, ...]
    waiting: int
    """How many wait in all, whatever was asked for."""
    next: str = ""
    """The cursor of the next page, or nothing where this is the last."""


class Sifted(msgspec.Struct, frozen=True, kw_only=True):
    """Which exceptions; empty: no matter which."""

    kind: str = ""
    """A declared one, or `other` for all that nobody declared."""
    agent: str = ""
    role: str = ""
    """Only those that somebody in this role may answer."""


ANY: Final = Sifted()


class Kinds(msgspec.Struct, frozen=True, kw_only=True):
    """How often each kind was raised."""

    declared: dict[str, int]
    new: tuple[NewKind, ...]
    """Those that nobody declared, those alike together."""


class Exceptions:
    """Reads exceptions, and takes people's answers to them."""

    def __init__(self, store: Store, searching: Searching, approvals: Approvals) -> None:
        self._store = store
        self._searching = searching
        self._approvals = approvals

    async def waiting(self, *, sifted: Sifted = ANY, cursor: str = "", limit: int = 100) -> RaisedPage:
        """Those that wait for an answer, the most urgent first. Raises ContractError for what is no cursor."""
        limit = max(1, min(limit, LONGEST_LIST))
        rows, after = list[Raised](), place_of(cursor)
        while len(rows) <= limit:
            found = await self._store.actions(ActionQuery(contract=RAISE, waiting=True, after=after, limit=PAGE))
            rows += [each for each in map(_told, found) if _meant(each, sifted)]
            if len(found) < PAGE:
                break
            after = (found[-1].deadline or 0, found[-1].id)
        shown, more = rows[:limit], len(rows) > limit
        next_ = place_text((shown[-1].deadline or 0, shown[-1].action)) if more else ""
        return RaisedPage(rows=tuple(shown), waiting=await self.count(), next=next_)

    async def all(self, *, sifted: Sifted = ANY, cursor: str = "", limit: int = 50) -> RaisedPage:
        """Those there were and are, newest first, as far as the log's index has read. Of filters only `agent` reaches beyond the
        newest `MOST`. Raises ContractError for what is no cursor."""
        limit = max(1, min(limit, LONGEST_LIST))
        rows = list[Raised]()
        async for action in self._all(sifted.agent, cursor):
            row = _told(action)
            if row.state not in _NEVER and _meant(row, sifted):
                rows.append(row)
            if len(rows) > limit:
                break
        shown = rows[:limit]
        next_ = shown[-1].action if len(rows) > limit else ""
        return RaisedPage(rows=tuple(shown), waiting=await self.count(), next=next_)

    async def one(self, action: ActionId) -> Raised:
        """Raises NotFound for what is no exception."""
        found = await self._store.get(Action, action)
        if found is None or found.contract != RAISE:
            raise NotFound(
                f"there is no exception `{action}`", next_step="list those that wait: `interlock exceptions`"
            )
        return _told(found)

    async def count(self) -> int:
        """How many wait."""
        return await self._store.count(ActionQuery(contract=RAISE, waiting=True))

    async def kinds(self) -> Kinds:
        """Every kind there was, of the newest exceptions."""
        seen = [
            Sighting(_text(action, "kind"), action.proposed_at, action.id)
            async for action in self._all()
            if action.state not in _NEVER
        ]
        said = Counter(each.kind for each in seen)
        declared = {kind: said[kind] for kind in KINDS if said[kind]}
        return Kinds(declared=declared, new=new_kinds(seen))

    async def answer(
        self,
        action: ActionId,
        person: Person,
        answer: str,
        *,
        note: str = "",
        view: Digest | None = None,
        session: str = "",
    ) -> Action:
        """Answer it: one of its options, or another instruction; nothing closes it without one. `session` is where the answer
        comes from, as for any word. Raises NotFound, ContractError for an answer that is too long, and as a word on any action
        does."""
        await self.one(action)
        said = answer.strip()
        if not said:
            return await self._approvals.approve(action, person, note=note, view=view, session=session)
        return await self._approvals.modify(action, person, {ANSWER: said}, note=note, view=view, session=session)

    async def _all(self, agent: str = "", before: str = "") -> AsyncIterator[Action]:
        """Newest first; the store has no index by contract, the log's index has one."""
        seen = 0
        while seen < MOST:
            asked = question(contract=RAISE, agent=agent, before=before_of(before), limit=PAGE)
            found = await self._searching.actions(asked)
            for action in found.actions:
                yield action
            if not found.more:
                return
            seen, before = seen + len(found.actions), found.actions[-1].id


def _meant(row: Raised, sifted: Sifted) -> bool:
    if sifted.agent and row.agent != sifted.agent:
        return False
    if sifted.role and row.roles and sifted.role not in row.roles:
        return False
    return not sifted.kind or row.kind == sifted.kind or f"{sifted.kind}:" == OTHER == row.kind[: len(OTHER)]


def _told(action: Action) -> Raised:
    options: JsonValue = action.arguments.get("options", [])
    words = () if action.hold is None else action.hold.approvals
    return Raised(
        action=action.id,
        kind=_text(action, "kind"),
        summary=_text(action, "summary"),
        options=tuple(str(each) for each in options) if isinstance(options, list) else (),
        about=_text(action, "about"),
        agent=action.agent,
        task=action.task,
        initiator=action.initiator,
        raised_at=action.proposed_at,
        state=action.state,
        deadline=action.deadline,
        overdue=action.hold is not None and action.hold.overdue,
        roles=action.asks,
        answer=_text(action, ANSWER),
        default="" if action.hold is None else action.hold.default,
        answered_by=tuple(word.person for word in words),
        ended_at=action.ended_at,
        withheld=action.withheld,
    )


def _text(action: Action, name: str) -> str:
    """An argument; of what was erased there is none."""
    said = action.arguments.get(name, "")
    return said if isinstance(said, str) else ""
