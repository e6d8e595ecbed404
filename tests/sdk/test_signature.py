"""From a function's signature to bound arguments and back."""

import dataclasses
import functools
import inspect
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from enum import Enum, IntEnum
from typing import Annotated, Any, Literal, TypedDict

import msgspec
import pydantic
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from interlock.domain.binding import MAX_ARGUMENT_BYTES, bind
from interlock.domain.call import Call
from interlock.domain.canonical import JsonValue, pointer
from interlock.domain.errors import ContractError
from interlock.domain.ids import ActionId
from interlock.sdk.signature import (
    arguments_of,
    facts_schema,
    plain_result,
    returned,
    schema_of,
    values_of,
)
from tests.sdk.signatures import NOTHING, Address, Case, Line, Size, cases, contract_of, giving, taking

NONCE = "0" * 32
CALL = Call(action_id=ActionId("a"), idempotency_key="k")


class Basket(pydantic.BaseModel):
    """A pydantic model that holds others."""

    owner: str
    lines: list["BasketLine"] = []


class BasketLine(pydantic.BaseModel):
    """One line of it."""

    sku: Annotated[str, pydantic.Field(max_length=8)]
    count: int = pydantic.Field(default=1, ge=1)


class Tree(msgspec.Struct):
    """A type that holds itself."""

    name: str
    below: list["Tree"] = []


@dataclasses.dataclass
class Point:
    """A dataclass."""

    x: int
    y: int = 0


class Level(IntEnum):
    """Enums of integers are integers."""

    LOW = 1
    HIGH = 2


def bound(function: Callable[..., Any], *args: object, **kwargs: object) -> dict[str, JsonValue]:
    """The arguments of a call as the gate sees them."""
    return bind(contract_of(function), arguments_of(function, args, kwargs), nonce=NONCE).arguments


def refusal(function: Callable[..., Any], *args: object, **kwargs: object) -> ContractError:
    """What the gate says to a call."""
    with pytest.raises(ContractError) as caught:
        bound(function, *args, **kwargs)
    return caught.value


# -- the whole path ----------------------------------------------------------------------------------------------------


@pytest.mark.proves("contract.positional_equals_keyword")
@given(cases(), st.data())
def test_positional_equals_keyword_equals_default(case: Case, data: st.DataObject) -> None:
    """However a call's arguments are given, the gate sees one object, the digest is one, and the function gets the values."""
    function, values = case
    signature = inspect.signature(function)
    ordinary = [name for name, p in signature.parameters.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
    split = data.draw(st.integers(0, len(ordinary)))
    shuffled = data.draw(st.permutations(list(values)))

    by_name = bound(function, **{name: values[name] for name in shuffled})
    by_place = bound(
        function,
        *(values[name] for name in ordinary[:split]),
        **{name: value for name, value in values.items() if name not in ordinary[:split]},
    )

    contract = contract_of(function)
    assert by_name == by_place
    assert bind(contract, by_name, nonce=NONCE).digest == bind(contract, by_place, nonce=NONCE).digest
    assert values_of(function, by_name) == values


@pytest.mark.proves("contract.positional_equals_keyword")
@given(cases())
def test_a_default_left_out_equals_the_default_given(case: Case) -> None:
    """Leaving an argument to its default and giving the default are the same action."""
    function, values = case
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.default is not inspect.Parameter.empty
    }
    rest = {name: value for name, value in values.items() if name not in defaults}

    assert bound(function, **rest) == bound(function, **rest, **defaults)
    assert values_of(function, bound(function, **rest)) == {**rest, **defaults}


@given(cases())
def test_a_missing_argument_is_named(case: Case) -> None:
    """A call that leaves out what it must say is refused with that parameter as path."""
    function, values = case
    required = [
        name
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.default is inspect.Parameter.empty
    ]
    assume(required)

    error = refusal(function, **{name: value for name, value in values.items() if name != required[0]})

    assert error.path == f"/{required[0]}"


