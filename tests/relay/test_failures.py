"""Providers that fail in every way: who is asked instead, what counts, and what the agent hears."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import anyio
import pytest

from tests.relay.kit import SECRET, Site, relayed
from tests.relay.provider import (
    Asked,
    Script,
    chat,
    closes,
    floods,
    hangs,
    of_chat,
    says,
    streams,
    streams_chat,
)

pytestmark = pytest.mark.anyio

BUSY = says(429, {"error": {"message": "slow down", "type": "tokens", "code": "rate_limit_exceeded"}})
BROKEN = says(500, {"error": {"message": "oops"}})
AWAY = says(503, b"<html>", kind="text/html")
BUDGETS = "{tokens: 100000}"


async def ways(site: Site) -> list[tuple[str, int, str, str]]:
    """Of each use: who was asked, as which attempt, and by what it was settled."""
    uses = await site.uses()
    return [
        (use.route.provider, use.route.attempt, use.reply.counted, use.reply.why)
        for use in uses
        if use.route is not None and use.reply is not None
    ]


@pytest.mark.proves("relay.fallback")
@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("script", "counted"),
    [
        (BUSY, ("nothing", "refused")),
        (AWAY, ("nothing", "refused")),
        (BROKEN, ("reserved", "failed")),
        (closes, ("reserved", "broken")),
        (hangs, ("reserved", "timeout")),
    ],
)
async def test_a_declared_other_is_asked_where_the_first_fails(
    tmp_path: Path, script: Script, counted: tuple[str, str], stream: bool
) -> None:
    """As a use of its own, in the same request: what may have been billed counts in both, and what was not does not."""
    async with relayed(tmp_path, budgets=BUDGETS) as site:
        site.first.does(script)
        got = await site.ask(stream=stream)
        uses = await site.uses()
        stood = await site.stood()
        found = await ways(site)

    assert got.status_code == 200
    assert "hello" in got.text
    assert site.second.asked[0].body["model"] == "llama"
    assert "authorization" not in site.second.asked[0].headers
    assert found == [("openai", 1, *counted), ("local", 2, "provider", "")]
    assert len({use.route.request for use in uses if use.route}) == 1
    assert [use.model for use in uses] == ["gpt-4o-mini", "llama"]
    assert stood == (0, 12 + (uses[0].most.total if counted[0] == "reserved" else 0))


@pytest.mark.proves("relay.fallback")
async def test_nobody_else_is_asked_for_a_wrong_question_or_once_something_was_given(tmp_path: Path) -> None:
    """A refusal of the question itself passes to the agent, and a stream that breaks ends with an error."""
    async with relayed(tmp_path, budgets=BUDGETS) as site:
        said = {"error": {"message": "too long", "type": "invalid_request_error", "code": "context_length_exceeded"}}
        site.first.does(says(400, said), streams_chat(2, broken=True))
        wrong = await site.ask()
        broken = await site.ask(stream=True)
        found = await ways(site)
        uses = await site.uses()
        stood = await site.stood()

    assert (wrong.status_code, wrong.json()) == (400, said)
    last = broken.text.strip().split("\n\n")[-1]
    assert last.startswith("event: error\ndata: ")
    assert json.loads(last.partition("data: ")[2])["error"]["code"] == "model_not_answered"
    assert found == [("openai", 1, "nothing", "refused"), ("openai", 1, "reserved", "broken")]
    assert site.second.asked == []
    assert stood == (0, uses[1].most.total)


@pytest.mark.proves("relay.fallback")
async def test_where_nobody_answers_the_last_failure_is_told_and_is_not_to_be_repeated(tmp_path: Path) -> None:
    """What may have been billed says that it is not to be tried again by itself; what was refused may."""
    async with relayed(tmp_path) as site:
        site.first.does(closes)
        site.second.does(closes, BUSY)
        broken = await site.ask()
        busy = await site.ask()

    assert (broken.status_code, broken.headers["x-should-retry"]) == (502, "false")
    assert (busy.status_code, busy.json()["error"]["code"]) == (429, "rate_limit_exceeded")
    assert "x-should-retry" not in busy.headers


@pytest.mark.proves("relay.keys_apart")
async def test_a_provider_that_does_not_let_the_workspace_in_is_the_operators_matter(tmp_path: Path) -> None:
    """Its words are not passed on, nor is a key that it repeats."""
    async with relayed(tmp_path) as site:
        site.first.does(
            says(401, {"error": {"message": f"Incorrect API key: {SECRET}"}}),
            says(400, {"error": {"message": f"bad header Bearer {SECRET}"}}),
        )
        refused = await site.ask(model="alone")
        echoed = await site.ask(model="alone")
        site.place.folder.joinpath("openai.key").unlink()
        without = await site.ask(model="alone")
        found = await ways(site)

    assert (refused.status_code, refused.json()["error"]["code"]) == (502, "model_refused")
    assert echoed.json()["error"]["message"] == "bad header Bearer [masked: key]"
    assert (without.status_code, without.json()["error"]["code"]) == (502, "key")
    assert SECRET not in refused.text + echoed.text + without.text
    assert found[2] == ("openai", 1, "nothing", "no_key")


@pytest.mark.proves("relay.settled_honestly")
@pytest.mark.parametrize(
    ("script", "why"),
    [
        (chat({"prompt_tokens": -9, "completion_tokens": 3}), "no_usage"),
        (chat({"prompt_tokens": 10**15, "completion_tokens": 3}), "no_usage"),
        (chat({"prompt_tokens": 0, "completion_tokens": 0}), "no_usage"),
        (chat({"prompt_tokens": 9, "completion_tokens": 0}), "no_usage"),
        (chat({"prompt_tokens": 9.5, "completion_tokens": True}), "no_usage"),
        (
            chat({"prompt_tokens": 9, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 10}}),
            "no_usage",
        ),
        (chat("lots"), "no_usage"),
        (chat(None), "no_usage"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_a_provider_that_says_what_cannot_be_is_not_believed(
    tmp_path: Path, script: Script, why: str, stream: bool
) -> None:
    """The answer is given, and all that was reserved counts."""
    async with relayed(tmp_path, budgets=BUDGETS) as site:
        site.first.does(script)
        got = await site.ask(model="alone", stream=stream)
        (use,) = await site.uses()
        stood = await site.stood()

    assert got.status_code == 200
    assert "error" not in got.text
    assert (use.state, use.reply.why if use.reply else "") == ("lost", why)
    assert stood == (0, use.most.total)


@pytest.mark.proves("relay.settled_honestly")
async def test_more_than_was_reserved_counts_as_its_provider_says_it(tmp_path: Path) -> None:
    """A provider that wrote more than it was asked for has billed it."""
    async with relayed(tmp_path, budgets="{tokens: 1000}") as site:
        site.first.does(chat({"prompt_tokens": 900, "completion_tokens": 700}))
        first = await site.ask(model="alone")
        second = await site.ask(model="alone")
        stood = await site.stood()

    assert first.status_code == 200
    assert second.json()["error"]["code"] == "budget_exceeded"
    assert stood == (0, 1600)


@pytest.mark.proves("relay.settled_honestly", "relay.bounded")
@pytest.mark.parametrize(
    ("script", "stream", "why", "status"),
    [
        (says(200, b"{not json"), False, "garbled", 502),
        (says(200, b"[]"), False, "garbled", 502),
        (says(200, b"<html>", kind="text/html"), True, "garbled", 502),
        (streams(b"data: {}"), False, "garbled", 502),
        (floods(100), False, "too_long", 502),
        (floods(100, "text/event-stream"), True, "too_long", 502),
        (says(200, b"{}", headers="content-encoding: gzip\r\n"), False, "broken", 502),
        (streams_chat(3, hangs=True), True, "timeout", 200),
        (streams_chat(0, hangs=True), True, "timeout", 504),
        (streams_chat(-2), True, "broken", 200),
        (says(302, b"", headers="location: http://127.0.0.1:1/\r\n"), False, "refused", 502),
    ],
)
async def test_an_answer_that_is_none_ends_and_counts(
    tmp_path: Path, script: Script, stream: bool, why: str, status: int
) -> None:
    """Garbage, floods, packed bodies, silence, half a stream, redirects: bounded, settled, and an error in OpenAI's shape."""
    async with relayed(tmp_path, budgets=BUDGETS) as site:
        site.first.does(script)
        with anyio.fail_after(10):
            got = await site.ask(model="alone", stream=stream)
        (use,) = await site.uses()
        stood = await site.stood()
        site.first.does(chat())
        again = await site.ask(model="alone")

    assert got.status_code == status, got.text
    assert use.reply is not None
    assert use.reply.why == why
    assert stood == (0, 0 if use.reply.counted == "nothing" else use.most.total)
    assert '"error"' in got.text
    assert again.status_code == 200


