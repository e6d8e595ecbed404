"""OpenAI's own client, and frameworks that bring it, before a relay: base URL and key is all that is changed."""

from __future__ import annotations

import asyncio
import json
import random
import warnings
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

import agents
import httpx2
import openai
import pytest
from agents.models.openai_provider import shared_http_client
from langchain_openai import ChatOpenAI
from openai import AsyncOpenAI, OpenAI
from pydantic_ai import Agent
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai import OpenAIProvider

from interlock.domain.model_request import bound, read
from interlock.domain.model_route import Leg, ModelRoute
from tests.relay.kit import HI, Site, relayed
from tests.relay.provider import USAGE, calls_first, closes, dawdles, says, streams_chat

pytestmark = pytest.mark.anyio
R = TypeVar("R")


@pytest.fixture
def anyio_backend() -> str:
    """The loop that uvicorn runs on."""
    return "asyncio"


async def sync(site: Site, ask: Callable[[OpenAI], R], **how: Any) -> R:
    """What a synchronous program does, beside the loop that serves it."""

    def asked() -> R:
        with OpenAI(base_url=f"{site.url}/v1", api_key=site.key, **how) as client:
            return ask(client)

    return await asyncio.to_thread(asked)


def of(site: Site, **how: Any) -> AsyncOpenAI:
    """The asynchronous client."""
    return AsyncOpenAI(base_url=f"{site.url}/v1", api_key=site.key, **how)


async def test_chats_and_responses_whole_and_streamed(tmp_path: Path) -> None:
    """Both clients, both forms: the objects are theirs, with what they took in them."""
    chat: dict[str, Any] = {"model": "gpt-4o-mini", "messages": HI}
    asked: dict[str, Any] = {"model": "gpt-4o-mini", "input": "hi"}
    async with relayed(tmp_path) as site, of(site) as client:
        whole = await client.chat.completions.create(**chat)
        words = [piece async for piece in await client.chat.completions.create(**chat, stream=True)]
        counted = [
            piece
            async for piece in await client.chat.completions.create(
                **chat, stream=True, stream_options={"include_usage": True}
            )
        ]
        answer = await client.responses.create(**asked)
        steps = [step async for step in await client.responses.create(**asked, stream=True)]
        vectors = await client.embeddings.create(model="embed", input=["a"], encoding_format="float")
        names = [each.id async for each in await client.models.list()]
        same = await sync(site, lambda one: one.chat.completions.create(**chat))
        told = await sync(site, lambda one: list(one.responses.create(**asked, stream=True)))
        uses = await site.uses()

    assert whole.choices[0].message.content == same.choices[0].message.content == "hello there"
    assert whole.usage is not None
    assert whole.usage.model_dump(exclude_none=True)["total_tokens"] == USAGE["total_tokens"]
    assert "".join(piece.choices[0].delta.content or "" for piece in words) == "hello there "
    assert all(piece.usage is None for piece in words)
    assert [piece.usage.total_tokens for piece in counted if piece.usage] == [12]
    assert answer.output_text == "hello there"
    assert [step.type for step in steps] == [step.type for step in told]
    assert steps[-1].type == "response.completed"
    assert vectors.data[0].embedding == [0.1, -0.25]
    assert "gpt-4o-mini" in names
    assert all(use.state == "settled" for use in uses)
    assert len(uses) == 8


async def test_errors_are_those_of_the_client(tmp_path: Path) -> None:
    """Each by its own class, with our code; one in the middle of a stream, too."""
    body: dict[str, Any] = {"model": "alone", "messages": HI}
    async with relayed(tmp_path, budgets="{tokens: 1500}") as site, of(site, max_retries=0) as client:
        with pytest.raises(openai.NotFoundError) as missing:
            await client.chat.completions.create(model="gpt-9", messages=HI)
        with pytest.raises(openai.PermissionDeniedError):
            await client.chat.completions.create(model="other", messages=HI)
        with pytest.raises(openai.BadRequestError) as wrong:
            await client.chat.completions.create(**body, max_tokens=10_000)
        with pytest.raises(openai.AuthenticationError):
            await client.with_options(api_key="ila_wrong").chat.completions.create(**body)
        site.first.does(streams_chat(2, broken=True))
        with pytest.raises(openai.APIError) as broken:
            [piece async for piece in await client.chat.completions.create(**body, stream=True)]
        site.first.does(closes)
        with pytest.raises(openai.InternalServerError) as away:
            await client.chat.completions.create(**body)
        with pytest.raises(openai.RateLimitError) as full:
            await client.chat.completions.create(**{**body, "messages": [{"role": "user", "content": "x" * 5000}]})

    assert missing.value.code == "not_found"
    assert (wrong.value.code, wrong.value.param) == ("contract", "max_tokens")
    assert broken.value.body is not None
    assert json.loads(json.dumps(broken.value.body))["code"] == "model_not_answered"
    assert away.value.code == "model_not_answered"
    assert (full.value.code, full.value.type) == ("budget_exceeded", "insufficient_quota")


