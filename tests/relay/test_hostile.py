"""Providers that mean harm, or are broken as if they did: nothing of the workspace's goes to whom it is not for, nothing of one
agent's reaches another, and every answer comes to an end."""

from __future__ import annotations

import asyncio
import gzip
import json
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.relay.kit import HI, SECRET, relayed
from tests.relay.provider import Asked, Script, answer, chat, dawdles, of_chat, says, streams

pytestmark = pytest.mark.anyio
BUDGETS = "{tokens: 1000000}"
OTHER = "azure-0123456789-of-the-workspace"
COOKIE = "set-cookie: session=of-the-provider; path=/\r\n"


def raw(*pieces: bytes, hangs: bool = False) -> Script:
    """Exactly these bytes, and the end of the connection."""

    async def script(asked: Asked, writer: asyncio.StreamWriter) -> None:
        for each in pieces:
            writer.write(each)
            await writer.drain()
        if hangs:
            await asyncio.sleep(3600)
        writer.close()

    return script


def repeats(asked: Asked) -> dict[str, Any]:
    """An answer that repeats what the provider was sent to know who asks."""
    told = f"you are {asked.headers['authorization']} and {asked.headers['api-key']}"
    return {**answer(asked, words=told), "model": SECRET, "id": f"x{OTHER}"}


@pytest.mark.proves("relay.keys_apart")
async def test_secrets_that_a_provider_repeats_reach_nobody(tmp_path: Path) -> None:
    """In a whole answer, in a stream, in a refusal and in headers, the key and the headers that stand for one; nor do they stand
    in the log. Cookies are neither passed on nor kept."""

    async def whole(asked: Asked, writer: asyncio.StreamWriter) -> None:
        heads = f"{COOKIE}x-request-id: {SECRET}\r\nopenai-version: {OTHER}\r\nx-more: {SECRET}\r\n"
        await says(200, repeats(asked), headers=heads)(asked, writer)

    async def streamed(asked: Asked, writer: asyncio.StreamWriter) -> None:
        told = repeats(asked)
        piece = {**told, "choices": [{"index": 0, "delta": told["choices"][0]["message"]}], "usage": None}
        await streams(b"data: " + json.dumps(piece).encode(), *of_chat(asked)[-2:])(asked, writer)

    async def refused(asked: Asked, writer: asyncio.StreamWriter) -> None:
        await says(400, {"error": {"message": str(repeats(asked))}}, headers=COOKIE)(asked, writer)

    async with relayed(tmp_path, more="") as site:
        site.place.write("azure.key", OTHER)
        provider = site.app._models.providers["openai"]
        provider.headers["api-key"] = "file:azure.key"
        site.first.does(whole, streamed, refused)
        got = [await site.ask(model="alone"), await site.ask(model="alone", stream=True), await site.ask(model="alone")]
        entries = json.dumps(await site.entries())
        uses = str(await site.uses())
        sent = [each.headers for each in site.first.asked]

    assert [each.status_code for each in got] == [200, 200, 400]
    assert all("[masked: key]" in each.text for each in got)
    assert got[0].headers["x-request-id"] == got[0].headers["openai-version"] == "[masked: key]"
    told = "".join(each.text + str(each.headers) for each in got) + entries + uses
    for secret in (SECRET, OTHER):
        assert secret not in told
    assert "set-cookie" not in told
    assert "x-more" not in told
    assert all(each["api-key"] == OTHER and "cookie" not in each for each in sent)


@pytest.mark.proves("relay.keys_apart")
async def test_a_provider_sends_the_question_nowhere_else(tmp_path: Path) -> None:
    """Where it points is not asked: neither the words nor the key go there, and no fallback is."""
    async with relayed(tmp_path) as site:
        location = f"location: {site.second.url}/chat/completions\r\n"
        site.first.does(*[says(status, b"", headers=location) for status in (301, 302, 303, 307, 308)])
        got = [await site.ask() for _ in range(5)]
        uses = await site.uses()

    assert [(each.status_code, each.json()["error"]["code"]) for each in got] == [(502, "model_refused")] * 5
    assert all("location" not in each.headers for each in got)
    assert site.second.asked == []
    assert [use.used.total for use in uses if use.used] == [0] * 5


BODY = json.dumps(
    {"choices": [{"message": {"content": "of another question"}}], "usage": {"prompt_tokens": 1}}
).encode()
OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
BOMB = gzip.compress(b'{"error": {"message": "' + b"x" * 50_000_000 + b'"}}')


