"""Who may close a task, hear what failed in it, say what a use took, and read what became of an action: who holds the task."""

import inspect
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final, NamedTuple, get_type_hints

import msgspec
import pytest

from interlock.adapters.memory import Fault, Faults
from interlock.domain.action import Action
from interlock.domain.asking import (
    begin_call,
    close_call,
    failures_call,
    prove_call,
    resume_call,
    settle_call,
    wait_call,
)
from interlock.domain.credential import CREDENTIAL, unverified
from interlock.domain.enrolling import Enrolling
from interlock.domain.errors import InterlockError, NotAllowed, NotFound, StoreError
from interlock.domain.ids import ActionId, ContractName, TaskId, UseId, is_id
from interlock.domain.jwk import jwk
from interlock.domain.possession import Call
from interlock.domain.presented import MAX_BYTES, REFUSALS, Code, Presented
from interlock.domain.proposal import Proposal
from interlock.domain.record import Record
from interlock.domain.spiffe import plane_id
from interlock.domain.task import Opening, Task
from interlock.domain.use import MODEL_USE, Asked, TokenCount, Use
from interlock.embedded import Embedded, Outside
from interlock.ports.plane import Plane
from interlock.sdk.identity import Identity
from interlock.testing.world import World, contract, permit
from tests.services.handing import Program
from tests.services.packets import predicate_of, statement_of

pytestmark = pytest.mark.anyio

DOMAIN: Final = "t.interlock.internal"
TOOK: Final = TokenCount(input=3, output=1)


class Scene:
    """A task of `one` with a failed child, an action that waits for people, and an open use of a model; `other` is a stranger."""

    world: World
    one: Identity
    other: Identity
    task: Task
    second: Task
    action: Action
    use: Use

    async def begin(self, faults: Faults | None = None) -> "Scene":
        """Set it."""
        self.world = World(proven=True, faults=faults)
        await self.world.apply(contract(risk="high"), stage="assisted")
        self.one, self.other = self.world.identity(), self.world.identity()
        self.task, self.second = await self.opened(), await self.opened()
        child = await self.opened(self.task)
        await self.world.plane.tasks.close(child, failure="OSError")
        wanted = Proposal(task=self.task, contract=ContractName("thing.put"), arguments={"n": 1}, idempotency_key="k")
        self.action = await self.world.plane.gate.propose(await self.one.presented(wanted))
        assert self.action.state == "held"
        asked = Asked(model="dear", tokens=TokenCount(input=10, output=10))
        wanted = Proposal(task=self.task, contract=MODEL_USE, arguments=asked.arguments)
        self.use = await self.world.plane.uses.begin(await self.one.presented(wanted))
        return self

    async def opened(self, parent: Task | None = None, by: Identity | None = None) -> Task:
        """A task of `one`, unless it is another's."""
        identity = by or self.one
        opening = Opening(agent=self.world.agent, purpose="test", initiator="user:ana", parent=parent)
        shown = await identity.shown(self.world.agent, begin_call(opening, plane_id(DOMAIN)))
        return await self.world.plane.beginnings.open(opening, shown)

    async def shown(self, call: Callable[[str], Call], by: Identity | None = None) -> Presented:
        """What `one`, or another, shows for a call."""
        return await (by or self.one).still(self.world.agent, call)

    async def standing(self) -> tuple[int, list[Record | None]]:
        """How many entries there are, and all that could have been changed."""
        head = await self.world.store.entries(0, 10_000)
        records = (self.task, self.second, self.use, self.action)
        return len(head), [await self.world.get(each) for each in records]


class Method(NamedTuple):
    """One thing to ask, by the call its proof is of, in the variants that a proof of it must not fit."""

    right: Callable[[Scene], Callable[[str], Call]]
    altered: Callable[[Scene], Callable[[str], Call]]
    elsewhere: Callable[[Scene], Callable[[str], Call]]
    ask: Callable[[Plane, Scene, Presented], Awaitable[object]]
    changes: bool


