"""Messages to people: what they tell, and the outbox of one channel as rules on values.

The log is where messages come from: an entry is written in the commit of what it tells of, so nothing can happen and not be
told, whatever dies in between. An outbox remembers how far it has read. Delivery is at least once, under an id that is the same
each time. No message holds arguments, results, or names of people.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar, Final, Literal, get_args

import msgspec

from interlock.domain.duration import HOUR, MINUTE, SECOND
from interlock.domain.evidence import at
from interlock.domain.record import Record

Event = Literal[
    "asked",
    "reminded",
    "escalated",
    "overdue",
    "expired",
    "unknown",
    "undo_failed",
    "stopped",
    "resumed",
    "alarm",
    "glass_broken",
    "budget",
    "drifted",
    "test",
]
EVENTS: Final[tuple[Event, ...]] = get_args(Event)
CRITICAL: Final[frozenset[Event]] = frozenset({"stopped", "alarm", "glass_broken", "undo_failed"})
"""What nobody may sleep through, whatever it is about."""
SAID: Final[dict[Event, str]] = {
    "asked": "waits for somebody's word",
    "reminded": "still waits for somebody's word",
    "escalated": "was not answered in time, and waits for your word as well",
    "overdue": "is overdue, and still waits for somebody's word",
    "expired": "expired: nobody answered in time",
    "unknown": "may or may not have happened: somebody has to find out",
    "undo_failed": "could not be undone: somebody is needed",
    "stopped": "a brake was pulled",
    "resumed": "a brake was lifted",
    "alarm": "the policy engines disagree, and the slower one answers",
    "glass_broken": "somebody took emergency rights",
    "budget": "a budget is nearly used up",
    "drifted": "a server says something else of a tool than what was accepted: it is not called",
    "test": "this is a test",
}
WAITS: Final[tuple[int, ...]] = (5 * SECOND, 30 * SECOND, 2 * MINUTE, 10 * MINUTE, 30 * MINUTE, 2 * HOUR, 6 * HOUR)
"""Between attempts. After the last of them it is a dead letter."""
LONGEST_WAIT: Final = 6 * HOUR
LEASE_MS: Final = MINUTE
"""For how long whoever sends has it for itself: longer than any attempt takes."""
MOST_PENDING: Final = 20
"""How many wait one by one; what comes beyond is told in one message together."""
MOST_DEAD: Final = 200
MOST_RECENT: Final = 500


class Message(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing to tell, or of a burst: how many of what."""

    id: str
    """The same for every attempt: whoever gets it twice can tell."""
    event: Event
    made_at: int
    """When it happened, UTC ms."""
    about: str = ""
    """What is the same in the same news: not told again for a while."""
    critical: bool = False
    action: str = ""
    contract: str = ""
    agent: str = ""
    risk: str = ""
    deadline: int | None = None
    roles: tuple[str, ...] = ()
    """Who is asked, by role."""
    detail: str = ""
    """Which scope, which budget: names of ours alone."""
    counts: dict[Event, int] = {}
    """Of a burst: how many by event."""
    due_at: int = 0
    """When to send it, UTC ms."""
    attempts: int = 0
    lease_until: int = 0
    error: str = ""
    """Why it could not be sent the last time."""


