"""The same promises over each way and in each era of the protocol, with a server written with the official SDK."""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from interlock.adapters.effectors.mcp_call import McpEffectors, _Begun
from interlock.adapters.mcp.failing import FailedError
from interlock.adapters.mcp.reach import Reach
from interlock.adapters.mcp.upstreams import McpUpstreams
from interlock.domain.call import Call, Landed, Nothing, Unsure
from interlock.domain.errors import EffectorError, NotAllowed, NotFound
from interlock.domain.ids import ActionId, TaskId
from interlock.domain.tool_result import as_it_came
from interlock.domain.upstream import Server, Wire
from interlock.domain.upstream_contract import Words
from interlock.ports.upstream import Changed, Kind
from tests.upstream.reaching import LEGACY, MODERN, READ, Reaching, hostile, kit, over_http, reaching, written

pytestmark = pytest.mark.anyio
WAYS = [
    ("stdio", LEGACY),
    pytest.param(("stdio", MODERN), marks=pytest.mark.slow),
    pytest.param(("http", LEGACY), marks=pytest.mark.slow),
    ("http", MODERN),
]


@pytest.fixture(scope="module")
def notes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server writes what it did."""
    return tmp_path_factory.mktemp("notes") / "notes.txt"


@pytest.fixture(scope="module")
def web(notes: Path) -> Iterator[Server]:
    """The server over HTTP, for all of these tests."""
    with over_http(notes) as server:
        yield server


@pytest.fixture(params=WAYS, ids=" ".join)
def way(request: pytest.FixtureRequest, notes: Path, web: Server) -> tuple[Server, str]:
    """A server, and the revision that was spoken when it was reviewed."""
    kind, protocol = request.param
    notes.unlink(missing_ok=True)
    return (kit(notes) if kind == "stdio" else web, protocol)


@asynccontextmanager
async def reached(way: tuple[Server, str], folder: Path, **changes: Any) -> AsyncIterator[Reaching]:
    """A way to it."""
    async with reaching(msgspec.structs.replace(way[0], **changes), folder, way[1]) as found:
        yield found


async def test_each_era_is_spoken_as_it_was_reviewed(way: tuple[Server, str], tmp_path: Path) -> None:
    """A server that was reviewed over a handshake is spoken to over one, and a later one without."""
    async with reached(way, tmp_path) as server:
        assert (await server.upstreams.connection("kit")).protocol == way[1]


async def test_numbers_go_out_and_come_back_exactly(way: tuple[Server, str], tmp_path: Path) -> None:
    """A decimal text reaches the server as the number it says, and a fraction in the result comes back as it was."""
    async with reached(way, tmp_path) as server:
        answer = await server.call(server.contract("add"), {"a": "0.1", "b": "0.2"})
    assert isinstance(answer, Landed)
    assert answer.result["structuredContent"] == {"total": repr(0.1 + 0.2)}
    assert as_it_came(answer.result)["structuredContent"] == {"total": 0.1 + 0.2}


async def test_what_has_no_canonical_form_comes_back_as_it_was(way: tuple[Server, str], tmp_path: Path) -> None:
    """Names beyond ASCII, fractions and long integers are kept and given back exactly."""
    async with reached(way, tmp_path) as server:
        answer = await server.call(server.contract("odd"), {})
    assert isinstance(answer, Landed)
    came = as_it_came(answer.result)
    assert came["structuredContent"] == {"naïve": [0.1, 2**60, {"x": -0.5}], "plain": 1}
    assert came["content"] == [{"type": "text", "text": "odd \u202e\x1b[2J"}]


async def test_a_key_goes_beside_the_arguments_and_into_the_one_that_takes_it(
    way: tuple[Server, str], notes: Path, tmp_path: Path
) -> None:
    """The idempotency key and the trace are in `_meta`; the argument that is named for it holds the key; no agent gives it."""
    async with reached(way, tmp_path) as server:
        contract = server.contract("note", Words(key="key"))
        properties: Any = contract.input_schema["properties"]
        assert set(properties) == {"text"}
        await server.call(contract, {"text": "one"}, idempotency_key="my key")
        told = await server.call(server.contract("told"), {}, traceparent="00-11111111111111111111111111111111-22-01")
    assert written(notes) == ["one|my key"]
    assert isinstance(told, Landed)
    meta = as_it_came(told.result)["structuredContent"]["meta"]
    assert meta["io.interlock/idempotencyKey"] == "key-1"
    assert meta["io.interlock/action"] == "a-1"
    assert meta["traceparent"].startswith("00-1111")


async def test_a_tool_that_says_it_failed_may_have_done_half_of_it(
    way: tuple[Server, str], notes: Path, tmp_path: Path
) -> None:
    """Its own word that it failed leaves an acting tool unsure; its owner may say that it then did nothing; a read failed."""
    async with reached(way, tmp_path) as server:
        assert isinstance(await server.call(server.contract("half"), {"text": "a"}), Unsure)
        trusting = server.contract("half", Words(errors="nothing"))
        assert isinstance(await server.call(trusting, {"text": "b"}), Nothing)
        assert isinstance(await server.call(server.contract("half", **READ), {"text": "c"}), Nothing)
    assert written(notes) == ["a|", "b|", "c|"]


async def test_arguments_that_the_server_would_refuse_are_not_sent(
    way: tuple[Server, str], notes: Path, tmp_path: Path
) -> None:
    """What does not fit the server's own schema, or is no exact number, is certainly not done."""
    async with reached(way, tmp_path) as server:
        for arguments in ({"a": "0.12345678901234567890"}, {"a": "12,5"}):
            answer = await server.call(server.contract("add"), arguments)
            assert isinstance(answer, Nothing)
        assert isinstance(await server.call(server.contract("note"), {"text": 5}), Nothing)
    assert written(notes) == []


