"""Recorded decisions put to other policies: the very same questions, through the code that decides."""

from typing import Any

import anyio
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import interlock.services.whatif as replaying
from interlock.adapters.cedar import CedarPolicies
from interlock.domain.action import Action
from interlock.domain.agent import STAGES, Agent, Stage
from interlock.domain.bundle import Bundle
from interlock.domain.call import Answer, Call, Landed, Unsure
from interlock.domain.canonical import JsonValue
from interlock.domain.change import Change
from interlock.domain.contract import Contract, Cost, Facts, NoReversal, PythonTarget, Reversal
from interlock.domain.errors import PolicyError
from interlock.domain.ids import ActionId, AgentName, ContractName, Digest, Tenant
from interlock.domain.proposal import Proposal
from interlock.domain.whatif import Comparison, Consent, direction
from interlock.embedded import Embedded
from interlock.services.editions import Definition
from interlock.services.plane import plane
from interlock.services.whatif import WhatIf
from interlock.testing.parts import Target
from interlock.testing.world import OWNERS, TAKE, World, contract

PERMIT = '@id("all") @owner("o") permit(principal, action, resource);'
PUT = 'action == Action::"thing.put"'


def forbid(name: str, when: str, outcome: str = "deny", extra: str = "") -> str:
    """A forbid of `thing.put`."""
    head = f'@id("{name}") @owner("o") @outcome("{outcome}") @reason("r") {extra}'
    return f"{head} forbid(principal, {PUT}, resource) when {{ {when} }};"


def ask(above: int, name: str = "ask") -> str:
    """A lead is asked above so much."""
    return forbid(name, f"context.args.n > {above}", "require_approval", '@approver("lead")')


class Past(World):
    """A world whose policies are Cedar's, and what was done in it."""

    def __init__(self) -> None:
        super().__init__()
        self.plane = plane(msgspec.structs.replace(self.plane.means, policies=CedarPolicies()))
        self.known: tuple[Contract, ...] = ()

    async def put(self, *policies: str, stage: Stage = "partial", tool: Contract | None = None) -> Bundle:
        """Bring policies into force and open the task in which everything is proposed."""
        self.known = (TAKE, tool or contract())
        agent = Agent(
            name=AgentName("ag"), purpose="test", owners=OWNERS, stage=stage, capabilities=(ContractName("thing.put"),)
        )
        definition = Definition(
            agents=(agent,), contracts=self.known, policies={"p.cedar": "\n".join(policies)}, people=dict(self.people)
        )
        await self.plane.registry.apply(definition, by="test")
        Target(self.effectors, self.known[1])
        self.held = await self.task()
        return self.bundle(*policies)

    def bundle(self, *policies: str, contracts: tuple[Contract, ...] | None = None) -> Bundle:
        """Other policies about the same contracts, or about others."""
        return CedarPolicies().bundle({"p.cedar": "\n".join(policies)}, contracts or self.known)

    async def did(self, *numbers: int) -> list[Action]:
        """One action for each number, a millisecond apart."""
        found: list[Action] = []
        for n in numbers:
            self.clock.advance(1)
            found.append(await self.propose(self.held, n=n))
        return found

    async def rewrite(self, action: Action, **changes: Any) -> None:
        """What is recorded of an action, otherwise."""
        stored = await self.action(action)
        await self.store.commit(Change(puts=(msgspec.structs.replace(stored, **changes),)))

    async def replay(self, old: Bundle, new: Bundle, contracts: tuple[Contract, ...] = (), **limits: Any) -> Comparison:
        """What was done, put to both."""
        asked = WhatIf(self.store, CedarPolicies(), Tenant("t"))
        return await asked.replay(old, new, contracts or self.known, **limits)


def counts(found: Comparison) -> tuple[int, int, int, int]:
    """Loosened, tightened, otherwise, the same."""
    return found.count("loosened"), found.count("tightened"), found.count("other"), found.same


def reasons(found: Comparison) -> dict[str, int]:
    """What could not be asked."""
    return {each.why: each.count for each in found.unasked}


NUMBERS = st.lists(st.integers(0, 30), min_size=1, max_size=6)
RULES = st.lists(
    st.one_of(
        st.builds(ask, st.integers(0, 30)),
        st.builds(forbid, st.just("deny"), st.builds("context.args.n > {}".format, st.integers(0, 30))),
        st.builds(
            forbid, st.just("late"), st.builds("context.args.n + {} > 20".format, st.integers(0, 20)), st.just("shadow")
        ),
        st.just(forbid("tell", "context.args.n > 3", "oblige", '@obligation("tell")')),
        st.just(forbid("stage", 'context.stage == Stage::"bounded"', "escalate", '@approver("reviewer")')),
    ),
    max_size=3,
    unique_by=lambda rule: rule.partition(")")[0],
)
TOOLS = st.sampled_from([contract(), contract(reversal=NoReversal(why="it is gone")), contract(risk="high")])


