"""HTTP tools against real servers, honest and not: what is sent, and what every way of answering means."""

import json
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.adapters.effectors.http_call import MAX_ANSWER_BYTES, HttpEffectors
from interlock.adapters.effectors.http_request import UnfitError, request_for
from interlock.domain.call import Answer, Call, Landed, Nothing, Unsure
from interlock.domain.contract import Contract, HttpTarget, NoReversal
from interlock.domain.errors import EffectorError
from interlock.domain.ids import ActionId, ContractName
from interlock.ports.effector import Role

CALL = Call(
    action_id=ActionId("a-1"),
    idempotency_key="order 7/refund",
    attempt=2,
    fence=3,
    deadline_at=1_800_000_000_000,
    precondition={"etag": "v1"},
    prepared={"id": "r-9"},
)

Act = Callable[["Handler"], None]


class Seen(NamedTuple):
    """A request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Handler(BaseHTTPRequestHandler):
    """Does what the server's script says."""

    protocol_version = "HTTP/1.1"
    server: "Server"

    def handle_any(self) -> None:
        """Note the request, then act."""
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.seen.append(Seen(self.command, self.path, headers, body))
        self.server.act(self)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815  the names that the base class looks for

    def say(self, status: int, body: bytes = b"", kind: str = "application/json", **headers: str) -> None:
        """A complete, honest answer."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def raw(self, data: bytes) -> None:
        """Bytes as they are, and the end of the connection."""
        self.wfile.write(data)
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class's name
        """Quiet."""


class Server(ThreadingHTTPServer):
    """A server on a free port of this machine, in threads."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[Seen] = []
        self.act: Act = lambda handler: handler.say(200, b"{}")
        self.released = threading.Event()
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are part of the tests."""


@pytest.fixture(name="server")
def _server() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.released.set()
    server.shutdown()
    thread.join()
    server.server_close()


def _contract(target: HttpTarget, timeout_ms: int = 5_000) -> Contract:
    return Contract(
        name=ContractName("test.tool"),
        input_schema={"type": "object", "additionalProperties": False},
        effect="write",
        risk="low",
        reversal=NoReversal(why="a test"),
        target=target,
        timeout_ms=timeout_ms,
    )


def _ask(
    target: HttpTarget,
    role: Role = "run",
    arguments: dict[str, Any] | None = None,
    *,
    timeout_ms: int = 5_000,
    environ: dict[str, str] | None = None,
    times: int = 1,
) -> Answer:
    """Call `target` through the port; the last of the answers."""

    async def body() -> Answer:
        http = HttpEffectors(environ or {})
        try:
            for _ in range(times - 1):
                await http.invoke(_contract(target, timeout_ms), target, role, arguments or {}, CALL)
            return await http.invoke(_contract(target, timeout_ms), target, role, arguments or {}, CALL)
        finally:
            await http.close()

    return anyio.run(body)


# -- what is sent ----------------------------------------------------------------------------------------------------


@pytest.mark.proves("effector.http_request")
def test_an_action_becomes_one_request(server: Server) -> None:
    """Path, body, key, attempt, fence and deadline arrive as the contract and the call say."""
    target = HttpTarget(url=f"{server.url}/orders/{{order}}/refunds?dry={{dry}}", method="POST")
    _ask(target, arguments={"order": "Ä 1%2/x", "dry": False, "amount_minor": 1900, "note": 'für "Ana"\r\nX: y'})

    (seen,) = server.seen
    assert (seen.method, seen.path) == ("POST", "/orders/%C3%84%201%252%2Fx/refunds?dry=false")
    assert json.loads(seen.body) == {"amount_minor": 1900, "note": 'für "Ana"\r\nX: y'}
    assert {name: seen.headers[name] for name in seen.headers if name.startswith(("i", "content-type"))} == {
        "idempotency-key": "order 7/refund",
        "interlock-action": "a-1",
        "interlock-attempt": "2",
        "interlock-fence": "3",
        "interlock-deadline": "1800000000000",
        "content-type": "application/json",
    }


def test_a_get_carries_its_arguments_in_the_query(server: Server) -> None:
    """Plain values, lists and objects of a GET go behind what the URL already has, and there is no body."""
    target = HttpTarget(url=f"{server.url}/find?fixed=1", method="GET")
    _ask(target, arguments={"q": "a&b=c d", "n": 3, "all": True, "ids": [1, "x"], "in": {"a": 1}, "none": None})

    (seen,) = server.seen
    assert seen.body == b""
    assert parse_qsl(urlsplit(seen.path).query) == [
        ("fixed", "1"),
        ("q", "a&b=c d"),
        ("n", "3"),
        ("all", "true"),
        ("ids", "1"),
        ("ids", "x"),
        ("in", '{"a":1}'),
    ]


@pytest.mark.parametrize(
    ("method", "arguments", "body"),
    [
        ("POST", {}, b"{}"),
        ("PUT", {"n": 1}, b'{"n":1}'),
        ("PATCH", {}, b"{}"),
        ("DELETE", {}, b""),
        ("DELETE", {"why": "x"}, b'{"why":"x"}'),
    ],
)
def test_methods_have_the_bodies_they_need(server: Server, method: Any, arguments: dict[str, Any], body: bytes) -> None:
    """A DELETE without further arguments has no body, what writes always has one."""
    _ask(HttpTarget(url=server.url, method=method), arguments=arguments)

    assert (server.seen[0].method, server.seen[0].body) == (method, body)


def test_places_reach_into_the_call_and_the_result(server: Server) -> None:
    """A lookup can ask by key, a commit can name what was reserved, a postcondition the result."""
    lookup = HttpTarget(url=f"{server.url}/by-key/{{call.idempotency_key}}?of={{order.id}}", method="GET")
    commit = HttpTarget(url=f"{server.url}/r/{{call.prepared.id}}?if={{call.precondition.etag}}", method="POST")
    after = HttpTarget(url=f"{server.url}/p/{{sku}}/{{result.price.id}}", method="GET")
    _ask(lookup, "lookup", {"order": {"id": "o1"}})
    _ask(commit, "run")
    _ask(after, "postcondition", {"args": {"sku": "A-1"}, "result": {"price": {"id": 7}}})

    assert [seen.path for seen in server.seen] == ["/by-key/order%207%2Frefund?of=o1", "/r/r-9?if=v1", "/p/A-1/7"]


def test_a_postcondition_by_post_is_told_everything(server: Server) -> None:
    """The body of a postcondition is the arguments and the result."""
    told = {"args": {"sku": "A-1"}, "result": {"ok": True}}
    _ask(HttpTarget(url=f"{server.url}/holds"), "postcondition", told)

    assert json.loads(server.seen[0].body) == told


def test_another_header_may_carry_the_key(server: Server) -> None:
    """The contract names the header of the key, or none."""
    _ask(HttpTarget(url=server.url, key_header="X-Request-Id"))
    _ask(HttpTarget(url=server.url, key_header=""))

    assert server.seen[0].headers["x-request-id"] == CALL.idempotency_key
    assert CALL.idempotency_key not in server.seen[1].headers.values()


@pytest.mark.proves("effector.secrets_from_environment")
def test_secrets_come_from_the_environment_at_call_time(server: Server) -> None:
    """`${NAME}` is filled in for each call, from the environment of the process that calls."""
    environ = {"SHOP_AUTH": "s3cret"}
    target = HttpTarget(url=server.url, headers={"Authorization": "Bearer ${SHOP_AUTH}", "X-Plain": "$5 {a}"})
    http = HttpEffectors(environ)

    async def body() -> None:
        await http.invoke(_contract(target), target, "run", {}, CALL)
        environ.update(SHOP_AUTH="rotated")
        await http.invoke(_contract(target), target, "run", {}, CALL)
        await http.close()

    anyio.run(body)
    assert [seen.headers["authorization"] for seen in server.seen] == ["Bearer s3cret", "Bearer rotated"]
    assert server.seen[0].headers["x-plain"] == "$5 {a}"
    assert not http.missing(target)
    assert HttpEffectors({}).missing(target)
    assert HttpEffectors()._environ is os.environ


@pytest.mark.proves("effector.secrets_from_environment")
@pytest.mark.parametrize("value", ["", "tail\n", "a\r\nX-Injected: 1", "schön", " x"])
def test_a_secret_that_is_missing_or_no_line_sends_nothing(server: Server, value: str) -> None:
    """A missing or broken variable is the operator's fault, is named, and its value is not repeated."""
    target = HttpTarget(url=server.url, headers={"Authorization": "${SHOP_AUTH}"})
    with pytest.raises(EffectorError) as caught:
        _ask(target, environ={"SHOP_AUTH": value})

    assert "Authorization" in caught.value.detail
    assert len(value) < 4 or value.strip() not in caught.value.detail
    assert server.seen == []


