"""Chains judged by programs that others wrote, with other means: Biscuit's Datalog and Tenuo's warrants."""

from collections import Counter

import pytest

from tests.domain.oracles import Unsaid, by_biscuit, by_tenuo, case, ours


def beside_biscuit(seeds: range) -> Counter[str]:
    """What became of the chains of `seeds`, every call of each having been put to both."""
    count: Counter[str] = Counter()
    for seed in seeds:
        said = case(seed)
        found, theirs = ours(said), by_biscuit(said)
        if found is None:
            # Biscuit heeds each block for itself; we refuse a chain whole in which one says more than its parent.
            count["refused whole"] += 1
            continue
        assert found == theirs, f"seed {seed}"
        count["accepted"] += 1
        count["calls granted"] += sum(found)
        count["calls refused"] += len(found) - sum(found)
    return count


def beside_tenuo(seeds: range) -> Counter[str]:
    """The same with Tenuo, where it has words for a chain."""
    count: Counter[str] = Counter()
    for seed in seeds:
        said = case(seed, texts=True)
        try:
            theirs = by_tenuo(said)
        except Unsaid:
            count["unsaid"] += 1
            continue
        found = ours(said)
        if found is None:
            assert theirs is None, f"seed {seed}: refused by us as widening, handed on by Tenuo"
            count["refused by both"] += 1
        elif theirs is None:
            # It compares constraints of few kinds with another: an `any` below a range is refused there.
            count["refused by Tenuo alone"] += 1
        else:
            assert found == theirs, f"seed {seed}"
            count["accepted"] += 1
    return count


@pytest.mark.proves("tokens.narrowing_sound", "tokens.closed_world")
def test_biscuit_grants_what_we_grant() -> None:
    """Of the calls under an accepted chain Biscuit, which checks every block, grants exactly those that we grant."""
    count = beside_biscuit(range(300))

    assert count["accepted"] > 200
    assert count["refused whole"] > 30
    assert min(count["calls granted"], count["calls refused"]) > 500


@pytest.mark.slow
@pytest.mark.proves("tokens.narrowing_sound", "tokens.closed_world")
def test_biscuit_grants_what_we_grant_thousands_of_times() -> None:
    """The same of five thousand chains."""
    assert beside_biscuit(range(300, 5_300))["accepted"] > 2_000


@pytest.mark.proves("tokens.narrowing_sound")
def test_tenuo_hands_on_nothing_that_we_refuse() -> None:
    """A chain that we refuse as widening Tenuo does not derive either, and of the calls under one that both accept it
    grants exactly those that we grant."""
    count = beside_tenuo(range(300))

    assert count["accepted"] > 150
    assert count["refused by both"] > 30
    assert count["unsaid"] < 10


@pytest.mark.slow
@pytest.mark.proves("tokens.narrowing_sound")
def test_tenuo_hands_on_nothing_that_we_refuse_thousands_of_times() -> None:
    """The same of five thousand chains."""
    assert beside_tenuo(range(300, 5_300))["accepted"] > 2_000
