"""Functions made up by hypothesis: a signature, the values of one call, and what they mean as JSON is not said here."""

import inspect
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal, NamedTuple, TypedDict
from uuid import UUID

import msgspec
from hypothesis import strategies as st

from interlock.domain.canonical import MAX_INTEGER
from interlock.domain.contract import Contract, InProcess
from interlock.domain.ids import ContractName
from interlock.sdk.signature import schema_of


class Size(Enum):
    """Sizes."""

    SMALL = "s"
    LARGE = "l"


class Line(msgspec.Struct, frozen=True):
    """An order line."""

    sku: str
    count: Annotated[int, msgspec.Meta(ge=1, le=99)] = 1


class Address(TypedDict):
    """Where to."""

    street: str
    zip: str


class Kind(NamedTuple):
    """An annotation and the values it takes."""

    annotation: Any
    values: st.SearchStrategy[Any]


TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
INTEGERS = st.integers(-MAX_INTEGER, MAX_INTEGER)
LINES = st.builds(Line, TEXT, st.integers(1, 99))

KINDS = (
    Kind(int, INTEGERS),
    Kind(Annotated[int, msgspec.Meta(ge=1, le=100)], st.integers(1, 100)),
    Kind(str, TEXT),
    Kind(Annotated[str, msgspec.Meta(max_length=5)], st.text(st.characters(codec="utf-8"), max_size=5)),
    Kind(bool, st.booleans()),
    Kind(Literal["eur", "usd"], st.sampled_from(["eur", "usd"])),
    Kind(Size, st.sampled_from(Size)),
    Kind(int | None, st.none() | INTEGERS),
    Kind(list[int], st.lists(INTEGERS, max_size=4)),
    Kind(dict[str, bool], st.dictionaries(st.text("abc", max_size=3), st.booleans(), max_size=3)),
    Kind(tuple[str, int], st.tuples(TEXT, INTEGERS)),
    Kind(Line, LINES),
    Kind(list[Line] | None, st.none() | st.lists(LINES, max_size=3)),
    Kind(Address, st.fixed_dictionaries({"street": TEXT, "zip": TEXT})),
    Kind(datetime, st.datetimes(timezones=st.just(UTC))),
    Kind(date, st.dates()),
    Kind(UUID, st.uuids()),
    Kind(Decimal, st.decimals(allow_nan=False, allow_infinity=False, places=2)),
)


class Case(NamedTuple):
    """A function, and a value for each of its parameters."""

    function: Callable[..., Any]
    values: dict[str, Any]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A signature of up to six parameters, some keyword-only, some with defaults, and values for all."""
    count = draw(st.integers(0, 6))
    ordinary = draw(st.integers(0, count))
    kinds = [draw(st.sampled_from(KINDS)) for _ in range(count)]
    first_default = draw(st.integers(0, ordinary))
    parameters: list[inspect.Parameter] = []
    values: dict[str, Any] = {}
    for place, kind in enumerate(kinds):
        named_only = place >= ordinary
        has_default = draw(st.booleans()) if named_only else place >= first_default
        values[f"p{place}"] = draw(kind.values)
        parameters.append(
            inspect.Parameter(
                f"p{place}",
                inspect.Parameter.KEYWORD_ONLY if named_only else inspect.Parameter.POSITIONAL_OR_KEYWORD,
                default=draw(kind.values) if has_default else inspect.Parameter.empty,
                annotation=kind.annotation,
            )
        )
    return Case(function_of(parameters), values)


NOTHING = inspect.Parameter.empty


def function_of(parameters: list[inspect.Parameter], returns: Any = NOTHING) -> Callable[..., Any]:
    """A function with those parameters and that return annotation, which gives back what it was called with."""

    def made(**values: Any) -> Any:
        return values

    made.__annotations__ = {each.name: each.annotation for each in parameters if each.annotation is not NOTHING}
    if returns is not NOTHING:
        made.__annotations__["return"] = returns
    vars(made)["__signature__"] = inspect.Signature(parameters)
    return made


def taking(annotation: Any, default: Any = NOTHING, *, star: str = "") -> Callable[..., Any]:
    """A function of one parameter, `x`."""
    kinds = {
        "*": inspect.Parameter.VAR_POSITIONAL,
        "**": inspect.Parameter.VAR_KEYWORD,
        "/": inspect.Parameter.POSITIONAL_ONLY,
    }
    kind = kinds.get(star, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return function_of([inspect.Parameter("x", kind, default=default, annotation=annotation)])


def giving(annotation: Any) -> Callable[..., Any]:
    """A function of `sku` that says what it returns."""
    sku = inspect.Parameter("sku", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=str)
    return function_of([sku], annotation)


def contract_of(function: Callable[..., Any]) -> Contract:
    """A contract that reads, with the function's own schema."""
    return Contract(
        name=ContractName("made.up"),
        effect="read",
        risk="low",
        target=InProcess(name="made.up"),
        input_schema=schema_of(function).input_schema,
    )
