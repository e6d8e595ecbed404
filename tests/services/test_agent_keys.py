"""Agent keys: who makes them, whom they let in, within what, and that nothing of them is left anywhere."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.adapters.memory import Fault, Faults
from interlock.domain.agent_key import AGENT_KEY, LONGEST_MS, AgentKey, told_of
from interlock.domain.bearer import Bearer, Bounds
from interlock.domain.borne import Borne
from interlock.domain.duration import DAY, HOUR, MINUTE
from interlock.domain.errors import (
    ContractError,
    InterlockError,
    NotAdmitted,
    NotAllowed,
    NotFound,
    RateExceeded,
    StoreError,
)
from interlock.domain.grant import anything_with
from interlock.domain.ids import AgentName, ContractName, Person
from interlock.domain.task import Task
from interlock.domain.throttle import FROM_ONE_PLACE, PLACE_MS
from interlock.embedded import Embedded
from interlock.sdk.connection import Connection
from interlock.sdk.home import Home
from interlock.services.plane import ControlPlane
from interlock.testing.conformance.audit import audited, predicate
from interlock.testing.world import World, contract

pytestmark = pytest.mark.anyio
RITA, ANA = Person("rita"), Person("ana")
AG = AgentName("ag")
HERE = "192.0.2.1"


async def ready(faults: Faults | None = None) -> World:
    """A world with an agent whose owners may make keys."""
    world = World(faults=faults)
    await world.apply(contract(), contract("thing.look", effect="read"))
    return world


async def made(world: World, **said: object) -> tuple[str, AgentKey]:
    """A key of `ag` on behalf of ana."""
    wanted: dict[str, object] = {"purpose": "answer questions", "on_behalf_of": "user:ana", "by": RITA, **said}
    return await world.plane.agent_keys.make(AG, **wanted)  # type: ignore[arg-type]  # each test says some of them


async def admitted(
    world: World, token: str, *, surface: str = "mcp", address: str = HERE, process: ControlPlane | None = None
) -> Bearer:
    """Who bears it."""
    borne = Borne(authorization=(f"Bearer {token}",), address=address)
    return await (process or world.plane).bearing.admit(borne, "models" if surface == "models" else "mcp")


async def refusal(world: World, token: str, **said: str) -> NotAdmitted:
    """Why it lets nobody in."""
    with pytest.raises(NotAdmitted) as caught:
        await admitted(world, token, **said)  # type: ignore[arg-type]
    return caught.value


def program(world: World) -> Connection:
    """A gateway, as an instance of its own in this process."""
    return Connection(Embedded(world.plane), Home(), lambda _: None, world.identity())


async def opened(world: World, bearer: Bearer, gateway: Connection | None = None) -> Task:
    """A task for who bears a token."""
    return await (gateway or program(world)).opened(bearer.opening(world.clock.now()))


@pytest.mark.proves("bearing.key_lets_in")
async def test_a_key_lets_in_as_its_agent_within_its_bounds() -> None:
    """Whoever bears it is the agent, on behalf of whom and for what the key says; a task for it has the key's bounds and ends no
    later than the key; task and log say which key it was."""
    world = World(proven=True)
    await world.apply(contract(), contract("thing.look", effect="read"))
    bounds = Bounds(
        tools=anything_with(["thing.put"]), prohibited=(ContractName("thing.look"),), budgets={"calls": 2}, lasts_ms=DAY
    )
    text, key = await made(world, bounds=bounds, lasts_ms=HOUR, surfaces=("models", "mcp"))
    world.clock.advance(10 * MINUTE)

    bearer = await admitted(world, text)
    task = await opened(world, bearer)

    assert (bearer.agent, bearer.initiator, bearer.purpose) == ("ag", "user:ana", "answer questions")
    assert (bearer.surfaces, bearer.through) == (("mcp", "models"), f"agent_key:{key.id}")
    assert (task.through, task.initiator, task.purpose) == (bearer.through, "user:ana", "answer questions")
    assert (task.tools, task.prohibited, task.budgets) == (bounds.tools, bounds.prohibited, {"calls": 2})
    assert task.expires_at == key.expires_at
    entries = [predicate(each) for each in await audited(world.store, world.keys)]
    assert [each["through"] for each in entries if "through" in each] == [f"agent_key:{key.id}"]
    (said,) = [each for each in entries if each["phase"] == "key_made"]
    assert (said["what"], said["agent"], said["surfaces"]) == ("agent_key", "ag", ["mcp", "models"])
    assert said["commitments"].keys() == {"alg", "by", "initiator", "purpose"}


@pytest.mark.proves("bearing.key_lets_in")
async def test_what_a_child_of_such_a_task_came_through_is_the_same() -> None:
    """A task inside another says by what that one came, and a program from outside cannot say it came by anything."""
    world = await ready()
    text, _ = await made(world)
    task = await world.plane.tasks.open((await admitted(world, text)).opening(world.clock.now()))
    child = await world.task(parent=task)

    assert child.through == task.through
    assert (await world.task()).through == ""


@pytest.mark.proves("bearing.secrets_kept_nowhere")
async def test_of_the_secret_nothing_is_kept() -> None:
    """No record, entry, refusal or text that shows a request holds the secret; names and words are behind commitments."""
    world = await ready()
    text, key = await made(world)
    secret = text.partition(".")[2]
    bearer = await admitted(world, text)
    await opened(world, bearer)
    borne = Borne(authorization=(f"Bearer {text}",), address=HERE)
    await world.plane.revoking.revoke("key", key.id, by="rita", why="lost")
    words = await refusal(world, text)

    truth = world.store._truth
    rows = "".join(str(row[1]) for row in truth.rows.values())
    log = "".join(each.leaf.decode() + "".join(each.disclosures) for each in truth.entries)
    shown = f"{borne!r} {bearer!r} {words} {words.problem()} {words.challenge} {told_of(key, 0)}"
    assert secret not in rows + log + shown
    assert key.digest not in log + shown
    assert "user:ana" not in "".join(str(predicate(each)) for each in truth.entries)


@pytest.mark.proves("bearing.none_other")
@pytest.mark.parametrize(
    "alter",
    [
        lambda text: text[:-1] + ("0" if text[-1] != "0" else "1"),
        lambda text: text.upper(),
        lambda text: text.replace("ila_", "il_"),
        lambda text: f"{text}0",
        lambda text: text.partition(".")[0],
        lambda text: f"ila_{'0' * 32}.{text.partition('.')[2]}",
        lambda text: f"{text.partition('.')[0]}.{'0' * 64}",
        lambda text: text + "=",
    ],
)
async def test_only_the_key_itself_lets_in(alter: Callable[[str], str]) -> None:
    """One letter off, another id, no secret, a key of a person's form: 401 with the challenge, in the same words."""
    world = await ready()
    text, _ = await made(world)

    refused = await refusal(world, alter(text))

    assert (refused.status, refused.detail) == (401, "the token is none that counts: made up, over, or revoked")
    assert refused.challenge.startswith('Bearer error="invalid_token"')


