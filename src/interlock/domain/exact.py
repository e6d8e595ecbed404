"""JSON of others as we keep it, and back exactly.

What is recorded and signed has no fractions, no integers beyond 2^53 - 1 and only ASCII names: on these, JSON programs disagree.
Other people's tools take and give all of that. So a value that has no canonical form is kept as a text, and what is a text in
its stead is said beside it: an argument's by the contract (`Form`), a result's by the result (`Kept.texts`). Both ways lead back
to the same JSON value, where a number is what IEEE 754 double precision makes of it.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final, Literal, TypeAlias, cast

import msgspec

from interlock.domain.canonical import MAX_DEPTH, MAX_INTEGER, JsonValue, pointer

Form = Literal["decimal", "json"]
"""`decimal`: a number, kept as its shortest decimal text. `json`: any value, kept as its JSON text."""
Forms = dict[str, Form]
"""By place, a JSON pointer in which `*` is any item of a list or member of a map: in which form what stands there is kept."""

Raw: TypeAlias = bool | int | float | str | list["Raw"] | dict[str, "Raw"] | None
"""Any JSON value, as `json.loads` gives it."""

DECIMAL: Final = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$"
"""How a number is written: JSON's own grammar."""
MAX_DIGITS: Final = 64
"""How long a number's text may be."""

TEXTS: Final = "asText"
"""Under which name an object says what in it is JSON text."""

_Steps: TypeAlias = dict[str, "_Steps"]
_EXPONENT: Final = 10**21
"""From here on a number is written with an exponent, as ECMAScript and RFC 8785 have it."""
_LARGEST: Final = int(1.7976931348623157e308)
_DECIMAL: Final = re.compile(DECIMAL)
_ANY: Final = "/*"


