"""Revoking: what was granted until then is refused at the next call, with everything that was handed on from it."""

from typing import Any

import msgspec
import pytest

from interlock.adapters.memory.faults import Fault, Faults
from interlock.domain.action import Action
from interlock.domain.budget import Budget
from interlock.domain.call import Nothing
from interlock.domain.contract import Keyed, PythonTarget
from interlock.domain.control import BrakeWords, Control
from interlock.domain.duration import DAY, MINUTE
from interlock.domain.errors import NotAllowed, NotFound, StoreError
from interlock.domain.ids import ActionId
from interlock.domain.policy import Policy
from interlock.domain.revocation import Named
from interlock.domain.task import Task, task_key
from interlock.sdk.handing import Tokens
from interlock.services.orders import Orders
from interlock.services.revoking import Revoking
from interlock.testing.conformance.audit import audited, predicate
from interlock.testing.parts import Crash, CrashAt
from interlock.testing.world import World, contract, permit
from tests.services.handing import PUT, Program, ready

pytestmark = pytest.mark.anyio

ASK = (
    Policy(id="ask", effect="forbid", owner="pia", verdict="require_approval", approver="reviewer", quorum=1),
    (lambda asked: asked.arguments.get("n") == 4),
)


class Tree:
    """A task that went from one to another to a third."""

    world: World
    one: Program
    two: Program
    three: Program
    top: Task
    middle: Task
    bottom: Task
    tokens: Tokens
    its: Tokens

    async def begin(self) -> "Tree":
        """Hand it on twice."""
        self.world, self.one, self.two, self.top = await ready()
        await self.world.apply(PUT, rules=(permit(), ASK))
        self.three = Program(self.world, "third")
        five: Any = {"thing.put": {"n": {"constraint_type": "range", "min": 0, "max": 5}}}
        text = await self.one.hand(self.top, self.two, five, budgets={"calls": 6})
        self.middle, self.tokens = await self.two.connection.accepted(text)
        further = await self.two.hand(self.middle, self.three, five, tokens=self.tokens, budgets={"calls": 3})
        self.bottom, self.its = await self.three.connection.accepted(further)
        return self

    def name(self, kind: str) -> str:
        """What of that kind stands above the last task."""
        delegated = self.bottom.delegated
        assert delegated is not None
        return {
            "token": delegated.tokens[1],
            "instance": self.two.key.thumbprint,
            "agent": "ag",
            "release": self.top.release,
            "task": self.middle.id,
            "user": "user:ana",
        }[kind]


def refused(action: Action) -> str:
    """Why it was refused, by code."""
    assert action.state == "refused", action
    return action.reasons[0].removeprefix("interlock.")


KINDS: tuple[Named, ...] = ("token", "instance", "agent", "release", "task", "user")


@pytest.mark.proves("lend.revoked")
@pytest.mark.parametrize("kind", KINDS)
async def test_whatever_is_revoked_takes_what_was_handed_on_from_it(kind: Named) -> None:
    """The next call below is refused, in every process, with why; what waits for people is voided; another's work goes on."""
    tree = await Tree().begin()
    waiting = await tree.three.propose(tree.bottom, tree.its, n=4)
    bystander = await tree.world.task(initiator="user:ben")
    assert waiting.state == "held"

    taken = await tree.world.plane.revoking.revoke(kind, tree.name(kind), by="rita", why="it went astray")
    after = await tree.three.propose(tree.bottom, tree.its, n=1)

    assert refused(after) == "revoked"
    assert after.reasons[1] == "revoked: it went astray"
    assert (await tree.world.action(waiting)).state == "voided"
    assert (taken.closed > 0, taken.voided) == (True, 1)
    goes_on = await tree.three.propose(bystander, n=1)
    assert goes_on.state == ("refused" if kind == "agent" else "done")


async def test_what_is_above_and_beside_goes_on() -> None:
    """Revoking a task that was handed on leaves the task around it, which is told and has what was left of the budget."""
    tree = await Tree().begin()
    await tree.three.propose(tree.bottom, tree.its, n=1)

    await tree.world.plane.revoking.revoke("task", tree.middle.id, by="rita", why="enough")

    told = await tree.one.connection.failures(tree.top)
    assert [(each.task, each.why) for each in told] == [(tree.middle.id, "Revoked")]
    held = await tree.world.store.get(Budget, task_key(tree.top.id, "calls"))
    assert held is not None
    assert (held.reserved, held.spent) == (0, 1)
    assert (await tree.one.propose(tree.top, n=1)).state == "done"
    with pytest.raises(NotAllowed, match="revoked: enough"):
        await tree.three.hand(
            tree.bottom,
            tree.one,
            {"thing.put": {"n": 1}},
            tokens=Tokens(tree.three.plane, tree.three.identity, tree.bottom),
        )


