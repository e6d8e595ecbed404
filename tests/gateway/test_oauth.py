"""The gateway as a resource server: clients of the protocol's own package with access tokens, over real sockets and processes."""

import hashlib
import json
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import anyio
import httpx
import httpx2
import mcp_types as types
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from mcp.client.auth.utils import (
    build_protected_resource_metadata_discovery_urls,
    extract_resource_metadata_from_www_auth,
)
from mcp.client.client import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import ProtectedResourceMetadata

import interlock
from tests.adapters.issuers import Provider, b64, jwk_of, signed
from tests.gateway.kit import INITIALIZE, PROGRAM, House, actions, house, said, stateless, tasks
from tests.workspaces import Place, forget, workspace

pytestmark = pytest.mark.anyio
RESOURCE = "http://127.0.0.1/mcp"
ISSUER = "https://id.example"
GATEWAY = """\
gateway:
  resource: {resource}
  issuers:
    - issuer: https://id.example
      keys: {keys}
      scopes: {{put: [box.put], look: [box.look]}}
      clients: [{{client: assistant, agent: ag, purpose: tidy up}}]
"""


@pytest.fixture(name="provider", scope="module")
def _provider() -> Iterator[Provider]:
    with Provider() as made:
        yield made


@pytest.fixture(name="place")
def _place(tmp_path: Path, provider: Provider) -> Iterator[Place]:
    made = workspace(tmp_path)
    settings = made.folder / "interlock.yaml"
    settings.write_text(settings.read_text() + GATEWAY.format(resource=RESOURCE, keys=provider.address))
    with interlock.open(tmp_path, apply=True):
        pass
    yield made
    forget(made)


@pytest.fixture(name="doors")
def _doors(place: Place) -> Iterator[tuple[House, House]]:
    """Two processes of one gateway."""
    both = house(place), house(place)
    yield both
    for each in both:
        each.kill()


def token(provider: Provider, **changes: object) -> str:
    """A token of the issuer's for this gateway."""
    now = int(time.time())
    claims = {"iss": ISSUER, "sub": "ana", "aud": RESOURCE, "client_id": "assistant", "iat": now, "exp": now + 300}
    head = {"alg": "Ed25519", "kid": "ed", "typ": "at+jwt"}
    return signed(provider.ed, head, {**claims, "scope": "put", **changes})


class Dpop(httpx2.Auth):
    """A program that holds a key, and proves that with every request."""

    def __init__(self) -> None:
        self.key = ed25519.Ed25519PrivateKey.generate()
        self.jwk = {name: value for name, value in jwk_of(self.key, "").items() if name != "kid"}
        members = json.dumps(self.jwk, separators=(",", ":"), sort_keys=True)
        self.thumbprint = b64(hashlib.sha256(members.encode()).digest())
        self.token = ""

    def headers(self, method: str) -> dict[str, str]:
        """What one request bears."""
        ath = b64(hashlib.sha256(self.token.encode()).digest())
        said = {"jti": uuid4().hex, "htm": method, "htu": RESOURCE, "iat": int(time.time()), "ath": ath}
        proof = signed(self.key, {"typ": "dpop+jwt", "alg": "Ed25519", "jwk": self.jwk}, said)
        return {"authorization": f"DPoP {self.token}", "dpop": proof}

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        """A proof of its own for each."""
        request.headers.update(self.headers(request.method))
        yield request


@pytest.mark.proves("oauth.metadata")
def test_the_official_client_finds_whose_tokens_count(doors: tuple[House, House]) -> None:
    """From the challenge of the first refusal the protocol's own package reads where to look, and what stands there is for it."""
    refused = doors[0].ask(body=INITIALIZE)
    origin = doors[0].url.removesuffix("/mcp")
    read = httpx2.Response(refused.status_code, headers=dict(refused.headers))
    found = extract_resource_metadata_from_www_auth(read)
    assert (refused.status_code, found) == (401, "http://127.0.0.1/.well-known/oauth-protected-resource/mcp")
    for address in build_protected_resource_metadata_discovery_urls(None, doors[0].url):
        answer = httpx.get(address)
        metadata = ProtectedResourceMetadata.model_validate_json(answer.content)
        assert (str(metadata.resource), [str(each) for each in metadata.authorization_servers]) == (
            RESOURCE,
            [ISSUER],
        )
        assert metadata.scopes_supported == ["put", "look"]
    assert httpx.get(f"{origin}/.well-known/oauth-protected-resource/other").status_code == 404
    assert httpx.post(f"{origin}/.well-known/oauth-protected-resource").status_code == 405


