"""The numbers that an erasure says it covers have one form."""

import pytest

from interlock.domain.erasure import numbers_in, ranges_of


@pytest.mark.parametrize(
    "text", ["01", "+1", "1_0", " 1", "1 ,2", "\u0967", "1-", "-1", "1,,2", "2,1", "5-3", "9", "9" * 5000]
)
def test_what_is_never_written_is_refused(text: str) -> None:
    """What another reader could take for something else is read by neither."""
    with pytest.raises(ValueError, match="number"):
        numbers_in(text, 9)


def test_what_is_written_reads_back() -> None:
    """Ranges and single numbers."""
    assert numbers_in(ranges_of([5, 3, 4, 8]), 9) == [3, 4, 5, 8]
    assert numbers_in("", 9) == []