METHODS: Final[dict[str, Method]] = {
    "close": Method(
        lambda s: partial(close_call, s.task.id, ""),
        lambda s: partial(close_call, s.task.id, "OSError"),
        lambda s: partial(close_call, s.second.id, ""),
        lambda plane, s, shown: plane.close_task(s.task.id, shown),
        True,
    ),
    "failures": Method(
        lambda s: partial(failures_call, s.task.id, None),
        lambda s: partial(failures_call, s.task.id, frozenset[TaskId]()),
        lambda s: partial(failures_call, s.second.id, None),
        lambda plane, s, shown: plane.failures(s.task.id, shown),
        True,
    ),
    "settle": Method(
        lambda s: partial(settle_call, s.use.id, TOOK),
        lambda s: partial(settle_call, s.use.id, None),
        lambda s: partial(settle_call, UseId(s.task.id), TOOK),
        lambda plane, s, shown: plane.settle_use(s.use.id, shown, TOOK),
        True,
    ),
    "wait": Method(
        lambda s: partial(wait_call, s.action.id, None, 0),
        lambda s: partial(wait_call, s.action.id, None, 1),
        lambda s: partial(wait_call, ActionId(s.task.id), None, 0),
        lambda plane, s, shown: plane.wait(s.action.id, shown, timeout_ms=0),
        False,
    ),
    "proof": Method(
        lambda s: partial(prove_call, s.action.id, None, True),
        lambda s: partial(prove_call, s.action.id, None, False),
        lambda s: partial(prove_call, ActionId(s.task.id), None, True),
        lambda plane, s, shown: plane.proof(s.action.id, shown, anchored=True),
        False,
    ),
}
EVERY = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
CHANGING = pytest.mark.parametrize(
    "method",
    [each for each in METHODS.values() if each.changes],
    ids=[name for name, each in METHODS.items() if each.changes],
)


async def allowed(scene: Scene, method: Method, shown: Presented, plane: Plane | None = None) -> bool:
    """Whether it is answered. A proof is asked for under a checkpoint that there is none of: that is an answer."""
    try:
        await method.ask(plane or Embedded(scene.world.plane), scene, shown)
    except NotFound as error:
        return "anchored" in error.detail
    return True


async def refused(scene: Scene, method: Method, shown: Presented, code: Code, plane: Plane | None = None) -> None:
    """It is refused for that, and nothing is changed."""
    before = await scene.standing()
    with pytest.raises(NotAllowed, match=REFUSALS[code].words):
        await method.ask(plane or Embedded(scene.world.plane), scene, shown)
    assert await scene.standing() == before


@pytest.mark.proves("identity.own_task")
@EVERY
async def test_whoever_holds_the_task_is_heard_and_nobody_else(method: Method) -> None:
    """Who shows nothing, or rubbish, a stranger of the same agent, and a thief of the credential alone are refused."""
    scene = await Scene().begin()
    good = await scene.shown(method.right(scene))
    theirs = await scene.shown(method.right(scene), scene.other)

    await refused(scene, method, Presented(credential="", proof=""), "credential_form")
    await refused(scene, method, Presented(credential=good.credential, proof=""), "proof_form")
    await refused(scene, method, Presented(credential="x" * MAX_BYTES, proof="x"), "presented_size")
    await refused(scene, method, theirs, "task_instance")
    await refused(scene, method, msgspec.structs.replace(good, proof=theirs.proof), "proof_signature")
    assert await allowed(scene, method, good)


@EVERY
async def test_a_proof_is_of_one_question(method: Method) -> None:
    """One of another task, use or action, of another argument, of another control plane or of any other question is refused."""
    scene = await Scene().begin()
    others: list[Callable[[str], Call]] = [
        method.altered(scene),
        method.elsewhere(scene),
        partial(resume_call, scene.task.id),
    ]
    others += [each.right(scene) for each in METHODS.values() if each is not method]
    elsewhere = method.right(scene)(plane_id("elsewhere"))

    for call in (*others, lambda _: elsewhere):
        await refused(scene, method, await scene.shown(call), "proof_other")


@EVERY
async def test_a_proof_counts_for_half_a_minute_and_its_credential_for_its_hour(method: Method) -> None:
    """Made 31 seconds ago, or by a credential that has expired, it is refused."""
    scene = await Scene().begin()
    early = await scene.shown(method.right(scene))
    scene.world.clock.advance(31_000)
    await refused(scene, method, early, "proof_time")
    last = await scene.shown(method.right(scene))
    scene.world.clock.advance(3_700_000)
    fresh = await scene.shown(method.right(scene))

    await refused(scene, method, msgspec.structs.replace(fresh, credential=last.credential), "credential_expired")


