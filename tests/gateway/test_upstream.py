"""A server behind the gateway: its tools, resources, prompts and questions, all of them through the gate, in either era."""

import json
from typing import Any

import anyio
import mcp_types as types
import pytest
from mcp.shared.exceptions import MCPError

import interlock
from tests.gateway.kit import NEWEST, House, actions, client, said, text
from tests.gateway.upstreams import notes, with_server
from tests.workspaces import Place

pytestmark = pytest.mark.anyio


@pytest.fixture
async def up(place: Place) -> Place:
    """The workspace with a server."""
    return await with_server(place)


@pytest.mark.proves("gateway.upstream_exact")
@pytest.mark.parametrize("mode", NEWEST)
async def test_a_result_comes_through_as_it_came(up: Place, mode: str) -> None:
    """Content of every kind, fractions, large numbers and `_meta` reach the client exactly; the label is ours."""
    async with client(up, mode=mode, agent="up") as mcp:
        tools = {tool.name: tool for tool in (await mcp.list_tools()).tools}
        result = await mcp.call_tool("up__everything", {})
        twice = await mcp.call_tool("up__twice", {"x": 1.25})
    assert [each.type for each in result.content] == ["text", "image", "resource"]
    assert result.structured_content == {"pi": 3.141592653589793, "big": 2**60, "no": None, "list": [0.1, -0.0]}
    meta = result.meta or {}
    assert meta["theirs"] == 1.5
    assert meta["interlock/source"] == {"kind": "mcp", "name": "up", "trusted": False}
    assert twice.structured_content == {"x": 2.5}
    assert tools["up__twice"].input_schema["properties"] == {"x": {"type": "number"}}
    assert tools["up__note"].input_schema["properties"] == {"text": {"type": "string"}}, (
        "our key is not the client's to give"
    )
    hints = tools["up__note"].annotations
    assert hints is not None
    assert hints.read_only_hint is False
    [_, action] = await actions(up)
    assert action.outcome is not None
    assert action.outcome.source is not None
    assert action.outcome.source.name == "up"


@pytest.mark.proves("gateway.upstream_exact")
async def test_what_a_server_says_of_itself_is_filtered_and_told(up: Place) -> None:
    """Secrets in a server's answer are masked before the client has them; its word that it failed is a failure with its words."""
    async with client(up, agent="up") as mcp:
        leak = await mcp.call_tool("up__leak", {"text": "x"})
        failed = await mcp.call_tool("up__fails", {})
    assert "AKIAQQ" not in leak.model_dump_json()
    assert (said(failed)["code"], failed.is_error) == ("failed", True)
    assert "no such row" in text(failed)


@pytest.mark.proves("gateway.upstream_gate")
@pytest.mark.parametrize("mode", NEWEST)
async def test_a_servers_tool_takes_the_life_of_any_action(up: Place, mode: str) -> None:
    """It waits for a person, is done once with our key, and under one idempotency key it is one effect."""
    meta: Any = {"interlock/idempotency-key": "n1"}
    async with client(up, "--hold", "ticket", mode=mode, agent="up") as mcp:
        held = await mcp.call_tool("up__note", {"text": "careful"}, meta=meta)
        assert (said(held)["state"], notes(up)) == ("held", [])
        with interlock.open(up.folder) as people:
            await people.person("rita").aio.approve(said(held)["ticket"])
        done = await mcp.call_tool("interlock_ticket", {"ticket": said(held)["ticket"], "wait_ms": 20_000})
        again = await mcp.call_tool("up__note", {"text": "careful"}, meta=meta)
    assert text(done) == text(again) == "noted"
    [line] = notes(up)
    assert line.startswith("careful|")
    assert len(line) > len("careful|")


@pytest.mark.proves("gateway.drift")
@pytest.mark.parametrize("mode", NEWEST)
async def test_a_tool_that_changed_is_neither_offered_nor_called(up: Place, mode: str) -> None:
    """A server that says something else of a tool than what was accepted: the list is without it, and nothing reaches it."""
    async with client(up, mode=mode, agent="up") as mcp:
        assert "up__note" in {tool.name for tool in (await mcp.list_tools()).tools}
        (up.folder / "notes.changed").touch()
        await anyio.sleep(1.2)
        names = {tool.name for tool in (await mcp.list_tools(cache_mode="refresh")).tools}
        result = await mcp.call_tool("up__note", {"text": "a"})
    assert "up__note" not in names
    assert "up__twice" in names
    assert result.is_error
    assert "interlock server diff up" in text(result)
    assert notes(up) == []


