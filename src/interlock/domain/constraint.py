"""What an argument may be: the one language in which tokens, rights and tasks say it.

The JSON forms are those of draft-niyikiza-oauth-attenuating-agent-tokens, a profile of RFC 9396: an object with
`constraint_type` and the members of that type. Every form is bounded when it is read, nothing is read that is not known,
and a form that could permit by being empty is refused. Equality is typed, to the innermost value: true is not 1, "1" is
not 1. There are no patterns: whether one is narrower than another cannot be told in general.

What is narrower than what, and what two have in common, is decided in `narrowing.py`.
"""

from typing import Any, Final, TypeAlias, cast, get_args

import msgspec

from interlock.domain.canonical import MAX_INTEGER, CanonicalError, JsonValue, encode

MAX_DEPTH: Final = 4
"""How deep constraints may stand within each other: `all` of `any` of `exact` is three."""
MAX_PARTS: Final = 32
"""How many constraints one may hold, itself and all within it."""
MAX_VALUES: Final = 128
"""How many values one list may name."""
MAX_VALUE_BYTES: Final = 4096
"""How long one value may be, in canonical JSON."""


class ConstraintError(ValueError):
    """Not a constraint we know, or more than we would hold."""


class _Form(msgspec.Struct, frozen=True, kw_only=True, tag_field="constraint_type", forbid_unknown_fields=True):
    """What the forms share: a tag in JSON and nothing that is not known."""


class Exact(_Form, frozen=True, kw_only=True, tag="exact"):
    """This value."""

    value: JsonValue

    def __post_init__(self) -> None:
        _check_values((self.value,))


class Range(_Form, frozen=True, kw_only=True, omit_defaults=True, tag="range"):
    """A whole number between two bounds, both of which it may be; one of them may be missing, not both."""

    max: int | None = None
    min: int | None = None

    def __post_init__(self) -> None:
        low, high = self.min, self.max
        if low is None and high is None:
            raise ConstraintError("a range without a bound says nothing; `wildcard` admits anything")
        for bound in (low, high):
            # In Python True is a number.
            if bound is not None and (type(bound) is not int or not -MAX_INTEGER <= bound <= MAX_INTEGER):
                raise ConstraintError("a bound is a whole number within 2^53 - 1")
        if low is not None and high is not None and low > high:
            raise ConstraintError(f"no number is at least {low} and at most {high}")


class OneOf(_Form, frozen=True, kw_only=True, tag="one_of"):
    """One of these values."""

    values: tuple[JsonValue, ...]

    def __post_init__(self) -> None:
        _check_list(self.values)


class NotOneOf(_Form, frozen=True, kw_only=True, tag="not_one_of"):
    """Anything but these values."""

    excluded: tuple[JsonValue, ...]

    def __post_init__(self) -> None:
        _check_list(self.excluded)


class Subset(_Form, frozen=True, kw_only=True, tag="subset"):
    """A list that holds nothing but these values; it may be empty."""

    allowed: tuple[JsonValue, ...]

    def __post_init__(self) -> None:
        _check_list(self.allowed)


class Contains(_Form, frozen=True, kw_only=True, tag="contains"):
    """A list that holds each of these values, and whatever else."""

    required: tuple[JsonValue, ...]

    def __post_init__(self) -> None:
        _check_list(self.required)


class Wildcard(_Form, frozen=True, kw_only=True, tag="wildcard"):
    """Anything at all."""


class All(_Form, frozen=True, kw_only=True, tag="all"):
    """What every one of these admits."""

    constraints: tuple["Constraint", ...]

    def __post_init__(self) -> None:
        _check_parts(self.constraints, self)


class AnyOf(_Form, frozen=True, kw_only=True, tag="any"):
    """What at least one of these admits."""

    constraints: tuple["Constraint", ...]

    def __post_init__(self) -> None:
        _check_parts(self.constraints, self)


Constraint: TypeAlias = Exact | Range | OneOf | NotOneOf | Subset | Contains | Wildcard | All | AnyOf
TYPES: Final[tuple[str, ...]] = tuple(str(each.__struct_config__.tag) for each in get_args(Constraint))
"""What `constraint_type` may say."""


def unread(error: Exception) -> str:
    """Why something is no constraint, and where its type is at fault, which there are."""
    said = str(error)
    return f"{said}; there are {', '.join(f'`{each}`' for each in TYPES)}" if "constraint_type" in said else said


def read_constraint(value: JsonValue) -> Constraint:
    """The constraint that a JSON value says. Raises ConstraintError, also for a type that is not known."""
    try:
        # `Constraint` is what msgspec reads; it resolves the names within by this module.
        return cast(Constraint, msgspec.convert(value, cast(Any, Constraint)))
    except (msgspec.ValidationError, RecursionError) as error:
        raise ConstraintError(f"no constraint of ours: {unread(error)}") from None


def written(constraint: Constraint) -> JsonValue:
    """The JSON value that says `constraint`."""
    return cast(JsonValue, msgspec.json.decode(msgspec.json.encode(constraint)))


