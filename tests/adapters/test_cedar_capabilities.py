"""Searches leave out what the gate refuses before policies are asked: uses without the capability."""

import pytest

from interlock.domain.ids import AgentName, ContractName
from tests.adapters.cedar_cases import ALL, CONTRACTS, stored
from tests.adapters.symbolic_cases import TIMEOUT_MS, answers, proving

AGENTS = [AgentName("alpha"), AgentName("beta"), AgentName("gamma")]
PRICE, RESTORE, MAIL = (
    ContractName("pricing.set_price"),
    ContractName("pricing.restore-price"),
    ContractName("mail.send"),
)
CAPABILITIES = {AgentName("alpha"): (PRICE,), AgentName("beta"): (RESTORE, MAIL), AgentName("gamma"): ()}
RESTORED = ALL.replace("action,", f'action == Action::"{RESTORE}",')


@pytest.mark.proves("whatif.no_loosening_missed")
def test_a_search_is_made_for_who_has_the_capability() -> None:
    """A permit for all is looser for each contract and those who may use it, and for undos of what somebody may use."""
    found = list(
        proving().loosenings(stored(), stored(ALL), CONTRACTS, AGENTS, timeout_ms=TIMEOUT_MS, capabilities=CAPABILITIES)
    )

    assert answers(found) == {
        (PRICE, ("alpha",)): "found",
        (RESTORE, ("beta",)): "found",
        (RESTORE, ("alpha",)): "found",
        (MAIL, ("beta",)): "found",
    }
    undos = {(each.contract, each.agents): each.question.around.undo for each in found if each.question is not None}
    assert undos[RESTORE, (AgentName("alpha"),)] is True
    assert undos[RESTORE, (AgentName("beta"),)] is False


@pytest.mark.proves("whatif.no_loosening_missed")
def test_what_is_only_undone_is_searched_among_undos_alone() -> None:
    """Who has no capability for the reversal never asks for it otherwise."""
    plain = RESTORED.replace(";", " when { !context.undo };")

    found = list(
        proving().loosenings(
            stored(), stored(plain), CONTRACTS, AGENTS, timeout_ms=TIMEOUT_MS, capabilities=CAPABILITIES
        )
    )

    assert answers(found) == {(RESTORE, ("beta",)): "found", (RESTORE, ("alpha",)): "none"}


@pytest.mark.proves("whatif.invariants")
def test_an_invariant_is_held_against_who_has_the_capability() -> None:
    """Nobody else can break it, so a permit that goes further than capabilities refutes nothing."""
    never = """@id("x") @invariant("never")
        forbid(principal in Agent::"gamma", action == Action::"mail.send", resource);"""
    others = never.replace('"gamma"', '"beta"')

    def answer(written: str) -> tuple[str, int]:
        (found,) = proving().invariants(
            {"i.cedar": written}, stored(ALL), CONTRACTS, AGENTS, timeout_ms=TIMEOUT_MS, capabilities=CAPABILITIES
        )
        return found.answer, len(found.proofs)

    assert (answer(never), answer(others)) == (("unknown", 0), ("refuted", 1))