async def test_a_stream_of_garbage_passes_and_counts_whole(tmp_path: Path) -> None:
    """What is between events is the agent's to read; without a word at its end all counts."""
    async with relayed(tmp_path, budgets=BUDGETS) as site:
        site.first.does(streams(b": comment", b"data: \xff\xfe{{", b"event: x\ndata: [1", b"data: [DONE]"))
        got = await site.ask(model="alone", stream=True)
        (use,) = await site.uses()

    assert got.content == b": comment\n\ndata: \xff\xfe{{\n\nevent: x\ndata: [1\n\ndata: [DONE]\n\n"
    assert (use.state, use.reply.why if use.reply else "") == ("lost", "no_usage")


@pytest.mark.proves("relay.left")
async def test_who_leaves_leaves_the_provider_too(tmp_path: Path) -> None:
    """In the middle of a stream, and before it began: the provider's connection is let go of, and all of it counts."""
    async with relayed(tmp_path, budgets=BUDGETS) as site:
        site.first.does(streams_chat(3, hangs=True), hangs)
        async with site.client() as client:
            body = {"model": "alone", "messages": [], "stream": True}
            async with client.stream("POST", "/v1/chat/completions", json=body) as got:
                await anext(got.aiter_bytes())
        await site.over()
        with anyio.fail_after(2):
            await _left(site)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(site.ask(model="alone"), 0.3)
        await site.over()
        found = await ways(site)
        uses = await site.uses()
        stood = await site.stood()

    assert found == [("openai", 1, "reserved", "interrupted")] * 2
    assert stood == (0, sum(use.most.total for use in uses))


