"""What a hostile reviewer tried on the gate and got through: each is refused now."""

import msgspec
import pytest

from interlock.domain.contract import Cost, NoReversal
from interlock.domain.enrolling import Enrolling
from interlock.domain.errors import BudgetExceeded, ContractError, KeyReused, NotAllowed, StoreError
from interlock.domain.grant import read_grant
from interlock.domain.ids import AgentName, Person
from interlock.domain.jwk import jwk
from interlock.domain.revocation import Named, pseudonym
from interlock.domain.rights import Rights
from interlock.domain.selector import Selector
from interlock.domain.use import Asked, TokenCount
from interlock.sdk.identity import shows
from interlock.testing.world import World, contract
from tests.domain.delegations import altered, parts
from tests.services.handing import chain_of, ready, with_chain
from tests.services.test_beginning import acts, opened, resumed
from tests.services.test_beginning import ready as beginning
from tests.services.test_rights import upto
from tests.services.test_uses import asked, stood, world_of

pytestmark = pytest.mark.anyio

RITA = Person("rita")
FEW = Asked(model="dear", tokens=TokenCount(input=60, output=0))
SPELLINGS = ("user:ana", "ana", "User:Ana", " user: ana ")
TOUCHING = contract(touches={"thing": "$args.n"})


@pytest.mark.proves("use.bounds")
@pytest.mark.parametrize("kind", ["instance", "token", "task", "user"])
async def test_what_was_revoked_asks_no_model(kind: Named) -> None:
    """Though the task be its agent's own and open: nothing is reserved, and the refusal says why."""
    world, parent, child, root = await ready()
    task, tokens = await child.connection.accepted(await parent.hand(root, child))
    assert task.delegated is not None
    name = {
        "instance": child.key.thumbprint,
        "token": task.delegated.tokens[-1],
        "task": task.id,
        "user": "user:ana",
    }[kind]
    own = await world.task()
    await child.connection.use(own, None, FEW)

    await world.plane.revoking.revoke(kind, name, by="rita", why="it went astray")

    with pytest.raises(NotAllowed, match=r"it went astray|closed"):
        await child.connection.use(task, tokens, FEW)
    if kind == "instance":
        with pytest.raises(NotAllowed, match="it went astray"):
            await child.connection.use(own, None, FEW)


async def test_a_model_is_asked_again_once_another_process_lifted_the_brake() -> None:
    """A refusal leans on the standing orders as a decision does, and is not told from what was in force once."""
    world, task = await world_of()
    other = world.another("other")
    await world.plane.braking.stop("agent", "ag", by=RITA, why="too dear")
    with pytest.raises(NotAllowed, match="too dear"):
        await other.uses.begin(asked(task))

    await world.plane.braking.resume("agent", "ag", by=RITA)

    assert (await other.uses.begin(asked(task))).state == "open"
    assert (await stood(world))["tokens"] == (150, 0)


@pytest.mark.parametrize("initiator", SPELLINGS)
async def test_a_brake_on_a_person_holds_however_programs_write_the_name(initiator: str) -> None:
    """Whoever may not approve since they asked for it is whoever the brake is on."""
    world = World()
    await world.apply(contract())
    task = await world.task(initiator)
    await world.plane.braking.stop("user", "user:ana", by=RITA, why="ana left")
    assert (await world.propose(task)).state == "refused"


@pytest.mark.proves("lend.revoked")
@pytest.mark.parametrize("initiator", SPELLINGS)
async def test_what_a_person_lent_is_revoked_however_programs_write_the_name(initiator: str) -> None:
    """So it is with what was granted on their behalf."""
    world = World()
    await world.apply(contract())
    task = await world.task(initiator)
    await world.plane.revoking.revoke("user", "user:ana", by="rita", why="ana left")
    assert (await world.propose(task)).reasons[0] == "interlock.revoked"


async def test_a_key_fetches_no_answer_beyond_what_the_task_was_given() -> None:
    """A key is an agent's, so another task may guess it: what came of it is told within what that task was given, alone."""
    world = World()
    await world.apply(TOUCHING)
    wide = await world.task()
    first = await world.propose(wide, key="k", n=7)
    narrow = await world.task(data=Selector(records={"thing": (1,)}))
    tool = await world.task(tools=read_grant({"tools": {"thing.put": {"n": {"constraint_type": "exact", "value": 1}}}}))
    shut = await world.task(prohibited=("thing.put",))
    like = await world.task(data=Selector(records={"thing": (7,)}))

    assert (await world.propose(like, key="k", n=7)).id == first.id
    for task in (narrow, tool, shut):
        with pytest.raises(KeyReused, match="this task was not given that"):
            await world.propose(task, key="k", n=7)


async def test_no_argument_names_the_window_of_a_budget() -> None:
    """A unit is a unit: with another word behind it, it would draw on what only says how much each day has."""
    world = World()
    spend = contract(
        cost=Cost(unit="$args.unit", amount="$args.n"),
        reversal=NoReversal(why="it is spent"),
        input_schema={
            "type": "object",
            "properties": {"n": {"type": "integer", "minimum": 0}, "unit": {"type": "string"}},
            "required": ["n", "unit"],
            "additionalProperties": False,
        },
    )
    await world.apply(spend, budgets={"EUR per day": 10})
    task = await world.task()

    states = [(await world.propose(task, n=9, unit=unit)).state for unit in ("EUR per day", "EUR", "EUR")]

    assert states == ["refused", "held", "refused"]


