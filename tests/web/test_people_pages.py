"""The pages of one's account and of people: each form does what it says, and shows what is secret once."""

from __future__ import annotations

import html
import re
from pathlib import Path

import msgspec
import pytest

from interlock.domain.change import Change
from interlock.domain.ids import Person
from interlock.domain.login import FRESH_MS, Login, handle_of
from interlock.web.access import TOKEN_HEADER, form_token
from tests.web.test_sign_in import GOOD, OWN, PEOPLE, cookie, token_of
from tests.web.world import ORIGIN, Served, served

pytestmark = pytest.mark.anyio
WHY = "the lead is on a plane and prices are wrong"


async def sent(site: Served, token: str, path: str, **form: str | list[str]) -> tuple[int, str]:
    """What a form of somebody signed in is answered with."""
    answer = await site.anonymous.post(path, headers=cookie(token), data={"csrf": form_token(token), **form})
    return answer.status_code, html.unescape(answer.text)


async def test_my_account(tmp_path: Path) -> None:
    """A password, another session, a key and broken glass, by forms alone; what is wrong is said in words."""
    async with served(tmp_path, people=PEOPLE) as site:
        token, other = await token_of(site), await token_of(site)
        first = await site.anonymous.get("/account", headers=cookie(token))
        assert first.text.count("this one") == 1
        weak = await sent(site, token, "/account/password", password="four")  # noqa: S106  a test's
        assert weak[0] == 422
        status, said = await sent(site, token, "/account/password", password=GOOD)
        assert (status, "signed out everywhere else" in said) == (200, True)
        assert (await site.anonymous.get("/account", headers=cookie(other))).status_code == 303

        status, made = await sent(site, token, "/account/keys", label="ci <b>", scope=["see", "decide"], days="30")
        key = re.search(r"il_[0-9a-f]{32}\.[0-9a-f]{64}", made)
        assert key is not None
        bearer = {"authorization": f"Bearer {key[0]}"}
        page = await site.anonymous.get("/account", headers=bearer)
        assert key[0] not in page.text
        assert "ci &lt;b&gt;" in page.text
        for path in ("/account/keys", "/account/password", "/account/glass"):
            by_key = await site.anonymous.post(path, headers={**bearer, **OWN}, data={"label": "x", "why": WHY})
            assert by_key.status_code in (403, 422)
        assert (await sent(site, token, "/account/keys", label="x", scope="administer", days="30"))[0] == 403
        assert (await sent(site, token, "/account/keys", label="x", scope="see", days="9999"))[0] == 422
        name = key[0][3:35]
        assert (await sent(site, token, "/account/keys/revoke", key=name))[0] == 200
        assert (await site.anonymous.get("/account", headers=bearer)).status_code == 303

        assert (await sent(site, token, "/account/glass", why="no"))[0] == 422
        assert (await sent(site, token, "/account/glass", why=WHY))[0] == 200
        assert "Glass broken" in (await site.anonymous.get("/account", headers=cookie(token))).text
        assert "again" in (await sent(site, token, "/account/glass/end"))[1]


@pytest.mark.proves("access.asked_again")
async def test_an_old_session_makes_nothing_that_outlasts_it(tmp_path: Path) -> None:
    """A session that began a while ago makes no key, breaks no glass, sets no password and makes nobody a way in, until its
    person says their password: then all of it, and the page asks no more."""
    async with served(tmp_path, people=PEOPLE) as site:
        token = await token_of(site, "ada")
        begun = (await site.plane.sessions.of(Person("ada")))[0]
        await site.plane.signing_in.set_password(Person("ada"), GOOD, session=begun)

        login = await site.plane.means.store.get(Login, handle_of("ada"))
        assert login is not None
        aged = msgspec.structs.replace(login.sessions[0], begun_at=begun.begun_at - FRESH_MS)
        await site.plane.means.store.commit(Change(puts=(msgspec.structs.replace(login, sessions=(aged,)),)))
        asked = (
            ("/account/keys", {"label": "x", "scope": "see", "days": "30"}),
            ("/account/glass", {"why": WHY}),
            ("/account/password", {"password": "another five words"}),
            ("/people/link", {"person": "ben"}),
        )
        for path, form in asked:
            status, said = await sent(site, token, path, **form)
            assert (status, "il_" in said, "/sign-in/link/" in said) == (401, False, False), path
        assert "Is it still you?" in (await site.anonymous.get("/account", headers=cookie(token))).text
        assert (await sent(site, token, "/account/prove", again="wrong and wrong"))[0] == 401
        assert (await sent(site, token, "/account/prove", again=GOOD))[0] == 200
        assert "Is it still you?" not in (await site.anonymous.get("/account", headers=cookie(token))).text
        for path, form in (asked[0], asked[1], asked[3]):
            assert (await sent(site, token, path, **form))[0] == 200, path


