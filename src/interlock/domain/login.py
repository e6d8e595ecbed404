"""What one person signs in with, and where they are signed in: password, one-time links and sessions, in one record.

One record a person, so that a link that is used, the session it becomes, and all that a new password ends are one comparison
and one commit. Of every secret only the SHA-256 is kept (each is 256 bits of chance), of a password what argon2id makes of it.
"""

from hashlib import sha256
from typing import ClassVar, Final, Literal, get_args

import msgspec

from interlock.domain.duration import DAY, HOUR, MINUTE
from interlock.domain.ids import Digest, Person
from interlock.domain.instance import digest_of_secret
from interlock.domain.record import Record, Withheld
from interlock.domain.throttle import Tries

Way = Literal["link", "password", "oidc"]
"""By what somebody signed in."""
WAYS: Final[tuple[Way, ...]] = get_args(Way)

LINK_MS: Final = 10 * MINUTE
IDLE_MS: Final = 12 * HOUR
"""A session nobody used for so long is over."""
LASTS_MS: Final = 7 * DAY
"""No session is longer, however much it is used."""
SEEN_MS: Final = 5 * MINUTE
"""How much older than this the last use on record must be before it is written again."""
FRESH_MS: Final = 10 * MINUTE
"""So long after somebody showed who they are nobody asks them again."""
MOST_SESSIONS: Final = 16
MOST_LINKS: Final = 4


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A one-time way in. Only the digest of its secret is kept."""

    id: str
    digest: Digest
    made_at: int
    expires_at: int


class Session(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One browser that is signed in."""

    id: str
    """By which people and the log name it; it opens nothing."""
    digest: Digest
    """SHA-256 of the secret in its cookie."""
    way: Way
    begun_at: int
    seen_at: int
    roles: tuple[str, ...]
    """What the person held when it began: should they hold less by now, it is over."""
    browser: str = ""
    """What the browser says it is, so that its owner knows it again."""
    proved_at: int = 0
    """When whoever is in it said their password once more; 0 if they did not."""

    def fresh(self, now: int) -> bool:
        """Whether whoever is in it showed lately that it is them."""
        return now < max(self.begun_at, self.proved_at) + FRESH_MS

    def alive(self, now: int) -> bool:
        """Whether it is neither idle for too long nor too old."""
        return now < min(self.seen_at + IDLE_MS, self.begun_at + LASTS_MS)


class Glass(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A person broke the glass: for a while they may more where they broke it, and said why."""

    id: str
    why: str
    begun_at: int
    until_at: int
    session: str = ""
    """The session they broke it in, which alone may more; empty: at the machine, where there are no sessions."""

    def widens(self, session: str, now: int) -> bool:
        """Whether what comes from `session` may more for it, at `now`."""
        return self.session == session and self.begun_at <= now < self.until_at


class Login(Record, frozen=True, kw_only=True, omit_defaults=True):
    """How one person of people.yaml signs in. What they may do is not here: people.yaml says that."""

    kind: ClassVar[str] = "login"

    handle: str
    """`handle_of` the person."""
    person: Person
    made_at: int
    first_at: int = 0
    """When they signed in first."""
    password: str = ""
    """In the encoded form of argon2id, parameters and salt within. Empty: no password opens."""
    links: tuple[Link, ...] = ()
    sessions: tuple[Session, ...] = ()
    tries: int = 0
    """Passwords tried since the last right one. Counted before they are looked at."""
    locked_until: int = 0
    subject: str = ""
    """Issuer and subject by which an identity provider named them first; another subject with their address is not them."""
    glass: Glass | None = None
    keys_made: int = 0
    """How many API keys they ever made: a count of those that count leans on it."""
    withheld: Withheld = ""

    @property
    def key(self) -> str:
        """Filed by handle."""
        return self.handle

    def session(self, secret: str, now: int) -> Session | None:
        """The live session of this secret."""
        # Digests of 256 bits of chance are compared: how long that takes tells nobody anything about the secret.
        wanted = digest_of_secret(secret)
        return next((each for each in self.sessions if each.digest == wanted and each.alive(now)), None)

    def named(self, session: str, now: int) -> Session | None:
        """The live session of this id."""
        return next((each for each in self.sessions if each.id == session and each.alive(now)), None)

    def link(self, secret: str, now: int) -> Link | None:
        """The link of this secret, if it still counts."""
        wanted = digest_of_secret(secret)
        return next((each for each in self.links if each.digest == wanted and now < each.expires_at), None)

    def offered(self, link: Link, now: int) -> "Login":
        """It, with one more link: the oldest of many goes."""
        kept = [each for each in self.links if now < each.expires_at]
        return msgspec.structs.replace(self, links=(*kept[-(MOST_LINKS - 1) :], link))

    def entered(self, session: Session, now: int) -> "Login":
        """It, once `session` has begun: tries and dead sessions are gone, and so is every link, whoever may have kept one."""
        alive = [each for each in self.sessions if each.alive(now)]
        alive.sort(key=lambda each: each.seen_at)
        return msgspec.structs.replace(
            self,
            sessions=(*alive[-(MOST_SESSIONS - 1) :], session),
            links=(),
            tries=0,
            locked_until=0,
            first_at=self.first_at or now,
        )

    def seen(self, session: Session, now: int) -> "Login":
        """It, with `session` used just now."""
        return self._with(msgspec.structs.replace(session, seen_at=now))

    def proved(self, session: Session, now: int) -> "Login":
        """It, once whoever is in `session` said the right password: what was tried before is forgotten."""
        proved = self._with(msgspec.structs.replace(session, seen_at=now, proved_at=now))
        return msgspec.structs.replace(proved, tries=0, locked_until=0)

    def _with(self, session: Session) -> "Login":
        return msgspec.structs.replace(
            self, sessions=tuple(session if each.id == session.id else each for each in self.sessions)
        )

    def without(self, *sessions: str) -> "Login":
        """It, without these sessions."""
        return msgspec.structs.replace(self, sessions=tuple(each for each in self.sessions if each.id not in sessions))

    def tried(self, now: int) -> "Login":
        """It, with one more password tried. From the first that is one too many on, it is locked, twice as long each time."""
        after = Tries(self.tries, self.locked_until).more(now)
        return msgspec.structs.replace(self, tries=after.count, locked_until=after.until)

    def secured(self, password: str, *, keep: str = "") -> "Login":
        """It, with another password: sessions and links are over, but for the session `keep`."""
        kept = tuple(each for each in self.sessions if each.id == keep)
        return msgspec.structs.replace(self, password=password, sessions=kept, links=(), tries=0, locked_until=0)


def handle_of(person: str) -> str:
    """Under which a person's record is filed: names nobody at sight, and can be tried by whoever has a list of names."""
    return sha256(f"interlock.login\0{person}".encode(errors="surrogatepass")).hexdigest()[:32]


def split(token: str) -> tuple[str, str]:
    """Handle and secret of what a cookie or a link carries; two empty texts for what none of ours ever was."""
    handle, dot, secret = token.partition(".")
    ours = len(token) == TOKEN_LENGTH and dot and not set(handle + secret) - set("0123456789abcdef")
    return (handle, secret) if ours and len(handle) == HANDLE_LENGTH else ("", "")


HANDLE_LENGTH: Final = 32
TOKEN_LENGTH: Final = HANDLE_LENGTH + 1 + 64