async def test_a_call_that_takes_too_long_is_unsure_and_the_next_one_goes_on(
    way: tuple[Server, str], tmp_path: Path
) -> None:
    """After the contract's time the answer is unsure; the connection serves the next call."""
    async with reached(way, tmp_path) as server:
        answer = await server.call(server.contract("slow", timeout_ms=400), {"seconds": "5"})
        assert answer == Unsure("no answer within 400 ms")
        assert isinstance(await server.call(server.contract("big"), {"size": 3}), Landed)


async def test_a_result_that_is_too_long_is_said_and_the_next_one_goes_on(
    way: tuple[Server, str], tmp_path: Path
) -> None:
    """A result beyond the limit of its file is not read; what was done stays unsure, and the connection is not lost."""
    async with reached(way, tmp_path, most_bytes=100_000) as server:
        answer = await server.call(server.contract("big"), {"size": 2_000_000})
        assert isinstance(answer, Unsure)
        assert "100000" in answer.why
        assert isinstance(await server.call(server.contract("big", **READ), {"size": 2_000_000}), Nothing)
        assert isinstance(await server.call(server.contract("big"), {"size": 3}), Landed)


async def test_many_calls_at_once_share_a_connection(way: tuple[Server, str], tmp_path: Path) -> None:
    """Calls at the same time each get their own answer."""
    async with reached(way, tmp_path) as server:
        contract = server.contract("slow")
        calls = [server.call(contract, {"seconds": "0.05", "text": f"n{each}"}) for each in range(16)]
        answers = await asyncio.gather(*calls)
    said = [as_it_came(each.result)["content"][0]["text"] for each in answers if isinstance(each, Landed)]
    assert said == [f"noted n{each}" for each in range(16)]


