"""The pages over what agents did, in a browser: nobody is kept out, nothing leaves, and no page scrolls sideways."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import pytest

from interlock.ports.store import ActionQuery
from tests.browser.kit import PHONE, WIDE, Console, console, needs_chromium
from tests.console.servers import FILES, drift

# It says nothing of its types.
axe: Any = import_module("axe_playwright_python.async_playwright")
pytestmark = [pytest.mark.anyio, needs_chromium]

PAGES = (
    "/",
    "/measures",
    "/actions",
    "/actions?state=nothing",
    "/tasks?all=true",
    "/agents",
    "/servers",
    "/servers/lines",
    "/servers/tracker",
    "/policies",
    "/policies/try",
    "/policies/what-if",
    "/audit",
    "/settings",
    "/settings/doctor",
    "/settings/notifications",
    "/settings/on-call",
    "/exceptions",
    "/exceptions/kinds",
)


async def wrong_with(
    c: Console, paths: tuple[str, ...], scheme: Literal["light", "dark"], size: tuple[int, int]
) -> list[str]:
    """What is wrong with any of these pages."""
    page = await c.page("rita", scheme=scheme, size=size)
    found: list[str] = []
    for path in paths:
        await page.goto(f"{c.origin}{path}")
        results = await axe.Axe().run(page)
        found += [
            f"{path} {scheme} {size[0]}: {each['id']}: {each['nodes'][0]['html'][:200]}"
            for each in results.response["violations"]
        ]
        wide = await page.evaluate("document.documentElement.scrollWidth")
        if wide > size[0]:
            found.append(f"{path} {size[0]}: scrolls sideways, {wide}")
    return found


async def there(c: Console) -> tuple[str, ...]:
    """Every page, with one task's and one agent's, and a server that says other things than what was accepted."""
    await drift(c.desk.site.plane)
    await c.desk.refund()
    (action,) = await c.desk.site.plane.means.store.actions(ActionQuery(limit=1))
    return (*PAGES, f"/tasks/{action.task}", f"/agents/{action.agent}")


@pytest.mark.proves("console.for_all")
async def test_pages_keep_nobody_out(tmp_path: Path) -> None:
    """A few pages break no rule of WCAG that axe knows, do not scroll sideways, and ask nobody else for anything."""
    async with console(tmp_path, FILES) as c:
        *_, task, _ = await there(c)
        found = await wrong_with(c, ("/", "/actions", task), "light", WIDE)
        found += await wrong_with(c, ("/servers/lines",), "dark", PHONE)

    assert found == []
    assert c.wrong == []


@pytest.mark.slow
@pytest.mark.proves("console.for_all")
async def test_every_page_keeps_nobody_out(tmp_path: Path) -> None:
    """Every page, in light and in the dark, on a wide screen and on a phone."""
    async with console(tmp_path, FILES) as c:
        paths = await there(c)
        found = await wrong_with(c, paths, "light", WIDE)
        found += await wrong_with(c, paths, "dark", WIDE) + await wrong_with(c, paths, "light", PHONE)

    assert found == []
    assert [each for each in c.wrong if "422" not in each] == []
