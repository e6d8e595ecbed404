"""An agent's record: who answers for it, and how far it may go."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.domain.agent import STAGES, Agent, Approvals, Behaviour, DataUse, Metric, Owners, Runtime, Stage
from interlock.domain.ids import AgentName, ContractName
from interlock.domain.record import plain

ALL = Owners(decision="a", policy="b", data="c", engineering="d")
PRICE, MAIL = ContractName("pricing.set_price"), ContractName("mail.send")
MAYBE = st.sampled_from(["", "x"])
PRICING = Agent(name=AgentName("pricing"), purpose="keep prices right", owners=ALL)


@pytest.mark.proves("gate.owners")
@given(
    st.builds(Owners, decision=MAYBE, policy=MAYBE, data=MAYBE, engineering=MAYBE),
    st.sampled_from(STAGES),
    st.dictionaries(st.sampled_from([PRICE, MAIL]), st.sampled_from(STAGES)),
)
def test_without_all_four_owners_an_agent_stays_in_shadow(
    owners: Owners, stage: Stage, stages: dict[ContractName, Stage]
) -> None:
    """Whatever its stages say, an agent that one of the four owners does not answer for goes no further than shadow;
    with all four a contract's own stage counts, and otherwise the agent's."""
    agent = msgspec.structs.replace(PRICING, owners=owners, stage=stage, stages=stages)
    complete = all((owners.decision, owners.policy, owners.data, owners.engineering))

    assert agent.stage_for(PRICE) == (stages.get(PRICE, stage) if complete else "shadow")
    assert bool(owners.missing()) != complete


def test_the_missing_owners_are_named() -> None:
    """Whoever is missing is said by role, in the order in which the roles are always named."""
    assert Owners().missing() == ("decision", "policy", "data", "engineering")
    assert Owners(decision="a", data="c").missing() == ("policy", "engineering")
    assert ALL.missing() == ()


def test_an_agent_begins_in_shadow() -> None:
    """Nobody said how far it may go: then it goes nowhere."""
    assert PRICING.stage_for(PRICE) == "shadow"
    assert PRICING.capabilities == ()


def test_the_digest_covers_everything_but_the_revision() -> None:
    """Each change makes another version; saving the same one again does not."""
    changed = [
        msgspec.structs.replace(PRICING, purpose="other"),
        msgspec.structs.replace(PRICING, stage="partial"),
        msgspec.structs.replace(PRICING, capabilities=(PRICE,)),
        msgspec.structs.replace(PRICING, runtime=Runtime(max_depth=1)),
        msgspec.structs.replace(PRICING, behaviour=Behaviour(prompt="p")),
        msgspec.structs.replace(PRICING, behaviour=Behaviour(parameters={"temperature": "0.2"})),
        msgspec.structs.replace(PRICING, behaviour=Behaviour(parameters={"temperature": "0.20"})),
        msgspec.structs.replace(PRICING, budgets={"EUR": 5}),
    ]

    assert PRICING.saved().digest == PRICING.digest == PRICING.key
    assert len({PRICING.digest, *(agent.digest for agent in changed)}) == len(changed) + 1


@pytest.mark.proves("registry.version")
def test_a_field_that_a_file_does_not_use_is_no_part_of_its_digest() -> None:
    """The digest of a version that was stored before a field came up is what it was: written out here once for all."""
    early = msgspec.structs.replace(
        PRICING,
        capabilities=(PRICE,),
        stage="partial",
        runtime=Runtime(max_depth=1, models=("m",)),
        metrics=(Metric(name="margin", target="not below last week's"),),
    )

    assert early.digest == "74e98d8ac131c6e7d8088801efc16f6e14f3984e613e0e0d7b7eaca56d282532"
    for changes in (
        {"tags": ("web",)},
        {"data": (DataUse(records="order:*"),)},
        {"runtime": Runtime(max_depth=1, models=("m",), max_fanout=2)},
        {"approvals": Approvals(required={PRICE: "lead"})},
        {"metrics": (Metric(name="margin", target=180, unit="per_mille", direction="at_least"),)},
    ):
        assert msgspec.structs.replace(early, **changes).digest != early.digest


def test_a_target_is_a_number_with_its_unit_or_words() -> None:
    """What a person reads of a measure is its target, with the way in which it is met where it is a number."""
    assert Metric(name="m", target=950, unit="per_mille", direction="at_least").words == "at least 950 per_mille"
    assert Metric(name="m", target="all of them").words == "all of them"


def test_an_agent_is_the_same_after_storing() -> None:
    """An agent read back from JSON is the agent that was written, and a field nobody knows is refused."""
    agent = msgspec.structs.replace(PRICING, stages={PRICE: "bounded"}, capabilities=(PRICE, MAIL), revision=3)
    stored = msgspec.json.encode(agent)

    assert msgspec.json.decode(stored, type=Agent) == agent
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({**plain_object(agent), "colour": "red"}, Agent)


def plain_object(agent: Agent) -> dict[str, object]:
    """An agent as JSON has it."""
    found = plain(agent)
    assert isinstance(found, dict)
    return dict(found)
