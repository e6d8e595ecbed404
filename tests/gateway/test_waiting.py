"""A call that waits, and the person at the client: what they are told, what they may choose, and what that never does."""

import asyncio
from functools import partial
from typing import Any

import anyio
import httpx
import mcp_types as types
import pytest

import interlock
from tests.gateway.kit import INITIALIZE, OLDER, House, actions, client, held, said, text
from tests.workspaces import Place

pytestmark = pytest.mark.anyio


class Person:
    """Whoever sits at a client: answers everything alike, and keeps what they were told."""

    def __init__(self, action: str, **content: str) -> None:
        self.told: list[Any] = []
        self.heard = anyio.Event()
        self.answer = types.ElicitResult(action=action, content=dict(content) or None)  # type: ignore[arg-type]

    async def __call__(self, context: Any, params: Any) -> types.ElicitResult:
        """Answer."""
        del context
        self.told.append(params)
        self.heard.set()
        return self.answer


async def agree(place: Place) -> None:
    """Rita's word, in the control plane."""
    waiting = await held(place)
    with interlock.open(place.folder) as people:
        await people.person("rita").aio.approve(waiting.id)


@pytest.mark.proves("gateway.elicits")
@pytest.mark.parametrize("mode", OLDER)
async def test_the_person_is_told_and_may_take_the_ticket(place: Place, mode: str) -> None:
    """Who offers elicitation hears what waits, why, of whom it is asked and until when; choosing so gives the ticket at once."""
    person = Person("accept", then="ticket")
    async with client(place, mode=mode, elicitation_callback=person) as mcp:
        result = await mcp.call_tool("box__put", {"n": 500})
    assert said(result)["state"] == "held"
    [told] = person.told
    assert "`box.put` waits for a person's word: more than a hundred" in told.message
    assert "`reviewer`" in told.message
    assert "UTC" in told.message
    assert place.effects() == []


@pytest.mark.proves("gateway.elicits")
@pytest.mark.parametrize("mode", OLDER)
async def test_the_person_may_take_the_call_back(place: Place, mode: str) -> None:
    """Withdrawn at the client the action is void, on record, and a reviewer's word comes too late."""
    async with client(place, mode=mode, elicitation_callback=Person("accept", then="withdraw")) as mcp:
        result = await mcp.call_tool("box__put", {"n": 500})
    assert (result.is_error, said(result)["state"]) == (True, "voided")
    assert "withdrew" in text(result)
    assert [each.state for each in await actions(place)] == ["voided"]
    assert place.effects() == []


@pytest.mark.proves("gateway.elicits")
@pytest.mark.parametrize("mode", OLDER)
@pytest.mark.parametrize(
    "person",
    [
        Person("accept", then="wait"),
        Person("accept", then="approve"),
        Person("accept"),
        Person("decline"),
        Person("cancel"),
    ],
    ids=["wait", "approve", "nothing", "decline", "cancel"],
)
async def test_no_answer_at_the_client_agrees_to_anything(place: Place, mode: str, person: Person) -> None:
    """Whatever is answered beside, the call waits on for the word of who may give it, and nothing happens before that."""
    person.told.clear()
    async with client(place, mode=mode, elicitation_callback=person) as mcp:
        with anyio.fail_after(30):
            calling = asyncio.create_task(mcp.call_tool("box__put", {"n": 500}))
            waiting = await held(place)
            await anyio.sleep(0.5)
            assert (waiting.state, place.effects(), calling.done()) == ("held", [], False)
            await agree(place)
            result = await calling
    assert len(person.told) == 1
    assert said(result) == {"n": 500, "word": "x"}


async def test_a_call_that_asks_nobody(place: Place) -> None:
    """A call may say that the person at the client is not to be told."""
    person, meta = Person("accept", then="ticket"), {"interlock/elicit": False}
    async with client(place, "--wait", "1", elicitation_callback=person) as mcp:
        asked: Any = meta
        result = await mcp.call_tool("box__put", {"n": 500}, meta=asked)
    assert said(result)["state"] == "held"
    assert person.told == []


async def test_an_answer_to_another_call_is_none(place: Place) -> None:
    """The state of a round trip is of one call: with another tool's, another agent's or a made up one nothing is answered."""
    async with client(place, elicitation_callback=Person("accept", then="ticket")) as mcp:
        ticket = said(await mcp.call_tool("box__put", {"n": 500}))["ticket"]
        answers: Any = {"interlock_waiting": types.ElicitResult(action="accept", content={"then": "withdraw"})}
        for name, state in (("box__look", ticket), ("box__put", "0" * 36), ("box__put", "")):
            result = await mcp.session.call_tool(name, {"n": 500}, input_responses=answers, request_state=state)
            assert (result.is_error, said(result)["code"]) == (True, "not_found")
    async with client(place, agent="helper", elicitation_callback=Person("accept")) as mcp:
        other = await mcp.session.call_tool("box__put", {"n": 500}, input_responses=answers, request_state=ticket)
    assert other.is_error
    assert [each.state for each in await actions(place)] == ["held"]


@pytest.mark.proves("gateway.cancelled")
@pytest.mark.parametrize("mode", OLDER)
async def test_a_cancelled_call_is_withdrawn_while_it_waits(place: Place, mode: str) -> None:
    """The client cancels a call that waits for a person: the action is void, on record."""
    async with client(place, mode=mode) as mcp:
        await _cancelled(mcp.call_tool("box__put", {"n": 500}), place)
        await _state(place, "voided")
    assert place.effects() == []