@pytest.mark.proves("oauth.lets_in", "oauth.scopes")
async def test_a_client_with_a_token_calls_as_its_agent(doors: tuple[House, House], provider: Provider) -> None:
    """Its calls are actions of the agent the file names, on behalf of the token's subject; it sees the tools of its scopes
    alone."""
    text = token(provider)
    async with doors[0].client(text) as mcp:
        listed = [each.name for each in (await mcp.list_tools()).tools]
        result = await mcp.call_tool("box__put", {"n": 3})

    assert [each for each in listed if each.startswith("box")] == ["box__put"]
    assert said(result) == {"n": 3, "word": "x"}
    [task] = await tasks(doors[0].place)
    assert (task.agent, task.initiator, task.purpose) == ("ag", "user:ana", "tidy up")
    assert task.through == f"oauth:{ISSUER}#assistant"
    for wrong in (token(provider, aud="https://other.example"), token(provider, scope="openid"), f"{text}x"):
        refused = doors[1].ask(body=INITIALIZE, authorization=f"Bearer {wrong}")
        assert refused.status_code in (401, 403)
        assert wrong.split(".")[1] not in refused.text


@pytest.mark.proves("gateway.steps_up")
@pytest.mark.parametrize("era", ["handshake", "stateless"])
async def test_a_scope_that_is_missing_is_asked_for(doors: tuple[House, House], provider: Provider, era: str) -> None:
    """A call of a tool that another scope opens is answered as RFC 6750 says, with the scope and where to look, in both eras, and
    nothing is proposed; a tool that no scope of the issuer opens is for the gate. With the scope the same call passes."""
    for scope, tool, status in (("put", "box__look", 403), ("put", "box__mail", 200), ("put look", "box__look", 200)):
        bearing = {"authorization": f"Bearer {token(provider, scope=scope)}"}
        body, headers = stateless(1, tool, {"word": "w"} if tool == "box__look" else {"to": "x"})
        if era == "handshake":
            begun = doors[0].ask(body=INITIALIZE, **bearing)
            headers = {"mcp-session-id": begun.headers["mcp-session-id"]}
        answer = doors[0].ask(body=body, **bearing, **headers)
        assert answer.status_code == status
        if status == 403:
            challenge = answer.headers["www-authenticate"]
            assert 'error="insufficient_scope", ' in challenge
            assert 'scope="look", resource_metadata="http' in challenge
            assert await actions(doors[0].place) == []
    assert [(each.contract, each.state) for each in await actions(doors[0].place)] == [
        ("box.look", "done"),
        ("box.mail", "refused"),
    ]


@pytest.mark.proves("gateway.own_tickets")
async def test_a_narrower_token_reads_no_ticket_of_a_wider_one(doors: tuple[House, House], provider: Provider) -> None:
    """What was proposed under one scope is not there for a token of the same program and person that lacks it, neither to read
    nor to take back; a renewed token that has it, at another process of the gateway, reads it."""
    meta: Any = {"interlock/hold": "ticket"}
    async with doors[0].client(token(provider, scope="put look")) as mcp:
        ticket = said(await mcp.call_tool("box__put", {"n": 500}, meta=meta))["ticket"]
    answers: Any = {"interlock_waiting": types.ElicitResult(action="accept", content={"then": "withdraw"})}
    async with doors[1].client(token(provider, scope="look")) as mcp:
        read = await mcp.call_tool("interlock_ticket", {"ticket": ticket})
        none = await mcp.call_tool("interlock_ticket", {"ticket": ticket[:-1] + ("0" if ticket[-1] != "0" else "1")})
        taken = await mcp.session.call_tool("box__look", {"word": "w"}, input_responses=answers, request_state=ticket)
    assert (said(read)["code"], said(none)["code"], said(taken)["code"]) == ("not_found",) * 3
    assert said(taken)["detail"] == said(read)["detail"]
    async with doors[1].client(token(provider, scope="put")) as mcp:
        read = await mcp.call_tool("interlock_ticket", {"ticket": ticket})
    assert said(read)["state"] == "held"


