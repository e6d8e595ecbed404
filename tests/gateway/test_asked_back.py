"""What servers ask and say within a call: clients of one era before servers of the other."""

import json
from typing import Any

import anyio
import mcp_types as types
import pytest

from interlock.gateway.bridge import offers
from tests.gateway.kit import actions, client, said, text
from tests.gateway.upstreams import with_server
from tests.workspaces import Place

pytestmark = pytest.mark.anyio
OLDER, NEWEST = "2025-11-25", "2026-07-28"
CROSSED = [("legacy", NEWEST), ("auto", OLDER), pytest.param(("auto", NEWEST), marks=pytest.mark.slow)]


class Answers:
    """A client that offers everything, and keeps what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    async def sample(self, context: Any, params: Any) -> types.CreateMessageResult:
        """Its model's answer."""
        del context
        self.asked.append(params)
        return types.CreateMessageResult(role="assistant", content=types.TextContent(text="4"), model="m")

    async def elicit(self, context: Any, params: Any) -> types.ElicitResult:
        """That of the person at it."""
        del context
        self.asked.append(params)
        form = params.mode == "form"
        return types.ElicitResult(action="accept", content={"colour": "red"} if form else None)


@pytest.mark.proves("gateway.asked_back")
@pytest.mark.proves("gateway.both_eras")
@pytest.mark.parametrize("eras", CROSSED, ids=" before ".join)
async def test_questions_cross_from_one_era_to_the_other(place: Place, eras: tuple[str, str]) -> None:
    """A model's answer, a form and an address are asked for as the client's version has it, of a server that asks as its own has
    it; each is an action, and the call it is asked in goes on with the answer."""
    mode, server = eras
    up, mine = await with_server(place, server), Answers()
    async with client(
        up, mode=mode, agent="up", sampling_callback=mine.sample, elicitation_callback=mine.elicit
    ) as mcp:
        came = [text(await mcp.call_tool(f"up__do_{each}", {})) for each in ("sample", "elicit", "url", "roots")]
    assert json.loads(came[0])["content"]["text"] == "4"
    assert json.loads(came[1])["content"] == {"colour": "red"}
    assert json.loads(came[2])["action"] == "accept"
    assert "refused" in came[3] or "asks for something that it is not given" in came[3]
    sample, form, there = mine.asked
    assert (sample.messages[0].content.text, form.message, there.url) == (
        "2+2?",
        "Which colour?",
        "https://pay.example/1",
    )
    found = [(each.contract, each.arguments.get("url")) for each in await actions(up) if each.contract == "up.elicit"]
    assert found == [("up.elicit", "https://pay.example/1"), ("up.elicit", "")]


FORM, URL = types.FormElicitationCapability(), types.UrlElicitationCapability()
SAMPLING, TOOLS = types.SamplingCapability(), types.SamplingCapability(tools=types.SamplingToolsCapability())


@pytest.mark.proves("gateway.asked_back")
@pytest.mark.parametrize(
    ("offered", "method", "params", "so"),
    [
        ({"elicitation": types.ElicitationCapability()}, "elicitation/create", {"mode": "form"}, True),
        ({"elicitation": types.ElicitationCapability()}, "elicitation/create", {"mode": "url"}, False),
        ({"elicitation": types.ElicitationCapability(form=FORM)}, "elicitation/create", {"mode": "url"}, False),
        ({"elicitation": types.ElicitationCapability(url=URL)}, "elicitation/create", {"mode": "url"}, True),
        ({"elicitation": types.ElicitationCapability(url=URL)}, "elicitation/create", {}, False),
        ({"sampling": SAMPLING}, "sampling/createMessage", {}, True),
        ({"sampling": SAMPLING}, "sampling/createMessage", {"tools": []}, False),
        ({"sampling": TOOLS}, "sampling/createMessage", {"tools": []}, True),
        ({}, "sampling/createMessage", {}, False),
        ({}, "roots/list", {}, False),
    ],
)
async def test_a_client_is_asked_what_it_offers(offered: Any, method: str, params: Any, so: bool) -> None:
    """Forms, addresses and models with tools are offered apart, and whoever does not offer one is not asked for it."""
    assert offers(types.ClientCapabilities(**offered), method, params) is so


@pytest.mark.proves("gateway.logs")
async def test_what_a_server_logs_is_its_own_without_secrets(place: Place) -> None:
    """A client that set a level hears what its servers log from that level on, under the server's name and without secrets; one
    that set none hears nothing."""
    up = await with_server(place)
    heard: list[types.LoggingMessageNotificationParams] = []

    async def hear(params: types.LoggingMessageNotificationParams) -> None:
        heard.append(params)

    async with client(up, mode="legacy", agent="up", logging_callback=hear) as mcp:
        assert text(await mcp.call_tool("up__talk", {})) == "talked"
        await anyio.sleep(0.3)
        assert heard == []
        await mcp.session.send_request(
            types.SetLevelRequest(params=types.SetLevelRequestParams(level="warning")), types.EmptyResult
        )
        await mcp.call_tool("up__talk", {})
        with anyio.fail_after(10):
            while len(heard) < 2:  # noqa: ASYNC110  told beside the answer
                await anyio.sleep(0.02)
    assert [(each.level, each.logger) for each in heard] == [("warning", "up/db"), ("error", "up/db")]
    assert heard[1].data == "loud"
    assert "AKIA" not in heard[0].model_dump_json()
    assert heard[0].data["key"]


@pytest.mark.proves("gateway.asked_back")
async def test_an_answer_goes_on_with_the_call_it_was_asked_in_alone(place: Place) -> None:
    """Brought under the name of another tool it is no answer, and the call waits on for its own."""
    up, mine = await with_server(place), Answers()
    async with client(up, mode=NEWEST, agent="up", elicitation_callback=mine.elicit) as mcp:
        asked: Any = await mcp.session.call_tool("up__do_elicit", {}, allow_input_required=True)
        answers: Any = {
            name: types.ElicitResult(action="accept", content={"colour": "red"}) for name in asked.input_requests
        }
        state = asked.request_state
        other = await mcp.session.call_tool("up__twice", {"x": 1}, input_responses=answers, request_state=state)
        own = await mcp.session.call_tool("up__do_elicit", {}, input_responses=answers, request_state=state)
    assert (other.is_error, said(other)["code"]) == (True, "not_found")
    assert json.loads(text(own))["content"] == {"colour": "red"}