class InexactError(ValueError):
    """A value cannot be kept, or not be given back: at `path`, a JSON pointer."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"`{path or '/'}` {reason}")
        self.path = path
        self.reason = reason


class Kept(msgspec.Struct, frozen=True):
    """A value with a canonical form, and the pointers of what is JSON text in it that was something else."""

    value: JsonValue
    texts: tuple[str, ...] = ()


def bound(arguments: Mapping[str, Any], forms: Mapping[str, Form]) -> dict[str, JsonValue]:
    """Arguments as their contract takes them, from JSON as a client writes it. What is not of the kind that a form is for
    stays as it is: the contract refuses it. Raises InexactError for what has no text."""
    return cast("dict[str, JsonValue]", _walked(dict(arguments), "", forms, _as_text) if forms else dict(arguments))


def canonical(arguments: Mapping[str, JsonValue], forms: Mapping[str, Form]) -> dict[str, JsonValue]:
    """Arguments of whatever door, in which each text stands as `bound` writes it: one value, one spelling. What is the value
    itself is written as its text. Raises InexactError for a text that says no value that could be sent."""
    members = cast("dict[str, Raw]", dict(arguments))
    return cast("dict[str, JsonValue]", _walked(members, "", forms, _as_canonical) if forms else members)


def sent(arguments: Mapping[str, JsonValue], forms: Mapping[str, Form]) -> dict[str, Any]:
    """JSON as a server is sent it, from arguments as their contract takes them. Raises InexactError for a text that is no number,
    has more digits than a number of JSON carries, or is no JSON; and for one that is not `canonical`: nobody decided on it."""
    members = cast("dict[str, Raw]", dict(arguments))
    return cast("dict[str, Any]", _walked(members, "", forms, _as_value) if forms else members)


def kept(value: Raw) -> Kept:
    """Any JSON value with a canonical form."""
    texts: list[str] = []
    return Kept(_kept(value, "", 0, texts), tuple(texts))


def given(was: Kept) -> Any:
    """The value that was kept. A text that was altered meanwhile (masked, say) stays what it now is."""
    tree: _Steps = {}
    for path in was.texts:
        at = tree
        for step in path.split("/")[1:]:
            at = at.setdefault(step.replace("~1", "/").replace("~0", "~"), {})
    return _replaced(cast(Raw, was.value), tree) if was.texts else was.value


def written(members: Mapping[str, Raw]) -> dict[str, JsonValue]:
    """An object with a canonical form, which says itself what in it is JSON text: `asText`, where anything is. Raises
    InexactError."""
    was = kept({name: each for name, each in members.items() if name != TEXTS})
    found = cast("dict[str, JsonValue]", was.value)
    return {**found, TEXTS: list(was.texts)} if was.texts else found


def opened(members: Mapping[str, JsonValue]) -> dict[str, Raw]:
    """What was `written`, as it was. What was altered meanwhile stays what it now is."""
    texts = members.get(TEXTS)
    places = tuple(each for each in texts if isinstance(each, str)) if isinstance(texts, list) else ()
    found = given(Kept({name: each for name, each in members.items() if name != TEXTS}, places))
    return cast("dict[str, Raw]", found)


def decimal_of(number: float) -> str:
    """The shortest text that is this number and no other. Raises ValueError for what JSON cannot say."""
    if isinstance(number, float):
        if not math.isfinite(number):
            raise ValueError("is no number that JSON has")
        if number.is_integer() and abs(number) <= MAX_INTEGER:
            number = int(number)
    return repr(number)


def number_of(text: str) -> int | float:
    """The number that `text` writes. Raises ValueError where JSON programs would read another one."""
    if len(text) > MAX_DIGITS or not _DECIMAL.fullmatch(text):
        raise ValueError("is no decimal number such as 12.5")
    if text.lstrip("-").isdecimal() and abs(int(text)) <= MAX_INTEGER:
        return int(text)
    number = float(text)
    try:
        is_it = math.isfinite(number) and Decimal(repr(number)) == Decimal(text)
    except InvalidOperation:
        # Its exponent alone is more than any decimal has.
        is_it = False
    if not is_it:
        raise ValueError("has more digits than a number of JSON carries")
    return number


def json_text(value: object) -> str:
    """`value` as JSON text: names in order, no spaces, ASCII alone. Raises ValueError for what is no JSON."""
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, RecursionError) as error:
        raise ValueError(f"is no JSON: {error}") from None


def _as_text(value: Raw, form: Form) -> Raw:
    if form == "json":
        return json_text(_numbers(value))
    # A truth value is an int to Python alone.
    return decimal_of(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _as_canonical(value: Raw, form: Form) -> Raw:
    if not isinstance(value, str):
        return _as_text(value, form)
    return _as_text(number_of(value) if form == "decimal" else _read(value), form)


def _as_value(value: Raw, form: Form) -> Raw:
    if not isinstance(value, str):
        return value
    found = number_of(value) if form == "decimal" else _read(value)
    if _as_text(found, form) != value:
        raise ValueError("is written otherwise than what was decided on")
    return found


def _numbers(value: Raw) -> Raw:
    """`value` with each of its numbers as one thing, however it was written: 1e2 and 100.0 are 100, up to where JSON programs
    write an exponent by themselves."""
    try:
        if isinstance(value, dict):
            return {name: _numbers(each) for name, each in value.items()}
        if isinstance(value, list):
            return [_numbers(each) for each in value]
    except RecursionError:
        raise ValueError("is nested too deep") from None
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXPONENT:
        return int(value)
    if isinstance(value, int) and abs(value) >= _EXPONENT and abs(value) <= _LARGEST and float(value) == value:
        return float(value)
    return value


def _read(text: str) -> Raw:
    try:
        return cast(Raw, json.loads(text, parse_constant=_no_number))
    except RecursionError:
        raise ValueError("is nested too deep") from None
    except ValueError:
        raise ValueError("is no JSON text") from None


def _no_number(word: str) -> object:
    raise ValueError(f"`{word}` is no JSON")


def _walked(
    value: Raw, place: str, forms: Mapping[str, Form], turned: Callable[[Raw, Form], Raw], path: str = ""
) -> Raw:
    """`value`, in which what stands at a place of `forms` is `turned`. The forms bound how deep it looks."""
    form = forms.get(place)
    if form is not None:
        try:
            return turned(value, form)
        except ValueError as error:
            raise InexactError(path, str(error)) from None
    if not any(each.startswith(f"{place}/") for each in forms):
        return value
    if isinstance(value, dict):
        found: dict[str, Raw] = {}
        for name, member in value.items():
            step = pointer(name)
            below = place + step
            named = below in forms or any(each.startswith(f"{below}/") for each in forms)
            found[name] = _walked(member, below if named else place + _ANY, forms, turned, path + step)
        return found
    if isinstance(value, list):
        return [_walked(each, place + _ANY, forms, turned, f"{path}/{at}") for at, each in enumerate(value)]
    return value


def _kept(value: Raw, path: str, depth: int, texts: list[str]) -> JsonValue:
    match value:
        case None | bool():
            return value
        case str():
            if _encodable(value):
                return value
        case int():
            if abs(value) <= MAX_INTEGER:
                return value
        case dict() if depth < MAX_DEPTH and _ascii(value):
            return {name: _kept(each, path + pointer(name), depth + 1, texts) for name, each in value.items()}
        case list() if depth < MAX_DEPTH:
            return [_kept(each, f"{path}/{at}", depth + 1, texts) for at, each in enumerate(value)]
        case _:
            pass
    try:
        text = json_text(value)
    except ValueError as error:
        raise InexactError(path, str(error)) from None
    texts.append(path)
    return text


def _ascii(value: dict[str, Raw]) -> bool:
    return all(name.isascii() and name.isprintable() for name in value)


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _replaced(value: Raw, steps: _Steps) -> Raw:
    """`value` with what `steps` lead to read as JSON text. What is not there any more is not put back."""
    if not steps:
        if not isinstance(value, str):
            return value
        try:
            return _read(value)
        except ValueError:
            return value
    if isinstance(value, dict):
        return {name: _replaced(each, steps[name]) if name in steps else each for name, each in value.items()}
    if isinstance(value, list):
        numbered = ((each, steps.get(str(at))) for at, each in enumerate(value))
        return [each if below is None else _replaced(each, below) for each, below in numbered]
    return value
