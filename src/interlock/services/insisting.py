"""Asking once more who is there, before what would outlast a session: a password, a key, broken glass, somebody's way in.

A session that was left open or stolen is worth what it can do until it ends. What would make more of it takes somebody who came
in just now, or says their password once more. Each try is counted before the password is looked at, as at the door.
"""

from interlock.domain.access_facts import access_fact
from interlock.domain.errors import NotSignedIn
from interlock.domain.evidence import at
from interlock.domain.ids import Person
from interlock.domain.login import Login
from interlock.domain.password import LONGEST
from interlock.domain.throttle import wait
from interlock.ports.clock import Clock, Ids
from interlock.ports.passwords import Passwords
from interlock.services.logins import Becomes, Logins


class Insisting:
    """Asks."""

    def __init__(self, *, logins: Logins, passwords: Passwords, clock: Clock, ids: Ids) -> None:
        self._logins = logins
        self._passwords = passwords
        self._clock = clock
        self._ids = ids

    async def is_fresh(self, person: Person, session: str) -> bool:
        """Whether whoever is in that session showed lately that it is them."""
        login, now = await self._logins.of(person), self._clock.now()
        found = None if login is None else login.named(session, now)
        return found is not None and found.fresh(now)

    async def must_be_fresh(self, person: Person, session: str) -> None:
        """Raises NotSignedIn unless they did."""
        if not await self.is_fresh(person, session):
            raise NotSignedIn(
                "you signed in some time ago, and this outlasts your session",
                next_step="say your password on the page of your account, or sign in once more",
            )

    async def prove(self, person: Person, session: str, password: str) -> None:
        """Whoever is in that session says their password once more. Raises NotSignedIn where it is wrong or they have none, and
        RateExceeded after too many."""
        login = await self._logins.of(person)
        kept = "" if login is None else login.password
        if not kept:
            raise NotSignedIn("you have no password", next_step="sign in once more, by a link or your provider")
        await self.must_match(person, password, kept)
        now = self._clock.now()

        def to(login: Login) -> Becomes:
            found = login.named(session, now)
            if found is None or login.password != kept:
                raise NotSignedIn("your session ended, or your password was changed, in this very moment")
            return Becomes(login.proved(found, now))

        await self._logins.change(person, to)

    async def must_match(self, person: Person, password: str, kept: str) -> None:
        """Raises NotSignedIn where that is not the password of which `kept` is kept, and RateExceeded after too many."""
        await self.count(person)
        if await self._passwords.told(password[: LONGEST + 1], kept) == "wrong":
            raise NotSignedIn("that is not your password", next_step="say the password you have now")

    async def count(self, person: Person) -> None:
        """Count one try, durably. Raises RateExceeded while there were too many."""

        def to(login: Login) -> Becomes:
            now = self._clock.now()
            if now < login.locked_until:
                raise wait(login.locked_until, login.tries, now)
            after = login.tried(now)
            if not after.locked_until:
                return Becomes(after)
            fact = access_fact(
                "locked",
                "password",
                self._ids.new(),
                person=person,
                by="interlock.throttle",
                now=now,
                tries=after.tries,
                until=at(after.locked_until),
            )
            return Becomes(after, (fact,))

        await self._logins.change(person, to)