@given(cases(), st.text(min_size=1))
def test_an_unknown_argument_is_named(case: Case, name: str) -> None:
    """A call that says more than the function takes is refused with the stranger as path."""
    function, values = case
    assume(name not in values)

    assert refusal(function, **values, **{name: 1}).path == pointer(name)


def order(
    sku: Annotated[str, msgspec.Meta(max_length=8)],
    count: Annotated[int, msgspec.Meta(ge=1, le=100)],
    lines: list[Line] | None = None,
    notes: dict[str, int] | None = None,
    urgent: bool = False,
) -> None:
    """A tool of the ordinary kind."""


@pytest.mark.proves("contract.refused_with_path")
@pytest.mark.parametrize(
    ("kwargs", "path"),
    [
        ({"sku": "A", "count": True}, "/count"),
        ({"sku": "A", "count": float("nan")}, "/count"),
        ({"sku": "A", "count": float("inf")}, "/count"),
        ({"sku": "A", "count": 1.0}, "/count"),
        ({"sku": "A", "count": "1"}, "/count"),
        ({"sku": "A", "count": None}, "/count"),
        ({"sku": "A", "count": 0}, "/count"),
        ({"sku": "A", "count": 101}, "/count"),
        ({"sku": "A", "count": 2**53}, "/count"),
        ({"sku": "A", "count": 10**5000}, "/count"),
        ({"sku": "123456789", "count": 1}, "/sku"),
        ({"sku": b"A", "count": 1, "urgent": 1}, "/urgent"),
        ({"sku": "\ud800", "count": 1}, "/sku"),
        ({"sku": "x" * MAX_ARGUMENT_BYTES, "count": 1}, ""),
        ({"sku": "A", "count": 1, "lines": [{"sku": "A", "count": 100}]}, "/lines/0/count"),
        ({"sku": "A", "count": 1, "lines": [{"sku": "A", "cuont": 1}]}, "/lines/0/cuont"),
        ({"sku": "A", "count": 1, "lines": [{"count": 1}]}, "/lines/0/sku"),
        ({"sku": "A", "count": 1, "lines": "A"}, "/lines"),
        ({"sku": "A", "count": 1, "notes": {"a": float("nan")}}, "/notes/a"),
        ({"sku": "A", "count": 1, "notes": {"\u00e4": 1}}, "/notes"),
        ({"sku": "A", "count": 1, "urgent": "no"}, "/urgent"),
        ({"sku": object(), "count": 1}, "/sku"),
        ({"sku": "A", "count": 1, "notes": {("a", "b"): 1}}, "/notes"),
    ],
)
def test_what_does_not_fit_is_refused_with_its_path(kwargs: dict[str, object], path: str) -> None:
    """Wrong types, numbers without an exact form, wrong bounds, unknown fields and too much of anything name their field."""
    assert refusal(order, **kwargs).path == path


def test_a_list_in_itself_is_refused() -> None:
    """A value without an end is refused, not walked for ever."""
    endless: list[object] = []
    endless.append(endless)
    wide: list[object] = [1]
    for _ in range(60):
        wide = [wide, wide]

    assert refusal(order, "A", 1, endless).path.startswith("/lines/0")
    assert refusal(order, "A", 1, wide).path.startswith("/lines/0")


@pytest.mark.parametrize(
    ("args", "kwargs", "path"),
    [
        (("A",), {}, "/count"),
        ((), {"count": 1}, "/sku"),
        (("A", 1), {"sku": "B"}, "/sku"),
        (("A", 1), {"colour": "red"}, "/colour"),
        (("A", 1, None, None, False, 6), {}, ""),
    ],
)
def test_a_call_that_does_not_fit_the_signature_names_the_parameter(
    args: tuple[object, ...], kwargs: dict[str, object], path: str
) -> None:
    """Missing, doubled and unknown arguments are ContractErrors with the parameter as path, never TypeErrors."""
    assert refusal(order, *args, **kwargs).path == path


# -- kinds of values ---------------------------------------------------------------------------------------------------