@pytest.mark.proves("access.glass_here")
async def test_glass_broken_in_one_browser_widens_no_other_and_no_key(tmp_path: Path) -> None:
    """The session that broke it operates; another of the same person's, and their key, are told that they may not."""
    async with served(tmp_path, people=PEOPLE) as site:
        action = await site.propose(500)
        one, other = await token_of(site), await token_of(site)
        key, _ = await site.plane.api_keys.make(Person("rita"), "ci", ("see", "decide", "stop"), by="rita")
        assert (await sent(site, one, "/account/glass", why=WHY))[0] == 200
        body = {"happened": "done", "note": "I looked"}
        path = f"/v1/actions/{action}/settle"
        unsafe = {"origin": ORIGIN}
        answers = [
            await site.anonymous.post(
                path, json=body, headers={**cookie(each), **unsafe, TOKEN_HEADER: form_token(each)}
            )
            for each in (one, other)
        ]
        by_key = await site.anonymous.post(path, json=body, headers={"authorization": f"Bearer {key}"})
        story = await site.anonymous.get("/account", headers=cookie(other))

    # It is held, not unknown: whoever may operate hears that.
    assert [each.status_code for each in (*answers, by_key)] == [409, 403, 403]
    assert "Glass broken" not in story.text
    assert "elsewhere" in story.text


async def test_people_are_an_admins_page(tmp_path: Path) -> None:
    """An admin makes somebody's first link, signs people out and revokes keys; nobody else sees the page."""
    async with served(tmp_path, people=PEOPLE) as site:
        ada, rita = await token_of(site, "ada"), await token_of(site, "rita")
        assert (await site.anonymous.get("/people", headers=cookie(rita))).status_code == 403
        assert (await sent(site, rita, "/people/sessions", person="ada"))[0] == 403
        _, made = await sent(site, ada, "/people/link", person="ben")
        path = re.search(r"/sign-in/link/[0-9a-f.]+", made)
        assert path is not None
        assert (await site.anonymous.post(path[0], headers=OWN)).status_code == 303
        site.anonymous.cookies.clear()
        assert path[0] not in (await site.anonymous.get("/people", headers=cookie(ada))).text
        _, key = await site.plane.api_keys.make(Person("rita"), "ci", ("see",), by="rita")

        assert (await sent(site, ada, "/people/keys", key=key.id))[0] == 200
        assert (await sent(site, ada, "/people/sessions", person="rita"))[0] == 200
        assert (await sent(site, ada, "/people/sessions", person="rita", session="none"))[0] == 404
        assert (await site.anonymous.get("/account", headers=cookie(rita))).status_code == 303


@pytest.mark.proves("access.no_impersonation")
async def test_an_admin_makes_no_link_for_who_has_a_way_in(tmp_path: Path) -> None:
    """Whoever has signed in, has a password, or is nobody: an admin cannot come in as them."""
    async with served(tmp_path, people=PEOPLE) as site:
        ada, _ = await token_of(site, "ada"), await token_of(site, "rita")
        assert (await sent(site, ada, "/people/link", person="rita"))[0] == 403
        assert (await sent(site, ada, "/people/sessions", person="rita"))[0] == 200
        assert (await sent(site, ada, "/people/link", person="rita"))[0] == 403
        assert (await sent(site, ada, "/people/link", person="mallory"))[0] == 403
