"""What is part of an agent's behaviour, and so of its release."""

import msgspec
import pytest

from interlock.domain.agent import Agent, Approvals, Behaviour, Runtime
from interlock.domain.contract import Reversal
from interlock.domain.ids import AgentName, ContractName, Digest
from interlock.domain.release import release_of
from interlock.testing.world import TAKE, contract

AGENT = Agent(name=AgentName("ag"), purpose="test", capabilities=(ContractName("thing.put"),))
CONTRACTS = {each.name: each for each in (contract(), TAKE, contract("thing.other"))}
BUNDLE = Digest("b")


@pytest.mark.proves("release.behaviour")
@pytest.mark.parametrize(
    "changes",
    [
        {"behaviour": Behaviour(prompt="other")},
        {"behaviour": Behaviour(model="other")},
        {"behaviour": Behaviour(parameters={"temperature": "1"})},
        {"behaviour": Behaviour(memory="other")},
        {"behaviour": Behaviour(escalation="other")},
        {"runtime": Runtime(max_depth=9)},
        {"capabilities": ("thing.put", "thing.other")},
    ],
    ids=["prompt", "model", "parameters", "memory", "escalation", "runtime", "capabilities"],
)
def test_a_changed_behaviour_is_another_release(changes: dict[str, object]) -> None:
    """Prompt, model, parameters, memory, escalation, limits, capabilities: each is part of the digest."""
    other = release_of(msgspec.structs.replace(AGENT, **changes), CONTRACTS, BUNDLE)
    assert other.digest != release_of(AGENT, CONTRACTS, BUNDLE).digest


@pytest.mark.proves("release.behaviour")
def test_contracts_and_policies_are_part_of_it() -> None:
    """Another version of a contract it can use, or of what undoes it, or another bundle, is another release."""
    known = release_of(AGENT, CONTRACTS, BUNDLE).digest
    for changed in (contract(version="2"), msgspec.structs.replace(TAKE, version="2")):
        assert release_of(AGENT, {**CONTRACTS, changed.name: changed}, BUNDLE).digest != known
    assert release_of(AGENT, CONTRACTS, Digest("c")).digest != known


@pytest.mark.proves("release.behaviour")
@pytest.mark.parametrize(
    "changes",
    [{"stage": "bounded"}, {"purpose": "other"}, {"approvals": Approvals(within_ms=1)}, {"budgets": {"EUR": 1}}],
    ids=["stage", "purpose", "approvals", "budgets"],
)
def test_how_far_it_may_go_is_not(changes: dict[str, object]) -> None:
    """A release moves through stages unchanged: neither stage nor owners nor budgets are behaviour."""
    other = release_of(msgspec.structs.replace(AGENT, **changes), CONTRACTS, BUNDLE)
    assert other.digest == release_of(AGENT, CONTRACTS, BUNDLE).digest


def test_it_holds_what_it_uses_and_what_undoes_it() -> None:
    """Contracts it cannot use are not in it; those that undo its own are."""
    release = release_of(AGENT, CONTRACTS, BUNDLE)
    assert set(release.contracts) == {"thing.put", "thing.take"}
    assert release.label == f"ag@{release.digest[:12]}"
    assert isinstance(contract().reversal, Reversal)
