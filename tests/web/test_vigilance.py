"""An item known to be bad, over HTTP: nobody who decides learns of it beforehand, and whoever spoke is told in the answer."""

from pathlib import Path
from typing import Any

import pytest

from interlock.domain.action import Action
from interlock.domain.pace import Pace
from interlock.domain.vigilance import Rounds
from interlock.ports.store import ActionQuery
from tests.web.world import served

pytestmark = pytest.mark.anyio

PEOPLE = "rita: [reviewer]\nbob: [reviewer]\nvera: [viewer]\nau: [auditor]\nboth: [auditor, reviewer]\n"
FILE = """\
after: 1
within: 1s
items:
  too-many: {contract: box.put, arguments: {n: 900}, wrong: the box has room for ten}
"""


def names(value: Any, at: str = "") -> set[str]:
    """Every name in a JSON value, with where it stands."""
    if isinstance(value, dict):
        return {f"{at}/{each}" for each in value} | {
            one for each in value for one in names(value[each], f"{at}/{each}")
        }
    return {one for each in value for one in names(each, f"{at}/-")} if isinstance(value, list) else set()


@pytest.mark.proves("vigilance.alike", "vigilance.told")
async def test_nothing_that_is_served_tells_an_item_from_the_others(tmp_path: Path) -> None:
    """Action, story, dossier, list and packet have the same names; only who audits and does not decide is told of it, until it is
    over; then the answer to the word says what was wrong, and so does the page."""
    async with served(tmp_path, people=PEOPLE, files=[("vigilance.yaml", FILE)]) as site:
        rita, vera = site.client_of("rita"), site.client_of("vera")
        await site.propose(500)
        real = await site.propose(600)
        store, clock = site.plane.means.store, site.plane.means.clock
        first, *_ = [each for each in await store.actions(ActionQuery(waiting=True)) if each.id != real]
        shown = (await rita.get(f"/v1/approvals/{first.id}")).json()
        await site.plane.seeding.tend()
        assert (
            await rita.post(f"/v1/approvals/{first.id}/reject", json={"view": shown["view"], "note": "no"})
        ).status_code == 200
        assert await store.get(Pace, "rita") is not None
        for _ in range(100):
            await clock.sleep(50)
            if await site.plane.seeding.tend():
                break
        assert await store.get(Rounds, "rounds") is not None
        (bad,) = [each.id for each in await store.actions(ActionQuery(waiting=True)) if each.id != real]

        for path in ("/v1/actions/{}", "/v1/actions/{}/story", "/v1/approvals/{}", "/v1/actions/{}/packet"):
            mine, other = [(await vera.get(path.format(each))).json() for each in (bad, real)]
            assert names(mine) == names(other), path
        rows = (await vera.get("/v1/approvals")).json()["rows"]
        assert names(rows[0]) == names(rows[1])
        for who, waits in (("au", bad), ("both", None)):
            told = (await site.client_of(who).get("/v1/vigilance")).json()
            assert [each.get("waits") for each in told["items"]] == ([waits] if waits else [])
            assert told["ended"] == []
        assert (await vera.get("/v1/vigilance")).status_code == 403
        assert bad not in (await site.client_of("both").get("/audit")).text.partition('id="log"')[0]

        view = (await rita.get(f"/v1/approvals/{bad}")).json()["view"]
        answer = (await rita.post(f"/v1/approvals/{bad}/approve", json={"view": view})).json()
        page = (await rita.get(f"/approvals?about={bad}")).text

        assert (answer["state"], "the box has room for ten" in answer["reasons"][-1]) == ("voided", True)
        assert "the box has room for ten" in page
        assert "the box has room for ten" in (await rita.get(f"/actions/{bad}")).text
        found = await store.get(Action, bad)
        assert found is not None
        assert found.state == "voided"
        (over,) = (await site.client_of("both").get("/v1/vigilance")).json()["ended"]
        assert (over["came"], over["person"], over["action"]) == ("missed", "rita", bad)
        assert (await site.plane.audit.verify()).findings == ()
        assert site.place.effects() == []
