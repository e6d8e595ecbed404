"""Brakes: every scope, every mode, at every step at which they are asked."""

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from interlock.domain.acting import Acting
from interlock.domain.call import Answer, Call
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import PythonTarget, TwoPhase
from interlock.domain.control import HOLDS, REFUSES, BrakeWords, Control, Stop, StopMode, StopScope
from interlock.domain.dsse import parse
from interlock.domain.errors import ContractError, NotAllowed, NotFound
from interlock.domain.ids import AgentName, ContractName, Digest, Person, TaskId
from interlock.domain.jwk import thumbprint
from interlock.domain.policy import Policy
from interlock.domain.task import Task
from interlock.testing.parts import Landed
from interlock.testing.world import World, contract, permit
from tests.services.packets import predicate_of

pytestmark = pytest.mark.anyio
THUMB = thumbprint(b"\x01" * 32)
MODES: tuple[StopMode, ...] = ("stop", "pause", "drain")
RUN = ("thing.put", "run")
PHASES = TwoPhase(prepare=PythonTarget(target="world:ask"), abort=PythonTarget(target="world:drop"))
ACTING = Acting(
    agent=AgentName("ag"),
    release=Digest("r"),
    contract=ContractName("thing.put"),
    tags=frozenset({"web"}),
    instance=THUMB,
    tasks=(TaskId("outer"), TaskId("inner")),
    initiator="user:ana",
)
NAMES: dict[StopScope, str] = {
    "all": "",
    "tenant": "t",
    "agent": "ag",
    "release": "r",
    "contract": "thing.put",
    "tag": "web",
    "instance": THUMB,
    "task": "outer",
    "user": "user:ana",
}


async def world_of(two_phase: TwoPhase | None = None) -> World:
    """A world with one agent in the cohort `web`, whose process is THUMB."""
    world = World()
    world.instance = THUMB
    await world.apply(contract(two_phase=two_phase), contract("thing.other"), tags=("web",))
    return world


def named(scope: StopScope, task: Task) -> str:
    """What a brake of `scope` on `task` is called."""
    return {**NAMES, "release": task.release, "task": task.id}[scope]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("scope", NAMES)
@pytest.mark.proves("brakes.scopes", "brakes.modes")
async def test_each_scope_in_each_mode(scope: StopScope, mode: StopMode) -> None:
    """`stop` refuses and holds, `pause` decides and holds, `drain` refuses and lets go on; after `resume` all goes on."""
    world = await world_of()
    task, other = await world.task(), world.another("w2")
    waiting = await world.propose(task, here=False)
    name = named(scope, task)

    await other.braking.stop(scope, name, by="rita", why="smoke", mode=mode)
    new = await world.propose(task, n=2)
    await world.work()

    begins = {"stop": "stopped", "drain": "draining", "pause": "paused"}[mode]
    assert (new.state, new.reasons[-1]) == ("ready" if mode == "pause" else "refused", f"{begins}: smoke")
    assert (await world.action(waiting)).state == ("done" if mode == "drain" else "ready")
    assert world.effectors.calls[RUN] == (mode == "drain")

    await other.braking.resume(scope, name, by="rita")
    world.clock.advance(1_000)
    await world.work()
    assert (await world.action(waiting)).state == "done"
    assert (await world.action(new)).state == ("done" if mode == "pause" else "refused")
    assert (await world.propose(task, n=3)).state == "done"


@pytest.mark.parametrize("scope", [scope for scope in NAMES if scope not in ("all", "tenant")])
@pytest.mark.proves("brakes.scopes")
async def test_a_brake_holds_its_scope_and_no_other(scope: StopScope) -> None:
    """Another agent, release, contract, cohort, instance, task or person is not held by it."""
    stop = msgspec.structs.replace(World().plane.braking.made(scope, NAMES[scope], mode="stop"), until_at=None)
    elsewhere: dict[StopScope, Acting] = {
        "agent": msgspec.structs.replace(ACTING, agent=AgentName("other")),
        "release": msgspec.structs.replace(ACTING, release=Digest("s")),
        "contract": msgspec.structs.replace(ACTING, contract=ContractName("thing.other")),
        "tag": msgspec.structs.replace(ACTING, tags=frozenset({"night"})),
        "instance": msgspec.structs.replace(ACTING, instance=""),
        "task": msgspec.structs.replace(ACTING, tasks=(TaskId("other"),)),
        "user": msgspec.structs.replace(ACTING, initiator="user:bob"),
    }

    assert stop.covers(ACTING)
    assert not stop.covers(elsewhere[scope])


