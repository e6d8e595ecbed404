"""Grants: a closed world of tools and arguments, narrowed and met as a whole."""

import msgspec
import pytest
from hypothesis import given, settings

from interlock.domain.canonical import JsonValue
from interlock.domain.grant import (
    MAX_ARGUMENTS,
    MAX_TOOLS,
    NOTHING,
    Grant,
    GrantError,
    anything_with,
    meet,
    narrower,
    read_grant,
    written,
)
from tests.domain.delegations import CALLS, GRANTS, refunds

ANYTHING: dict[str, JsonValue] = {"constraint_type": "wildcard"}


@pytest.mark.proves("tokens.closed_world")
@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("shop.refund", {"amount": 500, "currency": "EUR", "order": "o-1"}, None),
        ("shop.refund", {"amount": 501, "currency": "EUR", "order": "o-1"}, "at most 500"),
        ("shop.refund", {"amount": True, "currency": "EUR", "order": "o-1"}, "at most 500"),
        ("shop.refund", {"amount": 1, "currency": "GBP", "order": "o-1"}, "one of `EUR`, `USD`"),
        ("shop.refund", {"amount": 1, "currency": "EUR"}, "`order`, which is missing"),
        ("shop.refund", {"amount": 1, "currency": "EUR", "order": 1, "force": 1}, "without the argument `force`"),
        ("shop.delete", {}, "`shop.delete` is not among what is granted: `shop.refund`"),
    ],
)
def test_only_what_is_named_is_granted(tool: str, arguments: dict[str, JsonValue], words: str | None) -> None:
    """A tool not named, an argument not named or missing, and a value not admitted is refused, with what would be granted."""
    found = refunds().admits(tool, arguments)

    assert (found is None) if words is None else (found is not None and words in found)


def test_nothing_grants_nothing() -> None:
    """A grant without tools permits no call, and says so."""
    assert NOTHING.admits("shop.refund", {}) == "`shop.refund` is not among what is granted: nothing"


def test_a_refusal_does_not_repeat_the_value() -> None:
    """What the call brought may be private, and stands in no reason."""
    words = refunds().admits("shop.refund", {"amount": 1, "currency": "DE89 3704 0044", "order": 1})

    assert words is not None
    assert "DE89" not in words


def test_a_tool_without_named_arguments_may_have_any() -> None:
    """As in the draft: naming a tool alone grants it with any arguments, and whoever hands it on may name them."""
    wide = anything_with(["shop.note"])

    assert wide.admits("shop.note", {"text": "x", "to": None}) is None
    assert narrower(read_grant({"tools": {"shop.note": {"text": ANYTHING}}}), wide) is None
    assert narrower(wide, read_grant({"tools": {"shop.note": {"text": ANYTHING}}})) is not None


@pytest.mark.parametrize(
    "bad",
    [
        {},
        {"tools": {"a": {"b": {"constraint_type": "regex", "pattern": "x"}}}},
        {"tools": {"a": {"b": {}}}},
        {"tools": {"": {}}},
        {"tools": {"a\u00e9": {}}},
        {"tools": {"a": {"x" * 300: ANYTHING}}},
        {"tools": {"a": None}},
        {"tools": {f"t{n}": {} for n in range(MAX_TOOLS + 1)}},
        {"tools": {"a": {f"x{n}": ANYTHING for n in range(MAX_ARGUMENTS + 1)}}},
        {"tools": {}, "prohibited": []},
        None,
    ],
)
def test_what_is_no_grant_is_not_read(bad: JsonValue) -> None:
    """Anything not known and anything beyond the bounds is refused when it is read."""
    with pytest.raises(GrantError):
        read_grant(bad)


def test_a_grant_is_said_a_line_a_tool() -> None:
    """On a card stands each tool with what its arguments may be."""
    grant = refunds(500, more={"shop.note": {}, "shop.show": {"order": ANYTHING}})

    assert grant.words() == (
        "shop.note: any arguments",
        "shop.refund: amount a whole number at least 0 and at most 500; currency one of `EUR`, `USD`; order anything",
        "shop.show: any `order`",
    )


@given(grant=GRANTS)
@settings(max_examples=30, deadline=None)
def test_what_is_written_is_read(grant: Grant) -> None:
    """A grant comes back from JSON as it was."""
    again = read_grant(msgspec.json.decode(msgspec.json.encode(written(grant))))

    assert msgspec.json.encode(again) == msgspec.json.encode(grant)


@pytest.mark.proves("tokens.narrowing_sound")
@given(child=GRANTS, parent=GRANTS, call=CALLS)
@settings(max_examples=60, deadline=None)
def test_what_is_narrower_grants_nothing_more(
    child: Grant, parent: Grant, call: tuple[str, dict[str, JsonValue]]
) -> None:
    """Whatever call a narrower grant grants, the other grants."""
    if narrower(child, parent) is None and child.admits(*call) is None:
        assert parent.admits(*call) is None


@pytest.mark.proves("tokens.meet")
@given(one=GRANTS, other=GRANTS, call=CALLS)
@settings(max_examples=60, deadline=None)
def test_the_meet_grants_what_both_grant(one: Grant, other: Grant, call: tuple[str, dict[str, JsonValue]]) -> None:
    """The meet of two grants what both grant and nothing else, and is seen to be narrower than each."""
    try:
        both = meet(one, other)
    except GrantError:
        return

    assert (both.admits(*call) is None) == (one.admits(*call) is None and other.admits(*call) is None)
    assert narrower(both, one) is None
    assert narrower(both, other) is None


def test_the_meet_of_no_grants_is_none() -> None:
    """Absence never permits: without a grant there is nothing to meet."""
    with pytest.raises(GrantError):
        meet()
