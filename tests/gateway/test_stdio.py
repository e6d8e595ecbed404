"""One client over standard input and output: every call it makes is an action, and standard output is the protocol's alone."""

import asyncio
import json
import signal
import subprocess
from typing import Any

import anyio
import mcp_types as types
import pytest
from mcp.shared.exceptions import MCPError

import interlock
from tests.gateway.kit import INSTALLED, OLDER, PROGRAM, actions, client, held, said, tasks, text, until, words
from tests.workspaces import Place

pytestmark = pytest.mark.anyio


@pytest.mark.proves("gateway.both_eras")
@pytest.mark.parametrize("mode", OLDER)
async def test_a_call_is_an_action_in_either_era(place: Place, mode: str) -> None:
    """A tool's result comes back as it is, and what was done is recorded as an action of the agent for its initiator."""
    async with client(place, mode=mode) as mcp:
        assert mcp.protocol_version == {"legacy": "2025-11-25", "auto": "2026-07-28"}[mode]
        result = await mcp.call_tool("box__put", {"n": 3})
    assert said(result) == {"n": 3, "word": "x"}
    assert json.loads(text(result)) == {"n": 3, "word": "x"}
    assert place.effects() == ["put 3"]
    [action] = await actions(place)
    assert (action.id, action.contract, action.initiator, action.state) == (
        (result.meta or {})["interlock/action"],
        "box.put",
        "user:ana",
        "done",
    )


@pytest.mark.proves("gateway.offered")
@pytest.mark.parametrize("mode", OLDER)
async def test_the_list_is_what_the_agent_may_use(place: Place, mode: str) -> None:
    """What is listed is the agent's capabilities in force, under names that clients take, with what the contract says of them."""
    async with client(place, mode=mode) as mcp:
        listed = {tool.name: tool for tool in (await mcp.list_tools()).tools}
    assert sorted(listed) == sorted(
        [
            "interlock_answer",
            "interlock_ticket",
            *(f"box__{each}" for each in ("put", "aput", "look", "mail", "drop", "lose", "stay")),
        ]
    )
    look, mail, put = (listed[f"box__{each}"] for each in ("look", "mail", "put"))
    hints = [each.annotations for each in (look, mail, put)]
    assert [each.read_only_hint for each in hints if each] == [True, False, False]
    assert [each.destructive_hint for each in hints if each] == [False, True, False]
    assert [each.open_world_hint for each in hints if each] == [False, True, False]
    assert put.input_schema["required"] == ["n"]


async def test_what_the_agent_may_not_use_is_not_there_and_the_attempt_is_recorded(place: Place) -> None:
    """A contract that is no capability of the agent's is answered like one that does not exist, and recorded as refused."""
    async with client(place) as mcp:
        with pytest.raises(MCPError, match="Unknown tool: box__take") as there:
            await mcp.call_tool("box__take", {"n": 1})
        with pytest.raises(MCPError, match="Unknown tool: box__none") as nowhere:
            await mcp.call_tool("box__none", {"n": 1})
    assert there.value.code == nowhere.value.code == types.INVALID_PARAMS
    assert [each.state for each in await actions(place)] == ["refused"]
    assert place.effects() == []


@pytest.mark.proves("gateway.no_is_a_result")
async def test_a_no_is_a_result_with_words(place: Place) -> None:
    """What policy denies, and arguments that do not fit, are results that say why and what to do; nothing happens."""
    async with client(place) as mcp:
        denied = await mcp.call_tool("box__put", {"n": 5000})
        unfit = await mcp.call_tool("box__put", {"m": 1})
        failed = await mcp.call_tool("box__drop", {"reason": "there was none"})
    assert denied.is_error
    assert (said(denied)["code"], said(denied)["reasons"]) == ("denied", ["more than a thousand"])
    assert "more than a thousand" in text(denied)
    assert "next: " in text(denied)
    assert (said(unfit)["code"], said(unfit)["rule"]) == ("refused", "interlock.arguments")
    assert (said(failed)["code"], failed.is_error) == ("failed", True)
    assert place.effects() == []


@pytest.mark.proves("gateway.shadow")
async def test_in_shadow_nothing_is_touched(place: Place) -> None:
    """An agent in shadow is told that nothing happened, and nothing has."""
    async with client(place, agent="shade") as mcp:
        result = await mcp.call_tool("box__put", {"n": 1})
        read = await mcp.call_tool("box__look", {"word": "a"})
    assert (said(result)["code"], result.is_error) == ("shadowed", True)
    assert said(read) == {"result": "A"}
    assert place.effects() == []


@pytest.mark.proves("gateway.unknown")
async def test_unknown_is_said_and_never_called_done(place: Place) -> None:
    """Of what may or may not have happened the answer is an error that says so, forbids another call and names the ticket."""
    async with client(place) as mcp:
        result = await mcp.call_tool("box__lose", {"reason": "gone"})
        again = await mcp.call_tool("interlock_ticket", {"ticket": said(result)["ticket"]})
    assert (result.is_error, said(result)["state"]) == (True, "unknown")
    assert "may or may not have happened" in text(result)
    assert "do not call the tool again" in text(result)
    assert said(again)["state"] == "unknown"
    assert place.effects() == ["lost"]