@given(
    st.lists(st.tuples(st.sampled_from(MODES), st.sampled_from([None, 5, 10, 11]), st.booleans()), max_size=5),
    st.sampled_from([HOLDS, REFUSES]),
)
@example([("pause", None, True), ("stop", None, True)], HOLDS)
@example([("drain", None, True), ("stop", 11, True)], REFUSES)
@pytest.mark.proves("brakes.modes")
def test_whatever_brakes_stand_the_strictest_that_holds_answers(
    pulled: list[tuple[StopMode, int | None, bool]], modes: frozenset[StopMode]
) -> None:
    """Of any brakes on an action one answers exactly if one of the modes asked for still holds, and a `stop` goes first."""
    stops = tuple(
        Stop(scope="agent", name="ag" if on else "other", mode=mode, since_at=0, until_at=until)
        for mode, until, on in pulled
    )
    found = Control(stops=stops).stopped(ACTING, 10, modes=modes)
    wanted = [mode for mode, until, on in pulled if on and mode in modes and until in (None, 11)]

    assert (found is None) == (not wanted)
    assert found is None or (found.mode == "stop") == ("stop" in wanted)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.proves("brakes.modes", "two_phase.abort")
async def test_between_reserving_and_committing(mode: StopMode) -> None:
    """A `stop` releases what was reserved, a `pause` keeps it and commits after `resume`, a `drain` lets it commit."""
    world = await world_of(two_phase=PHASES)
    calm = world.another("w2")

    async def between(arguments: dict[str, JsonValue], call: Call) -> Answer:
        await calm.braking.stop("tag", "web", by="rita", why="halt", mode=mode)
        return Landed("token")

    world.effectors.on("thing.put", "prepare", between)
    action = await world.propose(await world.task())
    await world.work()
    assert (await world.action(action)).state == {"stop": "voided", "pause": "prepared", "drain": "done"}[mode]
    assert world.effectors.calls[RUN] == (mode == "drain")

    await calm.braking.resume("tag", "web", by="rita")
    world.clock.advance(2_000)
    await world.work()
    assert (await world.action(action)).state == ("voided" if mode == "stop" else "done")
    assert world.effectors.calls["thing.put", "prepare"] == 1


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.proves("brakes.approvals")
async def test_what_waits_for_people(mode: StopMode) -> None:
    """A yes counts under every brake; it is carried out at once where the scope drains, and else once it is lifted."""
    ask = Policy(id="ask", effect="forbid", owner="pia", verdict="require_approval", approver="reviewer", quorum=1)
    world = World()
    await world.apply(contract(), rules=(permit(), (ask, lambda _: True)), tags=("web",))
    action = await world.propose(await world.task())
    assert action.hold is not None
    assert action.hold.requirements[0].role == "reviewer"

    await world.plane.braking.stop("tag", "web", by="rita", why="smoke", mode=mode)
    (brake,) = await world.plane.braking.brakes()
    assert (await world.plane.braking.held_back(brake.stop)).asking == 1
    assert (await world.plane.approvals.approve(action.id, Person("rita"))).state == "ready"
    await world.work()
    assert (await world.action(action)).state == ("done" if mode == "drain" else "ready")

    await world.plane.braking.resume("tag", "web", by="rita")
    world.clock.advance(1_000)
    await world.work()
    assert (await world.action(action)).state == "done"


@pytest.mark.proves("brakes.modes")
async def test_a_brake_changes_its_mode_where_it_stands() -> None:
    """Stopping what drains is one brake still, in the new mode; the same mode again changes nothing."""
    world = await world_of()
    braking = world.plane.braking
    await braking.stop("tag", "web", by="rita", why="calmly", mode="drain")
    before = await braking.stop("tag", "web", by="ria", why="now", mode="stop")
    after = await braking.stop("tag", "web", by="ana", why="again", mode="stop")

    (brake,) = await braking.brakes()
    assert (brake.stop.mode, brake.by, brake.why, before) == ("stop", "ria", "now", after)


