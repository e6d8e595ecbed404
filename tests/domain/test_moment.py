"""Times as people write them."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.domain.moment import moment_of


@pytest.mark.parametrize(
    "text", ["2026-12-24T18:00", "2026-12-24T18:00Z", "2026-12-24 18:00:00", "2026-12-24T19:00+01:00", "20261224T1800"]
)
def test_a_time_is_utc_unless_it_says_otherwise(text: str) -> None:
    """Every form of one moment is that moment."""
    assert moment_of(text) == int(datetime(2026, 12, 24, 18, tzinfo=UTC).timestamp()) * 1000


@given(st.one_of(st.text(max_size=30), st.datetimes().map(str)))
def test_anything_is_a_time_or_a_value_error(text: str) -> None:
    """Whatever is written, it is a moment that can be shown again, or refused."""
    try:
        at = moment_of(text)
    except ValueError:
        return
    assert datetime.fromtimestamp(at / 1000, tz=UTC).year >= 1970
