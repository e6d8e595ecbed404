"""A person's desk: what waits for somebody, and what that somebody may say of it."""

from collections.abc import Mapping
from typing import Literal

from interlock.domain.action import Action
from interlock.domain.canonical import JsonValue, pointer
from interlock.domain.dossier import Dossier
from interlock.domain.errors import ContractError
from interlock.domain.fitting import Count, Millis, checked
from interlock.domain.ids import ActionId, Digest, Person, UnwindId
from interlock.domain.inbox import InboxPage
from interlock.domain.unwind import Unwind, UnwindScope
from interlock.ports.people import People
from interlock.sdk.home import Home
from interlock.sdk.values import plain_result, to_plain

WAIT_MS = 30_000
"""How long an undo is followed here before it is left to a worker."""


class AsyncDesk:
    """The desk in an asynchronous program. Who the person is, the program answers for."""

    def __init__(self, people: People, person: str, home: Home) -> None:
        self._people = people
        self._person = Person(person)
        self._home = home

    @checked
    async def waiting(self, *, limit: Count = 100) -> list[Action]:
        """What waits for a person, newest first."""
        return await self._home.run(self._people.waiting, limit=limit)

    @checked
    async def action(self, action_id: str) -> Action:
        """One action as it stands."""
        return await self._home.run(self._people.action, ActionId(action_id))

    @checked
    async def inbox(self, *, mine: bool = True, cursor: str = "", limit: Count = 50) -> InboxPage:
        """What waits for people's word, the most urgent first; `mine`: only what this person may decide on now. `cursor` is
        `next` of the page before."""
        return await self._home.run(self._people.inbox, self._person, mine=mine, cursor=cursor, limit=limit)

    @checked
    async def look(self, action_id: str) -> Dossier:
        """All there is to see of one action before deciding. That it was shown to this person is recorded."""
        return await self._home.run(self._people.look, ActionId(action_id), self._person)

    @checked
    async def approve(
        self, action_id: str, *, note: str = "", view: str | None = None, target: str | None = None
    ) -> Action:
        """Say yes. `view` is the digest of what was shown (`look(...).view`): refused if that changed since. Of critical risk
        `target` is what the person typed (`look(...).target`)."""
        return await self._home.run(
            self._people.approve, ActionId(action_id), self._person, note=note, view=_view(view), target=target
        )

    @checked
    async def reject(self, action_id: str, *, note: str, view: str | None = None) -> Action:
        """Say no, and why. That ends it."""
        return await self._home.run(self._people.reject, ActionId(action_id), self._person, note=note, view=_view(view))

    @checked
    async def modify(
        self,
        action_id: str,
        arguments: Mapping[str, JsonValue],
        *,
        note: str = "",
        view: str | None = None,
        target: str | None = None,
    ) -> Action:
        """Say yes to other arguments; those not named stay. They are validated and decided like any."""
        wanted = {name: to_plain(value, pointer(name)) for name, value in arguments.items()}
        return await self._home.run(
            self._people.modify,
            ActionId(action_id),
            self._person,
            wanted,
            note=note,
            view=_view(view),
            target=target,
        )

    @checked
    async def ask(self, action_id: str, text: str) -> Action:
        """Put a question to the agent, which finds it in the outcome it waits with. The action stays held."""
        return await self._home.run(self._people.ask, ActionId(action_id), self._person, text)

    @checked
    async def delegate(self, action_id: str, to: str, *, note: str = "") -> Action:
        """Hand it to a colleague who is asked, too, and be silent until it is taken back."""
        return await self._home.run(self._people.delegate, ActionId(action_id), self._person, Person(to), note=note)

    @checked
    async def take_back(self, action_id: str) -> Action:
        """Decide after all on what was handed to a colleague."""
        return await self._home.run(self._people.take_back, ActionId(action_id), self._person)

    @checked
    async def settle(
        self, action_id: str, happened: Literal["done", "failed"], *, note: str, result: JsonValue = None
    ) -> Action:
        """Say what became of an unknown action, and in `note` how you know; `result` is what the tool would have returned,
        which an undo may need."""
        returned = plain_result(result)
        return await self._home.run(
            self._people.settle, ActionId(action_id), self._person, happened, result=returned, note=note
        )

    @checked
    async def undo(
        self,
        *,
        action: str | None = None,
        task: str | None = None,
        release: str | None = None,
        why: str = "",
        wait_ms: Millis = WAIT_MS,
    ) -> Unwind:
        """Undo one action, a task, or everything a release (its digest) did; exactly one is named. Each undo goes through the
        gate. What is not done within `wait_ms` a worker goes on with."""
        scope, target = _one(action, task, release)
        return await self._home.run(self._people.undo, scope, target, self._person, why=why, wait_ms=wait_ms)

    @checked
    async def retry(self, request: str, *, wait_ms: Millis = WAIT_MS) -> Unwind:
        """Go on with an undo that was blocked."""
        return await self._home.run(self._people.retry, UnwindId(request), self._person, wait_ms=wait_ms)


