"""What waits for people, in the console: seen, decided upon, and what is said where it changed meanwhile."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import httpx
import pytest

from interlock.domain.action import Action
from interlock.domain.ids import ActionId
from interlock.worker import Worker
from tests.console.kit import desk
from tests.web.world import FORM

pytestmark = pytest.mark.anyio


def hidden(page: httpx.Response, **more: str) -> dict[str, str]:
    """What the form of a page sends by itself, and what somebody typed."""
    found = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    return {**{name: unescape(value) for name, value in found.items()}, "csrf": FORM, **more}


async def test_a_reviewer_sees_and_approves(tmp_path: Path) -> None:
    """The list has it, its page says what will change, a yes makes it happen once, and the answer says what became of it;
    how sure the agent was is held against that."""
    async with desk(tmp_path) as d:
        action = await d.refund(amount=25_000)
        listed = await d.rita.get("/approvals")
        page = await d.rita.get(f"/approvals/{action}")
        said = await d.rita.post(f"/approvals/{action}/approve", data=hidden(page, note="seen the photos"))
        await Worker(d.plane).run(until_idle=True)
        after = await d.rita.get(said.headers["location"])
        await d.plane.figures.catch_up()
        measures = await d.rita.get("/measures?by=contract")
        effects = d.effects()

    assert "90 to 100 %" in measures.text
    assert f"/approvals/{action}" in listed.text
    assert "250.00 EUR" in page.text
    assert "a refund above 100 EUR is agreed to by a person" in page.text
    assert said.status_code == 303
    assert effects == ["refund A-1 25000"]
    assert "Approved, and done." in after.text
    assert "Nothing waits for people" in after.text


@pytest.mark.proves("console.as_shown")
async def test_a_word_on_what_is_no_longer_so_is_not_counted(tmp_path: Path) -> None:
    """A yes to an older view is a 409 with the fresh view, what became different, and the note that was typed."""
    async with desk(tmp_path) as d:
        action = await d.refund(amount=25_000)
        page = await d.rita.get(f"/approvals/{action}")
        await d.refund(amount=9_000)
        (tmp_path / "effects.txt").write_text("k refund A-1 4000\n")
        said = await d.rita.post(f"/approvals/{action}/approve", data=hidden(page, note="<b>typed</b>"))
        again = await d.rita.post(f"/approvals/{action}/approve", data=hidden(said))

    assert said.status_code == 409
    assert "&lt;b&gt;typed&lt;/b&gt;" in said.text
    assert "What is different now" in said.text
    assert "0.00 EUR → 250.00 EUR" in unescape(said.text)
    assert again.status_code == 303


@pytest.mark.proves("console.as_shown")
async def test_without_a_view_nothing_is_said(tmp_path: Path) -> None:
    """A form that does not say what was shown, or was made for another session, decides nothing."""
    async with desk(tmp_path) as d:
        action = await d.refund()
        blind = await d.rita.post(f"/approvals/{action}/approve", data={"csrf": FORM})
        silent = await d.rita.post(f"/approvals/{action}/reject", data=hidden(blind))
        viewer = await d.vera.post(f"/approvals/{action}/approve", data=hidden(blind))
        seen = await d.vera.get(f"/approvals/{action}")

    assert blind.status_code == 409
    assert silent.status_code == 422
    assert "A no says why" in silent.text
    assert viewer.status_code == 403
    assert "/approve" not in seen.text


async def test_what_is_said_beside_a_word_is_bounded(tmp_path: Path) -> None:
    """Longer words than the API takes are refused by every form, and nothing is decided or recorded by them."""
    long = "a" * 4_001
    async with desk(tmp_path) as d:
        action = await d.refund()
        page = await d.rita.get(f"/approvals/{action}")
        before = await d.plane.audit.head()
        sent = hidden(page, note=long, why=long, to="ria", what="contract:shop.refund")
        said = [
            await d.rita.post(path, data=sent)
            for path in (*(f"/approvals/{action}/{each}" for each in ("approve", "reject", "delegate")), "/brakes/stop")
        ]
        after = await d.plane.audit.head()

    assert [each.status_code for each in said] == [422] * 4
    assert before == after


async def test_critical_risk_is_typed(tmp_path: Path) -> None:
    """What is critical takes its target, typed; anything else is refused and decides nothing."""
    async with desk(tmp_path) as d:
        action = await d.ask("crm.forget", {"customer_id": "C-77"}, agent="pricing")
        page = await d.rita.get(f"/approvals/{action}")
        wrong = await d.rita.post(f"/approvals/{action}/approve", data=hidden(page, target="C-78"))
        right = await d.rita.post(f"/approvals/{action}/approve", data=hidden(page, target="C-77"))

    assert "type the customer_id" in page.text
    assert (wrong.status_code, right.status_code) == (403, 303)
    assert 'value="C-78"' in wrong.text


async def test_one_asks_and_hands_on(tmp_path: Path) -> None:
    """A question goes to the agent, a decision to a colleague and back; nothing is decided by either."""
    async with desk(tmp_path) as d:
        action = await d.refund()
        place = f"/approvals/{action}"
        asked = await d.rita.post(f"{place}/ask", data={"csrf": FORM, "note": "Which photo shows it?"})
        handed = await d.rita.post(f"{place}/delegate", data={"csrf": FORM, "to": "ria"})
        page = await d.rita.get(place)
        back = await d.rita.post(f"{place}/take-back", data={"csrf": FORM})
        stranger = await d.rita.post(f"{place}/delegate", data={"csrf": FORM, "to": "<mallory>"})

    assert (asked.status_code, handed.status_code, back.status_code) == (303, 303, 303)
    assert "Which photo shows it?" in page.text
    assert "rita handed this to ria" in page.text
    assert stranger.status_code == 403
    assert "<mallory>" not in stranger.text


HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' autofocus onfocus=alert(1) x='",
    "javascript:alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "</textarea><svg onload=alert(1)>",
    "\u202eetag\u202c \u200bhidden\x00\x1b[2J",
    "<!--",
    "]]>&lt;b&gt;&#60;i&#62;",
    '" hx-get="/x" hx-trigger="load" x="',
)


@pytest.mark.proves("console.text")
async def test_hostile_words_are_words(tmp_path: Path) -> None:
    """Whatever an agent writes, in every place where it can, is shown as what it is and is never markup or script."""
    asked: list[str] = []
    async with desk(tmp_path) as d:
        for each in HOSTILE:
            action = await d.ask(
                "mail.send", {"to": each, "text": each}, agent="mailer", why=each, purpose=each, of=f"user:{each}"
            )
            for place in (f"/approvals/{action}", "/approvals"):
                page = await d.rita.get(place)
                assert page.status_code == 200
                must_be_tame(page.text)
            asked.append(action)
        drawn = await d.rita.post("/approvals/batch", data={"csrf": FORM, "action": asked[:20]})
        together = await d.rita.get(drawn.headers["location"])
    must_be_tame(together.text)
    assert together.text.count('name="view.') == len(asked[:20])


async def test_only_what_somebody_could_see_counts_as_shown(tmp_path: Path) -> None:
    """A phone, which has room for the list alone, and a list that draws itself anew leave no look; the page of one does."""
    async with desk(tmp_path) as d:
        action = ActionId(await d.refund())
        phone = await d.rita.get("/approvals", headers={"user-agent": "Mozilla/5.0 (iPhone) Mobile/15E148"})
        await d.rita.get("/approvals", headers={"HX-Request": "true", "HX-Target": "section#inbox"})
        before = await d.plane.means.store.get(Action, action)
        await d.rita.get("/approvals")
        after = await d.plane.means.store.get(Action, action)

    assert "What will change" not in phone.text
    assert before is not None
    assert before.hold is not None
    assert before.hold.looks == ()
    assert after is not None
    assert after.hold is not None
    assert [each.person for each in after.hold.looks] == ["rita"]


class _Markup(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))


def must_be_tame(text: str) -> None:
    """Of no page: markup that an agent wrote."""
    markup = _Markup()
    markup.feed(text)
    for tag, attributes in markup.found:
        assert tag not in ("svg", "b", "i") or "class" in attributes
        assert tag != "img" or attributes["src"].startswith("/static/")
        assert tag != "script" or attributes["src"].startswith("/static/")
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
        assert attributes.get("hx-get") != "/x"
        assert not attributes.get("href", "/").startswith("javascript:")
    assert not re.search("[\x00\x1b\u202e\u200b]", text)


async def test_a_refused_word_leaves_nobody_at_a_dead_address(tmp_path: Path) -> None:
    """A no without a reason is refused at the form's address; loaded again, that leads back to what is to be decided."""
    async with desk(tmp_path) as d:
        action = await d.refund(amount=25_000)
        page = await d.rita.get(f"/approvals/{action}")
        said = await d.rita.post(f"/approvals/{action}/reject", data=hidden(page))
        again = await d.rita.get(f"/approvals/{action}/reject")
        others = [
            (await d.rita.get(path)).headers.get("location") for path in (f"/actions/{action}/undo", "/brakes/stop")
        ]

    assert said.status_code == 422
    assert (again.status_code, again.headers["location"]) == (303, f"/approvals/{action}")
    assert others == [f"/actions/{action}", "/brakes"]
