"""Parsed facts and confidence from a program: declared above the function, decided on, and shown with the outcome."""

import asyncio
from typing import Annotated

import msgspec
import pytest

import interlock
from interlock.domain.errors import ContractError
from tests.workspaces import Place

SENT: list[str] = []
GUESSES: list[int] = []
INSIDE = """
@id("inside") @owner("tests") @outcome("deny") @reason("only to our own")
forbid(principal, action == Action::"box.write", resource)
unless { ["acme.com"].containsAll(context.parsed.recipient_domains) };
@id("sure") @owner("tests") @outcome("deny") @reason("not sure enough")
forbid(principal, action == Action::"box.guess", resource)
unless { context has confidence && context.confidence >= 800 };
"""


@interlock.tool(
    name="box.write",
    effect="write",
    risk="low",
    idempotency=interlock.Keyed(),
    reversal=interlock.Reversal(contract="box.write", arguments={"to": "$args.to"}),
    parses={"recipient_domains": interlock.Domains(of="to")},
)
def write(to: list[str]) -> None:
    """Write to somebody."""
    SENT.extend(to)


@interlock.tool(
    name="box.guess",
    effect="write",
    risk="low",
    idempotency=interlock.Keyed(),
    reversal=interlock.Reversal(contract="box.guess", arguments={"what": "$args.what"}),
)
def guess(what: str, confidence: Annotated[int, msgspec.Meta(ge=0)] = 7) -> int:
    """A tool with an argument that has the name of a word of ours."""
    GUESSES.append(confidence)
    return confidence


@pytest.fixture
def client(place: Place) -> interlock.Client:
    """A workspace with the two tools."""
    SENT.clear()
    GUESSES.clear()
    agent = place.folder / "agents" / "ag.yaml"
    agent.write_text(agent.read_text().replace("box.put,", "box.put, box.write, box.guess,"))
    policies = place.folder / "policies"
    (policies / "parsed.cedar").write_text(INSIDE)
    return interlock.open(place.folder, apply=True, tools=[write, guess])


def test_a_tool_names_its_parsed_facts(client: interlock.Client) -> None:
    """A policy over the domains of a list lets one through and stops the other; what cannot be read is stopped too."""
    with client, client.task("ag", purpose="test") as task:
        inside = task.propose(write, ["Ana <a@acme.com>", "b@acme.com"])
        outside = task.propose(write, ["a@acme.com", "b@evil.com"])
        hidden = task.propose(write, ["a@acme.com (b@evil.com)"])

    assert isinstance(inside, interlock.Done)
    assert isinstance(outside, interlock.Denied)
    assert "only to our own" in outside.reasons
    assert isinstance(hidden, interlock.Denied)
    assert hidden.reasons[0].startswith("the parsed fact `recipient_domains` cannot be read from `to`")
    assert SENT == ["Ana <a@acme.com>", "b@acme.com"]


def test_a_declaration_that_cannot_hold_is_refused() -> None:
    """A rule over what is no argument, or is no rule at all, is an error where the tool is declared."""

    def tool(n: int) -> None:
        """Take a number."""

    for rule in (interlock.Domains(of="m"), interlock.Domains(of="n")):
        with pytest.raises(ContractError, match="parsed fact"):
            interlock.tool(effect="read", risk="low", parses={"x": rule})(tool)
    with pytest.raises(ContractError):
        interlock.tool(effect="read", risk="low", parses={"x": "domains"})(tool)  # type: ignore[dict-item] # as a newcomer would


@pytest.mark.proves("sdk.confidence")
def test_how_sure_the_agent_is(client: interlock.Client) -> None:
    """`confidence=` is what policies see as the agent's own word; without it there is none."""
    with client, client.task("ag", purpose="test") as task:
        sure = task.propose(guess, "a", 7, confidence=900)
        unsure = task.propose(guess, "a", 7, confidence=799)
        silent = task.propose(guess, "a")
        with pytest.raises(ContractError, match="per mille"):
            task.propose(guess, "a", 7, confidence=1001)

    assert [type(each) for each in (sure, unsure, silent)] == [interlock.Done, interlock.Denied, interlock.Denied]


@pytest.mark.proves("sdk.confidence")
def test_a_tools_own_confidence_is_given_by_position_or_in_a_mapping(client: interlock.Client) -> None:
    """An argument of that name reaches the tool by position, or by the contract's name in a mapping; it is never guessed."""
    with client, client.task("ag", purpose="test") as task:
        by_position = task.propose(guess, "a", 3, confidence=900)
        in_mapping = task.propose("box.guess", {"what": "a", "confidence": 4}, confidence=900)
        both = task.propose("box.guess", {"what": "a"}, what="a", confidence=900)
        in_doubt = task.propose(guess, "a", confidence=900)

    assert isinstance(by_position, interlock.Done)
    assert isinstance(in_mapping, interlock.Done)
    assert GUESSES == [3, 4]
    assert isinstance(both, interlock.Refused)
    assert "given twice" in both.reasons[0]
    assert isinstance(in_doubt, interlock.Refused)
    assert "by position" in in_doubt.reasons[0]


def test_the_same_in_asynchronous_programs(client: interlock.Client) -> None:
    """An asynchronous task takes the same word."""

    async def program() -> interlock.Outcome:
        async with client, client.task("ag", purpose="test") as task:
            return await task.propose(guess, "a", 3, confidence=900)

    assert isinstance(asyncio.run(program()), interlock.Done)