def test_pydantic_models_are_taken_where_the_user_has_them() -> None:
    """A model's schema is closed and its constraints hold; a model, or its fields, may be given; the tool gets a model."""

    def buy(basket: Basket, more: list[Basket] | None = None) -> Basket:
        return basket

    model = Basket(owner="ana", lines=[BasketLine(sku="A")])
    by_model, by_fields = bound(buy, model), bound(buy, {"owner": "ana", "lines": [{"sku": "A", "count": 1}]})

    assert by_model == by_fields == {"basket": {"owner": "ana", "lines": [{"sku": "A", "count": 1}]}, "more": None}
    assert values_of(buy, bound(buy, model, more=[model])) == {"basket": model, "more": [model]}
    assert refusal(buy, {"owner": "ana", "lines": [{"sku": "A", "count": 0}]}).path == "/basket/lines/0/count"
    assert refusal(buy, {"owner": "ana", "colour": "red"}).path == "/basket/colour"
    assert returned(buy, plain_result(model)) == model


def test_a_type_that_holds_itself_stays_a_reference() -> None:
    """A recursive type is described once, closed all the way down, and converts back."""

    def plant(tree: Tree) -> None: ...

    tree = Tree("root", [Tree("leaf")])
    error = refusal(plant, {"name": "root", "below": [{"name": "leaf", "below": [{"nmae": "x"}]}]})

    assert values_of(plant, bound(plant, tree)) == {"tree": tree}
    assert error.path == "/tree/below/0/below/0/nmae"


def test_python_values_become_what_json_knows() -> None:
    """Dataclasses, enums, tuples, subclasses of plain types and dates are plain JSON to the gate."""

    class Word(str):
        __slots__ = ()

    def place(point: Point, size: Size, level: Level, name: str, at: tuple[int, int], when: datetime) -> None: ...

    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    arguments = bound(place, Point(1), Size.LARGE, Level.HIGH, Word("w"), (1, 2), moment)

    assert arguments == {
        "point": {"x": 1, "y": 0},
        "size": "l",
        "level": 2,
        "name": "w",
        "at": [1, 2],
        "when": "2026-01-02T03:04:05Z",
    }
    assert type(arguments["name"]) is str
    assert values_of(place, arguments)["level"] is Level.HIGH
    assert values_of(place, arguments)["at"] == (1, 2)


def test_an_argument_that_may_be_missing_stays_missing() -> None:
    """UNSET means that the argument is not there: not required, no default, and the function's own default is used."""

    def write(text: str, title: str | msgspec.UnsetType = msgspec.UNSET) -> None: ...

    assert bound(write, "a") == bound(write, "a", msgspec.UNSET) == {"text": "a"}
    assert bound(write, "a", "b") == {"text": "a", "title": "b"}
    assert values_of(write, {"text": "a"}) == {"text": "a"}


# -- schemas -----------------------------------------------------------------------------------------------------------


def test_the_schema_is_closed_and_names_no_classes() -> None:
    """Objects are closed at every depth, written where they stand, and class names and titles are left out."""

    def send(to: Address, lines: list[Line], call: Call, size: Size = Size.SMALL) -> Point:
        return Point(1)

    schemas = schema_of(send)

    assert schemas.input_schema == {
        "type": "object",
        "additionalProperties": False,
        "required": ["to", "lines"],
        "properties": {
            "to": {
                "description": "Where to.",
                "type": "object",
                "additionalProperties": False,
                "required": ["street", "zip"],
                "properties": {"street": {"type": "string"}, "zip": {"type": "string"}},
            },
            "lines": {
                "type": "array",
                "items": {
                    "description": "An order line.",
                    "type": "object",
                    "additionalProperties": False,
                    "required": ["sku"],
                    "properties": {
                        "sku": {"type": "string"},
                        "count": {"type": "integer", "minimum": 1, "maximum": 99, "default": 1},
                    },
                },
            },
            "size": {"description": "Sizes.", "enum": ["l", "s"], "default": "s"},
        },
    }
    assert schemas.output_schema["type"] == "object"
    assert list(schemas.parameters) == ["to", "lines", "size"]