NO_HTTP: list[tuple[Script, bool]] = [
    (raw(b"hello\r\n\r\n"), False),
    (raw(b"HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\n" + BODY), False),
    (raw(OK + b"content-length: 5\r\ncontent-length: 900\r\n\r\n" + BODY), False),
    (raw(OK + b"content-length: 100000\r\n\r\n" + BODY), False),
    (raw(OK + b"transfer-encoding: gzip, chunked\r\n\r\n" + BODY), False),
    (raw(OK + b"transfer-encoding: chunked\r\n\r\nffffffffffffffffffffffff\r\n" + BODY), False),
    (raw(OK + b"transfer-encoding: chunked\r\n\r\n-5\r\n" + BODY), False),
    (raw(OK + b"transfer-encoding: chunked\r\n\r\n5;" + b"x" * 1_000_000), False),
    (raw(OK + b"".join(b"x-%d: y\r\n" % n for n in range(100_000))), False),
    (raw(*[b"HTTP/1.1 100 Continue\r\n\r\n"] * 5_000), False),
    (raw(*[b"HTTP/1.1 100 Continue\r\n\r\n"] * 50, hangs=True), False),
    (raw(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n" + BODY), False),
    (raw(OK + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n" % len(BOMB) + BOMB), False),
    (raw(CHUNKED + b"5\r\ndata:\r\n0\r\n\r\n"), True),
    (raw(CHUNKED + b"5\r\ndata: x\r\n", hangs=True), True),
    (raw(CHUNKED + b"100000\r\n" + b"data: " * 10_000), True),
]


@pytest.mark.proves("relay.bounded", "relay.settled_honestly")
async def test_an_answer_that_is_no_http_ends(tmp_path: Path) -> None:
    """Lengths and chunks that lie, heads without an end, packed bombs: an error in OpenAI's shape, settled, and the next question
    is answered by what was asked for it."""
    async with relayed(tmp_path, budgets=BUDGETS) as site:
        for number, (script, stream) in enumerate(NO_HTTP):
            site.first.does(script)
            with anyio.fail_after(10):
                got = await site.ask(model="alone", stream=stream)
            site.first.does(chat())
            again = await site.ask(model="alone")
            error = got.json() if got.status_code != 200 else json.loads(got.text.strip().split("data: ")[-1])
            assert error["error"]["code"] in ("model_not_answered", "model_refused"), number
            assert again.json()["choices"][0]["message"]["content"] == "hello there", number
        uses = await site.uses()
        stood = await site.stood()

    assert [use.state for use in uses] == ["lost", "settled"] * len(NO_HTTP)
    assert stood == (0, sum(use.used.total if use.used else use.most.total for use in uses))


@pytest.mark.proves("relay.bounded")
async def test_a_bomb_in_a_refusal_is_not_unpacked(tmp_path: Path) -> None:
    """A packed refusal says its status, and no more."""
    async with relayed(tmp_path) as site:
        site.first.does(says(400, BOMB, headers="content-encoding: gzip\r\n"))
        got = await site.ask(model="alone")

    assert (got.status_code, got.json()["error"]["message"]) == (400, "the provider answered 400")
    assert len(got.content) < 1000


@pytest.mark.proves("relay.keys_apart")
async def test_what_comes_behind_an_answer_answers_nobody_else(tmp_path: Path) -> None:
    """A second answer that nobody asked for is not given to whoever asks next over the same connection."""
    async with relayed(tmp_path) as site:

        async def doubles(asked: Asked, writer: asyncio.StreamWriter) -> None:
            body = json.dumps(answer(asked)).encode()
            second = OK + b"content-length: %d\r\n\r\n" % len(BODY) + BODY
            writer.write(OK + b"content-length: %d\r\n\r\n" % len(body) + body + second)
            await writer.drain()

        site.first.does(doubles, chat())
        first = await site.ask(model="alone")
        await anyio.sleep(0.05)
        async with site.client(await site.make_key()) as client:
            second = await client.post("/v1/chat/completions", json={"model": "alone", "messages": HI})

    assert first.json()["choices"][0]["message"]["content"] == "hello there"
    assert second.json()["choices"][0]["message"]["content"] == "hello there"


@pytest.mark.proves("relay.bounded")
async def test_an_answer_without_an_end_ends(tmp_path: Path) -> None:
    """However it dawdles, it lasts no longer than the workspace says, and its provider is left."""
    async with relayed(tmp_path, budgets=BUDGETS, more="  lasts: 1s") as site:
        site.first.does(dawdles(0.05))
        with anyio.fail_after(5):
            got = await site.ask(model="alone", stream=True)
        (use,) = await site.uses()
        with anyio.fail_after(2):
            while site.first.open:  # noqa: ASYNC110  there is no event to wait for
                await anyio.sleep(0.02)

    assert "did not come to an end in time" in got.text
    assert (use.state, use.reply.why if use.reply else "") == ("lost", "timeout")


@pytest.mark.proves("relay.passed")
async def test_what_is_said_twice_is_sent_once_and_headers_are_none(tmp_path: Path) -> None:
    """Of a member that is there twice the provider reads what was read here; of the agent's headers it gets none."""
    said = b'"messages":[{"role":"user","role":"user","content":"hi"}],"max_tokens":900,"max_tokens":9'
    body = b'{"model":"other",' + said + b',"model":"alone"}'
    heads = {"cookie": "a=b", "x-forwarded-for": "192.0.2.9", "forwarded": "for=x", "api-key": "mine", "te": "trailers"}
    async with relayed(tmp_path) as site, site.client(headers=heads) as client:
        got = await client.post("/v1/chat/completions", content=body, headers={"content-type": "application/json"})
        (asked,) = site.first.asked

    assert got.status_code == 200
    assert json.loads(asked.raw) == {"model": "gpt-4o-mini", "messages": HI, "max_tokens": 9}
    assert asked.raw.count(b'"model"') == asked.raw.count(b'"role"') == asked.raw.count(b'"max_tokens"') == 1
    assert asked.headers.keys() == {
        "host",
        "accept",
        "accept-encoding",
        "connection",
        "user-agent",
        "openai-project",
        "authorization",
        "content-type",
        "content-length",
    }
