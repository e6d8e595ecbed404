"""What is held against the head of a request before anything of it is believed, by every door alike."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.domain.errors import InterlockError
from interlock.domain.refusals import BadRequest, NoHost, TooLarge
from interlock.web.head import host_name, origin_name, said_length, sound_head

HOSTS = frozenset({"localhost", "::1"})
ONCE = (b"host", b"content-length")


def scope(*headers: tuple[bytes, bytes], query: bytes = b"", version: str = "1.1") -> dict[str, Any]:
    """A request as ASGI has it."""
    return {"headers": headers, "query_string": query, "http_version": version}


@pytest.mark.parametrize(
    ("headers", "query", "version", "error"),
    [
        ([(b"Host", b"localhost"), (b"host", b"localhost")], b"", "1.1", BadRequest),
        (
            [(b"host", b"localhost"), (b"transfer-encoding", b"chunked"), (b"content-length", b"1")],
            b"",
            "1.1",
            BadRequest,
        ),
        ([(b"host", b"localhost"), (b"transfer-encoding", b"chunked")], b"", "1.0", BadRequest),
        ([(b"host", b"evil.example")], b"", "1.1", NoHost),
        ([], b"", "1.1", NoHost),
        ([(b"host", b"localhost"), (b"x", b"y" * 200)], b"", "1.1", TooLarge),
        ([(b"host", b"localhost")], b"y" * 200, "1.1", TooLarge),
    ],
)
def test_a_head_that_could_be_read_in_two_ways_is_refused(
    headers: list[tuple[bytes, bytes]], query: bytes, version: str, error: type[InterlockError]
) -> None:
    """Twice, in two lengths, for another host, too long: each by its own error."""
    with pytest.raises(error):
        sound_head(scope(*headers, query=query, version=version), HOSTS, most=100, once=ONCE)


def test_a_sound_head_is_its_headers_by_name() -> None:
    """In lower case, whatever letters they came in."""
    head = sound_head(scope((b"Host", b"[::1]:8787"), (b"Content-Length", b"12")), HOSTS, most=100, once=ONCE)
    assert head == {b"host": b"[::1]:8787", b"content-length": b"12"}
    assert said_length(head) == 12
    assert said_length({}) == 0
    for wrong in (b"", b"-1", b"1_0", b"0x1", "²".encode("latin-1"), b"9" * 5_000):
        assert said_length({b"content-length": wrong}) is None


@given(st.binary(max_size=60) | st.sampled_from([b"http://[", b"http://[::1", b"null", b"http://a]", b"//[v1.x]/"]))
def test_no_name_is_an_error(raw: bytes) -> None:
    """Whatever stands where a name should: it is one, or it is empty."""
    assert isinstance(origin_name(raw), str)
    assert isinstance(host_name(raw), str)