@pytest.mark.proves("brakes.user")
async def test_a_user_is_named_nowhere_but_in_sealed_words() -> None:
    """Neither the standing orders nor the log's leaves say whom a brake on a user is on; the words beside do."""
    world = await world_of()
    braking = world.plane.braking
    before = len(await world.store.entries(0, 1_000))
    await braking.stop("user", "user:ana", by="rita", why="smoke")

    control = await world.store.get(Control, "control")
    assert control is not None
    assert "ana" not in msgspec.json.encode(control.stops).decode()
    leaves = [parse(entry.leaf).payload for entry in await world.store.entries(before, 1_000)]
    assert leaves
    assert not any(b"ana" in leaf for leaf in leaves)
    assert control.stops[0].salt.encode() not in leaves[0], "what the name could be guessed with is not in the log"
    (words,) = await world.store.all(BrakeWords)
    assert words.who == "user:ana"
    assert [each.words for each in await braking.brakes()] == ["user:ana"]
    assert (await braking.stop("user", "user:ana", by="ria", why="too")).stops == control.stops
    await braking.resume("user", "user:ana", by="rita")
    assert await braking.brakes() == []


@pytest.mark.proves("brakes.scopes")
async def test_a_brake_on_a_task_holds_its_sub_tasks_and_one_on_a_tag_whoever_wears_it_now() -> None:
    """A sub-task is within its parent's brake; who is in a cohort the files in force say, for tasks opened before as well."""
    world = await world_of()
    outer = await world.task()
    inner = await world.task(parent=outer)
    await world.plane.braking.stop("task", outer.id, by="rita", why="smoke")
    assert (await world.propose(inner)).state == "refused"
    await world.plane.braking.resume("task", outer.id, by="rita")

    await world.plane.braking.stop("tag", "web", by="rita", why="smoke")
    await world.apply(contract(), contract("thing.other"), tags=("night",))
    assert (await world.propose(outer)).state == "done"
    await world.apply(contract(), contract("thing.other"), tags=("night", "web"))
    assert (await world.propose(outer)).state == "refused"


@pytest.mark.parametrize(("scope", "name"), [("tag", "wbe"), ("task", "nope"), ("tenant", "other"), ("user", "")])
@pytest.mark.proves("registry.stop_exists")
async def test_a_brake_on_what_is_not_there(scope: StopScope, name: str) -> None:
    """A misspelt cohort, task or tenant is an error; a user or an instance may be stopped before it is heard of."""
    world = await world_of()
    with pytest.raises(NotFound):
        await world.plane.braking.stop(scope, name, by="rita", why="smoke")
    await world.plane.braking.stop("user", "user:nobody-yet", by="rita", why="smoke")
    await world.plane.braking.stop("instance", thumbprint(bytes(32)), by="rita", why="smoke")
    for wrong in (THUMB[:-1], THUMB + "A", "ana"):
        with pytest.raises(ContractError, match="thumbprint"):
            await world.plane.braking.stop("instance", wrong, by="rita", why="smoke")


async def test_nobody_pulls_a_brake_under_a_name_of_ours() -> None:
    """What rules of the gate do is told apart from what people do, in the log too."""
    world = await world_of()
    with pytest.raises(NotAllowed, match="rules of the gate"):
        await world.plane.braking.stop("tag", "web", by="interlock.breaker", why="smoke")
    with pytest.raises(NotAllowed, match="rules of the gate"):
        await world.plane.drills.run("tag", "web", by="interlock.breaker")

    assert await world.plane.braking.brakes() == []


async def test_only_the_brake_of_that_name_and_scope_is_lifted() -> None:
    """A tag and an agent of one name are stopped and let go apart."""
    world = await world_of()
    await world.apply(contract(), contract("thing.other"), tags=("ag",))
    scopes: tuple[StopScope, ...] = ("agent", "tag")
    for scope in scopes:
        await world.plane.braking.stop(scope, "ag", by="rita", why="smoke")

    await world.plane.braking.resume("tag", "ag", by="rita")

    assert [each.words for each in await world.plane.braking.brakes()] == ["agent:ag"]


@pytest.mark.proves("brakes.listed")
async def test_what_a_brake_holds_back_is_counted() -> None:
    """By what it waits for, in its scope alone, undos left out; entries say the mode."""
    world = await world_of()
    task, other = await world.task(), await world.task("user:bob")
    await world.propose(task, here=False)
    await world.propose(other, here=False)
    before = len(await world.store.entries(0, 1_000))

    await world.plane.braking.stop("user", "user:ana", by="rita", why="smoke", mode="pause")

    (brake,) = await world.plane.braking.brakes()
    held = await world.plane.braking.held_back(brake.stop)
    assert (held.waiting, held.tasks, held.in_flight, held.more) == (1, 1, 0, False)
    (said,) = [predicate_of(entry.leaf) for entry in await world.store.entries(before, 1_000)]
    assert (said["phase"], said["scope"], said["mode"]) == ("stopped", "user", "pause")
