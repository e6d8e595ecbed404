"""What is said around a word, over HTTP: what was shown, what a change would come to, and many in one go."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from interlock.domain.action import Action
from interlock.domain.ids import ActionId
from tests.web.world import served

pytestmark = pytest.mark.anyio


async def test_what_was_shown_is_recorded_for_whoever_may_decide(tmp_path: Path) -> None:
    """A reviewer who reads the dossier has a look with its digest; whoever only looks leaves none; the word names it."""
    async with served(tmp_path) as site:
        action = await site.propose(500)
        shown = (await site.client_of("rita").get(f"/v1/approvals/{action}")).json()
        stored = await site.plane.means.store.get(Action, ActionId(action))
        word = {"view": shown["view"], "note": "fine"}
        said = (await site.client_of("rita").post(f"/v1/approvals/{action}/approve", json=word)).json()

    assert stored is not None
    assert stored.hold is not None
    assert [(each.person, each.shown) for each in stored.hold.looks] == [("rita", shown["shown"])]
    assert said["hold"]["approvals"][0]["shown"] == shown["shown"]


async def test_a_change_is_weighed(tmp_path: Path) -> None:
    """The form learns what policy would say; what does not fit is refused; the action is as it was."""
    async with served(tmp_path) as site:
        action = await site.propose(500)
        rita = site.client_of("rita")
        weighed = await rita.post(f"/v1/approvals/{action}/weigh", json={"arguments": {"n": 1}})
        wrong = await rita.post(f"/v1/approvals/{action}/weigh", json={"arguments": {"n": "one"}})
        after = (await rita.get(f"/v1/approvals/{action}")).json()

    assert (weighed.status_code, weighed.json()["verdict"]) == (200, "allow")
    assert weighed.json()["difference"][0]["name"] == "n"
    assert wrong.status_code == 422
    assert after["state"] == "held"


async def test_many_are_decided_once_the_one_drawn_was_opened(tmp_path: Path) -> None:
    """Drawn, refused, opened, decided; each was executed once."""
    async with served(tmp_path) as site:
        actions = [await site.propose(500 + each) for each in range(3)]
        rita = site.client_of("rita")
        batch = (await rita.post("/v1/batches", json={"actions": actions})).json()
        views = {each: (await site.client_of("ria").get(f"/v1/approvals/{each}")).json()["view"] for each in actions}
        body = {"verdict": "approve", "views": views}
        early = await rita.post(f"/v1/batches/{batch['id']}/decide", json=body)
        await rita.get(f"/v1/approvals/{batch['drawn']}")
        done = await rita.post(f"/v1/batches/{batch['id']}/decide", json=body)
        foreign = await site.client_of("ria").post(f"/v1/batches/{batch['id']}/decide", json=body)
        await site.work()

    assert early.status_code == 403
    assert sorted(done.json()["decided"]) == sorted(actions)
    assert foreign.status_code == 404
    assert sorted(site.place.effects()) == ["put 500", "put 501", "put 502"]


async def test_who_agrees_faster_than_anybody_reads_hears_429(tmp_path: Path) -> None:
    """The second yes within the hour is refused, with when there is room again; the limit is that of interlock.yaml."""
    async with served(tmp_path, settings="approvals: {pace: {most: 1, per: 1h}}\n") as site:
        first, second = await site.propose(500), await site.propose(501)
        rita = site.client_of("rita")
        said: list[httpx.Response] = []
        for action in (first, second):
            view = (await rita.get(f"/v1/approvals/{action}")).json()["view"]
            said.append(await rita.post(f"/v1/approvals/{action}/approve", json={"view": view}))

    assert [each.status_code for each in said] == [200, 429]
    assert said[1].json()["code"] == "too_fast"
    assert 3_500 < int(said[1].headers["retry-after"]) <= 3_600
