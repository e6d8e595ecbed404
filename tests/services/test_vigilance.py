"""Items known to be bad among those that people decide on."""

import contextlib
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from interlock.adapters.memory import Faults
from interlock.domain.action import Action
from interlock.domain.duration import DAY, MINUTE
from interlock.domain.errors import IllegalMove, IntegrityError, StoreError
from interlock.domain.ids import ContractName, Person
from interlock.domain.record import plain
from interlock.domain.vigilance import CODE, Came, Item, Seed, Watch, drawn, mark_of, next_item
from interlock.testing.conformance.audit import predicate
from interlock.testing.parts import Crash, CrashAt
from interlock.testing.world import World, contract, permit
from tests.audit.honest import lies
from tests.services.test_approvals import RIA, RITA, ask

pytestmark = pytest.mark.anyio

PUT = ContractName("thing.put")
BAD = Item(name="too-much", contract=PUT, arguments={"n": 9_000}, wrong="ten is as many as there are", fields=("n",))
SAM = Person("sam")


async def watched(*items: Item, faults: Faults | None = None, quorum: int = 1) -> tuple[World, Action]:
    """A world in which people were asked about one real action, and after every word an item known to be bad follows."""
    world = World(proven=True, faults=faults)
    world.watch = Watch(one_in=1, within_ms=1, again_ms=DAY, items=items or (BAD,))
    world.plane = world.another("w1")
    await world.apply(
        contract(), contract("thing.free"), rules=(permit(), ask(10, quorum=quorum)), budgets={"calls": 50}
    )
    real = await world.propose(await world.task("user:sam", purpose="daily"), n=20)
    assert real.state == "held"
    await world.plane.seeding.tend()
    return world, real


async def put(world: World, real: Action) -> Action:
    """The item that is put before people after a word on `real`."""
    await world.plane.approvals.reject(real.id, RIA, note="not today")
    world.clock.advance(MINUTE)
    reserved = await world.reserved()
    assert await world.plane.seeding.tend() == 1
    assert await world.reserved() == reserved
    (waiting,) = [each for each in await world.actions() if each.state == "held"]
    return waiting


async def seed_of(world: World, action: Action) -> Seed:
    """What is known of it."""
    found = await world.store.get(Seed, action.id)
    assert found is not None
    return found


@pytest.mark.proves("vigilance.alike")
async def test_an_item_looks_like_what_people_are_asked_about() -> None:
    """Record, first entry, dossier and inbox row have what those of a real one have, name by name, and nothing else; only what
    differs between any two actions differs, and precedents come with it."""
    world, real = await watched()
    bad = await put(world, real)
    again = await world.propose(await world.task("user:sam", purpose="daily"), n=30)
    assert (bad.state, again.state) == ("held", "held")

    records = [plain(each) for each in (bad, again)]
    assert [set(each) for each in records] == [set(records[0])] * 2  # type: ignore[arg-type]  # plain JSON and plain ids, for a test
    differ = {name for name in records[0] if records[0][name] != records[1][name]}  # type: ignore[index,union-attr]  # plain JSON and plain ids, for a test
    words = "id task arguments nonce digest fingerprint idempotency_key proposed_at decision asked hold due_at caller reserved"
    assert differ <= {*words.split(" ")}
    assert (bad.caller is not None, bad.agent, bad.initiator) == (True, again.agent, again.initiator)
    first = [(await world.store.entries_of(each.id))[0] for each in (bad, again)]
    said = [predicate(each) for each in first]
    assert set(said[0]) == set(said[1])
    assert set(said[0]["commitments"]) == set(said[1]["commitments"])
    assert "budget" in said[0]["commitments"]
    shown = [plain(await world.plane.dossiers.open(each.id, RITA)) for each in (bad, again)]
    assert set(shown[0]) == set(shown[1])  # type: ignore[arg-type]  # plain JSON and plain ids, for a test
    rows = (await world.plane.inbox.page(person=RITA, mine=True)).rows
    assert {each.action for each in rows} == {bad.id, again.id}
    opened = [each for each in await world.tasks() if each.id in (bad.task, again.task)]
    assert [each.purpose for each in opened] == ["daily", "daily"]
    assert (await world.plane.dossiers.of(bad.id, RITA)).precedents is not None


