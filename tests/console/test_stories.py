"""One action's story with its evidence, and the kill switch."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import apsw
import msgspec
import pytest

from interlock.domain.evidence import Packet
from interlock.worker import Worker
from tests.console.kit import desk
from tests.console.test_approvals import hidden
from tests.web.world import FORM

pytestmark = pytest.mark.anyio


@pytest.mark.proves("console.recomputed")
async def test_a_story_is_verified_and_undone(tmp_path: Path) -> None:
    """What was done is told with its evidence, which is recomputed on request, taken away as a file, and undone once."""
    async with desk(tmp_path) as d:
        action = await d.refund(amount=9_000)
        await Worker(d.plane).run(until_idle=True)
        story = await d.rita.get(f"/actions/{action}")
        verified = await d.vera.get(f"/actions/{action}/verify")
        packet = await d.vera.get(f"/actions/{action}/packet")
        refused = await d.vera.post(f"/actions/{action}/undo", data={"csrf": FORM, "why": "x"})
        undone = await d.rita.post(f"/actions/{action}/undo", data=hidden(story, why="the wrong customer"))
        await Worker(d.plane).run(until_idle=True)
        after = await d.rita.get(f"/actions/{action}")
        effects = d.effects()

    assert "Observed after" in story.text
    assert "Verified." in verified.text
    assert verified.text.count("holds: ") == 3
    assert msgspec.json.decode(packet.content, type=Packet).action == action
    assert packet.headers["content-disposition"].startswith("attachment")
    assert (refused.status_code, undone.status_code) == (403, 303)
    assert effects == ["refund A-1 9000", "charge A-1 0"]
    assert "undone" in after.text


@pytest.mark.proves("console.recomputed")
async def test_what_was_altered_does_not_verify(tmp_path: Path) -> None:
    """One byte of an entry changed behind our back is found by the button, and said."""
    async with desk(tmp_path) as d:
        action = await d.refund(amount=9_000)
        before = await d.rita.get(f"/actions/{action}/verify")
        alter(tmp_path, action)
        after = await d.rita.get(f"/actions/{action}/verify")

    assert "Verified." in before.text
    assert after.status_code == 200
    assert "This does not verify." in after.text
    assert "fails: " in after.text


def alter(folder: Path, action: str) -> None:
    """One byte of the last leaf of an action."""
    with closing(apsw.Connection(str(folder / ".interlock" / "interlock.db"))) as store:
        for (name,) in store.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            store.execute(f'DROP TRIGGER "{name}"')
        rows = list(store.execute("SELECT idx, leaf FROM entry WHERE action = ? ORDER BY idx", (action,)))
        index, leaf = rows[-1]
        store.execute("UPDATE entry SET leaf = ? WHERE idx = ?", (leaf[:-9] + bytes([leaf[-9] ^ 1]) + leaf[-8:], index))


async def test_the_kill_switch(tmp_path: Path) -> None:
    """It says what it would hold back, stops it with a reason, is seen by all, and is let go by who may."""
    async with desk(tmp_path) as d:
        await d.refund()
        look = await d.ria.get("/brakes?what=agent:support")
        stopped = await d.ria.post("/brakes/stop", data=hidden(look, why="paid <twice>", mode="stop"))
        page = await d.rita.get("/brakes")
        header = await d.vera.get("/")
        refused = await d.ria.post("/brakes/resume", data={"csrf": FORM, "what": "agent:support"})
        viewer = await d.vera.post("/brakes/stop", data={"csrf": FORM, "what": "all", "why": "x"})
        nothing = await d.ria.post("/brakes/stop", data={"csrf": FORM, "what": "agent:nobody", "why": "x"})
        wrong = await d.ria.post("/brakes/stop", data={"csrf": FORM, "what": "everything", "why": "x"})
        resumed = await d.rita.post("/brakes/resume", data={"csrf": FORM, "what": "agent:support"})
        left = await d.rita.get("/brakes")

    assert "1 waiting for people" in look.text
    assert stopped.status_code == 303
    assert "paid &lt;twice&gt;" in page.text
    assert header.status_code == 200
    assert [each.status_code for each in (refused, viewer, nothing, wrong)] == [403, 403, 404, 422]
    assert resumed.status_code == 303
    assert "Nothing is stopped" in left.text
