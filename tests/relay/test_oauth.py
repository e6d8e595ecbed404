"""The relay as a resource server: access tokens of an issuer over real sockets, right and wrong in every way."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from interlock.domain.task import Task
from tests.adapters.issuers import Provider, b64, jwk_of, signed
from tests.relay.kit import HI, SECRET, Site, relayed
from tests.relay.provider import USAGE

pytestmark = pytest.mark.anyio
ORIGIN = "http://127.0.0.1"
METADATA = f"{ORIGIN}/.well-known/oauth-protected-resource/mcp"
PATH = "/v1/chat/completions"
GATEWAY = """\
gateway:
  resource: http://127.0.0.1/mcp
  issuers:
    - issuer: https://id.example
      keys: {keys}
      scopes: {{models: [interlock.model_use], look: [box.look]}}
      clients:
        - {{client: assistant, agent: ag, purpose: answer letters, for: [mcp, models], budgets: {{tokens: 9000}}}}
        - {{client: toolbox, agent: ag, purpose: tidy up}}
"""


@pytest.fixture(name="issuer", scope="module")
def _issuer() -> Iterator[Provider]:
    with Provider() as made:
        yield made


def token(issuer: Provider, **changes: object) -> str:
    """A token of the issuer's for models."""
    now = int(time.time())
    claims = {"iss": "https://id.example", "sub": "ana", "aud": f"{ORIGIN}/mcp", "client_id": "assistant", "iat": now}
    said = {**claims, "exp": now + 300, "scope": "models", **changes}
    return signed(issuer.ed, {"alg": "Ed25519", "kid": "ed", "typ": "at+jwt"}, said)


async def asked(site: Site, text: str, scheme: str = "Bearer", **headers: str) -> httpx.Response:
    """One question that bears it."""
    async with httpx.AsyncClient(base_url=site.url, timeout=30) as client:
        said = {"authorization": f"{scheme} {text}", **headers}
        return await client.post(PATH, json={"model": "alone", "messages": HI}, headers=said)


@pytest.mark.proves("oauth.lets_in", "oauth.scopes", "oauth.refuses", "relay.deny")
async def test_a_token_asks_models_where_it_is_for_them(tmp_path: Path, issuer: Provider) -> None:
    """One that is right asks as the agent that the file names, on behalf of its subject, within its client's budget; one that has
    expired, is for somebody else, is of another client or lacks the scope hears what would do, and no model is asked."""
    now = int(time.time())
    async with relayed(tmp_path, gateway=GATEWAY.format(keys=issuer.address)) as site:
        right = await asked(site, token(issuer))
        other = await asked(site, token(issuer, sub="bob", scope="look models"))
        refused = {
            "expired": token(issuer, iat=now - 400, exp=now - 100),
            "audience": token(issuer, aud="https://other.example/mcp"),
            "signature": token(issuer)[:-4] + "AAAA",
            "scope": token(issuer, scope="look"),
            "none": token(issuer, scope="openid"),
            "surface": token(issuer, client_id="toolbox"),
            "client": token(issuer, client_id="stranger"),
        }
        found = {name: await asked(site, text) for name, text in refused.items()}
        tasks = await site.plane.means.store.all(Task)
        uses = await site.uses()

    assert (right.status_code, right.json()["usage"]) == (200, USAGE)
    assert [(task.agent, task.initiator, task.purpose) for task in sorted(tasks, key=lambda each: each.id)] == [
        ("ag", "user:ana", "answer letters"),
        ("ag", "user:bob", "answer letters"),
    ]
    assert tasks[0].through == "oauth:https://id.example#assistant"
    assert tasks[0].budgets["tokens"] == 9000
    assert right.headers["x-interlock-task"] != other.headers["x-interlock-task"]
    assert {name: got.status_code for name, got in found.items()} == {
        **dict.fromkeys(("expired", "audience", "signature"), 401),
        **dict.fromkeys(("scope", "none", "surface", "client"), 403),
    }
    challenges = {name: got.headers["www-authenticate"] for name, got in found.items()}
    assert all(each.endswith(f'resource_metadata="{METADATA}"') for each in challenges.values())
    for name in ("expired", "audience", "signature"):
        assert challenges[name].startswith('Bearer error="invalid_token"')
    for name in ("scope", "none", "surface", "client"):
        assert challenges[name].startswith('Bearer error="insufficient_scope"')
    assert 'scope="models"' in challenges["scope"]
    assert 'scope="models look"' in challenges["none"]
    assert "scope=" not in challenges["surface"] + challenges["client"]
    for name, got in found.items():
        error = got.json()["error"]
        assert (error["code"], error["type"]) == (
            "not_admitted",
            "authentication_error" if got.status_code == 401 else "permission_error",
        )
        assert refused[name].split(".")[1] not in got.text + str(got.headers)
    assert len(site.first.asked) == len(uses) == 2
    assert {each.headers["authorization"] for each in site.first.asked} == {f"Bearer {SECRET}"}


@pytest.mark.proves("dpop.proven", "dpop.once")
async def test_a_bound_token_asks_with_its_key_alone(tmp_path: Path, issuer: Provider) -> None:
    """With a proof for this very request it asks once; without one, with the proof of another request or key, or with one that
    was used, it does not."""
    key, thief = ed25519.Ed25519PrivateKey.generate(), ed25519.Ed25519PrivateKey.generate()
    text = token(issuer, cnf={"jkt": _thumbprint(key)})
    async with relayed(tmp_path, gateway=GATEWAY.format(keys=issuer.address)) as site:
        once = _proof(key, text)
        found = [
            await asked(site, text),
            await asked(site, text, "DPoP"),
            await asked(site, text, "DPoP", dpop=_proof(thief, text)),
            await asked(site, text, "DPoP", dpop=_proof(key, text, htu=f"{ORIGIN}/mcp")),
            await asked(site, text, "DPoP", dpop=_proof(key, text, htm="GET")),
            await asked(site, text, "DPoP", dpop=once),
            await asked(site, text, "DPoP", dpop=once),
        ]
        sent = [each.headers for each in site.first.asked]

    assert [each.status_code for each in found] == [401, 401, 401, 401, 401, 200, 401]
    assert all(each.headers["www-authenticate"].startswith("DPoP ") for each in found if each.status_code == 401)
    assert len(sent) == 1
    assert "dpop" not in sent[0]


def _jwk(key: ed25519.Ed25519PrivateKey) -> dict[str, str]:
    return {name: value for name, value in jwk_of(key, "").items() if name != "kid"}


def _thumbprint(key: ed25519.Ed25519PrivateKey) -> str:
    return b64(hashlib.sha256(json.dumps(_jwk(key), separators=(",", ":"), sort_keys=True).encode()).digest())


def _proof(key: ed25519.Ed25519PrivateKey, text: str, htm: str = "POST", htu: str = ORIGIN + PATH) -> str:
    ath = b64(hashlib.sha256(text.encode()).digest())
    said = {"jti": uuid4().hex, "htm": htm, "htu": htu, "iat": int(time.time()), "ath": ath}
    return signed(key, {"typ": "dpop+jwt", "alg": "Ed25519", "jwk": _jwk(key)}, said)