@pytest.mark.proves("gateway.ticket")
@pytest.mark.parametrize("mode", OLDER)
async def test_a_ticket_is_given_at_once_and_asked_about(place: Place, mode: str) -> None:
    """With `hold: ticket` what waits for a person is answered with a ticket, and the ticket gives the result once they agreed."""
    async with client(place, "--hold", "ticket", mode=mode) as mcp:
        waits = await mcp.call_tool("box__put", {"n": 500})
        assert (said(waits)["state"], said(waits)["poll_with"], waits.is_error) == ("held", "interlock_ticket", False)
        assert place.effects() == []
        with interlock.open(place.folder) as people:
            await people.person("rita").aio.approve(said(waits)["ticket"])
        done = await mcp.call_tool("interlock_ticket", {"ticket": said(waits)["ticket"], "wait_ms": 10_000})
    assert said(done) == {"n": 500, "word": "x"}
    assert place.effects() == ["put 500"]


async def test_the_workspace_says_how_calls_wait(place: Place) -> None:
    """`gateway: {hold, wait}` in interlock.yaml holds for all calls; a call may say otherwise, and a wrong word is an error."""
    place.change("interlock.yaml", lambda old: old + "gateway: {hold: ticket}\n")
    wait: Any = {"interlock/hold": "wait", "interlock/wait-ms": 300}
    async with client(place) as mcp:
        with anyio.fail_after(20):
            for meta in (None, wait):
                assert said(await mcp.call_tool("box__put", {"n": 500}, meta=meta))["state"] == "held"
    place.change("interlock.yaml", lambda old: old.replace("hold: ticket", "hold: on"))
    ended = await anyio.run_process([PROGRAM, *words(place)], check=False)
    assert (ended.returncode, ended.stdout) == (1, b"")
    assert b"interlock.yaml" in ended.stderr


@pytest.mark.proves("gateway.waits")
@pytest.mark.parametrize("mode", OLDER)
async def test_a_call_waits_for_a_person(place: Place, mode: str) -> None:
    """With `hold: wait` the call itself is answered once a person has spoken; who asked for progress hears that it waits."""
    heard: list[str] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        del progress, total
        heard.append(message or "")

    async def agree() -> None:
        waiting = await held(place)
        await until(lambda: heard)
        with interlock.open(place.folder) as people:
            await people.person("rita").aio.approve(waiting.id)

    async with client(place, mode=mode) as mcp:
        agreeing = asyncio.create_task(agree())
        result = await mcp.call_tool("box__put", {"n": 500}, progress_callback=hear)
        await agreeing
    assert said(result) == {"n": 500, "word": "x"}
    assert "more than a hundred" in heard[0]


@pytest.mark.proves("gateway.once")
@pytest.mark.parametrize("mode", OLDER)
async def test_the_same_key_is_one_effect(place: Place, mode: str) -> None:
    """Calls with one idempotency key, at once, later and by another process, are one action with one effect and one answer."""
    meta: Any = {"interlock/idempotency-key": "order-17"}
    async with client(place, mode=mode) as mcp:
        found = await asyncio.gather(*(mcp.call_tool("box__aput", {"n": 4}, meta=meta) for _ in range(8)))
        other = await mcp.call_tool("box__aput", {"n": 5}, meta=meta)
    async with client(place, mode=mode) as mcp:
        found.append(await mcp.call_tool("box__aput", {"n": 4}, meta=meta))
    later = {json.dumps(said(await _over(place, mode, each))) for each in found}
    assert later == {json.dumps({"n": 4, "word": "x"})}
    assert len({(each.meta or {})["interlock/action"] for each in found}) == 1
    assert (other.is_error, said(other)["code"]) == (True, "key_reused")
    assert place.effects() == ["put 4"]


async def _over(place: Place, mode: str, result: types.CallToolResult) -> types.CallToolResult:
    """The result, asked about where it was not there yet."""
    if "ticket" not in said(result):
        return result
    async with client(place, mode=mode) as mcp:
        return await mcp.call_tool("interlock_ticket", {"ticket": said(result)["ticket"], "wait_ms": 5000})


async def test_a_ticket_of_somebody_else_is_none(place: Place) -> None:
    """A ticket of another agent, and one that never was, are answered in the same words."""
    async with client(place, "--hold", "ticket") as mcp:
        theirs_is = said(await mcp.call_tool("box__put", {"n": 500}))
    nothing = "01a2030f-d8b1-71a6-9404-0aebf7cd5da6"
    async with client(place, agent="helper") as mcp:
        theirs = await mcp.call_tool("interlock_ticket", {"ticket": theirs_is["ticket"]})
        nobodys = await mcp.call_tool("interlock_ticket", {"ticket": nothing})
        none = await mcp.call_tool("interlock_ticket", {"ticket": 7})
    assert theirs.is_error
    assert nobodys.is_error
    assert none.is_error
    assert text(theirs).replace(theirs_is["ticket"], "") == text(nobodys).replace(nothing, "")


