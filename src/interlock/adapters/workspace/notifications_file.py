"""`notifications` in `interlock.yaml`: ways to people outside, by name.

notifications:
  team: {slack: {url: env:SLACK_WEBHOOK}, events: [asked, escalated, overdue]}
  rita:
    mail: {server: mail.example.org, port: 587, from: interlock@example.org, to: [rita@example.org], user: interlock,
           password: file:secrets/mail}
    person: rita
    quiet: {from: "22:00", to: "07:00", zone: Europe/Berlin}
  desk: {webhook: {url: "https://desk.example.org/hooks/interlock", secret: env:DESK_SECRET}}
  phones: {apprise: {url: env:APPRISE_URL}}
"""

import re
from typing import Final, Literal
from urllib.parse import urlsplit

from interlock.adapters.addresses import is_safe
from interlock.adapters.references import is_reference
from interlock.adapters.workspace.fields import NAME, Section, near
from interlock.adapters.workspace.routing_file import is_zone, minutes
from interlock.domain.channel import DEDUPE_MS, SLACK_HOST, Apprise, Channel, Mail, Slack, Way, Webhook
from interlock.domain.hosting import NEAR
from interlock.domain.ids import Person
from interlock.domain.notification import EVENTS, Event
from interlock.domain.on_call import DAYS, Rota, Shift

_WAYS: Final = ("slack", "webhook", "mail", "apprise")
_TLS: Final[tuple[Literal["starttls", "tls", "none"], ...]] = ("starttls", "tls", "none")
_ADDRESS: Final = re.compile(r"[^\s@<>,;]{1,64}@[^\s@<>,;]{1,255}")
_HOST: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")


def read_channels(section: Section | None) -> tuple[Channel, ...]:
    """Every channel; none where nothing is said."""
    if section is None:
        return ()
    found: list[Channel] = []
    for name, node in section.own():
        below = section.below(node, name)
        if not NAME.fullmatch(name):
            section.wrong(f"`{name[:64]}` is no name for a channel", node)
        elif below is not None and (channel := _channel(name, below)) is not None:
            found.append(channel)
    return tuple(found)


def _channel(name: str, section: Section) -> Channel | None:
    ways = [word for word in _WAYS if section.has(word)]
    if len(ways) != 1:
        section.wrong(f"{section.what} goes one way: {', '.join(_WAYS[:-1])} or {_WAYS[-1]}")
        return None
    below = section.section(ways[0])
    events: list[Event] = []
    for word in section.words("events"):
        if word.text in EVENTS:
            events.append(word.text)
        else:
            section.wrong(f"`{word.text[:64]}` is no event{near(word.text, EVENTS)}", word)
    channel = (
        None
        if below is None
        else Channel(
            name=name,
            way=_way(ways[0], below),
            events=tuple(events) if section.has("events") else EVENTS,
            roles=section.texts("roles"),
            person=Person(section.text("person", "")),
            quiet=_quiet(section.section("quiet")),
            dedupe_ms=section.span("dedupe", DEDUPE_MS),
        )
    )
    section.close()
    return channel


def _way(kind: str, section: Section) -> Way:
    way: Way
    match kind:
        case "slack":
            way = Slack(url=_secret(section, "url"), host=section.text("host", SLACK_HOST).lower())
        case "webhook":
            way = Webhook(url=_url(section), secret=_secret(section, "secret"))
        case "mail":
            way = _mail(section)
        case _:
            way = Apprise(url=_secret(section, "url"))
    section.close()
    return way


def _mail(section: Section) -> Mail:
    host = section.text("server", required=True)
    if host and not _HOST.fullmatch(host):
        section.wrong("`server` is the name of a host", section.take("server"))
    tls = section.choice("tls", _TLS, "starttls")
    if tls == "none" and host not in NEAR:
        section.wrong("`tls: none` is for a mail server on this machine alone", section.take("tls"))
    port = section.integer("port", 465 if tls == "tls" else 587, least=1)
    if port > 65535:
        section.wrong("`port` is at most 65535", section.take("port"))
    to = section.words("to")
    sender = section.text("from", required=True)
    for text, node in [(sender, section.take("from")), *((word.text, word) for word in to)]:
        if text and not _ADDRESS.fullmatch(text):
            section.wrong(f"`{text[:64]}` is no mail address", node)
    if not to:
        section.wrong("`to` names nobody", section.take("to"))
    user = section.text("user")
    return Mail(
        host=host,
        port=port,
        tls=tls,
        sender=sender,
        to=tuple(word.text for word in to),
        user=user,
        password=_secret(section, "password") if user else "",
    )


def _secret(section: Section, name: str) -> str:
    """A reference to a secret. What is one itself is refused without being repeated."""
    text = section.text(name, required=True)
    if text and not is_reference(text):
        section.wrong(
            f"`{name}` is a secret, which stands in no file here: `env:NAME`, or `file:PATH`", section.take(name)
        )
        return ""
    return text


def _url(section: Section) -> str:
    url = section.text("url", required=True)
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if url and (not host or not is_safe(url) or parts.username or parts.password):
        section.wrong(
            "`url` begins with https:// and names a host; http:// is for this machine alone", section.take("url")
        )
    return url


def _quiet(section: Section | None) -> Rota | None:
    if section is None:
        return None
    zone = section.text("zone", "UTC")
    if not is_zone(zone):
        section.wrong(f"`{zone[:64]}` is no time zone that is known here", section.take("zone"))
    shift = Shift(days=DAYS, begins=minutes(section, "from"), ends=minutes(section, "to"))
    section.close()
    return Rota(zone=zone, shifts=(shift,))
