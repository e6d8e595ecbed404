"""Publications over HTTP: who may say what of one is decided of each, and a key that was made to look says nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from interlock.bootstrap.site import definition, read_site
from interlock.domain.ids import Person
from tests import workspaces
from tests.web.world import Served, served

pytestmark = pytest.mark.anyio

PEOPLE: Final = "rita: [reviewer, policy_author]\nria: [reviewer, lead]\nvera: [viewer]\n"
PUBLISHING: Final = "publishing: {persons: 2, owners: true}\n"
LOOSER: Final = '@id("mail") @owner("tests") permit(principal, action == Action::"box.mail", resource);\n'
STRICTER: Final = (
    '@id("look") @owner("tests") @outcome("deny") @reason("not now") '
    'forbid(principal, action == Action::"box.look", resource);\n'
)
LACKING: Final = "which none of your roles gives"


async def proposed(site: Served, policy: str) -> str:
    """A publication that adds `policy`, by rita."""
    site.place.change("policies/all.cedar", lambda _: workspaces.POLICIES + policy)
    done = await site.plane.publisher.publish(definition(read_site(site.place.folder)), by="rita", why="to be tested")
    assert done.publication is not None
    return done.publication


@pytest.mark.proves("server.owners_consent")
async def test_an_owner_who_publishes_nothing_is_heard_where_they_are_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An owner agrees in console and API to what loosens their contract, whatever their role; to anything else, and with a key
    that was not made for it, they do not; and of who is not asked, the page offers nothing."""
    tools = workspaces.TOOLS.replace('name="box.mail",', 'name="box.mail", owner="lead",')
    monkeypatch.setattr(workspaces, "TOOLS", tools)
    async with served(tmp_path, people=PEOPLE, settings=PUBLISHING, apply=False) as site:
        await site.plane.registry.apply(definition(read_site(tmp_path)), by="rita")
        rita, ria, vera = (site.client_of(each) for each in ("rita", "ria", "vera"))
        stricter = await proposed(site, STRICTER)
        unasked = [
            await each.post(f"/v1/publications/{stricter}/{word}", json={} if word == "accept" else None)
            for each in (ria, vera)
            for word in ("accept", "withdraw")
        ]
        hers = (await ria.get(f"/policies/publications/{stricter}")).text
        withdrawn = await rita.post(f"/v1/publications/{stricter}/withdraw")
        looser = await proposed(site, LOOSER)
        page = f"/policies/publications/{looser}"
        shown = [(await each.get(page)).text for each in (rita, ria, vera)]
        secret, _ = await site.plane.api_keys.make(Person("ria"), "to look", ("see", "decide"), by="ria")
        key = {"authorization": f"Bearer {secret}"}
        by_key = await site.anonymous.post(f"/v1/publications/{looser}/accept", json={}, headers=key)
        refused = await vera.post(f"{page}/accept", data={"note": ""})
        said = await ria.post(f"/v1/publications/{looser}/accept", json={"note": "it is mine"})

    assert [(each.status_code, each.json()["code"]) for each in unasked] == [(403, "not_allowed")] * 4
    assert "is not asked here" in unasked[0].text
    assert "Your word" not in hers
    assert withdrawn.json()["state"] == "withdrawn"
    assert [("Agree</button>" in each, "Withdraw it</button>" in each) for each in shown] == [
        (False, True),
        (True, True),
        (False, False),
    ]
    assert (by_key.status_code, LACKING in by_key.text) == (403, True)
    assert refused.status_code == 403
    assert said.json()["state"] == "published"