async def test_what_is_granted_afterwards_is_granted_anew() -> None:
    """A task that is opened after its agent, release or initiator was revoked works; a token, key or task comes never back."""
    tree = await Tree().begin()
    revoking = tree.world.plane.revoking
    for kind in ("agent", "release", "user"):
        await revoking.revoke(kind, tree.name(kind), by="rita", why="start over")
        fresh = await tree.world.task()
        assert (await tree.one.propose(fresh, n=1)).state == "done"

    await revoking.revoke("instance", tree.one.key.thumbprint, by="rita", why="stolen")
    assert refused(await tree.one.propose(await tree.world.task(), n=1)) == "revoked"
    tree.one.identity._held.clear()
    with pytest.raises(NotAllowed, match="revoked: stolen"):
        await tree.one.invitation()


async def test_a_text_that_was_not_accepted_yet_opens_nothing() -> None:
    """What was signed without asking is refused when it comes, where its token, or one before it, was revoked meanwhile."""
    _, parent, child, task = await ready()
    text = await parent.hand(task, child, opened=False)
    await parent.process.revoking.revoke("instance", parent.key.thumbprint, by="rita", why="astray")

    with pytest.raises(NotAllowed, match="revoked: astray"):
        await child.connection.accepted(text)


async def test_an_approval_that_comes_between_is_not_dispatched() -> None:
    """What was agreed to before it was revoked, and not begun, is voided where it would be dispatched."""
    tree = await Tree().begin()
    waiting = await tree.three.propose(tree.bottom, tree.its, here=False, n=1)
    assert waiting.state == "ready"
    control = (await tree.world.plane.orders.current()).control
    assert control.revocations == ()
    revoking = tree.world.plane.revoking
    dying(revoking)
    await revoking.revoke("user", "user:ana", by="rita", why="over")

    await tree.world.work(tree.two.process)

    assert (await tree.world.action(waiting)).state == "voided"


@pytest.mark.proves("lend.revoked")
@pytest.mark.parametrize(("asked", "state"), [("nobody", "unknown"), ("says no", "failed"), ("is undone", "undone")])
async def test_what_may_have_happened_is_not_repeated(asked: str, state: str) -> None:
    """A process dies with its intent written, and its task is revoked: the call is made by nobody. Who can be asked is asked, the
    rest is a person's to settle; only what is being undone is called under its key first, to be known to be undone."""
    lookup = PythonTarget(target="world:look") if asked == "says no" else None
    world = World(steps=CrashAt("propose.recorded"))
    await world.apply(contract(idempotency=Keyed(retention_ms=DAY), lookup=lookup))
    world.effectors.say("thing.put", "lookup", Nothing("never heard of it"))
    task = await world.task()
    with pytest.raises(Crash):
        await world.propose(task, key="k")
    survivor = world.another("w2")
    if asked == "is undone":
        await survivor.compensation.undo("task", task.id, by="rita", why="wrong")

    await survivor.revoking.revoke("task", task.id, by="rita", why="it went astray")
    for _ in range(4):
        await world.work(survivor)
        world.clock.advance(2 * MINUTE)

    action = await world.store.by_idempotency_key(world.agent, "k")
    assert action is not None
    assert action.state == state
    assert world.effectors.calls["thing.put", "run"] == (asked == "is undone")
    assert "it went astray" in "".join(action.reasons) or asked == "is undone"


def dying(revoking: Revoking) -> Revoking:
    """Whoever revokes dies right after the commit."""

    async def nothing(_: Orders) -> tuple[int, int]:
        return 0, 0

    vars(revoking)["_swept_through"] = nothing
    return revoking


