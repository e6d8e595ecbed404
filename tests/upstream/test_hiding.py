"""What a server is given so that it works is read by nobody who calls it, and by no log."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.adapters.mcp.environment import filled_address, named_address
from interlock.adapters.mcp.hiding import MASK, Hiding, hiding
from interlock.adapters.upstream_addresses import wrong_with
from interlock.domain.call import Landed, Unsure
from interlock.domain.errors import EffectorError
from interlock.domain.upstream import Http, Server, Stdio
from tests.adapters.authorization import Serving
from tests.upstream.reaching import hostile, reaching

pytestmark = pytest.mark.anyio
TOLD = 's3cr/et ünd "zwei"'
PIN = "1234567890"
ENV = {"SECRET": "${TOLD_SECRET}", "PIN": "${TOLD_PIN}"}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOLD_SECRET", TOLD)
    monkeypatch.setenv("TOLD_PIN", PIN)


@pytest.mark.proves("upstream.hidden")
async def test_what_a_program_tells_of_its_secrets_is_masked(tmp_path: Path) -> None:
    """In its words, in names and numbers, in what is meant for programs: what its environment was given is a mask."""
    async with reaching(hostile("tells", env=ENV), tmp_path) as server:
        answer = await server.call(server.contract("act"), {"text": "x"})
    assert isinstance(answer, Landed)
    told = json.dumps(answer.result, ensure_ascii=False)
    assert answer.result["structuredContent"] == {"k": MASK}
    assert answer.result["_meta"] == {"x/y": MASK, MASK: [1, MASK, True, None]}
    assert f"a{MASK}b" in told
    assert "s3cr" not in told
    assert PIN not in told


@pytest.mark.proves("upstream.hidden")
@pytest.mark.parametrize(
    ("how", "why"),
    [("tells no", f"no {MASK} (-32000)"), ("tells broken", "it sent what is no JSON"), ("tells dying", "it ended")],
)
async def test_what_a_server_said_last_is_for_whoever_runs_it(
    how: str, why: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A caller learns what happened; a broken line and standard error, which may be another call's, stand in the log, masked."""
    caplog.set_level(logging.WARNING, "interlock.servers")
    async with reaching(hostile(how, env=ENV), tmp_path) as server:
        answer = await server.call(server.contract("act"), {"text": "x"})
    assert answer == Unsure(why)
    said = caplog.text
    assert "s3cr" not in said
    if how == "tells broken":
        assert "of another" in said
        assert MASK in said
    if how == "tells dying":
        assert f"the server `bad`: it ended; it says: another's words using {MASK} [2J" in said


