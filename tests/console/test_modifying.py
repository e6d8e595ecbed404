"""A yes with other arguments: what is typed, what is wrong with it, and what it comes to."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.console.form import Field, fields_of, read
from interlock.domain.canonical import JsonValue
from interlock.domain.dossier import Value
from interlock.worker import Worker
from tests.console.kit import desk
from tests.console.test_approvals import HOSTILE, hidden, must_be_tame

pytestmark = pytest.mark.anyio

SCHEMA: dict[str, JsonValue] = {
    "type": "object",
    "properties": {
        "n": {"type": "integer"},
        "tone": {"enum": ["warm", "cold"]},
        "flag": {"type": "boolean"},
        "maybe": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
        "tags": {"type": "array", "items": {"type": "string"}},
        "deep": {"$ref": "#/$defs/Deep"},
        "word": {"type": "string"},
    },
    "required": ["n"],
    "$defs": {"Deep": {"type": "object", "properties": {"x": {"type": "integer"}}}},
}
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


def form(**values: JsonValue) -> tuple[Field, ...]:
    """The form of an action with these arguments."""
    return fields_of(SCHEMA, [Value(name=name, value=value, text="") for name, value in values.items()])


@given(st.dictionaries(st.sampled_from(["n", "tone", "flag", "maybe", "tags", "deep", "word", "more"]), VALUES))
def test_what_nobody_touched_is_as_it_was(values: dict[str, JsonValue]) -> None:
    """A form sent back as it came changes nothing, whatever the values are, and whatever a browser does to line ends."""
    fields = form(**values)
    sent = {each.key: each.text.replace("\n", "\r\n") for each in fields}

    assert read(fields, sent)[0] == {}


def test_each_kind_is_read_as_what_it_is() -> None:
    """Numbers, choices, flags, lists and JSON are values of their kind; nothing in what may be empty is null."""
    fields = form(n=1, tone="warm", flag=True, maybe="x", tags=["a"], deep={"x": 1}, word="w")
    typed = {"n": " 25 ", "tone": "cold", "flag": "false", "maybe": "", "tags": "b\r\n\r\n c", "deep": '{"x": 2}'}

    changed, after = read(fields, {f"arg.{name}": text for name, text in typed.items()})

    assert changed == {"n": 25, "tone": "cold", "flag": False, "maybe": None, "tags": ["b", "c"], "deep": {"x": 2}}
    assert not any(each.problem for each in after)


@pytest.mark.parametrize(
    ("name", "text"), [("n", "1.5"), ("n", "٣"), ("n", "9" * 30), ("tone", "hot"), ("flag", "maybe"), ("deep", "{")]
)
def test_what_is_no_such_value_is_said_beside_its_field(name: str, text: str) -> None:
    """Nothing is guessed: what cannot be read is told, and changes nothing."""
    fields = form(n=1, tone="warm", flag=True, deep={"x": 1})
    changed, after = read(fields, {f"arg.{name}": text})

    assert changed == {}
    assert [each.name for each in after if each.problem] == [name]


def test_money_is_typed_in_major_units() -> None:
    """An amount stands and is typed with its currency's digits; where the currency is changed too, with those of the new one."""
    schema: dict[str, JsonValue] = {
        "properties": {"amount": {"type": "integer"}, "currency": {"type": "string"}, "note": {"type": "string"}}
    }
    values = [
        Value(name="amount", value=25_000, text="250.00 EUR", unit="EUR"),
        Value(name="currency", value="EUR", text="EUR"),
    ]
    fields = fields_of(schema, values)

    assert (fields[0].kind, fields[0].text) == ("money", "250.00")
    assert read(fields, {"arg.amount": "19.9"})[0] == {"amount": 1990}
    assert read(fields, {"arg.amount": "200", "arg.currency": "JPY"})[0] == {"amount": 200, "currency": "JPY"}
    for text, currency in (("1,50", "EUR"), ("1.505", "EUR"), ("2.00", "JPY"), ("2", "yen"), ("", "EUR")):
        changed, after = read(fields, {"arg.amount": text, "arg.currency": currency})
        assert "amount" not in changed
        assert after[0].problem


@pytest.mark.proves("console.as_shown")
async def test_from_the_form_to_what_happens(tmp_path: Path) -> None:
    """What is typed is weighed and shown against what was asked for; the yes makes that happen, once."""
    async with desk(tmp_path) as d:
        action = await d.refund(amount=25_000)
        place = f"/approvals/{action}/modify"
        page = await d.rita.get(place)
        typed = {"arg.amount_minor": "120.00", "arg.copies": "a@example.org\nb@example.org", "arg.reason": "goodwill"}
        weighed = await d.rita.post(place, data=hidden(page, **typed))
        back = await d.rita.post(place, data=hidden(page, **typed, step="back"))
        said = await d.rita.post(place, data=hidden(weighed, **typed, step="confirm", note="half is enough"))
        await Worker(d.plane).run(until_idle=True)
        effects = d.effects()

    assert "250.00 EUR" in weighed.text
    assert "120.00 EUR" in weighed.text
    assert "Approve with these changes" in weighed.text
    assert 'value="120.00"' in back.text
    assert said.status_code == 303
    assert effects == ["refund A-1 12000"]


async def test_what_does_not_fit_is_kept_and_told(tmp_path: Path) -> None:
    """What the schema refuses stands beside its field; what policy denies cannot be said yes to; nothing typed is lost."""
    async with desk(tmp_path) as d:
        action = await d.refund()
        place = f"/approvals/{action}/modify"
        page = await d.rita.get(place)
        low = await d.rita.post(place, data=hidden(page, **{"arg.amount_minor": "0", "arg.order_id": "A-2"}))
        high = await d.rita.post(place, data=hidden(page, **{"arg.amount_minor": "6000.00"}))
        same = await d.rita.post(place, data=hidden(page))
        forced = await d.rita.post(place, data=hidden(page, **{"arg.amount_minor": "6000", "step": "confirm"}))

    assert low.status_code == 422
    assert 'aria-invalid="true"' in low.text
    assert 'value="A-2"' in low.text
    assert "nobody is paid more than 5,000 EUR" in high.text
    assert "Approve with these changes" not in high.text
    assert "Nothing is different" in same.text
    assert forced.status_code == 403


@pytest.mark.proves("console.text")
async def test_hostile_words_are_words_in_fields_too(tmp_path: Path) -> None:
    """Arguments that agents wrote are the text of fields, and stay what they were unless somebody changes them."""
    async with desk(tmp_path) as d:
        for each in HOSTILE:
            action = await d.ask("mail.send", {"to": "a", "text": each}, agent="mailer")
            place = f"/approvals/{action}/modify"
            page = await d.rita.get(place)
            must_be_tame(page.text)
            weighed = await d.rita.post(place, data=hidden(page, **{"arg.to": "b"}))
            must_be_tame(weighed.text)
            await d.rita.post(place, data=hidden(page, **{"arg.to": each, "step": "confirm"}))
            must_be_tame((await d.rita.get(f"/actions/{action}")).text)
