"""Policies in shadow mode: asked, reported, and of no consequence for what is enforced, whatever becomes of them."""

import msgspec
import pytest

from bench.chance import Chance
from bench.fuzz import some
from interlock.adapters.cedar.compiled import Compiled, compiled_judge
from interlock.adapters.cedar.judge import Answer, CedarJudge
from interlock.adapters.cedar.loaded import Loaded, Slice
from interlock.adapters.cedar.policies import CedarPolicies
from interlock.domain.ids import Digest
from interlock.domain.policy import Engine, combine
from interlock.ports.policies import Judge
from tests.adapters.cedar_cases import ALL, priced, question, stored

BUNDLE = Digest("b" * 64)
ENGINES: tuple[Engine, ...] = ("compiled", "cedarpy")
SHADOW = '@mode("shadow")'
OVERFLOW = "context.args.price_minor * 9223372036854775807 > 0"
ON_PRICE = 'forbid(principal, action == Action::"pricing.set_price", resource)'


def judge(engine: Engine, *policies: str) -> Judge:
    """Policies as one file, loaded."""
    return CedarPolicies().load(stored(*policies), engine)


def candidate(when: str, *, outcome: str = "deny") -> str:
    """A forbid in shadow mode."""
    return f'@id("c") @owner("o") {SHADOW} @outcome("{outcome}") @reason("no") {ON_PRICE} when {{ {when} }};'


@pytest.mark.proves("policy.candidate_never_counts")
@pytest.mark.parametrize("engine", ENGINES)
def test_a_candidate_permit_grants_nothing(engine: Engine) -> None:
    """A permit in shadow mode is reported as satisfied, and what nothing else permits is denied."""
    asked = judge(engine, f'@id("c") @owner("o") {SHADOW} permit(principal, action, resource);')

    decision = combine(asked.opinions(question()), asked.policies, BUNDLE)

    assert (decision.verdict, decision.because, decision.candidates) == ("deny", ("interlock.default-deny",), ("c",))


@pytest.mark.proves("policy.candidate_never_counts")
@pytest.mark.parametrize("engine", ENGINES)
def test_a_candidate_forbid_stops_nothing(engine: Engine) -> None:
    """A forbid in shadow mode is reported as satisfied, and what is permitted is allowed."""
    asked = judge(engine, ALL, candidate("true"))

    decision = combine(asked.opinions(question()), asked.policies, BUNDLE)

    assert (decision.verdict, decision.because, decision.candidates) == ("allow", ("all",), ("c",))


@pytest.mark.proves("policy.candidate_never_counts")
@pytest.mark.parametrize("engine", ENGINES)
def test_a_candidate_that_fails_denies_nothing(engine: Engine) -> None:
    """An error in a policy in shadow mode is reported with its id; the same error in one that is enforced denies."""
    asked = judge(engine, ALL, candidate(OVERFLOW))

    opinions = asked.opinions(priced(price_minor=2))
    decision = combine(opinions, asked.policies, BUNDLE)

    assert (decision.verdict, decision.candidates, decision.failing) == ("allow", (), ("c",))
    assert "overflow" in opinions.failing["c"]
    enforced = judge(engine, ALL, candidate(OVERFLOW).replace(SHADOW, ""))
    assert combine(enforced.opinions(priced(price_minor=2)), enforced.policies, BUNDLE).verdict == "deny"


@pytest.mark.proves("policy.candidate_never_counts")
@pytest.mark.parametrize("engine", ENGINES)
def test_what_only_a_candidate_reads_need_not_fit(engine: Engine) -> None:
    """A fact that is missing or wrong fails the candidate that reads it, and no policy in force that does not."""
    asked = judge(engine, ALL, candidate("context.facts.flagship"), candidate("true").replace('"c"', '"d"'))

    opinions = asked.opinions(question(facts={"floor_minor": 1}))

    assert opinions.errors == ()
    assert opinions.satisfied == ("all", "d")
    assert opinions.failing == {
        "c": "what policies on `pricing.set_price` read does not fit: facts.flagship is missing"
    }


def test_a_candidate_that_cannot_be_made_ready_fails_alone() -> None:
    """Where an engine cannot even prepare a policy in shadow mode, the others answer as if it were not there."""
    loaded = CedarPolicies().loaded(stored(ALL, candidate("true")))

    def prepare(found: Slice) -> Answer:
        if any(rule.id == "c" for rule in found.rules):
            raise RecursionError
        return Compiled().prepare(found)

    opinions = CedarJudge(loaded, prepare).opinions(question())

    assert (opinions.satisfied, opinions.errors, set(opinions.failing)) == (("all",), (), {"c"})


@pytest.mark.proves("policy.candidate_never_counts")
@pytest.mark.parametrize("seed", range(8))
def test_by_chance_a_candidate_changes_no_decision(seed: int) -> None:
    """For policies and questions by chance, the decision is the one without those in shadow mode, but for the report."""
    chance = Chance(seed * 1000)
    all_of_them, _ = some(chance)
    trials = {name for number, name in enumerate(all_of_them.policies) if number % 3 == 0}
    tried = compiled_judge(_but(all_of_them, trials, drop=False))
    without = compiled_judge(_but(all_of_them, trials, drop=True))
    reported = 0
    for _ in range(100):
        asked = chance.question()
        whole, bare = tried.opinions(asked), without.opinions(asked)

        decision = combine(whole, tried.policies, BUNDLE)

        assert msgspec.structs.replace(decision, candidates=(), failing=()) == combine(bare, without.policies, BUNDLE)
        assert {*decision.candidates, *decision.failing} <= trials
        reported += len(trials.intersection(whole.satisfied)) + len(whole.failing)
    assert reported


def _but(loaded: Loaded, trials: set[str], *, drop: bool) -> Loaded:
    """The same policies with `trials` in shadow mode, or without them."""
    kept = [name for name in loaded.policies if not (drop and name in trials)]
    policies = {
        name: msgspec.structs.replace(loaded.policies[name], mode="shadow" if name in trials else "enforce")
        for name in kept
    }
    return Loaded(policies, {name: loaded.templates[name] for name in kept}, loaded.surfaces, loaded.schema)