def test_the_call_is_the_gates_to_give() -> None:
    """A parameter annotated `Call` is no argument: it is not in the schema, callers cannot give it, the tool gets it."""

    def first(call: Call, sku: str) -> None: ...
    def last(sku: str, call: Call | None = None) -> None: ...

    assert bound(first, "A") == bound(last, "A") == {"sku": "A"}
    assert refusal(first, "A", call=CALL).path == "/call"
    assert values_of(first, {"sku": "A"}, call=CALL) == {"sku": "A", "call": CALL}
    assert values_of(last, {"sku": "A"}, call=CALL) == {"sku": "A", "call": CALL}


def yields() -> Iterator[int]:
    """A generator."""
    yield 1


class WithFloat(msgspec.Struct):
    """A float one level down."""

    price: float


class OpenModel(pydantic.BaseModel):
    """A model that takes anything more."""

    model_config = pydantic.ConfigDict(extra="allow")
    a: int


@pytest.mark.proves("contract.from_signature")
@pytest.mark.parametrize(
    ("function", "path", "says"),
    [
        (taking(NOTHING), "/x", "no annotation"),
        (taking(int, star="*"), "/x", "name every parameter"),
        (taking(int, star="**"), "/x", "name every parameter"),
        (taking(int, star="/"), "/x", "remove the `/`"),
        (taking(float), "/x", "integer minor units"),
        (taking(dict[str, list[float]]), "/x/*/*", "integer minor units"),
        (taking(WithFloat), "/x/price", "integer minor units"),
        (taking(Any), "/x", "may be anything"),
        (taking(dict[str, Any]), "/x", "open object"),
        (taking(dict), "/x", "open object"),
        (taking(list), "/x", "list of anything"),
        (taking(Iterator[int]), "/x", "cannot be described"),
        (taking("Nowhere"), "", "cannot be resolved"),
        (taking(Line | Point), "/x", "cannot be described"),
        (taking(int, None), "/x", "not what its annotation says"),
        (taking(Annotated[int, msgspec.Meta(ge=1)], 0), "/x", "not what its annotation says"),
        (taking(list[int], [object()]), "/x/0", "no JSON form"),
        (taking(list[int], [float("nan")]), "/x/0", "floats"),
        (taking(Annotated[int, pydantic.Field(ge=1)]), "/x", "msgspec.Meta"),
        (taking(list[Annotated[int, pydantic.Field(ge=1)]]), "/x", "msgspec.Meta"),
        (taking(OpenModel), "/x", "open object"),
        (taking(Annotated[int, msgspec.Meta(ge=0.5)]), "/x", "cannot be described"),
        (taking(Annotated[int, msgspec.Meta(extra_json_schema={"x-weight": 0.5})]), "/properties/x/x-weight", "floats"),
        (giving(float), "/result", "integer minor units"),
        (yields, "", "returns one result"),
        (len, "", "not a function"),
        (functools.partial(order, "A"), "", "not a function"),
    ],
)
def test_what_cannot_be_a_contract_is_refused_with_help(function: Callable[..., Any], path: str, says: str) -> None:
    """A signature that leaves something open is refused where it does, in words that say what to write instead."""
    with pytest.raises(ContractError, match=says) as caught:
        schema_of(function)

    assert caught.value.path == path


# -- hooks and results -------------------------------------------------------------------------------------------------


class Facts(msgspec.Struct):
    """What a policy may read."""

    flagship: bool
    floor_minor: int


def test_facts_are_a_closed_object_of_exact_values() -> None:
    """The schema of facts comes from the hook's return annotation, and only named exact values will do."""

    schema = facts_schema(giving(Facts))

    assert (schema["type"], schema["additionalProperties"]) == ("object", False)
    for wrong in (NOTHING, int, dict[str, int], WithFloat, Facts | None):
        with pytest.raises(ContractError):
            facts_schema(giving(wrong))