@pytest.mark.proves("gateway.cancelled")
@pytest.mark.parametrize("mode", OLDER)
async def test_a_cancelled_call_over_http_is_withdrawn_while_it_waits(served: House, mode: str) -> None:
    """Over HTTP, too: by the notification of the older versions, and by leaving in the newest."""
    async with served.client(served.key(), mode=mode) as mcp:
        await _cancelled(mcp.call_tool("box__put", {"n": 500}), served.place)
        await _state(served.place, "voided")
    assert served.place.effects() == []


@pytest.mark.proves("gateway.cancelled")
@pytest.mark.parametrize("over", ["stdio", "http"])
async def test_a_call_is_taken_back_after_its_person_chose_to_wait(served: House, over: str) -> None:
    """In the newest version the call that waits is the one that was made again with the person's choice: leaving or cancelling it
    withdraws what waits, too."""
    person = Person("accept", then="wait")
    begun = served.client(served.key(), elicitation_callback=person) if over == "http" else None
    async with begun or client(served.place, elicitation_callback=person) as mcp:
        calling = asyncio.create_task(mcp.call_tool("box__put", {"n": 500}))
        await person.heard.wait()
        await anyio.sleep(0.5)
        calling.cancel()
        await _state(served.place, "voided")


@pytest.mark.proves("gateway.own_calls")
async def test_whoever_leaves_takes_back_their_own_call_alone(served: House) -> None:
    """Two clients of one key, in the version without sessions, ask under the same ids; one leaves, and the call of the other
    still waits, is agreed to, and is done once."""
    key = served.key()
    async with served.client(key) as leaves, served.client(key) as stays:
        left = asyncio.create_task(leaves.call_tool("box__put", {"n": 501}))
        await _many_held(served.place, 1)
        calling = asyncio.create_task(stays.call_tool("box__put", {"n": 500}))
        await _many_held(served.place, 2)
        left.cancel()
        await _states(served.place, "held", "voided")
        await agree(served.place)
        with anyio.fail_after(20):
            result = await calling
    assert said(result) == {"n": 500, "word": "x"}
    assert served.place.effects() == ["put 500"]


@pytest.mark.proves("gateway.own_calls")
async def test_of_two_calls_under_one_id_the_later_is_taken_back(served: House) -> None:
    """A session that asks twice under one id, once as a number and once as its digits, takes back by it what it asked last."""
    bearing = {"authorization": f"Bearer {served.key()}", "accept": "application/json, text/event-stream"}
    async with httpx.AsyncClient(headers=bearing, timeout=30) as http, anyio.create_task_group() as group:
        begun = await http.post(served.url, json=INITIALIZE)
        http.headers["mcp-session-id"] = begun.headers["mcp-session-id"]
        for so_many, (request, n) in enumerate(((7, 500), ("7", 501)), start=1):
            params = {"name": "box__put", "arguments": {"n": n}}
            body = {"jsonrpc": "2.0", "id": request, "method": "tools/call", "params": params}
            group.start_soon(partial(http.post, served.url, json=body))
            await _many_held(served.place, so_many)
        taken = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 7}}
        assert (await http.post(served.url, json=taken)).status_code == 202
        await _states(served.place, "held", "voided")
        group.cancel_scope.cancel()
    assert [each.arguments["n"] for each in await actions(served.place) if each.state == "held"] == [500]


@pytest.mark.proves("gateway.cancelled")
@pytest.mark.parametrize("mode", OLDER)
async def test_under_a_key_a_cancelled_call_is_there_when_it_is_made_again(place: Place, mode: str) -> None:
    """A call with an idempotency key is meant to be made again: cancelled it waits on, and made again it is the same action."""
    meta: Any = {"interlock/idempotency-key": "again"}
    async with client(place, mode=mode) as mcp:
        await _cancelled(mcp.call_tool("box__put", {"n": 500}, meta=meta), place)
        await anyio.sleep(0.5)
        assert [each.state for each in await actions(place)] == ["held"]
        await agree(place)
        result = await mcp.call_tool("box__put", {"n": 500}, meta=meta)
    assert said(result) == {"n": 500, "word": "x"}
    assert place.effects() == ["put 500"]


@pytest.mark.proves("gateway.cancelled")
async def test_what_began_goes_on_when_its_call_is_cancelled(place: Place) -> None:
    """Cancelled while the tool is at work, the effect happens once and is recorded as done."""
    async with client(place) as mcp:
        calling = asyncio.create_task(mcp.call_tool("box__stay", {"s": 1}))
        while not (place.folder / "began").exists():  # noqa: ASYNC110  another process makes it
            await anyio.sleep(0.02)
        calling.cancel()
        await asyncio.gather(calling, return_exceptions=True)
        await _state(place, "done")
    assert place.effects() == ["stayed"]


async def _cancelled(call: Any, place: Place) -> None:
    calling = asyncio.create_task(call)
    await held(place)
    calling.cancel()
    await asyncio.gather(calling, return_exceptions=True)


async def _many_held(place: Place, so_many: int) -> None:
    with anyio.fail_after(20):
        while sum(each.state == "held" for each in await actions(place)) != so_many:  # noqa: ASYNC110  as below
            await anyio.sleep(0.05)


async def _states(place: Place, *states: str) -> None:
    with anyio.fail_after(15):
        while sorted(each.state for each in await actions(place)) != [*states]:  # noqa: ASYNC110  another process does it
            await anyio.sleep(0.05)


async def _state(place: Place, state: str) -> None:
    await _states(place, state)
