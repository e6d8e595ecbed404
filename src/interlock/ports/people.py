"""The control plane as people need it, in this process or behind a network."""

from typing import Literal, Protocol

from interlock.domain.action import Action
from interlock.domain.canonical import JsonValue
from interlock.domain.dossier import Dossier
from interlock.domain.ids import ActionId, Digest, Person, UnwindId
from interlock.domain.inbox import InboxPage
from interlock.domain.unwind import Unwind, UnwindScope


class People(Protocol):
    """What a person may do. Every method raises InterlockError when the person may not, or the thing has no such move."""

    async def waiting(self, *, limit: int) -> list[Action]:
        """What waits for a person: held, unknown, or with an undo that did not succeed. Newest first."""
        ...

    async def action(self, action_id: ActionId) -> Action:
        """One action as it stands."""
        ...

    async def look(self, action_id: ActionId, person: Person) -> Dossier:
        """All that the person is to see of one action. That they were shown it is recorded."""
        ...

    async def inbox(self, person: Person, *, mine: bool, cursor: str, limit: int) -> InboxPage:
        """What waits for people's word, the most urgent first."""
        ...

    async def approve(
        self, action_id: ActionId, person: Person, *, note: str, view: Digest | None, target: str | None
    ) -> Action:
        """The person's yes to a held action as it was shown; of critical risk with the target typed."""
        ...

    async def reject(self, action_id: ActionId, person: Person, *, note: str, view: Digest | None) -> Action:
        """The person's no, and why."""
        ...

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
        """The person's yes to other arguments, validated and decided like any."""
        ...

    async def ask(self, action_id: ActionId, person: Person, text: str) -> Action:
        """The person's question to the agent. The action stays held."""
        ...

    async def delegate(self, action_id: ActionId, person: Person, to: Person, *, note: str) -> Action:
        """Hand it to a colleague who is asked, too."""
        ...

    async def take_back(self, action_id: ActionId, person: Person) -> Action:
        """Decide oneself after all."""
        ...

    async def settle(
        self,
        action_id: ActionId,
        person: Person,
        happened: Literal["done", "failed"],
        *,
        result: JsonValue,
        note: str,
    ) -> Action:
        """What the person found out about an unknown action."""
        ...

    async def undo(self, scope: UnwindScope, target: str, person: Person, *, why: str, wait_ms: int) -> Unwind:
        """Ask for everything in scope to be undone, and go on with it here for at most `wait_ms`."""
        ...

    async def retry(self, request: UnwindId, person: Person, *, wait_ms: int) -> Unwind:
        """Go on with a blocked undo."""
        ...