async def test_another_definition_is_not_called(way: tuple[Server, str], notes: Path, tmp_path: Path) -> None:
    """What a server says of a tool now is held against what was accepted before anything is sent."""
    async with reached(way, tmp_path) as server:
        other = msgspec.structs.replace(server.accepted["note"], description="Write a line down, safely.")
        server.accepted["note"] = other
        with pytest.raises(EffectorError, match="something else of `note`") as refused:
            await server.call(server.contract("note"), {"text": "x"})
        assert "interlock server diff kit" in refused.value.next_step
        server.accepted["gone"] = msgspec.structs.replace(other, name="gone")
        with pytest.raises(EffectorError, match="no tool `gone` any more"):
            await server.call(server.contract("gone"), {"text": "x"})
    assert written(notes) == []


async def test_resources_and_prompts_pass_where_the_file_lets_them(way: tuple[Server, str], tmp_path: Path) -> None:
    """Nothing is listed, read or had that no pattern of the server's file names."""
    async with reached(way, tmp_path) as server:
        kinds: tuple[Kind, ...] = ("resources", "templates", "prompts")
        for kind in kinds:
            assert await server.upstreams.offered("kit", kind) == ()
        for asked in (server.upstreams.read("kit", "secret://keys"), server.upstreams.prompt("kit", "greet", {})):
            with pytest.raises(NotAllowed):
                await asked
    async with reached(way, tmp_path, resources=("notes://*",), prompts=("greet",)) as server:
        assert await server.upstreams.offered("kit", "resources") == ()
        [template] = await server.upstreams.offered("kit", "templates")
        assert template["uriTemplate"] == "notes://{name}"
        read = await server.upstreams.read("kit", "notes://a")
        assert read["contents"][0]["text"] == "the note a"
        for uri in (
            "secret://keys",
            "notes://../../secret",
            "notes://%2e%2e/x",
            "notes://x/%252e%252e/y",
            "notes://x\\..\\y",
            "notes://x\n",
        ):
            with pytest.raises(NotAllowed):
                await server.upstreams.read("kit", uri)
        prompt = await server.upstreams.prompt("kit", "greet", {"name": "Ana"})
        assert prompt["messages"][0]["content"]["text"] == "Greet Ana."
        with pytest.raises(NotFound):
            await server.upstreams.read("no such", "notes://a")


class Follower:
    """Hears everything, and answers with blue."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    async def changed(self, server: str, what: Changed) -> None:
        """A list changed."""
        self.heard.append((server, what))

    async def updated(self, server: str, uri: str) -> None:
        """A resource changed."""
        self.heard.append((server, uri))

    async def logged(self, server: str, message: Wire) -> None:
        """A message."""
        self.heard.append((server, message))

    async def progressed(self, server: str, action: str, news: Wire) -> None:
        """Progress."""
        assert server == "kit"
        self.heard.append((action, news))

    async def asked(self, server: str, action: str, method: str, params: Wire) -> Wire:
        """A question."""
        assert server == "kit"
        self.heard.append((action, method, *params))
        return {"action": "accept", "content": {"colour": "blue"}}


async def test_how_far_a_call_is_is_told_to_whoever_follows_its_task(way: tuple[Server, str], tmp_path: Path) -> None:
    """Progress goes to the follower of the task that the action is part of, and to nobody else."""
    async with reached(way, tmp_path) as server:
        mine, other = Follower(), Follower()
        server.upstreams.follow("t-1", mine)
        server.upstreams.follow("t-2", other)
        assert isinstance(await server.call(server.contract("steps"), {"count": 3}), Landed)
        await asyncio.sleep(0.05)
    assert [news["message"] for action, news in mine.heard if action == "a-1"] == ["step 1", "step 2", "step 3"]
    assert other.heard == []


async def test_a_server_asks_back_only_where_its_file_says_so(web: Server, tmp_path: Path) -> None:
    """A question is refused by default; on a connection of the task's own it is put before whoever follows the task."""
    async with reaching(kit(), tmp_path) as server:
        server.upstreams.follow("t-1", mine := Follower())
        assert isinstance(await server.call(server.contract("ask"), {}), Unsure)
        assert mine.heard == []
    for asked in (kit(), web):
        own = msgspec.structs.replace(asked, connections="each_task", elicitation="ask")
        async with reaching(own, tmp_path) as server:
            server.upstreams.follow("t-1", mine := Follower())
            answer = await server.call(server.contract("ask"), {})
            assert isinstance(answer, Landed)
            assert as_it_came(answer.result)["content"][0]["text"] == "accept: blue"
            assert [each[:2] for each in mine.heard] == [("a-1", "elicitation/create")]
            unfollowed = await server.call(server.contract("ask"), {}, task="t-2")
            assert isinstance(unfollowed, Unsure)