async def _left(site: Site) -> None:
    """Wait until nobody is at the other end of the provider's first connection."""
    while not site.first.readers[0].at_eof():  # noqa: ASYNC110  there is no event to wait for
        await anyio.sleep(0.02)


@pytest.mark.proves("relay.bounded")
async def test_a_program_that_does_not_read_holds_up_its_provider(tmp_path: Path) -> None:
    """Of a stream of 40 MB no more is taken from the provider than fits between, until the program reads on: then all comes."""
    sent = 0

    async def streams_much(asked: Asked, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n")
        event = (
            b"data: " + json.dumps({"choices": [{"index": 0, "delta": {"content": "x" * 65_000}}]}).encode() + b"\n\n"
        )
        for _ in range(600):
            writer.write(event)
            await writer.drain()
            sent += len(event)
        writer.write(b"\n\n".join(of_chat(asked)[-2:]) + b"\n\n")
        await writer.drain()
        writer.close()

    async with relayed(tmp_path, more="  most_answer: 100000000") as site:
        site.first.does(streams_much)
        body = {"model": "gpt-4o-mini", "messages": [], "stream": True}
        async with site.client() as client, client.stream("POST", "/v1/chat/completions", json=body) as answer:
            pieces = answer.aiter_raw()
            got = len(await anext(pieces))
            await anyio.sleep(0.7)
            held = sent
            got += sum([len(piece) async for piece in pieces])
        (use,) = await site.uses()

    assert held < 15_000_000
    assert got > 39_000_000
    assert use.state == "settled"