async def test_a_worker_sees_through_what_somebody_began_to_revoke() -> None:
    """Whoever revokes dies after the commit: any worker closes the tasks and voids what waits, once."""
    tree = await Tree().begin()
    waiting = await tree.three.propose(tree.bottom, tree.its, n=4)
    await dying(tree.world.another("dying").revoking).revoke("token", tree.name("token"), by="rita", why="over")
    assert (await tree.world.action(waiting)).state == "held"
    with pytest.raises(NotAllowed, match="revoked: over"):
        await tree.world.task(parent=tree.bottom)

    worker = tree.world.another("worker")
    first, again = await worker.revoking.tend(), await worker.revoking.tend()

    assert (first, again) == (2, 0)
    assert (await tree.world.action(waiting)).state == "voided"
    closed = await tree.world.get(tree.bottom)
    assert isinstance(closed, Task)
    assert closed.state == "closed"


async def test_the_log_says_so_and_no_initiator_stands_in_the_open() -> None:
    """An entry says what was revoked; of a user a salted digest; why and by whom stand in words of their own, to be erased."""
    tree = await Tree().begin()
    await tree.world.plane.revoking.revoke("user", "user:ana", by="rita", why="ana left")
    said = [predicate(each) for each in await audited(tree.world.store, tree.world.keys)]
    entry = next(each for each in said if each["phase"] == "revoked")
    control = await tree.world.store.get(Control, "control")
    words = await tree.world.store.all(BrakeWords)

    assert control is not None
    assert (entry["revoked"], len(entry["name"])) == ("user", 64)
    assert "ana" not in str(entry)
    assert "ana" not in str(msgspec.json.encode(control.revocations))
    assert [(each.who, each.why, each.by) for each in words] == [("user:ana", "ana left", "rita")]
    [(again, _)] = await tree.world.plane.revoking.revocations()
    second = await tree.world.plane.revoking.revoke("user", "user:ana", by="rita", why="still")
    assert again.name == control.revocations[0].name
    assert second.already
    assert len((await tree.world.plane.orders.refresh()).control.revocations) == 1


async def test_a_revocation_is_remembered_as_long_as_anything_could_count() -> None:
    """It falls out, at the next one, once every task and credential of before is over; until then it stands."""
    tree = await Tree().begin()
    revoking = tree.world.plane.revoking
    first = await revoking.revoke("token", token("a"), by="rita", why="")
    until = first.revocation.until_at
    assert until is not None
    assert until >= max(tree.top.expires_at, tree.world.clock.now() + DAY)
    tree.world.clock.advance(until - tree.world.clock.now() - 1)
    await revoking.revoke("token", token("b"), by="rita", why="")
    tree.world.clock.advance(1)
    await revoking.revoke("token", token("c"), by="rita", why="")

    assert [each.name for each, _ in await revoking.revocations()] == [token("b"), token("c")]


def token(letter: str) -> str:
    """The id of one."""
    return f"{letter * 8}-46cc-77d9-b5e3-12fa2b3ecb09"


async def test_who_may_and_what_there_is() -> None:
    """Somebody of the workspace revokes, and what never was cannot be."""
    tree = await Tree().begin()
    revoking = tree.world.plane.revoking
    with pytest.raises(NotAllowed):
        await revoking.revoke("task", tree.middle.id, by="nobody", why="")
    with pytest.raises(NotFound):
        await revoking.revoke("task", "00000000-0000-7000-8000-999999999999", by="rita", why="")
    with pytest.raises(NotFound):
        await revoking.revoke("agent", "nobody", by="rita", why="")


@pytest.mark.parametrize("fault", ["not stored", "stored"])
async def test_a_store_that_fails_while_revoking_leaves_all_of_it_or_nothing(fault: Fault) -> None:
    """Whichever write fails, stored or not: revoking once more ends with everything below refused and voided, once."""
    for write in range(1, 7):
        faults = Faults()
        world = World(proven=True, faults=faults)
        await world.apply(PUT, rules=(permit(), ASK))
        one, two = Program(world, "one"), Program(world, "two")
        task = await world.task()
        inner, tokens = await two.connection.accepted(await one.hand(task, two))
        waiting: ActionId = (await two.propose(inner, tokens, n=4)).id
        faults.at[faults.writes + write] = fault

        for _ in range(2):
            try:
                await world.plane.revoking.revoke("task", inner.id, by="rita", why="over")
                break
            except StoreError:
                continue
        faults.at.clear()
        found = await world.store.get(Action, waiting)
        assert found is not None
        assert found.state == "voided"
        assert refused(await two.propose(inner, tokens, n=1)) == "revoked"
        control = await world.store.get(Control, "control")
        assert control is not None
        assert len(control.revocations) == 1
