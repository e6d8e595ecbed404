"""Where arguments meet their contract."""

import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from interlock.domain.binding import MAX_ARGUMENT_BYTES, action_digest, bind, fingerprint, result_problem
from interlock.domain.canonical import MAX_INTEGER, JsonValue
from interlock.domain.contract import Contract, McpTarget
from interlock.domain.errors import ContractError
from interlock.domain.exact import Forms
from interlock.domain.ids import Digest
from tests.domain.contracts import PRICE, but, taking

NONCE = "0" * 32

GOOD: dict[str, JsonValue] = {"sku": "A", "price_minor": 5}

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def path_of(contract: Contract, arguments: dict[str, Any]) -> str:
    """Where the contract says no."""
    with pytest.raises(ContractError) as caught:
        bind(contract, arguments, nonce=NONCE)
    return caught.value.path


@pytest.mark.proves("upstream.one_spelling")
def test_spellings_of_one_value_are_one_action() -> None:
    """Whatever door it comes by: the arguments, the digest an approval is for and what a loop is found by are the same."""
    forms: Forms = {"/price": "decimal", "/extra": "json", "/lines/*/share": "decimal"}
    texts = {"price": {"type": "string"}, "extra": {"type": "string"}, "lines": {"type": "array"}}
    target = McpTarget(server="kit", tool="x", pin=Digest("0" * 64), forms=forms)
    schema = {"type": "object", "properties": texts, "additionalProperties": False}
    asked = but(input_schema=schema, target=target)
    one = bind(asked, {"price": "100", "extra": '{"a":1,"b":"ü"}', "lines": [{"share": "0.5"}]}, nonce=NONCE)
    two = bind(
        asked, {"price": "1.00E+2", "extra": ' {"b": "\\u00fc", "a": 1.0}', "lines": [{"share": "50e-2"}]}, nonce=NONCE
    )
    assert one == two
    assert one.arguments["price"] == "100"
    assert fingerprint(asked, one.arguments) == fingerprint(asked, two.arguments)
    for arguments, path in (
        ({"price": "1e999"}, "/price"),
        ({"extra": "{"}, "/extra"),
        ({"lines": [{"share": "x"}]}, "/lines/0/share"),
        ({"extra": json.dumps("é" * 50_000, ensure_ascii=False)}, ""),
    ):
        assert path_of(asked, arguments) == path


def test_arguments_are_completed_with_defaults() -> None:
    """What was left to a default stands in the bound arguments, and saying it makes no difference."""
    bound = bind(PRICE, GOOD, nonce=NONCE)

    assert bound.arguments == {"sku": "A", "price_minor": 5, "note": ""}
    assert bound == bind(PRICE, {"note": "", **GOOD}, nonce=NONCE)
    assert GOOD == {"sku": "A", "price_minor": 5}


@pytest.mark.proves("contract.refused_with_path")
@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"price_minor": True}, "/price_minor"),
        ({"price_minor": 5.0}, "/price_minor"),
        ({"price_minor": float("nan")}, "/price_minor"),
        ({"price_minor": -float("inf")}, "/price_minor"),
        ({"price_minor": "5"}, "/price_minor"),
        ({"price_minor": None}, "/price_minor"),
        ({"price_minor": [5]}, "/price_minor"),
        ({"price_minor": 0}, "/price_minor"),
        ({"price_minor": MAX_INTEGER + 1}, "/price_minor"),
        ({"sku": "123456789"}, "/sku"),
        ({"sku": "\udc00"}, "/sku"),
        ({"sku": 5}, "/sku"),
        ({"sku": ("A",)}, "/sku"),
        ({"colour": "red"}, "/colour"),
        ({"": 1}, "/"),
        ({"a/b~c": 1}, "/a~1b~0c"),
        ({"sku": "x" * MAX_ARGUMENT_BYTES}, ""),
    ],
)
def test_what_does_not_fit_is_refused_with_a_pointer_to_it(changes: dict[str, Any], path: str) -> None:
    """Unknown fields, wrong types (True for an integer), numbers without an exact form and oversized input name their
    field; only what is too much as a whole names none."""
    assert path_of(PRICE, {**GOOD, **changes}) == path


@pytest.mark.parametrize("missing", ["sku", "price_minor"])
def test_a_missing_argument_is_named(missing: str) -> None:
    """A required argument that is not there is the culprit, not the object it should be in."""
    assert path_of(PRICE, {name: value for name, value in GOOD.items() if name != missing}) == f"/{missing}"


LINES = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"n": {"type": "integer"}, "a/b": {"type": "string"}},
        "required": ["n"],
        "additionalProperties": False,
    },
}


