"""The console as people use it: by keyboard, with a script and without, while things change."""

from __future__ import annotations

import re
from pathlib import Path

import anyio
import pytest
from playwright.async_api import Page, expect

from interlock.domain.ids import ActionId, Person
from interlock.worker import Worker
from tests.browser.kit import PHONE, console, needs_chromium, until

pytestmark = [pytest.mark.anyio, needs_chromium]
RITA = Person("rita")


@pytest.mark.proves("console.by_keyboard")
async def test_by_keyboard(tmp_path: Path) -> None:
    """J and A approve, R rejects with a reason, E edits, X chooses several; each happens once, and no key alone decides."""
    async with console(tmp_path) as c:
        d = c.desk
        for order in ("A-1", "A-2", "A-3"):
            await d.refund(order)
        page = await c.page("rita")
        await page.goto(f"{c.origin}/approvals")
        await page.keyboard.press("Tab")
        await expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
        await page.keyboard.press("Enter")
        await page.keyboard.press("Tab")
        await expect(page.locator("main :focus-visible")).to_have_count(1)
        await page.keyboard.press("j")
        await expect(page.locator(".panes.chosen .line")).to_contain_text("A-2")
        await page.keyboard.press("a")
        await expect(page.get_by_role("button", name="Approve")).to_be_focused()
        assert (await d.plane.inbox.page(person=RITA)).waiting == 3
        await page.keyboard.press("a")
        await expect(page.get_by_role("status").filter(has_text="shop.refund")).to_be_visible()
        await expect(page.locator("a[data-row]")).to_have_count(2)

        await page.keyboard.press("r")
        await expect(page.locator("#note")).to_be_focused()
        await page.keyboard.type("are jokes allowed? r")
        await page.keyboard.press("Escape")
        await page.keyboard.press("r")
        await page.keyboard.press("r")
        await expect(page.locator("a[data-row]")).to_have_count(1)

        await page.keyboard.press("e")
        await page.get_by_label("amount_minor").fill("200.00")
        await page.keyboard.press("Enter")
        await expect(page.get_by_text("200.00 EUR").first).to_be_visible()
        await page.get_by_role("button", name="Approve with these changes").press("Enter")
        await expect(page.get_by_text("Nothing waits for people")).to_be_visible()

        for order in ("B-1", "B-2"):
            await d.refund(order)
        await expect(page.locator("a[data-row]")).to_have_count(2)
        await page.keyboard.press("x")
        await expect(page.get_by_role("button", name="Decide together")).to_be_disabled()
        await page.keyboard.press("j")
        await expect(page.locator(".panes.chosen .line")).to_be_visible()
        await page.keyboard.press("x")
        await page.get_by_role("button", name="Decide on 2 together").press("Enter")
        await expect(page.get_by_role("heading", name="2 together")).to_be_visible()
        await page.get_by_role("button", name="Approve 2").press("Enter")
        await expect(page.get_by_text("Approved: 2 of 2")).to_be_visible()
        await Worker(d.plane).run(until_idle=True)

        effects = ["refund A-2 25000", "refund A-3 20000", "refund B-1 25000", "refund B-2 25000"]
        assert sorted(d.effects()) == effects
        assert c.wrong == []


@pytest.mark.proves("console.live")
async def test_news_come_and_take_nothing_away(tmp_path: Path) -> None:
    """What is new appears by itself while somebody types; text, focus and choice stay; changes are said first."""
    async with console(tmp_path) as c:
        d = c.desk
        action = ActionId(await d.refund("A-1"))
        page = await c.page("rita")
        await page.goto(f"{c.origin}/approvals/{action}")
        await expect(page.locator("#live")).to_have_text("live")
        await page.locator("#note").press_sequentially("half a sent")
        await d.refund("B-1")
        await expect(page.locator("a[data-row]")).to_have_count(2)
        await expect(page.locator(".count")).to_contain_text("2")
        await page.keyboard.type("ence")
        assert await page.locator("#note").input_value() == "half a sentence"

        await d.plane.inquiring.ask(action, Person("ria"), "Which photo?")
        await expect(page.get_by_text("Which photo?")).to_be_visible()
        await d.plane.approvals.reject(action, Person("ria"), note="no photo")
        await expect(page.get_by_text("It does not wait any more")).to_be_visible()
        await expect(page.get_by_role("button", name="Approve")).to_be_disabled()
        assert await page.locator("#note").input_value() == "half a sentence"
        assert c.wrong == []


@pytest.mark.proves("console.live")
async def test_what_was_refused_is_said_and_not_sent_again(tmp_path: Path) -> None:
    """A no without its reason is told so, on a page that stays: neither news nor a session that is over send the form again."""
    async with console(tmp_path) as c:
        action = ActionId(await c.desk.refund("A-1"))
        page = await c.page("rita")
        words: list[str] = []
        page.on("request", lambda each: words.append(each.url) if each.method == "POST" else None)
        await page.goto(f"{c.origin}/approvals/{action}")
        await page.get_by_role("button", name="Reject").click()
        await expect(page.get_by_text("Nothing was decided by this")).to_be_visible()
        await expect(page.locator("#live")).to_have_text("live")
        await c.desk.refund("B-1")
        await expect(page.locator("a[data-row]")).to_have_count(2)
        await expect(page.get_by_text("Nothing was decided by this")).to_be_visible()
        await page.context.set_extra_http_headers({})
        await page.evaluate("htmx.trigger(document.getElementById('inbox'), 'news')")
        await page.wait_for_url(re.compile("/sign-in"))
        assert words == [f"{c.origin}/approvals/{action}/reject"]