@pytest.mark.proves("gateway.killed")
async def test_a_killed_gateway_does_nothing_twice_and_its_tickets_live(place: Place) -> None:
    """A gateway killed in a call leaves it recorded as begun; the next hears of it by the same key or ticket, and one effect."""
    meta: Any = {"interlock/idempotency-key": "slow"}
    running = await anyio.open_process([INSTALLED, *words(place)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert running.stdin is not None
    for each in _handshake({"name": "box__stay", "arguments": {"s": 1}, "_meta": meta}):
        await running.stdin.send(each)
    await until((place.folder / "began").exists)
    running.send_signal(signal.SIGKILL)
    await running.wait()
    await running.aclose()
    async with client(place, "--wait", "30") as mcp:
        result = await mcp.call_tool("box__stay", {"s": 1}, meta=meta)
        if "ticket" in said(result):
            result = await mcp.call_tool("interlock_ticket", {"ticket": said(result)["ticket"], "wait_ms": 30_000})
    assert said(result) == {"result": 1}
    assert set(place.by_key().values()) == {1}


def _handshake(call: dict[str, Any]) -> list[bytes]:
    start = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    found: list[dict[str, Any]] = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": start},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call},
    ]
    return [json.dumps(each).encode() + b"\n" for each in found]


@pytest.mark.proves("gateway.stdout")
async def test_nothing_but_the_protocol_is_on_standard_output(place: Place) -> None:
    """What a tool prints goes to standard error; each line of standard output is one message of JSON-RPC."""
    place.change(f"{place.module}.py", lambda old: old.replace('"""Look."""', '"""Look."""\n    print("noise")'))
    with interlock.open(place.folder, apply=True):
        pass
    asked = b"".join(_handshake({"name": "box__look", "arguments": {"word": "a"}}))
    process = await anyio.open_process([PROGRAM, *words(place)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    await process.stdin.send(asked)
    heard = b""
    while heard.count(b"\n") < 2:
        heard += await process.stdout.receive()
    await process.stdin.aclose()
    assert await process.wait() == 0
    await process.aclose()
    assert [json.loads(line)["id"] for line in heard.splitlines()] == [1, 2]


@pytest.mark.proves("gateway.ends_well")
@pytest.mark.parametrize("how", ["eof", "term"])
async def test_it_ends_when_the_client_goes_or_it_is_told(place: Place, how: str) -> None:
    """When its input ends, or it is told to end, the gateway closes its task and ends without an error."""
    process = await anyio.open_process([INSTALLED, *words(place)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    await process.stdin.send(_handshake({})[0])
    await process.stdout.receive()
    if how == "eof":
        await process.stdin.aclose()
    else:
        process.send_signal(signal.SIGTERM)
    with anyio.fail_after(15):
        assert await process.wait() == 0
    await process.aclose()
    assert [each.state for each in await tasks(place)] == ["closed"]


async def test_who_starts_it_wrongly_is_told_on_standard_error(place: Place) -> None:
    """Of an agent that there is not, or that nobody named, standard error says what to do, and standard output nothing."""
    for asked in (words(place, agent="nobody"), words(place)[:3]):
        ended = await anyio.run_process([PROGRAM, *asked], check=False)
        assert ended.returncode not in (0, None)
        assert ended.stdout == b""
        assert b"next" in ended.stderr


@pytest.mark.proves("gateway.told_of_changes")
@pytest.mark.parametrize("mode", OLDER)
async def test_clients_hear_that_the_list_changed(place: Place, mode: str) -> None:
    """When a brake takes a tool away the client is told so, and the list is without it."""
    changed = anyio.Event()

    async def heard(message: Any) -> None:
        if isinstance(message, types.ToolListChangedNotification):
            changed.set()

    async with client(place, mode=mode, message_handler=heard) as mcp:
        before = {each.name for each in (await mcp.list_tools()).tools}
        async with anyio.create_task_group() as group:
            if mode == "auto":
                ready = anyio.Event()

                async def listen() -> None:
                    async with mcp.listen(tools_list_changed=True) as events:
                        ready.set()
                        async for _ in events:
                            changed.set()
                            return

                group.start_soon(listen)
                await ready.wait()
            stopped = await anyio.run_process(
                [PROGRAM, "-w", str(place.folder), "--as", "rita", "stop", "contract:box.put", "--why", "test"]
            )
            assert stopped.returncode == 0
            with anyio.fail_after(10):
                await changed.wait()
        after = {each.name for each in (await mcp.list_tools(cache_mode="refresh")).tools}
        refused = await mcp.call_tool("box__put", {"n": 1})
    assert before - after == {"box__put"}
    assert refused.is_error
    assert place.effects() == []
