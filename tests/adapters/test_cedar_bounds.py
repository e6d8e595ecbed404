"""Overflow is refused before it happens: whatever could leave 64 bits for any question the contract lets through."""

import json
from typing import Final

import cedarpy
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from interlock.adapters.cedar import CedarPolicies
from interlock.adapters.cedar.bounds import reckoned
from interlock.adapters.cedar.ranges import Span
from interlock.domain.canonical import MAX_INTEGER
from interlock.domain.contract import Contract, Facts, InProcess, checked
from interlock.domain.ids import ContractName
from tests.adapters.cedar_cases import Json, forbid, one_file

FACTS: Final[Json] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["limit", "rate"],
    "properties": {"limit": {"type": "integer"}, "rate": {"type": "integer", "minimum": -5, "exclusiveMaximum": 1_000}},
}
ARGUMENTS: Final[Json] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["wide", "low", "small", "listed", "alike", "item"],
    "properties": {
        "wide": {"type": "integer"},
        "low": {"type": "integer", "minimum": 0},
        "small": {"type": "integer", "exclusiveMinimum": -1, "maximum": 100_000},
        "listed": {"enum": [-7, 3, 3_000_000]},
        "alike": {"allOf": [{"$ref": "#/$defs/size"}]},
        "maybe": {"anyOf": [{"type": "integer", "minimum": 2, "maximum": 9}, {"type": "null"}], "default": None},
        "either": {"anyOf": [{"type": "integer", "maximum": 5}, {"type": "integer", "minimum": 6}]},
        "item": {
            "type": "object",
            "additionalProperties": False,
            "required": ["n"],
            "properties": {"n": {"type": "integer", "minimum": 1, "maximum": 1_000_000_000}},
        },
    },
    "$defs": {"size": {"type": "integer", "minimum": -1_000_000, "maximum": 1_000_000}},
}
CONTRACT: Final = checked(
    Contract(
        name=ContractName("sums.add"),
        effect="read",
        risk="low",
        target=InProcess(name="add"),
        input_schema=ARGUMENTS,
        facts=Facts(source=InProcess(name="facts"), schema=FACTS),
    )
)
VALUES: Final[dict[str, tuple[int, ...]]] = {
    "context.args.wide": (-MAX_INTEGER, MAX_INTEGER),
    "context.args.low": (0, MAX_INTEGER),
    "context.args.small": (0, 100_000),
    "context.args.listed": (-7, 3, 3_000_000),
    "context.args.alike": (-1_000_000, 1_000_000),
    "context.args.maybe": (2, 9),
    "context.args.either": (-MAX_INTEGER, MAX_INTEGER),
    "context.args.item.n": (1, 1_000_000_000),
    "context.facts.limit": (-MAX_INTEGER, MAX_INTEGER),
    "context.facts.rate": (-5, 0, 999),
    "context.nowMs": (0, 2**53),
    "context.confidence": (0, 1_000),
    "context.minuteOfDay": (0, 1_439),
    "context.weekday": (1, 7),
    "context.task.depth": (0, 2**31),
    "context.budget.calls": (0, 2**53),
}
"""Every number that a policy can read, with the least and the greatest that it may be: there arithmetic goes furthest."""
GUARDS: Final = (
    "context.args has maybe && context.args has either && context has confidence && context has budget.calls"
)

literals = st.sampled_from([0, 1, -1, 2, 1_023, 1_025, 2**31, -(2**53), 2**62, 2**63 - 1, -(2**63) + 1]).map(str)
leaves = st.one_of(st.sampled_from(sorted(VALUES)), st.just("context.facts.limit * 1023"), literals)


