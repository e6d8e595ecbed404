"""Publishing: what is in force changes only by as many people as it takes, whole, at once, and on record."""

import asyncio
from collections import Counter

import msgspec
import pytest

from interlock.adapters.memory import Fault, Faults
from interlock.domain.agent import Agent, Owners, Stage
from interlock.domain.budget import Budget
from interlock.domain.canonical import JsonValue
from interlock.domain.change import Change
from interlock.domain.contract import Cost, Effect, Facts, NoReversal, PythonTarget, Reversal
from interlock.domain.control import Control
from interlock.domain.duration import MINUTE
from interlock.domain.errors import (
    IllegalMove,
    NotAllowed,
    NotFound,
    PolicyError,
    StaleView,
    StoreError,
    WorkspaceError,
)
from interlock.domain.ids import AgentName, ContractName, Person, PublicationId
from interlock.domain.ownership import Side, Worded, loosened
from interlock.domain.policy import Policy
from interlock.domain.publication import Publication, PublicationState
from interlock.domain.publishing import Publishing
from interlock.domain.rate import Rate
from interlock.services.editions import Definition
from interlock.services.plane import ControlPlane
from interlock.testing.parts import Predicate
from interlock.testing.world import PEOPLE, World, contract, permit

pytestmark = pytest.mark.anyio

RITA, RIA, ANA, LENA = Person("rita"), Person("ria"), Person("ana"), Person("lena")
TWO = Publishing(persons=2)


def deny() -> tuple[Policy, Predicate]:
    """A policy that denies everything."""
    return Policy(id="no", effect="forbid", owner="pia", verdict="deny", reason="no"), lambda _: True


async def installed(rule: Publishing = TWO, *, faults: Faults | None = None) -> World:
    """A world in which `rule` is in force, over one grave contract that lena owns."""
    world = World(faults=faults)
    world.people[LENA] = ("owner",)
    owned = contract(risk="high", owner="owner")
    await world.apply(owned, contract("thing.mild"), publishing=rule)
    return world


def denying(world: World) -> Definition:
    """What is in force, with a policy that denies everything."""
    return world.definition(policies=world.policies.register("b2", permit(), deny()))


async def control(world: World) -> Control:
    """The standing orders as stored."""
    found = await world.store.get(Control, "control")
    assert found is not None
    return found


async def phases(world: World) -> Counter[str]:
    """How many facts of each phase are in the log."""
    return Counter(entry.phase for entry in await world.store.entries(0, 10_000))


async def proposed(world: World, definition: Definition, by: str = "rita", why: str = "") -> PublicationId:
    """Propose, and give the publication's id."""
    applied = await world.plane.publisher.publish(definition, by=by, why=why)
    assert not applied.changed
    assert applied.publication is not None
    return applied.publication


async def publication(world: World, which: PublicationId) -> Publication:
    """A publication as stored."""
    found = await world.store.get(Publication, which)
    assert found is not None
    return found


# -- two persons -----------------------------------------------------------------------------------------------


@pytest.mark.proves("publish.first")
async def test_the_first_edition_needs_one_person_and_the_next_two() -> None:
    """Where nothing is in force there is nobody to ask; from then on the rule that came into force holds."""
    world = World()
    await world.apply(contract())
    empty = World()
    empty.policies = world.policies
    empty.plane = empty.another("w1")
    first = await empty.plane.publisher.publish(world.definition(publishing=TWO), by="open")

    assert first.changed
    waiting = await empty.plane.publisher.publish(world.definition(), by="rita")
    assert (waiting.changed, waiting.waits_for) == (False, "1 more person")


@pytest.mark.proves("publish.two_persons")
async def test_one_person_changes_nothing_and_two_change_everything() -> None:
    """Proposed, everything is stored and nothing in force; with another person's yes all of it is, in every process."""
    world = await installed()
    other = world.another("w2")
    task = await world.task()
    before = await control(world)

    which = await proposed(world, denying(world), why="too risky")
    assert await control(world) == before
    assert (await world.propose_on(other, task)).state == "done"
    after = await world.plane.consenting.accept(which, RIA, note="seen")
    found = await world.propose_on(other, task)

    assert (after.state, [word.person for word in after.consents]) == ("published", ["rita", "ria"])
    assert (found.state, found.decision and found.decision.bundle) == ("denied", after.edition.bundle)
    assert (await control(world)).bundle == after.edition.bundle != before.bundle
    said = await phases(world)
    assert (said["proposed"], said["published"], said["applied"]) == (1, 1, 2)


