"""What policies in shadow would have changed, counted over recorded decisions."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import interlock.services.candidates as counting
from interlock.adapters.cedar import CedarPolicies
from interlock.adapters.cedar.explaining import CedarExplainer
from interlock.domain.action import Action
from interlock.domain.agent import Agent, Stage
from interlock.domain.call import Landed
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Contract, Facts, PythonTarget
from interlock.domain.duration import HOUR
from interlock.domain.errors import NotFound
from interlock.domain.ids import AgentName, ContractName, Tenant
from interlock.domain.policy import Verdict, combine
from interlock.domain.whatif import direction
from interlock.services.candidates import Candidate, Candidates
from interlock.services.deciding import overseen, question
from interlock.services.editions import Definition
from interlock.services.plane import plane
from interlock.testing.parts import Target
from interlock.testing.world import OWNERS, TAKE, World, contract

pytestmark = pytest.mark.anyio

PERMIT = '@id("all") @owner("o") permit(principal, action, resource) when { context.args.n < 100 };'
SHADOW = '@mode("shadow")'


def forbid(name: str, when: str, outcome: Verdict = "deny", extra: str = "") -> str:
    """A forbid in shadow mode."""
    return (
        f'@id("{name}") @owner("o") {SHADOW} @outcome("{outcome}") @reason("r") {extra}\n'
        f'forbid(principal, action == Action::"thing.put", resource) when {{ {when} }};'
    )


class Trial(World):
    """A world whose policies are Cedar's."""

    def __init__(self) -> None:
        super().__init__()
        self.plane = plane(msgspec.structs.replace(self.plane.means, policies=CedarPolicies()))

    async def put(self, *policies: str, stage: Stage = "partial", tool: Contract | None = None) -> None:
        """Bring policies into force, and open the task in which everything is proposed."""
        known = (TAKE, tool or contract())
        agent = Agent(
            name=AgentName("ag"), purpose="test", owners=OWNERS, stage=stage, capabilities=(ContractName("thing.put"),)
        )
        definition = Definition(
            agents=(agent,), contracts=known, policies={"p.cedar": "\n".join(policies)}, people=dict(self.people)
        )
        await self.plane.registry.apply(definition, by="test")
        Target(self.effectors, known[1])
        self.held = await self.task()

    async def proposed(self, *numbers: int) -> list[Action]:
        """One action for each number, a millisecond apart."""
        found: list[Action] = []
        for n in numbers:
            self.clock.advance(1)
            found.append(await self.propose(self.held, n=n))
        return found

    async def figures(self, since_at: int = 0) -> dict[str, Candidate]:
        """The candidates in force by id."""
        counted = Candidates(
            store=self.store,
            orders=self.plane.orders,
            policies=CedarPolicies(),
            explainer=CedarExplainer(),
            tenant=Tenant("t"),
        )
        return {each.policy: each for each in await counted.figures(since_at=since_at)}


@pytest.mark.proves("policy.candidate_figures")
async def test_figures_of_a_forbid() -> None:
    """Evaluated, satisfied, tightened, and of those how many had been allowed; the newest are the examples."""
    world = Trial()
    ask = forbid("ask", "context.args.n > 50", "require_approval", '@approver("reviewer")').replace(SHADOW, "")
    await world.put(PERMIT, ask, forbid("c", "context.args.n > 20"))

    actions = await world.proposed(10, 30, 40, 60, 70, 200)

    found = (await world.figures())["c"]
    assert (found.decisions, found.evaluated, found.satisfied, found.failed) == (6, 6, 5, 0)
    assert (found.tightened, found.allowed, found.loosened, found.otherwise) == (4, 2, 0, 1)
    assert [(each.action, each.was, each.would_be) for each in found.examples] == [
        (actions[4].id, "require_approval", "deny"),
        (actions[3].id, "require_approval", "deny"),
        (actions[2].id, "allow", "deny"),
    ]
    assert found.since_at == actions[0].proposed_at
    assert (found.file, found.line, found.verdict, found.owner) == ("p.cedar", 4, "deny", "o")


@pytest.mark.proves("policy.candidate_figures")
async def test_figures_of_a_permit() -> None:
    """A permit on trial loosens what nothing else permits, and no more than that."""
    world = Trial()
    await world.put(PERMIT, f'@id("c") @owner("o") {SHADOW} permit(principal, action, resource);')

    await world.proposed(10, 150, 160)

    found = (await world.figures())["c"]
    assert (found.satisfied, found.loosened, found.tightened, found.otherwise) == (3, 2, 0, 1)
    assert {(each.was, each.would_be) for each in found.examples} == {("deny", "allow")}


