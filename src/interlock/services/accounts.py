"""People as an admin sees them: who there is, what they hold, and by what they can come in."""

import msgspec

from interlock.domain.access import Permission, permissions_of
from interlock.domain.errors import NotAllowed
from interlock.domain.ids import Person
from interlock.domain.people import roles_of
from interlock.ports.clock import Clock
from interlock.services.api_keys import ApiKeys
from interlock.services.logins import Logins
from interlock.services.orders import StandingOrders
from interlock.services.signing_in import SigningIn


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One person. Nothing in it opens anything."""

    person: Person
    roles: tuple[str, ...]
    permissions: tuple[Permission, ...]
    first_at: int = 0
    """When they signed in first; 0 if they never did."""
    password: bool
    provider: bool
    """Whether an identity provider named them once."""
    sessions: int
    keys: int
    locked_until: int = 0
    glass_until: int = 0


class Accounts:
    """Lists them."""

    def __init__(
        self, *, logins: Logins, keys: ApiKeys, signing_in: SigningIn, orders: StandingOrders, clock: Clock
    ) -> None:
        self._logins = logins
        self._signing_in = signing_in
        self._keys = keys
        self._orders = orders
        self._clock = clock

    async def all(self) -> list[Account]:
        """Everybody in people.yaml, and whoever is not in it any more and has something left that an admin may want to see."""
        people = (await self._orders.refresh()).control.people
        logins = {each.person: each for each in await self._logins.all()}
        now = self._clock.now()
        keys = [each for each in await self._keys.all() if each.alive(now)]
        found = list[Account]()
        for person in sorted({*people, *logins}):
            login = logins.get(person)
            glass = login.glass.until_at if login is not None and login.glass is not None else 0
            roles = tuple(sorted(people.get(person, ())))
            found.append(
                Account(
                    person=person,
                    roles=roles,
                    permissions=tuple(sorted(permissions_of(roles))),
                    first_at=login.first_at if login is not None else 0,
                    password=login is not None and bool(login.password),
                    provider=login is not None and bool(login.subject),
                    sessions=sum(each.alive(now) for each in login.sessions) if login is not None else 0,
                    keys=sum(each.person == person for each in keys),
                    locked_until=login.locked_until if login is not None and now < login.locked_until else 0,
                    glass_until=glass if now < glass else 0,
                )
            )
        return found

    async def invite(self, person: Person, *, by: Person) -> str:
        """What the link of somebody's first way in must carry, told once.

        Raises NotAllowed for who was ever in: whoever could make a link for them could come in as them, and count as two.
        Then it takes whoever runs the machine.
        """
        if await self._logins.was_in(person):
            raise NotAllowed(
                f"`{person}` has been in already, and nobody else makes them a way in here",
                next_step="whoever runs the server can: `interlock account link NAME`",
            )
        return (await self._signing_in.offer(person, by=by)).token

    async def must_administer(self, person: Person) -> None:
        """Raises NotAllowed unless `person` may administer: for surfaces that no guard stands before."""
        if "administer" not in permissions_of(roles_of(person, (await self._orders.refresh()).control)):
            raise NotAllowed(f"`{person}` does not administer", next_step="people.yaml says who holds `admin`")