@pytest.mark.proves("bearing.ends")
async def test_a_key_ends_by_time_revocation_and_with_its_agent() -> None:
    """It is over when its time is, when it is revoked, when its agent is suspended or gone or what was granted to it was revoked,
    and when the one it works for was; never otherwise."""
    world = await ready()

    async def fresh() -> str:
        text, _ = await made(world, lasts_ms=HOUR)
        await admitted(world, text)
        return text

    text = await fresh()
    world.clock.advance(HOUR)
    assert (await refusal(world, text)).status == 401
    for what, name in (("agent", "ag"), ("user", "user:ana")):
        text = await fresh()
        await world.plane.revoking.revoke("agent" if what == "agent" else "user", name, by="rita", why="")
        assert "revoked" in (await refusal(world, text)).detail
        assert await fresh()
    text = await fresh()
    await world.plane.agents.move(AG, "suspend", by=RITA, why="odd")
    refused = await refusal(world, text)
    assert (refused.status, refused.detail) == (403, "agent `ag` is suspended")
    with pytest.raises(NotAllowed, match="suspended"):
        await made(world)
    await world.plane.agents.move(AG, "activate", by=RITA, why="fine")
    await admitted(world, text)
    await world.plane.agents.move(AG, "retire", by=RITA, why="old")
    await world.plane.agents.move(AG, "retire", by=Person("ria"), why="old")
    assert (await refusal(world, text)).status == 403


@pytest.mark.proves("bearing.ends")
async def test_revoking_a_key_takes_what_was_opened_through_it() -> None:
    """Its open tasks are closed, what waits there is voided, nothing more is decided in them; the tasks of another key go on."""
    world = World(proven=True)
    await world.apply(contract())
    (text, key), (other, _) = await made(world), await made(world)
    gateway = program(world)
    task = await opened(world, await admitted(world, text), gateway)
    left = await opened(world, await admitted(world, other), gateway)

    taken = await world.plane.revoking.revoke("key", key.id, by="ana", why="lost")

    assert taken.closed == 1
    after = await world.store.get(Task, task.id)
    assert after is not None
    assert (after.state, after.failure) == ("closed", "Revoked")
    still = await world.store.get(Task, left.id)
    assert still is not None
    assert still.state == "open"
    kept = await world.store.get(AgentKey, key.id)
    assert kept is not None
    assert kept.revoked_at == world.clock.now()
    again = await world.plane.revoking.revoke("key", key.id, by="ana", why="lost")
    assert again.already
    with pytest.raises(NotFound):
        await world.plane.revoking.revoke("key", "0" * 32, by="ana", why="")
    with pytest.raises(ContractError):
        await world.plane.revoking.revoke("key", text, by="ana", why="")