async def lived(
    policies: list[str], tool: Contract, stage: Stage, numbers: list[int]
) -> tuple[Past, Bundle, list[Action]]:
    """A world in which these were in force when those were proposed."""
    world = Past()
    bundle = await world.put(PERMIT, *policies, stage=stage, tool=tool)
    return world, bundle, await world.did(*numbers)


@given(RULES, RULES, TOOLS, st.sampled_from(STAGES), NUMBERS)
@settings(max_examples=40)
@pytest.mark.proves("whatif.same_question")
def test_a_replay_says_what_would_have_been_decided(
    old: list[str], new: list[str], tool: Contract, stage: Stage, numbers: list[int]
) -> None:
    """What a replay counts is what happens when the same is proposed in a world where the other policies are in force."""

    async def both() -> None:
        world, was, before = await lived(old, tool, stage, numbers)
        _, now, after = await lived(new, tool, stage, numbers)
        seen = [
            direction(one.decision, other.decision)
            for one, other in zip(before, after, strict=True)
            if one.decision is not None
            and other.decision is not None
            and "interlock.error" not in {*one.decision.because} & {*other.decision.because}
        ]

        found = await world.replay(was, now)

        assert counts(found) == tuple(seen.count(each) for each in ("loosened", "tightened", "other", None))
        assert found.asked + sum(reasons(found).values()) == len(numbers)
        assert set(reasons(found)) <= {replaying.NEITHER}

    anyio.run(both)


@given(RULES, TOOLS, st.sampled_from(STAGES), NUMBERS)
@settings(max_examples=20)
@pytest.mark.proves("whatif.same_question")
def test_what_is_in_force_changes_nothing(rules: list[str], tool: Contract, stage: Stage, numbers: list[int]) -> None:
    """The policies in force, put to what they decided, decide all of it as before."""

    async def work() -> None:
        world, bundle, _ = await lived(rules, tool, stage, numbers)

        found = await world.replay(bundle, bundle)

        assert (found.groups, found.loosenings) == ((), ())
        assert found.same == found.asked == len(numbers) - sum(reasons(found).values())

    anyio.run(work)


@pytest.mark.anyio
@pytest.mark.proves("whatif.same_question")
async def test_each_way_to_differ_is_a_group_with_its_newest_example() -> None:
    """By contract, verdicts and policies, the loosened first and the largest first of them."""
    world = Past()
    old = await world.put(PERMIT, ask(10), forbid("no", "context.args.n > 20"))
    actions = await world.did(5, 12, 13, 25, 14)

    found = await world.replay(old, world.bundle(PERMIT, ask(4), forbid("no", "context.args.n > 30")))

    assert [(e.direction, e.old, e.new, e.count, e.example, e.arguments) for e in found.groups] == [
        ("loosened", "deny", "require_approval", 1, actions[3].id, "n 25"),
        ("tightened", "allow", "require_approval", 1, actions[0].id, "n 5"),
    ]
    assert (found.groups[0].old_policies, found.groups[0].new_policies) == (("no",), ("ask",))
    assert (found.asked, found.same, found.old, found.stopped) == (5, 3, old.digest, False)
    lost = await world.replay(old, world.bundle(PERMIT, forbid("no", "context.args.n > 20")))
    assert [(each.count, each.example) for each in lost.groups] == [(3, actions[4].id)]


@pytest.mark.anyio
@pytest.mark.proves("whatif.same_question")
async def test_everything_that_was_so_is_so_again() -> None:
    """Who asked, how sure, for whom, for what, when, in which stage and system: all of it as it was recorded, though time
    went on, roles were taken away and the stage is another."""
    world = Past()
    old = await world.put(PERMIT)
    proposal = Proposal(task=world.held, contract=ContractName("thing.put"), arguments={"n": 3}, confidence=850)
    action = await Embedded(world.plane).propose(proposal)
    assert action.asked is not None
    kept = (
        f'principal == Release::"ag@{action.release[:12]}" && resource == System::"t" && context.confidence == 850 && '
        f'context.task.initiator == "user:ana" && context.task.purpose == "test" && context.args.n == 3 && '
        f'context.nowMs == {action.asked.asked_at} && context.user.roles == ["reviewer"] && '
        'context.stage == Stage::"partial" && !context.undo'
    )
    world.people.clear()
    world.clock.advance(10_000)
    await world.put(PERMIT, stage="bounded")

    found = await world.replay(old, world.bundle(PERMIT, forbid("no", f"!(context has confidence && {kept})")))
    other = await world.replay(old, world.bundle(PERMIT, forbid("no", f"context has confidence && {kept}")))

    assert (counts(found), counts(other)) == ((0, 0, 0, 1), (0, 1, 0, 0))


