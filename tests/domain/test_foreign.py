"""Schemas of strangers, bound: whatever a client may say to the server may be said to the gate."""

import json
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.adapters.cedar.schema import surfaces
from interlock.domain.canonical import encode
from interlock.domain.contract import Contract, McpTarget
from interlock.domain.errors import ContractError
from interlock.domain.exact import Raw, bound, sent
from interlock.domain.foreign import foreign
from interlock.domain.upstream import Definition, Server, Stdio
from interlock.domain.upstream_contract import Words, collisions, contract_name, upstream_contract

SERVER = Server(name="kit", way=Stdio(command=("kit",)))
NUMBERS = st.one_of(st.integers(-(2**53) + 1, 2**53 - 1), st.floats(-1e9, 1e9, allow_nan=False))
NAMES = st.text(st.characters(min_codepoint=97, max_codepoint=122), min_size=1, max_size=4)
ANY: st.SearchStrategy[Raw] = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, st.text(st.characters(codec="utf-8"), max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=3)),
    max_leaves=6,
)


class Pair:
    """A schema, and values that fit it."""

    def __init__(self, schema: dict[str, Any], values: st.SearchStrategy[Any]) -> None:
        self.schema = schema
        self.values = values


def objects(members: dict[str, Pair], needed: list[str]) -> Pair:
    """An object of these, as servers write it: open."""
    schema = {"type": "object", "properties": {name: each.schema for name, each in members.items()}, "required": needed}
    return Pair(
        schema,
        st.fixed_dictionaries(
            {name: members[name].values for name in needed},
            optional={name: each.values for name, each in members.items() if name not in needed},
        ),
    )


def members_of(inner: st.SearchStrategy[Pair]) -> st.SearchStrategy[Pair]:
    """Objects whose members are drawn."""
    return st.dictionaries(NAMES, inner, max_size=3).flatmap(
        lambda members: st.sets(st.sampled_from(sorted(members)) if members else st.nothing()).map(
            lambda needed: objects(members, sorted(needed))
        )
    )


LEAVES = st.sampled_from(
    [
        Pair({"type": "string"}, st.text(st.characters(codec="utf-8"), max_size=5)),
        Pair({"type": "integer"}, st.integers(-1000, 1000)),
        Pair({"type": "number"}, NUMBERS),
        Pair({"type": "boolean"}, st.booleans()),
        Pair({"type": ["number", "null"]}, st.one_of(st.none(), NUMBERS)),
        Pair({"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}, st.one_of(st.none(), st.just("a"))),
        Pair({"anyOf": [{"type": "string"}, {"type": "number"}]}, st.one_of(st.just("5"), NUMBERS)),
        Pair({"enum": ["a", "b"]}, st.sampled_from(["a", "b"])),
        Pair({"enum": ["a", 1, None, 0.5]}, st.sampled_from(["a", 1, None, 0.5])),
        Pair({"const": 0.5}, st.just(0.5)),
        Pair({}, ANY),
        Pair({"type": "object"}, st.dictionaries(NAMES, ANY, max_size=2)),
        Pair({"type": "array"}, st.lists(ANY, max_size=2)),
        Pair(
            {"type": "object", "additionalProperties": {"type": "number"}}, st.dictionaries(NAMES, NUMBERS, max_size=2)
        ),
        Pair({"type": "array", "prefixItems": [{"type": "string"}]}, st.just(["a", 0.5])),
    ]
)
PAIRS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        inner.map(lambda one: Pair({"type": "array", "items": one.schema}, st.lists(one.values, max_size=2))),
        members_of(inner),
        st.tuples(inner, inner).map(
            lambda two: Pair({"oneOf": [each.schema for each in two]}, st.one_of(two[0].values, two[1].values))
        ),
    ),
    max_leaves=6,
)


