"""What a gateway's HTTP asks at its door, over a real workspace: whose tokens count, who bears one, and what is said of
neither."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from interlock.bootstrap.connecting import connect
from interlock.bootstrap.site import definition, read_site
from interlock.domain.access_token import Resource
from interlock.domain.errors import EffectorError, InterlockError, NotAdmitted, RateExceeded
from interlock.domain.hosting import Hosting
from interlock.services.plane import ControlPlane
from interlock.web.bearing import Answer, borne_of, metadata_answer, refusal_answer, send_answer
from tests.adapters.issuers import Provider, b64, jwk_of, signed
from tests.workspaces import forget, workspace

pytestmark = pytest.mark.anyio
RESOURCE = "https://gateway.example/behind/mcp"
METADATA = "https://gateway.example/.well-known/oauth-protected-resource/behind/mcp"
HOSTING = Hosting(proxies=("10.0.0.0/8",))
GATEWAY = """\
gateway:
  resource: {resource}
  issuers:
    - issuer: https://id.example
      keys: {keys}
      scopes: {{look: [box.look], put: ["box.*"]}}
      clients: [{{client: assistant, agent: ag, purpose: tidy up, for: [mcp, models], budgets: {{calls: 9}}}}]
"""


@pytest.fixture(name="provider", scope="module")
def _provider() -> Iterator[Provider]:
    with Provider() as made:
        yield made


@pytest.fixture(name="folder")
def _folder(tmp_path: Path, provider: Provider) -> Iterator[Path]:
    place = workspace(tmp_path / "ws")
    settings = place.folder / "interlock.yaml"
    settings.write_text(settings.read_text() + GATEWAY.format(resource=RESOURCE, keys=provider.address))
    yield place.folder
    forget(place)


def scope(
    path: str = "/mcp", method: str = "POST", query: bytes = b"", **headers: str | tuple[str, ...]
) -> dict[str, Any]:
    """A request as ASGI has it."""
    named = [
        (name, value) for name, found in headers.items() for value in ((found,) if isinstance(found, str) else found)
    ]
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "headers": [(name.title().encode(), value.encode()) for name, value in named],
    }


def token(plane: ControlPlane, provider: Provider, **changes: object) -> str:
    """A token of the issuer's for this gateway."""
    now = plane.means.clock.now() // 1000
    said = {
        "iss": "https://id.example",
        "sub": "ana",
        "aud": RESOURCE,
        "client_id": "assistant",
        "iat": now,
        "exp": now + 60,
    }
    head = {"alg": "Ed25519", "kid": "ed", "typ": "at+jwt"}
    return signed(provider.ed, head, {**said, "scope": "look", **changes})


@pytest.mark.proves("oauth.metadata")
async def test_whose_tokens_count_is_published(folder: Path) -> None:
    """The document of RFC 9728 names this resource exactly as tokens must, its issuers and scopes, at both places where clients
    look; the challenge leads there."""
    plane = connect(folder, begin=True)
    try:
        resource = plane.bearing.resource
        for path in (
            "/.well-known/oauth-protected-resource",
            "/.well-known/oauth-protected-resource/mcp",
            "/.well-known/oauth-protected-resource/behind/mcp",
        ):
            answer = metadata_answer(resource, scope(path, "GET"))
            assert answer is not None
            said = json.loads(answer.body)
            assert (answer.status, said["resource"]) == (200, RESOURCE)
            assert said["authorization_servers"] == ["https://id.example"]
            assert said["bearer_methods_supported"] == ["header"]
            assert said["scopes_supported"] == ["look", "put"]
            head = metadata_answer(resource, scope(path, "HEAD"))
            assert head is not None
            assert (head.status, head.body) == (200, b"")
            refused = metadata_answer(resource, scope(path, "POST"))
            assert refused is not None
            assert refused.status == 405
        assert metadata_answer(resource, scope("/mcp", "GET")) is None
        assert metadata_answer(Resource(), scope("/.well-known/oauth-protected-resource", "GET")) is None
        with pytest.raises(NotAdmitted) as nobody:
            await plane.bearing.admit(borne_of(scope(), HOSTING), "mcp")
        answer = refusal_answer(nobody.value)
        assert answer.status == 401
        assert dict(answer.headers)[b"www-authenticate"] == f'Bearer resource_metadata="{METADATA}"'.encode()
    finally:
        await plane.close()


