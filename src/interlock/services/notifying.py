"""Telling people outside what waits for them: what the log says becomes messages, and messages are sent until they arrive.

1. Read the log from where the outbox stands, and put what the channel wants into the outbox: one write, with the new place.
2. Take one message under a lease: one write.
3. Send it.
4. Strike it out: one write.
A crash after 1 or 2 sends it later, after 3 once more under the same id; nothing is lost, and nothing waits for a channel.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

import msgspec

from interlock.domain import notification
from interlock.domain.change import Change
from interlock.domain.channel import Channel
from interlock.domain.errors import Conflict, NotDelivered, NotFound
from interlock.domain.ids import Person
from interlock.domain.names import instead
from interlock.domain.notice import Notice
from interlock.domain.notification import Event, Message, Outbox
from interlock.ports.clock import Clock, Ids
from interlock.ports.log import Log
from interlock.ports.notifier import Notifier
from interlock.ports.store import Store
from interlock.services.following import size_of
from interlock.services.news import News, of_budget
from interlock.services.orders import StandingOrders
from interlock.services.saving import save
from interlock.services.zones import on_call

AT_ONCE: Final = 1_000
"""Entries read in one go."""
_ROUNDS: Final = 20


class ChannelState(msgspec.Struct, frozen=True, kw_only=True):
    """One channel, and how it does."""

    channel: str
    named: bool
    """Whether the workspace still names it."""
    events: tuple[Event, ...]
    """What it is told; empty where it is not named any more."""
    person: Person
    """Whose it is; empty: nobody's."""
    roles: tuple[str, ...]
    """Of what asks people, only what asks one of these; empty: all of it."""
    sent: int
    sent_at: int | None
    waiting: tuple[Message, ...]
    dead: tuple[Message, ...]
    """What was given up, newest last."""
    forgotten: int
    """How many were given up beyond those."""

    @property
    def given_up(self) -> int:
        """How many were given up and not sent since."""
        return len(self.dead) + self.forgotten