async def test_a_server_that_does_not_begin_says_so_to_whoever_runs_it(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What it says on standard error is in no error that an agent gets; where nothing could be begun the system's word is."""
    script = (
        "import os, sys; sys.stderr.write('x' * 5000 + os.environ['SECRET'] + chr(10) + 'no ' + os.environ['SECRET'])"
    )
    with pytest.raises(EffectorError) as ended:
        async with reaching(Server(name="bad", way=Stdio(command=("python3", "-c", script), env=ENV)), tmp_path):
            pass
    assert ended.value.detail == "the server `bad` cannot be spoken to: it ended"
    assert "interlock server check bad" in ended.value.next
    assert f"it ended; it says: no {MASK}" in caplog.text
    with pytest.raises(EffectorError, match="cannot be begun: /no/such: No such file"):
        async with reaching(Server(name="bad", way=Stdio(command=("/no/such",))), tmp_path):
            pass


class Odd(Serving):
    """Answers over HTTP with what it was asked: its address, who signed in, and nothing of the protocol."""

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> tuple[int, dict[str, str], bytes]:
        """What it heard, as an error."""
        del body
        return 403, {}, f"{path} {headers.get('authorization')}".encode()


@pytest.fixture(name="odd")
def _odd() -> Iterator[Odd]:
    with Odd() as made:
        yield made


@pytest.mark.proves("upstream.hidden")
async def test_a_secret_of_an_address_reaches_the_server_and_nobody_else(
    odd: Odd, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is filled in where it leaves; who signs in is a header; an answer, an error and every log hold masks."""
    caplog.set_level(logging.DEBUG)
    url = odd.address.replace("://", "://ann:${TOLD_SECRET}@") + "/s/${TOLD_SECRET}/mcp?key=${TOLD_SECRET}"
    with pytest.raises(EffectorError) as refused:
        async with reaching(Server(name="kit", way=Http(url=url)), tmp_path):
            pass
    encoded = "s3cr%2Fet%20%C3%BCnd%20%22zwei%22"
    assert odd.asked[0][0] == f"/s/{encoded}/mcp?key={encoded}"
    assert odd.asked[0][1]["authorization"].startswith("Basic ")
    told = f"{refused.value.problem()} {caplog.text}"
    assert MASK in told
    for each in ("s3cr", odd.asked[0][1]["authorization"].removeprefix("Basic ")):
        assert each not in told


@pytest.mark.parametrize(
    ("address", "wrong"),
    [
        ("https://ann:hunter2@kit.example/mcp", "who signs in"),
        ("https://ann@kit.example/mcp", "who signs in"),
        ("https://kit.example/mcp?api_key=abc", "write `?api_key=${API_KEY}`"),
        ("https://kit.example/mcp?x=ghp_" + "aB3" * 12, "write `?NAME=${NAME}`"),
        ("https://kit.example/s/0a1b2c3d4e5f60718293a4b5c6d7e8f9/mcp", "in its path"),
        ("https://${HOST}/mcp", "names its host itself"),
        ("https://[/mcp", "is no address"),
    ],
)
def test_an_address_holds_no_secret(address: str, wrong: str) -> None:
    """It is refused, with what to write instead, and nothing of it is repeated."""
    said = wrong_with(address)
    assert wrong in said
    assert all(each not in said for each in ("hunter2", "ghp_a", "0a1b", "=abc"))


@pytest.mark.parametrize(
    "address",
    [
        "https://kit.example/mcp",
        "https://${A}:${B}@kit.example/s/${KEY}/mcp?api_key=${KEY}&x=1",
        "https://kit.example/my-project-of-2026/mcp?page=2&empty",
        "http://127.0.0.1:8000/mcp",
    ],
)
def test_an_address_may_name_what_is_secret(address: str) -> None:
    """A variable may stand wherever a secret stands; ordinary addresses are let be."""
    assert wrong_with(address) == ""
    assert named_address(address).startswith("http")
    assert "@" not in named_address(address)


def test_a_variable_ends_nothing_in_an_address() -> None:
    """Whatever it holds, it stays where it was put."""
    environ = {"KEY": "a/../b?x=1&y#z@h"}
    assert filled_address("https://h/${KEY}?k=${KEY}", environ) == (
        "https://h/a%2F..%2Fb%3Fx%3D1%26y%23z%40h?k=a%2F..%2Fb%3Fx%3D1%26y%23z%40h"
    )
    with pytest.raises(EffectorError, match="no `GONE`"):
        filled_address("https://h/${GONE}", environ)


def test_what_every_program_is_given_is_no_secret() -> None:
    """Neither HOME nor a short word is looked for; the password in an address is, by itself, too."""
    way = Stdio(command=("x",), env={"A": "${HOME}/x", "B": "${SHORT}", "C": "${DATABASE}"})
    environ = {"HOME": "/home/somebody", "SHORT": "yes", "DATABASE": "postgres://app:p%40ssw0rd!@db.example/x"}
    hides = hiding(way, environ)
    assert hides.text("/home/somebody said yes") == "/home/somebody said yes"
    assert hides.text("no: p@ssw0rd! and p%40ssw0rd!") == f"no: {MASK} and {MASK}"


@given(
    st.text(min_size=8, max_size=12),
    st.recursive(st.none() | st.integers() | st.text(max_size=5), st.lists, max_leaves=4),
)
def test_no_spelling_of_json_brings_a_secret_past(secret: str, beside: object) -> None:
    """Of any secret nothing is left in a message, and what holds none is what it was."""
    hides = Hiding((secret,))
    told = {"a": [f"x{secret}y", {secret: beside}], "text": json.dumps({"k": secret})}
    assert secret not in json.dumps(hides.value(told), ensure_ascii=False).replace(MASK, "")
    assert json.loads(hides.value(told)["text"]) == {"k": MASK} or secret in MASK
    deep: object = secret
    for _ in range(900):
        deep = [deep]
    assert secret not in str(hides.value(deep)).replace(MASK, "")
