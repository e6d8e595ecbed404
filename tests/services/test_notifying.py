"""What happens is told outside, at least once and once only while nothing fails, without a word of what is private."""

import contextlib

import msgspec
import pytest

from interlock.adapters.memory import Fault
from interlock.domain.action import Action
from interlock.domain.change import Change
from interlock.domain.channel import Channel, Webhook
from interlock.domain.contract import Cost
from interlock.domain.control import Control
from interlock.domain.duration import HOUR, MINUTE
from interlock.domain.errors import NotDelivered, NotFound, StoreError
from interlock.domain.ids import Person
from interlock.domain.notification import MOST_PENDING, Message, Outbox, Told
from interlock.domain.on_call import DAYS, Rota, Shift
from interlock.domain.recording import control_fact
from interlock.domain.routing import Routing
from interlock.services.notifying import Notifying
from interlock.services.plane import ControlPlane
from interlock.testing.world import World, contract, permit
from tests.services.test_approvals import ask

pytestmark = pytest.mark.anyio

RITA = Person("rita")


class Post:
    """A way that remembers what went it, and fails as it is told to."""

    def __init__(self) -> None:
        self.got: list[tuple[Message, Told]] = []
        self.fails: list[NotDelivered] = []
        self.arrives = False
        """Whether what fails arrived all the same."""

    async def send(self, message: Message, told: Told, now: int) -> None:
        """See `Notifier`."""
        del now
        failure = self.fails.pop(0) if self.fails else None
        if failure is None or self.arrives:
            self.got.append((message, told))
        if failure is not None:
            raise failure


class Site:
    """A world with one channel."""

    def __init__(self, **changes: object) -> None:
        self.world = World()
        self.post = Post()
        way = Webhook(url="https://example.org", secret="env:S")  # noqa: S106  where it would be
        self.channel = msgspec.structs.replace(Channel(name="team", way=way), **changes)
        self.world.channels, self.world.notifiers = (self.channel,), {"team": self.post}
        self.world.plane = self.world.another("w1")

    async def begin(self, routing: Routing | None = None) -> "Site":
        """Everything is in force, and the channel has been asked once: news begin here."""
        await self.world.apply(
            contract(cost=Cost(unit="EUR", amount="$args.n")),
            rules=(permit(), ask(10)),
            budgets={"EUR": 1000},
            routing=routing,
        )
        await self.tell()
        return self

    @property
    def notifying(self) -> Notifying:
        """The service."""
        return self.world.plane.notifying

    async def tell(self, process: ControlPlane | None = None) -> None:
        """What a worker does."""
        notifying = (process or self.world.plane).notifying
        while await notifying.collect(self.channel):
            pass
        while await notifying.deliver(self.channel):
            pass

    async def held(self) -> Action:
        """One action that waits for people."""
        return await self.world.propose(await self.world.task(), n=50)

    def events(self) -> list[str]:
        """What was told, in order."""
        return [message.event for message, _ in self.post.got]


async def test_a_question_is_told_with_all_that_is_needed_and_nothing_private() -> None:
    """Contract, risk, who is asked, until when, and the page; no argument, no name of a person, nothing of why."""
    it = await Site().begin()
    action = await it.held()
    await it.tell()
    await it.tell()

    [(message, told)] = it.post.got
    assert (message.event, message.contract, message.roles, message.deadline) == (
        "asked", "thing.put", ("reviewer",), action.deadline,
    )  # fmt: skip
    assert told.link == f"https://interlock.test/approvals/{action.id}"
    written = msgspec.json.encode([message, told]).decode()
    assert "ana" not in written.replace(str(action.id), "")
    assert "50" not in "".join(told.lines).replace(str(action.id), "").replace("1970", "")[:20]


