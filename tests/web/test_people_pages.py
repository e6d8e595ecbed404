"""The pages of one's account and of people: each form does what it says, and shows what is secret once."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest

from interlock.domain.ids import Person
from interlock.web.access import form_token
from tests.web.test_sign_in import GOOD, OWN, PEOPLE, cookie, token_of
from tests.web.world import Served, served

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