@pytest.mark.proves("publish.two_persons")
async def test_an_edition_is_everything_and_not_only_policies() -> None:
    """People, agents, contracts, budgets, rates, the engine and the rule itself take two as well: it is a change to weaken it."""
    world = await installed()
    agent = world.definition().agents[0]
    for changes in (
        {"publishing": Publishing()},
        {"publishing": Publishing(persons=2, roles=("reviewer",))},
        {"people": {**world.people, Person("eve"): ("reviewer",)}},
        {"agents": (msgspec.structs.replace(agent, stage="shadow"),)},
        {"contracts": tuple(each for each in world.definition().contracts if each.name != "thing.mild")},
        {"budgets": {"EUR": 5}},
        {"rates": {"tenant": Rate(calls=5, per_ms=MINUTE)}},
        {"engine": "cedarpy"},
    ):
        applied = await world.plane.publisher.publish(world.definition(**changes), by="rita")
        assert applied.publication is not None, changes
        with pytest.raises(NotAllowed, match="more than one person"):
            await world.plane.registry.apply(world.definition(**changes), by="rita")

    assert await world.store.get(Budget, "tenant/EUR") is None
    last = (await world.plane.consenting.publications())[0]
    await world.plane.consenting.accept(last.id, RIA)
    assert (await control(world)).engine == "cedarpy"
    # The others were made against what is in force no more.
    assert Counter(each.state for each in await world.plane.consenting.publications()) == {
        "superseded": 7,
        "published": 1,
    }


@pytest.mark.proves("publish.entitled")
async def test_who_may_not_agree() -> None:
    """Whoever proposed it, a stranger, somebody in another role, and anybody twice."""
    world = await installed(Publishing(persons=3, roles=("reviewer",)))
    which = await proposed(world, denying(world))
    accept = world.plane.consenting.accept

    for person, said in ((RITA, "proposed this"), (Person("eve"), "not among"), (LENA, "not asked here")):
        with pytest.raises(NotAllowed, match=said):
            await accept(which, person)
    assert (await accept(which, RIA)).state == "open"
    with pytest.raises(NotAllowed, match="has agreed already"):
        await accept(which, RIA)
    assert (await accept(which, ANA)).state == "published"
    with pytest.raises(IllegalMove, match="published"):
        await accept(which, LENA)
    with pytest.raises(NotFound):
        await accept(PublicationId("x"), RIA)


@pytest.mark.proves("publish.entitled")
async def test_a_proposer_without_the_role_does_not_count() -> None:
    """Somebody else may propose it; then it takes as many as the rule says beside them. Nobody unknown proposes."""
    world = await installed(Publishing(persons=2, roles=("reviewer",)))
    which = await proposed(world, denying(world), by="lena")

    assert (await world.plane.consenting.accept(which, RITA)).state == "open"
    assert (await world.plane.consenting.accept(which, RIA)).state == "published"
    with pytest.raises(NotAllowed, match="not among"):
        await world.plane.publisher.publish(world.definition(), by="unnamed")


@pytest.mark.proves("publish.stale")
async def test_what_is_in_force_changed_since() -> None:
    """A publication is a change of what was in force when it was proposed, and can be published on nothing else; brakes are
    no such change, and stay as they are."""
    world = await installed()
    one = await proposed(world, denying(world))
    other = await proposed(world, world.definition(budgets={"EUR": 7}), by="ria")
    await world.plane.braking.stop("agent", "ag", by="rita", why="halt")
    await world.plane.consenting.accept(other, ANA)

    with pytest.raises(IllegalMove, match="superseded"):
        await world.plane.consenting.accept(one, RIA)
    now = await control(world)
    assert [stop.name for stop in now.stops] == ["ag"]
    limit = await world.store.get(Budget, "tenant/EUR")
    assert limit is not None
    assert limit.limit == 7
    # A budget's limit that was changed behind the record's back counts as well.
    again = await proposed(world, denying(world))
    await world.store.commit(Change(puts=(msgspec.structs.replace(limit, limit=8),)))
    with pytest.raises(StaleView, match="proposed again"):
        await world.plane.consenting.accept(again, RIA)
    assert (await publication(world, again)).state == "superseded"


