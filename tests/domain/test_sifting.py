"""Filtering looks at the value that came, whatever of it is recorded as a text, and into texts that are JSON themselves."""

import json
import time
from collections.abc import Callable
from typing import Any, cast

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.domain.canonical import JsonValue, encode
from interlock.domain.exact import Raw, opened, written
from interlock.domain.filtering import Form, filtered
from interlock.domain.output import MASKING, Output, Taken
from interlock.domain.sifting import Walk, fields_of
from interlock.domain.tool_result import as_it_came, recorded
from tests.domain.test_exact import same

KEY = "AKIA" + "IOSFODNN7EXAMPLE"
SSN = "123-45-6789"
LETTERS = ["ssn", "Größe", "a\nb", "名", "ssn\u200b", "secretAccessKey", "rows", "\ud800", "", "a.b", "*"]
NUMBERS = st.one_of(st.integers(), st.floats(allow_nan=False, allow_infinity=False))
names = st.sampled_from(LETTERS) | st.text(max_size=4)
texts = st.sampled_from(
    [KEY, SSN, "w" * 40, "ana@example.com", "4111111111111111", "\ud800", "[masked: field]"]
) | st.text(st.characters(codec=None), max_size=12)
plain: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | NUMBERS | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
    max_leaves=10,
)
anything = plain | plain.map(json.dumps) | st.lists(plain.map(json.dumps).map(json.dumps), max_size=2)
rules = st.builds(
    Output,
    personal=st.sampled_from([(), ("email", "card"), ("ip", "phone", "iban")]),
    drop=st.sampled_from([(), ("said.ssn",), ("said.rows.*",), ("said.*.ssn", "said.Größe")]),
    mask=st.sampled_from([(), ("said.Größe",), ("said.*",), ("said.rows.ssn",), ("said.名.ssn",)]),
)


def seen(value: Any, rule: Output = MASKING, form: Form = "exact") -> Any:
    """What of a value its reader gets."""
    found = filtered(written({"said": value}), rule, form=form)
    assert not found.withheld
    return opened(cast("dict[str, JsonValue]", found.result))["said"]


@pytest.mark.proves("output.exact")
@given(anything, rules)
@settings(max_examples=400)
def test_the_exact_form_is_filtered_as_the_value_it_stands_for(value: Raw, rule: Output) -> None:
    """To open what is left of the exact form gives what filtering leaves of the value itself, and the same was taken."""
    found = filtered(written({"said": value}), rule, form="exact")
    walk = Walk(rule)
    after = walk.value({"said": value}, "", 0, fields_of(rule))

    assert not found.withheld
    back = opened(cast("dict[str, JsonValue]", found.result))
    assert same(back.get("said"), cast("dict[str, Raw]", after).get("said"))
    assert set(found.taken) == set(walk.told())
    encode(found.result, max_bytes=10**7)


@pytest.mark.proves("output.exact")
@given(anything, rules)
@settings(max_examples=200)
def test_what_is_left_of_the_exact_form_is_filtered_to_itself(value: Raw, rule: Output) -> None:
    """Once more takes nothing."""
    once = filtered(written({"said": value}), rule, form="exact")

    assert filtered(once.result, rule, form="exact").result is once.result


SPELLINGS: tuple[Callable[[str], str], ...] = (
    lambda text: text,
    lambda text: json.dumps(text)[1:-1],
    lambda text: "".join(f"\\u{ord(each):04x}" for each in text),
    lambda text: "".join(f"\\u{ord(each):04X}" for each in text),
)


@pytest.mark.proves("output.exact")
@given(
    plain,
    st.integers(0, 4),
    st.booleans(),
    st.sampled_from(SPELLINGS),
    st.sampled_from(["ssn", "größe", "\uff53\uff53\uff4e"]),
)
def test_what_a_rule_drops_is_under_no_spelling_of_what_is_left(
    beside: Any, wrapped: int, listed: bool, spelling: Any, name: str
) -> None:
    """Under whatever name, in however many texts, with whatever escapes: it is dropped, and what stands beside it is not."""
    inner = f'{{ "{spelling(name)}" : "{spelling(SSN)}", "größer": {json.dumps(beside)} }}'
    said: Any = json.loads(inner)
    for turn in range(wrapped):
        said = inner if turn == 0 else json.dumps(said)
    result = recorded({"content": [], "structuredContent": [said] if listed else said})
    rule = Output(secrets="keep", drop=("structuredContent.ssn", "structuredContent.größe"))
    found = filtered(result, rule, form="tool")
    left = as_it_came(found.result)["structuredContent"]
    left = left[0] if listed else left
    for _ in range(wrapped):
        left = json.loads(left)
    assert same(left, {"größer": beside})
    assert found.taken == (Taken(path="/*" + ("/*" if listed else "") + "/*", kind="dropped"),)


