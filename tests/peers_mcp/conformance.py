"""The protocol's conformance suite against a server, direct and through the gateway."""

import json
import multiprocessing
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from tests.gateway.kit import house
from tests.peers_mcp.brought import FIXTURE, brought, fixture_server, node, run
from tests.peers_mcp.front import serve
from tests.peers_mcp.workspaces import workspace

SUITE: Final = "node/node_modules/@modelcontextprotocol/conformance"
SERVER: Final = "fixture"
PATIENCE_S: Final = 60
CLIENT: Final = Path(__file__).with_name("asking_client.py")
ASKED: Final = (
    "initialize",
    "tools_call",
    "elicitation-sep1034-client-defaults",
    "sse-retry",
    "auth/client-credentials-basic",
    "auth/client-credentials-jwt",
)
"""The scenarios for clients that Interlock is one of, towards its servers."""
WHEN: Final = re.compile(r"-\d{4}-\d\d-\d\dT.*$")
"""When it was begun, behind the name of a scenario."""


class Check(NamedTuple):
    """One thing that the suite looks at."""

    scenario: str
    check: str


class _Found(msgspec.Struct, frozen=True, rename="camel"):
    id: str
    status: str
    error_message: str = ""


Results = dict[Check, str]
"""What became of each: nothing where it passed, or why it did not."""


def version() -> str:
    """Of the suite."""
    return str(json.loads((brought(SUITE) / "package.json").read_text(encoding="utf-8"))["version"])


def results(url: str, folder: Path) -> Results:
    """Run the whole suite. What it only warns of or remarks on does not count."""
    folder.mkdir(parents=True, exist_ok=True)
    done = run(
        node(), brought(SUITE) / "dist/index.js", "server", "--url", url, "--suite", "all", "-o", folder, folder=folder
    )
    return _read(folder, str((done.stdout[-2000:], done.stderr[-2000:])))


def client_results(folder: Path) -> Results:
    """Run the scenarios for clients, each against the server that the suite has for it."""
    said = ""
    for each in ASKED:
        into = folder / each.replace("/", "-")
        into.mkdir(parents=True)
        command = f"{sys.executable} {CLIENT}"
        words = ("client", "--command", command, "--scenario", each, "-o", into)
        done = run(node(), brought(SUITE) / "dist/index.js", *words, folder=folder)
        said += done.stderr[-500:] if done.returncode else ""
    return _read(folder, said)


def client_scenarios(folder: Path) -> list[str]:
    """All that the suite has for clients."""
    said = run(node(), brought(SUITE) / "dist/index.js", "list", folder=folder).stdout.partition("Client scenarios")[2]
    return re.findall(r"^  - (\S+)", said, re.MULTILINE)


def _read(folder: Path, said: str) -> Results:
    """What a run left behind; `said` is what it printed."""
    found: Results = {}
    for file in sorted(folder.glob("**/checks.json")):
        scenario = WHEN.sub("", file.parent.name.removeprefix("server-"))
        if file.parent.parent.name == "auth":
            scenario = f"auth/{scenario}"
        for each in msgspec.json.decode(file.read_bytes(), type=list[_Found]):
            if each.status in ("SUCCESS", "FAILURE"):
                why = "" if each.status == "SUCCESS" else each.error_message or "failed"
                found[Check(scenario, each.id)] = found.get(Check(scenario, each.id)) or why
    assert found, said
    return found


@contextmanager
def direct() -> Iterator[str]:
    """The fixture itself, over HTTP."""
    port = free_port()
    process = subprocess.Popen([sys.executable, str(FIXTURE), str(port)], stderr=subprocess.DEVNULL)
    try:
        yield listening(port)
    finally:
        process.terminate()
        process.wait(PATIENCE_S)


@contextmanager
def gated(folder: Path) -> Iterator[str]:
    """The same fixture behind the gateway, over HTTP."""
    place = workspace(folder, {SERVER: fixture_server()})
    served = house(place)
    port = free_port()
    words = (served.url, served.key(), f"{SERVER}__", port)
    between = multiprocessing.get_context("spawn").Process(target=serve, args=words, daemon=True)
    try:
        between.start()
        yield listening(port)
    finally:
        between.terminate()
        between.join(PATIENCE_S)
        served.process.terminate()
        served.process.communicate(timeout=PATIENCE_S)


def free_port() -> int:
    """One that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def listening(port: int) -> str:
    """The address, once somebody answers there."""
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return f"http://127.0.0.1:{port}/mcp"
    raise TimeoutError(f"nobody listens on {port}: {os.getpid()}")
