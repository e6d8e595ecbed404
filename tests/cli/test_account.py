"""`account` and `key`: who can sign in, links, sessions and keys, from the machine that serves."""

import asyncio
import re

from interlock.bootstrap.connecting import connect
from interlock.domain.ids import Person
from interlock.services.signing_in import Signed
from tests.cli.shell import Shell

PEOPLE = "rita: [reviewer]\nria: [reviewer, lead]\nana: [reviewer]\nada: [admin]\n"


def applied(shell: Shell) -> Shell:
    """With somebody who administers."""
    shell.place.write("people.yaml", PEOPLE)
    assert shell("apply").code == 0
    return shell


def signed_in(shell: Shell, url: str) -> Signed:
    """What the button on a link's page does."""

    async def use() -> Signed:
        plane = connect(shell.place.folder)
        try:
            return await plane.signing_in.by_link(url.rpartition("/")[2], browser="Firefox")
        finally:
            await plane.means.store.close()

    return asyncio.run(use())


def test_a_link_is_made_used_and_its_session_revoked(shell: Shell) -> None:
    """The link is shown once, for somebody who is known; the session it becomes is listed, and ended by them or an admin."""
    applied(shell)
    assert shell.json("account", "link", "mallory", code=1)["error"]["code"] == "not_allowed"
    made = shell.json("account", "link", "rita")
    assert re.fullmatch(r"http://127\.0\.0\.1:8600/sign-in/link/[0-9a-f]{32}\.[0-9a-f]{64}", made["url"])
    signed_in(shell, made["url"])

    (seen,) = shell.json("account", "sessions")
    assert (seen["person"], seen["way"], seen["browser"]) == ("rita", "link", "Firefox")
    assert "digest" not in seen
    (rita,) = [each for each in shell.json("account", "list") if each["person"] == "rita"]
    assert (rita["sessions"], rita["password"], rita["permissions"]) == (1, False, ["decide", "see", "stop"])
    assert shell.json("account", "revoke", "rita", code=1)["error"]["code"] == "not_allowed"
    assert shell.json("account", "revoke", "rita", "--as", "ria", code=1)["error"]["code"] == "not_allowed"
    assert shell.json("account", "revoke", "rita", "--as", "ada") == {"person": "rita", "ended": 1}
    assert shell.json("account", "sessions") == []
    assert shell("verify").code == 0


def test_a_key_is_made_listed_and_revoked(shell: Shell) -> None:
    """It is shown once; it is listed without anything that opens; its person or an admin revokes it."""
    applied(shell)
    made = shell.json("key", "new", "nightly report", "--scopes", "see,decide", "--lasts", "30d", "--as", "rita")
    assert re.fullmatch(r"il_[0-9a-f]{32}\.[0-9a-f]{64}", made["key"])
    assert (
        shell.json("key", "new", "x", "--scopes", "administer", "--as", "rita", code=1)["error"]["code"]
        == "not_allowed"
    )
    assert shell.json("key", "new", "x", "--scopes", "root", "--as", "rita", code=1)["error"]["code"] == "contract"
    assert shell.json("key", "new", "x", "--lasts", "soon", "--as", "rita", code=2)

    listed = shell("key", "list", "--json").out
    assert made["id"] in listed
    assert made["key"].partition(".")[2] not in listed
    assert shell.json("key", "revoke", made["id"], "--as", "ria", code=1)["error"]["code"] == "not_allowed"
    assert shell.json("key", "revoke", made["key"], "--as", "rita")["revoked_at"] > 0
    assert "revoked" in shell("key", "list").out


def test_the_first_link_is_for_whoever_may_administer(shell: Shell) -> None:
    """Until an admin has a way in, the first of them is welcomed; without one, whoever is named."""

    async def welcome(person: str = "") -> tuple[str | None, bool, str]:
        plane = connect(shell.place.folder)
        try:
            found = await plane.welcoming.welcome(Person(person) if person else None, by="interlock.serve")
            return found.person, bool(found.token), found.lacking
        finally:
            await plane.means.store.close()

    person, there, lacking = asyncio.run(welcome())
    assert (person, there) == (None, False)
    assert "nobody holds `admin`" in lacking
    assert asyncio.run(welcome("rita"))[:2] == ("rita", True)
    applied(shell)
    assert asyncio.run(welcome()) == ("ada", True, "")
    signed_in(shell, shell.json("account", "link", "ada")["url"])
    assert asyncio.run(welcome()) == (None, False, "")