@pytest.mark.parametrize(
    "target",
    [
        HttpTarget(url="ftp://host/x"),
        HttpTarget(url="/relative"),
        HttpTarget(url="https://"),
        HttpTarget(url="https://{host}/x"),
        HttpTarget(url="https://user:{host}@h/x"),
        HttpTarget(url="https://h:{port}/x"),
        HttpTarget(url="https://h:99999/x"),
        HttpTarget(url="https://h/x#{part}"),
        HttpTarget(url="https://h/{}"),
        HttpTarget(url="https://h/{a b}"),
        HttpTarget(url="https://h/{a"),
        HttpTarget(url="https://h/\nx"),
        HttpTarget(url="https://h/ x"),
        HttpTarget(url="https://[::1/x"),
        HttpTarget(url="https://h/x", headers={"Content-Length": "0"}),
        HttpTarget(url="https://h/x", headers={"transfer-encoding": "chunked"}),
        HttpTarget(url="https://h/x", headers={"Host": "other"}),
        HttpTarget(url="https://h/x", headers={"Bad Name": "x"}),
        HttpTarget(url="https://h/x", headers={"X": "a\r\nb"}),
        HttpTarget(url="https://h/x", headers={"idempotency-KEY": "mine"}),
        HttpTarget(url="https://h/x", headers={"Interlock-Fence": "9"}),
        HttpTarget(url="https://h/x", key_header="Bad Name"),
    ],
    ids=lambda target: f"{target.url} {target.headers} {target.key_header}",
)
def test_a_target_that_could_never_be_asked_is_the_contracts_fault(target: HttpTarget) -> None:
    """A URL that is none, a place in its host, and headers that frame or belong to the gate are refused."""
    with pytest.raises(EffectorError):
        _ask(target, arguments={"host": "h", "port": 1, "part": "p", "a": "a"})


