"""Servers that misbehave: what was done stays unsure, nobody else is harmed, and memory stays where it was."""

import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from interlock.adapters.mcp.reach import Reach
from interlock.adapters.mcp.upstreams import McpUpstreams
from interlock.domain.call import Answer, Landed, Nothing, Unsure
from interlock.domain.canonical import encode
from interlock.domain.errors import EffectorError
from interlock.domain.upstream import Stdio
from tests.upstream.reaching import HERE, READ, hostile, reaching, written

pytestmark = pytest.mark.anyio
ROOT = HERE.parents[1]


async def once(how: str, folder: Path, *, env: dict[str, str] | None = None, **promises: Any) -> Answer:
    """One call of a server that misbehaves so."""
    async with reaching(hostile(how, folder / "notes", env=env), folder) as server:
        return await server.call(server.contract("act", **{"timeout_ms": 10_000, **promises}), {"text": "x"})


@pytest.mark.proves("upstream.unsure")
@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("closes", "it ended"),
        ("dies", "it ended"),
        ("no json", "no JSON"),
        ("no result", "none that the protocol has"),
        ("deep", "no JSON"),
        ("nan", "no JSON"),
        ("floods", "2000 messages that were no answers"),
        ("asks", "2000 messages that were no answers"),
        ("fails", "it broke"),
    ],
)
async def test_a_server_that_breaks_in_a_call_leaves_it_unsure(how: str, why: str, tmp_path: Path) -> None:
    """A call that a server acted on and did not answer for is unsure, soon, and says why."""
    answer = await once(how, tmp_path)
    assert isinstance(answer, Unsure)
    assert why in answer.why
    assert written(tmp_path / "notes") == ["x"]


async def test_a_server_that_does_not_begin_says_where_its_environment_stands(tmp_path: Path) -> None:
    """A program that ends before it speaks is told with what to look at: its own file, and `env` in it."""
    server = msgspec.structs.replace(hostile("dies", tmp_path / "notes"), way=Stdio(command=("false",)))
    with pytest.raises(EffectorError, match="`bad` cannot be spoken to") as refused:
        async with reaching(server, tmp_path) as reached:
            await reached.upstreams.seen("bad")
    assert "servers/bad.yaml" in str(refused.value.next_step)
    assert "`env`" in str(refused.value.next_step)


@pytest.mark.parametrize("how", ["hangs", "wrong id"])
async def test_a_server_that_does_not_answer_is_not_waited_for(how: str, tmp_path: Path) -> None:
    """Silence, and answers to something else, are waited for as long as the contract says."""
    began = time.monotonic()
    answer = await once(how, tmp_path, timeout_ms=700)
    assert answer == Unsure("no answer within 700 ms")
    assert time.monotonic() - began < 10


async def test_a_second_answer_changes_nothing(tmp_path: Path) -> None:
    """The first answer counts; another one to the same call is nobody's."""
    async with reaching(hostile("twice", tmp_path / "notes"), tmp_path) as server:
        for _ in range(3):
            answer = await server.call(server.contract("act"), {"text": "x"})
            assert isinstance(answer, Landed)
            assert answer.result == {"content": [{"type": "text", "text": "done"}]}


@pytest.mark.proves("upstream.bounded")
async def test_an_answer_that_cannot_be_read_costs_its_own_call_alone(tmp_path: Path) -> None:
    """Numbers of ten thousand digits, three hundred lists in each other and numbers without end: the call they answer is unsure,
    and the connection that others share goes on, so that nobody's arguments break anybody else's call."""
    async with reaching(hostile("echoes", tmp_path / "notes"), tmp_path) as server:
        contract = server.contract("act", timeout_ms=10_000)
        connection = await server.upstreams.connection("bad")
        for text in ("digits", "nested", "exponent"):
            assert isinstance(await server.call(contract, {"text": text}), Unsure)
            assert isinstance(await server.call(contract, {"text": "x"}), Landed)
        assert await server.upstreams.connection("bad") is connection
    assert written(tmp_path / "notes") == ["digits", "x", "nested", "x", "exponent", "x"]


async def test_lines_that_are_no_messages_are_passed_over(tmp_path: Path) -> None:
    """A program that prints where it should speak the protocol is understood all the same."""
    assert isinstance(await once("noise", tmp_path), Landed)


@pytest.mark.parametrize("code", [-32601, -32602])
async def test_what_the_protocol_refuses_was_not_begun(code: int, tmp_path: Path) -> None:
    """No such tool, and no such arguments, are said before anything is done; in one line that moves no cursor."""
    answer = await once("refuses", tmp_path, env={"CODE": str(code)})
    assert isinstance(answer, Nothing)
    assert answer.why.isprintable()
    assert len(answer.why) <= 300


@pytest.mark.parametrize("code", [-32603, -32000, 0, 12])
async def test_any_other_error_leaves_it_unsure(code: int, tmp_path: Path) -> None:
    """An error that does not say that nothing was begun does not prove it."""
    answer = await once("refuses", tmp_path, env={"CODE": str(code)})
    assert isinstance(answer, Unsure)
    assert answer.why.isprintable()
    assert isinstance(await once("refuses", tmp_path, env={"CODE": str(code)}, **READ), Nothing)


async def test_hostile_text_is_recorded_as_it_is_and_moves_nothing(tmp_path: Path) -> None:
    """Terminal escapes, turned text and long text are kept exactly; what is shown of a tool holds nothing that moves a cursor."""
    async with reaching(hostile("hostile", tmp_path / "notes"), tmp_path) as server:
        contract = server.contract("act")
        answer = await server.call(contract, {"text": "x"})
    assert all(each.isprintable() or each == "\n" for each in contract.description)
    assert len(contract.description) <= 4_000
    assert isinstance(answer, Landed)
    encode(answer.result)
    assert "\x1b]0;owned" in answer.result["content"][0]["text"]