@pytest.mark.proves("gateway.asked_within")
@pytest.mark.parametrize("protocol", [LEGACY, MODERN])
async def test_a_question_is_put_within_the_very_call(web: Server, protocol: str, tmp_path: Path) -> None:
    """Of several calls at once each is asked for what was asked in it, where the way tells: over HTTP, and in the newest era."""
    own = msgspec.structs.replace(web, connections="each_task", elicitation="ask")
    async with reaching(own, tmp_path, protocol) as server:
        server.upstreams.follow("t-1", mine := Follower())
        slow = asyncio.create_task(server.call(server.contract("slow"), {"seconds": "0.4"}, action_id="slow"))
        await asyncio.sleep(0.1)
        asking = (server.call(server.contract("ask_first"), {}, action_id=each) for each in ("one", "two"))
        answers = [*await asyncio.gather(*asking), await slow]
    assert [type(each) for each in answers] == [Landed] * 3
    assert sorted(each[0] for each in mine.heard) == ["one", "two"]


@pytest.mark.proves("gateway.asked_within")
async def test_a_question_that_may_be_of_either_call_is_refused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Over standard input and output the older versions do not tell within which of several calls is asked: nobody is asked, the
    server hears why, and its call goes on. By itself the same call is asked for."""
    own = kit(connections="each_task", elicitation="ask")
    async with reaching(own, tmp_path) as server:
        server.upstreams.follow("t-1", mine := Follower())
        slow = asyncio.create_task(server.call(server.contract("slow"), {"seconds": "0.4"}, action_id="slow"))
        await asyncio.sleep(0.1)
        refused = await server.call(server.contract("ask"), {}, action_id="ask")
        await slow
        assert isinstance(refused, Unsure)
        assert "in which call" in refused.why
        assert mine.heard == []
        assert isinstance(await server.call(server.contract("ask"), {}, action_id="alone"), Landed)
    assert [each[0] for each in mine.heard] == ["alone"]
    assert "nobody knows in which" in caplog.text


@pytest.mark.proves("gateway.asked_within")
async def test_a_question_in_no_call_is_refused(tmp_path: Path) -> None:
    """A server that asks where nobody called it is not put before anybody, even while another server is being called for the same
    task, and is told so by a code."""
    notes = tmp_path / "notes"
    servers = [hostile("asks alone", notes, connections="each_task", elicitation="ask"), kit(connections="each_task")]
    async with reaching(servers[1], tmp_path) as server:
        upstreams = McpUpstreams(Reach({each.name: each for each in servers}, lambda _: server.pinned, tmp_path))
        upstreams.follow("t-1", mine := Follower())
        calling = McpEffectors(upstreams)
        slow: Any = server.contract("slow")
        call = Call(action_id=ActionId("a-1"), idempotency_key="key-1", task=TaskId("t-1"))
        under_way = asyncio.create_task(calling.invoke(slow, slow.target, "run", {"seconds": "0.5"}, call))
        await upstreams.tools("bad", "t-1")
        await under_way
        await upstreams.close()
    assert [json.loads(each) for each in written(notes)] == [{"code": "asked_in_no_call"}]
    assert mine.heard == []


@pytest.mark.parametrize("protocol", [LEGACY, MODERN])
async def test_a_server_that_says_it_changed_is_asked_again_before_the_next_call(protocol: str, tmp_path: Path) -> None:
    """After `list_changed` the very next call is held against what the server says by then, in either era."""
    async with reaching(kit(), tmp_path, protocol) as server:
        await asyncio.sleep(0.3)
        server.upstreams.follow("t-1", mine := Follower())
        assert isinstance(await server.call(server.contract("change"), {}), Landed)
        await asyncio.sleep(0.1)
        with pytest.raises(EffectorError, match="something else of `add`"):
            await server.call(server.contract("add"), {"a": "1"})
    assert ("kit", "tools") in mine.heard


async def test_a_program_sees_little_of_our_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside a short list of names its environment holds what its file names, and nothing else of ours."""
    monkeypatch.setenv("OUR_SECRET", "hush")
    monkeypatch.setenv("GIVEN", "yes")
    own = kit()
    way = msgspec.structs.replace(own.way, env={"OWN": "${GIVEN}"})
    async with reaching(msgspec.structs.replace(own, way=way), tmp_path) as server:
        told = await server.call(server.contract("told"), {})
    assert isinstance(told, Landed)
    environment = as_it_came(told.result)["structuredContent"]["environment"]
    assert "OWN" in environment
    assert "OUR_SECRET" not in json.dumps(told.result)
    assert set(environment) <= {"OWN", "LC_CTYPE", *filter(os.environ.__contains__, environment)}
    missing = msgspec.structs.replace(own, way=msgspec.structs.replace(own.way, env={"OWN": "${NOT_SET}"}))
    with pytest.raises(EffectorError, match="no `NOT_SET`"):
        async with reaching(missing, tmp_path):
            pass