@pytest.mark.proves("effector.no_path_escape")
@pytest.mark.parametrize(
    "value",
    [
        "..",
        ".",
        "",
        "../admin",
        "a/../../b",
        "..\\admin",
        "a/..",
        "x\r\nHost: evil",
        "x\x00",
        "x\x7f",
        "\ud800",
        None,
        [1],
        {},
    ],
)
def test_an_argument_cannot_leave_its_place_in_the_path(server: Server, value: Any) -> None:
    """What could be read as another path, or as another header, is not sent; whoever asks learns nothing by it."""
    target = HttpTarget(url=f"{server.url}/orders/{{id}}", method="DELETE")

    assert isinstance(_ask(target, arguments={"id": value}), Nothing)
    assert isinstance(_ask(target, "lookup", arguments={"id": value}), Unsure)
    assert server.seen == []


def test_places_cannot_be_joined_to_dots(server: Server) -> None:
    """Two harmless arguments that make a dotted segment together are refused."""
    target = HttpTarget(url=f"{server.url}/a/{{x}}{{y}}/b")

    assert isinstance(_ask(target, arguments={"x": ".", "y": "."}), Nothing)
    assert isinstance(_ask(HttpTarget(url=f"{server.url}/a/.{{x}}/b"), arguments={"x": "%2e"}), Landed)
    assert [seen.path for seen in server.seen] == ["/a/.%252e/b"]


@pytest.mark.proves("effector.no_path_escape")
@given(st.text(min_size=1, max_size=30), st.text(max_size=30))
def test_any_argument_arrives_as_itself_or_not_at_all(segment: str, word: str) -> None:
    """For all texts: the request's path has the contract's segments, and decoding gives the argument back."""
    target = HttpTarget(url="https://h/orders/{id}/lines?q={word}", method="GET")
    try:
        request = request_for(target, "run", {"id": segment, "word": word}, CALL, {})
    except UnfitError:
        assert set(segment + word) & {chr(code) for code in (*range(32), 127)} or "." in segment
        return

    parts = urlsplit(request.url)
    assert parts.netloc == "h"
    _, orders, sent, lines = parts.path.split("/")
    assert (orders, unquote(sent), lines) == ("orders", segment, "lines")
    assert parse_qsl(parts.query, keep_blank_values=True) == [("q", word)]


def test_a_place_without_an_argument_sends_nothing(server: Server) -> None:
    """An optional argument that the address needs is missing: nothing was sent."""
    answer = _ask(HttpTarget(url=f"{server.url}/{{id}}"))

    assert answer == Nothing("there is no value for `id` in the address")
    assert server.seen == []


