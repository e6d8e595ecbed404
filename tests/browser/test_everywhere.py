"""Every page for everybody: nothing that axe-core finds, in light and dark, and the pictures of the documentation."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import pytest

from interlock.adapters.system import SystemClock
from interlock.console.frame import PLACES
from interlock.domain.ids import ActionId, Person
from interlock.worker import Worker
from tests.browser.kit import PHONE, WIDE, Console, console, needs_chromium
from tests.console.test_approvals import HOSTILE

pytestmark = [pytest.mark.anyio, needs_chromium]
axe: Any = import_module("axe_playwright_python.async_playwright")
Scheme = Literal["light", "dark"]
IMAGES = Path(__file__).parents[2] / "docs" / "images"
NOON = 1_795_262_400_000
"""21 November 2026, 12:00 UTC."""


async def filled(c: Console) -> dict[str, str]:
    """A desk with something on it, and its pages by name."""
    d = c.desk
    waits = await d.refund(
        "A-1", 25_000, why="The parcel arrived broken; photos 1 to 3 show it.\nThe customer asked on Monday."
    )
    critical = await d.ask(
        "crm.forget", {"customer_id": "C-77"}, agent="pricing", why="The customer asked to be forgotten."
    )
    both = (ActionId(waits), ActionId(await d.refund("A-2", 31_000, why="It never came.")))
    batch = await d.plane.batches.draw(Person("rita"), both)
    await d.ask("mail.send", {"to": "carla@example.org", "text": "We are sorry."}, agent="mailer", confidence=None)
    done = await d.refund("B-1", 26_000, why="It came late.")
    await d.plane.approvals.approve(ActionId(done), Person("ria"), note="seen the tracking")
    await Worker(d.plane).run(until_idle=True)
    await d.plane.braking.stop("agent", "mailer", by="ria", why="a mail went twice")
    pages = {place.name.lower(): place.path for place in PLACES if place.needs == "see"}
    return pages | {
        "waits": f"/approvals/{waits}",
        "critical": f"/approvals/{critical}",
        "modify": f"/approvals/{waits}/modify",
        "story": f"/actions/{done}/verify",
        "brakes": "/brakes?what=agent:support",
        "batch": f"/approvals/batch/{batch.id}",
        "measures": "/measures",
        "kinds": "/exceptions/kinds",
        "notifications": "/settings/notifications",
        "on-call": "/settings/on-call",
        "account": "/account",
        "sign-in": "/sign-in",
        "nowhere": "/nowhere",
    }


async def violations(c: Console, names: dict[str, str], scheme: Scheme, size: tuple[int, int]) -> list[str]:
    """What axe-core finds, page by page, and what is wider than the page."""
    page = await c.page("rita", scheme=scheme, size=size)
    found: list[str] = []
    for name, path in names.items():
        await page.goto(c.origin + path)
        result = await axe.Axe().run(page)
        for each in result.response["violations"]:
            places = [node["html"][:120] for node in each["nodes"][:3]]
            found.append(f"{name}, {scheme}, {size[0]}: {each['id']}: {places}")
        if await page.evaluate("document.documentElement.scrollWidth") > size[0]:
            found.append(f"{name}, {scheme}: wider than {size[0]}")
    return found


@pytest.mark.proves("console.for_all")
async def test_axe_finds_nothing_where_people_decide(tmp_path: Path) -> None:
    """The pages on which people decide have no violation."""
    async with console(tmp_path) as c:
        pages = await filled(c)
        few = {name: pages[name] for name in ("critical", "story")}
        assert await violations(c, few, "dark", WIDE) == []


@pytest.mark.slow
@pytest.mark.proves("console.for_all")
async def test_axe_finds_nothing_anywhere(tmp_path: Path) -> None:
    """No page has a violation, in light and dark, wide and on a phone."""
    async with console(tmp_path) as c:
        pages = await filled(c)
        found = [
            each
            for scheme, size in (("light", WIDE), ("dark", WIDE), ("light", PHONE), ("dark", PHONE))
            for each in await violations(c, pages, scheme, size)  # type: ignore[arg-type]  # they are schemes
        ]
        assert found == []


@pytest.mark.slow
@pytest.mark.proves("console.text")
async def test_hostile_words_do_nothing_in_a_browser(tmp_path: Path) -> None:
    """No string of an agent's makes a page run, fetch or say anything, on any page."""
    async with console(tmp_path) as c:
        d = c.desk
        page = await c.page("rita")
        page.on("dialog", lambda dialog: c.wrong.append(dialog.message))
        for each in HOSTILE:
            action = await d.ask("mail.send", {"to": each, "text": each}, agent="mailer", why=each, purpose=each)
            for path in (f"/approvals/{action}", f"/approvals/{action}/modify", f"/actions/{action}"):
                await page.goto(c.origin + path)
        for place in PLACES:
            if place.needs == "see":
                await page.goto(c.origin + place.path)
        assert c.wrong == []


@pytest.mark.slow
async def test_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The documentation's pictures are of these pages; `PICTURES=1` takes them anew."""
    moment = [NOON]
    monkeypatch.setattr(SystemClock, "now", lambda _: moment[0])
    folder = IMAGES if os.environ.get("PICTURES") else tmp_path / "images"
    folder.mkdir(parents=True, exist_ok=True)
    work = tmp_path / "work"
    work.mkdir()
    async with console(work) as c:
        pages = await filled(c)
        moment[0] += 11 * 60_000
        views: list[tuple[str, Scheme, tuple[int, int]]] = [
            ("waits", "light", WIDE), ("waits", "dark", WIDE), ("approvals", "light", PHONE), ("critical", "dark", PHONE),
            ("modify", "light", WIDE), ("story", "light", WIDE), ("story", "dark", PHONE), ("brakes", "dark", WIDE),
            ("batch", "light", WIDE), ("waits", "dark", PHONE), ("measures", "light", WIDE),
        ]  # fmt: skip
        for name, scheme, size in views:
            page = await c.page("rita", scheme=scheme, size=size)
            await page.clock.set_fixed_time(moment[0])
            await page.goto(c.origin + pages[name])
            await page.wait_for_timeout(400)
            wide = "wide" if size == WIDE else "phone"
            await page.screenshot(path=folder / f"console-{name}-{scheme}-{wide}.png")
        taken = {each.name for each in folder.iterdir()}
    assert taken == {each.name for each in IMAGES.iterdir() if each.name.startswith("console-")}