@pytest.mark.proves("publish.idempotent")
async def test_proposing_the_same_again_gives_the_same_publication() -> None:
    """A pipeline that applies on every run asks for one word, not for one a run; what is in force already asks for none."""
    world = await installed()
    one = await proposed(world, denying(world))
    size = len(await world.store.entries(0, 10_000))

    assert await proposed(world, denying(world), by="ria") == one
    assert len(await world.store.entries(0, 10_000)) == size
    same = await world.plane.registry.apply(world.definition(), by="anybody")
    assert (same.changed, same.publication) == (False, None)


@pytest.mark.proves("publish.withdraw")
async def test_what_is_withdrawn_is_never_published() -> None:
    """By whoever proposed it or could have accepted it, and by nobody else."""
    world = await installed(Publishing(persons=2, roles=("reviewer",)))
    which = await proposed(world, denying(world))

    with pytest.raises(NotAllowed, match="not asked here"):
        await world.plane.consenting.withdraw(which, LENA)
    assert (await world.plane.consenting.withdraw(which, RITA)).state == "withdrawn"
    with pytest.raises(IllegalMove, match="withdrawn"):
        await world.plane.consenting.accept(which, RIA)
    assert (await phases(world))["withdrawn"] == 1


@pytest.mark.proves("publish.race")
async def test_many_who_agree_at_once_publish_once() -> None:
    """Two processes, ten people: one publishes, the others are told that it is published; it is one change and one fact."""
    world = await installed()
    for number in range(10):
        world.people[Person(f"p{number}")] = ("reviewer",)
    first = await proposed(world, world.definition(people=dict(world.people)))
    await world.plane.consenting.accept(first, RIA)
    which = await proposed(world, msgspec.structs.replace(denying(world), people=dict(world.people)))
    planes = [world.plane, world.another("w2")]
    before = (await control(world)).revision

    said = await asyncio.gather(
        *(planes[n % 2].consenting.accept(which, Person(f"p{n}")) for n in range(10)), return_exceptions=True
    )

    assert Counter(type(each).__name__ for each in said) == {"Publication": 1, "IllegalMove": 9}
    assert (await control(world)).revision == before + 1
    assert (await phases(world))["published"] == 2
    assert len((await publication(world, which)).consents) == 2


@pytest.mark.proves("publish.rule_can_be_met")
async def test_a_rule_that_nobody_could_meet_is_refused() -> None:
    """It would close the door for good."""
    world = await installed(Publishing())
    for rule in (Publishing(persons=2, roles=("lead",)), Publishing(persons=9), Publishing(roles=("nobody",))):
        with pytest.raises(WorkspaceError, match="nothing could be changed any more"):
            await world.plane.registry.apply(world.definition(publishing=rule), by="rita")


@pytest.mark.proves("publish.whole")
async def test_policies_that_can_no_longer_be_loaded_are_not_published() -> None:
    """What was sound when it was proposed is held against the rules once more before it is in force."""
    world = await installed()
    which = await proposed(world, denying(world))
    before = await control(world)
    world.policies.forget("b2")

    with pytest.raises(PolicyError):
        await world.plane.consenting.accept(which, RIA)
    assert (await control(world), (await publication(world, which)).state) == (before, "open")


# -- owners ----------------------------------------------------------------------------------------------------

OWNERS = Publishing(owners=True)
EMPTY: dict[str, JsonValue] = {"type": "object", "properties": {}, "additionalProperties": False}


