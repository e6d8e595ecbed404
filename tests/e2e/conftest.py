"""Real processes: the outside world, and the ones that act on it."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
QUICKLY = """
import gc, runpy
gc.disable()
import tests.e2e.kit, interlock.worker
gc.freeze()
gc.enable()
runpy.run_module("tests.e2e.process", run_name="__main__", alter_sys=True)
"""
"""`python -m tests.e2e.process`, as `interlock` begins itself: what is loaded is not searched for garbage."""


class Site:
    """One installation in a folder, with its outside world."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url
        self.running: list[subprocess.Popen[str]] = []

    def start(self, *words: str, stop: bool = False) -> subprocess.Popen[str]:
        """Start a process of `tests.e2e.process`."""
        role, *rest = words
        environment = {**os.environ, "OUTSIDE": self.url, **({"STOP": "1"} if stop else {})}
        process = subprocess.Popen(
            [sys.executable, "-c", QUICKLY, role, str(self.folder), *rest],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.running.append(process)
        return process

    def run(self, *words: str) -> Any:
        """Run one to its end; its JSON, or None if it was killed as planned."""
        process = self.start(*words)
        out, err = process.communicate(timeout=60)
        if process.returncode == -signal.SIGKILL:
            return None
        assert process.returncode == 0, err
        return json.loads(out.splitlines()[-1])

    def outside(self) -> Any:
        """What the outside world counted."""
        with urllib.request.urlopen(self.url + "/state", timeout=5) as answer:
            return json.load(answer)

    def plan(self, **how: float) -> None:
        """How the outside behaves from now on."""
        request = urllib.request.Request(self.url + "/plan", data=json.dumps(how).encode())
        urllib.request.urlopen(request, timeout=5).close()

    def effects(self, verb: str) -> list[Any]:
        """The effects that happened, by verb."""
        return [each for each in self.outside()["effects"] if each["verb"] == verb]


def await_port(file: Path) -> int:
    """The port a process wrote down when it was ready."""
    until = time.monotonic() + 20
    while not file.exists():
        assert time.monotonic() < until, "the outside did not start"
        time.sleep(0.01)
    return int(file.read_text())


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """An installation with an outside world of its own."""
    file = tmp_path / "port"
    with subprocess.Popen([sys.executable, str(ROOT / "tests/e2e/outside.py"), str(file)]) as process:
        made = Site(tmp_path, f"http://127.0.0.1:{await_port(file)}")
        yield made
        for each in made.running:
            if each.poll() is None:
                each.kill()
            each.communicate()
        process.kill()
