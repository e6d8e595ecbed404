"""The conformance suite of the protocol: what a server passes by itself it passes through the gateway, and the page says so."""

from pathlib import Path

import pytest

from tests.peers_mcp.brought import brought
from tests.peers_mcp.conformance import SUITE
from tests.peers_mcp.report import PAGE, both, page


@pytest.mark.slow
@pytest.mark.proves("gateway.conforms")
def test_what_passes_by_itself_passes_through_the_gateway(tmp_path: Path) -> None:
    """The same checks pass, all that there are, and the page says so."""
    brought(SUITE)
    own, through = both(tmp_path)

    assert {check: why for check, why in own.items() if why} == {}
    assert {check: why for check, why in through.items() if why} == {}
    assert through.keys() == own.keys()
    assert page(own, through) == PAGE.read_text(encoding="utf-8")
