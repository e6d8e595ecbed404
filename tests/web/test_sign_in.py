"""Signing in through the browser's door: links, passwords, cookies, and whose page asked."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from litestar.connection import ASGIConnection

from interlock.domain.hosting import Hosting
from interlock.domain.ids import Person
from interlock.domain.throttle import FREE_TRIES, FROM_ONE_PLACE
from interlock.web.access import form_token
from interlock.web.browser import back_to, cookie_with, from_own_page
from tests.web.world import ORIGIN, Served, served

pytestmark = pytest.mark.anyio

PEOPLE = "rita: [reviewer]\nria: [reviewer, lead]\nana: [reviewer]\nben: [viewer]\nada: [admin]\n"
RITA = Person("rita")
GOOD = "five words do very well"
OWN = {"origin": ORIGIN}


async def link(site: Served, person: str = "rita") -> str:
    """The path of a one-time link."""
    token, _ = await site.plane.signing_in.offer(Person(person), by="ada")
    return f"/sign-in/link/{token}"


async def token_of(site: Served, person: str = "rita") -> str:
    """What the cookie of somebody who signed in carries."""
    answer = await site.anonymous.post(await link(site, person), headers=OWN)
    assert answer.status_code == 303
    site.anonymous.cookies.clear()
    return re.match(r"interlock=([0-9a-f.]+);", answer.headers["set-cookie"])[1]  # type: ignore[index]


def cookie(token: str, **more: str) -> dict[str, str]:
    """The headers of a browser that is signed in, as it sends them from our own page."""
    return {"cookie": f"interlock={token}", **OWN, **more}


@pytest.mark.proves("access.links_once")
async def test_a_link_is_used_by_its_button_alone(tmp_path: Path) -> None:
    """Opening the page, however often and by whatever previews links, changes nothing; the button signs in, once."""
    async with served(tmp_path, people=PEOPLE) as site:
        path = await link(site)
        for _ in range(3):
            shown = await site.anonymous.get(path)
            assert shown.status_code == 200
            assert "Sign in as rita" in shown.text
            assert "set-cookie" not in shown.headers
        assert (await site.anonymous.head(path)).status_code in (200, 405)

        used = await site.anonymous.post(path, headers=OWN)
        site.anonymous.cookies.clear()
        again = await site.anonymous.post(path, headers=OWN)

    assert (used.status_code, used.headers["location"]) == (303, "/")
    assert (again.status_code, "set-cookie" in again.headers) == (401, False)
    assert "lets nobody in" in again.text


@pytest.mark.proves("access.links_once")
async def test_of_two_browsers_with_one_link_one_is_let_in(tmp_path: Path) -> None:
    """The button pressed in several browsers at once: one cookie is given."""
    async with served(tmp_path, people=PEOPLE) as site:
        path = await link(site)
        answers = await asyncio.gather(*(site.anonymous.post(path, headers=OWN) for _ in range(6)))

    assert sorted(each.status_code for each in answers) == [303, 401, 401, 401, 401, 401]
    assert sum("set-cookie" in each.headers for each in answers) == 1


@pytest.mark.proves("access.cookie")
async def test_the_cookie_is_for_this_host_and_no_script(tmp_path: Path) -> None:
    """HttpOnly, SameSite=Lax, Path=/, no Domain; behind TLS Secure and with the prefix that binds it to the host."""
    async with served(tmp_path, people=PEOPLE) as site:
        answer = await site.anonymous.post(await link(site), headers=OWN)
    flags = set(answer.headers["set-cookie"].split("; ")[1:])
    behind_tls = cookie_with("t", Hosting(public_url="https://a.example", host="a.example"))

    assert flags == {"Path=/", "Max-Age=604800", "HttpOnly", "SameSite=Lax"}
    assert behind_tls == "__Host-interlock=t; Path=/; Max-Age=604800; HttpOnly; SameSite=Lax; Secure"


@pytest.mark.proves("access.cookie")
async def test_a_cookie_somebody_planted_is_worth_nothing(tmp_path: Path) -> None:
    """Fixation: the session that begins is another than whatever the browser brought, and what it was is signed out."""
    async with served(tmp_path, people=PEOPLE) as site:
        planted = await token_of(site, "ben")
        path = await link(site)
        headers = cookie(planted, **{"x-csrf-token": form_token(planted)})
        answer = await site.anonymous.post(path, headers=headers)

        assert answer.status_code == 303
        assert planted not in answer.headers["set-cookie"]
        site.anonymous.cookies.clear()
        assert (await site.anonymous.get("/", headers=cookie(planted))).status_code == 303


async def test_a_password_signs_in_and_leads_back(tmp_path: Path) -> None:
    """The right one leads to where one wanted to go; a wrong one shows the page again with one sentence, and no cookie."""
    async with served(tmp_path, people=PEOPLE) as site:
        first = await site.plane.signing_in.by_link((await link(site)).rpartition("/")[2])
        await site.plane.signing_in.set_password(RITA, GOOD, session=first.session)
        form = {"name": "rita", "password": GOOD, "next": "/v1/x?a=b"}
        shown = await site.anonymous.get("/sign-in?next=/v1/x%3Fa%3Db")
        good = await site.anonymous.post("/sign-in", data=form, headers=OWN)
        site.anonymous.cookies.clear()
        bad = await site.anonymous.post("/sign-in", data={**form, "password": "<b>wrong</b>"}, headers=OWN)

    assert 'value="/v1/x?a=b"' in shown.text
    assert (good.status_code, good.headers["location"]) == (303, "/v1/x?a=b")
    assert (bad.status_code, "set-cookie" in bad.headers) == (401, False)
    assert "the name or the password is wrong" in bad.text
    assert "<b>" not in bad.text


async def test_too_many_wrong_passwords_are_told_when_to_come_back(tmp_path: Path) -> None:
    """The sixth try is not looked at: 429, and what to do instead."""
    async with served(tmp_path, people=PEOPLE) as site:
        for _ in range(FREE_TRIES):
            site.plane.signing_in._attempts.count_nobody("nobody-here", site.plane.means.clock.now())
        form = {"name": "nobody-here", "password": "wrong and wrong"}
        answer = await site.anonymous.post("/sign-in", data=form, headers=OWN)

    assert answer.status_code == 429
    assert "A one-time link still lets you in" in answer.text


WHOSE: list[tuple[dict[str, str], int]] = [
    ({}, 403),
    ({"origin": "null"}, 403),
    ({"origin": "http://evil.example"}, 403),
    ({"origin": "http://localhost:8601"}, 403),
    ({"origin": "https://localhost:8600"}, 403),
    ({"origin": ORIGIN, "sec-fetch-site": "cross-site"}, 403),
    ({"origin": ORIGIN, "sec-fetch-site": "same-site"}, 403),
    ({"origin": "http://evil.example", "sec-fetch-site": "same-origin"}, 403),
    ({"origin": ORIGIN}, 303),
    ({"sec-fetch-site": "same-origin"}, 303),
    ({"origin": ORIGIN, "sec-fetch-site": "same-origin"}, 303),
]


@pytest.mark.proves("access.csrf")
async def test_only_a_page_of_ours_signs_out_or_in(tmp_path: Path) -> None:
    """A form or a fetch of another site, another port, or nobody knows whose, does nothing with a session, nor signs in."""
    async with served(tmp_path, people=PEOPLE) as site:
        for headers, status in WHOSE:
            token = await token_of(site)
            stranger = await site.anonymous.post(await link(site), headers=headers)
            site.anonymous.cookies.clear()
            signed = await site.anonymous.post(
                "/sign-out", headers={"cookie": f"interlock={token}", "x-csrf-token": form_token(token), **headers}
            )
            assert (headers, stranger.status_code, signed.status_code) == (headers, status, status)


def test_behind_tls_a_page_of_ours_is_of_the_public_address() -> None:
    """Whatever host what ends TLS asks for on its way here: the origin is where people opened the page."""
    hosting = Hosting(public_url="https://a.example", host="a.example")

    def asked(origin: str) -> bool:
        scope: Any = {
            "type": "http",
            "headers": [(b"host", b"localhost:8600"), (b"origin", origin.encode())],
        }
        return from_own_page(ASGIConnection(scope), hosting)

    assert [asked(each) for each in ("https://a.example", "http://a.example", "https://b.example", "null")] == [
        True,
        False,
        False,
        False,
    ]


@pytest.mark.proves("access.csrf")
async def test_a_form_carries_the_token_of_its_session(tmp_path: Path) -> None:
    """Without it, with another session's, with an empty one: refused. In the form or in a header: taken."""
    async with served(tmp_path, people=PEOPLE) as site:
        token, other = await token_of(site), await token_of(site)
        wrong = [{}, {"csrf": ""}, {"csrf": form_token(other)}, {"csrf": form_token(token)[:-1]}]
        for form in wrong:
            answer = await site.anonymous.post("/sign-out", headers=cookie(token), data=form)
            assert answer.status_code == 403
        json = await site.anonymous.post("/sign-out", headers=cookie(token), json={"csrf": form_token(token)})
        good = await site.anonymous.post("/sign-out", headers=cookie(token), data={"csrf": form_token(token)})
        after = await site.anonymous.get("/", headers=cookie(token))

    assert json.status_code == 403
    assert (good.status_code, good.headers["location"]) == (303, "/sign-in")
    assert "Max-Age=0" in good.headers["set-cookie"]
    assert after.headers["location"].startswith("/sign-in")


