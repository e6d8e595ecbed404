"""What stands around every page, and what pages are made of."""

from __future__ import annotations

import re
import tomllib
from hashlib import sha256
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.console.static import SCRIPT, STYLE
from interlock.console.visible import visible
from interlock.console.words import lasting, until
from tests.web.world import served

pytestmark = pytest.mark.anyio

CONSOLE = files("interlock.console")


def test_vendored_files_are_those_of_the_list() -> None:
    """Each file of others has the hash that the list says, and the list names every one."""
    listed = tomllib.loads((CONSOLE / "vendor.toml").read_text())

    for each in listed.values():
        assert sha256((CONSOLE / "static" / each["file"]).read_bytes()).hexdigest() == each["sha256"]
        assert each["version"]
        assert each["licence"]
    own = {"console.js", "console.css", "approvals.css", "icon.svg"}
    there = {each.name for each in (CONSOLE / "static").iterdir()} - own
    assert there == {each["file"] for each in listed.values()} | {"htmx.LICENSE"}


def test_a_page_loads_little() -> None:
    """The script is at most 20 KB and with the style at most 30 KB, as they are sent."""
    assert len(SCRIPT.packed) <= 20_000
    assert len(SCRIPT.packed) + len(STYLE.packed) <= 30_000


async def test_files_are_kept_for_good_under_the_name_of_what_is_in_them(tmp_path: Path) -> None:
    """A file is sent packed to whoever takes it so, for ever; under another digest it is not there."""
    async with served(tmp_path) as site:
        page = await site.client_of("rita").get("/")
        names = re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text)
        answers = [await site.anonymous.get(name) for name in names]
        other = await site.anonymous.get("/static/0123456789abcdef/console.js")

    assert {STYLE.url, SCRIPT.url} <= set(names)
    assert all(each.status_code == 200 and "immutable" in each.headers["cache-control"] for each in answers)
    assert answers[0].headers["content-encoding"] == "gzip"
    assert other.status_code == 404


async def test_the_frame_shows_each_what_they_may(tmp_path: Path) -> None:
    """A viewer has no kill switch; whoever is not signed in has no navigation."""
    async with served(tmp_path, people="rita: [reviewer]\nvera: [viewer]\n") as site:
        rita = await site.client_of("rita").get("/")
        vera = await site.client_of("vera").get("/")
        nobody = await site.anonymous.get("/sign-in")

    assert "Kill switch" in rita.text
    assert "Kill switch" not in vera.text
    assert "<nav" not in nobody.text


async def test_an_error_is_a_page_with_the_words_of_the_api(tmp_path: Path) -> None:
    """Whoever asked for a page is given one: what is wrong, and what to do; as text, whatever was asked for. Whoever is signed in
    can go on from there, also from where nothing is and by a method that is none there."""
    async with served(tmp_path) as site:
        rita = site.client_of("rita")
        page = await rita.get("/nowhere/<script>")
        answer = await rita.get("/static/x/y")
        errors = [page, await rita.post("/measures"), await rita.get("/people"), await rita.get("/approvals/none")]
        nobody = await site.anonymous.get("/nowhere")

    assert page.status_code in (400, 404)
    assert "<script>" not in page.text
    assert [each.status_code for each in errors[1:]] == [405, 403, 404]
    assert errors[1].headers["allow"]
    assert all("Kill switch" in each.text and 'href="/approvals"' in each.text for each in errors)
    assert (nobody.status_code, "<nav" in nobody.text) == (404, False)
    assert answer.status_code == 404
    assert "There is no such file" in answer.text
    assert answer.headers["content-type"].startswith("text/html")


async def test_a_theme_is_remembered_without_a_script(tmp_path: Path) -> None:
    """The choice is a cookie; a word that is no theme chooses what the system has; one comes back to where one was."""
    async with served(tmp_path) as site:
        rita = site.client_of("rita")
        back = await rita.post("/theme", data={"theme": "dark"}, headers={"referer": "http://localhost:8600/?a=b"})
        dark = await rita.get("/")
        away = await rita.post("/theme", data={"theme": "x\r\n"}, headers={"referer": "https://evil.example/x"})

    assert (back.status_code, back.headers["location"]) == (303, "/?a=b")
    assert '<html lang="en" class="dark">' in dark.text
    assert away.headers["location"] == "/"
    assert "theme=auto" in away.headers["set-cookie"]


async def test_a_region_is_sent_once(tmp_path: Path) -> None:
    """What is asked for again comes alone, with an ETag, and not at all where it is as it was."""
    async with served(tmp_path) as site:
        rita = site.client_of("rita")
        asked = {"HX-Request": "true", "HX-Target": "section#now"}
        first = await rita.get("/", headers=asked)
        again = await rita.get("/", headers={**asked, "If-None-Match": first.headers["etag"]})
        other = await rita.get("/", headers={"HX-Request": "true", "HX-Target": "section#nothing"})

    assert "<html" not in first.text
    assert "Waiting for people" in first.text
    assert (again.status_code, again.text) == (304, "")
    assert "<html" in other.text


@given(st.text(st.characters(codec=None), max_size=40))
def test_nothing_hides_in_text(text: str) -> None:
    """What is shown can be encoded, and has no letter that turns reading round, hides, or controls."""
    shown = visible(text)

    shown.encode()
    assert not re.search(
        "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]", shown
    )
    assert visible(shown) == shown


@pytest.mark.parametrize(
    ("ms", "words"), [(999, "999 ms"), (61_000, "1 min 1 s"), (3_600_000, "1 h"), (93_784_000, "1 d 2 h")]
)
def test_how_long_is_said_in_two_sizes(ms: int, words: str) -> None:
    """Spans have at most two units, the greatest first."""
    assert lasting(ms) == words
    assert until(1_000_000 + ms, 1_000_000).startswith(("in ", "now"))


@pytest.mark.parametrize("letter", "\u034f\u115f\u1160\u17b4\u180b\u2800\u3164\uffa0\ufe00\ufe0f\U000e0100\U000e01ef")
def test_a_name_with_an_empty_letter_in_it_looks_like_no_other(letter: str) -> None:
    """Letters and marks that are drawn as nothing, and are no control characters, are shown too."""
    assert visible(f"acme{letter}") == f"acme⟨U+{ord(letter):04X}⟩"
