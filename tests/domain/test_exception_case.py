"""Kinds of exceptions: those declared, and those that agents come up with."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as some

from interlock.domain.errors import ContractError
from interlock.domain.exception_case import KINDS, PATTERN, RAISE, Sighting, must_be_unanswered, new_kinds
from interlock.domain.ids import ActionId, ContractName


def seen(*kinds: str) -> list[Sighting]:
    """These, a millisecond apart."""
    return [Sighting(kind, at, ActionId(f"a{at:03}")) for at, kind in enumerate(kinds)]


def test_what_is_alike_is_one_new_kind() -> None:
    """Case, order and punctuation make no other kind, nor does a plural; what means something else does."""
    said = ("rate limited", "Rate limited!", "limited rate", "rate limits", "customer is angry", "rate limited")
    found = new_kinds(seen(*(f"other:{each}" for each in said), "out_of_scope"))

    assert [(each.words, each.count) for each in found] == [("rate limited", 5), ("customer is angry", 1)]
    assert set(found[0].also) == {"Rate limited!", "limited rate", "rate limits"}
    assert (found[0].first_at, found[0].last_at, found[0].example) == (0, 5, "a005")


@given(words=some.lists(some.text(max_size=20), max_size=40))
def test_every_undeclared_kind_is_counted_once(words: list[str]) -> None:
    """Whatever agents write: the counts add up, and no words are in two groups."""
    found = new_kinds(seen(*(f"other:{each}" for each in words)))

    assert sum(each.count for each in found) == len(words)
    said = [each for kind in found for each in (kind.words, *kind.also)]
    assert len(said) == len(set(said))


@pytest.mark.parametrize("kind", [*KINDS, "other:x", "other:" + "y" * 100])
def test_kinds_that_may_be_raised(kind: str) -> None:
    """Those declared, and others in up to a hundred letters."""
    assert re.fullmatch(PATTERN, kind)


@pytest.mark.parametrize("kind", ["", "other:", "Out_of_scope", "out of scope", "other:" + "y" * 101])
def test_kinds_that_may_not_be_raised(kind: str) -> None:
    """A misspelt one is refused rather than new."""
    assert not re.fullmatch(PATTERN, kind)


def test_an_answer_is_a_persons_to_give() -> None:
    """An agent that proposes one with its question is refused; other tools may call an argument so."""
    must_be_unanswered(RAISE, {"kind": "out_of_scope", "answer": ""})
    must_be_unanswered(ContractName("quiz.say"), {"answer": "42"})
    with pytest.raises(ContractError, match="a person's"):
        must_be_unanswered(RAISE, {"kind": "out_of_scope", "answer": "yes"})
