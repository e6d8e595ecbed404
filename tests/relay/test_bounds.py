"""What is refused before any model is asked: who may not, what may not, and what there is no budget for."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from interlock.domain.bearer import Bearer, Bounds
from interlock.domain.errors import NotFound
from interlock.domain.ids import AgentName, ContractName
from interlock.domain.through import by_client
from tests.relay.kit import HI, relayed
from tests.relay.provider import chat, closes

pytestmark = pytest.mark.anyio
LIMIT = 2_000


@pytest.mark.proves("relay.deny")
async def test_nobody_is_asked_for_whoever_may_not(tmp_path: Path) -> None:
    """No token, a wrong one, one that is for something else; another host, a page of others or of nobody that can be read."""
    async with relayed(tmp_path) as site:
        other = await site.make_key(surfaces=("mcp",))
        body = {"model": "gpt-4o-mini", "messages": HI}
        found: list[tuple[int, str]] = []
        heads: list[dict[str, str]] = [
            {"authorization": ""},
            {"authorization": "Bearer ila_" + "0" * 32 + "." + "0" * 64},
            {"authorization": f"Bearer {other}"},
            {"host": "evil.example"},
            {"origin": "https://evil.example"},
            {"origin": "null"},
            {"origin": "http://["},
            {"origin": "http://[::1"},
            {"origin": "http://localhost]"},
            {"origin": "http://[v1.x]/"},
            {"content-encoding": "gzip"},
        ]
        for headers in heads:
            async with site.client() as client:
                got = await client.post("/v1/chat/completions", json=body, headers=headers)
                found.append((got.status_code, got.json()["error"]["code"]))
        async with site.client() as client:
            lost = await client.get("/v1/models", headers={"authorization": f"Bearer {other}"})
            elsewhere = await client.post("/v1/completions", json=body)
            wrong = await client.get("/v1/chat/completions")

    assert found == [
        (401, "not_admitted"),
        (401, "not_admitted"),
        (403, "not_admitted"),
        (421, "wrong_host"),
        *[(403, "not_allowed")] * 6,
        (400, "bad_request"),
    ]
    assert (lost.status_code, elsewhere.status_code, wrong.status_code) == (403, 404, 405)
    assert site.first.asked == []
    assert wrong.json()["error"].keys() >= {"message", "type", "param", "code", "next"}


@pytest.mark.proves("relay.deny")
async def test_what_no_route_allows_is_not_asked(tmp_path: Path) -> None:
    """A model without a route, one the agent may not run on, tools that the provider would run, more than may be answered."""
    picture: Any = [
        {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x.example/a.png"}}]}
    ]
    async with relayed(tmp_path) as site:
        refused = [
            await site.ask(model="gpt-5"),
            await site.ask(model="other"),
            await site.ask(tools=[{"type": "web_search"}]),
            await site.ask(web_search_options={}),
            await site.ask(max_tokens=51),
            await site.ask(max_completion_tokens="many"),
            await site.ask(model="loose"),
            await site.ask(messages=picture),
            await site.ask("/v1/responses", input="hi", previous_response_id="resp_1"),
            await site.ask("/v1/responses", input="hi", background=True),
            await site.ask("/v1/responses", input="hi", tools=[{"type": "mcp", "server_url": "https://x.example"}]),
            await site.ask(models=["gpt-5"]),
            await site.ask(n=1000),
        ]
        allowed = await site.ask(model="alone", messages=picture)
        (use,) = await site.uses()

    said = [(each.status_code, each.json()["error"]["code"], each.json()["error"]["param"]) for each in refused]
    assert said == [
        (404, "not_found", None),
        (403, "not_allowed", None),
        (400, "contract", "tools"),
        (400, "contract", "tools"),
        (400, "contract", "max_tokens"),
        (400, "contract", "max_completion_tokens"),
        (400, "contract", "max_completion_tokens"),
        (400, "contract", "input"),
        (400, "contract", "input"),
        (400, "contract", "background"),
        (400, "contract", "tools"),
        (400, "contract", "models"),
        (400, "contract", "n"),
    ]
    # How many tokens a picture takes its bytes do not say: then the whole window is reserved.
    assert (allowed.status_code, use.most.input, len(site.first.asked)) == (200, 5000, 1)


@pytest.mark.proves("relay.bounded")
async def test_what_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """No JSON, no object, too large, too deep, half of a character."""
    async with relayed(tmp_path, more="  most_bytes: 10000") as site, site.client() as client:
        bodies = [b"", b"[]", b"{", b'{"model": 1}', b"[" * 9000, b'{"model":"a","x":' + b"[" * 4000, b"x" * 10_001]
        bodies += [b'{"model":"alone","messages":"\\ud800"}', b'{"model":"alone","stream":"yes"}']
        found = [(await client.post("/v1/chat/completions", content=each)).status_code for each in bodies]

    assert found == [400, 400, 400, 400, 400, 400, 413, 400, 400]
    assert site.first.asked == []


@pytest.mark.proves("relay.budget")
async def test_a_budget_that_is_used_up_sends_nothing(tmp_path: Path) -> None:
    """An error that OpenAI's clients know, with when to stop trying, and an entry in the log."""
    async with relayed(tmp_path, budgets="{tokens: 200}") as site:
        got = await site.ask()
        refused = (await site.entries())[-1]

    assert (got.status_code, got.headers["x-should-retry"]) == (429, "false")
    error = got.json()["error"]
    assert (error["type"], error["code"]) == ("insufficient_quota", "budget_exceeded")
    assert "has 200 left" in error["message"]
    assert site.first.asked == []
    assert (refused["phase"], refused["reasonCodes"]) == ("refused", ["interlock.budget"])