def test_a_hook_gets_what_it_names() -> None:
    """A function beside the tool takes some of the arguments, what is known besides them, and the call."""

    def about(sku: str, result: Point, args: dict[str, int], call: Call, also: int = 5) -> None: ...

    arguments: dict[str, JsonValue] = {"sku": "A", "count": 1}
    values = values_of(about, arguments, call=CALL, result={"x": 1, "y": 2}, args={"count": 1})

    assert values == {"sku": "A", "result": Point(1, 2), "args": {"count": 1}, "call": CALL}
    with pytest.raises(ContractError, match="nobody gave"):
        values_of(about, arguments, call=CALL)


def test_values_that_do_not_fit_any_more_are_refused_with_their_path() -> None:
    """Turning arguments back into values is strict, and says where they do not fit."""

    def plan(when: datetime, lines: list[Line], model: Basket) -> None: ...

    def path_of(name: str, value: JsonValue) -> str:
        good: dict[str, JsonValue] = {"when": "2026-01-02T00:00:00Z", "lines": [], "model": {"owner": "ana"}}
        with pytest.raises(ContractError) as caught:
            values_of(plan, {**good, name: value})
        return caught.value.path

    assert path_of("when", "tomorrow") == "/when"
    assert path_of("lines", [{"sku": "A"}, {"sku": 5}]) == "/lines/1/sku"
    assert path_of("lines", [{"sku": "A", "count": True}]) == "/lines/0/count"
    assert path_of("model", {"owner": 5}) == "/model"


class Explosive(msgspec.Struct):
    """A value that fails in a way nobody expects while it is made."""

    a: int

    def __post_init__(self) -> None:
        raise ZeroDivisionError


def test_a_persons_class_may_raise_anything() -> None:
    """Whatever a user's class raises while a value is made is a ContractError: the tool was not called."""

    def light(fuse: Explosive) -> None: ...

    with pytest.raises(ContractError):
        values_of(light, {"fuse": {"a": 1}})


def test_results_are_recorded_as_they_are_or_not_at_all() -> None:
    """A result becomes plain JSON, and what has no exact form is refused with its path rather than changed."""
    assert plain_result([Point(1), (1, 2), Size.SMALL]) == [{"x": 1, "y": 0}, [1, 2], "s"]
    assert plain_result(None) is None
    for wrong, path in (([1.5], "/0"), ({"a": {"b": float("nan")}}, "/a/b"), ({"a": 2**60}, "/a"), ([object()], "/0")):
        with pytest.raises(ContractError) as caught:
            plain_result(wrong)
        assert caught.value.path == path


def test_a_recorded_result_becomes_what_the_tool_returns() -> None:
    """A caller gets the result as the annotation says, or ContractError where it is something else."""

    assert returned(giving(Point), {"x": 1, "y": 2}) == Point(1, 2)
    assert returned(giving(NOTHING), {"x": 1}) == {"x": 1}
    with pytest.raises(ContractError):
        returned(giving(Point), {"x": "1"})


def test_words_in_literals_and_typed_dicts_are_kept() -> None:
    """Literal, TypedDict and mapping values pass unchanged in both directions."""

    class Options(TypedDict, total=False):
        colour: Literal["red", "blue"]

    def paint(options: Options, weights: dict[str, int]) -> None: ...

    arguments = bound(paint, {"colour": "red"}, weights={"a": 1})

    assert values_of(paint, arguments) == {"options": {"colour": "red"}, "weights": {"a": 1}}
    assert refusal(paint, {"colour": "green"}, {}).path == "/options/colour"


class Colour(Enum):
    """Members with a value that is no word."""

    RED = 1
    BLUE = "b"


def test_an_enum_of_mixed_values_is_refused() -> None:
    """JSON Schema has no name for an enum whose values are of several kinds."""

    def paint(colour: Colour) -> None: ...

    with pytest.raises(ContractError, match="cannot be described"):
        schema_of(paint)