class Desk:
    """The desk in a synchronous program; `aio` is the same for an asynchronous one."""

    def __init__(self, aio: AsyncDesk, home: Home) -> None:
        self.aio = aio
        self._home = home

    @checked
    def waiting(self, *, limit: Count = 100) -> list[Action]:
        """What waits for a person, newest first."""
        return self._home.block(self.aio.waiting, limit=limit)

    @checked
    def action(self, action_id: str) -> Action:
        """One action as it stands."""
        return self._home.block(self.aio.action, action_id)

    @checked
    def inbox(self, *, mine: bool = True, cursor: str = "", limit: Count = 50) -> InboxPage:
        """What waits for people's word, the most urgent first; `mine`: only what this person may decide on now. `cursor` is
        `next` of the page before."""
        return self._home.block(self.aio.inbox, mine=mine, cursor=cursor, limit=limit)

    @checked
    def look(self, action_id: str) -> Dossier:
        """All there is to see of one action before deciding. That it was shown to this person is recorded."""
        return self._home.block(self.aio.look, action_id)

    @checked
    def approve(self, action_id: str, *, note: str = "", view: str | None = None, target: str | None = None) -> Action:
        """Say yes. `view` is the digest of what was shown (`look(...).view`): refused if that changed since. Of critical risk
        `target` is what the person typed (`look(...).target`)."""
        return self._home.block(self.aio.approve, action_id, note=note, view=view, target=target)

    @checked
    def reject(self, action_id: str, *, note: str, view: str | None = None) -> Action:
        """Say no, and why. That ends it."""
        return self._home.block(self.aio.reject, action_id, note=note, view=view)

    @checked
    def modify(
        self,
        action_id: str,
        arguments: Mapping[str, JsonValue],
        *,
        note: str = "",
        view: str | None = None,
        target: str | None = None,
    ) -> Action:
        """Say yes to other arguments; those not named stay. They are validated and decided like any."""
        return self._home.block(self.aio.modify, action_id, arguments, note=note, view=view, target=target)

    @checked
    def ask(self, action_id: str, text: str) -> Action:
        """Put a question to the agent, which finds it in the outcome it waits with. The action stays held."""
        return self._home.block(self.aio.ask, action_id, text)

    @checked
    def delegate(self, action_id: str, to: str, *, note: str = "") -> Action:
        """Hand it to a colleague who is asked, too, and be silent until it is taken back."""
        return self._home.block(self.aio.delegate, action_id, to, note=note)

    @checked
    def take_back(self, action_id: str) -> Action:
        """Decide after all on what was handed to a colleague."""
        return self._home.block(self.aio.take_back, action_id)

    @checked
    def settle(
        self, action_id: str, happened: Literal["done", "failed"], *, note: str, result: JsonValue = None
    ) -> Action:
        """Say what became of an unknown action, and in `note` how you know; `result` is what the tool would have returned,
        which an undo may need."""
        return self._home.block(self.aio.settle, action_id, happened, note=note, result=result)

    @checked
    def undo(
        self,
        *,
        action: str | None = None,
        task: str | None = None,
        release: str | None = None,
        why: str = "",
        wait_ms: Millis = WAIT_MS,
    ) -> Unwind:
        """Undo one action, a task, or everything a release (its digest) did; exactly one is named. Each undo goes through the
        gate. What is not done within `wait_ms` a worker goes on with."""
        return self._home.block(self.aio.undo, action=action, task=task, release=release, why=why, wait_ms=wait_ms)

    @checked
    def retry(self, request: str, *, wait_ms: Millis = WAIT_MS) -> Unwind:
        """Go on with an undo that was blocked."""
        return self._home.block(self.aio.retry, request, wait_ms=wait_ms)


def _view(view: str | None) -> Digest | None:
    return None if view is None else Digest(view)


def _one(action: str | None, task: str | None, release: str | None) -> tuple[UnwindScope, str]:
    scopes: tuple[tuple[UnwindScope, str | None], ...] = (("action", action), ("task", task), ("release", release))
    named: list[tuple[UnwindScope, str]] = [(scope, target) for scope, target in scopes if target is not None]
    if len(named) != 1:
        raise ContractError(
            "an undo names exactly one of `action`, `task` and `release`",
            next_step="say which of them is to be undone: `undo(action=...)`",
        )
    return named[0]
