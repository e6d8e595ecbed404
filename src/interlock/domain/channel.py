"""Ways to people outside: where messages go, which of them, and when nobody is to be woken. Secrets are named, never held."""

from typing import Final

import msgspec

from interlock.domain.duration import MINUTE
from interlock.domain.ids import Person
from interlock.domain.notification import EVENTS, Event
from interlock.domain.on_call import Rota

SLACK_HOST: Final = "hooks.slack.com"
DEDUPE_MS: Final = 5 * MINUTE


class Slack(msgspec.Struct, frozen=True, kw_only=True):
    """An incoming webhook as Slack has them, and others after it. Its address is itself a secret."""

    url: str
    """`env:NAME` or `file:PATH`, where the address is to be found."""
    host: str = SLACK_HOST
    """The only host it may name."""


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """A program of yours, told in signed JSON."""

    url: str
    secret: str
    """`env:NAME` or `file:PATH`, where the key of the signature is to be found."""


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """A mail server."""

    host: str
    port: int
    tls: str
    """`starttls`, `tls`, or `none` for one on this machine."""
    sender: str
    to: tuple[str, ...]
    user: str = ""
    password: str = ""
    """`env:NAME` or `file:PATH`."""


class Apprise(msgspec.Struct, frozen=True, kw_only=True):
    """Whatever the library Apprise knows a way to."""

    url: str
    """`env:NAME` or `file:PATH`, where its address is to be found."""


Way = Slack | Webhook | Mail | Apprise


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """One way, and what goes it."""

    name: str
    way: Way
    events: tuple[Event, ...] = EVENTS
    roles: tuple[str, ...] = ()
    """Of what asks people, only what asks one of these roles; empty: all of it."""
    person: Person = Person("")
    """Whose channel it is: of what asks people, only what asks a role that they hold, and of a role that has a rota only while
    they are on call for it, or nobody is. Empty: it is nobody's."""
    quiet: Rota | None = None
    """Hours in which only what is critical passes; the rest waits for their end."""
    dedupe_ms: int = DEDUPE_MS
    """For how long the same news about the same thing is not repeated."""