async def test_what_is_at_work_goes_on_when_its_task_is_left(tmp_path: Path) -> None:
    """A call that was begun on a connection of the task's own goes on to its end, whoever leaves the task meanwhile."""
    notes = tmp_path / "notes"
    async with reaching(kit(notes, connections="each_task"), tmp_path) as server:
        assert isinstance(await server.call(server.contract("slow"), {"seconds": "0", "text": "first"}), Landed)
        calling = asyncio.create_task(server.call(server.contract("slow"), {"seconds": "1", "text": "kept"}))
        await asyncio.sleep(0.5)
        await server.upstreams.leave("t-1")
        assert isinstance(await calling, Landed)
    assert written(notes) == ["first|", "kept|"]


class Breaking:
    """A connection on which a tool asks for something, and whatever follows fails."""

    def __init__(self, server: Server, error: FailedError) -> None:
        self.server = server
        self._error = error
        self._asked = False

    async def call(self, request: Any, **how: Any) -> dict[str, Any]:
        """Ask once, then fail."""
        del request, how
        if self._asked:
            raise self._error
        self._asked = True
        form = {"mode": "form", "message": "sure?", "requestedSchema": {"type": "object", "properties": {}}}
        question = {"method": "elicitation/create", "params": form}
        return {"resultType": "input_required", "inputRequests": {"a": question}, "requestState": "s"}


@pytest.mark.parametrize("kind", ["refused", "unsent", "expired", "lost", "answered"])
async def test_a_tool_that_asked_was_at_work(kind: Any, tmp_path: Path) -> None:
    """Once a tool asked for something, that the rest of its call was refused or never sent does not say that it did nothing, and
    the call is not made from its beginning again."""
    async with reaching(kit(), tmp_path) as server:
        contract = server.contract("add", effect="external", risk="high", reversal={"none": "it is gone"})
        connection: Any = Breaking(server.server, FailedError(kind, "no", -32602))
        call = Call(action_id=ActionId("a-1"), idempotency_key="key-1", task=TaskId("t-1"))
        target: Any = contract.target
        answer = await server.effectors._called(connection, contract, target, {"a": 1}, call, _Begun())
    assert isinstance(answer, Unsure)