@pytest.mark.anyio
@pytest.mark.proves("whatif.same_question")
async def test_since_and_limit() -> None:
    """Only what was proposed at that time or later; only the newest so many, and it says that there are more."""
    world = Past()
    old = await world.put(PERMIT)
    actions = await world.did(1, 2, 3, 4)
    new = world.bundle(PERMIT, forbid("no", "true"))

    late = await world.replay(old, new, since_at=actions[2].proposed_at)
    few = await world.replay(old, new, limit=3)
    whole = await world.replay(old, new, limit=4)
    none = await world.replay(old, new, since_at=actions[3].proposed_at + 1)

    assert (late.asked, late.count("tightened"), late.stopped) == (2, 2, False)
    assert (few.asked, few.stopped, few.groups[0].example) == (3, True, actions[3].id)
    assert (whole.asked, whole.stopped) == (4, False)
    assert (none.asked, none.groups) == (0, ())


@pytest.mark.anyio
@pytest.mark.proves("whatif.same_question")
async def test_more_than_a_page_is_asked_to_the_last() -> None:
    """Nothing is left out or asked twice where what was recorded does not fit into memory at once."""
    world = Past()
    old = await world.put(PERMIT)
    (first,) = await world.did(1)
    count = 2 * replaying.PAGE + 1
    copies = [
        msgspec.structs.replace(first, id=ActionId(f"{n:032}"), idempotency_key=f"k{n}", arguments={"n": n}, revision=0)
        for n in range(1, count)
    ]
    for start in range(0, len(copies), 100):
        await world.store.commit(Change(puts=tuple(copies[start : start + 100])))

    found = await world.replay(old, world.bundle(PERMIT, forbid("no", f"context.args.n > {replaying.PAGE}")))

    assert (found.asked, found.count("tightened")) == (count, replaying.PAGE)


@pytest.mark.anyio
@pytest.mark.proves("whatif.same_question")
async def test_what_cannot_be_asked_again_is_counted_with_its_reason() -> None:
    """Old entries, contracts that are gone or in one bundle only, arguments that fit no more: never guessed, never left out;
    what no policy was asked about does not count."""
    world = Past()
    old = await world.put(PERMIT, ask(10))
    actions = await world.did(1, 2, 3, 4)
    assert (await world.propose(world.held, n=-1)).state == "refused"
    await world.rewrite(actions[0], asked=None)
    await world.rewrite(actions[1], contract_digest=Digest("f" * 64))
    await world.rewrite(actions[2], arguments={"of": "another version"})

    found = await world.replay(old, world.bundle(PERMIT, ask(20)))

    assert reasons(found) == {replaying.NO_QUESTION: 1, replaying.NO_CONTRACT: 1, replaying.NEITHER: 1}
    assert (found.asked, found.same) == (1, 1)
    assert {each.why: each.example for each in found.unasked}[replaying.NO_CONTRACT] == actions[1].id
    gone = world.bundle(PERMIT, contracts=(TAKE,))
    assert reasons(await world.replay(old, gone))[replaying.NOT_NEW] == 2
    assert reasons(await world.replay(gone, old))[replaying.NOT_OLD] == 2
    number = {"type": "integer", "minimum": 0}
    schema = {**contract().input_schema, "properties": {"n": number, "m": number}, "required": ["m"]}
    other = world.bundle(PERMIT, forbid("no", "context.args.m > 1"), contracts=(TAKE, contract(input_schema=schema)))
    assert reasons(await world.replay(old, other))[replaying.NO_FIT] == 2


def late(arguments: dict[str, JsonValue], call: Call) -> Answer:
    """Facts that can be read."""
    del arguments, call
    return Landed({"late": True})


def down(arguments: dict[str, JsonValue], call: Call) -> Answer:
    """Facts that cannot."""
    del arguments, call
    return Unsure("down")