@pytest.mark.proves("vigilance.never_done")
@pytest.mark.parametrize(
    ("came", "state", "word"),
    [
        ("missed", "voided", lambda world, action: world.plane.approvals.approve(action.id, RITA)),
        (
            "caught",
            "rejected",
            lambda world, action: world.plane.approvals.reject(action.id, RITA, note="far too many"),
        ),
        ("caught", "voided", lambda world, action: world.plane.approvals.modify(action.id, RITA, {"n": 11})),
        ("missed", "voided", lambda world, action: world.plane.approvals.modify(action.id, RITA, {"n": 9_000})),
    ],
)
async def test_the_first_word_ends_it_and_tells_who_spoke(
    came: Came, state: str, word: Callable[[World, Action], Awaitable[Action]]
) -> None:
    """Whatever the quorum: nothing runs, nothing is reserved or given back, the answer says what was wrong, the log opens the
    mark of the first entry, and its task is closed."""
    world, real = await watched(quorum=2)
    bad = await put(world, real)
    reserved = await world.reserved()
    before = world.effectors.calls.total()

    told = await word(world, bad)
    await world.work()
    await world.work(world.another("w2"))
    await world.plane.seeding.tend()

    after = await world.action(bad)
    assert (told.state, after.state) == (after.state, state)
    assert (CODE in told.reasons, BAD.wrong in told.reasons[-1]) == (True, True)
    assert (world.effectors.calls.total(), await world.reserved()) == (before, reserved)
    seed = await seed_of(world, bad)
    assert (seed.came, seed.person, seed.closed) == (came, RITA, True)
    first, *_, last = await world.store.entries_of(bad.id)
    assert mark_of(predicate(last)["opens"]) == predicate(first)["proof"]
    assert "vigilance" in predicate(last)["commitments"]
    assert "dispatching" not in {each.phase for each in await world.store.entries_of(bad.id)}
    (task,) = [each for each in await world.tasks() if each.id == bad.task]
    assert task.state == "closed"
    with pytest.raises(IllegalMove):
        await world.plane.approvals.approve(bad.id, RIA)
    assert await lies(world.store, world.keys.log.verifier, world.keys.gate) == []


@pytest.mark.proves("vigilance.never_done")
async def test_nothing_else_executes_it() -> None:
    """What nobody speaks on in time ends and says what it was; and whoever writes past the rules is refused."""
    world, real = await watched()
    bad = await put(world, real)
    ready = bad.after("approve", due_at=world.clock.now())

    # No way of the product leads here.
    with pytest.raises(IntegrityError, match="known to be bad"):
        await world.plane.approvals._recorder.write(ready, "approved")
    world.clock.advance(3 * DAY)
    await world.work()

    assert (await world.action(bad)).state == "expired"
    assert (await seed_of(world, bad)).came == "unanswered"
    last = (await world.store.entries_of(bad.id))[-1]
    assert "opens" in predicate(last)


@pytest.mark.proves("vigilance.chance")
async def test_only_what_people_would_be_asked_about_is_put_before_them() -> None:
    """Not what policies allow, nor what is unlike anything, does not fit, or is braked; nor twice while one waits, nor again so
    soon. Each says why."""
    free = Item(name="free", contract=ContractName("thing.free"), arguments={"n": 9_000}, wrong="w")
    low = Item(name="low", contract=PUT, arguments={"n": 1}, wrong="w")
    unfit = Item(name="unfit", contract=PUT, arguments={"n": "many"}, wrong="w")
    gone = Item(name="gone", contract=ContractName("no.such"), arguments={}, wrong="w")
    world, real = await watched(free, low, unfit, gone)
    trial = world.plane.seeding.trial

    assert "not asked about" in await trial(free)
    assert "nobody would be asked" in await trial(low)
    assert await trial(unfit) != ""
    assert "no contract" in await trial(gone)
    assert await trial(BAD) == ""
    await world.plane.approvals.reject(real.id, RIA, note="no")
    world.clock.advance(MINUTE)
    assert await world.plane.seeding.tend() == 0
    assert await world.store.all(Seed) == []
    await world.plane.braking.stop("agent", "ag", by="rita", why="halt")
    assert "stopped" in await trial(BAD)


def test_what_is_put_next_is_what_was_put_least() -> None:
    """None of a contract of which one waits, none that was put of late; and chance turns those that are alike."""
    items = tuple(
        msgspec.structs.replace(BAD, name=name, contract=ContractName(name[0])) for name in ("a1", "a2", "b1")
    )
    watch = Watch(items=items, again_ms=100)
    old = [
        Seed(id=f"s{at}", item=items[0], opens="", task="t", put_at=at, ended_at=at, came="caught")  # type: ignore[arg-type]  # plain JSON and plain ids, for a test
        for at in (0, 10)
    ]
    waits = Seed(id="s", item=items[2], opens="", task="t", put_at=50)  # type: ignore[arg-type]  # plain JSON and plain ids, for a test

    assert next_item(watch, [*old, waits], 60, 0) == (items[1],)
    assert next_item(watch, [*old, waits], 200, 0) == (items[1], items[0])
    assert {next_item(watch, [], 0, chance)[0].name for chance in range(3)} == {"a1", "a2", "b1"}
    assert drawn([0, 5, 7 * 10], 1_000, Watch(one_in=5, within_ms=7)) == (1_000, 1_000 + 5, 1_000)


