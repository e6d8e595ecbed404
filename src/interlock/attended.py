"""The control plane inside this process, as people use it."""

from typing import Literal

import anyio

from interlock.domain.action import Action
from interlock.domain.canonical import JsonValue
from interlock.domain.dossier import Dossier
from interlock.domain.filtering import published
from interlock.domain.ids import ActionId, Digest, Person, UnwindId
from interlock.domain.inbox import InboxPage
from interlock.domain.unwind import Unwind, UnwindScope
from interlock.ports.store import ActionQuery
from interlock.services.known_actions import stored_action
from interlock.services.plane import ControlPlane

LOOK_MS = 50
"""How often an undo that waits for something is looked at again."""


class Attended:
    """`ports.people.People` by calling the services directly."""

    def __init__(self, plane: ControlPlane) -> None:
        self._plane = plane

    async def waiting(self, *, limit: int) -> list[Action]:
        """What waits for a person, newest first."""
        found = await self._plane.means.store.actions(
            ActionQuery(states=("held", "unknown", "undo_failed"), limit=limit)
        )
        return [published(each) for each in found]

    async def action(self, action_id: ActionId) -> Action:
        """One action as it stands."""
        found = await stored_action(self._plane.means.store, action_id)
        return published(found)

    async def look(self, action_id: ActionId, person: Person) -> Dossier:
        """All that the person is to see of one."""
        return await self._plane.dossiers.open(action_id, person)

    async def inbox(self, person: Person, *, mine: bool, cursor: str, limit: int) -> InboxPage:
        """What waits for people's word."""
        return await self._plane.inbox.page(person=person, mine=mine, cursor=cursor, limit=limit)

    async def approve(
        self, action_id: ActionId, person: Person, *, note: str, view: Digest | None, target: str | None
    ) -> Action:
        """The person's yes."""
        return await self._plane.approvals.approve(action_id, person, note=note, view=view, target=target)

    async def reject(self, action_id: ActionId, person: Person, *, note: str, view: Digest | None) -> Action:
        """The person's no."""
        return await self._plane.approvals.reject(action_id, person, note=note, view=view)

    async def modify(
        self,
        action_id: ActionId,
        person: Person,
        arguments: dict[str, JsonValue],
        *,
        note: str,
        view: Digest | None,
        target: str | None,
    ) -> Action:
        """The person's yes to other arguments."""
        return await self._plane.approvals.modify(action_id, person, arguments, note=note, view=view, target=target)

    async def ask(self, action_id: ActionId, person: Person, text: str) -> Action:
        """The person's question to the agent."""
        return await self._plane.inquiring.ask(action_id, person, text)

    async def delegate(self, action_id: ActionId, person: Person, to: Person, *, note: str) -> Action:
        """Hand it to a colleague."""
        return await self._plane.inquiring.delegate(action_id, person, to, note=note)

    async def take_back(self, action_id: ActionId, person: Person) -> Action:
        """Decide oneself after all."""
        return await self._plane.inquiring.take_back(action_id, person)

    async def settle(
        self,
        action_id: ActionId,
        person: Person,
        happened: Literal["done", "failed"],
        *,
        result: JsonValue,
        note: str,
    ) -> Action:
        """What the person found out."""
        return published(await self._plane.settling.settle(action_id, person, happened, result=result, note=note))

    async def undo(self, scope: UnwindScope, target: str, person: Person, *, why: str, wait_ms: int) -> Unwind:
        """Ask, and go on with it here for a while."""
        return await self._follow(await self._plane.compensation.undo(scope, target, by=person, why=why), wait_ms)

    async def retry(self, request: UnwindId, person: Person, *, wait_ms: int) -> Unwind:
        """Go on with a blocked one."""
        return await self._follow(await self._plane.compensation.retry(request, by=person), wait_ms)

    async def _follow(self, request: Unwind, wait_ms: int) -> Unwind:
        until = self._plane.means.clock.now() + wait_ms
        while True:
            request = await self._plane.compensation.advance(request)
            if request.state != "running" or self._plane.means.clock.now() >= until:
                return request
            await anyio.sleep(LOOK_MS / 1000)