async def test_a_session_revoked_under_an_open_page_ends_there(tmp_path: Path) -> None:
    """What the page sends next is refused: to sign in from a page, 401 from the API."""
    async with served(tmp_path, people=PEOPLE) as site:
        token = await token_of(site)
        assert (await site.anonymous.get("/", headers=cookie(token))).status_code == 200
        await site.plane.sessions.revoke(RITA, by="ada")
        page = await site.anonymous.get("/", headers=cookie(token))
        form = await site.anonymous.post("/sign-out", headers=cookie(token), data={"csrf": form_token(token)})

    assert (page.status_code, page.headers["location"]) == (303, "/sign-in?next=/")
    assert (form.status_code, form.headers["location"]) == (303, "/sign-in?next=/")


@pytest.mark.proves("access.keys")
async def test_a_program_brings_a_key(tmp_path: Path) -> None:
    """A key is taken in any case of `Bearer`; what is no key, an altered one, and a key in the place of a cookie are not."""
    async with served(tmp_path, people=PEOPLE) as site:
        key, made = await site.plane.api_keys.make(RITA, "ci", ("see",), by=RITA)
        ask = site.anonymous.get
        good = [
            (await ask("/", headers={"authorization": f"{word} {key}"})).status_code for word in ("Bearer", "bearer")
        ]
        wrong = [f"Bearer {key}x", f"Bearer  {key}", f"Basic {key}", key, "Bearer", "Bearer il_", "Bearer " + "x" * 900]
        bad = [(await ask("/", headers={"authorization": each})).status_code for each in wrong]
        as_cookie = await ask("/", headers={"cookie": f"interlock={key}"})
        out = await site.anonymous.post("/sign-out", headers={"authorization": f"Bearer {key}"})
        await site.plane.api_keys.revoke(made.id, by="ada")
        after = await ask("/", headers={"authorization": f"Bearer {key}"})

    assert good == [200, 200]
    assert set(bad) == {303}
    assert (as_cookie.status_code, out.status_code, after.status_code) == (303, 303, 303)


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "approvals",
            "//evil.example",
            "/\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "https://evil.example",
        ),
        *(
            "javascript:alert(1)",
            "/sign-in?next=/",
            "/sign-in/link/x",
            "/é",
            '/"><script>',
            "/" + "a" * 2000,
            "///evil.example",
            "/approvals\r\nset-cookie: interlock=x",
            "/approvals\x00",
        ),
    ],
)
@pytest.mark.proves("access.back_here")
async def test_nobody_is_sent_elsewhere(text: str) -> None:
    """`next` leads to a path of this server, or to its first page."""
    assert back_to(text) == "/"


