"""What is read out of arguments at the gate: before policies are asked, kept with the action, and private."""

import msgspec
import pytest

from interlock.domain.action import Action
from interlock.domain.call import Answer, Call, Landed
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Facts, PythonTarget
from interlock.domain.errors import ContractError
from interlock.domain.parse import ChangePerMille, Domains, Hosts, Statements, Tables
from interlock.domain.policy import Policy
from interlock.domain.proposal import Proposal
from interlock.domain.question import Question
from interlock.domain.recording import recorded
from interlock.services.deciding import question
from interlock.testing.world import World, contract, permit

pytestmark = pytest.mark.anyio

MAIL = contract(
    "mail.send",
    input_schema={
        "type": "object",
        "properties": {
            "to": {"type": "string"},
            "url": {"type": "string", "default": "https://acme.com/"},
            "sql": {"type": "string", "default": "SELECT 1 FROM t"},
            "n": {"type": "integer", "default": 0},
        },
        "required": ["to"],
        "additionalProperties": False,
    },
    facts=Facts(
        source=PythonTarget(target="world:facts"),
        schema={
            "type": "object",
            "properties": {"base": {"type": "integer"}},
            "required": ["base"],
            "additionalProperties": False,
        },
    ),
    parses={
        "domains": Domains(of="to"),
        "hosts": Hosts(of="url"),
        "kinds": Statements(of="sql", dialect="postgres"),
        "tables": Tables(of="sql", dialect="postgres"),
        "change": ChangePerMille(of="n", against="$facts.base"),
    },
)
OUTSIDE = Policy(id="outside", effect="forbid", owner="pia", verdict="deny", reason="outside")
SEEN = {
    "domains": ["acme.com"],
    "hosts": ["https://acme.com"],
    "kinds": ["select"],
    "tables": ["t"],
    "change": -1000,
}


def outside(asked: Question) -> bool:
    """Whether anybody outside is written to."""
    return asked.parsed["domains"] != ["acme.com"]


def facts(arguments: dict[str, JsonValue], call: Call) -> Answer:
    """What the price is now."""
    return Landed({"base": 5})


async def world() -> World:
    """Mails may go to one domain."""
    made = World()
    made.effectors.on("mail.send", "facts", facts)
    await made.apply(MAIL, rules=(permit(), (OUTSIDE, outside)))
    return made


async def sent(here: World, **arguments: JsonValue) -> Action:
    """A mail proposed; without a worker that could run it."""
    proposal = Proposal(task=await here.task(), contract=MAIL.name, arguments=arguments, here=False)
    return await here.plane.gate.propose(proposal)


@pytest.mark.proves("parsing.asked_again")
async def test_policies_see_what_was_read() -> None:
    """Parsed facts are in the question, and kept so that the same question can be put again without a parser."""
    here = await world()

    action = await sent(here, to="Ana <a@acme.com>")
    assert action.state == "ready"
    assert action.asked is not None
    assert action.asked.parsed == SEEN
    again = question(
        MAIL,
        action.arguments,
        action.facts,
        action.asked,
        agent=action.agent,
        release=action.release,
        initiator=action.initiator,
        confidence=None,
        tenant="t",
    )
    assert again.parsed == SEEN


async def test_policies_decide_on_what_was_read() -> None:
    """A second recipient, wherever it stands, is seen."""
    here = await world()

    action = await sent(here, to="a@acme.com, evil@x.com")

    assert (action.state, action.reasons) == ("denied", ("outside",))


@pytest.mark.proves("parsing.unreadable_denies")
@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ({"to": "a@acme.com (evil@x.com)"}, "`domains` cannot be read from `to`"),
        ({"to": "secret@acme.com;evil@x.com"}, "`domains` cannot be read from `to`"),
        ({"to": "a@acme.com", "url": "https://acme.com@evil.com"}, "`hosts` cannot be read from `url`"),
        ({"to": "a@acme.com", "sql": "SELECT secret evil evil"}, "`kinds` cannot be read from `sql`"),
        ({"to": "a@acme.com", "sql": "GRANT evil TO bob"}, "`tables` cannot be read from `sql`"),
    ],
)
async def test_what_cannot_be_read_denies(arguments: dict[str, JsonValue], named: str) -> None:
    """The action is denied whatever the policies say, and the reason names the argument but not its value."""
    here = await world()

    action = await sent(here, **arguments)

    assert action.state == "denied"
    assert action.decision is not None
    assert action.decision.because == ("interlock.error",)
    assert named in action.reasons[0]
    assert not any(word in action.reasons[0] for word in ("evil", "secret", "acme"))


@pytest.mark.proves("parsing.asked_again")
async def test_parsed_facts_are_private() -> None:
    """What was read stands behind commitments like the arguments it was read from, never in the leaf."""
    here = await world()
    action = await sent(here, to="a@acme.com")

    _, fact = recorded(action, "decided", 1)

    assert fact.private["parsed"] == SEEN
    assert b"acme" not in msgspec.json.encode(fact.body)


@pytest.mark.proves("sdk.confidence")
@pytest.mark.parametrize("sure", [-1, 1001, 0.9, True, "900"])
async def test_confidence_is_a_whole_number_per_mille(sure: object) -> None:
    """A ratio, a flag or a number beyond the scale is refused: each would mean something else to a policy."""
    here = await world()
    proposal = Proposal(task=await here.task(), contract=MAIL.name, arguments={"to": "a@acme.com"})
    msgspec.structs.force_setattr(proposal, "confidence", sure)

    with pytest.raises(ContractError, match="per mille"):
        await here.plane.gate.propose(proposal)