@pytest.mark.proves("relay.budget")
async def test_twenty_at_once_never_take_more_than_there_is(tmp_path: Path) -> None:
    """On a small budget as many are asked as it holds, whole or in streams; what is given back lets others in."""
    async with relayed(tmp_path, budgets=f"{{tokens: {LIMIT}}}") as site:
        site.first.does(chat({"prompt_tokens": 200, "completion_tokens": 40}, delay=0.2))
        got = await asyncio.gather(*(site.ask(model="alone", stream=n % 2 == 0) for n in range(20)))
        uses = await site.uses()
        reserved, spent = await site.stood()
        most = uses[0].most.total

    answered = [each for each in got if each.status_code == 200]
    assert {each.status_code for each in got} == {200, 429}
    assert len(answered) == len(site.first.asked) == len(uses)
    assert len(answered) >= LIMIT // most
    assert (reserved, spent) == (0, 240 * len(answered))
    assert spent <= LIMIT


@pytest.mark.proves("relay.task")
async def test_users_of_one_program_do_not_ask_in_each_others_tasks(tmp_path: Path) -> None:
    """Whoever bears a token of the same program for somebody else is told that there is no such task."""
    async with relayed(tmp_path) as site:
        expires = site.plane.means.clock.now() + 60_000
        ana = Bearer(
            agent=AgentName("ag"),
            initiator="user:ana",
            purpose="answer letters",
            surfaces=("models",),
            expires_at=expires,
            through=by_client("https://id.example", "assistant"),
            epoch=(await site.plane.orders.refresh()).control.revision,
        )
        tasks = site.app._tasks
        task = await tasks.of(ana)
        assert (await tasks.named(task.id, ana)).id == task.id
        for other in ({"initiator": "user:bob"}, {"purpose": "write novels"}):
            with pytest.raises(NotFound):
                await tasks.named(task.id, msgspec.structs.replace(ana, **other))


@pytest.mark.proves("relay.budget", "relay.task")
async def test_all_that_one_key_asks_shares_a_task_and_its_bounds(tmp_path: Path) -> None:
    """One task for a key; it says by what it was opened; its budget holds over all questions; a task named may be asked in."""
    async with relayed(tmp_path, bounds=Bounds(budgets={"tokens": 1000})) as site:
        first, second = await site.ask(model="alone"), await site.ask(model="alone")
        uses = await site.uses()
        task = first.headers["x-interlock-task"]
        named = await site.ask(model="alone", headers={"x-interlock-task": task})
        unknown = await site.ask(model="alone", headers={"x-interlock-task": uses[0].id})
        other = await site.make_key()
        async with site.client(other) as client:
            body = {"model": "alone", "messages": HI}
            strange = await client.post("/v1/chat/completions", json=body, headers={"x-interlock-task": task})
            own = await client.post("/v1/chat/completions", json=body)
        site.first.does(chat({"prompt_tokens": 900, "completion_tokens": 40}))
        await site.ask(model="alone")
        over = await site.ask(model="alone")

    assert second.headers["x-interlock-task"] == named.headers["x-interlock-task"] == task
    assert (unknown.status_code, strange.status_code, own.status_code) == (404, 404, 200)
    assert unknown.json()["error"]["message"] == strange.json()["error"]["message"]
    assert own.headers["x-interlock-task"] != task
    assert over.json()["error"]["code"] == "budget_exceeded"


@pytest.mark.proves("relay.deny")
async def test_what_people_stopped_asks_no_model(tmp_path: Path) -> None:
    """A brake, a closed task, a task that prohibits it; and a key that was revoked."""
    async with relayed(tmp_path) as site:
        before = await site.ask()
        await site.plane.braking.stop("agent", "ag", by="rita", why="test")
        stopped = await site.ask()
        await site.plane.braking.resume("agent", "ag", by="rita")
        after = await site.ask()
        prohibits = await site.make_key(bounds=Bounds(prohibited=(ContractName("interlock.model_use"),)))
        async with site.client(prohibits) as client:
            prohibited = await client.post("/v1/chat/completions", json={"model": "alone", "messages": HI})

    assert [each.status_code for each in (before, stopped, after, prohibited)] == [200, 403, 200, 403]
    assert len(site.first.asked) == 2