@pytest.mark.proves("policy.candidate_figures", "policy.candidate_never_counts")
async def test_a_candidate_that_fails_is_counted_and_denies_nothing() -> None:
    """Everything goes on being allowed; in force, each failure would have been a denial."""
    world = Trial()
    schema: dict[str, JsonValue] = {
        "type": "object",
        "properties": {"late": {"type": "boolean"}},
        "required": ["late"],
        "additionalProperties": False,
    }
    facts = Facts(source=PythonTarget(target="world:facts"), schema=schema)
    await world.put(PERMIT, forbid("c", "context.facts.late"), tool=contract(facts=facts))
    world.effectors.on("thing.put", "facts", lambda *_: Landed({"late": "perhaps"}))

    actions = await world.proposed(0, 1, 2)

    assert [action.state for action in actions] == ["done", "done", "done"]
    found = (await world.figures())["c"]
    assert (found.failed, found.tightened, found.allowed) == (3, 3, 3)
    assert actions[0].decision is not None
    assert actions[0].decision.failing == ("c",)


@pytest.mark.proves("policy.candidate_figures")
async def test_figures_are_about_the_words_not_the_name() -> None:
    """Another policy may change and the figures go on; where the candidate itself does, they begin anew."""
    world = Trial()
    await world.put(PERMIT, forbid("c", "context.args.n > 20"))
    await world.proposed(30)
    await world.put("// A comment.", PERMIT, forbid("d", "context.args.n > 1"), forbid("c", "context.args.n > 20"))
    await world.proposed(30)
    both = await world.figures()
    await world.put(PERMIT, forbid("c", "context.args.n > 25"))
    fresh = await world.figures()
    await world.put(PERMIT, forbid("c", "context.args.n > 25").replace(SHADOW, ""))

    assert (both["c"].decisions, both["c"].satisfied, both["d"].decisions) == (2, 2, 1)
    assert (fresh["c"].decisions, fresh["c"].since_at, fresh["c"].examples) == (0, None, ())
    assert await world.figures() == {}


async def test_since_and_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Older decisions are left out, and pages of any size come to the same figures."""
    world = Trial()
    await world.put(PERMIT, forbid("c", "context.args.n > 20"))
    await world.proposed(30, 30, 30)
    world.clock.advance(HOUR)
    since_at = world.clock.now()
    await world.proposed(30, 10)

    whole, late = await world.figures(), await world.figures(since_at)
    monkeypatch.setattr(counting, "PAGE", 2)

    assert (whole["c"].decisions, late["c"].decisions, late["c"].satisfied) == (5, 2, 1)
    assert (await world.figures(), await world.figures(since_at)) == (whole, late)


async def test_nothing_in_force_has_no_candidates() -> None:
    """Before anything was applied there is nothing to count, and that is said."""
    with pytest.raises(NotFound):
        await Trial().figures()


NUMBERS = st.lists(st.integers(0, 130), min_size=1, max_size=12)
LIMITS = st.integers(0, 130)
OUTCOMES = st.sampled_from(["deny", "require_approval", "oblige", "shadow"])
EXTRA = {"require_approval": '@approver("lead")', "oblige": '@obligation("log")'}
STAGES = st.sampled_from(["shadow", "assisted", "partial", "bounded"])


@pytest.mark.proves("policy.candidate_figures")
@given(NUMBERS, LIMITS, OUTCOMES, LIMITS, OUTCOMES, STAGES)
@settings(max_examples=40, deadline=None)
async def test_figures_are_those_of_the_policy_in_force(
    numbers: list[int], limit: int, outcome: Verdict, other: int, beside: Verdict, stage: Stage
) -> None:
    """By chance: what is counted is what a bundle with the candidate in force decides about the very same questions."""
    trial = forbid("c", f"context.args.n > {limit}", outcome, EXTRA.get(outcome, ""))
    live = forbid("l", f"context.args.n > {other}", beside, EXTRA.get(beside, "")).replace(SHADOW, "")
    world, tool = Trial(), contract()
    await world.put(PERMIT, live, trial, stage=stage)
    actions = await world.proposed(*numbers)
    language = CedarPolicies()
    promoted = language.bundle({"p.cedar": "\n".join((PERMIT, live, trial.replace(SHADOW, "")))}, (TAKE, tool))
    judge = language.load(promoted)
    expected = dict.fromkeys(("tightened", "loosened", "other", None), 0)
    for action in actions:
        assert action.asked is not None
        assert action.decision is not None
        asked = question(
            tool,
            action.arguments,
            {},
            action.asked,
            agent=action.agent,
            release=action.release,
            initiator=action.initiator,
            confidence=None,
            tenant="t",
        )
        would = overseen(combine(judge.opinions(asked), judge.policies, promoted.digest), tool, None, action.asked)
        expected[direction(action.decision, would)] += 1

    found = (await world.figures())["c"]

    assert found.satisfied == sum(n > limit for n in numbers)
    assert (found.tightened, found.loosened, found.otherwise) == (
        expected["tightened"],
        expected["loosened"],
        expected["other"],
    )