@pytest.mark.parametrize("key", ["ümlaut", "line\nbreak", "", " lead"])
def test_a_key_that_no_header_can_carry_sends_nothing(key: str) -> None:
    """A key chosen by the caller that cannot be sent as it is, is not sent changed."""
    call = Call(action_id=ActionId("a"), idempotency_key=key)

    with pytest.raises(UnfitError, match="idempotency key"):
        request_for(HttpTarget(url="https://h/"), "run", {}, call, {})


# -- what answers mean -----------------------------------------------------------------------------------------------

RUN: dict[int, type[Answer]] = {
    200: Landed,
    201: Landed,
    204: Landed,
    301: Unsure,
    303: Unsure,
    307: Unsure,
    400: Nothing,
    401: Nothing,
    404: Nothing,
    408: Unsure,
    409: Nothing,
    410: Nothing,
    412: Nothing,
    422: Nothing,
    425: Unsure,
    429: Unsure,
    500: Unsure,
    502: Unsure,
    503: Unsure,
    504: Unsure,
    599: Unsure,
}


@pytest.mark.proves("effector.http_answers")
@pytest.mark.parametrize("status", RUN)
def test_a_status_says_what_happened(server: Server, status: int) -> None:
    """For what acts: 2xx it landed, a refusal is nothing, and what leaves it open is unsure."""
    server.act = lambda handler: handler.say(status, b"" if status == 204 else b'"said"')

    assert isinstance(_ask(HttpTarget(url=server.url)), RUN[status])
    assert isinstance(_ask(HttpTarget(url=server.url), "prepare"), RUN[status])


@pytest.mark.proves("effector.lookup_failure_is_unsure")
@pytest.mark.parametrize("status", RUN)
def test_a_lookup_is_answered_by_200_and_404_alone(server: Server, status: int) -> None:
    """Only 404 says that it did not happen; every other failure to ask proves nothing."""
    server.act = lambda handler: handler.say(status, b"" if status == 204 else b'"said"')

    expected = Landed if status < 300 else Nothing if status == 404 else Unsure
    assert isinstance(_ask(HttpTarget(url=server.url, method="GET"), "lookup"), expected)
    assert isinstance(_ask(HttpTarget(url=server.url, method="GET"), "facts"), Landed if status < 300 else Unsure)


@pytest.mark.parametrize("status", RUN)
def test_a_postcondition_is_a_status(server: Server, status: int) -> None:
    """2xx it holds; 404, 409 and 412 it does not; anything else is unsure."""
    server.act = lambda handler: handler.say(status)
    answer = _ask(HttpTarget(url=server.url), "postcondition", {"args": {}, "result": None})

    known = {True: Landed(True), False: Landed(False) if status in (404, 409, 412) else None}[status < 300]
    assert answer == known if known else isinstance(answer, Unsure)


def test_a_refusal_is_quoted(server: Server) -> None:
    """The beginning of what a refusal says is repeated, on one line."""
    server.act = lambda handler: handler.say(422, b"the price\nis \x1b[31mtoo low " + b"x" * 5000)
    answer = _ask(HttpTarget(url=server.url))

    assert isinstance(answer, Nothing)
    assert answer.why.startswith("422 Unprocessable Entity: the price is [31mtoo low xxx")
    assert len(answer.why) < 250


