"""The conformance suite of the protocol: what a server passes by itself it passes through the gateway, and the page says so."""

from pathlib import Path

import pytest

from tests.peers_mcp.brought import brought
from tests.peers_mcp.conformance import ASKED, SUITE, client_results, client_scenarios
from tests.peers_mcp.report import PAGE, as_client, both, page


@pytest.mark.slow
@pytest.mark.proves("gateway.conforms")
def test_what_passes_by_itself_passes_through_the_gateway(tmp_path: Path) -> None:
    """The same checks pass, all that there are, and the page says so."""
    brought(SUITE)
    own, through = both(tmp_path)

    assert {check: why for check, why in own.items() if why} == {}
    assert {check: why for check, why in through.items() if why} == {}
    assert through.keys() == own.keys()
    assert PAGE.read_text(encoding="utf-8").startswith(page(own, through))


@pytest.mark.slow
@pytest.mark.proves("gateway.conforms_to_servers")
def test_what_a_client_is_to_get_right_it_gets_right(tmp_path: Path) -> None:
    """Every scenario for clients that applies passes, and the page says which do not, and why."""
    brought(SUITE)
    asked, scenarios = client_results(tmp_path / "asked"), client_scenarios(tmp_path)

    assert {check: why for check, why in asked.items() if why} == {}
    assert {each.scenario for each in asked} == set(ASKED) <= set(scenarios)
    assert PAGE.read_text(encoding="utf-8").endswith(as_client(asked, scenarios))
