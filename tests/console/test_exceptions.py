"""Exceptions in the console and over the API: listed by kind, answered as they were shown; who is on call; what was given up."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from html import unescape
from pathlib import Path
from typing import Any

import anyio
import msgspec
import pytest

import interlock
from interlock.domain.change import Change
from interlock.domain.ids import Person
from interlock.domain.notification import Message, Outbox
from tests.console.hostile import EVIL, MARKS
from tests.web.world import FORM, Served, served
from tests.workspaces import AGENT, SETTINGS

pytestmark = pytest.mark.anyio

PEOPLE = "rita: [reviewer]\nria: [reviewer, lead]\nvera: [viewer]\nada: [admin]\nolga: [operator]\n"
POLICIES = """\
@id("all") @owner("tests") permit(principal, action, resource);
@id("law") @owner("tests") @outcome("escalate") @approver("lead") @deadline("4h on call") @reason("it might break a rule")
forbid(principal, action == Action::"exception.raise", resource) when { context.args.kind == "potential_violation" };
"""
ON_CALL = """\
reviewer:
  zone: Europe/Berlin
  shifts:
    - {days: [mon, tue, wed, thu, fri, sat, sun], from: "00:00", to: "12:00", people: [rita]}
    - {days: [mon, tue, wed, thu, fri, sat, sun], from: "12:00", to: "00:00"}
"""


@asynccontextmanager
async def desk(folder: Path) -> AsyncGenerator[tuple[Served, Any]]:
    """A served workspace whose agent may raise exceptions, and a client of it."""
    files = [
        ("interlock.yaml", SETTINGS.replace("{module}", "interlock.exceptions").replace("{{", "{").replace("}}", "}")),
        ("policies/all.cedar", POLICIES),
        ("on_call.yaml", ON_CALL),
        *(
            (f"agents/{each}.yaml", AGENT.format(name=name, stage="partial", capabilities="exception.raise"))
            for each, name in (("ag", "ag"), ("shade", "shade"), ("helper", "helper"))
        ),
    ]
    async with served(folder, people=PEOPLE, files=files) as site:
        with interlock.open(folder) as lock:
            yield site, lock


async def raised(lock: Any, kind: str = "out_of_scope", summary: str = "what now?", **more: Any) -> str:
    """One exception; its action's id."""

    def propose() -> str:
        with lock.task("ag", purpose="to be tested", on_behalf_of="user:carla") as task:
            given = {"kind": kind, "summary": summary, "options": ["stop", "go on"], **more}
            return str(task.propose("exception.raise", **given).action_id)

    return await anyio.to_thread.run_sync(propose)


def form(text: str, **more: str) -> dict[str, str]:
    """What the form of a page sends by itself, and what somebody chose."""
    found = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', text))
    return {**{name: unescape(value) for name, value in found.items()}, "csrf": FORM, **more}


