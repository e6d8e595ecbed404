"""The shop at work behind the console: started as a user starts it, signed in to through its link, and ended."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from interlock_demo.live.shop import OWNER
from interlock_demo.world.db import reading
from interlock_demo.world.place import SHOP_HOME, Place

HANGS_S = 60
LINK = re.compile(r"(http://127\.0\.0\.1:\d+)(/sign-in/link/\S+)")


class Shop(NamedTuple):
    """The demo as it runs, where it keeps its shop, and what it printed for whoever opens the console."""

    process: subprocess.Popen[str]
    folder: Path
    address: str
    link: str

    def browser(self) -> httpx.Client:
        """Somebody's browser."""
        return httpx.Client(base_url=self.address, headers={"origin": self.address}, trust_env=False, timeout=HANGS_S)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """`interlock demo --serve` in a folder that is kept."""
    folder = tmp_path / "kept"
    environment = {name: each for name, each in os.environ.items() if name != SHOP_HOME}
    command = [sys.executable, "-m", "interlock", "demo", "--serve", "--port", "0", "--keep", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)
    try:
        yield Shop(process, folder, *opened(process))
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=HANGS_S)


def opened(process: subprocess.Popen[str]) -> tuple[str, str]:
    """The console's address, and the path of the link that was printed."""
    assert process.stdout is not None
    said: list[str] = []
    for line in process.stdout:
        said.append(line)
        if found := LINK.search(line):
            return found[1], found[2]
    raise AssertionError("".join(said))


def heard(shop: Shop) -> Iterator[str]:
    """What the shop says from now on, line by line."""
    assert shop.process.stdout is not None
    return iter(shop.process.stdout)


def waiting_refund(browser: httpx.Client) -> tuple[str, str]:
    """The page of a refund that waits, and the return it is for."""
    while True:
        for path in re.findall(r'href="(/approvals/[0-9a-f-]+)', browser.get("/approvals").text):
            # The list beside it names others, too.
            shown = browser.get(path).text.partition('id="dossier"')[2]
            if found := re.search(r"return_id (RET-\d+)", shown):
                return path, found[1]
        time.sleep(0.2)


def hidden(page: str) -> dict[str, str]:
    """What the forms of a page send along without being asked."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))


def refunds_of(folder: Path, return_id: str) -> int:
    """How often the payment service paid for a return, by its own book."""
    with reading(Place(folder=folder / "shop").payments_db) as book:
        (count,) = book.execute("SELECT count(*) FROM refunds WHERE return_id = ?", (return_id,)).fetchone()
    return int(count)


def waiting_exception(browser: httpx.Client) -> str:
    """The page of one."""
    for _ in range(HANGS_S * 5):
        if found := re.search(r'href="(/exceptions/[0-9a-f-]{20,})', browser.get("/exceptions").text):
            return found[1]
        time.sleep(0.2)
    raise AssertionError("no exception was raised")


def talked_over(browser: httpx.Client) -> str:
    """An exception that was asked about, answered by its agent, and answered: its page then."""
    path = waiting_exception(browser)
    asked = browser.post(f"{path}/ask", data={**hidden(browser.get(path).text), "note": "which order?"})
    assert asked.status_code == 303
    page = ""
    for _ in range(HANGS_S * 5):
        if "You ask: which order?" in (page := browser.get(path).text):
            break
        time.sleep(0.2)
    options = re.findall(r'value="(option:[^"]*)"', page)
    answered = browser.post(f"{path}/answer", data={**hidden(page), "choice": unescape(options[0])})
    assert answered.status_code == 303, answered.text
    return browser.get(path).text


def test_a_yes_in_the_console_pays_a_real_refund_once_and_the_end_leaves_no_process(shop: Shop) -> None:
    """The link lets its owner in, once; their yes to a refund that waits pays it, once, and the shop hears of it. An agent
    answers what it is asked about an exception, and hears its answer. The brake stops its agents and not the demo; lifted, they
    go on. Ended by a signal, the demo ends well, and the console with it."""
    with shop.browser() as browser:
        assert OWNER in browser.get(shop.link).text
        assert browser.post(shop.link).status_code == 303
        path, return_id = waiting_refund(browser)
        assert refunds_of(shop.folder, return_id) == 0
        decided = browser.post(f"{path}/approve", data=hidden(browser.get(path).text))
        assert decided.status_code == 303, decided.text
        told = next(line for line in heard(shop) if "is done" in line)
        assert "refunds.issue" in told
        assert refunds_of(shop.folder, return_id) == 1
        assert "The agent answered:" in talked_over(browser)
        assert any("support goes on with" in line for line in heard(shop))
        brake = {**hidden(browser.get("/brakes?what=all").text), "what": "all", "mode": "stop", "why": "a drill"}
        assert browser.post("/brakes/stop", data=brake).status_code == 303
        assert any("a drill" in line for line in heard(shop))
        lift = {**hidden(browser.get("/brakes").text), "what": "all"}
        assert browser.post("/brakes/resume", data=lift).status_code == 303
        assert any(re.search(r": \d done", line) for line in heard(shop))
    with shop.browser() as other:
        other.post(shop.link)
        assert other.get("/").status_code == 303
    shop.process.send_signal(signal.SIGINT)
    shop.process.communicate(timeout=HANGS_S)
    assert shop.process.returncode == 0
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{shop.address}/livez", trust_env=False)
