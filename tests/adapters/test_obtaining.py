"""Credentials for servers behind the gateway: obtained apart, used at the last moment, and shown to nobody."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx2
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st

from interlock.adapters.obtaining.assertion import assertion
from interlock.adapters.obtaining.endpoint import places
from interlock.adapters.obtaining.tokens import AGAIN_MS, MAX_BYTES, Tokens
from interlock.adapters.obtaining.transport import MASK, Authorised, Masked
from interlock.domain.errors import EffectorError
from interlock.domain.upstream_auth import ClientCredentials
from tests.adapters.authorization import Issuing, Taking

pytestmark = pytest.mark.anyio
SERVER = "https://tools.example/mcp"
HIS, WRONG, NOWHERE = "env:SECRET", "env:WRONG", "env:NOWHERE"
CLOSED = "http://127.0.0.1:9/token"


@pytest.fixture(name="issuing")
def _issuing() -> Iterator[Issuing]:
    with Issuing() as made:
        yield made


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.at = 1_800_000_000_000

    def __call__(self) -> int:
        """UTC ms."""
        return self.at


def account(issuing: Issuing, **changes: Any) -> ClientCredentials:
    """By its secret, the address asked of the issuer."""
    made = ClientCredentials(client=issuing.client, issuer=issuing.address, secret=HIS, scope="a b")
    return msgspec.structs.replace(made, **changes)


def tokens(issuing: Issuing, clock: Clock | None = None, folder: Path = Path(), **changes: Any) -> Tokens:
    """Those of that account."""
    environ = {"SECRET": issuing.secret, "WRONG": "wrong"}
    return Tokens(account(issuing, **changes), SERVER, folder, environ, now=clock or Clock())


async def refusal(source: Tokens, issuing: Issuing) -> str:
    """Why none can be had; and nothing secret is said."""
    with pytest.raises(EffectorError) as caught:
        await source.token()
    told = str(caught.value.problem())
    assert issuing.secret not in told
    assert "s3cret" not in told
    assert all(each not in told for each in issuing.given)
    return caught.value.detail


@pytest.mark.proves("upstream.credentials")
async def test_a_token_is_had_by_a_secret_for_one_server(issuing: Issuing) -> None:
    """Where is asked of the issuer, once; the secret goes in the header, each part encoded; the token is made for that server,
    in the scope of the file."""
    source = tokens(issuing)

    token = await source.token()

    assert token == issuing.given[0]
    assert issuing.forms == [{"grant_type": "client_credentials", "resource": SERVER, "scope": "a b"}]
    assert [path for path, _, _ in issuing.asked] == ["/.well-known/oauth-authorization-server", "/token"]
    assert await source.token() == token
    other = tokens(issuing, issuer="", token_url=f"{issuing.address}/token", resource="https://other.example", scope="")
    await other.token()
    assert issuing.forms[1] == {"grant_type": "client_credentials", "resource": "https://other.example"}
    assert "_Held" in repr(source._held)
    assert token not in repr(source._held)


@pytest.mark.proves("upstream.credentials")
async def test_a_token_is_had_by_a_key_without_any_secret(issuing: Issuing, tmp_path: Path) -> None:
    """A client that signs sends no secret: an assertion for that issuer, that counts for a minute and once."""
    pem = issuing.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key.pem").write_bytes(pem)
    source = tokens(issuing, Clock(), tmp_path, secret="", key="file:key.pem", key_id="2026-1")

    assert await source.token() == issuing.given[0]
    assert "authorization" not in issuing.asked[-1][1]
    first = issuing.forms[0]["client_assertion"]
    await source.token(instead_of=issuing.given[0])
    assert issuing.forms[1]["client_assertion"] != first


@pytest.mark.proves("upstream.credentials")
async def test_it_is_kept_until_shortly_before_its_end(issuing: Issuing) -> None:
    """One is used for nearly its time, then another is had; of one whose time is not said, five minutes; of a short one three
    quarters; of many who ask at once, one is had."""
    clock = Clock()
    source = tokens(issuing, clock)
    async with anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(source.token)
    assert len(issuing.given) == 1
    clock.at += 269_000
    assert await source.token() == issuing.given[0]
    clock.at += 1_000
    issuing.lasts = 8
    assert await source.token() == issuing.given[1]
    clock.at += 5_999
    assert await source.token() == issuing.given[1]
    clock.at += 1
    issuing.lasts = None
    assert await source.token() == issuing.given[2]
    clock.at += 270_000
    issuing.lasts = 0
    assert await source.token() == issuing.given[3]
    assert await source.token() == issuing.given[4]


async def test_what_cannot_be_had_is_said_without_any_secret(issuing: Issuing, tmp_path: Path) -> None:
    """A wrong secret, one that is not there, no key, an issuer that calls itself otherwise or leads elsewhere, answers that are
    none, too long or forwarded: each an error that says what to do, and asks no more for two seconds."""
    clock = Clock()
    wrong = tokens(issuing, clock, secret=WRONG)
    assert "401 invalid_client" in await refusal(wrong, issuing)
    asked = len(issuing.asked)
    await refusal(wrong, issuing)
    assert len(issuing.asked) == asked
    clock.at += AGAIN_MS
    await refusal(wrong, issuing)
    assert len(issuing.asked) == asked + 1
    assert "NOWHERE" in await refusal(tokens(issuing, secret=NOWHERE), issuing)
    (tmp_path / "no.pem").write_text(f"no key {issuing.secret}")
    assert "no private key" in await refusal(tokens(issuing, Clock(), tmp_path, secret="", key="file:no.pem"), issuing)
    answers: tuple[tuple[int, dict[str, str], bytes], ...] = (
        (200, {}, b"{}"),
        (200, {}, b"[" * 9_000),
        (200, {}, b'{"access_token": "a b", "token_type": "Bearer"}'),
        (200, {}, b'{"access_token": "a\\nb", "token_type": "Bearer"}'),
        (200, {}, b'{"access_token": "abc", "token_type": "DPoP"}'),
        (200, {}, b"x" * (MAX_BYTES + 1)),
        (302, {"location": f"{issuing.address}/token"}, b""),
        (400, {}, b'{"error": "s3cret"}'),
        (500, {}, b"s3cret"),
    )
    for answer in answers:
        issuing.instead = lambda answer=answer: answer
        assert "gives no token" in await refusal(tokens(issuing), issuing)
    issuing.instead = None
    for said in (
        {"issuer": "https://other.example", "token_endpoint": f"{issuing.address}/token"},
        {"issuer": issuing.address, "token_endpoint": "http://other.example/token"},
        {"issuer": issuing.address},
    ):
        issuing.metadata = said
        await refusal(tokens(issuing), issuing)
    assert issuing.given == []
    assert "gives no token" in await refusal(tokens(issuing, issuer="", token_url=CLOSED), issuing)


@pytest.mark.proves("upstream.credentials")
async def test_a_refused_token_is_renewed_once(issuing: Issuing) -> None:
    """On 401 another token is had and the request sent once more, whole; a second 401 is the answer, and where no other can be
    had the first is."""
    with Taking(issuing) as server:
        source = tokens(issuing)
        async with httpx2.AsyncClient(transport=Authorised(httpx2.AsyncHTTPTransport(), source)) as client:
            assert (await client.post(server.address, json={"n": 1})).status_code == 200
            server.refuses.add(issuing.given[0])
            answer = await client.post(server.address, json={"n": 2})
            assert (answer.status_code, len(issuing.given)) == (200, 2)
            assert server.asked[-1][2] == server.asked[-2][2] == b'{"n":2}'
            server.refuses |= {issuing.given[1], f"upstream-token/2-{'a1b2' * 8}"}
            assert (await client.post(server.address)).status_code == 401
            assert len(issuing.given) == 3
            issuing.instead = lambda: (500, {}, b"")
            assert (await client.post(server.address)).status_code == 401
        async with httpx2.AsyncClient(transport=Authorised(httpx2.AsyncHTTPTransport(), tokens(issuing))) as client:
            before = len(server.asked)
            with pytest.raises(httpx2.ConnectError, match="gives no token"):
                await client.post(server.address)
            assert len(server.asked) == before


@pytest.mark.proves("upstream.never_shown")
async def test_what_a_server_writes_back_of_the_credential_is_masked(issuing: Issuing) -> None:
    """A server that echoes the token in a body, as JSON may write it, or in a header, or in a refusal, tells nobody."""
    with Taking(issuing) as server:
        transport = Authorised(httpx2.AsyncHTTPTransport(), tokens(issuing))
        async with httpx2.AsyncClient(transport=transport) as client:
            answer = await client.post(server.address, content=b"abc")
            server.refuses = {*issuing.given, f"upstream-token/1-{'a1b2' * 8}"}
            refused = await client.post(server.address)

    for each in (answer, refused):
        said = each.text + str(dict(each.headers))
        assert MASK.decode() in said
        assert "a1b2a1b2" not in said
    assert '"sent": "abc"' in answer.text


class _Chunks(httpx2.AsyncByteStream):
    def __init__(self, parts: list[bytes]) -> None:
        self.parts = parts

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for each in self.parts:
            yield each


@given(
    st.lists(st.sampled_from([b"ab", b"a", b"b/", b"/c", b"ab/cab", b"x", b"ab\\/c", b"data: 1\n\n"]), max_size=12),
)
async def test_a_secret_is_found_however_it_is_cut(parts: list[bytes]) -> None:
    """Whatever the pieces, what is read is the whole with each secret masked, and nothing else is changed or held back at the
    end."""
    secret = b"ab/cab"
    read = b"".join([each async for each in Masked(_Chunks(parts), [secret])])
    whole = b"".join(parts)

    assert secret not in read
    assert b"ab\\/cab" not in read
    if secret not in whole and b"ab\\/cab" not in whole:
        assert read == whole
    assert read.replace(MASK, b"").count(b"x") == whole.count(b"x")


async def test_nothing_is_held_back_that_is_no_beginning_of_a_secret() -> None:
    """An event is read when it came, not when the next does."""
    parts = [b"data: 1\n\n", b"data: 2\n\n"]
    assert [each async for each in Masked(_Chunks(parts), [b"secret-token"])] == parts


@pytest.mark.parametrize(
    "key",
    [
        ec.generate_private_key(ec.SECP256R1()),
        rsa.generate_private_key(65537, 2048),
        ed25519.Ed25519PrivateKey.generate(),
    ],
    ids=["ec", "rsa", "ed"],
)
def test_keys_of_each_kind_sign(key: Any) -> None:
    """P-256, RSA and Ed25519, as PEM; a public key signs nothing."""
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    text = assertion(pem, client="c", audience="https://i.example", key_id="", now=1_000)
    assert text.count(".") == 2
    with pytest.raises(EffectorError):
        assertion("{}", client="c", audience="a", key_id="", now=1)


def test_where_metadata_is_looked_for() -> None:
    """Behind the host and before the path (RFC 8414), then below it (OpenID Connect)."""
    assert places("https://i.example/t1/") == (
        "https://i.example/.well-known/oauth-authorization-server/t1",
        "https://i.example/t1/.well-known/openid-configuration",
    )
