"""Signing in: by a one-time link, by a password, or by the word of an identity provider. Each begins a session.

1. `offer` stores the digest of a new link with an entry that says for whom; the link is told once. *A crash before it is told
   leaves a link that nobody knows, and that is over in ten minutes.*
2. A link is used up in the commit that begins its session: of two who use it, in whatever processes, one is let in. Whichever
   way somebody came in, all other links for them are over then: who made two and kept one has nothing. *A crash after it leaves
   a session whose cookie nobody got: whoever wanted in asks for another link.*
3. A password that is tried is counted before it is looked at, so that no crash, and no number of tries at once, gives more of
   them. Whoever has no password, or is nobody, takes as long and hears the same.

Nobody is let in who holds no role in people.yaml as it is in force.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec

from interlock.domain.access_facts import access_fact
from interlock.domain.errors import NotSignedIn, RateExceeded
from interlock.domain.evidence import at
from interlock.domain.ids import Person
from interlock.domain.instance import digest_of_secret
from interlock.domain.login import FRESH_MS, LASTS_MS, LINK_MS, Link, Login, Session, Way, handle_of, split
from interlock.domain.password import LONGEST, must_be_good
from interlock.domain.people import roles_of
from interlock.ports.clock import Clock, Ids
from interlock.ports.passwords import Passwords
from interlock.services.attempts import Attempts
from interlock.services.insisting import Insisting
from interlock.services.logins import Becomes, Logins, roles_now
from interlock.services.orders import StandingOrders

ANSWER_MS: Final = 250
"""Refusals of passwords come at multiples of this: what was done about one does not show in when its answer comes."""
MOST_NAME: Final = 128
MOST_BROWSER: Final = 120


class Offered(NamedTuple):
    """A link, and what it must carry; told once."""

    token: str
    link: Link


class Signed(NamedTuple):
    """Who is signed in now, and what their cookie must carry."""

    person: Person
    token: str
    session: Session


class SigningIn:
    """Lets people in."""

    def __init__(
        self,
        *,
        logins: Logins,
        orders: StandingOrders,
        insisting: Insisting,
        passwords: Passwords,
        clock: Clock,
        ids: Ids,
        tenant: str,
    ) -> None:
        self._logins = logins
        self._orders = orders
        self._insisting = insisting
        self._passwords = passwords
        self._clock = clock
        self._ids = ids
        self._tenant = tenant
        self._attempts = Attempts()

    async def offer(self, person: Person, *, by: str) -> Offered:
        """A one-time link for `person`, which counts for ten minutes. Raises NotAllowed for whom people.yaml does not know."""
        roles_of(person, (await self._orders.refresh()).control)
        secret, now = self._secret(), self._clock.now()
        link = Link(id=self._ids.new(), digest=digest_of_secret(secret), made_at=now, expires_at=now + LINK_MS)
        fact = access_fact("offered", "link", link.id, person=person, by=by, now=now, until=at(link.expires_at))
        await self._logins.change(person, lambda login: Becomes(login.offered(link, now), (fact,)))
        return Offered(f"{handle_of(person)}.{secret}", link)

    async def link_of(self, token: str) -> Person | None:
        """For whom a link is that still counts. Looking uses nothing up."""
        handle, secret = split(token)
        login = await self._logins.by_handle(handle) if handle else None
        return None if login is None or login.link(secret, self._clock.now()) is None else login.person

    async def by_link(self, token: str, *, browser: str = "") -> Signed:
        """Use a link up. Raises NotSignedIn for one that is over, was used, or never was."""
        handle, secret = split(token)
        login = await self._logins.by_handle(handle) if handle else None
        if login is None:
            raise _no_link()

        def to(login: Login, signed: Signed) -> Becomes:
            link = login.link(secret, signed.session.begun_at)
            if link is None:
                raise _no_link()
            return self._entered(login, signed, link)

        return await self._enter(login.person, "link", browser, to)

    async def by_password(self, name: str, password: str, *, address: str, browser: str = "") -> Signed:
        """Let somebody in by their password. Raises NotSignedIn where that is wrong, and RateExceeded after too many."""
        began = self._clock.now()
        try:
            return await self._by_password(name, password, address, browser)
        except (NotSignedIn, RateExceeded):
            await self._clock.sleep(ANSWER_MS - (self._clock.now() - began) % ANSWER_MS)
            raise

    async def by_provider(self, person: Person, subject: str, *, browser: str = "") -> Signed:
        """Let in whom an identity provider named, with its name for them. Raises NotSignedIn where it named somebody else so
        before."""

        def to(login: Login, signed: Signed) -> Becomes:
            if login.subject and login.subject != subject:
                raise NotSignedIn(
                    "the identity provider knows somebody else by this address than before",
                    next_step="ask an admin: `interlock account forget-provider PERSON` once they know why",
                )
            return self._entered(msgspec.structs.replace(login, subject=subject), signed)

        return await self._enter(person, "oidc", browser, to)

    async def set_password(self, person: Person, password: str, *, session: Session, current: str = "") -> None:
        """Give `person` another password, which ends all sessions but this one, and all links.

        Who has one must say it, and who has none must have come in lately, unless a one-time link or a provider let them in just
        now. Raises NotSignedIn, ContractError, RateExceeded.
        """
        must_be_good(password, person=person, words=(self._tenant,))
        login = await self._logins.of(person)
        before = "" if login is None else login.password
        let_in = session.way != "password" and self._clock.now() < session.begun_at + FRESH_MS
        if before and not let_in:
            await self._insisting.must_match(person, current, before)
        elif not before:
            await self._insisting.must_be_fresh(person, session.id)
        kept, now = await self._passwords.kept(password), self._clock.now()

        def to(login: Login) -> Becomes:
            if login.password != before:
                raise NotSignedIn("the password was changed in this very moment", next_step="look again")
            if login.named(session.id, now) is None:
                raise NotSignedIn("your session ended in this very moment", next_step="sign in once more")
            ended = sum(each.id != session.id for each in login.sessions)
            fact = access_fact(
                "password_set", "password", self._ids.new(), person=person, by=person, now=now, ended=ended or None
            )
            return Becomes(login.secured(kept, keep=session.id), (fact,))

        await self._logins.change(person, to)

    async def forget_provider(self, person: Person, *, by: str) -> bool:
        """Let the next word of an identity provider about `person` be the first. Gives whether there was one."""
        forgot = False

        def to(login: Login) -> Becomes | None:
            nonlocal forgot
            forgot = bool(login.subject)
            fact = access_fact("revoked", "provider", self._ids.new(), person=person, by=by, now=self._clock.now())
            return Becomes(msgspec.structs.replace(login, subject=""), (fact,)) if forgot else None

        await self._logins.change(person, to)
        return forgot

    # -- parts -------------------------------------------------------------------------------------------------

    async def _by_password(self, name: str, password: str, address: str, browser: str) -> Signed:
        # Counted before anything is awaited, and given back if it was none: tries at once are as many as one after another.
        self._attempts.count_from(address, self._clock.now())
        wrong = False
        try:
            return await self._tried(name, password, browser)
        except NotSignedIn:
            wrong = True
            raise
        finally:
            if not wrong:
                self._attempts.give_back(address)

    async def _tried(self, name: str, password: str, browser: str) -> Signed:
        known = len(name) <= MOST_NAME and name in (await self._orders.refresh()).control.people
        login = await self._logins.of(name) if known else None
        kept = "" if login is None else login.password
        if kept:
            await self._insisting.count(Person(name))
        else:
            self._attempts.count_nobody(name[:MOST_NAME], self._clock.now())
        told = await self._passwords.told(password[: LONGEST + 1], kept)
        if told == "wrong":
            raise NotSignedIn("the name or the password is wrong", next_step="try again, or ask for a one-time link")
        again = await self._passwords.kept(password) if told == "stale" else kept

        def to(login: Login, signed: Signed) -> Becomes:
            if login.password != kept:
                raise NotSignedIn("the password was changed in this very moment", next_step="sign in with the new one")
            return self._entered(msgspec.structs.replace(login, password=again), signed)

        return await self._enter(Person(name), "password", browser, to)

    async def _enter(
        self, person: Person, way: Way, browser: str, to: Callable[[Login, "Signed"], Becomes]
    ) -> "Signed":
        """Begin a session with a secret that nobody had before: whatever cookie the browser came with is worth nothing."""
        roles = roles_now(person, (await self._orders.refresh()).control)
        if not roles:
            raise NotSignedIn("you hold no role here any more", next_step="people.yaml says who holds which role")
        secret, now = self._secret(), self._clock.now()
        session = Session(
            id=self._ids.new(),
            digest=digest_of_secret(secret),
            way=way,
            begun_at=now,
            seen_at=now,
            roles=roles,
            browser=browser[:MOST_BROWSER],
        )
        signed = Signed(person, f"{handle_of(person)}.{secret}", session)
        await self._logins.change(person, lambda login: to(login, signed))
        return signed

    def _entered(self, login: Login, signed: Signed, link: Link | None = None) -> Becomes:
        session = signed.session
        fact = access_fact(
            "signed_in",
            "session",
            session.id,
            person=signed.person,
            by=signed.person,
            now=session.begun_at,
            way=session.way,
            link=link.id if link is not None else "",
            until=at(session.begun_at + LASTS_MS),
        )
        return Becomes(login.entered(session, session.begun_at), (fact,))

    def _secret(self) -> str:
        """256 bits of chance, as 64 digits."""
        return self._ids.nonce() + self._ids.nonce()


def _no_link() -> NotSignedIn:
    return NotSignedIn(
        "this link was used, or is over, or never was",
        next_step="ask for another: `interlock account link PERSON` on the machine that serves",
    )