class Outbox(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What one channel has still to tell, and what it could not."""

    kind: ClassVar[str] = "outbox"

    channel: str
    cursor: int = 0
    """How many entries of the log it has read."""
    noticed: str = ""
    """The key of the last notice of a budget that it has read."""
    pending: tuple[Message, ...] = ()
    dead: tuple[Message, ...] = ()
    """What was given up, newest last; at most `MOST_DEAD`."""
    forgotten: int = 0
    """How many dead letters there were beyond those."""
    sent: int = 0
    sent_at: int | None = None
    recent: tuple[tuple[str, int], ...] = ()
    """What was told lately, and when."""

    @property
    def key(self) -> str:
        """Filed by its channel."""
        return self.channel

    @property
    def next_at(self) -> int | None:
        """When there is something to send, UTC ms."""
        return min((max(each.due_at, each.lease_until) for each in self.pending), default=None)


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A message in words."""

    title: str
    lines: tuple[str, ...]
    link: str
    """The page where it can be looked at; nothing happens by opening it. Empty where no address is known."""


def taken(
    outbox: Outbox, news: Iterable[Message], *, now: int, dedupe_ms: int, quiet_until: Callable[[int], int]
) -> Outbox:
    """`outbox` with `news` in it. `quiet_until` says until when nobody is to be woken, or the same moment."""
    recent = {about: told_at for about, told_at in outbox.recent if told_at + dedupe_ms > now}
    pending = list(outbox.pending)
    for each in news:
        if each.about and each.about in recent:
            continue
        if each.about:
            recent[each.about] = now
        message = msgspec.structs.replace(each, due_at=now if each.critical else quiet_until(now))
        _put(pending, message, now)
    kept = sorted(recent.items(), key=lambda pair: pair[1])[-MOST_RECENT:]
    return msgspec.structs.replace(outbox, pending=tuple(pending), recent=tuple(kept))


def _put(pending: list[Message], message: Message, now: int) -> None:
    """At the end, or where too many wait already into what is told together: what is critical apart from the rest."""
    alike = [place for place, each in enumerate(pending) if each.critical == message.critical]
    if len(alike) < MOST_PENDING:
        pending.append(message)
        return
    for place in alike:
        each = pending[place]
        if each.counts and not each.attempts and each.lease_until <= now:
            more = {**each.counts, message.event: each.counts.get(message.event, 0) + 1}
            pending[place] = msgspec.structs.replace(each, counts=more)
            return
    counts: dict[Event, int] = {message.event: 1}
    together = Message(
        id=message.id, event=message.event, made_at=message.made_at, critical=message.critical, counts=counts
    )
    pending.append(msgspec.structs.replace(together, due_at=message.due_at))


def due(outbox: Outbox, now: int) -> Message | None:
    """What is to be sent next, or None: what is critical first, then in the order of things."""
    ready = [each for each in outbox.pending if each.due_at <= now and each.lease_until <= now]
    return min(ready, key=lambda each: (not each.critical, each.due_at), default=None)


def leased(outbox: Outbox, message: Message, now: int) -> tuple[Outbox, Message]:
    """`message` for whoever sends it now."""
    after = msgspec.structs.replace(message, attempts=message.attempts + 1, lease_until=now + LEASE_MS)
    return _with(outbox, after), after


def delivered(outbox: Outbox, message: Message, now: int) -> Outbox:
    """`message` has arrived. Where somebody else sent it meanwhile, nothing is left to do."""
    left = tuple(each for each in outbox.pending if each.id != message.id)
    if len(left) == len(outbox.pending):
        return outbox
    return msgspec.structs.replace(outbox, pending=left, sent=outbox.sent + 1, sent_at=now)


def failed(outbox: Outbox, message: Message, why: str, now: int, *, for_good: bool, wait_ms: int = 0) -> Outbox:
    """`message` did not arrive: again later, or never where that is `for_good` or was tried often enough."""
    current = next((each for each in outbox.pending if each.id == message.id), None)
    if current is None or current.attempts != message.attempts:
        return outbox
    after = msgspec.structs.replace(current, error=why[:300], lease_until=0)
    if not for_good and message.attempts <= len(WAITS):
        wait = min(max(WAITS[message.attempts - 1], wait_ms), LONGEST_WAIT)
        return _with(outbox, msgspec.structs.replace(after, due_at=now + wait))
    dead = (*outbox.dead, after)
    return msgspec.structs.replace(
        outbox,
        pending=tuple(each for each in outbox.pending if each.id != message.id),
        dead=dead[-MOST_DEAD:],
        forgotten=outbox.forgotten + max(len(dead) - MOST_DEAD, 0),
    )


def resent(outbox: Outbox, now: int, ids: Sequence[str] = ()) -> Outbox:
    """The dead letters of these ids, or all of them, on their way again under the ids they had."""
    again = [each for each in outbox.dead if not ids or each.id in ids]
    fresh = tuple(msgspec.structs.replace(each, attempts=0, lease_until=0, due_at=now, error="") for each in again)
    left = tuple(each for each in outbox.dead if each not in again)
    return msgspec.structs.replace(outbox, pending=(*outbox.pending, *fresh), dead=left)


def told(message: Message, public_url: str) -> Told:
    """`message` in words, with the page to open."""
    if message.counts:
        lines = tuple(f"{count} x {SAID[event]}" for event, count in message.counts.items())
        return Told(title="Interlock: many things at once", lines=lines, link=public_url and f"{public_url}/approvals")
    what = message.contract or message.detail
    title = f"Interlock: {what} {SAID[message.event]}" if message.contract else f"Interlock: {SAID[message.event]}"
    facts = (
        ("what", message.detail),
        ("agent", message.agent),
        ("risk", message.risk),
        ("asked", ", ".join(message.roles)),
        ("until", at(message.deadline) if message.deadline is not None else ""),
        ("action", message.action),
    )
    lines = tuple(f"{name}: {said}" for name, said in facts if said)
    return Told(title=title, lines=lines, link=_link(message, public_url))


def _link(message: Message, public_url: str) -> str:
    if not public_url:
        return ""
    if message.action:
        page = "approvals" if message.event in ("asked", "reminded", "escalated", "overdue") else "actions"
        return f"{public_url}/{page}/{message.action}"
    return public_url


def _with(outbox: Outbox, message: Message) -> Outbox:
    pending = tuple(message if each.id == message.id else each for each in outbox.pending)
    return msgspec.structs.replace(outbox, pending=pending)