@pytest.mark.anyio
@pytest.mark.proves("whatif.same_question")
async def test_facts_and_budgets_that_were_not_kept_are_not_made_up() -> None:
    """Facts that could not be read then, and what was left of budgets that no policy had looked at, are reasons."""
    world = Past()
    schema: dict[str, JsonValue] = {
        "type": "object",
        "properties": {"late": {"type": "boolean"}},
        "required": ["late"],
        "additionalProperties": False,
    }
    tool = contract(
        facts=Facts(source=PythonTarget(target="world:facts"), schema=schema), cost=Cost(unit="EUR", amount=1)
    )
    old = await world.put(PERMIT, forbid("late", "context.facts.late"), tool=tool)
    world.effectors.on("thing.put", "facts", late)
    await world.did(1)
    world.effectors.on("thing.put", "facts", down)
    await world.did(2)

    found = await world.replay(old, world.bundle(PERMIT))
    poor = forbid("poor", "context has budget.EUR && context.budget.EUR < 5")
    looked = await world.replay(old, world.bundle(PERMIT, poor))

    assert (reasons(found), counts(found)) == ({replaying.NO_FACTS: 1}, (1, 0, 0, 0))
    assert reasons(looked) == {replaying.NO_FACTS: 1, replaying.NO_BUDGET: 1}
    again = Past()
    kept = await again.put(PERMIT, poor, tool=contract(cost=Cost(unit="EUR", amount=1)))
    await again.did(1)
    assert counts(await again.replay(kept, again.bundle(PERMIT, poor, ask(20)))) == (0, 0, 0, 1)


@pytest.mark.anyio
@pytest.mark.proves("whatif.same_question")
async def test_an_undo_is_asked_as_an_undo() -> None:
    """With what its reversal asks for on top of what policies say of `context.undo`, and without the stage's rules."""
    world = Past()
    tool = contract(reversal=Reversal(contract=ContractName("thing.take"), arguments={"n": "$args.n"}, approver="lead"))
    old = await world.put(PERMIT, tool=tool)
    (action,) = await world.did(1)
    await world.plane.compensation.undo("action", action.id, by="rita", why="wrong")
    await world.work()
    (undo,) = [each for each in await world.actions() if each.undoes is not None]
    rule = '@id("no") @owner("o") @outcome("deny") @reason("r") forbid(principal, action, resource) when {{ {} }};'

    found = await world.replay(old, world.bundle(PERMIT, rule.format("context.undo")))

    assert [(each.example, each.old, each.new) for each in found.groups] == [(undo.id, "require_approval", "deny")]
    assert counts(await world.replay(old, world.bundle(PERMIT, rule.format("context.args.n > 9")))) == (0, 0, 0, 2)
    await world.rewrite(undo, undoes=ActionId("gone"))
    assert reasons(await world.replay(old, old)) == {replaying.NO_UNDONE: 1}


@pytest.mark.anyio
@pytest.mark.proves("whatif.consent")
@pytest.mark.parametrize(
    ("then", "now", "needed"),
    [
        (contract(risk="high", owner="ola"), None, "ola"),
        (contract(reversal=NoReversal(why="sent"), owner="ola"), None, "ola"),
        (contract(risk="critical"), None, ""),
        (contract(risk="high", owner="ola"), contract(risk="low", owner="eve"), "eve"),
        (contract(risk="low"), contract(risk="critical", owner="ola"), "ola"),
        (contract(risk="medium", owner="ola"), None, None),
        (contract(risk="low", owner="ola"), None, None),
    ],
)
async def test_what_is_of_consequence_needs_its_owner(then: Contract, now: Contract | None, needed: str | None) -> None:
    """Loosening what cannot be undone, or is of high or critical risk, before or after, is listed with who owns it now;
    tightening it, or loosening the harmless, asks nobody."""
    world = Past()
    old = await world.put(PERMIT, forbid("no", "context.args.n > 10"), tool=then)
    actions = await world.did(11, 12, 5)
    contracts = (TAKE, now or then)

    found = await world.replay(old, world.bundle(PERMIT, contracts=contracts), contracts)

    allowed = "require_approval" if then.irreversible else "allow"
    assert counts(found) == (2, 0, 0, 1)
    if needed is None:
        assert (found.loosenings, found.consents) == ((), ())
        return
    (loosening,) = found.loosenings
    assert (loosening.owner, loosening.count, loosening.example) == (needed, 2, actions[1].id)
    assert (loosening.old, loosening.new) == ("deny", allowed)
    words = f"deny becomes {allowed} (2 recorded)"
    assert found.consents == (Consent(contract=ContractName("thing.put"), owner=needed, why=words),)
    stricter = world.bundle(PERMIT, forbid("no", "context.args.n > 1"), contracts=contracts)
    assert (await world.replay(old, stricter, contracts)).consents == ()


@pytest.mark.anyio
async def test_a_bundle_that_cannot_be_loaded_is_refused() -> None:
    """Nothing is compared with what would never come into force."""
    world = Past()
    old = await world.put(PERMIT)

    with pytest.raises(PolicyError):
        await world.replay(old, msgspec.structs.replace(old, sources={"p.cedar": "permit(principal"}))
