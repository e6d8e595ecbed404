"""Which call of a run a framework's call is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.sdk.named_run import NamedRun

ARGUMENTS = st.dictionaries(
    st.text(max_size=4), st.integers() | st.text(max_size=4) | st.lists(st.booleans()), max_size=3
)


def test_without_a_name_calls_are_the_frameworks() -> None:
    """A run that has no name is told by the framework's own ids."""
    assert NamedRun().named("refund", {"order": "o1"}, "run", "c1") == ("run", "c1")


@given(ARGUMENTS, ARGUMENTS)
def test_in_a_named_run_calls_are_what_they_do(first: dict[str, object], second: dict[str, object]) -> None:
    """Two calls of a tool are one where their arguments are equal, in whatever order and under whatever ids, and else two."""
    run = NamedRun("monday")
    one = run.named("refund", first, "r1", "c1")
    turned = run.named("refund", dict(reversed(first.items())), "r2", "c2")
    other = run.named("refund", second, "r1", "c1")

    assert one == turned
    assert (one == other) == (repr(sorted(first.items())) == repr(sorted(second.items())))
    assert one != run.named("look", first, "r1", "c1")
    assert one != NamedRun("tuesday").named("refund", first, "r1", "c1")


@pytest.mark.parametrize("repeats", [["look"], ("look", "poll")])
def test_tools_that_repeat_are_told_by_their_ids(repeats: list[str]) -> None:
    """In a named run each call of such a tool is one of its own; the others are not."""
    run = NamedRun("monday", repeats)

    assert run.named("look", {}, "r", "c1") != run.named("look", {}, "r", "c2")
    assert run.named("look", {}, "r", "c1") == run.named("look", {}, "r", "c1")
    assert run.named("refund", {}, "r", "c1") == run.named("refund", {}, "r", "c2")


def test_what_is_no_json_is_told_apart_by_how_it_is_written() -> None:
    """Arguments that have no JSON form still make calls that differ where they do."""
    run = NamedRun("monday")

    assert run.named("refund", {"of": 1 + 2j}, "r", "c") != run.named("refund", {"of": 2 + 2j}, "r", "c")