async def test_a_stream_that_may_not_go_on_is_an_error_of_the_client(tmp_path: Path) -> None:
    """A slow answer whose agent is stopped, or whose key is revoked, ends with the client's own error, in both forms and both
    clients; what was reserved counts."""
    async with relayed(tmp_path) as site, of(site, max_retries=0) as client:
        site.first.does(dawdles())
        site.app._answering._standing._every_s = 0.2
        said: list[str] = []

        async def stop(told: list[str]) -> None:
            while len(told) < 3:  # noqa: ASYNC110  there is no event to wait for
                await asyncio.sleep(0.01)
            await site.plane.braking.stop("agent", "ag", by="rita", why="it writes nonsense")

        async def chats() -> None:
            async for piece in await client.chat.completions.create(model="alone", messages=HI, stream=True):
                said.extend(choice.delta.content or "" for choice in piece.choices)

        with pytest.raises(openai.APIError) as chat:
            await asyncio.gather(chats(), stop(said))
        await site.plane.braking.resume("agent", "ag", by="rita")
        steps: list[str] = []

        def responds(one: OpenAI) -> None:
            steps.extend(step.type for step in one.responses.create(model="alone", input="hi", stream=True))

        with pytest.raises(openai.APIError) as response:
            await asyncio.gather(sync(site, responds, max_retries=0), stop(steps))
        uses = await site.uses()

    assert said[:3] == ["word "] * 3
    assert steps[0] == "response.created"
    for error in (chat.value, response.value):
        assert (error.code, error.type) == ("not_allowed", "permission_error")
        assert "it writes nonsense" in error.message
    assert [(use.state, use.reply.why if use.reply else "") for use in uses] == [("lost", "not_allowed")] * 2


async def test_a_client_that_tries_again_counts_no_more_than_it_asks(tmp_path: Path) -> None:
    """What may have been billed, and a budget that is used up, are not asked again by itself; a provider's 429 is, each try a use
    that counts nothing."""
    body: dict[str, Any] = {"model": "alone", "messages": HI}
    async with relayed(tmp_path, budgets="{tokens: 700}") as site, of(site, max_retries=2) as client:
        site.first.does(closes)
        with pytest.raises(openai.InternalServerError):
            await client.chat.completions.create(**body)
        (lost,) = await site.uses()
        with pytest.raises(openai.RateLimitError):
            await client.chat.completions.create(**body)
        refused = len(site.first.asked)
        stood = await site.stood()
    heard: list[httpx2.Response] = []

    async def hear(response: httpx2.Response) -> None:
        heard.append(response)

    watched = openai.DefaultAsyncHttpxClient(event_hooks={"response": [hear]})
    async with (
        relayed(tmp_path / "second") as site,
        of(site, max_retries=2, http_client=watched) as client,
    ):
        site.first.does(says(429, {"error": {"message": "slow down"}}, headers="retry-after: 0\r\n"))
        with pytest.raises(openai.RateLimitError):
            await client.chat.completions.create(**body)
        asked = len(site.first.asked)
        uses = await site.uses()

    assert refused == 1
    assert stood == (0, lost.most.total)
    assert [each.status_code for each in heard] == [429, 429, 429]
    assert asked == len(uses) == 3
    assert {use.used.total for use in uses if use.used} == {0}


async def test_frameworks_that_bring_the_client(tmp_path: Path) -> None:
    """LangChain, Pydantic AI and the OpenAI Agents SDK with another base URL and key."""
    async with relayed(tmp_path) as site, of(site) as client:
        chain = ChatOpenAI(model="gpt-4o-mini", base_url=f"{site.url}/v1", api_key=site.key, use_responses_api=False)
        said = await chain.ainvoke("hi")
        pieces = [piece.text async for piece in chain.astream("hi")]
        await chain.root_async_client.close()
        model = OpenAIChatModel("gpt-4o-mini", provider=OpenAIProvider(openai_client=client))
        run = await Agent(model).run("hi")
        plain = agents.OpenAIChatCompletionsModel("gpt-4o-mini", openai_client=client)
        theirs = agents.OpenAIResponsesModel("gpt-4o-mini", openai_client=client)
        quiet = agents.RunConfig(tracing_disabled=True)  # it would be sent to OpenAI
        ran = [
            await agents.Runner.run(agents.Agent("a", model=each), "hi", run_config=quiet) for each in (plain, theirs)
        ]
        uses = await site.uses()

    assert said.text == "hello there"
    assert "".join(pieces) == "hello there "
    assert run.output == "hello there"
    assert [each.final_output for each in ran] == ["hello there"] * 2
    assert [use.state for use in uses] == ["settled"] * 5