@pytest.mark.proves("bearing.revoke_race")
async def test_who_was_let_in_before_a_revocation_opens_nothing_after_it() -> None:
    """Between being let in and opening a task a key is revoked, its agent's grants are, or its user's: the task is not opened, in
    whatever process."""
    for kind in ("key", "agent", "user"):
        world = await ready()
        text, key = await made(world)
        other = world.another("w2")
        bearer = await admitted(world, text, process=other)
        if kind == "key":
            await world.plane.revoking.revoke("key", key.id, by="rita", why="lost")
        elif kind == "agent":
            await world.plane.revoking.revoke("agent", "ag", by="rita", why="lost")
        else:
            await world.plane.revoking.revoke("user", "user:ana", by="rita", why="lost")
        with pytest.raises(NotAllowed):
            await other.tasks.open(bearer.opening(world.clock.now()))
        assert [each.through for each in await world.tasks()] == []


@pytest.mark.proves("bearing.revoke_race")
async def test_a_revocation_among_uses_at_once() -> None:
    """Uses in two processes and a revocation at once: afterwards the key is revoked, lets nobody in, and no task that came
    through it is open."""
    world = await ready()
    text, key = await made(world)
    other = world.another("w2")

    async def use(plane: ControlPlane) -> None:
        try:
            bearer = await admitted(world, text, process=plane)
            await plane.tasks.open(bearer.opening(world.clock.now()))
        except InterlockError:
            pass

    uses: list[Awaitable[object]] = [use((world.plane, other)[n % 2]) for n in range(20)]
    await asyncio.gather(*uses[:10], world.plane.revoking.revoke("key", key.id, by="rita", why=""), *uses[10:])
    await world.plane.revoking.tend()

    assert (await refusal(world, text)).status == 401
    assert [each.id for each in await world.tasks() if each.state == "open"] == []
    stored = await world.store.get(AgentKey, key.id)
    assert stored is not None
    assert stored.revoked_at


async def test_who_may_make_one() -> None:
    """Who answers for the agent's decisions or engineering; nobody else, of no agent that is not there, for no span, purpose or
    bounds that there are not."""
    world = await ready()
    await made(world, by=ANA)
    with pytest.raises(NotAllowed, match="answers neither"):
        await made(world, by=Person("ria"))
    with pytest.raises(NotFound):
        await world.plane.agent_keys.make(AgentName("nobody"), by=RITA, purpose="x")
    for wrong in (
        {"lasts_ms": 0},
        {"lasts_ms": LONGEST_MS + 1},
        {"purpose": "  "},
        {"purpose": "a\nb"},
        {"on_behalf_of": "user:"},
        {"on_behalf_of": "Ana Lee: x"},
        {"surfaces": ()},
        {"surfaces": ("mcp", "people")},
        {"bounds": Bounds(tools=anything_with(["thing.putt"]))},
        {"bounds": Bounds(prohibited=(ContractName("thing.putt"),))},
        {"bounds": Bounds(budgets={"calls": -1})},
        {"bounds": Bounds(lasts_ms=0)},
    ):
        with pytest.raises(ContractError):
            await made(world, **wrong)
    _, key = await made(world, on_behalf_of="")
    assert key.initiator == "system:ag"
    _, key = await made(world, on_behalf_of="ana")
    assert key.initiator == "user:ana"
    assert next(each.id for each in await world.plane.agent_keys.all("ag")) == key.id
    assert await world.plane.agent_keys.all("nobody") == []


@pytest.mark.proves("bearing.surface")
async def test_a_key_is_for_what_it_was_made_for() -> None:
    """A key for tools does not open model calls, nor the reverse: 403 with `insufficient_scope`."""
    world = await ready()
    text, _ = await made(world)
    refused = await refusal(world, text, surface="models")

    assert (refused.status, 'error="insufficient_scope"' in refused.challenge) == (403, True)
    text, _ = await made(world, surfaces=("models",))
    assert (await refusal(world, text)).status == 403
    await admitted(world, text, surface="models")