@pytest.mark.proves("exception.answered")
async def test_an_exception_is_listed_shown_and_answered(tmp_path: Path) -> None:
    """The list has it with whom it asks, its page its options; an option is the agent's result, and is told as its answer."""
    async with desk(tmp_path) as (site, lock):
        first = await raised(lock, about="order 17")
        law = await raised(lock, "potential_violation", "a note holds a password")
        rita, ria, vera = (site.client_of(each) for each in ("rita", "ria", "vera"))
        listed = (await rita.get("/exceptions")).text
        sifted = (await rita.get("/exceptions?kind=potential_violation&role=lead")).text
        shown = (await rita.get(f"/exceptions/{first}")).text
        decided = (await rita.get(f"/approvals/{first}")).text
        not_hers = (await rita.get(f"/exceptions/{law}")).text
        seen = (await vera.get(f"/exceptions/{first}")).text
        silent = await rita.post(f"/exceptions/{first}/answer", data=form(shown, note="typed"))
        blind = await rita.post(f"/exceptions/{first}/answer", data={"csrf": FORM, "choice": "option:stop"})
        said = await rita.post(f"/exceptions/{first}/answer", data=form(shown, choice="option:stop"))
        twice = await ria.post(f"/exceptions/{first}/answer", data=form(shown, choice="option:go on"))
        await site.work()
        after = (await rita.get(f"/exceptions/{first}")).text
        told = (await rita.get(said.headers["location"])).text
        everything = (await rita.get("/exceptions?which=all")).text
        outcome = (await rita.get(f"/v1/actions/{first}")).json()["outcome"]["result"]
        nothing = await rita.get("/exceptions/none")

    assert (first in listed, law in listed, "about order 17" in listed) == (True, True, True)
    assert (first in sifted, law in sifted) == (False, True)
    assert 'value="option:go on"' in shown
    assert (f'href="/exceptions/{first}"' in decided, "/approve" in decided) == (True, False)
    assert ("out of scope: what now?" in decided, "What will change" in decided) == (True, False)
    assert ("/answer" in not_hers, "/answer" in seen) == (False, False)
    assert (silent.status_code, "Nothing was answered" in silent.text, "typed" in silent.text) == (422, True, True)
    assert (blind.status_code, said.status_code, twice.status_code) == (409, 303, 409)
    assert outcome == {"how": "chosen", "answer": "stop"}
    assert "Answered: stop" in after
    assert "What you answered is done" in told
    assert first in everything
    assert nothing.status_code == 404


@pytest.mark.proves("console.text")
async def test_new_kinds_and_hostile_words(tmp_path: Path) -> None:
    """Whatever an agent writes is text on every page; what nobody declared is listed with how often, when, and an example."""
    async with desk(tmp_path) as (site, lock):
        evil = f"{EVIL:.90}"
        await raised(lock, f"other:{evil}", EVIL, options=[EVIL], about=EVIL[:200])
        again = await raised(lock, f"other:{evil}", EVIL, options=[EVIL])
        rita = site.client_of("rita")
        pages = [(await rita.get(path)).text for path in ("/exceptions", "/exceptions/kinds", f"/exceptions/{again}")]
        kinds = (await rita.get("/v1/exceptions/kinds")).json()

    assert [mark for page in pages for mark in MARKS if mark in page] == []
    assert [(each["count"], each["example"]) for each in kinds["new"]] == [(2, again)]
    assert f"/exceptions/{again}" in pages[1]


@pytest.mark.proves("exception.answered")
async def test_over_the_api(tmp_path: Path) -> None:
    """Lists page by their cursor; an answer takes the view that was shown, and the same request under one key is one answer."""
    async with desk(tmp_path) as (site, lock):
        made = [await raised(lock, summary=f"what of {number}?") for number in range(3)]
        rita = site.client_of("rita")
        first = (await rita.get("/v1/exceptions?limit=2")).json()
        rest = (await rita.get(f"/v1/exceptions?limit=2&cursor={first['next']}")).json()
        newest = (await rita.get("/v1/exceptions?which=all&limit=2")).json()
        older = (await rita.get(f"/v1/exceptions?which=all&limit=2&cursor={newest['next']}")).json()
        other = (await rita.get("/v1/exceptions?kind=other")).json()
        wrong = await rita.get("/v1/exceptions?cursor=%3Cscript")
        view = (await rita.get(f"/v1/approvals/{made[0]}")).json()["view"]
        path, key = f"/v1/exceptions/{made[0]}/answer", {"idempotency-key": "one"}
        stale = await rita.post(path, json={"view": "0" * 64, "answer": "wait"})
        said = await rita.post(path, json={"view": view, "answer": "wait"}, headers=key)
        same = await rita.post(path, json={"view": view, "answer": "wait"}, headers=key)
        await site.work()
        one = (await rita.get(f"/v1/exceptions/{made[0]}")).json()

    assert [each["action"] for each in (*first["rows"], *rest["rows"])] == made
    assert [each["action"] for each in (*newest["rows"], *older["rows"])] == made[::-1]
    assert (first["waiting"], other["rows"], wrong.status_code) == (3, [], 422)
    assert (stale.status_code, stale.json()["fresh"]["action"]) == (409, made[0])
    assert (said.status_code, said.content) == (200, same.content)
    assert (one["state"], one["answer"], one["answered_by"]) == ("done", "wait", ["rita"])