async def test_an_agent_that_may_not_act_hands_on_nothing() -> None:
    """Neither by a token nor right here, though the other agent may act: whoever is suspended begins nothing new by others."""
    world, parent, child, root = await ready()
    [agent] = world.definition().agents
    both = (agent, msgspec.structs.replace(agent, name=AgentName("bo")))
    await world.plane.registry.apply(world.definition(agents=both), by="test")
    await world.plane.agents.move(world.agent, "suspend", by=RITA, why="astray")

    with pytest.raises(NotAllowed, match="`ag` is suspended"):
        await parent.hand(root, child, opened=False)
    with pytest.raises(NotAllowed, match="`ag` is suspended"):
        await world.task("", agent=AgentName("bo"), parent=root)


async def test_whom_a_task_is_for_is_not_guessed_from_its_token() -> None:
    """Everything that stands in a token, and every name there might be: none of them gives what stands for whom it is for."""
    _, parent, child, root = await ready()
    claims = parts(chain_of(await parent.hand(root, child))[0])[1]
    said = [str(each) for each in claims.values()]
    assert claims["sub"] not in {pseudonym(each, "user:ana") for each in said}


def test_the_secret_of_a_bootstrap_token_stands_in_no_repr() -> None:
    """What asks for a credential, or holds what is shown for it, may be printed with an error."""
    asked = Enrolling(
        agent=AgentName("ag"), jwk=jwk(b"k" * 32), by="bootstrap", evidence="interlock-bootstrap-x", proof="p"
    )
    held = shows("bootstrap", "interlock-bootstrap-x")
    assert "interlock-bootstrap" not in f"{asked!r} {asked} {held!r} {held}"


@pytest.mark.parametrize("name", ["..%09/x", "..%0a/x", "%2e%2e%0D/x", "..%E2%80%8B/x", "a%00b", "..%25%30%39/x"])
def test_what_no_eye_sees_is_in_no_folder_percent_encoded_either(name: str) -> None:
    """Whoever opens it may leave that out, and what is left leads elsewhere."""
    below = Selector(records={"file": ("/invoices/2026/*",)})
    assert below.admits({"file": f"/invoices/2026/{name}"}) is not None
    assert below.admits({"file": "/invoices/2026/a%20b"}) is None


@pytest.mark.proves("lend.revoked")
async def test_a_revoked_instance_takes_over_nothing_and_opens_nothing() -> None:
    """Its credential counts a while yet: with that it would take their tasks away from those who may act."""
    world = await beginning()
    good, bad = world.identity(), world.identity()
    theirs = await opened(world, good)
    await bad.credential(world.agent)
    await world.plane.revoking.revoke("instance", bad.thumbprint, by="rita", why="it went astray")

    with pytest.raises(NotAllowed, match="it went astray"):
        await resumed(world, bad, theirs)
    with pytest.raises(NotAllowed, match="it went astray"):
        await opened(world, bad)
    assert await acts(world, good, theirs) == ""


@pytest.mark.proves("lend.revoked")
async def test_what_was_taken_of_an_instance_is_not_taken_over() -> None:
    """Whoever revoked it may have died before its tasks were closed: another instance brings them back for nobody."""
    world = await beginning()
    bad, other = world.identity(), world.identity()
    task = await opened(world, bad)
    await other.credential(world.agent)
    world.store.faults.at[world.store.faults.writes + 2] = "not stored"
    with pytest.raises(StoreError):
        await world.plane.revoking.revoke("instance", bad.thumbprint, by="rita", why="it went astray")

    with pytest.raises(NotAllowed, match="it went astray"):
        await resumed(world, other, task)


@pytest.mark.parametrize("here", [True, False])
async def test_whatever_a_program_says_of_its_task_the_stored_one_counts(here: bool) -> None:
    """For whom it is, what it was given, by what it was handed on, and what it pays from: all of it is read, not told."""
    world = World()
    lending = Rights(initiators={"user:ana": upto(9), "user:ben": upto(1)})
    await world.apply(TOUCHING, rights=lending, budgets={"calls": 100})
    task = await world.task("user:ben", data=Selector(records={"thing": (1,)}), budgets={"calls": 1})
    forged = msgspec.structs.replace(
        task, initiator="user:ana", data=None, purses={"calls": ()}, budgets={}, expires_at=2**50, purpose="another"
    )

    over = await world.propose(forged, n=7, here=here)
    assert (over.state, over.initiator) == ("refused", "user:ben")
    assert (await world.propose(forged, n=1, here=here)).state in ("done", "ready")
    assert (await world.propose(forged, n=1, here=here)).reasons[0] == "interlock.budget"


async def test_a_use_of_a_model_pays_from_what_its_stored_task_pays_from() -> None:
    """So with uses."""
    world, _ = await world_of(agent_budgets={})
    task = await world.task(budgets={"tokens": 100})
    with pytest.raises(BudgetExceeded):
        await world.plane.uses.begin(asked(msgspec.structs.replace(task, budgets={}, purses={"tokens": ()})))


@pytest.mark.proves("lend.attacks")
@pytest.mark.parametrize("claim", ["task", "jti"])
@pytest.mark.parametrize("name", ["ana@example.com owes 40", "a/b/tokens", "x per day y", "../x", ""])
async def test_whoever_hands_on_writes_no_words_of_its_own_into_the_log(claim: str, name: str) -> None:
    """Ids of tasks and tokens stand in the open and within keys of budgets: they are in the form of ids, or open nothing."""
    world, parent, child, root = await ready()
    text = await parent.hand(root, child, opened=False)
    first, leaf = chain_of(text)
    theirs = altered(leaf, parent.key.signing, **{claim: name})

    with pytest.raises((NotAllowed, ContractError)):
        await child.connection.accepted(with_chain(text, (first, theirs)))
    assert len(await world.tasks()) == 1