@pytest.mark.proves("gateway.resources")
@pytest.mark.parametrize("mode", NEWEST)
async def test_resources_are_read_by_actions_within_bounds(up: Place, mode: str) -> None:
    """What a server's file lets pass is listed and read, each read on record and filtered; policy bounds the address."""
    async with client(up, mode=mode, agent="up") as mcp:
        listed = (await mcp.list_resources()).resources
        assert [str(each.uri) for each in listed] == ["notes://one", "notes://two"]
        one = await mcp.read_resource("notes://one")
        two = await mcp.read_resource("notes://two")
        with pytest.raises(MCPError, match="not that folder"):
            await mcp.read_resource("notes://other/x")
        for nowhere in ("notes://secret/keys", "file:///etc/passwd"):
            with pytest.raises(MCPError, match="Resource not found"):
                await mcp.read_resource(nowhere)
        completed = await mcp.complete(types.PromptReference(name="up__hello"), {"name": "who", "value": "b"})
    assert one.contents[0].model_dump()["text"] == "this is notes://one"
    assert (one.meta or {})["interlock/source"] == {"kind": "mcp", "name": "up", "trusted": False}
    assert "AKIAQQ" not in two.model_dump_json()
    assert completed.completion.values == ["bob", "bill"]
    assert notes(up) == ["read notes://one", "read notes://two"]
    found = [(each.contract, each.state, each.arguments) for each in await actions(up)]
    assert ("up.read_resource", "denied", {"uri": "notes://other/x"}) in found
    assert ("up.read_resource", "done", {"uri": "notes://one"}) in found


@pytest.mark.proves("gateway.resources")
@pytest.mark.parametrize("mode", NEWEST)
async def test_prompts_likewise(up: Place, mode: str) -> None:
    """Only what the file names is listed and had, as an action, under a name that says whose it is."""
    async with client(up, mode=mode, agent="up") as mcp:
        assert [each.name for each in (await mcp.list_prompts()).prompts] == ["up__hello"]
        had = await mcp.get_prompt("up__hello", {"who": "bob"})
        for name in ("up__evil", "hello", "evil"):
            with pytest.raises(MCPError, match="Unknown prompt"):
                await mcp.get_prompt(name)
    assert had.messages[0].content.model_dump()["text"] == "hello bob"
    assert [each.contract for each in await actions(up)] == ["up.get_prompt"]


@pytest.mark.proves("gateway.asked_back")
@pytest.mark.proves("gateway.asked_as_agreed")
@pytest.mark.parametrize("mode", NEWEST)
async def test_what_a_server_asks_is_an_action_first(up: Place, mode: str) -> None:
    """Sampling and elicitation reach a client that offers them, on record; what policy denies reaches nobody. All that
    reaches the client stood before the gate."""
    asked: list[str] = []
    sent: dict[str, Any] = {}

    async def sample(context: Any, params: Any) -> types.CreateMessageResult:
        asked.append("sample")
        sent.update(params.model_dump(by_alias=True, exclude_none=True, exclude={"meta"}))
        return types.CreateMessageResult(role="assistant", content=types.TextContent(text="4"), model="m")

    async def elicit(context: Any, params: Any) -> types.ElicitResult:
        asked.append(params.message)
        return types.ElicitResult(action="accept", content={"colour": "red"})

    async def roots(context: Any) -> types.ListRootsResult:
        asked.append("roots")
        return types.ListRootsResult(roots=[])

    async with client(
        up, mode=mode, agent="up", sampling_callback=sample, elicitation_callback=elicit, list_roots_callback=roots
    ) as mcp:
        sampled = await mcp.call_tool("up__do_sample", {})
        elicited = await mcp.call_tool("up__do_elicit", {})
        rooted = await mcp.call_tool("up__do_roots", {})
    assert json.loads(text(sampled))["content"]["text"] == "4"
    assert json.loads(text(elicited))["content"] == {"colour": "red"}
    assert text(rooted).startswith("refused")
    assert asked == ["sample", "Which colour?"]
    found = {str(each.contract): each for each in await actions(up)}
    assert {name: found[f"up.{name}"].state for name in ("sample", "elicit", "roots")} == {
        "sample": "done",
        "elicit": "done",
        "roots": "denied",
    }
    seen: Any = dict(found["up.sample"].arguments)
    assert seen["include_context"] == sent["includeContext"] == "allServers"
    assert (json.loads(seen["metadata"]), seen["max_tokens"]) == (sent["metadata"], sent["maxTokens"])
    assert set(sent) == {"messages", "maxTokens", "includeContext", "metadata"}
    assert "colour" in str(found["up.elicit"].arguments["schema"])


@pytest.mark.proves("gateway.asked_back")
@pytest.mark.parametrize("mode", NEWEST)
async def test_a_client_that_offers_nothing_is_asked_nothing(up: Place, mode: str) -> None:
    """Without the client's offer the server is refused, and its call goes on."""
    async with client(up, mode=mode, agent="up") as mcp:
        result = await mcp.call_tool("up__do_sample", {})
    assert text(result).startswith("refused")


@pytest.mark.parametrize("mode", NEWEST)
async def test_progress_of_a_server_reaches_who_asked_for_it(up: Place, mode: str) -> None:
    """How far a server is reaches the call's client."""
    heard: list[float] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        del total, message
        heard.append(progress)

    async with client(up, mode=mode, agent="up") as mcp:
        assert text(await mcp.call_tool("up__steps", {}, progress_callback=hear)) == "stepped"
        with anyio.move_on_after(3):
            while len(heard) < 3:  # noqa: ASYNC110  the last may come behind the answer
                await anyio.sleep(0.05)
    assert heard[:1] == [1.0]


async def test_over_http_too(up: Place, served: House) -> None:
    """The same over HTTP, for whoever bears a token."""
    async with served.client(served.key("up")) as mcp:
        assert (await mcp.call_tool("up__twice", {"x": 0.1})).structured_content == {"x": 0.2}
        assert (await mcp.read_resource("notes://one")).contents