class Notifying:
    """The outboxes of all channels."""

    def __init__(
        self,
        *,
        store: Store,
        log: Log,
        orders: StandingOrders,
        clock: Clock,
        ids: Ids,
        channels: Sequence[Channel],
        notifiers: Mapping[str, Notifier],
        public_url: str,
    ) -> None:
        self._store = store
        self._log = log
        self._news = News(store=store, orders=orders, clock=clock)
        self._clock = clock
        self._ids = ids
        self._channels = {channel.name: channel for channel in channels}
        self._notifiers = notifiers
        self._public_url = public_url

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Those that the workspace names."""
        return tuple(self._channels.values())

    async def outboxes(self) -> list[Outbox]:
        """What each channel has still to tell, those among them that no file names any more."""
        return await self._store.all(Outbox)

    async def states(self) -> list[ChannelState]:
        """Every channel that is named or has anything to tell still, by name."""
        boxes = {each.channel: each for each in await self.outboxes()}
        return [
            _state(boxes.get(name, Outbox(channel=name)), self._channels.get(name))
            for name in sorted({*boxes, *self._channels})
        ]

    async def collect(self, channel: Channel) -> int:
        """Read the log for `channel`. How many entries were read; 0: it knows all there is. A channel that is new begins with
        what happens from now on."""
        box = await self._store.get(Outbox, channel.name)
        if box is None:
            await self._begin(channel)
            return 0
        entries = await self._log.entries(box.cursor, box.cursor + AT_ONCE)
        notices = await self._notices(box, channel)
        if not entries and not notices:
            return 0
        news = [found for entry in entries if (found := await self._news.of(entry, channel)) is not None]
        now = self._clock.now()
        after = notification.taken(
            box,
            [*news, *(of_budget(each, channel) for each in notices)],
            now=now,
            dedupe_ms=channel.dedupe_ms,
            quiet_until=lambda moment: _quiet_until(channel, moment),
        )
        after = msgspec.structs.replace(
            after,
            cursor=entries[-1].index + 1 if entries else box.cursor,
            noticed=notices[-1].key if notices else box.noticed,
        )
        try:
            await save(self._store, Change(puts=(after,)))
        except Conflict:
            return len(entries)  # another process read them
        return len(entries)

    async def deliver(self, channel: Channel) -> bool:
        """Send the next message of `channel`, if one is due and nobody else is at it. Whether there was one."""
        box, now = await self._store.get(Outbox, channel.name), self._clock.now()
        message = None if box is None else notification.due(box, now)
        if box is None or message is None:
            return False
        leased, message = notification.leased(box, message, now)
        try:
            await save(self._store, Change(puts=(leased,)))
        except Conflict:
            return True
        try:
            notifier = self._notifiers[channel.name]
            await notifier.send(message, notification.told(message, self._public_url), now)
        except NotDelivered as error:
            await self._changed(channel.name, partial(self._failed, message, error))
        else:
            await self._changed(channel.name, lambda box: notification.delivered(box, message, self._clock.now()))
        return True

    async def due_in(self, channel: Channel) -> int | None:
        """In how many milliseconds `channel` has something to send; None: nothing waits."""
        box = await self._store.get(Outbox, channel.name)
        return None if box is None or box.next_at is None else max(box.next_at - self._clock.now(), 0)

    async def resend(self, name: str, ids: Sequence[str] = ()) -> int:
        """Put the dead letters of a channel, or those of these ids, on their way again. How many. Raises NotFound."""

        def change(box: Outbox) -> Outbox:
            after = notification.resent(box, self._clock.now(), ids)
            count = len(box.dead) - len(after.dead)
            if ids and count < len(set(ids)):
                raise NotFound(
                    f"`{name}` has no such dead letter",
                    next_step=instead(ids[0], [each.id for each in box.dead], "list them: `interlock notifications`"),
                )
            return after if count else box

        changed = await self._changed(name, change)
        if changed is None:
            raise Conflict("the outbox kept changing", kind=Outbox.kind, key=name)
        before, after = changed
        return len(before.dead) - len(after.dead)

    async def test(self, name: str) -> None:
        """Send a message that says it is a test, at once, past quiet hours. Raises NotFound, and NotDelivered."""
        if name not in self._channels:
            raise NotFound(
                f"there is no channel `{name}`",
                next_step=instead(name, self._channels, "name one under `notifications` in interlock.yaml"),
            )
        now = self._clock.now()
        message = Message(id=f"{name}-test-{self._ids.new()}", event="test", made_at=now)
        await self._notifiers[name].send(message, notification.told(message, self._public_url), now)

    # -- parts -------------------------------------------------------------------------------------------------

    async def _begin(self, channel: Channel) -> None:
        notices = await self._store.all(Notice, limit=1)
        box = Outbox(
            channel=channel.name,
            cursor=await size_of(self._log),
            noticed=notices[0].key if notices else "",
        )
        try:
            await save(self._store, Change(puts=(box,)))
        except Conflict:
            return

    async def _box(self, name: str) -> Outbox:
        box = await self._store.get(Outbox, name)
        if box is None:
            there = [each.channel for each in await self.outboxes()]
            raise NotFound(
                f"nothing was ever told on a channel `{name}`",
                next_step=instead(name, there, "list them: `interlock notifications`"),
            )
        return box

    async def _changed(self, name: str, change: Callable[[Outbox], Outbox]) -> tuple[Outbox, Outbox] | None:
        """The outbox of that name before and after `change`; None where it kept changing."""
        for _ in range(_ROUNDS):
            before = await self._box(name)
            after = change(before)
            if after is before:
                return before, after
            try:
                await save(self._store, Change(puts=(after,)))
            except Conflict:
                continue
            return before, after
        return None

    def _failed(self, message: Message, error: NotDelivered, box: Outbox) -> Outbox:
        now = self._clock.now()
        return notification.failed(box, message, error.detail, now, for_good=error.for_good, wait_ms=error.wait_ms)

    async def _notices(self, box: Outbox, channel: Channel) -> list[Notice]:
        """Notices of budgets that came since, the oldest first."""
        if "budget" not in channel.events:
            return []
        found = await self._store.all(Notice, limit=100)
        return [each for each in reversed(found) if each.key > box.noticed]


def _state(box: Outbox, channel: Channel | None) -> ChannelState:
    return ChannelState(
        channel=box.channel,
        named=channel is not None,
        events=() if channel is None else channel.events,
        person=Person("") if channel is None else channel.person,
        roles=() if channel is None else channel.roles,
        sent=box.sent,
        sent_at=box.sent_at,
        waiting=box.pending,
        dead=box.dead,
        forgotten=box.forgotten,
    )


def _quiet_until(channel: Channel, now: int) -> int:
    """When the quiet hours that run at `now` are over; `now` where none do."""
    return now if channel.quiet is None else max([now, *(each.ends_at for each in on_call(channel.quiet, now))])