async def test_where_one_wanted_to_go_is_kept() -> None:
    """Paths with a query stay as they are."""
    for good in ("/", "/approvals", "/actions/019?tab=story&x=%2F", "/agents/a.b~c"):
        assert back_to(good) == good
        assert httpx.URL(ORIGIN).join(back_to(good)).host == "localhost"


async def test_a_forged_address_does_not_open_the_throttle(tmp_path: Path) -> None:
    """Without a proxy of ours, `X-Forwarded-For` is anybody's word: tries count at the address that connected."""
    async with served(tmp_path, people=PEOPLE) as site:
        for _ in range(FROM_ONE_PLACE):
            site.plane.signing_in._attempts.count_from("127.0.0.1", site.plane.means.clock.now())
        form, headers = {"name": "nobody", "password": "wrong"}, {**OWN, "x-forwarded-for": "192.0.2.7"}

        assert (await site.anonymous.post("/sign-in", data=form, headers=headers)).status_code == 429


async def test_a_forged_address_in_a_header_of_its_own_does_not_open_the_throttle(tmp_path: Path) -> None:
    """A proxy may add its word as a further header, after the one that came from outside: the last of all counts."""
    settings = "server:\n  public_url: https://interlock.example\n  proxies: [127.0.0.0/8]\n"
    async with served(tmp_path, people=PEOPLE, settings=settings) as site:
        for _ in range(FROM_ONE_PLACE):
            site.plane.signing_in._attempts.count_from("198.51.100.9", site.plane.means.clock.now())
        headers = [
            ("host", "interlock.example"),
            ("origin", "https://interlock.example"),
            ("x-forwarded-for", "192.0.2.7"),
            ("x-forwarded-for", "198.51.100.9"),
        ]
        answer = await site.anonymous.post("/sign-in", data={"name": "nobody", "password": "wrong"}, headers=headers)

        assert answer.status_code == 429


@pytest.mark.proves("access.where_from")
@pytest.mark.parametrize(
    ("connected", "passed", "sender"),
    [
        ("192.0.2.1", "198.51.100.9", "192.0.2.1"),  # reached directly, beside the proxy
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.9", "198.51.100.9"),
        ("10.0.0.1", "127.0.0.1, 198.51.100.9", "198.51.100.9"),  # what stands first came from outside
        ("10.0.0.1", "203.0.113.5, 198.51.100.9, 10.0.0.2", "198.51.100.9"),  # two proxies behind each other
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("2001:db8::1", "2001:db8:1::7", "2001:db8:1::7"),
        ("10.0.0.1", "nonsense\u202e" + "x" * 100, "nonsense\u202e" + "x" * 55),
        ("", "198.51.100.9", ""),
    ],
)
async def test_only_a_proxy_that_is_named_says_where_a_request_came_from(
    connected: str, passed: str, sender: str
) -> None:
    """Whoever reaches the port directly is who connected, whatever their header says; so is everybody where none is named."""
    named = Hosting(public_url="https://a.example", host="a.example", proxies=("10.0.0.0/8", "2001:db8::1/128"))

    assert named.sender(connected, passed) == sender
    assert Hosting(public_url="https://a.example", host="a.example").sender(connected, passed) == connected