def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Everything that makes a number of numbers, or hides one."""
    return st.one_of(
        st.tuples(inner, st.sampled_from("+-*"), inner).map(lambda each: f"({each[0]} {each[1]} {each[2]})"),
        inner.map(lambda each: f"-({each})"),
        st.tuples(inner, inner, inner, inner).map(
            lambda each: f"(if {each[0]} < {each[1]} then {each[2]} else {each[3]})"
        ),
        st.tuples(inner, inner).map(lambda each: f"{{n: {each[0]}, m: {each[1]}}}.n"),
        st.tuples(inner, inner).map(lambda each: f"(if [{each[0]}].contains({each[1]}) then {{n: {each[0]}}} else {{n: 1}}).n"),
    )  # fmt: skip


HIDDEN: Final = (
    "NUMBER",
    "{n: NUMBER}.n + 0",
    "(if NUMBER < 1 then 1 else 2) + 0",
    "(if [NUMBER].contains(1) then {n: 1} else {n: 2}).n - 0",
    "-(if [1].containsAll([NUMBER]) || {n: NUMBER} == {n: 1} then 1 else 2)",
)
numbers = st.tuples(st.recursive(leaves, larger, max_leaves=5), st.sampled_from(HIDDEN)).map(
    lambda each: each[1].replace("NUMBER", each[0])
)


def nested(values: dict[str, int]) -> Json:
    """Values by path, as one context."""
    found: Json = {"args": {"item": {}}, "facts": {}, "task": {}, "budget": {}}
    for path, value in values.items():
        place = found
        *groups, last = path.split(".")[1:]
        for name in groups:
            inner = place[name]
            assert isinstance(inner, dict)
            place = inner
        place[last] = value
    return found


def overflows(policy: str, values: dict[str, int]) -> bool:
    """Whether bare cedarpy says that it does, for one context."""
    request = {
        "principal": 'Release::"a@0123456789ab"',
        "action": 'Action::"sums.add"',
        "resource": 'System::"s"',
        "context": json.dumps(nested(values)),
    }
    result = cedarpy.is_authorized(request, policy, "[]")  # pyright: ignore[reportUnknownMemberType]  cedarpy leaves its dicts untyped
    assert all("overflow" in error for error in result.diagnostics.errors), result.diagnostics.errors
    return bool(result.diagnostics.errors)


@pytest.mark.proves("policy.overflow_refused")
@settings(max_examples=300)
@given(number=numbers, data=st.data())
def test_whatever_overflows_was_refused(number: str, data: st.DataObject) -> None:
    """A sum by chance, and values at the ends of what the contract lets through: if Cedar says that it
    overflows, no bundle with it is formed."""
    policy = forbid(f"{GUARDS} && {number} != 12345", "action")
    found = CedarPolicies().findings(one_file(policy), [CONTRACT])
    refused = any("numbers have 64 bits" in each.message for each in found)

    for _ in range(8):
        values = {path: data.draw(st.sampled_from(ends), label=path) for path, ends in VALUES.items() if path in number}
        absent = {path: ends[0] for path, ends in VALUES.items() if path not in number}
        assert refused or not overflows(policy, absent | values)


spans = st.tuples(st.integers(-50, 50), st.integers(-50, 50)).map(lambda ends: Span(min(ends), max(ends)))


@pytest.mark.proves("policy.overflow_refused")
@given(op=st.sampled_from(["add", "sub", "mul"]), left=spans, right=spans)
@example(op="mul", left=Span(-3, 2), right=Span(-5, 4))
def test_what_is_reckoned_is_exact(op: str, left: Span, right: Span) -> None:
    """The least and the greatest of all sums, differences or products, neither too narrow nor too wide."""
    does = {"add": int.__add__, "sub": int.__sub__, "mul": int.__mul__}[op]
    corners = [does(one, other) for one in range(left.low, left.high + 1) for other in range(right.low, right.high + 1)]

    assert reckoned(op, left, right) == Span(min(corners), max(corners))


@pytest.mark.proves("policy.overflow_refused")
@pytest.mark.parametrize(
    ("most", "least"),
    [
        ("context.args.low * 1023", "context.args.low * 1025"),
        ("context.args.wide * 1023", "context.args.wide * -1025"),
        ("context.facts.limit * 1023 + context.args.wide", "context.facts.limit * 1025"),
        ("context.args.small * context.args.item.n", "context.args.small * 92233720368548 + 0"),
        ("context.args.listed * 3074457345618", "context.args.listed * 3074457345619"),
        ("context.args.alike * 9223372036854", "context.args.alike * 9223372036855"),
        ("context.args.maybe * 1024819115206086200", "context.args.maybe * 1024819115206086201"),
        ("context.facts.rate * 9232604641496272", "context.facts.rate * 9232604641496273"),
        ("context.minuteOfDay * 6409570560705195", "context.minuteOfDay * 6409570560705196"),
        ("-(context.facts.limit) * 1023", "-(context.args.either) * 1025"),
        ("{n: context.args.low}.n * 1 + 0", "{n: context.args.low * 2000}.n"),
    ],
)
def test_the_last_that_fits_and_the_first_that_does_not(most: str, least: str) -> None:
    """Bounds of the contract are used to the last number."""
    language = CedarPolicies()

    fits = language.findings(one_file(forbid(f"{GUARDS} && {most} != 1", "action")), [CONTRACT])
    over = language.findings(one_file(forbid(f"{GUARDS} && {least} != 1", "action")), [CONTRACT])

    assert [each.message for each in fits if "64 bits" in each.message] == []
    assert [each for each in over if "64 bits" in each.message]


@pytest.mark.proves("policy.overflow_refused")
def test_a_contract_that_leaves_room_for_it_is_named_among_those_that_do_not() -> None:
    """A policy on many contracts is refused for the one in which it could overflow."""
    bounded: Json = {
        "type": "object",
        "additionalProperties": False,
        "required": ["n"],
        "properties": {"n": {"type": "integer", "minimum": 0, "maximum": 10}},
    }
    one = checked(
        Contract(name=ContractName("a.bounded"), effect="read", risk="low", target=InProcess(name="a"), input_schema=bounded)
    )  # fmt: skip
    properties: Json = {"n": {"type": "integer", "minimum": 0}}
    other = checked(
        Contract(
            name=ContractName("b.open"),
            effect="read",
            risk="low",
            target=InProcess(name="b"),
            input_schema={**bounded, "properties": properties},
        )
    )
    rule = forbid("context.args.n * context.args.n > 5", "action")

    assert CedarPolicies().findings(one_file(rule), [one]) == ()
    [found] = CedarPolicies().findings(one_file(rule), [one, other])
    assert "in `b.open`" in found.message
    assert "give `args.n` a `maximum` in the contract of `b.open`" in found.message
