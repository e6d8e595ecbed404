"""The card of an agent: every claim on it is one of the registry's, and words of a file stay words."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.domain.agent import Agent, Approvals, Behaviour, DataUse, Metric, Owners, Runtime, Scope
from interlock.domain.agent_card import NOT_SAID, Inputs, as_markdown, as_text, parts
from interlock.domain.agent_search import Wanted
from interlock.domain.agent_state import STATES
from interlock.domain.contract import Contract, Effect, InProcess, NoReversal, Reversal
from interlock.domain.ids import AgentName, ContractName, Digest, Person
from interlock.domain.policy import Policy
from interlock.domain.rate import Rate
from interlock.domain.release import release_of

PAY, LOOK, SEND = ContractName("pay.out"), ContractName("order.look"), ContractName("mail.send")


def tool(name: ContractName, effect: Effect, reversal: Reversal | NoReversal | None, says: str = "") -> Contract:
    """A contract."""
    return Contract(
        name=name,
        description=says,
        input_schema={"type": "object", "additionalProperties": False},
        effect=effect,
        risk="medium",
        reversal=reversal,
        target=InProcess(name=name),
    )


CONTRACTS = {
    PAY: tool(PAY, "external", Reversal(contract="pay.back", arguments={}, within_ms=86_400_000, approver="cfo")),
    LOOK: tool(LOOK, "read", None, "Look an order up."),
    SEND: tool(SEND, "external", NoReversal(why="sent is sent")),
}
AGENT = Agent(
    name=AgentName("support"),
    purpose="make customers whole",
    scope=Scope(includes=("returns",), excludes=("goodwill",), data=("names",)),
    owners=Owners(decision="omar (care)", policy="lead", data="nils", engineering=""),
    stage="partial",
    capabilities=(PAY, LOOK, SEND),
    restrictions=("pays once",),
    runtime=Runtime(max_task_ms=3_600_000, models=("m1",), rate=Rate(calls=30, per_ms=60_000)),
    approvals=Approvals(within_ms=7_200_000, required={PAY: "cfo"}, notify=("omar",)),
    behaviour=Behaviour(escalation="the lead"),
    budgets={"EUR": 500},
    metrics=(Metric(name="settled", target=980, unit="per_mille", direction="at_least"),),
    data=(DataUse(records="order:*", access="write"),),
    escalation_triggers=("anger",),
    compliance=("privacy",),
    tags=("web",),
)
PEOPLE = {Person("omar"): ("care",), Person("ines"): ("lead",)}
ASKS = Policy(id="large", effect="forbid", owner="p", verdict="require_approval", approver="lead", reason="it is large")


def inputs(agent: Agent = AGENT, **changes: object) -> Inputs:
    """What is in force."""
    made = Inputs(
        agent=agent,
        state="active",
        release=release_of(agent, CONTRACTS, Digest("b" * 64)),
        contracts=CONTRACTS,
        policies={PAY: (ASKS, Policy(id="all", effect="permit", owner="p"))},
        people=PEOPLE,
    )
    return msgspec.structs.replace(made, **changes)


@pytest.mark.proves("registry.card")
def test_every_claim_is_the_registrys() -> None:
    """Line by line: from the file, the contracts, the policies, the people. Nothing else is on the card."""
    found = {part.title: part.lines for part in parts(inputs())}

    label = inputs().release.label
    assert found["What it is for"] == ("make customers whole", "returns")
    assert found["What it is not for"] == ("goodwill",)
    # Without an owner for its code it is in shadow, whatever its file says of stages.
    watched = "with it the agent is only watched, and changes nothing."
    assert found["What it may do"] == (
        f"pay.out. Medium risk; undone by pay.back within 1d with the word of cfo; {watched}",
        "order.look: Look an order up. It only reads.",
        f"mail.send. Medium risk; cannot be undone (sent is sent); {watched}",
    )
    assert found["What it must not do"][:-1] == ("pays once",)
    assert found["What it accesses"] == ("order:*: reads and writes", "names")
    assert "a task lasts at most 1h and proposes at most 10000 actions" in found["Its limits"]
    assert "at most 500 EUR in minor units in all" in found["Its limits"]
    assert "at most 30 calls in 1m, whenever they are made" in found["Its limits"]
    assert "models: m1" in found["Its limits"]
    assert found["Who is asked"] == (
        "people have 2h; silence is a no",
        "pay.out: always cfo",
        "pay.out: approved by lead first where policy large applies: it is large",
        "mail.send: always a person, because it cannot be undone",
        "told of it: omar",
    )
    assert found["When it hands over"] == ("anger", "how: the lead")
    assert found["How it is measured"] == ("settled: at least 980 per_mille",)
    assert [line.partition(": ")[2] for line in found["Who answers for it"]] == [
        "omar",
        "lead (ines)",
        "nils (nobody in people.yaml any more)",
        "nobody, so it stays in shadow",
    ]
    assert found["What rules it is under"] == ("privacy",)
    assert found["Which version this is"] == (
        f"file: {AGENT.digest}",
        f"release: {label}",
        f"policies: {'b' * 64}",
        "cohorts: web",
    )


@pytest.mark.proves("registry.card")
@pytest.mark.parametrize("state", STATES)
def test_the_card_says_how_to_stop_it_from_where_it_stands(state: str) -> None:
    """Only what can be done from there is on it; what it did can be taken back from everywhere."""
    [lines] = [part.lines for part in parts(inputs(state=state)) if part.title.startswith("How it stands")]
    said = "\n".join(lines)

    assert said.startswith(f"it is {state}: ")
    assert ("interlock agent suspend" in said) == (state == "active")
    assert ("interlock agent activate" in said) == (state == "suspended")
    assert ("interlock agent retire" in said) == ("interlock stop agent:support" in said) == (state != "retired")
    assert f"interlock undo release:{inputs().release.label}" in said


@pytest.mark.proves("registry.card")
def test_what_the_file_does_not_say_is_said_to_be_missing() -> None:
    """Nothing is filled in."""
    bare = Agent(name=AgentName("a"), purpose="p")
    found = {part.title: part.lines for part in parts(inputs(bare, policies={}))}

    for title in ("What it is not for", "What it accesses", "When it hands over", "How it is measured"):
        assert found[title] == (NOT_SAID,)
    assert found["What it may do"] == ("nothing: it has no capability",)


@pytest.mark.proves("registry.card")
@given(st.text(min_size=1))
def test_words_of_a_file_stay_words(text: str) -> None:
    """Whatever a purpose says makes no heading, no link, no HTML and no second line of the card."""
    card = inputs(msgspec.structs.replace(AGENT, purpose=text), release=inputs().release)
    plain = inputs()

    for render in (as_markdown, as_text):
        got = render(card)
        assert got.count("\n") == render(plain).count("\n")
        assert [line for line in got.splitlines() if line.startswith("#")] == [
            line for line in render(plain).splitlines() if line.startswith("#")
        ]
        assert all(each.isprintable() or each == "\n" for each in got)


def test_an_agent_is_found_by_what_its_record_says() -> None:
    """By owner (without what stands in brackets), cohort, state, contract and words; all that is asked must fit. A prompt is
    not searched: it is behaviour, not description."""
    told = msgspec.structs.replace(AGENT, behaviour=Behaviour(prompt="zanzibar"))
    fits = [
        Wanted(),
        Wanted(owner="omar"),
        Wanted(owner="lead", tag="web", state="active", capability=str(PAY)),
        Wanted(text="CUSTOMERS whole"),
    ]
    misses = [
        Wanted(owner="care"),
        Wanted(tag="we"),
        Wanted(state="draft"),
        Wanted(capability="pay"),
        Wanted(text="customers zanzibar"),
        Wanted(owner="omar", tag="back"),
    ]

    assert all(each.fits(told, "active") for each in fits)
    assert not any(each.fits(told, "active") for each in misses)
