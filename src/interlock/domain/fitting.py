"""A caller's values, held against what was promised to be taken, before anything is done with them.

Python lets a program pass anything. What is written down must be read again by others, so a value of the wrong type is
refused where it comes in, under its name.
"""

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, Final, Literal, ParamSpec, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import msgspec

from interlock.domain.canonical import MAX_INTEGER
from interlock.domain.errors import ContractError
from interlock.domain.names import listed

P = ParamSpec("P")
T = TypeVar("T")

Count = Annotated[int, msgspec.Meta(ge=1, le=MAX_INTEGER)]
"""How many of something are wanted."""
Millis = Annotated[int, msgspec.Meta(ge=0, le=MAX_INTEGER)]
"""How long, in milliseconds."""
PerMille = Annotated[int, msgspec.Meta(ge=0, le=1000)]
Amount = Annotated[int, msgspec.Meta(ge=0, le=MAX_INTEGER)]
"""In minor units, calls, or what else is counted."""
Moment = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799_999)]
"""UTC ms, up to the end of the year 9999."""

SHOWN: Final = 100
"""How much of a wrong value an error repeats."""
Kind = tuple[Any, tuple[type, ...]]
"""What an argument may be: a type that msgspec reads, or else the classes it may be of."""


def checked(function: Callable[P, T]) -> Callable[P, T]:
    """`function` that raises ContractError, naming the argument, where one is not what its annotation says.

    `*args` and `**kwargs` are left alone. A coroutine function raises when it is awaited.
    """
    signature = inspect.signature(function)
    advice = f"mend the call: `help(interlock.{function.__qualname__.removesuffix('.__init__')})` says what it takes"

    @functools.cache
    def kinds() -> dict[str, Kind]:
        # Only when it is first called: annotations may name what stands further below.
        hints = get_type_hints(function, include_extras=True)
        named = (each.name for each in signature.parameters.values() if each.kind not in _REST and each.name in hints)
        return {name: _kind(hints[name]) for name in named if hints[name] is not Any}

    def fitting(args: tuple[object, ...], kwargs: dict[str, object]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        given = signature.bind(*args, **kwargs)
        for name, kind in kinds().items():
            if name in given.arguments:
                given.arguments[name] = _fitted(given.arguments[name], kind, name, advice)
        return given.args, given.kwargs

    if inspect.iscoroutinefunction(function):

        @functools.wraps(function)
        async def later(*args: P.args, **kwargs: P.kwargs) -> Any:
            fit, named = fitting(args, kwargs)
            return await cast(Callable[..., Any], function)(*fit, **named)

        return cast(Callable[P, T], later)

    @functools.wraps(function)
    def at_once(*args: P.args, **kwargs: P.kwargs) -> T:
        fit, named = fitting(args, kwargs)
        return cast(Callable[..., T], function)(*fit, **named)

    return at_once


def fitted(value: object, annotation: object, name: str, next_step: str) -> Any:
    """`value`, the argument `name`, as its annotation says. Raises ContractError."""
    return _fitted(value, _kind(annotation), name, next_step)


def refitted(value: T, name: str, next_step: str) -> T:
    """A Struct with each field what it should be: a program may have put anything into them. Raises ContractError."""
    kind = cast(type[msgspec.Struct], type(value))
    hints = get_type_hints(kind, include_extras=True)
    fields = {
        field: _fitted(getattr(value, field), _kind(hints[field]), field, next_step, f"/{name}/{field}")
        for field in kind.__struct_fields__
    }
    return cast(T, kind(**fields))


_REST: Final = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_READ: Final = (str, int, bool, type(None), list, tuple, dict, Mapping, Sequence)


_NAMES: Final = (("`object", "`dict"), ("`array", "`list"), ("| null`", "| None`"), ("`null`", "`None`"))
"""msgspec speaks of JSON, our callers of Python."""


def _fitted(value: object, kind: Kind, name: str, next_step: str, path: str = "") -> Any:
    annotation, classes = kind
    problem = ""
    fit = value
    if classes:
        if not isinstance(value, classes):
            problem = (
                f": expected {' or '.join(f'`{each.__name__}`' for each in classes)}, got `{type(value).__name__}`"
            )
    else:
        try:
            fit = msgspec.convert(value, annotation, strict=True)
            # Not every text can be written: half of a surrogate pair cannot.
            msgspec.json.encode(fit, enc_hook=_written)
        except msgspec.ValidationError as error:
            problem = _words(str(error), annotation, value)
        except UnicodeEncodeError:
            problem = " holds something that is no text in UTF-8"
        except (RecursionError, OverflowError, TypeError) as error:
            problem = f" cannot be written down: {error}"
    if problem:
        raise ContractError(f"`{name}`{problem}", path=path or f"/{name}", next_step=next_step)
    return fit


def _words(said: str, annotation: object, value: object) -> str:
    """What msgspec said, in our words."""
    choices = [each for option in _options(annotation) if get_origin(option) is Literal for each in get_args(option)]
    if choices:
        return f" is one of {listed(map(str, choices))}, not `{str(value)[:SHOWN]}`"
    for json, python in _NAMES:
        said = said.replace(json, python)
    what, _, place = said.partition(" - at ")
    where = " in one of its values" if place == "`$[...]`" else f" at {place}" if place else ""
    return f": {what[:1].lower()}{what[1:]}{where}"


def _kind(annotation: object) -> Kind:
    bare = [get_args(each)[0] if get_origin(each) is Annotated else each for each in _options(annotation)]
    classes = [each for each in [get_origin(each) or each for each in bare] if isinstance(each, type)]
    return annotation, () if all(each in _READ for each in classes) else tuple(classes)


def _options(annotation: object) -> tuple[object, ...]:
    return get_args(annotation) if get_origin(annotation) in (Union, UnionType) else (annotation,)


def _written(value: object) -> None:
    """What has no JSON form is looked at by those who know what it is for."""
    del value
