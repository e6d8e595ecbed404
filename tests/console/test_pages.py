"""Pages over what agents did: whatever they wrote is text, what somebody may not do is not offered, addresses carry filters."""

from __future__ import annotations

import re
from pathlib import Path

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.bootstrap.site import definition, read_site
from interlock.console.visible import coded
from tests.console.hostile import busy
from tests.workspaces import POLICIES

pytestmark = pytest.mark.anyio


@pytest.mark.proves("console.text")
async def test_actions(tmp_path: Path) -> None:
    """The list shows every action as text, narrows by what its address says, and tells what an address says wrongly. What was
    refused because there is no such contract has its story, and verifies, like any."""
    async with busy(tmp_path) as world:
        everything = await world.get("/actions")
        held = await world.get("/actions?state=held")
        of_task = await world.get(f"/actions?task={world.inner.id}")
        found = await world.get("/actions?initiator=nobody&since=1d")
        by_policy = await world.get("/actions?policy=ask")
        story = await world.get(f"/actions/{world.refused.id}/verify")
        told = (await world.site.client_of("rita").get(f"/v1/actions/{world.refused.id}/story")).json()
        wrong = await world.get("/actions?state=%3Cscript%3Ealert(1)", status=422)
        long = await world.get("/actions?agent=" + "a" * 500, status=422)

    assert all(each.id in everything for each in (world.done, world.held, world.denied, world.refused))
    assert (world.held.id in held, world.done.id in held) == (True, False)
    assert (world.done.id in of_task, world.held.id in of_task) == (True, False)
    assert world.done.id not in found
    assert world.held.id in by_policy
    assert f'href="/actions/{world.refused.id}"' in everything
    assert "none is called" in story
    assert "is no contract" in story
    assert "Verified." in story
    assert (told["state"], told["contract_digest"], told["effect"]) == ("refused", "", "")
    assert "There is no state" in wrong
    assert "too long" in long


async def test_pages_of_actions_follow_each_other(tmp_path: Path) -> None:
    """The next page goes on after the last row of this one and keeps the filters."""
    async with busy(tmp_path) as world:
        page = await world.get(f"/actions?agent=ag&before={world.denied.id}")

    assert world.denied.id not in page
    assert world.held.id in page


@pytest.mark.proves("console.text")
@pytest.mark.proves("console.offered")
async def test_tasks(tmp_path: Path) -> None:
    """A task shows what is in it, what it waited for, and can be ended by operators alone, with a reason."""
    async with busy(tmp_path) as world:
        listed = await world.get("/tasks")
        as_viewer = await world.get(f"/tasks/{world.task.id}", "vera")
        as_operator = await world.get(f"/tasks/{world.task.id}", "olga")
        refused = await world.site.client_of("vera").post(f"/tasks/{world.task.id}/end", data={"why": "no"})
        nothing = await world.site.client_of("olga").post(f"/tasks/{world.task.id}/end", data={"why": " "})
        ended = await world.site.client_of("olga").post(f"/tasks/{world.task.id}/end", data={"why": "enough"})
        after = await world.get(f"/tasks/{world.task.id}", "olga")
        closed = await world.get("/tasks?all=true&agent=ag")
        older = await world.get(f"/tasks?cursor={world.inner.id}")
        await world.get("/tasks?cursor=%C3%BC", status=422)
        await world.get("/tasks/none", status=404)

    assert world.task.id in listed
    assert world.inner.id in as_viewer
    assert world.held.id in as_viewer
    assert "waiting for a person" in as_viewer
    assert ("End the task" in as_viewer, "End the task" in as_operator) == (False, True)
    assert (refused.status_code, nothing.status_code, ended.status_code) == (403, 422, 303)
    assert "End the task" not in after
    assert world.task.id in closed
    assert world.inner.id not in older
    assert world.inner.id in listed


@pytest.mark.proves("console.offered")
async def test_agents(tmp_path: Path) -> None:
    """An agent shows its card, and whether it may act is for those its owners and roles say."""
    async with busy(tmp_path) as world:
        listed = await world.get("/agents")
        one = await world.get("/agents/ag")
        as_viewer = await world.get("/agents/ag", "vera")
        rita = world.site.client_of("rita")
        without = await rita.post("/agents/ag/state", data={"move": "suspend", "why": ""})
        refused = await world.site.client_of("vera").post("/agents/ag/state", data={"move": "suspend", "why": "x"})
        done = await rita.post("/agents/ag/state", data={"move": "suspend", "why": "odd behaviour"})
        after = await world.get("/agents/ag?done=suspend")
        odd = await world.get("/agents/ag?done=%3Cscript%3Ealert(1)")
        await world.get("/agents/nobody", status=404)

    assert all(f"/agents/{name}" in listed for name in ("ag", "shade", "helper"))
    assert "box.put" in one
    assert 'action="/agents/ag/state"' in one
    assert 'action="/agents/ag/state"' not in as_viewer
    assert (without.status_code, refused.status_code, done.status_code) == (422, 403, 303)
    assert "It is suspended." in after
    assert "odd behaviour" in after
    assert "alert(1)" not in odd