BODIES: dict[str, tuple[bytes, str, Any]] = {
    "object": (b'{"id":7,"ok":true,"x":null}', "application/json; charset=utf-8", {"id": 7, "ok": True, "x": None}),
    "problem": (b'["a"]', "application/problem+json", ["a"]),
    "nothing": (b"", "application/json", None),
    "no type": (b"[1]", "", [1]),
    "text": (b"[1]", "text/plain", "[1]"),
    "not JSON": (b"<html>", "application/json", "<html>"),
    "money": (b'{"total":12.50,"e":1e400}', "application/json", {"total": "12.50", "e": "1e400"}),
    "long": (
        b"[12345678901234567890,-9007199254740992,1]",
        "application/json",
        ["12345678901234567890", "-9007199254740992", 1],
    ),
    "huge": (b"9" * 5000, "application/json", "9" * 5000),
    "NaN": (b"[NaN]", "application/json", "[NaN]"),
    "twice": (b'{"a":1,"a":2}', "application/json", '{"a":1,"a":2}'),
    "deep": (b"[" * 100_000, "application/json", "[" * 100_000),
    "nested": (b"[" * 70 + b"]" * 70, "application/json", "[" * 70 + "]" * 70),
    "surrogate": (b'"\\ud800"', "application/json", '"\\ud800"'),
    "not UTF-8": (b'"\xff"', "application/json", '"\N{REPLACEMENT CHARACTER}"'),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_result_is_exact_json_or_text(server: Server, name: str) -> None:
    """Numbers without an exact form become text, and what is no unambiguous JSON stays the text that was sent."""
    body, kind, expected = BODIES[name]
    server.act = lambda handler: handler.say(200, body, kind)

    assert _ask(HttpTarget(url=server.url)) == Landed(expected)


def test_a_redirect_is_not_followed(server: Server) -> None:
    """A redirect could lead the request, with its headers, to anybody: only one request is made."""
    server.act = lambda handler: handler.say(307, Location=f"{server.url}/elsewhere")

    assert isinstance(_ask(HttpTarget(url=server.url)), Unsure)
    assert len(server.seen) == 1


def test_cookies_are_not_kept(server: Server) -> None:
    """What one answer sets is not sent with the next call, which may belong to another agent."""
    server.act = lambda handler: handler.say(200, b"{}", Set_Cookie="session=ana; Path=/")
    _ask(HttpTarget(url=server.url), times=2)

    assert len(server.seen) == 2
    assert "cookie" not in server.seen[1].headers


def test_every_call_has_its_own_connection(server: Server) -> None:
    """Connections are not kept: nothing left over from one answer can be taken for another."""
    ports: set[int] = set()

    def act(handler: Handler) -> None:
        ports.add(handler.client_address[1])
        handler.say(200, b"{}")

    server.act = act
    _ask(HttpTarget(url=server.url), times=5)
    assert len(ports) == 5
    assert {seen.headers["connection"] for seen in server.seen} == {"close"}


def test_a_client_outlives_its_loop(server: Server) -> None:
    """One set of effectors serves a program that runs one event loop after another."""
    http = HttpEffectors({})
    target = HttpTarget(url=server.url)

    async def once() -> Answer:
        answer = await http.invoke(_contract(target), target, "run", {}, CALL)
        await http.close()
        return answer

    assert [anyio.run(once), anyio.run(once)] == [Landed({}), Landed({})]


# -- servers that break ----------------------------------------------------------------------------------------------


def _flood(handler: Handler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(100 * 1024 * 1024))
    handler.end_headers()
    for _ in range(1600):
        handler.wfile.write(bytes(65_536))


def _flood_unannounced(handler: Handler) -> None:
    handler.raw(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
    for _ in range(1600):
        handler.wfile.write(bytes(65_536))


def _hang(handler: Handler) -> None:
    handler.server.released.wait(10)
    handler.close_connection = True


def _hang_after_headers(handler: Handler) -> None:
    handler.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab")
    handler.server.released.wait(10)


def _reset(handler: Handler) -> None:
    # Closing with a linger of nothing is a reset.
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True


def _drip(handler: Handler) -> None:
    handler.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    while not handler.server.released.wait(0.05):
        handler.wfile.write(b"x")


BROKEN: dict[str, Act] = {
    "hangs": _hang,
    "hangs after the headers": _hang_after_headers,
    "drips": _drip,
    "closes without a word": lambda handler: handler.raw(b""),
    "closes in the headers": lambda handler: handler.raw(b"HTTP/1.1 200 OK\r\nContent-Le"),
    "closes in the body": lambda handler: handler.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{}"),
    "resets": _reset,
    "speaks something else": lambda handler: handler.raw(b"220 mail ready\r\n"),
    "has endless headers": lambda handler: handler.raw(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 2_000_000),
    "has a bad length": lambda handler: handler.raw(b"HTTP/1.1 200 OK\r\nContent-Length: two\r\n\r\n{}"),
    "has two lengths": lambda handler: handler.raw(
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}x"
    ),
    "has bad chunks": lambda handler: handler.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}"),
    "floods": _flood,
    "floods unannounced": _flood_unannounced,
    "compresses unasked": lambda handler: handler.say(200, b"\x1f\x8b", Content_Encoding="gzip"),
    "closes after a server error": lambda handler: handler.raw(b"HTTP/1.1 500 No\r\nContent-Length: 500\r\n\r\noops"),
}


@pytest.mark.proves("effector.unsure_by_default", "effector.timeout")
@pytest.mark.parametrize("role", ["run", "lookup"])
@pytest.mark.parametrize("how", BROKEN)
def test_a_broken_answer_leaves_it_open(server: Server, how: str, role: Role) -> None:
    """However a server fails once the request was sent, the answer is unsure, and comes within the time."""
    server.act = BROKEN[how]
    began = time.monotonic()
    answer = _ask(HttpTarget(url=server.url), role, timeout_ms=400)

    assert isinstance(answer, Unsure), answer
    assert time.monotonic() - began < 3
    assert len(server.seen) == 1