async def test_an_agent_with_tools_by_environment_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The Agents SDK, whose program is not changed at all: its agent calls its own tool and answers, whole and streamed; each
    question to the model is a use of one task, and only what is sent is passed on."""

    @agents.function_tool
    def weather(city: str) -> str:
        """What the weather is."""
        return f"sun in {city}"

    agent = agents.Agent("clerk", model="gpt-4o-mini", tools=[weather])
    async with relayed(tmp_path) as site:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{site.url}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", site.key)
        quiet = agents.RunConfig(tracing_disabled=True)  # it would be sent to OpenAI
        site.first.does(calls_first("weather", '{"city": "Bern"}'))
        ran = await agents.Runner.run(agent, "how is it?", run_config=quiet)
        streamed = agents.Runner.run_streamed(agent, "how is it?", run_config=quiet)
        steps = [step.type async for step in streamed.stream_events()]
        await shared_http_client().aclose()
        uses = await site.uses()
        sent = [each.body for each in site.first.asked]

    assert ran.final_output == streamed.final_output == "it says sun in Bern"
    assert "raw_response_event" in steps
    assert [use.state for use in uses] == ["settled"] * 4
    assert len({use.task for use in uses}) == 1
    assert [each.get("stream", False) for each in sent] == [False, False, True, True]
    assert all(each["tools"][0]["name"] == "weather" and each["max_output_tokens"] == 50 for each in sent)


async def test_answers_that_are_kept_at_the_provider(tmp_path: Path) -> None:
    """Whether it keeps an answer the program says; what goes on from a kept one takes the whole window of the model, and is
    refused where nobody says how large that is; none is fetched here. Vectors come as the client asks for them."""
    async with relayed(tmp_path) as site, of(site, max_retries=0) as client:
        first = await client.responses.create(model="alone", input="hi", store=False)
        await client.responses.create(model="alone", input="and then?", previous_response_id=first.id)
        with pytest.raises(openai.BadRequestError) as unbounded:
            await client.responses.create(model="gpt-4o-mini", input="hi", previous_response_id=first.id)
        with pytest.raises(openai.BadRequestError) as later:
            await client.responses.create(model="alone", input="hi", background=True)
        with pytest.raises(openai.NotFoundError):
            await client.responses.retrieve(first.id)
        await client.embeddings.create(model="embed", input="a")
        uses = await site.uses()
        sent = [each.body for each in site.first.asked]

    assert sent[0]["store"] is False
    assert "store" not in sent[1]
    assert sent[1]["previous_response_id"] == first.id
    assert sent[2]["encoding_format"] == "base64"
    assert [use.most.input for use in uses[:2]] == [uses[0].most.input, 5000]
    assert "most_input" in str(unbounded.value)
    assert (later.value.code, later.value.param) == ("contract", "background")


def test_bytes_bound_what_their_tokenizers_count() -> None:
    """Of texts of all kinds, in whatever form of a question, with the vocabularies of OpenAI's models: never more tokens."""
    chance = random.Random(7)  # noqa: S311  texts, not secrets
    alphabets = [
        "abc def ",
        "0123456789",
        "äöüß€",
        "漢字かな交じり",
        "👩‍👩‍👧‍👦🏽",
        "ﷺ﷽",
        " \n\t",
        '"\\{}[]:,',
        "\u0000\u0007\u200b",
        "мир",
    ]
    route = ModelRoute(name="m", legs=(Leg(provider="p", model="m", name="m"),), most_output=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of how it opens its own files
        vocabularies: Any = import_module("bpe_openai")
    for name in ("cl100k_base", "o200k_base"):
        count = vocabularies.get_encoding(name).encode_ordinary
        for _ in range(500):
            text = "".join(chance.choice(chance.choice(alphabets)) for _ in range(chance.randrange(200)))
            body = {"model": "m", "messages": [{"role": "user", "content": text}]}
            ours = bound(read("chat", json.dumps(body).encode(), "keep"), route, route.legs[0]).most.input
            # Three around each message and three before the answer, as OpenAI's cookbook counts chats.
            assert len(count(text)) + 3 + 1 + 3 <= ours
