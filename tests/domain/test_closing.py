"""Schemas made closed, and what cannot be."""

from copy import deepcopy
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.domain.closing import closed, inexact

OPEN: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "string"}}}
SHUT: dict[str, Any] = {**OPEN, "additionalProperties": False}


@pytest.mark.parametrize(
    ("schema", "result"),
    [
        (OPEN, SHUT),
        (SHUT, SHUT),
        ({"type": "array", "items": OPEN}, {"type": "array", "items": SHUT}),
        ({"anyOf": [OPEN, {"type": "null"}]}, {"anyOf": [SHUT, {"type": "null"}]}),
        ({"$defs": {"d": OPEN}, "$ref": "#/$defs/d"}, {"$defs": {"d": SHUT}, "$ref": "#/$defs/d"}),
        ({"type": "object", "additionalProperties": OPEN}, {"type": "object", "additionalProperties": SHUT}),
        ({"enum": [{"type": "number"}]}, {"enum": [{"type": "number"}]}),
        (
            {**SHUT, "anyOf": [{"required": ["a"]}, {"properties": {"a": {"const": "x"}}}]},
            {**SHUT, "anyOf": [{"required": ["a"]}, {"properties": {"a": {"const": "x"}}}]},
        ),
        (
            {"type": "object", "properties": {"properties": OPEN, "type": {"type": "string"}}},
            {
                "type": "object",
                "properties": {"properties": SHUT, "type": {"type": "string"}},
                "additionalProperties": False,
            },
        ),
    ],
)
def test_objects_are_closed_wherever_they_are(schema: dict[str, Any], result: dict[str, Any]) -> None:
    """Every object takes the fields it names and no more; values and names that look like keywords are left alone."""
    before = deepcopy(schema)

    assert closed(schema) == (result, ())
    assert schema == before


@pytest.mark.parametrize(
    ("schema", "where", "value", "says"),
    [
        ({"type": "object"}, "", "", "open object"),
        ({"type": "object", "additionalProperties": True}, "", "", "open object"),
        ({"type": "object", "additionalProperties": {}}, "", "", "open object"),
        ({**OPEN, "additionalProperties": True}, "", "", "open object"),
        ({"type": ["object", "null"]}, "", "", "open object"),
        ({"type": "array"}, "", "", "list of anything"),
        ({"type": "array", "items": {}}, "/items", "/*", "may be anything"),
        ({"type": "array", "items": True}, "/items", "/*", "may be anything"),
        ({"properties": {"a": {"type": "string"}}}, "", "", "may be anything"),
        ({**OPEN, "properties": {"a": {"description": "d"}}}, "/properties/a", "/a", "may be anything"),
        ({**OPEN, "properties": {"a/b": {"type": "number"}}}, "/properties/a~1b", "/a~1b", "floating"),
        ({"type": ["number", "null"]}, "", "", "floating"),
        ({"anyOf": [{"type": "number"}, {"type": "null"}]}, "/anyOf/0", "", "floating"),
        ({"prefixItems": [{"type": "number"}], "type": "array"}, "/prefixItems/0", "/*", "floating"),
        ({"allOf": [OPEN, {**OPEN, "properties": {"b": {"type": "string"}}}]}, "", "", "allOf"),
    ],
)
def test_what_cannot_be_closed_is_said_with_its_place(
    schema: dict[str, Any], where: str, value: str, says: str
) -> None:
    """Each flaw points into the schema and to the part of a value that is meant."""
    _, flaws = closed(schema)

    assert [(flaw.schema, flaw.value) for flaw in flaws] == [(where, value)]
    assert says in flaws[0].detail


def test_all_flaws_are_found_at_once() -> None:
    """One look finds everything that is wrong."""
    _, flaws = closed({**OPEN, "properties": {"a": {"type": "number"}, "b": {"type": "array"}, "c": {}}})

    assert [flaw.value for flaw in flaws] == ["/a", "/b", "/c"]


def test_a_schema_of_others_is_narrowed() -> None:
    """Of a tool that takes more than it names we use what it names; one that names nothing is no use."""
    assert closed({**OPEN, "additionalProperties": True}, narrow=True) == (SHUT, ())
    assert closed({"type": "object"}, narrow=True)[1] != ()


def test_results_may_be_open_but_not_inexact() -> None:
    """Of a result only what has no exact form is a flaw."""
    assert inexact({"type": "object"}) == ()
    assert inexact({}) == ()
    assert [flaw.value for flaw in inexact({"type": "array", "items": {"type": "number"}})] == ["/*"]


def test_depth_is_bounded() -> None:
    """A schema nested without end is a flaw, not a crash."""
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(5_000):
        schema = {"type": "array", "items": schema}

    assert [flaw.detail for flaw in closed(schema)[1]] == ["is nested too deep"]


SCALARS = st.sampled_from([{"type": kind} for kind in ("string", "integer", "boolean", "null")])
SCHEMAS: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: (
        st.builds(lambda items: {"type": "array", "items": items}, inner)
        | st.builds(
            lambda names: {"type": "object", "properties": names}, st.dictionaries(st.sampled_from("ab"), inner)
        )
        | st.builds(lambda one: {"anyOf": [one, {"type": "null"}]}, inner)
    ),
    max_leaves=6,
)


@pytest.mark.proves("contract.arguments_are_closed")
@given(SCHEMAS, st.data())
def test_a_closed_schema_takes_no_field_that_it_does_not_name(schema: dict[str, Any], data: st.DataObject) -> None:
    """A value that fits the open schema fits the closed one exactly until some object in it has a field more."""
    shut, flaws = closed(schema)
    value, objects = data.draw(_fitting(schema))

    assert flaws == ()
    assert closed(shut) == (shut, ())
    assert jsonschema_rs.is_valid(shut, value)
    for one in objects:
        one["more"] = 1
        assert jsonschema_rs.is_valid(schema, value)
        assert not jsonschema_rs.is_valid(shut, value)
        del one["more"]


@st.composite
def _fitting(draw: st.DrawFn, schema: dict[str, Any]) -> tuple[Any, list[dict[str, Any]]]:
    """A value that fits `schema`, and every object in it."""
    if "anyOf" in schema:
        return draw(_fitting(schema["anyOf"][0]))
    match schema["type"]:
        case "array":
            value, objects = draw(_fitting(schema["items"]))
            return [value], objects
        case "object":
            parts = {name: draw(_fitting(part)) for name, part in schema["properties"].items()}
            made = {name: value for name, (value, _) in parts.items()}
            return made, [made, *(each for _, objects in parts.values() for each in objects)]
        case kind:
            return {"string": "s", "integer": 1, "boolean": True, "null": None}[kind], []