@pytest.mark.proves("publish.owners")
async def test_loosening_a_grave_contract_takes_its_owner() -> None:
    """Also where one person publishes: a tightening comes into force at once, taking it back waits for the owner."""
    world = await installed(OWNERS)
    loose = world.definition()
    assert (await world.plane.registry.apply(denying(world), by="rita")).changed

    which = await proposed(world, loose)
    assert (await publication(world, which)).owners == {"thing.put": "owner"}
    with pytest.raises(NotAllowed, match="not asked here"):
        await world.plane.consenting.accept(which, RIA)
    assert (await world.plane.consenting.accept(which, LENA)).state == "published"


@pytest.mark.proves("publish.owners")
async def test_an_owner_alone_is_enough_where_one_person_publishes() -> None:
    """Whoever proposes it has agreed."""
    world = await installed(OWNERS)
    loose = world.definition()
    await world.plane.registry.apply(denying(world), by="rita")

    assert (await world.plane.registry.apply(loose, by="lena")).changed


@pytest.mark.proves("publish.owners")
async def test_the_ways_round_an_owner() -> None:
    """A contract that calls itself harmless, another owner, another holder of the owner's role, another target, a bolder
    stage, and a rule that asks no owners: each waits for the owner in force."""
    world = await installed(OWNERS)
    put, mild = (each for each in world.definition().contracts if each.name in ("thing.put", "thing.mild"))
    rest = tuple(each for each in world.definition().contracts if each.name != "thing.put")
    agent = world.definition().agents[0]
    ways: dict[str, dict[str, object]] = {
        "risk": {"contracts": (*rest, msgspec.structs.replace(put, risk="low"))},
        "effect": {"contracts": (*rest, msgspec.structs.replace(put, effect="read"))},
        "owner": {"contracts": (*rest, msgspec.structs.replace(put, owner="rita"))},
        "target": {"contracts": (*rest, msgspec.structs.replace(put, target=PythonTarget(target="world:other")))},
        "holder": {"people": {**world.people, RITA: ("reviewer", "owner")}},
        "stage": {"agents": (msgspec.structs.replace(agent, stage="bounded"),)},
        "rule": {"publishing": Publishing()},
        "tests": {"publishing": Publishing(owners=True, tests="advised")},
    }
    for name, changes in ways.items():
        applied = await world.plane.publisher.publish(world.definition(**changes), by="rita")
        assert (name, applied.waits_for) == (name, "the owner of thing.put (owner)")
    mild_risen = msgspec.structs.replace(mild, description="words")
    others = tuple(each for each in world.definition().contracts if each.name != "thing.mild")
    assert (await world.plane.registry.apply(world.definition(contracts=(*others, mild_risen)), by="rita")).changed


@pytest.mark.proves("publish.owners")
async def test_the_ways_round_an_owner_in_several_steps() -> None:
    """What is taken out could come back as somebody else's, an owner who is nobody could be followed by anybody, and what no
    agent may use could be called harmless until one may: the step that makes it possible waits for the owner."""
    world = await installed(OWNERS)
    put = next(each for each in world.definition().contracts if each.name == "thing.put")
    rest = tuple(each for each in world.definition().contracts if each.name != "thing.put")
    agent = msgspec.structs.replace(world.definition().agents[0], capabilities=())
    nobody = {person: roles for person, roles in world.people.items() if person != LENA}
    harmless = (*rest, msgspec.structs.replace(put, risk="low", owner="rita"))

    async def waits(**changes: object) -> str:
        return (await world.plane.publisher.publish(world.definition(**changes), by="rita")).waits_for

    expected = "the owner of thing.put (owner)"
    assert await waits(contracts=rest, agents=(agent,)) == expected
    assert await waits(people=nobody) == expected
    assert (await world.plane.registry.apply(world.definition(agents=(agent,)), by="rita")).changed
    assert await waits(agents=(agent,), contracts=harmless) == expected


