"""Model calls through Interlock: what the agent gets, what its provider got, and what is counted and recorded."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from tests.relay.kit import HI, SECRET, relayed
from tests.relay.provider import USAGE, says

pytestmark = pytest.mark.anyio


@pytest.mark.proves("relay.passed", "relay.keys_apart")
async def test_a_question_passes_and_its_answer_comes_back_as_it_was(tmp_path: Path) -> None:
    """All of the body but the model's name and the number of tokens; neither side's key reaches the other."""
    async with relayed(tmp_path) as site:
        extra: dict[str, Any] = {
            "temperature": 0.7,
            "tools": [{"type": "function", "function": {"name": "f"}}],
            "seed": 7,
            "x_own": [1.5, None],
        }
        got = await site.ask(**extra, headers={"openai-organization": "org-of-the-agent"})
        (asked,) = site.first.asked
        (use,) = await site.uses()

    assert got.status_code == 200
    assert got.json()["choices"][0]["message"]["content"] == "hello there"
    assert asked.body == {"model": "gpt-4o-mini", "messages": HI, **extra, "max_completion_tokens": 50}
    assert asked.headers["authorization"] == f"Bearer {SECRET}"
    assert asked.headers["openai-project"] == "shop"
    assert site.key not in str(asked.headers) + asked.raw.decode()
    assert "org-of-the-agent" not in str(asked.headers)
    assert SECRET not in got.text + str(got.headers)
    assert (got.headers["x-interlock-use"], got.headers["x-interlock-task"]) == (use.id, use.task)


@pytest.mark.proves("relay.metered", "relay.recorded")
async def test_what_it_took_is_counted_and_recorded(tmp_path: Path) -> None:
    """Reserved before by what was sent, settled by its provider's word; the log says who answered, and digests of both sides."""
    async with relayed(tmp_path, budgets="{tokens: 10000, USD.micro: 100000}") as site:
        got = await site.ask(max_tokens=20)
        (use,) = await site.uses()
        sent = len(site.first.asked[0].raw)
        stood = await site.stood(), await site.stood("USD.micro")
        opened, settled = await site.entries()

    assert (use.most.input, use.most.output) == (sent + 256, 20)
    assert (use.used.input, use.used.output, use.used.cached) == (9, 3, 4) if use.used else False
    # 5 at one, 4 at half, and 3 at two millionths: 13.
    assert stood == ((0, 12), (0, 13))
    route = {"asked": "gpt-4o-mini", "provider": "openai", "sent": "gpt-4o-mini", "request": opened["route"]["request"]}
    assert opened["route"] == settled["route"] == route
    plain = json.dumps(
        {"max_tokens": 20, "messages": HI, "model": "gpt-4o-mini"}, sort_keys=True, separators=(",", ":")
    )
    assert opened["prompt"]["digest"] == hashlib.sha256(plain.encode()).hexdigest()
    assert opened["countedUsage"] == {"input": sent + 256, "output": 20, "cached": 0}
    assert settled["counted"] == "provider"
    assert settled["providerUsage"] == {"input": 9, "output": 3, "cached": 4}
    assert settled["answeredBy"] == {
        "model": "gpt-4o-mini-2024-07-18",
        "systemFingerprint": "fp_44709d6fcb",
        "id": "chatcmpl-1",
        "finish": ["stop"],
        "reasoningTokens": 1,
    }
    assert settled["delivered"]["digest"] == hashlib.sha256(got.content).hexdigest()
    assert settled["delivered"]["bytes"] == len(got.content)
    assert sorted(settled["fieldEvidence"]["target-reported"]) == ["answeredBy", "providerUsage"]


@pytest.mark.proves("relay.passed", "relay.metered")
@pytest.mark.parametrize("told", [True, False])
async def test_a_stream_passes_byte_by_byte_without_what_only_we_asked_for(tmp_path: Path, told: bool) -> None:
    """How many tokens it took is asked of the provider either way, and told to who asked for that."""
    async with relayed(tmp_path) as site:
        options: dict[str, Any] = {"stream_options": {"include_usage": True, "x": 1}} if told else {}
        got = await site.ask(stream=True, **options)
        (use,) = await site.uses()
        (asked,) = site.first.asked
        settled = (await site.entries())[-1]

    events = [each.removeprefix("data: ") for each in got.text.split("\n\n") if each]
    usages = [json.loads(each).get("usage") for each in events[:-1]]
    assert asked.body["stream_options"] == ({"include_usage": True, "x": 1} if told else {"include_usage": True})
    assert events[-1] == "[DONE]"
    assert [each for each in usages if each] == ([USAGE] if told else [])
    assert "".join(json.loads(each)["choices"][0]["delta"].get("content", "") for each in events[:4]) == "hello there "
    assert use.state == "settled"
    assert use.used is not None
    assert use.used.total == 12
    assert settled["delivered"]["digest"] == hashlib.sha256(got.content).hexdigest()


@pytest.mark.proves("relay.metered")
async def test_responses_and_embeddings(tmp_path: Path) -> None:
    """The other two forms, whole and in a stream."""
    async with relayed(tmp_path) as site:
        whole = await site.ask("/v1/responses", input="hi", instructions="be brief")
        stream = await site.ask("/v1/responses", input=[{"role": "user", "content": "hi"}], stream=True)
        vectors = await site.ask("/v1/embeddings", model="embed", input=["a", "b"])
        uses = await site.uses()
        asked = site.first.asked

    assert whole.json()["output"][0]["content"][0]["text"] == "hello there"
    assert [each["max_output_tokens"] for each in (asked[0].body, asked[1].body)] == [50, 50]
    assert "stream_options" not in asked[1].body
    assert [line for line in stream.text.split("\n") if line.startswith("event")] == [
        "event: response.created",
        "event: response.output_text.delta",
        "event: response.completed",
    ]
    assert vectors.json()["data"][0]["embedding"] == [0.1, -0.25]
    assert [(use.used.input, use.used.output) for use in uses if use.used] == [(9, 3), (9, 3), (5, 0)]
    assert [use.reply.finish for use in uses if use.reply] == [("completed",), ("completed",), ()]


@pytest.mark.proves("relay.listed")
async def test_the_models_that_are_listed_are_those_the_agent_may_run_on(tmp_path: Path) -> None:
    """By the names of routes; what the agent may not run on is not there."""
    async with relayed(tmp_path) as site, site.client() as client:
        names = [each["id"] for each in (await client.get("/v1/models")).json()["data"]]
        one = await client.get("/v1/models/alone")
        none = await client.get("/v1/models/other")

    assert names == ["gpt-4o-mini", "alone", "loose", "embed"]
    assert one.json() == {"id": "alone", "object": "model", "created": 0, "owned_by": "openai"}
    assert (none.status_code, none.json()["error"]["code"]) == (404, "not_found")


async def test_usage_of_none_is_all_that_was_reserved(tmp_path: Path) -> None:
    """An answer that does not say what it took is given, and counts whole."""
    async with relayed(tmp_path, budgets="{tokens: 10000}") as site:
        site.first.does(says(200, answer_without()))
        got = await site.ask(max_tokens=20)
        (use,) = await site.uses()
        stood = await site.stood()

    assert got.status_code == 200
    assert (use.state, use.reply.why if use.reply else "") == ("lost", "no_usage")
    assert stood == (0, use.most.total)


def answer_without() -> object:
    """An answer without usage."""
    return {"id": "x", "choices": [{"message": {"content": "a"}}], "model": "m"}
