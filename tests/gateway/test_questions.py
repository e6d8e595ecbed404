"""What a reviewer asks about a held call, told to the client and answered by it."""

import asyncio
from typing import Any

import anyio
import pytest

import interlock
from tests.gateway.kit import OLDER, actions, client, held, house, said, text
from tests.workspaces import Place

pytestmark = pytest.mark.anyio
TICKET: Any = {"interlock/hold": "ticket"}


async def ask(place: Place, ticket: str, *words: str) -> None:
    """Rita's questions, in the control plane."""
    with interlock.open(place.folder) as people:
        for each in words:
            await people.person("rita").aio.ask(ticket, each)


@pytest.mark.proves("gateway.questions")
@pytest.mark.parametrize("mode", OLDER)
async def test_a_question_is_told_answered_and_the_call_done_once(place: Place, mode: str) -> None:
    """The client hears with its ticket what a reviewer asks, answers with the tool for that, and what is agreed to then happens
    once; question and answer stand beside the action."""
    async with client(place, "--hold", "ticket", mode=mode) as mcp:
        assert "interlock_answer" in {each.name for each in (await mcp.list_tools()).tools}
        ticket = said(await mcp.call_tool("box__put", {"n": 500}))["ticket"]
        await ask(place, ticket, "why so many?", "and for whom?")
        asked = await mcp.call_tool("interlock_ticket", {"ticket": ticket, "wait_ms": 60_000})
        assert [(each["number"], each["text"]) for each in said(asked)["questions"]] == [
            (1, "why so many?"),
            (2, "and for whom?"),
        ]
        assert said(asked)["answer_with"] == "interlock_answer"
        assert "rita asks (1): why so many?" in text(asked)
        one = await mcp.call_tool("interlock_answer", {"ticket": ticket, "answer": "it is Monday"})
        two = await mcp.call_tool("interlock_answer", {"ticket": ticket, "answer": "the shop", "question": 2})
        assert [len(said(each).get("questions", ())) for each in (one, two)] == [1, 0]
        assert (said(two)["state"], place.effects()) == ("held", [])
        [action] = await actions(place)
        assert action.hold is not None
        assert [each.answer for each in action.hold.questions] == ["it is Monday", "the shop"]
        with interlock.open(place.folder) as people:
            await people.person("rita").aio.approve(ticket)
        done = await mcp.call_tool("interlock_ticket", {"ticket": ticket, "wait_ms": 20_000})
    assert said(done) == {"n": 500, "word": "x"}
    assert place.effects() == ["put 500"]


@pytest.mark.proves("gateway.questions")
async def test_whoever_proposed_it_answers_and_once(place: Place) -> None:
    """Another agent's client finds no such ticket; what is no answer, to no question, or another one to the same is refused."""
    async with client(place, "--hold", "ticket") as mcp, client(place, agent="helper") as helper:
        ticket = said(await mcp.call_tool("box__put", {"n": 500}))["ticket"]
        await ask(place, ticket, "why?")
        other = await helper.call_tool("interlock_answer", {"ticket": ticket, "answer": "because I say so"})
        given: dict[str, Any] = {"ticket": ticket, "answer": "it is Monday"}
        first = await mcp.call_tool("interlock_answer", given)
        wrong = [
            await mcp.call_tool("interlock_answer", each)
            for each in (
                {"ticket": ticket, "answer": "in other words", "question": 1},
                {"ticket": ticket, "answer": "x", "question": 2},
                {"ticket": ticket, "answer": "x"},
                {"ticket": ticket, "answer": " ", "question": 1},
                {"ticket": ticket, "answer": 7},
                {"ticket": ticket, "answer": "x", "question": True},
                {},
            )
        ]
    assert (other.is_error, said(other)["code"]) == (True, "not_found")
    assert not first.is_error, text(first)
    assert [each.is_error for each in wrong] == [True] * len(wrong)
    [action] = await actions(place)
    assert action.hold is not None
    assert [each.answer for each in action.hold.questions] == ["it is Monday"]


@pytest.mark.proves("gateway.questions")
async def test_a_gateway_that_was_killed_is_answered_for(place: Place) -> None:
    """Where the gateway was killed the next one answers for the same caller."""
    first = house(place)
    key = first.key()
    async with first.client(key) as mcp:
        ticket = said(await mcp.call_tool("box__put", {"n": 500}, meta=TICKET))["ticket"]
        first.kill()
    await ask(place, ticket, "why?")
    again = house(place)
    try:
        async with again.client(key) as mcp:
            answered = await mcp.call_tool("interlock_answer", {"ticket": ticket, "answer": "it is Monday"})
            assert not answered.is_error, text(answered)
    finally:
        again.kill()
    [action] = await actions(place)
    assert action.hold is not None
    assert [each.answer for each in action.hold.questions] == ["it is Monday"]


async def test_nobody_answers_for_a_session_that_is_over(place: Place) -> None:
    """A session that ended closed its task: a question about its call is not answered in another, and why is said."""
    async with client(place, "--hold", "ticket") as mcp:
        ticket = said(await mcp.call_tool("box__put", {"n": 500}))["ticket"]
    await ask(place, ticket, "why?")
    async with client(place) as mcp:
        refused = await mcp.call_tool("interlock_answer", {"ticket": ticket, "answer": "it is Monday"})
    assert said(refused)["code"] == "not_allowed"
    assert "the session that made this call is over" in text(refused)


@pytest.mark.slow
@pytest.mark.proves("gateway.questions")
async def test_a_call_that_waits_hears_what_is_asked_meanwhile(place: Place) -> None:
    """A question ends the wait of the call it is about, so that it can be answered; told once, it ends no other wait."""
    async with client(place, "--wait", "60") as mcp:
        calling = asyncio.create_task(mcp.call_tool("box__put", {"n": 500}))
        waiting = await held(place)
        await ask(place, waiting.id, "why?")
        with anyio.fail_after(20):
            told = await calling
        assert [each["text"] for each in said(told)["questions"]] == ["why?"]
        again = await mcp.call_tool("interlock_ticket", {"ticket": waiting.id, "wait_ms": 7_000})
    assert said(again)["state"] == "held"