@pytest.mark.proves("exception.answered")
async def test_a_broken_glass_answers_from_where_it_was_broken(tmp_path: Path) -> None:
    """Rights taken at the machine, or in another session, answer and turn down nothing here; those taken here do."""
    why = "the lead is on a plane and the law is waiting"
    async with desk(tmp_path) as (site, lock):
        law = await raised(lock, "potential_violation", "a note holds a password")
        rita, breaking = site.client_of("rita"), site.plane.breaking
        view = (await rita.get(f"/v1/approvals/{law}")).json()["view"]
        page = {"csrf": FORM, "view": view, "choice": "option:stop", "note": "no"}
        said = {"view": view, "answer": "stop"}
        await breaking.begin(Person("rita"), why=why)
        codes = [
            (await rita.post(f"/v1/exceptions/{law}/answer", json=said)).status_code,
            (await rita.post(f"/exceptions/{law}/reject", data=page)).status_code,
            (await rita.post(f"/exceptions/{law}/answer", data=page)).status_code,
        ]
        await breaking.end(Person("rita"), by=Person("rita"))
        await breaking.begin(Person("rita"), why=why, session="of-rita")
        here = await rita.post(f"/v1/exceptions/{law}/answer", json=said)

    assert codes == [403, 403, 403]
    assert here.status_code == 200


@pytest.mark.proves("routing.rota_missing")
@pytest.mark.proves("notify.resent")
async def test_who_is_on_call_and_what_was_given_up(tmp_path: Path) -> None:
    """Who is on call now and next, and of whom a policy counts hours that nobody wrote down; each dead letter with why it failed,
    and administrators alone put it on its way again, under the id it had."""
    async with desk(tmp_path) as (site, _):
        dead = tuple(
            Message(id=f"desk-{number}", event="asked", made_at=1, contract="shop.refund", attempts=8, error="404 gone")
            for number in range(2)
        )
        await site.plane.means.store.commit(Change(puts=(Outbox(channel="desk", dead=dead),)))
        ada, rita, olga = (site.client_of(each) for each in ("ada", "rita", "olga"))
        found = (await rita.get("/v1/on-call")).json()
        rotas, settings = [(await rita.get(path)).text for path in ("/settings/on-call", "/settings")]
        as_reviewer, as_admin = [(await each.get("/settings/notifications")).text for each in (rita, ada)]
        refused = await olga.post("/settings/notifications/desk/resend", data={"csrf": FORM})
        one = await ada.post("/settings/notifications/desk/resend", data={"csrf": FORM, "message": "desk-1"})
        rest = await ada.post("/v1/notifications/desk/resend", json={})
        unknown = await ada.post("/v1/notifications/none/resend", json={})
        [state] = (await rita.get("/v1/notifications")).json()

    [duty] = found["duties"]
    assert {*duty["people"], *duty["next_people"]} == {"rita", "ria"}
    assert duty["until"] == duty["next_at"]
    assert found["lacking"] == [{"role": "lead", "policies": ["law"]}]
    assert ("has no rota" in rotas, "nobody wrote them down" in settings) == (True, True)
    assert ("404 gone" in as_reviewer, "Send again" in as_reviewer, "Send again" in as_admin) == (True, False, True)
    assert (refused.status_code, one.status_code, rest.json()) == (403, 303, {"channel": "desk", "resent": 1})
    assert unknown.status_code == 404
    assert [msgspec.convert(each, Message).id for each in state["waiting"]] == ["desk-1", "desk-0"]
    assert state["dead"] == []
