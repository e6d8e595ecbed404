"""Signing in with an identity provider: there and back, and everything that must not let anybody in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc.jwk import ECKey

from tests.web.idp import SECRET, Idp
from tests.web.test_sign_in import PEOPLE
from tests.web.world import ORIGIN, Served, served

pytestmark = pytest.mark.anyio


@asynccontextmanager
async def with_provider(folder: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncGenerator[tuple[Served, Idp]]:
    """The server of a workspace that names an identity provider."""
    monkeypatch.setenv("OIDC_SECRET", SECRET)
    with Idp() as idp:
        async with served(folder, people=PEOPLE, settings=idp.settings()) as site:
            yield site, idp


async def went(site: Served, where: str = "/") -> tuple[str, str]:
    """Where a browser is sent by the button, and the cookie it carries there and back."""
    answer = await site.anonymous.get("/sign-in/provider", params={"next": where})
    assert answer.status_code == 303
    cookie = answer.headers["set-cookie"].partition(";")[0]
    assert {"HttpOnly", "SameSite=Lax", "Max-Age=600"} <= set(answer.headers["set-cookie"].split("; "))
    site.anonymous.cookies.clear()
    return answer.headers["location"], cookie


async def came(site: Served, address: str, cookie: str) -> httpx.Response:
    """Back from there."""
    answer = await site.anonymous.get(address.removeprefix(ORIGIN), headers={"cookie": cookie} if cookie else {})
    site.anonymous.cookies.clear()
    return answer


def signs_in(answer: httpx.Response) -> bool:
    """Whether an answer begins a session."""
    return any(each.startswith("interlock=") for each in answer.headers.get_list("set-cookie"))


@pytest.mark.proves("access.provider")
async def test_there_and_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The button leads to the provider with PKCE, state and nonce; back from there whom it names is signed in, once."""
    async with with_provider(tmp_path, monkeypatch) as (site, idp):
        assert "Sign in with Acme" in (await site.anonymous.get("/sign-in")).text
        address, cookie = await went(site, "/v1/x?a=b")
        assert address.startswith(f"{idp.issuer}/authorize?")
        back = idp.visited(address)
        answer = await came(site, back, cookie)
        again = await came(site, back, cookie)
        (seen,) = await site.plane.sessions.all()

    assert (answer.status_code, answer.headers["location"], signs_in(answer)) == (303, "/v1/x?a=b", True)
    assert (again.status_code, signs_in(again)) == (401, False)
    assert (seen.person, seen.session.way, idp.answered) == ("rita", "oidc", 1)


LIES: list[dict[str, Any]] = [
    {"nonce": "another"},
    {"nonce": None},
    {"aud": "somebody-else"},
    {"aud": ["interlock", "somebody-else"]},
    {"azp": "somebody-else"},
    {"iss": "https://evil.example"},
    {"exp": 1},
    {"exp": None},
    {"iat": 4_000_000_000},
    {"sub": ""},
    {"email_verified": False},
    {"email_verified": "true"},
    {"email_verified": None},
    {"email": "mallory@example.org"},
    {"email": "root"},
    {"email": None},
]


@pytest.mark.proves("access.provider")
async def test_a_token_that_says_anything_else_lets_nobody_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of another sign-in, for somebody else, of another issuer, too old, of an address nobody verified, of nobody here."""
    async with with_provider(tmp_path, monkeypatch) as (site, idp):
        for lie in LIES:
            idp.lies = lie
            address, cookie = await went(site)
            answer = await came(site, idp.visited(address), cookie)
            assert (lie, answer.status_code, signs_in(answer)) == (lie, 401, False)
        idp.lies, idp.signs = {}, ECKey.generate_key("P-256", {"kid": "k"})
        address, cookie = await went(site)
        forged = await came(site, idp.visited(address), cookie)
        assert (forged.status_code, await site.plane.sessions.all()) == (401, [])


@pytest.mark.proves("access.provider")
async def test_only_the_browser_that_went_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its cookie, with another way's, with another code, with an answer of another provider, or with one that came back
    before: nobody is signed in."""
    async with with_provider(tmp_path, monkeypatch) as (site, idp):
        first, cookie = await went(site)
        second, other = await went(site)
        back = idp.visited(first)
        assert (await came(site, back, "")).status_code == 401
        assert (await came(site, back, other)).status_code == 401
        assert (await came(site, back.replace("code-0", "code-9"), cookie)).status_code == 401
        assert (await came(site, back, cookie)).status_code == 401  # its state was used up
        mixed = idp.visited(second).replace("iss=http", "iss=https")
        assert (await came(site, mixed, other)).status_code == 401
        third, cookie = await went(site)
        unsaid = idp.visited(third).partition("&iss=")[0]
        assert (await came(site, unsaid, cookie)).status_code == 401
        denied = await came(site, "/sign-in/provider/back?error=access_denied&error_description=<b>x</b>", cookie)
        assert "<b>" not in denied.text
        address, cookie = await went(site, "//evil.example")
        back = idp.visited(address)
        both = await asyncio.gather(came(site, back, cookie), came(site, back, cookie))
        assert sorted((each.status_code, signs_in(each)) for each in both) == [(303, True), (401, False)]
        assert {each.headers.get("location", "/") for each in both} == {"/"}


@pytest.mark.proves("access.provider")
async def test_an_address_that_passes_to_another_account_is_not_the_same_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The provider names rita's address with another subject: not let in, until an admin says so."""
    async with with_provider(tmp_path, monkeypatch) as (site, idp):
        for subject, status in (("17", 303), ("18", 401)):
            idp.claims["sub"] = subject
            address, cookie = await went(site)
            assert (await came(site, idp.visited(address), cookie)).status_code == status
        await site.plane.signing_in.forget_provider((await site.plane.sessions.all())[0].person, by="ada")
        address, cookie = await went(site)
        assert (await came(site, idp.visited(address), cookie)).status_code == 303


@pytest.mark.parametrize(
    "published",
    [{"issuer": "https://evil.example"}, {"token_endpoint": "http://evil.example/token"}, {"jwks_uri": 1}],
)
async def test_a_provider_that_is_not_what_it_says_is_not_gone_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, published: dict[str, object]
) -> None:
    """Another issuer than was named, an address without TLS, or what cannot be read: nobody is sent anywhere."""
    async with with_provider(tmp_path, monkeypatch) as (site, idp):
        idp.publishes = published
        answer = await site.anonymous.get("/sign-in/provider")

    assert answer.status_code == 503
    assert "location" not in answer.headers


async def test_without_a_provider_there_is_no_way(tmp_path: Path) -> None:
    """A workspace that names none: no button, and no page."""
    async with served(tmp_path, people=PEOPLE) as site:
        assert "Sign in with" not in (await site.anonymous.get("/sign-in")).text
        assert (await site.anonymous.get("/sign-in/provider")).status_code == 404
