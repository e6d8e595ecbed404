"""Many clients over HTTP: nobody without a token that counts, and nobody in another's session."""

import asyncio
from typing import Any, cast

import anyio
import httpx
import pytest

import interlock
from tests.gateway.kit import INITIALIZE, NEWEST, PROGRAM, House, actions, house, said, tasks, until
from tests.workspaces import Place

pytestmark = pytest.mark.anyio


@pytest.mark.proves("gateway.both_eras")
@pytest.mark.parametrize("mode", NEWEST)
async def test_a_call_over_http_is_an_action_of_who_the_token_says(served: House, mode: str) -> None:
    """Whoever bears a key calls as its agent, for its initiator, and the task says through what it came."""
    key = served.key()
    async with served.client(key, mode=mode) as mcp:
        result = await mcp.call_tool("box__put", {"n": 3})
    assert said(result) == {"n": 3, "word": "x"}
    [action] = await actions(served.place)
    [task] = await tasks(served.place)
    assert result.meta is not None
    assert (result.meta["interlock/action"], result.meta["interlock/task"]) == (action.id, task.id)
    assert (action.agent, action.initiator, task.purpose) == ("ag", "user:ana", "tests")
    assert task.through.startswith("agent_key:")
    assert key.partition(".")[0].removeprefix("ila_") in task.through


@pytest.mark.proves("gateway.no_open_door")
async def test_without_a_token_that_counts_nothing_is_answered(served: House) -> None:
    """No token, a made up one and one of another surface are refused, with the challenge that says why."""
    models = served.key("ag", "user:ana", "--for", "models")
    nothing = served.ask(body=INITIALIZE)
    assert (nothing.status_code, nothing.headers["www-authenticate"]) == (401, "Bearer")
    made_up = served.ask(body=INITIALIZE, authorization=f"Bearer ila_{'0' * 32}.{'0' * 64}")
    assert made_up.status_code == 401
    assert 'error="invalid_token"' in made_up.headers["www-authenticate"]
    other = served.ask(body=INITIALIZE, authorization=f"Bearer {models}")
    assert (other.status_code, models in other.text) == (403, False)
    assert served.ask("GET").status_code == 401
    assert served.ask("DELETE", mcp_session_id="x").status_code == 401
    assert await tasks(served.place) == []


@pytest.mark.proves("gateway.bound_sessions")
async def test_a_session_is_its_bearers_alone(served: House) -> None:
    """With another bearer's session id one is told what one is told of an id that never was, whatever one asks."""
    mine, theirs = served.key(), served.key("ag", "user:bob")
    begun = served.ask(body=INITIALIZE, authorization=f"Bearer {mine}")
    session = begun.headers["mcp-session-id"]
    asked = {"jsonrpc": "2.0", "id": 2, "method": "ping"}
    assert served.ask(body=asked, authorization=f"Bearer {mine}", mcp_session_id=session).status_code == 200
    for method, body in (("POST", asked), ("GET", None), ("DELETE", None)):
        stolen = served.ask(method, body, authorization=f"Bearer {theirs}", mcp_session_id=session)
        nobodys = served.ask(method, body, authorization=f"Bearer {theirs}", mcp_session_id="0" * 32)
        assert (stolen.status_code, stolen.content) == (nobodys.status_code, nobodys.content)
        assert stolen.status_code == 404
    assert served.ask("DELETE", authorization=f"Bearer {mine}", mcp_session_id=session).status_code == 200
    assert served.ask(body=asked, authorization=f"Bearer {mine}", mcp_session_id=session).status_code == 404


async def test_a_revoked_key_is_out_at_once(served: House) -> None:
    """Between two calls of one session the key is revoked: the second is not heard."""
    key = served.key()
    async with served.client(key) as mcp:
        await mcp.call_tool("box__put", {"n": 1})
        name = key.partition(".")[0].removeprefix("ila_")
        ask = [PROGRAM, "-w", str(served.place.folder), "--as", "rita", "agent", "key", "revoke", name]
        await anyio.run_process(ask)
        again = served.ask(body=INITIALIZE, authorization=f"Bearer {key}")
    assert again.status_code == 401
    assert served.place.effects() == ["put 1"]


@pytest.mark.proves("gateway.head")
@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (421, {"host": "evil.example"}),
        (403, {"origin": "https://evil.example"}),
        (403, {"origin": "null"}),
        (403, {"origin": "http://["}),
        (403, {"origin": "http://localhost@evil.example"}),
        (404, {"mcp_session_id": "a b"}),
        (431, {"x_long": "a" * 30_000}),
    ],
)
async def test_what_a_page_of_a_stranger_could_send_is_refused(
    served: House, status: int, headers: dict[str, str]
) -> None:
    """Another host, a stranger's origin and headers that no client sends are refused before the token is looked at."""
    assert served.ask(body=INITIALIZE, **headers).status_code == status


async def test_too_much_is_refused_unparsed(served: House) -> None:
    """A body beyond the limit, and what is no JSON-RPC, get an answer that says so, and the next request is heard."""
    key = f"Bearer {served.key()}"
    big = {**INITIALIZE, "params": {"x": "a" * 5_000_000}}
    assert served.ask(body=big, authorization=key).status_code == 413
    for odd in (b"", b"{", b"[]", b'"a"', b"[" * 100_000, b'{"jsonrpc":"2.0","id":1}', b"\xff\xfe", b"1e999"):
        assert 400 <= served.ask(body=odd, authorization=key).status_code < 500
    assert served.ask("PUT", body=INITIALIZE, authorization=key).status_code == 405
    assert served.ask(body=INITIALIZE, authorization=key).status_code == 200