@pytest.mark.proves("notify.nothing_missed")
async def test_every_kind_of_news_is_told() -> None:
    """Reminded, expired, a brake pulled and lifted, a budget that is nearly used up."""
    it = await Site().begin()
    await it.held()
    it.world.clock.advance(13 * HOUR)
    await it.world.work()
    await it.tell()
    it.world.clock.advance(13 * HOUR)
    await it.world.work()
    await it.world.plane.braking.stop("agent", "ag", why="x", by="rita")
    await it.world.plane.braking.resume("agent", "ag", by="rita")
    await it.tell()
    await it.world.plane.registry.apply(it.world.definition(soft={"EUR": 15}), by="rita")
    await it.world.propose(await it.world.task(), n=10)
    await it.world.propose(await it.world.task(), n=9)
    await it.tell()

    assert it.events() == ["asked", "reminded", "stopped", "expired", "resumed", "budget"]
    assert "tenant: EUR" in it.post.got[-1][1].lines[0]


@pytest.mark.proves("notify.nothing_missed")
async def test_what_was_before_a_channel_is_not_told_on_it() -> None:
    """A channel begins with what happens from then on: nobody is flooded with the past."""
    it = Site()
    await it.world.apply(contract(), rules=(permit(), ask(10)))
    await it.held()
    await it.tell()
    await it.held()
    await it.tell()

    assert it.events() == ["asked"]


async def test_what_was_answered_before_anybody_looked_is_not_told() -> None:
    """A question that is no longer one wakes nobody."""
    it = await Site().begin()
    action = await it.held()
    await it.world.plane.approvals.approve(action.id, RITA)
    await it.tell()

    assert it.events() == []


@pytest.mark.parametrize(
    ("changes", "events"),
    [({"roles": ("lead",)}, []), ({"roles": ("reviewer", "lead")}, ["asked"]), ({"events": ("stopped",)}, [])],
)
async def test_a_channel_gets_what_it_asks_for(changes: dict[str, object], events: list[str]) -> None:
    """By event, and by the role that is asked."""
    it = await Site(**changes).begin()
    await it.held()
    await it.tell()

    assert it.events() == events


async def test_quiet_hours_are_kept() -> None:
    """Held back until they are over; a brake is told at once."""
    it = Site()
    minute = it.world.clock.now() // MINUTE % 1440
    quiet = Rota(shifts=(Shift(days=DAYS, begins=(minute - 5) % 1440, ends=(minute + 120) % 1440),))
    it.channel = msgspec.structs.replace(it.channel, quiet=quiet)
    await it.begin()
    await it.held()
    await it.world.plane.braking.stop("agent", "ag", why="x", by="rita")
    await it.tell()
    assert it.events() == ["stopped"]

    it.world.clock.advance(3 * HOUR)
    await it.tell()
    assert it.events() == ["stopped", "asked"]


@pytest.mark.proves("notify.at_least_once")
@pytest.mark.parametrize("fault", ["stored", "not stored"])
async def test_whichever_write_fails_it_is_told(fault: Fault) -> None:
    """Stored or not, each write in turn: it is told, and what is told twice has one id."""
    for nth in range(1, 4):
        it = await Site().begin()
        await it.held()
        it.world.store.faults.at[it.world.store.faults.writes + nth] = fault
        with contextlib.suppress(StoreError):
            await it.tell()
        it.world.clock.advance(2 * MINUTE)
        await it.tell(it.world.another("survivor"))

        assert (nth, {message.id for message, _ in it.post.got}) == (nth, {it.post.got[0][0].id})
        [box] = await it.notifying.outboxes()
        assert (box.pending, box.sent) == ((), 1)


@pytest.mark.proves("notify.at_least_once")
async def test_what_does_not_arrive_goes_again_and_is_listed_when_it_is_given_up() -> None:
    """Later, under the same id; refused for good it is a dead letter, which a person sends again."""
    it = await Site().begin()
    it.post.fails = [NotDelivered("it answers 503"), NotDelivered("it answers 410", for_good=True)]
    it.post.arrives = True
    await it.held()
    await it.tell()
    it.world.clock.advance(MINUTE)
    await it.tell()
    [box] = await it.notifying.outboxes()
    assert ([each.error for each in box.dead], box.pending) == (["it answers 410"], ())

    with pytest.raises(NotFound):
        await it.notifying.resend("team", ["nothing"])
    assert await it.notifying.resend("team") == 1
    await it.tell()
    assert len({message.id for message, _ in it.post.got}) == 1
    assert len(it.post.got) == 3


