"""Steps 1 to 6: what is let in, what is decided, what is reserved, and what is never touched."""

import asyncio
from itertools import product
from typing import get_args

import msgspec
import pytest

from interlock.domain.agent import STAGES, Owners, Runtime, Stage
from interlock.domain.budget import Budget
from interlock.domain.call import Landed, Unsure
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import (
    RISKS,
    Blind,
    Cost,
    Facts,
    Keyed,
    NoReversal,
    PythonTarget,
    Risk,
)
from interlock.domain.errors import ContractError, KeyReused, NotFound
from interlock.domain.ids import ContractName
from interlock.domain.policy import Policy, Verdict
from interlock.domain.proposal import Proposal
from interlock.ports.store import ActionQuery
from interlock.testing.parts import Predicate
from interlock.testing.world import World, contract, permit

pytestmark = pytest.mark.anyio

RUN = ("thing.put", "run")


def rule(verdict: Verdict, holds: Predicate = lambda question: True, **changes: object) -> tuple[Policy, Predicate]:
    """A forbid with an outcome."""
    policy = Policy(
        id=f"rule.{verdict}",
        effect="forbid",
        owner="pia",
        verdict=verdict,
        reason=f"because {verdict}",
        approver="reviewer" if verdict in ("require_approval", "escalate") else "",
    )
    return msgspec.structs.replace(policy, **changes), holds


# -- 2. bind ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ({"n": 1, "extra": 2}, "/extra"),
        ({}, "/n"),
        ({"n": "1"}, "/n"),
        ({"n": True}, "/n"),
        ({"n": None}, "/n"),
        ({"n": float("nan")}, "/n"),
        ({"n": 1.0}, "/n"),
        ({"n": -1}, "/n"),
        ({"n": 2**53}, "/n"),
        ({"n": "\ud800"}, "/n"),
        ({"n": "x" * 300_000}, "too long"),
    ],
    ids=["unknown", "missing", "text", "True", "None", "NaN", "float", "below", "too big", "surrogate", "oversized"],
)
@pytest.mark.proves("gate.arguments")
async def test_arguments_that_do_not_fit_are_refused(arguments: dict[str, JsonValue], path: str) -> None:
    """What does not fit the contract is refused with the field's path, recorded, and reaches neither policy nor tool."""
    world = World()
    asked: list[str] = []

    def holds(question: object) -> bool:
        asked.append("asked")
        return True

    await world.apply(contract(), rules=((permit()[0], holds),))
    task = await world.task()
    action = await world.plane.gate.propose(
        Proposal(task=task, contract=ContractName("thing.put"), arguments=arguments)
    )

    assert action.state == "refused"
    assert action.reasons[0] == "interlock.arguments"
    assert path in action.reasons[1]
    assert not asked
    assert not world.effectors.calls
    assert await world.action(action) == action
    assert [entry.phase for entry in await world.store.entries_of(action.id)] == ["refused"]


@pytest.mark.proves("gate.capabilities")
async def test_a_contract_that_is_no_capability_does_not_exist() -> None:
    """A contract the agent's file does not list is refused, also when it is in its release as an undo."""
    world = World()
    await world.apply(contract())
    task = await world.task()

    unknown = await world.propose(task, "thing.other")
    undo = await world.propose(task, "thing.take")

    assert [unknown.state, undo.state] == ["refused", "refused"]
    assert unknown.reasons[0] == undo.reasons[0] == "interlock.capability"
    assert not world.effectors.calls


@pytest.mark.proves("gate.contract_changed")
async def test_code_that_carries_another_contract_is_refused() -> None:
    """A caller whose code carries another version of the contract than the one in force is refused."""
    world = World()
    await world.apply(contract())
    task = await world.task()
    asked = Proposal(task=task, contract=ContractName("thing.put"), arguments={"n": 1})
    same = msgspec.structs.replace(asked, expected=contract().digest)
    other = msgspec.structs.replace(asked, expected=contract(version="2").digest)

    assert (await world.plane.gate.propose(same)).state == "dispatching"
    refused = await world.plane.gate.propose(other)
    assert (refused.state, refused.reasons[0]) == ("refused", "interlock.contract-changed")


# -- 4. decide -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdict", "state", "calls"),
    [
        ("allow", "done", 1),
        ("oblige", "done", 1),
        ("require_approval", "held", 0),
        ("escalate", "held", 0),
        ("shadow", "shadowed", 0),
        ("deny", "denied", 0),
    ],
)
@pytest.mark.proves("gate.verdicts")
async def test_each_verdict_has_its_state(verdict: Verdict, state: str, calls: int) -> None:
    """What policy says is where the action stands, and only what is allowed touches the world."""
    world = World()
    await world.apply(contract(), rules=(permit(), *((rule(verdict),) if verdict != "allow" else ())))

    action = await world.propose(await world.task())

    assert action.state == state
    assert world.effectors.calls[RUN] == calls
    assert verdict == "allow" or action.decision is not None and action.decision.because == (f"rule.{verdict}",)