def test_a_secret_that_only_its_name_shows_is_found_beside_names_of_other_letters() -> None:
    """AWS's secret key has no mark: it is seen by the name of its member, in lists, in texts and behind escapes."""
    secret = "w" * 40
    for value in (
        {"SecretAccessKey": secret, "größe": 0.5},
        [[{"größe": {"SecretAccessKey": secret}}]],
        json.dumps({"ü": [{"SecretAccessKey": secret}]}),
        json.dumps(json.dumps({"SecretAccessKey": secret})),
        '{"Secret\\u0041ccessKey" :          "' + secret + '"}',
    ):
        left = json.dumps(seen(value))
        assert secret not in left
        assert "[masked: aws-secret]" in left


def test_a_secret_behind_escapes_of_a_text_is_found() -> None:
    """What a JSON text spells with escapes is read as what it means."""
    escaped = "".join(f"\\u{ord(each):04x}" for each in KEY)
    assert seen(f'{{"a": "{escaped}", "b": 1.50}}') == '{"a":"[masked: aws-key]","b":1.50}'
    assert seen(r'["https:\/\/app:s3cr3tword@db.example\/x"]') == '["https://[masked: url-password]@db.example/x"]'


def test_of_a_name_that_stands_twice_the_last_is_given() -> None:
    """What another JSON program would read of a text is not given beside what was looked at."""
    rule = Output(drop=("said.ssn",))
    assert seen('{"a": {"ssn": 1}, "a": 2, "n": 1e999, "m": NaN}', rule) == '{"a":2,"n":1e999,"m":NaN}'
    assert seen('{"ssn": 1, "ssn": 2, "n": ' + "9" * 5_000 + "}", rule) == '{"n":' + "9" * 5_000 + "}"


def test_a_card_is_one_however_its_number_is_written() -> None:
    """As a number with a fraction of nothing, with an exponent, or in a text."""
    rule = Output(personal=("card",))
    for value in (4111111111111111, 4111111111111111.0, "[4111111111111111.0]", "[4.111111111111111e15]"):
        assert "4111" not in json.dumps(seen(value, rule)), value
    assert seen(0.5, rule) == 0.5


@pytest.mark.proves("output.exact")
def test_the_words_of_a_tool_do_not_repeat_what_was_taken_of_what_it_says() -> None:
    """Most servers give `structuredContent` once more as text: the rule holds there too, whether that is JSON or prose."""
    said: Any = {"name": "Ann", "ssn": SSN, "größe": 1.5, "pin": 48151623}
    prose = f"Ann has {SSN}, pin 48151623; not x{SSN}."
    content: Any = [
        {"type": "text", "text": json.dumps(said)},
        {"type": "text", "text": prose},
        {"type": "resource", "resource": {"uri": "a:b", "text": json.dumps([said], ensure_ascii=False)}},
    ]
    result = recorded({"content": content, "structuredContent": said})
    found = filtered(result, Output(drop=("structuredContent.ssn",), mask=("structuredContent.pin",)), form="tool")
    left = as_it_came(found.result)

    assert left["structuredContent"] == {"name": "Ann", "größe": 1.5, "pin": None}
    words = [each.get("text") or each["resource"]["text"] for each in left["content"]]
    assert json.loads(words[0]) == left["structuredContent"]
    assert json.loads(words[2]) == [left["structuredContent"]]
    assert words[1] == f"Ann has [masked: field], pin [masked: field]; not x{SSN}."
    many: Any = {"structuredContent": {"ssn": [str(each) for each in range(100, 900)]}, "content": content}
    seen_of_many = as_it_came(filtered(recorded(many), Output(drop=("structuredContent.ssn",)), form="tool").result)
    assert {each.get("text", "[masked: field]") for each in seen_of_many["content"]} == {"[masked: field]"}


@pytest.mark.proves("output.exact")
@pytest.mark.parametrize(
    "beside",
    [
        {"content": [{"type": "text", "text": "She earns 90,000.50 since 1980-01-02."}]},
        {"content": [{"type": "text", "text": "earns_90000.50_since_1980-01-02.pdf"}]},
        {"content": [{"type": "text", "text": 'Found: {"who": "Ann \\"Ö\\""}'}]},
        {"content": [{"type": "text", "text": 'Found: {"who": "Ann \\"\\u00d6\\""}'}]},
        {"content": [{"type": "resource_link", "uri": "a:1980-01-02", "name": "90000.5", "description": "1980-01-02"}]},
        {"content": [{"type": "text", "text": "a", "_meta": {"raw": {"pay": 90000.5, "born": "1980-01-02"}}}]},
        {"content": [], "_meta": {"echo": ["1980-01-02", 90000.5]}},
    ],
    ids=["thousands", "joined", "escapes", "ascii", "link", "meta of a block", "meta"],
)
def test_what_was_taken_is_not_said_beside_in_other_spellings(beside: Any) -> None:
    """A number in groups of thousands or with cents, a text with the escapes of JSON, in any part of what is said beside."""
    said: Any = {"pay": 90000.5, "born": "1980-01-02", "who": 'Ann "Ö"'}
    rule = Output(drop=("structuredContent.pay", "structuredContent.born", "structuredContent.who"))
    left = json.dumps(as_it_came(filtered(recorded({"structuredContent": said, **beside}), rule, form="tool").result))
    for each in ("90000", "90,000", "1980", "Ann"):
        assert each not in left, left