@pytest.mark.proves("publish.owners")
async def test_another_name_for_the_same() -> None:
    """A harmless contract that calls what the grave one calls waits for the owner of that; one that calls another does not."""
    world = await installed(OWNERS)
    known, mild = world.definition().contracts, contract("thing.soft", owner="rita")
    put = next(each for each in known if each.name == "thing.put")
    twin = msgspec.structs.replace(mild, target=put.target)

    applied = await world.plane.publisher.publish(world.definition(contracts=(*known, twin)), by="rita")

    assert applied.waits_for == "the owner of thing.put (owner)"
    assert (await world.plane.registry.apply(world.definition(contracts=(*known, mild)), by="rita")).changed


@pytest.mark.proves("publish.owners")
async def test_a_capability_named_before_its_contract() -> None:
    """A grave contract that comes when an agent has its name already waits for its owner as if the capability were new."""
    world = World()
    world.people[LENA] = ("owner",)
    await world.apply(contract("thing.mild"), publishing=OWNERS)
    agent = world.definition().agents[0]
    early = (msgspec.structs.replace(agent, capabilities=(*agent.capabilities, ContractName("thing.put"))),)
    assert (await world.plane.registry.apply(world.definition(agents=early), by="rita")).changed
    grave = (*world.definition().contracts, contract(risk="high", owner="owner"))

    applied = await world.plane.publisher.publish(world.definition(agents=early, contracts=grave), by="rita")

    assert applied.waits_for == "the owner of thing.put (owner)"


@pytest.mark.parametrize(("effect", "waits"), [("read", "the owner of thing.read (owner)"), ("write", "")])
@pytest.mark.proves("publish.owners")
async def test_a_capability_of_an_agent_in_shadow(effect: Effect, waits: str) -> None:
    """Nothing that acts is touched in shadow, but what is read is read: only then it is a loosening."""
    world = World()
    world.people[LENA] = ("owner",)
    grave = contract("thing.read", risk="critical", owner="owner", effect=effect)
    await world.apply(grave, contract("thing.mild"), stage="shadow", publishing=OWNERS)
    agent = world.definition().agents[0]
    less = (msgspec.structs.replace(agent, capabilities=("thing.mild",)),)
    assert (await world.plane.registry.apply(world.definition(agents=less), by="rita")).changed

    applied = await world.plane.publisher.publish(world.definition(), by="rita")

    assert (applied.waits_for, applied.changed) == (waits, not waits)


@pytest.mark.parametrize(
    "changes",
    [
        {"data_classes": {}},
        {"facts": Facts(source=PythonTarget(target="world:other"), schema=EMPTY)},
        {"reversal": Reversal(contract="thing.take", arguments={"n": 0})},
        {"postcondition": None},
        {"rate": None},
        {"rate": Rate(calls=3, per_ms=MINUTE)},
        {"rate": Rate(calls=2, per_ms=MINUTE - 1)},
    ],
    ids=str,
)
@pytest.mark.proves("publish.owners")
async def test_what_else_a_contract_promises(changes: dict[str, object]) -> None:
    """What policies learn of it and from whom, how it is undone, what answers for it and how often it may be called take its
    owner, too."""
    world = World()
    world.people[LENA] = ("owner",)
    facts = Facts(source=PythonTarget(target="world:facts"), schema=EMPTY)
    put = contract(
        risk="high",
        owner="owner",
        data_classes={"n": "secret"},
        facts=facts,
        postcondition=PythonTarget(target="world:is"),
        rate=Rate(calls=2, per_ms=MINUTE),
    )
    await world.apply(put, publishing=OWNERS)
    others = tuple(each for each in world.definition().contracts if each.name != "thing.put")
    changed = world.definition(contracts=(*others, msgspec.structs.replace(put, **changes)))

    applied = await world.plane.publisher.publish(changed, by="rita")

    assert applied.waits_for == "the owner of thing.put (owner)"