@CHANGING
async def test_what_changes_something_is_asked_once(method: Method) -> None:
    """The same proof is refused a second time, in another process too; asked anew it is answered as before."""
    scene = await Scene().begin()
    shown = await scene.shown(method.right(scene))
    await method.ask(Embedded(scene.world.plane), scene, shown)
    plane = Embedded(scene.world.another("w2"))
    before = await scene.standing()

    if method is not METHODS["failures"]:  # nothing is left to be looked at, and nothing changed by it
        await refused(scene, method, shown, "proof_replayed", plane)
    assert await allowed(scene, method, await scene.shown(method.right(scene)), plane)
    assert await scene.standing() == before


async def test_what_failed_is_not_looked_at_by_who_listened() -> None:
    """A proof that was used to look is refused once something else failed."""
    scene = await Scene().begin()
    method = METHODS["failures"]
    shown = await scene.shown(method.right(scene))
    await method.ask(Embedded(scene.world.plane), scene, shown)
    await scene.world.plane.tasks.close(await scene.opened(scene.task), failure="OSError")

    await refused(scene, method, shown, "proof_replayed")
    again = await scene.world.plane.holders.failures(scene.task.id, await scene.shown(method.right(scene)))
    assert [each.why for each in again] == ["OSError"]


@EVERY
async def test_whoever_takes_the_task_over_is_heard_instead(method: Method) -> None:
    """From then on the one before is refused."""
    scene = await Scene().begin()
    taking = await scene.other.shown(scene.world.agent, resume_call(scene.task.id, plane_id(DOMAIN)))
    await scene.world.plane.beginnings.resume(scene.task.id, scene.world.agent, taking)

    await refused(scene, method, await scene.shown(method.right(scene)), "task_instance")
    assert await allowed(scene, method, await scene.shown(method.right(scene), scene.other))


@EVERY
async def test_a_revoked_instance_is_not_heard(method: Method) -> None:
    """What was taken back of it includes its word about what it began."""
    scene = await Scene().begin()
    shown = await scene.shown(method.right(scene))
    await scene.world.plane.revoking.revoke("instance", scene.one.thumbprint, by="rita", why="it went astray")
    before = await scene.standing()

    with pytest.raises(NotAllowed, match="revoked: it went astray"):
        await method.ask(Embedded(scene.world.plane), scene, shown)
    assert await scene.standing() == before


@EVERY
async def test_another_agent_in_the_same_process_is_not_heard(method: Method) -> None:
    """The key alone is not enough: the credential is of the task's agent."""
    scene = await Scene().begin()
    shown = await scene.shown(method.right(scene))
    claims = msgspec.structs.replace(unverified(shown.credential), sub=f"spiffe://{DOMAIN}/agent/other")
    issuer = scene.world.issuer

    other = CREDENTIAL.sign(claims, kid=issuer.kid, sign=issuer.sign)
    await refused(scene, method, msgspec.structs.replace(shown, credential=other), "credential_agent")


@EVERY
async def test_what_was_begun_is_ended_whatever_is_in_force(method: Method) -> None:
    """After another release came into force the credential of before does for what is its own, and for nothing new."""
    scene = await Scene().begin()
    await scene.world.apply(contract(risk="high"), rules=(permit("other"),), bundle="b2", stage="assisted")

    assert await allowed(scene, method, await scene.shown(method.right(scene)))


@EVERY
async def test_whoever_holds_the_task_is_heard_from_outside(method: Method) -> None:
    """What shows it counts there as here."""
    scene = await Scene().begin()

    assert await allowed(scene, method, await scene.shown(method.right(scene)), Outside(scene.world.plane))


@pytest.mark.proves("identity.outside")
async def test_a_task_of_nobody_is_nobody_s_from_outside() -> None:
    """What people opened any instance of the agent may end in this process, and none from outside."""
    scene = await Scene().begin()
    task = await scene.world.task()
    call = partial(close_call, task.id, "")

    with pytest.raises(NotAllowed, match=REFUSALS["task_instance"].words):
        await Outside(scene.world.plane).close_task(task.id, await scene.shown(call))
    await Embedded(scene.world.plane).close_task(task.id, await scene.shown(call))