@pytest.mark.proves("dpop.proven", "dpop.once")
async def test_a_bound_token_works_with_its_key_alone_and_each_proof_once(
    doors: tuple[House, House], provider: Provider
) -> None:
    """The official client with a proof for every request works; the token alone, another's proof, and a proof that another
    process of the gateway heard before are refused."""
    program, thief = Dpop(), Dpop()
    program.token = thief.token = token(provider, cnf={"jkt": program.thumbprint})
    async with (
        httpx2.AsyncClient(auth=program, timeout=20) as http,
        Client(streamable_http_client(doors[0].url, http_client=http)) as mcp,
    ):
        assert said(await mcp.call_tool("box__put", {"n": 4})) == {"n": 4, "word": "x"}

    alone = doors[0].ask(body=INITIALIZE, authorization=f"Bearer {program.token}")
    assert (alone.status_code, alone.headers["www-authenticate"].partition(" ")[0]) == (401, "DPoP")
    assert doors[0].ask(body=INITIALIZE, **thief.headers("POST")).status_code == 401
    heard = program.headers("POST")
    statuses = [each.ask(body=INITIALIZE, **heard).status_code for each in (*doors, *doors)]
    assert statuses == [200, 401, 401, 401]


def test_a_token_in_the_address_is_refused(doors: tuple[House, House], provider: Provider) -> None:
    """Even where it would count, and beside one in a header that does."""
    text = token(provider)
    asked: Any = {"headers": {"authorization": f"Bearer {text}", "accept": "application/json, text/event-stream"}}
    answer = httpx.post(f"{doors[0].url}?access_token={text}", json=INITIALIZE, **asked)
    assert (answer.status_code, "invalid_request" in answer.headers["www-authenticate"]) == (400, True)


@pytest.mark.proves("bearing.streams_end")
async def test_who_is_not_let_in_any_more_hears_no_more(doors: tuple[House, House]) -> None:
    """A stream that was opened with a key ends within seconds of its revocation, another's goes on."""
    ended = {name: anyio.Event() for name in ("mine", "theirs")}
    keys = {"mine": doors[0].key(), "theirs": doors[0].key("ag", "user:bob")}

    async def listen(name: str, begun: anyio.Event) -> None:
        headers = {"authorization": f"Bearer {keys[name]}", "accept": "application/json, text/event-stream"}
        async with httpx.AsyncClient(timeout=30, headers=headers) as client:
            first = await client.post(doors[0].url, json=INITIALIZE)
            session = {"mcp-session-id": first.headers["mcp-session-id"]}
            async with client.stream("GET", doors[0].url, headers=session) as answer:
                assert answer.status_code == 200
                begun.set()
                async for _ in answer.aiter_bytes():
                    pass
        ended[name].set()

    async with anyio.create_task_group() as group:
        for name in ended:
            begun = anyio.Event()
            group.start_soon(listen, name, begun)
            await begun.wait()
        name = keys["mine"].partition(".")[0].removeprefix("ila_")
        said = ["-w", str(doors[0].place.folder), "--as", "rita", "agent", "key", "revoke", name]
        await anyio.run_process([PROGRAM, *said])
        with anyio.fail_after(10):
            await ended["mine"].wait()
        assert not ended["theirs"].is_set()
        group.cancel_scope.cancel()


def test_the_gateway_answers_under_its_own_name(doors: tuple[House, House]) -> None:
    """Beside what this machine calls itself, the host of `resource`, and no other."""
    for host, status in (("127.0.0.1", 401), ("localhost:8700", 401), ("evil.example", 421)):
        assert doors[0].ask(body=INITIALIZE, host=host).status_code == status
