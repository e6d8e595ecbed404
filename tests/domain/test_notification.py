"""The outbox of a channel as rules: nothing is lost in a burst, and everything is sent or given up."""

from collections import Counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as some

from interlock.domain.duration import HOUR, MINUTE
from interlock.domain.notification import (
    CRITICAL,
    EVENTS,
    LEASE_MS,
    MOST_DEAD,
    MOST_PENDING,
    WAITS,
    Event,
    Message,
    Outbox,
    delivered,
    due,
    failed,
    leased,
    resent,
    taken,
    told,
)

NOW = 1_790_000_000_000


def news(number: int, event: Event = "asked", **changes: object) -> Message:
    """One message that is about something of its own."""
    made = Message(id=f"c-{number}", event=event, made_at=NOW, about=f"{event} {number}", critical=event in CRITICAL)
    return msgspec.structs.replace(made, **changes)


def took(box: Outbox, *messages: Message, now: int = NOW, quiet: int = 0) -> Outbox:
    """`box` with `messages`, while it is quiet for so long."""
    return taken(box, messages, now=now, dedupe_ms=5 * MINUTE, quiet_until=lambda moment: moment + quiet)


def sent(box: Outbox, now: int) -> tuple[Outbox, Message]:
    """Whoever sends takes the next."""
    message = due(box, now)
    assert message is not None
    return leased(box, message, now)


BURSTS = some.lists(some.tuples(some.integers(0, 300), some.sampled_from(EVENTS), some.booleans()), max_size=120)


@given(burst=BURSTS)
def test_a_burst_is_told_in_few_messages_and_of_nothing_is_not_told(burst: list[tuple[int, Event, bool]]) -> None:
    """However much comes, and whatever is being sent meanwhile: each different thing is told once or counted once."""
    box, wanted, alone = Outbox(channel="c"), set[str](), Counter[str]()
    for number, event, sending in burst:
        message = news(number, event, id=f"{event}-{number}")
        wanted.add(message.about)
        box = took(box, message)
        if sending:
            box, message = sent(box, NOW) if due(box, NOW) else (box, message)

    for each in box.pending:
        alone.update(each.counts or {each.event: 1})
    assert alone.total() == len(wanted)
    assert len({each.id for each in box.pending}) == len(box.pending)
    taken_up = sum(each.attempts > 0 for each in box.pending)
    assert len(box.pending) <= 2 * (MOST_PENDING + 1) + taken_up


def test_ten_thousand_at_once_are_twenty_one_messages() -> None:
    """Twenty one by one, and the rest together, with how many of what."""
    box = took(Outbox(channel="c"), *(news(number) for number in range(10_000)))

    assert len(box.pending) == MOST_PENDING + 1
    assert box.pending[-1].counts == {"asked": 9_980}
    assert told(box.pending[-1], "").lines == ("9980 x waits for somebody's word",)


def test_the_same_news_is_not_told_again_for_a_while() -> None:
    """Within the window once; after it again."""
    box = took(Outbox(channel="c"), news(1), news(1))
    again = took(box, news(1), now=NOW + 4 * MINUTE)
    later = took(again, news(1, id="c-2"), now=NOW + 6 * MINUTE)

    assert [len(each.pending) for each in (box, again, later)] == [1, 1, 2]


def test_quiet_hours_hold_back_everything_but_what_is_critical() -> None:
    """What waits is due when they end; what nobody may sleep through is due at once, and goes first."""
    box = took(Outbox(channel="c"), news(1), news(2, "stopped"), quiet=8 * HOUR)
    after, first = sent(box, NOW)

    assert first.event == "stopped"
    assert due(after, NOW + 8 * HOUR - 1) is None or due(after, NOW + 8 * HOUR - 1) == first
    left = delivered(after, first, NOW)
    assert (due(left, NOW + 8 * HOUR - 1), due(left, NOW + 8 * HOUR)) == (None, left.pending[0])


def test_it_is_tried_again_and_given_up_in_the_end() -> None:
    """Each time later, under the same id; then it is a dead letter, which goes again when somebody says so."""
    box, now, ids = took(Outbox(channel="c"), news(1)), NOW, list[str]()
    while box.pending:
        now = box.pending[0].due_at
        box, message = sent(box, now)
        ids.append(message.id)
        box = failed(box, message, "it answers 503", now, for_good=False)

    assert ids == ["c-1"] * (len(WAITS) + 1)
    assert now - NOW == sum(WAITS)
    assert (box.dead[0].error, box.dead[0].attempts) == ("it answers 503", len(WAITS) + 1)
    again = resent(box, now)
    assert ([each.id for each in again.pending], again.dead) == (["c-1"], ())


def test_what_can_never_arrive_is_given_up_at_once_and_waits_are_heeded() -> None:
    """A refusal for good is no reason to go on; `Retry-After` is the least that is waited."""
    box, message = sent(took(Outbox(channel="c"), news(1)), NOW)

    assert len(failed(box, message, "gone", NOW, for_good=True).dead) == 1
    waiting = failed(box, message, "slow down", NOW, for_good=False, wait_ms=HOUR)
    assert waiting.pending[0].due_at == NOW + HOUR


def test_a_lease_that_ran_out_is_anybodys() -> None:
    """Whoever took it died: it is due again, under the same id, and a late answer of theirs changes nothing."""
    box, lost = sent(took(Outbox(channel="c"), news(1)), NOW)
    assert due(box, NOW + LEASE_MS - 1) is None
    box, again = sent(box, NOW + LEASE_MS)

    assert again.id == lost.id
    assert failed(box, lost, "late", NOW + LEASE_MS, for_good=True) == box
    done = delivered(box, again, NOW + LEASE_MS)
    assert (done.pending, done.sent, delivered(done, lost, NOW)) == ((), 1, done)


def test_dead_letters_are_kept_so_many() -> None:
    """The oldest go first, and how many went is known."""
    box = Outbox(channel="c", dead=tuple(news(number) for number in range(MOST_DEAD)))
    box, message = sent(took(box, news(MOST_DEAD)), NOW)
    after = failed(box, message, "no", NOW, for_good=True)

    assert (len(after.dead), after.forgotten, after.dead[-1].id) == (MOST_DEAD, 1, message.id)


@pytest.mark.parametrize("event", EVENTS)
def test_every_event_has_words_and_a_page(event: Event) -> None:
    """And without an address of ours there is no link to nowhere."""
    message = news(1, event, action="a-1", contract="refunds.issue")

    assert "refunds.issue" in told(message, "https://x").title
    assert told(message, "https://x").link.endswith("/a-1")
    assert told(message, "").link == ""