@pytest.mark.proves("gate.absence_denies")
async def test_without_a_permit_everything_is_denied() -> None:
    """No satisfied permit, nothing is done, not even with an approval."""
    world = World()
    await world.apply(contract(), rules=((permit()[0], lambda question: False), rule("require_approval")))

    action = await world.propose(await world.task())

    assert action.state == "denied"
    assert action.decision is not None
    assert action.decision.because == ("interlock.default-deny",)


@pytest.mark.proves("gate.errors_deny")
async def test_a_rule_that_breaks_denies() -> None:
    """A policy that cannot be evaluated denies, however many permits are satisfied."""
    world = World()
    broken = rule("require_approval", lambda question: bool(question.facts["nowhere"]))
    await world.apply(contract(), rules=(permit(), broken))

    action = await world.propose(await world.task())

    assert action.state == "denied"
    assert action.decision is not None
    assert action.decision.because == ("interlock.error",)


@pytest.mark.proves("gate.absence_denies")
async def test_a_bundle_that_cannot_be_loaded_denies() -> None:
    """Where the bundle in force cannot be loaded everything is denied, and the reason is said."""
    world = World()
    await world.apply(contract())
    task = await world.task()
    world.policies.forget("b1")

    action = await world.another("w2").gate.propose(
        Proposal(task=task, contract=ContractName("thing.put"), arguments={"n": 1})
    )

    assert (action.state, action.reasons) == ("denied", ("no rules are registered as `b1`",))


@pytest.mark.proves("gate.absence_denies")
async def test_without_any_bundle_nothing_is_even_opened() -> None:
    """Before anything was applied there is no agent, so no task and no action."""
    with pytest.raises(NotFound):
        await World().task()


# -- stages ----------------------------------------------------------------------------------------------------


def expected(stage: Stage, risk: Risk, acts: bool, reversible: bool) -> str:
    """Where an allowed action stands, by the rules of `domain/oversight.py` written out a second time."""
    if not acts:
        return "done"
    if stage == "shadow":
        return "shadowed"
    if stage == "bounded" and not reversible:
        return "denied"
    if not reversible or (stage == "assisted" and risk != "low"):
        return "held"
    return "done"


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.proves("gate.stages", "gate.irreversible", "gate.shadow")
async def test_the_table_of_stages(stage: Stage) -> None:
    """For every risk, effect and reversibility a stage does what it says; only what ends `done` was called at all."""
    world = World()
    cases = list(product(RISKS, ("read", "write", "external"), (True, False)))
    contracts = [
        contract(
            f"thing.{risk}.{effect}.{'back' if reversible else 'final'}",
            risk=risk,
            effect=effect,
            **({} if reversible else {"reversal": NoReversal(why="gone")}),
        )
        for risk, effect, reversible in cases
    ]
    await world.apply(*contracts, stage=stage)
    task = await world.task()

    for (risk, effect, reversible), each in zip(cases, contracts, strict=True):
        action = await world.propose(task, each.name)
        wanted = expected(stage, risk, effect != "read", reversible)
        assert (each.name, action.state) == (each.name, wanted)
        assert world.effectors.calls[each.name, "run"] == (wanted == "done")
        assert not each.irreversible or action.state != "done"


@pytest.mark.proves("gate.shadow")
async def test_shadow_records_what_would_have_happened() -> None:
    """In shadow the decision says what it would have been, and nothing but facts is called."""
    world = World()
    facts = Facts(source=PythonTarget(target="world:facts"), schema={})
    await world.apply(contract(facts=facts), rules=(permit(), rule("require_approval")), stage="shadow")
    world.effectors.on("thing.put", "facts", lambda arguments, call: Landed({"big": True}))

    action = await world.propose(await world.task())

    assert action.decision is not None
    assert (action.state, action.decision.would_be) == ("shadowed", "require_approval")
    assert set(world.effectors.calls) == {("thing.put", "facts")}


@pytest.mark.proves("gate.owners")
async def test_an_agent_without_all_owners_stays_in_shadow() -> None:
    """One owner missing, and the agent is in shadow whatever its file says."""
    world = World()
    await world.apply(contract(), owners=Owners(decision="dana", policy="pia", data="dora"))

    assert (await world.propose(await world.task())).state == "shadowed"
