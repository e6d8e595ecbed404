"""The log's files over HTTP: what can be read, what is refused, and that nothing else happens. Real requests on a real socket."""

import gzip
import http.client
import socket
import threading
import time
from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from typing import NamedTuple

import anyio
import pytest

from interlock.api.log import LONGEST_PATH, LogServer
from interlock.api.serving import LARGEST_HEAD, serve
from interlock.domain.errors import StoreError
from interlock.domain.log_files import BundleId, edge_of
from interlock.domain.tiles import decode_bundle, tiles_of
from interlock.services.offering import log_file
from tests.domain.leaves import Leaves


class Got(NamedTuple):
    """An answer."""

    status: int
    headers: dict[str, str]
    body: bytes


class Served:
    """A log, and the server in front of it."""

    def __init__(self, log: Leaves) -> None:
        self.log = log
        self.port = 0
        self.broken = False
        self._ready = threading.Event()
        self._loop = threading.Thread(target=anyio.run, args=(self._serve,), daemon=True)
        self._loop.start()
        assert self._ready.wait(20)

    async def _serve(self) -> None:
        def started(address: str) -> None:
            self.port = int(address.rstrip("/").rpartition(":")[2])
            self._ready.set()

        async with anyio.create_task_group() as group:
            group.start_soon(partial(serve, LogServer(self._read), "127.0.0.1", 0, started))

    async def _read(self, path: str) -> bytes | None:
        if self.broken:
            raise StoreError("the store is on fire at /secret/place")
        return await log_file(self.log, path)

    def get(self, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> Got:
        """One request, the path exactly as it is written."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name.replace("_", "-"), value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        got = Got(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        connection.close()
        return got

    def raw(self, data: bytes) -> bytes:
        """Bytes as they are, and the first of what comes back."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as there:
            there.sendall(data)
            return there.recv(4096)


@pytest.fixture(name="served", scope="module")
def _served() -> Iterator[Served]:
    """A log of 700 entries."""
    made = Served(Leaves(700))
    yield made
    made.broken = False


@pytest.mark.proves("log.served")
def test_everything_a_reader_needs_is_there(served: Served) -> None:
    """Every tile and bundle of the size that the checkpoint names is served as the log has it."""
    assert served.get("/checkpoint").body.decode() == served.log.note
    for tile in tiles_of(700):
        hashes = served.get(f"/{tile.path()}").body
        assert hashes == anyio.run(served.log.tile, tile.level, tile.n, tile.width)
        if tile.level == 0:
            bundle = served.get(f"/{BundleId(n=tile.n, width=tile.width).path()}").body
            assert decode_bundle(bundle) == tuple(served.log.leaf(tile.n * 256 + n) for n in range(tile.width))


def test_an_older_reader_finds_its_narrower_tiles(served: Served) -> None:
    """A tile of a smaller log is the beginning of the one there is now."""
    for edge in edge_of(300):
        assert served.get(f"/{edge.path()}").body == anyio.run(served.log.tile, edge.level, edge.n, edge.width)


@pytest.mark.proves("log.served")
def test_what_never_changes_may_be_kept_for_ever(served: Served) -> None:
    """Tiles are immutable, the checkpoint is asked for again, and neither is sent twice to who has it."""
    tile, checkpoint = served.get("/tile/0/000"), served.get("/checkpoint")

    assert tile.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert tile.headers["content-type"] == "application/octet-stream"
    assert tile.headers["etag"] == f'"{sha256(tile.body).hexdigest()[:32]}"'
    assert checkpoint.headers["cache-control"] == "no-cache"
    assert checkpoint.headers["content-type"] == "text/plain; charset=utf-8"
    for got, path in ((tile, "/tile/0/000"), (checkpoint, "/checkpoint")):
        for known in (got.headers["etag"], f'"other", W/{got.headers["etag"]}'):
            again = served.get(path, If_None_Match=known)
            assert (again.status, again.body, again.headers["etag"]) == (304, b"", got.headers["etag"])
        assert served.get(path, If_None_Match='"other"').status == 200


def test_a_new_checkpoint_is_sent_to_who_has_the_old_one() -> None:
    """What grew is seen at once."""
    served = Served(Leaves(10))
    before = served.get("/checkpoint").headers["etag"]
    served.log.grow(11)

    after = served.get("/checkpoint", If_None_Match=before)
    assert (after.status, after.body.decode()) == (200, served.log.note)


def test_bundles_are_packed_for_who_can_unpack_them(served: Served) -> None:
    """Packed or not, it is the same bundle, and a cache can tell them apart."""
    plain = served.get("/tile/entries/000")
    packed = served.get("/tile/entries/000", Accept_Encoding="br, gzip;q=0.5")

    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert plain.headers["etag"] != packed.headers["etag"]
    assert plain.headers["vary"] == packed.headers["vary"] == "accept-encoding"
    for refused in ("gzip;q=0", "gzip; q=0.00", "br", "*, gzip;q=0"):
        assert "content-encoding" not in served.get("/tile/entries/000", Accept_Encoding=refused).headers
    assert "content-encoding" not in served.get("/tile/0/000", Accept_Encoding="gzip").headers


def test_head_is_get_without_a_body(served: Served) -> None:
    """The same headers, the length included."""
    for path in ("/checkpoint", "/tile/0/000", "/nothing"):
        got, told = served.get(path), served.get(path, "HEAD")
        assert (told.status, told.body) == (got.status, b"")
        assert {**told.headers, "date": ""} == {**got.headers, "date": ""}


NOT_THERE = [
    r"/",
    r"/tile",
    r"/tile/",
    r"/tile/0",
    r"/tile/0/",
    r"/tile/entries/",
    r"/index.html",
    r"/.git/config",
    r"/../etc/passwd",
    r"/tile/0/../0/000",
    r"/tile/0/./000",
    r"//checkpoint",
    r"/tile//0/000",
    r"/checkpoint/",
    r"/tile\0\000",
    r"/%63heckpoint",
    r"/tile/0/%30%30%30",
    r"/tile/0/000%00",
    r"/..%2f..%2fetc%2fpasswd",
    r"/checkpoint?x=1",
    r"/tile/0/000?y",
    r"/tile/0/000.p/0",
    r"/tile/0/000.p/256",
    r"/tile/0/000.p/01",
    r"/tile/0/000.p/",
    r"/tile/0/000.p",
    r"/tile/00/000",
    r"/tile/64/000",
    r"/tile/0/0",
    r"/tile/0/0000",
    r"/tile/0/x000/000",
    r"/tile/-1/000",
    r"/tile/0/00a",
    r"/tile/0/002",
    r"/tile/0/002.p/189",
    r"/tile/1/000.p/3",
    r"/tile/0/003.p/1",
    r"/tile/0/x999/x999/x999/x999/x999/999",
    r"/tile/entries/002",
    r"/tile/entries/002.p/189",
    r"/tile/Entries/000",
    r"/TILE/0/000",
    r"/tile/0/x999/x999/x999/x999/x999/x999/999",
    r"/tile/entries/x999/x999/x999/x999/x999/999",
    r"/tile/63/x036/x028/x797/x018/x963/967",
]


@pytest.mark.proves("log.serves_nothing_else")
@pytest.mark.parametrize(
    "path",
    [*NOT_THERE, "/tile/0/\N{ARABIC-INDIC DIGIT ONE}00", "/" + "x" * LONGEST_PATH, "/tile/0/" + "x999/" * 18 + "999"],
)
def test_no_other_path_is_anything(served: Served, path: str) -> None:
    """What the log does not have, however it is spelt, is not there; there is no listing and no second spelling."""
    target = path.encode()
    answer = served.raw(b"GET " + target + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

    status = int(answer.split(b" ")[1])
    assert status == 404 or (status == 400 and not path.isascii())
    assert b"etc" not in answer


def test_a_query_is_no_way_round_a_cache(served: Served) -> None:
    """The same file cannot be had under any number of addresses."""
    assert served.get("/checkpoint?1").status == 404
    assert served.get("/checkpoint").status == 200


@pytest.mark.proves("log.serves_nothing_else")
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "CONNECT"])
def test_nothing_can_be_written(served: Served, method: str) -> None:
    """Every method but two is refused, and says which these are."""
    got = served.get("/checkpoint", method)

    assert (got.status, got.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.proves("log.serves_nothing_else")
def test_a_body_is_refused_unread(served: Served) -> None:
    """A request that brings anything is refused before it is read, whatever its length claims to be."""
    assert served.get("/checkpoint", body=b"x" * 10).status == 413
    assert served.get("/checkpoint", body=b"").status == 200
    endless = b"GET /checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999\r\n\r\n" + b"x" * 100_000
    assert served.raw(endless).startswith(b"HTTP/1.1 413")
    chunked = b"GET /checkpoint HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
    assert served.raw(chunked).startswith(b"HTTP/1.1 413")


@pytest.mark.proves("log.serves_nothing_else")
def test_a_head_that_is_too_long_or_no_http_is_refused(served: Served) -> None:
    """Headers have a limit, and what is not HTTP gets no answer but that."""
    long = b"GET /checkpoint HTTP/1.1\r\nHost: x\r\nX: " + b"x" * (LARGEST_HEAD + 1000)
    assert served.raw(long).startswith(b"HTTP/1.1 400")
    assert served.raw(b"\x16\x03\x01\x02\x00 what is this\r\n\r\n").startswith(b"HTTP/1.1 400")
    assert served.get("/checkpoint").status == 200


@pytest.mark.proves("log.serves_nothing_else")
def test_trouble_behind_it_is_told_to_nobody_who_asks(served: Served) -> None:
    """Where the log cannot be read the answer says so, not why; afterwards everything is as before."""
    served.broken = True
    got = served.get("/checkpoint")
    served.broken = False

    assert (got.status, got.body) == (503, b"the log cannot be read now\n")
    assert got.headers["cache-control"] == "no-store"
    assert served.get("/checkpoint").status == 200


def test_a_short_answer_is_not_held_back(served: Served) -> None:
    """Head and body leave at once: an answer does not wait for the client to acknowledge its first half."""
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=20)
    took: list[float] = []
    for _ in range(10):
        began = time.perf_counter()
        connection.request("GET", "/tile/0/000")
        connection.getresponse().read()
        took.append(time.perf_counter() - began)
    connection.close()

    assert min(took) < 0.03


def test_it_does_not_say_what_it_is(served: Served) -> None:
    """No header names the program, and no answer is sniffed for another type."""
    for path in ("/checkpoint", "/nothing"):
        headers = served.get(path).headers
        assert "server" not in headers
        assert headers["x-content-type-options"] == "nosniff"