@pytest.mark.parametrize("schema", [LINES, {"anyOf": [LINES, {"type": "null"}]}, {"oneOf": [{"type": "null"}, LINES]}])
@pytest.mark.parametrize(
    ("value", "path"),
    [
        ("text", "/x"),
        ([5], "/x/0"),
        ([{"n": 1}, {"n": True}], "/x/1/n"),
        ([{"n": 1}, {}], "/x/1/n"),
        ([{"n": 1, "m": 1}], "/x/0/m"),
        ([{"n": 1, "a/b": 1}], "/x/0/a~1b"),
        ([{"n": 1.5}], "/x/0/n"),
    ],
)
def test_the_pointer_goes_all_the_way_in(schema: Any, value: Any, path: str) -> None:
    """The path leads to the innermost thing that is wrong, through lists, objects and what may be null."""
    assert path_of(taking(schema), {**GOOD, "x": value}) == path


def test_arguments_are_measured_together() -> None:
    """The limit is on the canonical bytes of all arguments, defaults included, and what just fits is bound."""
    contract = but(input_schema={**PRICE.input_schema, "properties": {"sku": {"type": "string"}}, "required": []})
    room = MAX_ARGUMENT_BYTES - len('{"sku":""}')

    assert len(str(bind(contract, {"sku": "x" * room}, nonce=NONCE).arguments["sku"])) == room
    assert path_of(contract, {"sku": "x" * (room + 1)}) == ""


@given(st.dictionaries(st.sampled_from(["sku", "price_minor", "note", "x", "a/b"]), JSON, max_size=5))
def test_arguments_are_bound_or_refused_and_nothing_else(arguments: dict[str, Any]) -> None:
    """Whatever comes, it fits and is complete, or the refusal is a ContractError; there is no third way."""
    try:
        bound = bind(PRICE, arguments, nonce=NONCE)
    except ContractError:
        return
    assert bound.arguments == {"note": "", **arguments}
    assert type(bound.arguments["price_minor"]) is int
    assert bound.arguments.keys() == {"sku", "price_minor", "note"}


@given(st.integers(1, 10), st.integers(1, 10), st.text("abc", max_size=2), st.text("abc", max_size=2))
def test_an_action_has_its_own_digest(one: int, two: int, first: str, second: str) -> None:
    """The digest an approval is bound to changes with arguments, contract and nonce, and with nothing else."""
    assume((one, first) != (two, second))
    a: dict[str, JsonValue] = {"sku": first, "price_minor": one}
    b: dict[str, JsonValue] = {"price_minor": two, "sku": second}

    assert action_digest(PRICE, a, NONCE) == action_digest(PRICE, dict(reversed(a.items())), NONCE)
    assert action_digest(PRICE, a, NONCE) != action_digest(PRICE, b, NONCE)
    assert action_digest(PRICE, a, NONCE) != action_digest(PRICE, a, "1" * 32)
    assert action_digest(PRICE, a, NONCE) != action_digest(but(risk="high"), a, NONCE)


def test_two_actions_that_ask_for_the_same_share_a_fingerprint() -> None:
    """The fingerprint sees contract name and arguments: another version of the contract asks for the same thing."""
    assert fingerprint(PRICE, GOOD) == fingerprint(but(risk="high"), GOOD)
    assert fingerprint(PRICE, GOOD) != fingerprint(but(name="other"), GOOD)
    assert fingerprint(PRICE, GOOD) != fingerprint(PRICE, {**GOOD, "sku": "B"})


def test_a_result_is_held_against_the_contract() -> None:
    """A result that is not what was promised is said in words with its place; without a promise anything goes."""
    promising = but(output_schema={"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]})

    assert result_problem(PRICE, {"any": ["thing"]}) is None
    assert result_problem(promising, {"n": 1, "more": 2}) is None
    assert (result_problem(promising, {"n": "secret"}) or "").startswith("/n:")
    assert "secret" not in (result_problem(promising, {"n": "secret"}) or "")
    assert (result_problem(promising, None) or "").startswith("result:")
    assert (result_problem(promising, {}) or "").startswith("/n:")


def test_a_property_that_may_not_be_given_is_no_trouble() -> None:
    """A schema may forbid a name by `false`; that is not a shape with a default."""
    assert path_of(taking(False), {**GOOD, "x": 1}) == "/x"
    assert bind(taking(False), GOOD, nonce=NONCE).arguments.keys() == {"sku", "price_minor", "note"}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            {"sku": "A", "price_minr": 1, "price_minor": 1},
            "/price_minr: there is no such argument; did you mean `price_minor`?",
        ),
        ({"sku": "A", "price_minor": 1, "zzz": 1}, "/zzz: there is no such argument; known: "),
        ({"sku": "A"}, "/price_minor: it is required, and missing"),
    ],
)
def test_a_wrong_name_is_said_in_words(arguments: dict[str, JsonValue], words: str) -> None:
    """A misspelt argument is answered with the closest one, and a missing one is called missing."""
    with pytest.raises(ContractError) as caught:
        bind(PRICE, arguments, nonce="n")

    assert words in caught.value.detail
