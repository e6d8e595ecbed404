"""Operators' logs quote nothing private."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.domain.action import Outcome
from interlock.domain.masking import MASK, masked
from interlock.testing.conformance.making import action

# No letter of an id, which is hexadecimal: a word that also stands in the id is masked there as well. So is a number, and the
# arguments below have none.
WORDS = st.text("ghkxyz", min_size=3, max_size=12)


@given(word=WORDS, around=st.text("!? :`", max_size=20))
@pytest.mark.proves("erasure.logs_quote_nothing")
def test_no_private_value_is_quoted(word: str, around: str) -> None:
    """Wherever a value stands in an action, words about it have a mask in its place, and keep the rest."""
    for about in (
        action(arguments={"to": [word]}),
        action(arguments={}, facts={"a": {"b": word}}),
        action(arguments={}, initiator=word),
        action(justification=word, arguments={}),
        action(arguments={}, outcome=Outcome(result=[{"x": word}], error="", observed_at=1)),
    ):
        said = masked(f"{around}{word}{around}{about.id}", about)
        assert word not in said
        assert said.startswith(around + MASK)
        assert about.id in said


def test_what_the_log_says_anyway_stays() -> None:
    """Ids, names of contracts and words of ours are not masked, nor what is too short to be told from them."""
    about = action(arguments={"n": 5, "contract": "pricing.set_price"})
    text = f"there is no contract `pricing.set_price` for 5 of {about.id}"

    assert masked(text, msgspec.structs.replace(about, initiator="")) == text
