"""Clients that write what no client should: the gateway answers or drops it, holds its size, and goes on."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, cast

import anyio
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.gateway.kit import INITIALIZE, PROGRAM, House, actions, said, words
from tests.workspaces import Place

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=True) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)
CALLED = ("tools/call", "tools/list", "resources/read", "prompts/get", "completion/complete", "logging/setLevel")
SAID = ("resources/subscribe", "notifications/cancelled", "subscriptions/listen", "initialize", "server/discover", "x")
METHODS = st.sampled_from((*CALLED, *SAID))
PARAMS = JSON | st.fixed_dictionaries(
    {"name": st.sampled_from(["box__look", "interlock_ticket", "nobody"]) | JSON, "arguments": JSON},
    optional={"_meta": JSON, "uri": JSON, "cursor": JSON, "requestState": JSON, "inputResponses": JSON},
)
MESSAGES = st.fixed_dictionaries(
    {"jsonrpc": st.just("2.0") | JSON, "method": METHODS | JSON}, optional={"id": st.just(77) | JSON, "params": PARAMS}
)


class Spoken:
    """One gateway over pipes, spoken to by hand."""

    def __init__(self, place: Place) -> None:
        self.process = subprocess.Popen([PROGRAM, *words(place)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.number = 1_000_000

    def write(self, message: Any) -> None:
        """One line, whatever it is."""
        line = message if isinstance(message, bytes) else json.dumps(message).encode()
        pipe = cast("IO[bytes]", self.process.stdin)
        pipe.write(line.replace(b"\n", b" ") + b"\n")
        pipe.flush()

    def heard(self) -> Any:
        """One line, which is one message."""
        found = json.loads(cast("IO[bytes]", self.process.stdout).readline())
        assert found["jsonrpc"] == "2.0"
        return found

    def answers(self) -> bool:
        """Whether it still does, after whatever it has to say before."""
        self.number += 1
        self.write({"jsonrpc": "2.0", "id": self.number, "method": "ping"})
        while (found := self.heard()).get("id") != self.number:
            pass
        return bool(found["result"] == {})

    def size(self) -> int:
        """Its memory, in KiB."""
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * 4


@pytest.fixture
def spoken(place: Place) -> Iterator[Spoken]:
    """One, ended without an error."""
    found = Spoken(place)
    try:
        found.write(INITIALIZE)
        assert found.heard()["id"] == 1
        found.write({"jsonrpc": "2.0", "method": "notifications/initialized"})
        yield found
    finally:
        found.process.communicate(timeout=30)
    assert found.process.returncode == 0


@pytest.mark.proves("gateway.hostile_client")
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(message=MESSAGES)
def test_whatever_is_written_it_goes_on(spoken: Spoken, message: Any) -> None:
    """Any JSON in the form of a message, and it answers the next ping; each line it writes is one message."""
    spoken.write(message)
    assert spoken.answers()


@pytest.mark.proves("gateway.hostile_client")
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(line=st.binary(max_size=300))
def test_whatever_bytes_come_it_goes_on(spoken: Spoken, line: bytes) -> None:
    """Any bytes at all."""
    spoken.write(line)
    assert spoken.answers()


@pytest.mark.proves("gateway.hostile_client")
def test_a_line_without_an_end_costs_no_memory(spoken: Spoken, place: Place) -> None:
    """Sixty megabytes in one line are refused unparsed; it is hardly larger afterwards, and goes on."""
    before = spoken.size()
    spoken.write(b'{"jsonrpc":"2.0","id":5,"method":"' + b"a" * 60_000_000)
    refused = spoken.heard()
    assert (refused["error"]["code"], refused["id"]) == (-32600, None)
    assert spoken.answers()
    assert spoken.size() - before < 40_000
    for deep in (b"[" * 200_000, b'{"a":' * 100_000, b'{"jsonrpc":"2.0","id":' + b"9" * 6_000 + b',"method":"ping"}'):
        spoken.write(deep)
        assert spoken.answers()


@pytest.mark.anyio
@pytest.mark.proves("gateway.many")
async def test_sixty_four_sessions_at_once(served: House) -> None:
    """Sixty-four clients at once, and each hears its own answer."""
    key = served.key()

    async def one(number: int) -> None:
        async with served.client(key) as mcp:
            assert said(await mcp.call_tool("box__look", {"word": f"w{number}"})) == {"result": f"W{number}"}

    with anyio.fail_after(90):
        async with anyio.create_task_group() as group:
            for number in range(64):
                group.start_soon(one, number)
    assert len(await actions(served.place)) == 64