@pytest.mark.proves("bearing.throttled")
async def test_wrong_tokens_from_one_address_are_counted_and_right_ones_go_on() -> None:
    """After fifty tokens that are none from one address, further new ones are refused unread; one that this process let in before
    is still let in, and another address is not held up."""
    world = await ready()
    text, _ = await made(world)
    later, _ = await made(world)
    await admitted(world, text)
    for nth in range(FROM_ONE_PLACE):
        await refusal(world, f"ila_{nth:032x}.{'0' * 64}")

    with pytest.raises(RateExceeded, match="too many tokens"):
        await admitted(world, later)
    await admitted(world, text)
    await admitted(world, later, address="198.51.100.7")
    world.clock.advance(PLACE_MS)
    await admitted(world, later)


@pytest.mark.proves("bearing.one_form")
@pytest.mark.parametrize(
    ("borne", "status"),
    [
        (Borne(), 401),
        (Borne(authorization=("",)), 401),
        (Borne(authorization=("Basic QTpC",)), 401),
        (Borne(authorization=("Bearer",)), 400),
        (Borne(authorization=("Bearer a b",)), 400),
        (Borne(authorization=("Bearer a, Bearer b",)), 400),
        (Borne(authorization=("Bearer é",)), 400),
        (Borne(authorization=("Bearer a\x00",)), 400),
        (Borne(authorization=("Bearer " + "a" * 20_000,)), 400),
        (Borne(authorization=("Bearer KEY", "Bearer KEY")), 400),
        (Borne(authorization=("Bearer KEY",), dpop=("a", "b")), 400),
        (Borne(authorization=("Bearer KEY",), query="access_token=KEY"), 400),
        (Borne(query="x=1&access_token=KEY"), 400),
        (Borne(authorization=("Bearer KEY",), query="x=1&Access%5FToken"), 400),
        (Borne(authorization=("Bearer KEY",), query="a" * 9_000), 400),
    ],
)
async def test_a_token_is_borne_once_in_one_header(borne: Borne, status: int) -> None:
    """No token, another scheme, two of them, one in the address, one of odd letters or endless length: refused unread."""
    world = await ready()
    text, _ = await made(world)
    said = msgspec.structs.replace(
        borne,
        authorization=tuple(each.replace("KEY", text) for each in borne.authorization),
        query=borne.query.replace("KEY", text),
    )

    with pytest.raises(NotAdmitted) as caught:
        await world.plane.bearing.admit(said, "mcp")

    assert caught.value.status == status
    assert caught.value.challenge.startswith("Bearer")
    assert text.partition(".")[2] not in str(caught.value.problem()) + caught.value.challenge


@pytest.mark.parametrize("fault", ["stored", "not stored"])
@pytest.mark.proves("bearing.faults")
async def test_a_key_that_may_not_have_been_made_or_revoked(fault: Fault) -> None:
    """When the store fails while a key is made or revoked: what was stored is told, what was not is not there, and a key of which
    nobody was told that it is revoked is revoked or lets in as before."""
    faults = Faults()
    world = await ready(faults)
    faults.at[faults.writes + 1] = fault
    try:
        text, key = await made(world)
    except StoreError:
        assert (fault, await world.plane.agent_keys.all()) == ("not stored", [])
        text, key = await made(world)
    await admitted(world, text)
    faults.at[faults.writes + 1] = fault
    try:
        await world.plane.revoking.revoke("key", key.id, by="rita", why="")
    except StoreError:
        stored = await world.store.get(AgentKey, key.id)
        assert stored is not None
        if not stored.revoked_at:
            await admitted(world, text)
            return
    assert (await refusal(world, text)).status == 401
    assert await audited(world.store, world.keys)


async def test_a_use_that_cannot_be_dated_lets_in_all_the_same() -> None:
    """That a key was used today is a date; when it cannot be written, the date is lost and nothing else."""
    faults = Faults()
    world = await ready(faults)
    text, key = await made(world)
    faults.at[faults.writes + 1] = "not stored"
    await admitted(world, text)
    stored = await world.store.get(AgentKey, key.id)
    assert stored is not None
    assert stored.used_at == 0
    await admitted(world, text)
    stored = await world.store.get(AgentKey, key.id)
    assert stored is not None
    assert stored.used_at == world.clock.now() - world.clock.now() % DAY


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200) | st.from_regex(r"ila_[0-9a-f]{30,34}\.[0-9a-f]{60,70}"))
async def test_no_text_is_a_key_that_was_not_made(text: str) -> None:
    """Whatever is borne, in whatever letters, is refused in the tree of our errors."""
    world = await ready()
    parts = AGENT_KEY.split(text)
    assert parts is None or f"ila_{parts[0]}.{parts[1]}" == text
    with pytest.raises(NotAdmitted):
        await admitted(world, text)