@pytest.mark.proves("publish.owners")
def test_roles_that_a_policy_looks_at() -> None:
    """Where a policy asks who holds which role, another role for anybody may permit more; where none asks, it does not."""

    def side(*, roles: bool, **people: tuple[str, ...]) -> Side:
        policy = Worded(text="-", policy=permit()[0], contracts=frozenset({ContractName("thing.put")}), roles=roles)
        agent = Agent(name=AgentName("ag"), purpose="test", capabilities=(ContractName("thing.put"),))
        return Side(
            agents={agent.name: agent},
            contracts={ContractName("thing.put"): contract(risk="high")},
            policies={"all": policy},
            people={Person(name): held for name, held in people.items()},
            publishing=OWNERS,
        )

    before, after = {"rita": ("reviewer",)}, {"rita": ("reviewer", "lead")}
    assert loosened(side(roles=True, **before), side(roles=True, **after)) == {
        "thing.put": ("policy `all` looks at roles, and `rita` has others",)
    }
    assert not loosened(side(roles=True, **before), side(roles=True, **before))
    assert not loosened(side(roles=False, **before), side(roles=False, **after))


@pytest.mark.proves("publish.owners")
def test_more_of_what_it_costs() -> None:
    """A higher limit on the unit of its cost, or none, loosens it; a lower one and other units do not."""

    def side(**limits: int) -> Side:
        agent = Agent(name=AgentName("ag"), purpose="test", capabilities=(ContractName("thing.put"),))
        grave = contract(risk="high", owner="rita", cost=Cost(unit="EUR", amount="$args.n"))
        return Side(
            agents={agent.name: agent},
            contracts={ContractName("thing.put"): grave},
            policies={},
            people={Person("rita"): ("reviewer",)},
            publishing=OWNERS,
            limits={"all": limits},
        )

    assert loosened(side(EUR=10), side(EUR=11)) == {"thing.put": ("11 of EUR may be spent in `all` instead of 10",)}
    assert loosened(side(EUR=10), side()) == {"thing.put": ("any amount of EUR may be spent in `all` instead of 10",)}
    assert not loosened(side(EUR=10, calls=5), side(EUR=9, calls=6))
    assert not loosened(side(), side(EUR=9))


@pytest.mark.proves("publish.owners")
async def test_a_grave_contract_without_an_owner_cannot_be_loosened() -> None:
    """Absence means no: somebody must own it first, and then agree."""
    world = World()
    grave = contract(reversal=NoReversal(why="it cannot be unsent"))
    await world.apply(grave, rules=(permit(), deny()), publishing=OWNERS)
    loose = world.definition(policies=world.policies.register("b2", permit()))

    with pytest.raises(WorkspaceError, match="it has no owner"):
        await world.plane.registry.apply(loose, by="rita")


# -- faults ----------------------------------------------------------------------------------------------------


async def _propose(world: World, process: ControlPlane) -> None:
    await process.publisher.publish(denying(world), by="rita")


async def _publish(world: World, process: ControlPlane) -> None:
    which = await proposed(world, denying(world))
    await process.consenting.accept(which, RIA)


async def _withdraw(world: World, process: ControlPlane) -> None:
    which = await proposed(world, denying(world))
    await process.consenting.withdraw(which, RIA)


async def _third(world: World, process: ControlPlane) -> None:
    which = await proposed(world, world.definition(publishing=Publishing(persons=3)))
    await process.consenting.accept(which, RIA)
    which = await proposed(world, denying(world))
    await process.consenting.accept(which, RIA)
    await process.consenting.accept(which, ANA)


async def _switch(world: World, process: ControlPlane) -> None:
    del world
    await process.engines.use("cedarpy", by=RITA, why="to be sure")
    await process.engines.use("compiled", by=RITA, why="looked at it")


async def _learn(world: World, process: ControlPlane) -> None:
    await world.propose(await world.task(), "thing.mild")
    applied = await process.baselines.learn(AgentName("ag"), since_at=0, by="rita")
    assert applied.publication is not None
    await process.consenting.accept(applied.publication, RIA)
    assert (await control(world)).baselines


STORIES = {story.__name__: story for story in (_propose, _publish, _withdraw, _third, _switch, _learn)}


