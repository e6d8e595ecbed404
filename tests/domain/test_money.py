"""Money as it is typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.domain.money import minor_of, money, typed

CURRENCIES = st.sampled_from(["EUR", "JPY", "KWD"])


@given(st.integers(-(10**14), 10**14), CURRENCIES)
def test_what_is_typed_is_what_is_kept(minor: int, currency: str) -> None:
    """An amount written for typing is read back as it was, and reads as it is shown."""
    assert minor_of(typed(minor, currency), currency) == minor
    assert money(minor, currency).replace(",", "") == f"{typed(minor, currency)} {currency}"


@pytest.mark.parametrize(
    "text", ["1,234.50", "1.234,50", "1 000", "1.234", "1e3", "٣", "", ".5", "5.", "--1", "1" * 16]
)
def test_what_could_be_read_in_two_ways_is_not_read(text: str) -> None:
    """Thousands, decimal commas, more digits than there are and digits of other scripts are refused."""
    with pytest.raises(ValueError, match="EUR"):
        minor_of(text, "EUR")
