"""The first way in: a one-time link for somebody who may administer, when nobody who may has any other."""

from typing import NamedTuple

from interlock.domain.access import ADMIN, permissions_of
from interlock.domain.ids import Person
from interlock.ports.clock import Clock
from interlock.services.logins import Logins
from interlock.services.orders import StandingOrders
from interlock.services.signing_in import SigningIn


class Welcome(NamedTuple):
    """What whoever starts the server is told."""

    person: Person | None = None
    """For whom the link is; None where there is none."""
    token: str = ""
    lacking: str = ""
    """What is missing in people.yaml, as a sentence; empty where nothing is."""


class Welcoming:
    """Decides for whom the first link is."""

    def __init__(self, *, logins: Logins, orders: StandingOrders, signing_in: SigningIn, clock: Clock) -> None:
        self._logins = logins
        self._orders = orders
        self._signing_in = signing_in
        self._clock = clock

    async def welcome(self, person: Person | None, *, by: str) -> Welcome:
        """A link for `person`, whoever that is; without one for the first who may administer, or the only person there is,
        unless somebody who may administer has a password or is signed in, or had their record erased. Raises NotAllowed for whom
        nobody knows."""
        people = (await self._orders.refresh()).control.people
        admins = [each for each, roles in people.items() if "administer" in permissions_of(roles)]
        lacking = "" if admins else f"nobody holds `{ADMIN}`, so nobody can see others' sessions and keys"
        if person is None:
            if any([await self._has_a_way_in(each) for each in admins]):
                return Welcome()
            person = next(iter(admins or (list(people) if len(people) == 1 else [])), None)
        if person is None:
            return Welcome(lacking=lacking if people else "people.yaml names nobody, so nobody can sign in")
        token, _ = await self._signing_in.offer(person, by=by)
        return Welcome(person, token, lacking)

    async def _has_a_way_in(self, person: Person) -> bool:
        login = await self._logins.of(person)
        if login is None:
            # What was erased is no installation that nobody ever came into.
            return await self._logins.was_in(person)
        now = self._clock.now()
        return bool(login.password) or any(each.alive(now) for each in login.sessions)
