"""Pages of servers: how each is reached without a secret, each tool as it stands, and what a stranger says as text."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.console.servers import FILES, SECRET, drift
from tests.web.world import served

pytestmark = pytest.mark.anyio


@pytest.mark.proves("console.servers")
async def test_servers(tmp_path: Path) -> None:
    """Whoever may look sees each server and each tool: in force, held with what was accepted beside what was found, gone, not
    accepted; the same by the API; of none a secret."""
    async with served(tmp_path, files=FILES) as site:
        rita, anybody = site.client_of("rita"), site.anonymous
        before = (await rita.get("/servers/lines")).text
        await drift(site.plane)
        listed = (await rita.get("/servers")).text
        page = (await rita.get("/servers/lines")).text
        other = (await rita.get("/servers/tracker")).text
        told = (await rita.get("/v1/servers")).json()
        one = (await rita.get("/v1/servers/lines")).json()
        region = await rita.get("/servers/lines", headers={"hx-request": "true", "hx-target": "div#server"})
        none = [(await rita.get(f"{each}/nobody")).status_code for each in ("/servers", "/v1/servers")]
        out = [(await anybody.get(each)).status_code for each in ("/servers/lines", "/v1/servers")]

    assert "changed, held" not in before
    assert [each["name"] for each in told] == ["lines", "tracker"]
    assert told[0] == one
    standing = {each["name"]: each["standing"] for each in one["tools"]}
    assert standing == {
        "<img src=x onerror=alert(1)>": "new",
        "count": "in_force",
        "wipe": "gone",
        "write": "changed",
    }
    (write,) = [each for each in one["tools"] if each["name"] == "write"]
    assert write["fields"] == ["description", "input_schema"]
    assert write["accepted"]["description"] in write["present"]["description"]
    assert (write["contract"], write["effect"], write["risk"]) == ("lines.write", "write", "medium")
    assert write["pin"] != write["found"]
    assert "2 held" in listed
    assert "never pinned" in listed
    assert 'href="/actions?contract=lines.write"' in page
    assert "interlock --as YOU server review lines" in page
    assert "python lines.py --token" in page
    assert "Authorization" in other
    assert "https://tracker.example/mcp" in other
    assert region.status_code == 200
    assert "<html" not in region.text
    assert "changed, held" in region.text
    assert none == [404, 404]
    assert out[0] in (303, 401)
    assert out[1] == 401
    for text in (before, listed, page, other, str(told), str(one)):
        assert SECRET not in text


@pytest.mark.proves("console.text")
async def test_what_a_server_says_is_text(tmp_path: Path) -> None:
    """Markup, marks that turn text around and names made to look like a page are shown as what they are."""
    async with served(tmp_path, files=FILES) as site:
        await drift(site.plane)
        page = (await site.client_of("rita").get("/servers/lines")).text
        listed = (await site.client_of("rita").get("/servers")).text

    assert "<script>alert" not in page
    assert "<img src=x" not in page + listed
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "\u202e" not in page
    assert "⟨U+202E⟩" in page
    assert "characters alike)" in page
