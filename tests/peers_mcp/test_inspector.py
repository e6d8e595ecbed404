"""The MCP Inspector's command line on the gateway: what somebody who knows nothing of us tries first."""

import json
from pathlib import Path

import pytest

from tests.gateway.kit import PROGRAM, words
from tests.peers_mcp.brought import brought, fixture_server, node, run
from tests.peers_mcp.workspaces import workspace

INSPECTOR = "node/node_modules/.bin/mcp-inspector"


@pytest.mark.slow
@pytest.mark.proves("gateway.inspector")
def test_the_inspector_lists_and_calls_through_the_gateway(tmp_path: Path) -> None:
    """`tools/list` shows every tool of the server, `tools/call` gives its answer."""
    program = brought(INSPECTOR).resolve()
    place = workspace(tmp_path, {"fixture": fixture_server()})
    ask: tuple[str | Path, ...] = (node(), program, "--cli", PROGRAM, *words(place))

    listed = run(*ask, "--method", "tools/list", folder=tmp_path)
    assert listed.returncode == 0, listed.stderr
    names = [each["name"] for each in json.loads(listed.stdout)["tools"]]
    assert "fixture__test_simple_text" in names
    assert len([each for each in names if each.startswith("fixture__")]) == len(fixture_server().tools)

    called = run(*ask, "--method", "tools/call", "--tool-name", "fixture__test_simple_text", folder=tmp_path)
    assert called.returncode == 0, called.stderr
    assert "This is a simple text response for testing." in called.stdout