@pytest.mark.proves("upstream.any_schema", "upstream.exact")
@settings(max_examples=300)
@given(st.data(), members_of(PAIRS))
def test_what_fits_the_servers_schema_fits_the_contract(data: st.DataObject, pair: Pair) -> None:
    """Of any schema a contract comes that policies can read; what a client may send fits it, and is sent on unchanged."""
    tool = Definition(name="act", input_schema=pair.schema)
    contract = upstream_contract(SERVER, tool, Words())
    surfaces([contract])
    assert isinstance(contract.target, McpTarget)
    arguments = data.draw(pair.values)
    at_the_gate = bound(arguments, contract.target.forms)
    encode(at_the_gate)
    assert contract.takes.is_valid(at_the_gate)
    sent_on = sent(at_the_gate, contract.target.forms)
    assert json.dumps(again(sent_on), sort_keys=True) == json.dumps(again(arguments), sort_keys=True)


def again(value: Any) -> Any:
    """A value as a double has it, where 5.0 is 5."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: again(each) for name, each in value.items()}
    return [again(each) for each in value] if isinstance(value, list) else value


@settings(max_examples=300)
@given(ANY.filter(lambda value: isinstance(value, dict)))
def test_no_schema_breaks_anything(schema: Any) -> None:
    """Whatever stands where a schema should, a contract comes of it, or ContractError."""
    whole: list[Any] = [schema, {"type": "object", "properties": schema}]
    for inner in (*whole, {"type": "object", "properties": {"a": schema}}):
        try:
            found = foreign(inner)
        except ContractError:
            continue
        encode(found.schema)
        jsonschema_rs.validator_for(found.schema)


def test_references_and_recursion_are_followed_as_far_as_they_end() -> None:
    """A reference is what it refers to; one that leads to itself, or away, is a text."""
    schema: dict[str, Any] = {
        "type": "object",
        "$defs": {
            "money": {"type": "number"},
            "tree": {"type": "object", "properties": {"l": {"$ref": "#/$defs/tree"}}},
        },
        "properties": {
            "price": {"$ref": "#/$defs/money"},
            "tree": {"$ref": "#/$defs/tree"},
            "away": {"$ref": "https://evil.example/schema"},
            "all": {"allOf": [{"$ref": "#/$defs/money"}], "description": "in euros"},
        },
    }
    found = foreign(schema)
    assert found.forms == {"/price": "decimal", "/tree/l": "json", "/away": "json", "/all": "decimal"}


def test_a_number_that_is_whole_by_its_owners_word_is_an_integer() -> None:
    """`integers` makes an argument comparable; one that the tool does not take is refused."""
    tool = Definition(
        name="act", input_schema={"type": "object", "properties": {"n": {"type": "number", "minimum": 1}}}
    )
    found = upstream_contract(SERVER, tool, Words(whole=frozenset({"n"})))
    assert found.input_schema["properties"] == {"n": {"type": "integer", "minimum": 1}}
    assert isinstance(found.target, McpTarget)
    assert found.target.forms == {}
    for wrong in (Words(whole=frozenset({"m"})), Words(key="m")):
        with pytest.raises(ContractError, match="takes no argument `m`"):
            upstream_contract(SERVER, tool, wrong)


def test_what_no_contract_can_hold_is_refused_with_the_reason() -> None:
    """Names that are not ASCII, arguments that are no object, and schemas that nobody could read."""
    many = {f"p{each}": {"type": "string"} for each in range(5_000)}
    for schema, why in (
        ({"type": "object", "properties": {"größe": {"type": "string"}}}, "a name that no contract can have"),
        ({"type": "array"}, "no object with names"),
        ({"type": "object", "properties": many}, "too large"),
    ):
        with pytest.raises(ContractError, match=why):
            upstream_contract(SERVER, Definition(name="act", input_schema=schema), Words())


@given(st.lists(st.text(min_size=1, max_size=200), unique=True, max_size=6))
def test_names_of_contracts_are_words_and_collisions_are_found(tools: list[str]) -> None:
    """Any name of a tool gives a name that a contract may have, always the same; two that come out alike are told."""
    named = [contract_name("kit", tool) for tool in tools]
    for name, tool in zip(named, tools, strict=True):
        contract = upstream_contract(SERVER, Definition(name=tool.encode(errors="replace").decode()), Words())
        assert isinstance(contract, Contract)
        assert len(name) <= 128
    alike = collisions("kit", tools)
    assert {name for name in named if named.count(name) > 1} == set(alike)