@pytest.mark.proves("identity.outside")
async def test_nothing_is_done_from_outside_in_a_task_of_nobody() -> None:
    """No action, use, token or task inside; taken over, it is the one's who took it."""
    scene = await Scene().begin()
    outside, task = Outside(scene.world.plane), await scene.world.task()
    wanted = Proposal(task=task, contract=ContractName("thing.put"), arguments={"n": 1})
    opening = Opening(agent=scene.world.agent, purpose="in it", initiator="user:ana", parent=task)
    program = Program(scene.world, "p")

    said = await outside.propose(await scene.one.presented(wanted))
    assert said.reasons[0] == "interlock.task_instance"
    with pytest.raises(NotAllowed, match=REFUSALS["task_instance"].words):
        await outside.open_task(
            opening, await scene.one.shown(scene.world.agent, begin_call(opening, plane_id(DOMAIN)))
        )
    with pytest.raises(NotAllowed, match=REFUSALS["presented_missing"].words):
        await outside.propose(wanted)
    program.connection.plane = outside
    with pytest.raises(NotAllowed, match=REFUSALS["task_instance"].words):
        await program.connection.use(task, None, Asked(model="dear", tokens=TokenCount(input=1, output=1)))

    taking = await scene.one.shown(scene.world.agent, resume_call(task.id, plane_id(DOMAIN)))
    mine = await outside.resume_task(task.id, scene.world.agent, taking)
    said = await outside.propose(await scene.one.presented(msgspec.structs.replace(wanted, task=mine)))
    assert said.state == "held"


async def test_what_a_caller_calls_its_request_is_no_word_of_its_own() -> None:
    """It stands in the log in the open, so it has the form of ids, or the gate makes one."""
    scene = await Scene().begin()
    wanted = Proposal(task=scene.task, contract=ContractName("thing.put"), arguments={"n": 2}, request="Ana Maria Berg")

    action = await scene.world.plane.gate.propose(await scene.one.presented(wanted))

    entry, *_ = await scene.world.store.entries_of(action.id)
    assert is_id(predicate_of(entry.leaf)["requestId"])
    assert "Maria" not in str(statement_of(entry.leaf))


@pytest.mark.proves("identity.outside")
async def test_nobody_is_recognised_from_outside_by_being_here() -> None:
    """A program that brings nothing that vouches for it has no credential, nor does one that says it is outside no more."""
    scene = await Scene().begin()
    program = Program(scene.world, "p")
    asked = Enrolling(agent=scene.world.agent, jwk=jwk(program.key.public))
    asked = msgspec.structs.replace(asked, proof=program.proof(asked.call(plane_id(DOMAIN))))

    with pytest.raises(NotAllowed, match="by being here"):
        await Outside(scene.world.plane).enrol(asked)
    unbound = await scene.world.task()
    shown = await scene.shown(partial(close_call, unbound.id, ""))
    with pytest.raises(NotAllowed, match=REFUSALS["task_instance"].words):
        await Outside(scene.world.plane).close_task(unbound.id, msgspec.structs.replace(shown, outside=False))


async def test_what_became_of_an_action_is_read_once_its_task_is_over() -> None:
    """A program that was started anew waits for what one before it proposed; while the task is open it takes that over first."""
    scene = await Scene().begin()
    wait = METHODS["wait"]
    await refused(scene, wait, await scene.shown(wait.right(scene), scene.other), "task_instance")

    await scene.world.plane.tasks.close(scene.task)

    assert await allowed(scene, wait, await scene.shown(wait.right(scene), scene.other))
    assert await allowed(scene, METHODS["proof"], await scene.shown(METHODS["proof"].right(scene), scene.other))


