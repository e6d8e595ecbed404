"""The records of how people sign in: found by person or handle, and changed if unchanged.

Whoever changes one says what it becomes and which facts that is. It is asked again on what somebody else wrote meanwhile, so of
two who use one link the second finds it gone.
"""

from collections.abc import Callable
from typing import NamedTuple

from interlock.domain.change import Change
from interlock.domain.control import Control
from interlock.domain.evidence import Fact
from interlock.domain.ids import Person
from interlock.domain.login import Login, handle_of
from interlock.ports.clock import Clock
from interlock.ports.store import Store
from interlock.services.again import again
from interlock.services.saving import save

ALL = 1000


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

    async def was_in(self, person: Person) -> bool:
        """Whether they ever signed in, as far as is still known: whose record was erased counts as one who did."""
        found = await self._store.get(Login, handle_of(person))
        return found is not None and bool(found.withheld or found.first_at)

    async def before(self, person: Person) -> Login:
        """A person's as it is stored, or a new one; of whom it was erased one that says they were in."""
        found = await self._store.get(Login, handle_of(person))
        if found is not None and found.withheld != "erased":
            return found
        now = self._clock.now()
        if found is None:
            return Login(handle=handle_of(person), person=person, made_at=now)
        return Login(handle=found.handle, person=person, made_at=now, first_at=found.made_at, revision=found.revision)

    async def all(self) -> list[Login]:
        """Everybody's, by person."""
        found = [each for each in await self._store.all(Login, limit=ALL) if not each.withheld]
        return sorted(found, key=lambda each: each.person)

    @again
    async def change(self, person: Person, to: Callable[[Login], Becomes | None]) -> Login:
        """Make of a person's record what `to` says, or leave it where that is None; gives it as it is stored then.

        `to` may raise, and is asked again when somebody else wrote first.
        """
        before = await self.before(person)
        after = to(before)
        if after is None:
            return before
        await save(self._store, Change(puts=(after.login,), facts=after.facts))
        return after.login.saved()


def roles_now(person: Person, control: Control) -> tuple[str, ...]:
    """What a person holds in people.yaml as it is in force; nothing where they are not in it."""
    return tuple(sorted(control.roles(person)))
