"""The console in Debian's Chromium, over a server on a real socket.

async with console(tmp_path) as c:
    page = await c.page("rita")
    await page.goto(f"{c.origin}/approvals")
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Literal

import anyio
import pytest
from playwright.async_api import Browser, Page, async_playwright

from tests.console.kit import Desk, desk
from tests.web.world import SAYS

CHROMIUM = shutil.which("chromium")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here: apt-get install chromium")
serving: Any = import_module("interlock.api.serving")
WIDE, PHONE = (1280, 860), (390, 844)


class Console:
    """A server, its agents, and a browser."""

    def __init__(self, desk: Desk, browser: Browser, port: int, stack: AsyncExitStack) -> None:
        self.desk, self.origin = desk, f"http://localhost:{port}"
        self._browser, self._stack = browser, stack
        self.wrong: list[str] = []
        """What the consoles of the pages said, and whatever left the origin."""

    async def page(
        self,
        person: str | None,
        *,
        size: tuple[int, int] = WIDE,
        scheme: Literal["light", "dark"] = "light",
        script: bool = True,
    ) -> Page:
        """A page in a browser of its own, in which `person` is signed in."""
        context = await self._browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme=scheme,
            java_script_enabled=script,
            reduced_motion="reduce",
            extra_http_headers={SAYS: person} if person else {},
        )
        self._stack.push_async_callback(context.close)
        page = await context.new_page()
        page.set_default_timeout(8_000)
        page.on("console", lambda message: self.wrong.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.wrong.append(str(error)))
        page.on("request", lambda request: self._leaving(request.url))
        return page

    def _leaving(self, url: str) -> None:
        if not url.startswith((self.origin, "data:")):
            self.wrong.append(f"a request left: {url}")


@asynccontextmanager
async def console(folder: Path, more: Sequence[tuple[str, str]] = ()) -> AsyncGenerator[Console]:
    """The console, with nothing waiting, and `more` files in its workspace."""
    async with AsyncExitStack() as stack:
        d = await stack.enter_async_context(desk(folder, more))
        driver = await stack.enter_async_context(async_playwright())
        browser = await driver.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        stack.push_async_callback(browser.close)
        group = await stack.enter_async_context(anyio.create_task_group())
        stack.callback(group.cancel_scope.cancel)
        found: list[int] = []

        def started(address: str) -> None:
            found.append(int(address.rstrip("/").rpartition(":")[2]))

        async def run() -> None:
            await serving.serve(d.site.app, "127.0.0.1", 0, started, most=500, ending=d.site.app.end)

        group.start_soon(run)
        group.start_soon(d.site.hub.run)
        await until(lambda: bool(found))
        pages = await stack.enter_async_context(AsyncExitStack())
        yield Console(d, browser, found[0], pages)


async def until(true: Callable[[], bool]) -> None:
    """Wait for what nobody announces."""
    with anyio.fail_after(10):
        while not true():  # noqa: ASYNC110  there is no event to wait for
            await anyio.sleep(0.01)