async def test_verify_and_kill(tmp_path: Path) -> None:
    """The evidence is recomputed by a button; the switch in the header stops an agent, and another page says so."""
    async with console(tmp_path) as c:
        d = c.desk
        action = await d.refund(amount=9_000)
        other = await c.page("ria", size=PHONE)
        await other.goto(f"{c.origin}/brakes")
        await expect(other.locator("#live")).to_have_text("live")
        page = await c.page("rita")
        await page.goto(f"{c.origin}/actions/{action}")
        await page.get_by_role("link", name="Verify").click()
        await expect(page.get_by_text("Verified.")).to_be_visible()

        await page.get_by_role("link", name="Kill switch").click()
        await page.get_by_label("What", exact=True).select_option("agent:support")
        await page.get_by_role("button", name="See what it would hold back").click()
        await page.get_by_label("Why").fill("it pays twice")
        await page.get_by_role("button", name="Stop agent:support now").click()
        await expect(page.get_by_text("it pays twice")).to_be_visible()
        await expect(other.get_by_text("it pays twice")).to_be_visible()
        await page.get_by_role("button", name="Resume agent:support").click()
        await expect(other.get_by_text("Nothing is stopped")).to_be_visible()
        assert c.wrong == []


@pytest.mark.proves("console.by_keyboard")
async def test_without_a_script_and_from_the_door(tmp_path: Path) -> None:
    """A link lets in, a theme is chosen, what waits is approved and something is stopped, all without any script."""
    async with console(tmp_path) as c:
        d = c.desk
        action = await d.ask("crm.forget", {"customer_id": "C-77"}, agent="pricing")
        token, _ = await d.plane.signing_in.offer(RITA, by="ada")
        page = await c.page(None, script=False)
        await page.goto(f"{c.origin}/approvals/{action}")
        await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        await page.goto(f"{c.origin}/sign-in/link/{token}")
        await expect(page.get_by_role("button", name="Sign in as rita")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("link", name="Kill switch")).to_be_visible()
        await page.goto(f"{c.origin}/approvals/{action}")
        await page.locator("summary", has_text="rita").click()
        await page.get_by_role("button", name="dark").click()
        await expect(page.locator("html.dark")).to_be_attached()
        await page.get_by_label("To approve, type the customer_id").fill("C-77")
        await page.get_by_role("button", name="Approve").click()
        await expect(page.get_by_text("Nothing waits for people")).to_be_visible()
        await page.get_by_role("link", name="Kill switch").click()
        await page.get_by_role("button", name="See what it would hold back").click()
        await page.get_by_label("Why").fill("a fire")
        await page.get_by_role("button", name="Stop all now").click()
        await expect(page.get_by_text("a fire")).to_be_visible()
        await Worker(d.plane).run(until_idle=True)
        assert d.effects() == []
        assert c.wrong == []


async def loads(page: Page, url: str, times: int) -> None:
    """Each load of a page hears of news."""
    for _ in range(times):
        await page.goto(url)
        await expect(page.locator("#live")).to_have_text("live")


@pytest.mark.proves("console.live")
@pytest.mark.parametrize("times", [6, pytest.param(40, marks=pytest.mark.slow)])
async def test_no_load_loses_the_stream_or_weighs_much(tmp_path: Path, times: int) -> None:
    """Load after load the stream begins, and news arrive after the last; a first load is at most 60 KB, as it is sent."""
    async with console(tmp_path) as c:
        await c.desk.refund("A-1")
        page = await c.page("rita")
        session = await page.context.new_cdp_session(page)
        weights: list[int] = []
        session.on("Network.loadingFinished", lambda event: weights.append(int(event["encodedDataLength"])))
        await session.send("Network.enable")
        await loads(page, f"{c.origin}/approvals", 1)
        weight = sum(weights)
        await loads(page, f"{c.origin}/approvals", times - 1)
        await c.desk.refund("A-2")
        await expect(page.locator("a[data-row]")).to_have_count(2)
        await until(lambda: len(c.desk.site.hub) <= 2)

    assert 10_000 < weight <= 60_000
    assert c.wrong == []


async def test_a_server_that_ended_is_said(tmp_path: Path) -> None:
    """A page whose stream broke says since when what it shows may be old."""
    async with console(tmp_path) as c:
        page = await c.page("rita")
        await page.goto(f"{c.origin}/approvals")
        await expect(page.locator("#live")).to_have_text("live")
        await page.context.set_offline(True)
        c.desk.site.hub.end()
        with anyio.fail_after(8):
            await expect(page.locator("#live")).to_have_text(re.compile(r"stale since \d\d:\d\d:\d\d"))