@pytest.mark.proves("relay.secrets")
@pytest.mark.parametrize("how", ["mask", "refuse", "keep"])
async def test_secrets_in_a_question_are_masked_refused_or_kept(tmp_path: Path, how: str) -> None:
    """As the workspace says; masked unless it says so. The log says how many of what kind, and never which."""
    key = "ghp_" + "a1B2" * 9
    async with relayed(tmp_path, more="" if how == "mask" else f"  secrets: {how}") as site:
        messages = [{"role": "user", "content": f"my token is {key}"}]
        got = await site.ask(messages=messages)
        sent = [each.raw.decode() for each in site.first.asked]
        entries = await site.entries()

    if how == "refuse":
        assert (got.status_code, sent, entries) == (400, [], [])
        assert key not in got.text
        return
    assert got.status_code == 200
    assert (key in sent[0]) == (how == "keep")
    assert ("[masked: github-token]" in sent[0]) == (how == "mask")
    assert entries[0]["prompt"].get("masked", {}) == ({"github-token": 1} if how == "mask" else {})


@pytest.mark.proves("relay.once")
@pytest.mark.parametrize("stream", [False, True])
async def test_a_question_that_comes_back_under_its_key_is_answered_once(tmp_path: Path, stream: bool) -> None:
    """The same bytes again, and no model is asked; another question under that key is refused, and so is one at the same time.
    What failed is asked again, and nobody else has that key."""
    key = {"idempotency-key": "k1"}
    async with relayed(tmp_path) as site:
        site.first.does(chat(delay=0.3), chat())
        first, beside = await asyncio.gather(
            site.ask(model="alone", headers=key, stream=stream),
            _later(site.ask(model="alone", headers=key, stream=stream)),
        )
        again = await site.ask(model="alone", headers=key, stream=stream)
        other = await site.ask(model="alone", headers=key, stream=stream, temperature=1)
        strange = await site.make_key()
        async with site.client(strange, headers=key) as client:
            own = await client.post("/v1/chat/completions", json={"model": "alone", "messages": HI})
        asked = len(site.first.asked)
        site.first.does(closes, chat())
        failed = await site.ask(model="alone", headers={"idempotency-key": "k2"}, stream=stream)
        mended = await site.ask(model="alone", headers={"idempotency-key": "k2"}, stream=stream)
        uses = await site.uses()

    assert first.status_code == 200
    assert stream or beside.status_code == 409
    assert again.content == first.content
    assert again.headers["x-interlock-use"] == first.headers["x-interlock-use"]
    assert again.headers["x-interlock-replayed"] == "true"
    assert (other.status_code, other.json()["error"]["code"]) == (422, "key_reused")
    assert own.headers["x-interlock-use"] != first.headers["x-interlock-use"]
    assert asked == 2
    assert (failed.status_code, mended.status_code, len(uses)) == (502, 200, 4)


async def _later(asking: Awaitable[Any]) -> Any:
    await asyncio.sleep(0.1)
    return await asking


@pytest.mark.proves("relay.bounded")
async def test_a_question_that_nobody_reads_ends_with_its_answer(tmp_path: Path) -> None:
    """Without a token, or longer than it may be, with a body that never ends: answered at once, and the connection closed."""
    head = "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ntransfer-encoding: chunked\r\n{more}\r\n"
    async with relayed(tmp_path, more="  most_bytes: 10000") as site:
        said: list[bytes] = []
        for more in ("", f"authorization: Bearer {site.key}\r\n"):
            host, _, port = site.url.removeprefix("http://").partition(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(head.format(more=more).encode() + b"3000\r\n" + b"x" * 0x3000 + b"\r\n")
            said.append(await asyncio.wait_for(reader.read(), 5))
            writer.close()

    assert [each.partition(b" ")[2][:3] for each in said] == [b"401", b"413"]
    assert all(b"connection: close" in each for each in said)


@pytest.mark.proves("relay.bounded")
async def test_one_bearer_takes_no_more_than_its_places(tmp_path: Path) -> None:
    """Of many at once of one key as many are asked as may be open, and others are let in beside them."""
    async with relayed(tmp_path, more="  of_one: 2\n  at_once: 3") as site:
        site.first.does(chat(delay=0.5))
        other = await site.make_key()

        async def beside() -> int:
            await asyncio.sleep(0.2)
            async with site.client(other) as client:
                return (await client.post("/v1/chat/completions", json={"model": "alone", "messages": HI})).status_code

        got, strange = await asyncio.gather(asyncio.gather(*(site.ask(model="alone") for _ in range(5))), beside())
        after = await site.ask(model="alone")

    assert sorted(each.status_code for each in got) == [200, 200, 503, 503, 503]
    assert {each.json()["error"]["code"] for each in got if each.status_code == 503} == {"crowded"}
    assert (strange, after.status_code) == (200, 200)
