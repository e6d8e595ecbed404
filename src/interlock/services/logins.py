"""The records of how people sign in: found by person or handle, and changed if unchanged.

Whoever changes one says what it becomes and which facts that is. It is asked again on what somebody else wrote meanwhile, so of
two who use one link the second finds it gone.
"""

from collections.abc import Callable
from typing import NamedTuple

from interlock.domain.change import Change
from interlock.domain.control import Control
from interlock.domain.errors import Conflict
from interlock.domain.evidence import Fact
from interlock.domain.ids import Person
from interlock.domain.login import Login, handle_of
from interlock.ports.clock import Clock
from interlock.ports.store import Store
from interlock.services.saving import save

ALL = 1000
MAX_ROUNDS = 50


class Becomes(NamedTuple):
    """What a record becomes, and the facts about that. Conditions: what must be so still."""

    login: Login
    facts: tuple[Fact, ...] = ()


class Logins:
    """Finds and changes them."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def of(self, person: str) -> Login | None:
        """A person's, or None where they never signed in and nobody made them a link."""
        return await self.by_handle(handle_of(person))

    async def by_handle(self, handle: str) -> Login | None:
        """The one of this handle. What cannot be read (erased, sealed, lost) lets nobody in, so it is as if it were not."""
        found = await self._store.get(Login, handle)
        return None if found is None or found.withheld else found

    async def all(self) -> list[Login]:
        """Everybody's, by person."""
        found = [each for each in await self._store.all(Login, limit=ALL) if not each.withheld]
        return sorted(found, key=lambda each: each.person)

    async def change(self, person: Person, to: Callable[[Login], Becomes | None]) -> Login:
        """Make of a person's record what `to` says, or leave it where that is None; gives it as it is stored then.

        `to` may raise, and is asked again when somebody else wrote first.
        """
        for _ in range(MAX_ROUNDS):
            before = await self._store.get(Login, handle_of(person))
            if before is None or before.withheld == "erased":
                revision = 0 if before is None else before.revision
                before = Login(handle=handle_of(person), person=person, made_at=self._clock.now(), revision=revision)
            after = to(before)
            if after is None:
                return before
            try:
                await save(self._store, Change(puts=(after.login,), facts=after.facts))
            except Conflict:
                continue
            return after.login.saved()
        raise Conflict("the record kept changing while it was written", kind=Login.kind, key=handle_of(person))


def roles_now(person: Person, control: Control) -> tuple[str, ...]:
    """What a person holds in people.yaml as it is in force; nothing where they are not in it."""
    return tuple(sorted(control.roles(person)))