def test_a_flood_is_not_read(server: Server) -> None:
    """Of an endless answer no more is read than the limit and what was under way."""
    sent = 0

    def act(handler: Handler) -> None:
        nonlocal sent
        handler.raw(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(3200):
            sent += handler.connection.send(bytes(65_536))

    server.act = act
    _ask(HttpTarget(url=server.url))
    assert sent < 20 * MAX_ANSWER_BYTES


def test_an_answer_may_be_as_long_as_the_limit(server: Server) -> None:
    """Exactly 1 MiB is read, one byte more is not, announced or not."""
    body = b"x" * MAX_ANSWER_BYTES
    server.act = lambda handler: handler.say(200, body, "text/plain")
    assert _ask(HttpTarget(url=server.url)) == Landed(body.decode())

    server.act = lambda handler: handler.say(200, body + b"x", "text/plain")
    assert isinstance(_ask(HttpTarget(url=server.url)), Unsure)
    server.act = lambda handler: handler.raw(b"HTTP/1.1 200 OK\r\n\r\n" + body + b"x")
    assert isinstance(_ask(HttpTarget(url=server.url)), Unsure)


def test_a_refusal_with_a_broken_body_is_still_one(server: Server) -> None:
    """A status that refuses decides, whatever becomes of the words after it."""
    server.act = lambda handler: handler.raw(b"HTTP/1.1 422 No\r\nContent-Length: 500\r\n\r\ntoo lo")

    assert _ask(HttpTarget(url=server.url)) == Nothing("422 No: too lo")


@pytest.mark.proves("effector.own_answer")
def test_more_than_was_announced_does_not_reach_the_next_answer(server: Server) -> None:
    """What a server sends beyond its announced length is not taken for the answer to the next call."""
    evil = b'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n"evil"'
    first = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"

    def act(handler: Handler) -> None:
        if len(server.seen) == 1:
            handler.wfile.write(first + evil)
        else:
            handler.say(200, b'"good"')

    server.act = act
    assert _ask(HttpTarget(url=server.url)) == Landed({})
    server.seen.clear()
    assert _ask(HttpTarget(url=server.url), times=2) == Landed("good")


# -- nothing was sent ------------------------------------------------------------------------------------------------


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.proves("effector.not_begun")
@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "no-such-host.invalid"])
def test_without_a_connection_nothing_happened(host: str) -> None:
    """A closed port and an unknown host mean that nothing was sent; a lookup has learnt nothing by that."""
    target = HttpTarget(url=f"http://{host.format(port=_free_port())}/x")
    answer = _ask(target)

    assert isinstance(answer, Nothing)
    assert answer.why.startswith("nothing was sent")
    for role in ("lookup", "facts", "postcondition"):
        assert isinstance(_ask(target, role), Unsure)


@pytest.mark.proves("effector.not_begun")
def test_a_connection_that_never_opens_is_nothing() -> None:
    """A server that does not take connections in time was sent nothing."""
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen(0)
        port = busy.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(("127.0.0.1", port))
        time.sleep(0.1)
        answer = _ask(HttpTarget(url=f"http://127.0.0.1:{port}/"), timeout_ms=300)
        for each in waiting:
            each.close()

    assert answer == Nothing("nothing was sent: no answer within 300 ms")


@pytest.mark.proves("effector.not_begun")
def test_a_failed_handshake_is_nothing(server: Server) -> None:
    """A server that does not speak TLS was sent no request."""
    answer = _ask(HttpTarget(url=server.url.replace("http://", "https://")), timeout_ms=2_000)

    assert isinstance(answer, Nothing)
    assert server.seen == []


def test_many_calls_at_once_have_their_own_answers(server: Server) -> None:
    """A hundred calls at once each get the answer to their own request."""
    server.act = lambda handler: handler.say(200, handler.path.rpartition("/")[2].encode())
    target = HttpTarget(url=f"{server.url}/{{n}}")
    answers: dict[int, Answer] = {}

    async def body() -> None:
        http = HttpEffectors({})

        async def one(n: int) -> None:
            answers[n] = await http.invoke(_contract(target, 20_000), target, "run", {"n": n}, CALL)

        async with anyio.create_task_group() as group:
            for n in range(100):
                group.start_soon(partial(one, n))
        await http.close()

    anyio.run(body)
    assert answers == {n: Landed(n) for n in range(100)}