@pytest.mark.parametrize("fault", ["stored", "not stored"])
@pytest.mark.parametrize("name", STORIES)
@pytest.mark.proves("publish.whole", "store.fault_pairs")
async def test_each_write_that_fails(name: str, fault: Fault) -> None:
    """Whichever write fails, and whether or not it was stored: what is in force and what the log says of it agree, and so do
    every publication and its facts; doing it again ends as it would have without the fault."""
    calm = await installed(faults=Faults())
    before = calm.store.faults.writes
    await STORIES[name](calm, calm.plane)
    total = calm.store.faults.writes - before
    assert total
    for nth in range(1, total + 1):
        world = await installed(faults=Faults())
        world.store.faults.at[world.store.faults.writes + nth] = fault
        answered = True
        try:
            await STORIES[name](world, world.plane)
        except StoreError:
            answered = False
        # What was stored without an answer is found out: nobody is told that it failed.
        assert answered == (fault == "stored")
        assert (nth, await disagreements(world)) == (nth, [])
        if not answered:
            await again(world)
            assert (nth, await disagreements(world)) == (nth, [])


async def again(world: World) -> None:
    """Publish what is meant, in another process, whatever is left of the first attempt."""
    process = world.another("survivor")
    applied = await process.publisher.publish(denying(world), by="rita")
    for person in (RIA, ANA):
        if applied.publication is not None:
            found = await publication(world, applied.publication)
            if found.state == "open" and not found.agreed(person):
                await process.consenting.accept(found.id, person)
    assert (await control(world)).bundle == applied.bundle


async def disagreements(world: World) -> list[str]:
    """What the standing orders, the publications and the log do not agree upon."""
    found: list[str] = []
    said, now = await phases(world), await control(world)
    states = Counter(each.state for each in await world.plane.consenting.publications())
    if said["proposed"] != states.total():
        found.append(f"{states.total()} publications, and {said['proposed']} were proposed")
    every: tuple[PublicationState, ...] = ("published", "withdrawn", "superseded")
    ends = [state for state in every if said[state] != states[state]]
    found += [f"{states[state]} are {state}, and the log says {said[state]}" for state in ends]
    if now.revision != said["applied"] + said["engine"] + said["alarm"]:
        found.append(f"the orders are at {now.revision}, and the log says {dict(said)}")
    if said["applied"] != 1 + states["published"]:
        found.append("something came into force without a publication")
    if (now.engine == "cedarpy") != (now.alarm is not None):
        found.append("the engine and its alarm disagree")
    await world.another("reader").orders.refresh()
    return found


@pytest.mark.proves("registry.owners")
async def test_an_agent_whose_owner_left_is_raised_no_stage() -> None:
    """It stays as far as it goes and may be taken back; further it goes only with owners who are somebody, of whom the
    people that are published with it count."""
    world = World()
    await world.apply(contract(), stage="assisted")
    people = {person: roles for person, roles in PEOPLE.items() if person != ANA}
    [agent] = world.definition().agents

    def becoming(stage: Stage, people: dict[Person, tuple[str, ...]] = people) -> Definition:
        return world.definition(agents=(msgspec.structs.replace(agent, stage=stage),), people=people)

    assert (await world.plane.registry.apply(becoming("assisted"), by="test")).changed
    with pytest.raises(WorkspaceError, match=r"`thing.put`.*`ana` \(engineering owner\) is nobody") as told:
        await world.plane.registry.apply(becoming("partial"), by="test")
    assert "people.yaml" in told.value.next_step
    assert (await world.plane.registry.apply(becoming("shadow"), by="test")).changed
    with pytest.raises(WorkspaceError):
        await world.plane.registry.apply(becoming("assisted"), by="test")
    assert (await world.plane.registry.apply(becoming("partial", dict(PEOPLE)), by="test")).changed


@pytest.mark.proves("registry.owners")
async def test_an_agent_whose_owners_are_nobody_comes_into_force_in_shadow_only() -> None:
    """One that is not in force comes from shadow, whatever its file says."""
    world = World()
    nobody = Owners(decision="rita", policy="rita", data="team-seven", engineering="rita")

    with pytest.raises(WorkspaceError, match="`team-seven`"):
        await world.apply(contract(), owners=nobody)
    await world.apply(contract(), owners=nobody, stage="shadow")

    assert (await control(world)).agents.keys() == {"ag"}