async def test_the_same_key_lets_one_wait_for_what_it_gave() -> None:
    """Whoever was given the first one's action for its key waits for it from a task of its own, for the same initiator, that may
    do such a thing; from no other."""
    scene = await Scene().begin()
    mine = await scene.opened(by=scene.other)
    barred = await scene.world.task(instance=scene.other.thumbprint, prohibited=(ContractName("thing.put"),))
    theirs = await scene.world.task(instance=scene.other.thumbprint, initiator="user:ben")

    async def waited(within: Task, by: Identity) -> Action:
        call = partial(wait_call, scene.action.id, within.id, 0)
        shown = await scene.shown(call, by)
        return await Embedded(scene.world.plane).wait(scene.action.id, shown, timeout_ms=0, within=within.id)

    assert (await waited(mine, scene.other)).id == scene.action.id
    for within, by in ((barred, scene.other), (theirs, scene.other), (mine, scene.world.identity())):
        with pytest.raises(NotAllowed, match=REFUSALS["task_instance"].words):
            await waited(within, by)


@pytest.mark.parametrize("altered", ["budgets", "lasts_ms", "prohibited", "plan", "initiator"])
async def test_all_that_is_said_of_a_task_is_proven(altered: str) -> None:
    """Whoever opens one proves to mean its limits, too."""
    scene = await Scene().begin()
    meant = Opening(agent=scene.world.agent, purpose="test", initiator="user:ana")
    changes: dict[str, Any] = {
        "budgets": {"calls": 9},
        "lasts_ms": 5,
        "prohibited": ("thing.put",),
        "plan": "x",
        "initiator": "user:eve",
    }
    said = msgspec.structs.replace(meant, **{altered: changes[altered]})
    shown = await scene.one.shown(scene.world.agent, begin_call(meant, plane_id(DOMAIN)))

    with pytest.raises(NotAllowed, match=REFUSALS["proof_other"].words):
        await scene.world.plane.beginnings.open(said, shown)


@CHANGING
@pytest.mark.parametrize("fault", ["not stored", "stored"])
async def test_a_proof_is_spent_with_what_it_changed_or_not_at_all(method: Method, fault: Fault) -> None:
    """Where the commit fails the same proof still counts; where only its answer is lost, it is done and the proof spent."""
    faults = Faults()
    scene = await Scene().begin(faults)
    shown = await scene.shown(method.right(scene))
    before = await scene.standing()
    faults.at[faults.writes + 1] = fault

    if fault == "stored":
        assert await allowed(scene, method, shown)
        if method is not METHODS["failures"]:
            await refused(scene, method, shown, "proof_replayed")
    else:
        with pytest.raises(StoreError, match="nothing was stored"):
            await method.ask(Embedded(scene.world.plane), scene, shown)
        assert await scene.standing() == before
        assert await allowed(scene, method, shown)
    assert await allowed(scene, method, await scene.shown(method.right(scene)))


async def test_nothing_that_is_asked_for_need_be_there() -> None:
    """A task, use or action that is none is said to be none, to who proves to be somebody."""
    scene = await Scene().begin()
    plane = Embedded(scene.world.plane)
    none = "none"
    asked: list[tuple[Callable[[str], Call], Callable[[Presented], Awaitable[object]]]] = [
        (partial(close_call, TaskId(none), ""), lambda shown: plane.close_task(TaskId(none), shown)),
        (partial(failures_call, TaskId(none), None), lambda shown: plane.failures(TaskId(none), shown)),
        (partial(settle_call, UseId(none), None), lambda shown: plane.settle_use(UseId(none), shown, None)),
        (partial(wait_call, ActionId(none), None, 0), lambda shown: plane.wait(ActionId(none), shown, timeout_ms=0)),
    ]

    for call, ask in asked:
        with pytest.raises(NotFound):
            await ask(await scene.shown(call))
        with pytest.raises(InterlockError, match=REFUSALS["credential_form"].words):
            await ask(Presented(credential="", proof=""))


def test_nothing_is_asked_of_a_plane_without_showing_who_asks() -> None:
    """Every method of it takes what shows that, but the two that come before; and each has its own way from outside."""
    named = {name for name, each in vars(Plane).items() if inspect.iscoroutinefunction(each)}

    for name in named - {"expected", "enrol", "close"}:
        hints = get_type_hints(getattr(Plane, name))
        assert Presented in hints.values() or Proposal in hints.values(), name
        assert name in vars(Outside), name
    assert "enrol" in vars(Outside)
