"""Several alike decided on together, on pages alone: chosen, one drawn and shown whole, and each its own word."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from interlock.domain.ids import ActionId, Person
from interlock.worker import Worker
from tests.console.kit import desk
from tests.web.world import FORM

pytestmark = pytest.mark.anyio


@pytest.mark.proves("console.together")
async def test_several_alike_are_decided_on_together(tmp_path: Path) -> None:
    """The list offers those that are alike; the page shows the one drawn whole and what the others differ in; each gets its own
    word; what changed meanwhile, or was not shown, is left; and what is not alike is refused where it was chosen."""
    async with desk(tmp_path) as d:
        actions = [await d.refund(f"A-{each}", 25_000 + each) for each in (1, 2, 3, 4)]
        mail = await d.ask("mail.send", {"to": "carla", "text": "<b>sorry</b>"}, agent="mailer")
        listed = await d.rita.get("/approvals")
        unlike = await d.rita.post("/approvals/batch", data={"csrf": FORM, "action": [actions[0], mail]})
        drawn = await d.rita.post("/approvals/batch", data={"csrf": FORM, "action": actions})
        place = drawn.headers["location"]
        shown = await d.rita.get(place)
        views = dict(re.findall(r'name="(view\.[^"]+)" value="([^"]*)"', shown.text))
        silent = await d.rita.post(f"{place}/decide", data={"csrf": FORM, "verdict": "reject", **views})
        stored = await d.plane.batches.of(place.rpartition("/")[2], Person("rita"))
        first, second = [each for each in actions if each != stored.drawn][:2]
        await d.plane.approvals.reject(ActionId(first), Person("ria"), note="no photo")
        del views[f"view.{second}"]
        said = await d.rita.post(f"{place}/decide", data={"csrf": FORM, "verdict": "approve", "note": "seen", **views})
        foreign = await d.ria.get(place)
        viewer = await d.vera.post("/approvals/batch", data={"csrf": FORM, "action": actions})
        await Worker(d.plane).run(until_idle=True)

    assert set(re.findall(r'value="([^"]+)" form="together"', listed.text)) == set(actions)
    assert (unlike.status_code, "is of another contract" in unlike.text) == (403, True)
    assert drawn.status_code == 303
    assert "The same in all" in shown.text
    assert all(f"A-{each}" in shown.text for each in (1, 2, 3, 4))
    assert (silent.status_code, "A no says why" in silent.text) == (422, True)
    assert "Approved: 2 of 4" in said.text
    assert (foreign.status_code, viewer.status_code) == (404, 403)
    done = {f"refund A-{at + 1} {25_001 + at}" for at, each in enumerate(actions) if each not in (first, second)}
    assert set(d.effects()) == done
