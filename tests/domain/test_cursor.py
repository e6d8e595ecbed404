"""Where the next page begins."""

import pytest

from interlock.domain.cursor import before_of
from interlock.domain.errors import ContractError


@pytest.mark.parametrize("text", ["-", "--", "a b", "a\n", "é", "a" * 65, "../a"])
def test_what_no_page_gave_is_no_cursor(text: str) -> None:
    """It is refused in words, and names the field it stood in."""
    with pytest.raises(ContractError) as refused:
        before_of(text, "/before")
    assert refused.value.problem()["path"] == "/before"


def test_an_id_is_one() -> None:
    """As a page gave it; nothing is the beginning."""
    assert (before_of("01a2-b"), before_of("")) == ("01a2-b", None)
