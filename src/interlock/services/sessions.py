"""Sessions: who is signed in where, recognised by their cookie at each request, and ended by them or by an admin.

A session is looked up and its person's roles are read from what is in force at every request: one that was revoked, or whose
person holds less than when it began, opens nothing from the next request on, in every process.
"""

import contextlib
from typing import NamedTuple

from interlock.domain.access_facts import access_fact
from interlock.domain.errors import NotFound, StoreError
from interlock.domain.ids import Person
from interlock.domain.login import SEEN_MS, Glass, Login, Session, split
from interlock.ports.clock import Clock
from interlock.services.logins import Becomes, Logins, roles_now
from interlock.services.orders import StandingOrders


class Recognised(NamedTuple):
    """Whose session it is, and what they hold now."""

    person: Person
    roles: tuple[str, ...]
    session: Session
    glass: Glass | None


class Listed(NamedTuple):
    """A live session and whose it is."""

    person: Person
    session: Session


class Sessions:
    """Recognises and ends them."""

    def __init__(self, *, logins: Logins, orders: StandingOrders, clock: Clock) -> None:
        self._logins = logins
        self._orders = orders
        self._clock = clock

    async def recognise(self, token: str) -> Recognised | None:
        """Whose cookie this is; None for what never was one of ours, is over, or was revoked."""
        handle, secret = split(token)
        login = await self._logins.by_handle(handle) if handle else None
        now = self._clock.now()
        session = None if login is None else login.session(secret, now)
        if login is None or session is None:
            return None
        roles = roles_now(login.person, (await self._orders.refresh()).control)
        if not roles or not set(session.roles) <= set(roles):
            await self._end(login.person, (session.id,), by="interlock.people")
            return None
        if now - session.seen_at > SEEN_MS:
            # Who only looks is not kept out by a store that cannot be written.
            with contextlib.suppress(StoreError):
                await self._logins.change(login.person, lambda before: _seen(before, session, now))
        glass = login.glass if login.glass is not None and login.glass.widens(session.id, now) else None
        return Recognised(login.person, roles, session, glass)

    async def sign_out(self, person: Person, session: str) -> None:
        """End one's own session. Twice is once."""
        await self._end(person, (session,), by=person, out=True)

    async def revoke(self, person: Person, session: str = "", *, by: str) -> int:
        """End one session of a person's, or all of them; gives how many that were. Raises NotFound for one that is not there."""
        login = await self._logins.of(person)
        there = [] if login is None else [each.id for each in login.sessions if session in ("", each.id)]
        if session and not there:
            raise NotFound(
                f"`{person}` has no session `{session[:64]}`", next_step="list them: `interlock account list`"
            )
        return await self._end(person, tuple(there), by=by)

    async def of(self, person: Person) -> list[Session]:
        """A person's live sessions, the last used first."""
        login = await self._logins.of(person)
        return [] if login is None else [each.session for each in _alive(login, self._clock.now())]

    async def all(self) -> list[Listed]:
        """Everybody's live sessions, by person, the last used first."""
        now = self._clock.now()
        return [each for login in await self._logins.all() for each in _alive(login, now)]

    async def _end(self, person: Person, sessions: tuple[str, ...], *, by: str, out: bool = False) -> int:
        ended = 0
        now = self._clock.now()

        def to(login: Login) -> Becomes | None:
            nonlocal ended
            there = [each.id for each in login.sessions if each.id in sessions]
            ended = len(there)
            facts = (
                access_fact("signed_out" if out else "revoked", "session", each, person=person, by=by, now=now)
                for each in there
            )
            return Becomes(login.without(*there), tuple(facts)) if there else None

        await self._logins.change(person, to)
        return ended


def _seen(login: Login, session: Session, now: int) -> Becomes | None:
    """Somebody else may have written the same meanwhile, or have ended it."""
    there = next((each for each in login.sessions if each.id == session.id), None)
    return Becomes(login.seen(there, now)) if there is not None and now - there.seen_at > SEEN_MS else None


def _alive(login: Login, now: int) -> list[Listed]:
    alive = [each for each in login.sessions if each.alive(now)]
    return [Listed(login.person, each) for each in sorted(alive, key=lambda each: -each.seen_at)]