async def test_a_tool_that_became_another_one_is_not_called(tmp_path: Path) -> None:
    """A server that changes what it says, and tells nobody, is found out as soon as it is asked again."""
    patient = msgspec.structs.replace(hostile("rug pull", tmp_path / "notes"), refresh_ms=1)
    async with reaching(patient, tmp_path) as server:
        assert isinstance(await server.call(server.contract("act"), {"text": "one"}), Landed)
        with pytest.raises(EffectorError, match="something else of `act`"):
            await server.call(server.contract("act"), {"text": "two"})
    assert written(tmp_path / "notes") == ["one"]


async def test_an_endless_list_of_tools_is_no_list(tmp_path: Path) -> None:
    """A server that lists without end is refused, not followed."""
    with pytest.raises(EffectorError, match="or without end"):
        async with reaching(hostile("endless list"), tmp_path):
            pass


async def test_an_endless_list_of_resources_is_no_list(tmp_path: Path) -> None:
    """A server whose pages of resources lead to more pages for ever is refused, and so is one that lists
    what is no resource."""
    servers = {each: hostile(each, name=each, resources=("*",)) for each in ("endless resources", "odd resources")}
    upstreams = McpUpstreams(Reach(servers, lambda _: None, tmp_path))
    try:
        with pytest.raises(EffectorError, match="or without end"):
            await upstreams.offered("endless resources", "resources")
        with pytest.raises(EffectorError, match="odd resources"):
            await upstreams.offered("odd resources", "resources")
    finally:
        await upstreams.close()


async def test_a_server_that_never_reads_is_not_waited_for(tmp_path: Path) -> None:
    """A program that takes nothing and says nothing costs the time of its file, and is gone afterwards."""
    began = time.monotonic()
    with pytest.raises(EffectorError, match="did not answer within 500 ms"):
        async with reaching(msgspec.structs.replace(hostile("never reads"), timeout_ms=500), tmp_path):
            pass
    assert time.monotonic() - began < 10


async def test_a_program_that_cannot_begin_says_why(tmp_path: Path) -> None:
    """A command that is not there is told with what the system says of it; nothing was called."""
    server = msgspec.structs.replace(hostile("x"), way=Stdio(command=("/no/such/program",)))
    with pytest.raises(EffectorError, match="No such file"):
        async with reaching(server, tmp_path):
            pass


async def test_a_server_that_ended_is_begun_again_after_a_pause(tmp_path: Path) -> None:
    """After a crash the next call waits for no pause once it is over; within it, nothing is called."""
    async with reaching(hostile("dies", tmp_path / "notes"), tmp_path) as server:
        contract = server.contract("act")
        assert isinstance(await server.call(contract, {"text": "one"}), Unsure)
        with pytest.raises(EffectorError, match="begun again in"):
            await server.call(contract, {"text": "two"})
        await asyncio.sleep(0.6)
        assert isinstance(await server.call(contract, {"text": "three"}), Unsure)
    assert written(tmp_path / "notes") == ["one", "three"]


@pytest.mark.parametrize("how", ["ignores TERM", "hangs"])
async def test_closing_leaves_no_process_behind(how: str, tmp_path: Path) -> None:
    """A program that does not end when it is asked is killed, with all it began."""
    async with reaching(hostile(how, tmp_path / "notes"), tmp_path) as server:
        await server.call(server.contract("act", timeout_ms=300), {"text": "x"})
        assert family()
    assert not family()


@pytest.mark.proves("upstream.no_orphans")
async def test_dying_leaves_no_process_behind(tmp_path: Path) -> None:
    """A process of ours that is killed takes its servers with it, even those that ignore everything."""
    program = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from tests.upstream.reaching import hostile, reaching\n"
        "async def main():\n"
        "    async with reaching(hostile('ignores TERM'), Path(sys.argv[1])):\n"
        "        print('reached', flush=True)\n"
        "        await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    ours = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, str(tmp_path), cwd=ROOT, stdout=subprocess.PIPE
    )
    assert ours.stdout is not None
    assert await ours.stdout.readline() == b"reached\n"
    assert family()
    ours.kill()
    await ours.wait()
    for _ in range(50):
        if not family():
            break
        await asyncio.sleep(0.1)
    assert not family()


@pytest.mark.proves("upstream.bounded")
@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("huge", "its answer is longer than 4194304 bytes"),
        ("huge tail", "its answer is longer than 4194304 bytes"),
        ("endless", "no end of it"),
        ("floods", "2000 messages"),
        ("asks", "2000 messages"),
    ],
)
def test_memory_stays_where_it_was(how: str, why: str, tmp_path: Path) -> None:
    """100 MB in an answer, a line without end, and floods cost a few times the limit of one message, and no more."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.upstream.peak", how, str(tmp_path)], cwd=ROOT, capture_output=True, check=True
    )
    found = json.loads(done.stdout)
    assert found["kind"] == "Unsure"
    assert why in found["why"]
    assert found["grown"] < 32 * 1024, found


def family() -> list[str]:
    """The hostile servers that run now and were begun by these tests."""
    found = list[str]()
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                command = (entry / "cmdline").read_bytes().split(b"\0")
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if b"hostile_server.py" in b" ".join(command) and state != "Z" and int(entry.name) != os.getpid():
                found.append(entry.name)
    return found