@pytest.mark.proves("console.offered")
async def test_policies(tmp_path: Path) -> None:
    """Rules are shown to all; trying and asking again is for who writes policy."""
    async with busy(tmp_path) as world:
        rules = await world.get("/policies", "vera")
        await world.get("/policies/try", "vera", status=403)
        await world.get("/policies/try?contract=box.put&agent=ag")
        rita = world.site.client_of("rita")
        tried = await rita.post(
            "/policies/try", data={"contract": "box.put", "agent": "ag", "arguments": '{"n": 500}', "initiator": ""}
        )
        wrong = await rita.post("/policies/try", data={"contract": "box.put", "agent": "ag", "arguments": "[1"})
        form = await world.get("/policies/what-if")
        text = POLICIES.replace("n > 100 ", "n > 1 ")
        compared = await rita.post("/policies/what-if", data={"file": "all.cedar", "text": text, "days": "30"})
        broken = await rita.post("/policies/what-if", data={"file": "all.cedar", "text": "permit(", "days": "1"})
        path = await rita.post("/policies/what-if", data={"file": "../x.cedar", "text": "", "days": "1"})

    assert "more than a hundred" in rules
    assert "Try a decision" not in rules
    assert "require approval" in tried.text
    assert (wrong.status_code, broken.status_code, path.status_code) == (422, 422, 422)
    assert "no JSON object" in wrong.text
    assert "permit(principal" in form
    assert compared.status_code == 200
    assert "tightened" in compared.text


async def test_publications(tmp_path: Path) -> None:
    """What was proposed shows what it changes, takes the words of those who may give them, and is in force with the last."""
    async with busy(tmp_path) as world:
        place = world.site.place
        place.change("interlock.yaml", lambda text: f"{text}publishing: {{persons: 2, roles: [policy_author]}}\n")
        place.change(
            "people.yaml", lambda text: text.replace("ria: [reviewer, lead]", "ria: [reviewer, lead, policy_author]")
        )
        await world.site.plane.registry.apply(definition(read_site(place.folder)), by="rita")
        place.change("policies/all.cedar", lambda text: text.replace("n > 100 ", "n > 1 "))
        wanted = definition(read_site(place.folder))
        applied = await world.site.plane.publisher.publish(wanted, by="rita", why="tighter")
        path = f"/policies/publications/{applied.publication}"
        listed = await world.get("/policies")
        as_viewer = await world.get(path, "vera")
        as_ria = await world.get(path, "ria")
        mine = await world.site.client_of("rita").post(f"{path}/accept", data={"note": ""})
        accepted = await world.site.client_of("ria").post(f"{path}/accept", data={"note": "good"})
        after = await world.get(path)

    assert path in listed
    assert "Withdraw it" not in as_viewer
    assert "1 more person in role policy_author" in as_viewer
    assert ("Agree</button>" in as_viewer, "Agree</button>" in as_ria) == (False, True)
    assert "+" in as_ria
    assert (mine.status_code, accepted.status_code) == (403, 303)
    assert "published" in after


async def test_overview(tmp_path: Path) -> None:
    """The first page says what waits and six figures; the measures, by whom and over which time the address says."""
    async with busy(tmp_path) as world:
        await world.site.plane.figures.catch_up()
        first = await world.get("/")
        month = await world.get("/?span=30d", "vera")
        rows = [
            await world.get(f"/measures?by={by}&span=7d") for by in ("all", "agent", "contract", "policy", "reviewer")
        ]
        await world.get("/?span=1y", status=422)
        await world.get("/measures?by=%3Cscript%3E", status=422)

    assert "Waiting for people" in first
    assert first.count('class="tile') >= 9
    assert "Asked of people" in month
    assert all("Healthy" in each or "Nobody was asked" in each for each in rows)


async def test_audit(tmp_path: Path) -> None:
    """The log is there entry by entry, and recomputing it says that it holds, or what does not."""
    async with busy(tmp_path) as world:
        log = await world.get("/audit", "aude")
        older = await world.get("/audit?before=3")
        await world.get("/audit?before=x'y", status=422)
        verified = await world.site.client_of("aude").post("/audit/verify")
        store = apsw.Connection(str(world.site.place.folder / ".interlock" / "interlock.db"))
        for (trigger,) in list(store.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'")):
            store.execute(f"DROP TRIGGER {trigger}")
        store.execute("UPDATE entry SET leaf_hash = ? WHERE idx = 4", (bytes(32),))
        store.close()
        broken = await world.site.client_of("aude").post("/audit/verify")

    assert f"/actions/{world.held.id}" in log
    assert older.count("<tr>") == 4
    assert "It verifies" in verified.text
    # The page stands at an address that only a form may send to; what it asks for again is elsewhere.
    assert 'hx-get="/audit"' in verified.text
    assert "It does not verify" in broken.text


async def test_settings_and_doctor(tmp_path: Path) -> None:
    """Settings are for all to see; the doctor for those who operate, and says how everything stands."""
    async with busy(tmp_path) as world:
        shown = await world.get("/settings", "vera")
        await world.get("/settings/doctor", "vera", status=403)
        looked = await world.get("/settings/doctor", "olga")

    assert "olga" in shown
    assert "/settings/doctor" not in shown
    assert all(what in looked for what in ("open pages", "worker", "clock", "in force"))
    assert "is not passed on" not in looked


@given(st.text(st.characters(codec=None), max_size=40))
def test_what_is_quoted_becomes_code_and_nothing_else(text: str) -> None:
    """Whatever a sentence quotes, the only markup in it is ours, and closed."""
    shown = str(coded(text))

    shown.encode()
    assert re.fullmatch(r"([^<>]|<code>[^<>]*</code>)*", shown)
