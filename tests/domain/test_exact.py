"""JSON of others as we keep it, and back."""

import json
import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from interlock.domain.canonical import encode
from interlock.domain.exact import (
    Form,
    InexactError,
    Kept,
    Raw,
    bound,
    canonical,
    decimal_of,
    given,
    json_text,
    kept,
    number_of,
    sent,
)

NUMBERS = st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False))
ANYTHING: st.SearchStrategy[Raw] = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, st.text(st.characters(codec=None), max_size=20)),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=6), inner, max_size=4)),
    max_leaves=20,
)
NUMBER_TEXTS = st.from_regex(r"-?(0|[1-9][0-9]{0,12})(\.[0-9]{1,10})?([eE][+-]?[0-9]{1,2})?", fullmatch=True)


def same(one: object, other: object) -> bool:
    """Whether two values are the same JSON: a truth value is no number, and 5 and 5.0 are one."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


@pytest.mark.proves("upstream.exact")
@for_all(ANYTHING)
def test_any_json_is_kept_in_a_canonical_form_and_given_back_as_it_was(value: Raw) -> None:
    """Whatever JSON a server gives has a canonical form here, and comes back exactly."""
    was = kept(value)
    encode(was.value, max_bytes=10**6)
    back = given(Kept(json.loads(encode(was.value)), was.texts))
    assert same(back, value)


@for_all(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_and_its_decimal_text_are_the_same_number(number: float) -> None:
    """A number becomes a text and the same number again, for every double there is."""
    text = decimal_of(number)
    assert number_of(text) == number
    assert json.loads(json.dumps({"x": number_of(text)}))["x"] == number


@for_all(NUMBER_TEXTS)
def test_a_decimal_text_is_sent_exactly_or_not_at_all(text: str) -> None:
    """What is written as a decimal is sent as the number it says, and refused where JSON programs would read another one."""
    try:
        number = number_of(text)
    except ValueError:
        return
    assert json.loads(json.dumps(number)) == number
    from_text = float(text)
    assert number == from_text or (isinstance(number, int) and number == int(text))


FORMS: dict[str, Form] = {"/price": "decimal", "/lines/*/share": "decimal", "/extra": "json", "/by/*": "json"}


@pytest.mark.proves("upstream.exact")
@for_all(
    st.fixed_dictionaries(
        {"name": st.text()},
        optional={
            "price": NUMBERS.filter(lambda n: abs(n) < 2**53),
            "lines": st.lists(
                st.fixed_dictionaries({"share": st.floats(allow_nan=False, allow_infinity=False), "n": st.integers()})
            ),
            "extra": ANYTHING,
            "by": st.dictionaries(st.text(max_size=5), ANYTHING, max_size=3),
        },
    )
)
def test_arguments_become_texts_for_the_gate_and_are_sent_as_they_were(arguments: dict[str, Any]) -> None:
    """Arguments of a client pass through the texts of their contract and reach the server unchanged."""
    at_the_gate = bound(arguments, FORMS)
    assert same(sent(at_the_gate, FORMS), arguments)
    assert bound(sent(at_the_gate, FORMS), FORMS) == at_the_gate


def test_text_is_not_sent_where_a_number_would_be_another_one() -> None:
    """A decimal of more digits than a number carries, or none at all, is refused with the place it stands at."""
    for text in ("0.12345678901234567890", "1e999", "12,5", "", "0x10", "+1", "01", "1" * 65, "NaN"):
        with pytest.raises(InexactError) as refused:
            sent({"lines": [{"share": text}]}, FORMS)
        assert refused.value.path == "/lines/0/share"


SPELLED: tuple[Callable[[Raw], str], ...] = (
    json_text,
    lambda value: json.dumps(value, indent=3, ensure_ascii=False),
    lambda value: f" \n{json.dumps(value, separators=(' , ', ' : '))}\t",
    lambda value: (
        '"' + "".join(f"\\u{ord(each):04X}" for each in value) + '"'
        if isinstance(value, str) and all(ord(each) < 2**16 for each in value)
        else json.dumps(value)
    ),
    lambda value: '{"x": 1, "x": ' + json.dumps(value) + "}",
)


@pytest.mark.proves("upstream.one_spelling")
@for_all(ANYTHING)
def test_a_value_has_one_text_however_it_was_spelled(value: Raw) -> None:
    """White space, escapes, the order of names, names that stand twice and ways to write a number make no other argument."""
    written = canonical({"extra": json_text(value)}, FORMS)
    assert written == bound({"extra": value}, FORMS) == canonical(written, FORMS)
    for spelled in SPELLED[:-1]:
        assert canonical({"extra": spelled(value)}, FORMS) == written
    assert canonical({"extra": SPELLED[-1](value)}, FORMS) == bound({"extra": {"x": value}}, FORMS)
    assert same(sent(written, FORMS)["extra"], value)


@pytest.mark.proves("upstream.one_spelling")
@for_all(NUMBER_TEXTS)
def test_a_number_has_one_text_however_it_was_spelled(text: str) -> None:
    """Each decimal text becomes the shortest one of that number, the one that the number itself becomes, or is refused."""
    try:
        written = canonical({"price": text}, FORMS)
    except InexactError:
        return
    assert written == bound({"price": number_of(text)}, FORMS) == canonical(written, FORMS)
    assert float(str(written["price"])) == float(text)
    assert sent(written, FORMS) == {"price": number_of(text)}
    if text != written["price"]:
        with pytest.raises(InexactError, match="decided on"):
            sent({"price": text}, FORMS)


@pytest.mark.parametrize("text", ["1e-99999999999999999999", "0e99999999999999999999", "-0.0E-99999999999999999999"])
def test_an_exponent_that_no_number_has_is_refused_at_its_place(text: str) -> None:
    """However far out it lies: it is a mistake of whoever wrote it, and no defect."""
    with pytest.raises(InexactError, match="`/price` has more digits"):
        canonical({"price": text}, FORMS)
    with pytest.raises(InexactError, match="`/price` has more digits"):
        sent({"price": text}, FORMS)


def test_spellings_of_one_value_are_one_text() -> None:
    """The examples that the documentation gives; and what is written otherwise is never sent."""
    for text in ("100", "1e2", "1.00E+2", "100.0", "1000e-1"):
        assert canonical({"price": text}, FORMS) == {"price": "100"}
        json_ = canonical({"extra": f'{{"b":{text}, "a":"\\u0061"}}'}, FORMS)
        assert json_ == {"extra": '{"a":"a","b":100}'}
    assert canonical({"price": "-0.0"}, FORMS) == {"price": "0"}
    assert canonical({"price": 5, "extra": {"a": [1]}}, FORMS) == {"price": "5", "extra": '{"a":[1]}'}
    large = canonical(
        {"extra": "[100000000000000000000, 1e20, 1e21, 1000000000000000000000, 12345678901234567891]"}, FORMS
    )
    assert large == {"extra": "[100000000000000000000,100000000000000000000,1e+21,1e+21,12345678901234567891]"}
    for odd in ('{"a": 1}', '{"a":1,"a":1}', '{"b":1,"a":1}', "1.0", '"\\u0061"', "[1 ]"):
        with pytest.raises(InexactError, match="decided on"):
            sent({"extra": odd}, FORMS)
    for wrong in ("{", "NaN", "[1e999]", "[" * 100_000, "[" + "1" * 5_000 + "]"):
        with pytest.raises(InexactError):
            canonical({"extra": wrong}, FORMS)


def test_what_is_no_json_is_not_made_into_one() -> None:
    """A text that stands for any value must be JSON, without the words that some programs add to it."""
    for text in ("{", "NaN", "[Infinity]", "'a'", "[" * 100_000):
        with pytest.raises(InexactError):
            sent({"extra": text}, FORMS)
    for number in (math.inf, -math.inf, math.nan):
        with pytest.raises(InexactError):
            bound({"price": number}, FORMS)
        with pytest.raises(InexactError):
            kept({"a": number})


def test_what_was_masked_meanwhile_stays_masked() -> None:
    """A text that filtering altered is given as it now is, and one that is gone is not put back."""
    was = kept({"a": 1.5, "ключ": [1]})
    assert was.texts == ("",)  # a name that is not ASCII has no canonical form: the whole is its text
    was = kept({"a": 1.5, "b": {"c": 2.5}})
    assert was == Kept({"a": "1.5", "b": {"c": "2.5"}}, ("/a", "/b/c"))
    assert given(Kept({"a": "[masked]", "b": {}}, was.texts)) == {"a": "[masked]", "b": {}}


def test_json_text_is_one_text_for_one_value() -> None:
    """The order of names does not matter, so that an approval of one is an approval of the other."""
    assert json_text({"b": 1, "a": [1.5, "é"]}) == json_text({"a": [1.5, "é"], "b": 1}) == r'{"a":[1.5,"\u00e9"],"b":1}'