def admits(constraint: Constraint, value: JsonValue) -> str | None:
    """Why `value` is not what `constraint` says, as the end of a sentence about it: `must be at most 500`; or None.

    The value is not repeated: what a call brought may be private, and the reason is not.
    """
    return None if holds(constraint, value) else f"must be {said(constraint)}"


def holds(constraint: Constraint, value: JsonValue) -> bool:
    """Whether `constraint` admits `value`."""
    match constraint:
        case Exact():
            return same(constraint.value, value)
        case OneOf():
            return _among(value, constraint.values)
        case Range():
            if type(value) is not int:
                return False
            low, high = constraint.min, constraint.max
            return (low is None or value >= low) and (high is None or value <= high)
        case Wildcard():
            return True
        case NotOneOf():
            return not _among(value, constraint.excluded)
        case Subset():
            return type(value) is list and all(_among(each, constraint.allowed) for each in value)
        case Contains():
            return type(value) is list and all(_among(each, value) for each in constraint.required)
        case All():
            return all(holds(each, value) for each in constraint.constraints)
        case AnyOf():
            return any(holds(each, value) for each in constraint.constraints)


def same(one: JsonValue, other: JsonValue) -> bool:
    """Whether two JSON values are the same: of one type, to the innermost of them."""
    if type(one) is not type(other):
        return False
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(each, other[name]) for name, each in one.items())
    return one == other


def said(constraint: Constraint) -> str:
    """`constraint` in words: `at least 1 and at most 500`."""
    match constraint:
        case Exact():
            return _quoted(constraint.value)
        case Range():
            bounds = (("at least", constraint.min), ("at most", constraint.max))
            return "a whole number " + " and ".join(f"{word} {bound}" for word, bound in bounds if bound is not None)
        case OneOf():
            return f"one of {_listed(constraint.values)}"
        case NotOneOf():
            return f"none of {_listed(constraint.excluded)}"
        case Subset():
            return f"a list of nothing but {_listed(constraint.allowed)}"
        case Contains():
            return f"a list with {_listed(constraint.required)} in it"
        case Wildcard():
            return "anything"
        case All():
            return " and ".join(_inner(each) for each in constraint.constraints)
        case AnyOf():
            return " or ".join(_inner(each) for each in constraint.constraints)


_SHOWN: Final = 8
_LONG: Final = 60


def _inner(constraint: Constraint) -> str:
    words = said(constraint)
    return f"({words})" if isinstance(constraint, All | AnyOf) else words


def _listed(values: tuple[JsonValue, ...]) -> str:
    more = f" and {len(values) - _SHOWN} more" if len(values) > _SHOWN else ""
    return ", ".join(_quoted(each) for each in values[:_SHOWN]) + more


def _quoted(value: JsonValue) -> str:
    """A value in backticks, with its quotes only where it would be read as something else without them."""
    text = msgspec.json.encode(value).decode()
    if isinstance(value, str) and value and not _looks_otherwise(value):
        text = text[1:-1]
    return f"`{text[:_LONG]}...`" if len(text) > _LONG else f"`{text}`"


def _looks_otherwise(text: str) -> bool:
    return text in ("true", "false", "null") or text[0] in '"[{ ' or text.lstrip("-").isdigit()


def _among(value: JsonValue, values: "tuple[JsonValue, ...] | list[JsonValue]") -> bool:
    return any(same(each, value) for each in values)


def _check_list(values: tuple[JsonValue, ...]) -> None:
    if not values:
        raise ConstraintError("an empty list is no constraint")
    if len(values) > MAX_VALUES:
        raise ConstraintError(f"{len(values)} values are more than {MAX_VALUES}")
    _check_values(values)


def _check_values(values: tuple[JsonValue, ...]) -> None:
    for value in values:
        # A short text or a small number is nearly all there is: it needs no walk.
        if type(value) is str and len(value) < 256 and value.isascii():
            continue
        try:
            encode(value, max_bytes=MAX_VALUE_BYTES)
        except CanonicalError as error:
            raise ConstraintError(f"a value of the constraint: {error}") from None


def _check_parts(parts: "tuple[Constraint, ...]", whole: "All | AnyOf") -> None:
    if not parts:
        raise ConstraintError("an empty `all` or `any` is no constraint")
    if depth_of(whole) > MAX_DEPTH:
        raise ConstraintError(f"constraints within each other more than {MAX_DEPTH} deep")
    if count_of(whole) > MAX_PARTS:
        raise ConstraintError(f"more than {MAX_PARTS} constraints in one")


def depth_of(constraint: Constraint) -> int:
    """How deep constraints stand in it, itself being one."""
    inner = constraint.constraints if isinstance(constraint, All | AnyOf) else ()
    return 1 + max(map(depth_of, inner), default=0)


def count_of(constraint: Constraint) -> int:
    """How many constraints there are in it, itself being one."""
    inner = constraint.constraints if isinstance(constraint, All | AnyOf) else ()
    return 1 + sum(map(count_of, inner))
