"""The shop at work behind the console: started as a user starts it, signed in to through its link, and ended."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from interlock_demo.live.shop import OWNER
from interlock_demo.world.place import SHOP_HOME

HANGS_S = 60
LINK = re.compile(r"(http://127\.0\.0\.1:\d+)(/sign-in/link/\S+)")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """`interlock demo --serve` in a folder that is kept."""
    environment = {name: each for name, each in os.environ.items() if name != SHOP_HOME}
    command = [sys.executable, "-m", "interlock", "demo", "--serve", "--port", "0", "--keep", str(tmp_path / "kept")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)
    try:
        yield process
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


def test_the_link_lets_its_owner_in_once_and_the_end_leaves_no_process(shop: subprocess.Popen[str]) -> None:
    """The printed link signs its owner in, once; ended by a signal, the demo ends well, and the console with it."""
    address, path = opened(shop)
    with httpx.Client(base_url=address, headers={"origin": address}, trust_env=False) as browser:
        assert OWNER in browser.get(path).text
        entered = browser.post(path)
        assert entered.status_code == 303
        assert browser.get("/").status_code == 200
    with httpx.Client(base_url=address, headers={"origin": address}, trust_env=False) as other:
        other.post(path)
        assert other.get("/").status_code == 303
    shop.send_signal(signal.SIGINT)
    shop.communicate(timeout=HANGS_S)
    assert shop.returncode == 0
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{address}/livez", trust_env=False)