@pytest.mark.proves("gateway.resumed")
async def test_a_broken_stream_is_read_on_in_its_session_only(served: House) -> None:
    """Who comes back with the id of the last event reads the answer it missed; another session with that id reads nothing."""
    key = f"Bearer {served.key()}"
    newest = {**INITIALIZE, "params": {**INITIALIZE["params"], "protocolVersion": "2025-11-25"}}
    one, two = (served.ask(body=newest, authorization=key).headers["mcp-session-id"] for _ in range(2))
    call = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "box__put", "arguments": {"n": 9}}}
    version = {"authorization": key, "mcp_protocol_version": "2025-11-25"}
    told = served.ask(body=call, mcp_session_id=one, **version).text
    first = next(line.removeprefix("id: ").strip() for line in told.splitlines() if line.startswith("id: "))
    for session, found in ((one, True), (two, False)):
        with anyio.move_on_after(2):
            again = await asyncio.to_thread(_read_some, served, session, first, version)
            assert ('"n":9' in again.replace(" ", "")) == found
    assert served.place.effects() == ["put 9"]


def _read_some(served: House, session: str, last: str, headers: dict[str, str]) -> str:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    read = ""
    try:
        with httpx.stream(
            "GET",
            served.url,
            headers={**given, "accept": "text/event-stream", "mcp-session-id": session, "last-event-id": last},
            timeout=1,
        ) as answer:
            for each in answer.iter_text():
                read += each
    except httpx.ReadTimeout:
        pass
    return read


@pytest.mark.proves("gateway.many")
@pytest.mark.parametrize("mode", NEWEST)
async def test_sixteen_sessions_at_once(served: House, mode: str) -> None:
    """Sixteen clients of two bearers that call at once each get their own answers, each bearer's on its own record."""
    keys = [served.key("ag", f"user:{each}") for each in ("ana", "bob")]

    async def one(number: int) -> None:
        async with served.client(keys[number % 2], mode=mode) as mcp:
            for turn in range(3):
                word = f"w{number}-{turn}"
                assert said(await mcp.call_tool("box__look", {"word": word})) == {"result": word.upper()}

    with anyio.fail_after(60):
        await asyncio.gather(*(one(number) for number in range(16)))
    found = await actions(served.place)
    assert len(found) == 48
    assert {(each.state, each.initiator) for each in found} == {("done", "user:ana"), ("done", "user:bob")}


@pytest.mark.proves("gateway.own_tickets")
async def test_a_ticket_is_not_another_keys(served: House) -> None:
    """Another key of the same agent, for the same initiator, is told of a ticket what it is told of one that never was."""
    mine, other = served.key(), served.key()
    async with served.client(mine) as mcp:
        ticket = said(await mcp.call_tool("box__put", {"n": 500}, meta=cast("Any", {"interlock/hold": "ticket"})))[
            "ticket"
        ]
    async with served.client(other) as mcp:
        assert said(await mcp.call_tool("interlock_ticket", {"ticket": ticket}))["code"] == "not_found"
    async with served.client(mine, mode="legacy") as mcp:
        assert said(await mcp.call_tool("interlock_ticket", {"ticket": ticket}))["state"] == "held"


@pytest.mark.proves("gateway.killed")
@pytest.mark.parametrize("mode", NEWEST)
async def test_a_ticket_outlives_a_gateway_that_was_killed(place: Place, mode: str) -> None:
    """A gateway over HTTP is killed while a call waits; the next answers the ticket to the same bearer, and no other."""
    first = house(place, "--hold", "ticket")
    mine, theirs = first.key(), first.key("ag", "user:bob")
    async with first.client(mine, mode=mode) as mcp:
        ticket = said(await mcp.call_tool("box__put", {"n": 500}))["ticket"]
        first.kill()
    with interlock.open(place.folder) as people:
        await people.person("rita").aio.approve(ticket)
    second = house(place)
    try:
        async with second.client(theirs, mode=mode) as mcp:
            assert (await mcp.call_tool("interlock_ticket", {"ticket": ticket})).is_error
        async with second.client(mine, mode=mode) as mcp:
            done = await mcp.call_tool("interlock_ticket", {"ticket": ticket, "wait_ms": 20_000})
    finally:
        second.process.terminate()
        second.process.communicate()
    assert said(done) == {"n": 500, "word": "x"}
    assert place.effects() == ["put 500"]


async def test_told_to_end_it_finishes_what_it_began(served: House) -> None:
    """A tool is at work when the gateway is told to end: it is finished and recorded, and its tasks are closed."""
    key = served.key()

    async def call() -> None:
        async with served.client(key, mode="legacy") as mcp:
            await mcp.call_tool("box__stay", {"s": 1})

    calling = asyncio.create_task(call())
    await until((served.place.folder / "began").exists)
    served.process.terminate()
    await asyncio.gather(calling, return_exceptions=True)
    assert await asyncio.to_thread(served.process.wait, 30) == 0
    assert served.place.effects() == ["stayed"]
    assert {each.state for each in await tasks(served.place)} == {"closed"}
    assert [each.state for each in await actions(served.place)] == ["done"]


@pytest.mark.proves("gateway.no_open_door")
async def test_beyond_this_machine_only_behind_tls(place: Place) -> None:
    """Where others could reach it and nothing says that TLS ends in front, it does not begin."""
    ended = await anyio.run_process([PROGRAM, "-w", str(place.folder), "gateway", "--http", "0.0.0.0:0"], check=False)
    assert ended.returncode != 0
    assert b"TLS" in ended.stderr