def test_a_whole_number_is_found_with_and_without_its_fraction_of_nothing() -> None:
    """What one program writes as 90000.0 is 90000 to another; a number of one or two digits is not looked for in words."""
    for value in (90000.0, 90000):
        came: Any = {
            "structuredContent": {"pay": value, "n": 5},
            "content": [{"type": "text", "text": "5: 90000 90000.0"}],
        }
        rule = Output(drop=("structuredContent.pay", "structuredContent.n"))
        left = as_it_came(filtered(recorded(came), rule, form="tool").result)
        assert left["content"][0]["text"] == "5: [masked: field] [masked: field]"


@pytest.mark.proves("output.exact")
def test_the_words_say_the_one_member_alone_where_a_result_is_no_object() -> None:
    """The reference SDK wraps a list as `result`, and gives each item as a text of its own: its members go there, too, however
    short their values are."""
    items: Any = [{"who": "Ann", "age": 12}, {"who": "Bob", "age": 7}]
    texts: Any = [{"type": "text", "text": json.dumps(each)} for each in items]
    came: Any = {"structuredContent": {"result": items}, "content": texts}
    left = as_it_came(filtered(recorded(came), Output(drop=("structuredContent.result.age",)), form="tool").result)
    assert [json.loads(each["text"]) for each in left["content"]] == [{"who": "Ann"}, {"who": "Bob"}]
    one: Any = {"structuredContent": {"result": 12}, "content": [{"type": "text", "text": "12"}]}
    left = as_it_came(filtered(recorded(one), Output(mask=("structuredContent.result",)), form="tool").result)
    assert left == {"structuredContent": {"result": None}, "content": [{"type": "text", "text": "[masked: field]"}]}
    other: Any = {"structuredContent": {"result": items, "age": 3}, "content": [{"type": "text", "text": '{"age": 3}'}]}
    left = as_it_came(filtered(recorded(other), Output(drop=("structuredContent.result.age",)), form="tool").result)
    assert json.loads(left["content"][0]["text"]) == {"age": 3}


@pytest.mark.parametrize("long", [40, 400, 1_600])
def test_a_server_cannot_have_its_words_looked_through_for_long(long: int) -> None:
    """Hundreds of values that all begin alike, in a text that is nothing but such beginnings."""
    taken: Any = ["#x#", *("!" * long + chr(0x3B1 + each) for each in range(500))]
    came: Any = {"structuredContent": {"a": taken}, "content": [{"type": "text", "text": "!" * 20 * long}]}
    began = time.process_time()
    found = filtered(recorded(came), Output(drop=("structuredContent.a",)), form="tool")
    assert found.taken
    assert time.process_time() - began < 2


def test_what_is_said_of_any_name_is_said_of_those_named_beside_it() -> None:
    """A rule for one member of a member does not let the others of it pass."""
    rule = Output(mask=("said.*",), drop=("said.who.ssn",))
    assert seen({"who": {"ssn": 1, "b": "x"}, "c": "y"}, rule) == {"who": None, "c": "[masked: field]"}
    both = Output(mask=("said.*.b",), drop=("said.who.ssn",))
    assert seen({"who": {"ssn": 1, "b": "x"}, "c": {"ssn": 1, "b": "y"}}, both) == {
        "who": {"b": "[masked: field]"},
        "c": {"ssn": 1, "b": "[masked: field]"},
    }


def test_a_text_too_deep_or_too_long_to_be_looked_through_is_withheld() -> None:
    """A hundred thousand brackets, ten megabytes, a text in a text in a text: the agent gets nothing, soon."""
    rule = Output(drop=("said.ssn",))
    began = time.process_time()
    wrapped = f'{{"ssn":"{SSN}"}}'
    for _ in range(15):
        wrapped = json.dumps(wrapped)
    assert SSN not in json.dumps(seen(wrapped, rule))
    for value in ("[" * 100_000, '{"ü": "' + "x" * 10_000_000 + '"}'):
        assert filtered(written({"said": value}), rule, form="exact").withheld
    assert time.process_time() - began < 5


def test_a_result_of_very_many_fractions_is_opened_in_time_in_its_length() -> None:
    """Each fraction is a text of its own: eight times as many take about eight times as long."""

    def spent(many: int) -> float:
        was = written({"said": [each + 0.5 for each in range(many)]})
        began = time.process_time()
        opened(was)
        return time.process_time() - began

    short = max(min(spent(2_000) for _ in range(3)), 0.001)
    assert spent(16_000) < 30 * short


def test_what_a_number_is_not_stays_as_it_is_written() -> None:
    """A text that is written anew keeps the digits of its numbers."""
    text = '{"k": "' + KEY + '", "n": 1.10, "m": -0.0, "big": 12345678901234567890123}'
    assert seen(text) == '{"k":"[masked: aws-key]","n":1.10,"m":-0.0,"big":12345678901234567890123}'
    assert msgspec.json.decode(seen(text))["n"] == 1.1