@pytest.mark.proves("oauth.lets_in", "dpop.once")
async def test_over_a_real_store_a_proof_counts_once(folder: Path, provider: Provider) -> None:
    """Two processes on one store behind a proxy that takes a prefix away: a proof for the address as clients see it lets in
    once."""
    one, two = connect(folder, begin=True), connect(folder)
    key = ed25519.Ed25519PrivateKey.generate()
    jwk = {name: value for name, value in jwk_of(key, "").items() if name != "kid"}
    jkt = b64(hashlib.sha256(json.dumps(jwk, separators=(",", ":"), sort_keys=True).encode()).digest())
    try:
        await _apply(one, folder)
        text = token(one, provider, cnf={"jkt": jkt})
        said = {"jti": "1", "htm": "POST", "htu": RESOURCE, "iat": one.means.clock.now() // 1000}
        said["ath"] = b64(hashlib.sha256(text.encode()).digest())
        proof = signed(key, {"typ": "dpop+jwt", "alg": "Ed25519", "jwk": jwk}, said)
        request = borne_of(scope(authorization=f"DPoP {text}", dpop=proof), HOSTING)

        bearer = await one.bearing.admit(request, "mcp")
        for plane in (two, one):
            with pytest.raises(NotAdmitted, match="used before"):
                await plane.bearing.admit(request, "mcp")

        assert (bearer.key_thumbprint, bearer.bounds.budgets) == (jkt, {"calls": 9})
        assert bearer.bounds.tools is not None
        assert set(bearer.bounds.tools.tools) == {"box.look"}
        with pytest.raises(NotAdmitted, match="scopes"):
            one.bearing.must_open(bearer, "box.put")
    finally:
        await one.close()
        await two.close()


@pytest.mark.proves("bearing.secrets_kept_nowhere")
async def test_a_token_is_kept_nowhere(folder: Path, provider: Provider, caplog: pytest.LogCaptureFixture) -> None:
    """Tokens and proofs that were borne, right and wrong, stand in no file of the workspace, no log of the program and no
    answer."""
    plane = connect(folder, begin=True)
    try:
        await _apply(plane, folder)
        text, wrong = token(plane, provider), token(plane, provider, aud="https://other.example")
        key, _ = await plane.agent_keys.make("ag", by="rita", purpose="tidy up")  # type: ignore[arg-type]  # plain words
        told = b""
        for borne in (text, wrong, f"{wrong}x", key, f"{key[:-1]}g"):
            request = borne_of(scope(authorization=f"Bearer {borne}"), HOSTING)
            told += repr(request).encode()
            try:
                bearer = await plane.bearing.admit(request, "mcp")
                await plane.tasks.open(bearer.opening(plane.means.clock.now()))
            except InterlockError as error:
                answer = refusal_answer(error)
                told += answer.body + repr(answer.headers).encode() + str(error).encode()
    finally:
        await plane.close()
    kept = b"".join(each.read_bytes() for each in sorted(folder.rglob("*")) if each.is_file())  # noqa: ASYNC240  nothing runs
    files = kept + told + caplog.text.encode()
    for borne in (text, wrong, key):
        for part in borne.split(".")[1:]:
            assert part.encode() not in files


async def test_headers_are_taken_as_they_came() -> None:
    """Each header of the name counts, in whatever letters; a raw path is taken as it was asked, without the query; where it comes
    from is what our own proxies say."""
    request = scope("/mcp%2F", query=b"x=1", authorization=("Bearer a", "Bearer b"), dpop="p")
    borne = borne_of(request, HOSTING)
    assert borne.authorization == ("Bearer a", "Bearer b")
    assert (borne.path, borne.query, borne.dpop) == ("/mcp%2F", "x=1", ("p",))
    request["client"] = ("10.0.0.1", 40000)
    request["headers"] += [(b"x-forwarded-for", b"198.51.100.9"), (b"x-forwarded-for", b"192.0.2.1, 10.0.0.2")]
    assert (borne.address, borne_of(request, HOSTING).address) == ("", "192.0.2.1")
    assert borne_of({"path": "/é", "headers": []}, HOSTING).path.encode("latin-1").decode() == "/é"


async def test_answers_are_whole() -> None:
    """A refusal is a problem of RFC 9457, says when to come again, and is sent as one answer; one of ours has no challenge."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    crowded = refusal_answer(RateExceeded("too many", scope="gateway", calls=50, per_ms=1, again_at=1))
    await send_answer(crowded, send)
    assert (crowded.status, dict(crowded.headers)[b"retry-after"]) == (429, b"60")
    assert [each["type"] for each in sent] == ["http.response.start", "http.response.body"]
    assert refusal_answer(EffectorError("keys")).status == 503
    late = refusal_answer(EffectorError("keys"), 408, {"allow": "GET"})
    assert (late.status, json.loads(late.body)["status"], dict(late.headers)[b"allow"]) == (408, 408, b"GET")
    assert isinstance(crowded, Answer)


async def _apply(plane: ControlPlane, folder: Path) -> None:
    await plane.registry.apply(definition(read_site(folder)), by="test")