@pytest.mark.proves("vigilance.told")
async def test_of_items_only_the_measure_of_who_spoke_tells() -> None:
    """Counted neither as proposed nor as asked, in no precedent and no correction; of the reviewer it is caught or missed."""
    world, real = await watched()
    bad = await put(world, real)
    await world.plane.figures.catch_up()
    waits = await world.plane.figures.measures("all")
    await world.plane.approvals.approve(bad.id, RITA)
    await world.plane.figures.catch_up()

    (row,) = (await world.plane.figures.measures("all")).rows
    assert (waits.rows[0].asked, row.asked) == (2, 1)
    people = {each.name: each for each in (await world.plane.figures.measures("reviewer")).rows}
    caught = {
        name: next(each for each in row.figures if each.name == "known_bad_caught") for name, row in people.items()
    }
    assert (people["rita"].asked, people["ria"].asked) == (1, 1)
    assert (caught["rita"].value, caught["rita"].of, caught["ria"].of) == (0, 1, 0)
    assert await world.plane.figures.near(PUT) == [real.id]
    assert [each.action async for each in world.plane.correcting.corrections(every=True)] == [real.id]
    overview = await world.plane.figures.overview()
    assert {each.name: each.value for each in overview.tiles}["tasks"] == 1


@pytest.mark.proves("vigilance.never_done")
async def test_in_a_batch_it_is_the_one_that_has_to_be_opened() -> None:
    """Agreed to all the same it stops the batch: none of the others is decided."""
    world, real = await watched()
    bad = await put(world, real)
    task = await world.task("user:sam")
    others = [await world.propose(task, n=20 + each) for each in range(3)]
    drawn_ = await world.plane.batches.draw(RITA, (bad.id, *(each.id for each in others)))
    assert drawn_.drawn == bad.id
    await world.plane.dossiers.open(bad.id, RITA)
    views = {each.id: each.hold.view for each in (bad, *others) if each.hold is not None}

    result = await world.plane.batches.decide(drawn_.id, RITA, "approve", note="", views=views)

    assert (result.decided, {each.action for each in result.left}) == ((bad.id,), {each.id for each in others})
    assert {(await world.action(each)).state for each in others} == {"held"}


@pytest.mark.proves("vigilance.alike")
async def test_naming_set_after_set_tells_nobody_which_it_is() -> None:
    """Once somebody opened it, it is drawn for them no more often than others are."""
    world, real = await watched()
    bad = await put(world, real)
    task = await world.task("user:sam")
    others = [await world.propose(task, n=20 + each) for each in range(24)]
    await world.plane.dossiers.open(bad.id, RITA)

    drawn_ = []
    for each in others:
        batch = await world.plane.batches.draw(RITA, (bad.id, each.id))
        await world.plane.dossiers.open(batch.drawn, RITA)
        drawn_.append(batch.drawn)

    assert {each == bad.id for each in drawn_} == {True, False}


@pytest.mark.proves("vigilance.never_done")
@pytest.mark.parametrize("fault", ["stored", "not stored"])
async def test_a_word_that_fails_is_told_when_it_is_repeated_or_was_never_said(fault: str) -> None:
    """Of a write that fails, stored or not: afterwards it ended once, with its mark opened, or still waits and can be decided."""
    faults = Faults()
    world, real = await watched(faults=faults)
    bad = await put(world, real)
    faults.at[faults.writes + 1] = "stored" if fault == "stored" else "not stored"
    try:
        await world.plane.approvals.approve(bad.id, RITA)
    except StoreError:
        assert (await world.action(bad)).state == "held"
        await world.plane.approvals.approve(bad.id, RITA)

    assert (await world.action(bad)).state == "voided"
    opened = [each for each in await world.store.entries_of(bad.id) if "opens" in predicate(each)]
    assert len(opened) == 1


@pytest.mark.proves("vigilance.chance")
@pytest.mark.parametrize("fault", ["stored", "not stored"])
async def test_a_round_that_fails_puts_one_at_most(fault: str) -> None:
    """Whether its write was stored or not: the next rounds put what was drawn, once."""
    faults = Faults()
    world, real = await watched(faults=faults)
    await world.plane.approvals.reject(real.id, RIA, note="no")
    world.clock.advance(MINUTE)
    writes = faults.writes
    faults.at = {writes + 2: "stored" if fault == "stored" else "not stored"}
    with contextlib.suppress(StoreError):
        await world.plane.seeding.tend()
    for each in (world.plane, world.another("w2")):
        await each.seeding.tend()

    assert faults.writes >= writes + 2
    assert len(await world.store.all(Seed)) == 1


@pytest.mark.proves("vigilance.never_done")
async def test_who_dies_right_after_the_word_has_told_it() -> None:
    """Word and end are one write: whoever comes later finds both, and another process closes the task."""
    world, real = await watched()
    bad = await put(world, real)
    dying = world.another("w2", CrashAt("vigilance.revealed"))
    with pytest.raises(Crash):
        await dying.approvals.approve(bad.id, RITA)

    assert (await world.action(bad)).state == "voided"
    assert (await seed_of(world, bad)).came == "missed"
    await world.plane.seeding.tend()
    assert (await seed_of(world, bad)).closed