@pytest.mark.proves("notify.at_least_once")
async def test_two_processes_tell_it_once_between_them() -> None:
    """Whoever comes second finds the message taken, or gone."""
    it = await Site().begin()
    other = it.world.another("w2")
    await it.held()
    assert await it.notifying.collect(it.channel)
    assert await other.notifying.collect(it.channel) == 0
    assert await it.notifying.deliver(it.channel)
    assert not await other.notifying.deliver(it.channel)

    assert it.events() == ["asked"]


@pytest.mark.proves("notify.nothing_missed")
async def test_who_takes_emergency_rights_is_noticed_at_once_and_not_named() -> None:
    """It passes quiet hours; who it was and why stands behind the sign-in."""
    it = Site()
    all_day = Rota(shifts=(Shift(days=DAYS, begins=0, ends=0),))
    it.channel = msgspec.structs.replace(it.channel, quiet=all_day)
    await it.begin()
    await it.world.plane.breaking.begin(RITA, why="the lead is on a plane and prices are wrong")
    await it.tell()

    assert it.events() == ["glass_broken"]
    assert "rita" not in msgspec.json.encode(it.post.got).decode()
    assert "plane" not in msgspec.json.encode(it.post.got).decode()


@pytest.mark.proves("notify.on_call")
async def test_what_asks_a_role_is_told_whoever_is_on_call() -> None:
    """A person's channel has what asks a role of theirs: always without a rota, else while they are on call or nobody is."""
    minute = World().clock.now() // MINUTE % 1440
    now, later = ((minute + each) % 1440 for each in (-5, 600))

    def rota(begins: int, *people: str) -> Routing:
        shift = Shift(days=DAYS, begins=begins, ends=(begins + 60) % 1440, people=tuple(map(Person, people)))
        return Routing(on_call={"reviewer": Rota(shifts=(shift,))})

    told: list[list[str]] = []
    for routing in (Routing(), rota(now, "rita"), rota(now, "ria"), rota(later, "ria")):
        it = await Site(person=RITA).begin(routing)
        await it.held()
        await it.tell()
        told.append(it.events())
    it = await Site(person=Person("bo")).begin()
    await it.held()
    await it.tell()

    assert told == [["asked"], ["asked"], [], ["asked"]]
    assert it.events() == []


@pytest.mark.proves("notify.nothing_missed")
async def test_a_second_broken_glass_is_news_of_its_own() -> None:
    """Who comes right after somebody else does not pass for them, and a channel of somebody's has both."""
    it = await Site(person=RITA).begin()
    await it.world.plane.breaking.begin(RITA, why="the lead is on a plane and prices are wrong")
    await it.world.plane.breaking.begin(Person("ria"), why="the lead is on a plane, and so am I")
    await it.tell()

    assert it.events() == ["glass_broken", "glass_broken"]


async def test_ten_thousand_things_at_once_are_few_messages() -> None:
    """A burst is told in as many messages as anybody reads, with how many there were."""
    it = await Site().begin()
    control = await it.world.store.get(Control, "control")
    assert control is not None
    facts = tuple(
        control_fact(control, "resumed", {"scope": "task", "name": f"t{number}"}, "rita", it.world.clock.now())
        for number in range(10_000)
    )
    await it.world.store.commit(Change(facts=facts))
    while await it.notifying.collect(it.channel):
        pass
    [box] = await it.notifying.outboxes()
    await it.tell()

    assert len(box.pending) == MOST_PENDING + 1
    assert sum(sum(message.counts.values()) or 1 for message, _ in it.post.got) == 10_000


async def test_a_test_goes_at_once_and_says_what_is_wrong() -> None:
    """It says that it is one, and leaves nothing behind; a channel that is not there is named."""
    it = await Site().begin()
    await it.notifying.test("team")
    it.post.fails = [NotDelivered("the environment variable `S` is not set")]
    with pytest.raises(NotDelivered, match="is not set"):
        await it.notifying.test("team")
    with pytest.raises(NotFound, match="no channel"):
        await it.notifying.test("teem")

    assert it.events() == ["test"]
    assert (await it.world.store.all(Outbox))[0].pending == ()
