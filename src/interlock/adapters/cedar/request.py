"""A question as an engine takes it: what the policies asked about it read, checked value by value.

The checker is made once from the types that the contract gives. Because every value is held against its type here, no
engine need check the request again, and because only members that the schema names are copied, nothing an agent writes
can pass for an entity or an extension value. What does not fit raises Unfit, which denies.

There are two forms: Cedar's JSON for the library, and Python values for compiled policies.
"""

from collections.abc import Callable, Collection
from typing import Any, Final

import msgspec

from interlock.adapters.cedar.compiling.runtime import Fields
from interlock.adapters.cedar.reads import Reads
from interlock.adapters.cedar.schema import Surface
from interlock.adapters.cedar.shape import Choice, Flag, Group, Integer, Many, Shape, Text
from interlock.domain.baseline import UNUSUAL, Unusual
from interlock.domain.canonical import is_utf8
from interlock.domain.question import Question

Write = Callable[[Any], Any]
"""Takes a JSON value and gives it in an engine's form, or raises Unfit."""


class Form(msgspec.Struct, frozen=True):
    """How an engine has what JSON has not."""

    choice: Callable[[str, str], Any]
    """An enum's value, of its type and text."""
    many: Callable[[list[Any]], Any]
    record: Callable[[dict[str, Any]], Any]


def _as_it_is(value: Any) -> Any:
    return value


AS_JSON: Final = Form(lambda kind, value: {"__entity": {"type": kind, "id": value}}, _as_it_is, _as_it_is)
AS_VALUES: Final = Form(lambda kind, value: (kind, value), frozenset, Fields)

_LEAST: Final = -(2**63)
_MOST: Final = 2**63 - 1
_encode: Final = msgspec.json.Encoder().encode


class Unfit(ValueError):
    """A question does not have what the schema promises. The message names the member, never its value."""


def json_writer(surface: Surface, read: Reads) -> Callable[[Question], str]:
    """A function that gives the context of questions about `surface` as JSON text, with what `read` reads of it.
    It raises Unfit, and ValueError for text that UTF-8 cannot write."""
    write = context_writer(surface, read, AS_JSON)
    return lambda question: _encode(write(question)).decode()


def context_writer(surface: Surface, read: Reads, form: Form) -> Callable[[Question], Any]:
    """A function that gives that context in `form`. It raises Unfit."""
    write = _record(surface.context(), read, "", form)
    taken = [(name, _TAKE[name]) for name in _names(surface.context(), read) if name != "taint"]
    if "taint" in _names(surface.context(), read):
        labels = tuple(member.name for member in surface.taint.members)
        taken.append(("taint", lambda question: {name: name in question.around.tainted for name in labels}))
    return lambda question: write({name: take(question) for name, take in taken})


_MINUTE_MS: Final = 60_000
_DAY_MS: Final = 24 * 60 * _MINUTE_MS


def _unusual(found: Collection[Unusual]) -> dict[str, bool]:
    """A flag for each way in which something can be unusual, and one for all of them."""
    return {"any": bool(found)} | {name: name in found for name in UNUSUAL}


_TAKE: Final[dict[str, Callable[[Question], Any]]] = {
    "args": lambda question: question.arguments,
    "budget": lambda question: question.around.budget,
    "confidence": lambda question: question.confidence,
    "data": lambda question: list(question.data),
    "facts": lambda question: question.facts,
    "minuteOfDay": lambda question: question.around.asked_at % _DAY_MS // _MINUTE_MS,
    "nowMs": lambda question: question.around.asked_at,
    "parsed": lambda question: question.parsed,
    "stage": lambda question: question.around.stage,
    "taintedAny": lambda question: bool(question.around.tainted),
    "task": lambda question: {
        "depth": question.around.depth,
        "initiator": question.initiator,
        "lent": question.around.lent,
        "purpose": question.around.purpose,
    },
    "undo": lambda question: question.around.undo,
    "unusual": lambda question: _unusual(question.around.unusual),
    "user": lambda question: {"roles": list(question.around.roles)},
    # The first of January 1970 was a Thursday.
    "weekday": lambda question: (question.around.asked_at // _DAY_MS + 3) % 7 + 1,
}
"""Where each member of the context comes from; `taint` depends on the contract."""


def _names(group: Group, read: Reads) -> list[str]:
    return [member.name for member in group.members if read.whole or member.name in read.members]


def _writer(shape: Shape, read: Reads, path: str, form: Form) -> Write:
    match shape:
        case Text():
            return _text(path)
        case Flag():
            return _flag(path)
        case Integer():
            return _integer(path)
        case Choice():
            return _choice(shape, path, form)
        case Many():
            return _many(shape, path, form)
        case Group():
            return _record(shape, read, path, form)


def _text(path: str) -> Write:
    def write(value: Any) -> Any:
        if type(value) is not str or not (value.isascii() or is_utf8(value)):
            raise Unfit(f"{path} is not text")
        return value

    return write


def _flag(path: str) -> Write:
    def write(value: Any) -> Any:
        if type(value) is not bool:
            raise Unfit(f"{path} is not true or false")
        return value

    return write


def _integer(path: str) -> Write:
    def write(value: Any) -> Any:
        # `type` and not `isinstance`: True is an int.
        if type(value) is not int or not _LEAST <= value <= _MOST:
            raise Unfit(f"{path} is not a whole number of 64 bits")
        return value

    return write


def _choice(shape: Choice, path: str, form: Form) -> Write:
    entities = {value: form.choice(shape.name, value) for value in shape.values}

    def write(value: Any) -> Any:
        if type(value) is not str or value not in entities:
            raise Unfit(f"{path} is none of the values it may have")
        return entities[value]

    return write


def _many(shape: Many, path: str, form: Form) -> Write:
    everything = Reads()
    everything.whole = True
    item = _writer(shape.item, everything, f"{path}[]", form)

    many = form.many

    def write(value: Any) -> Any:
        given: list[Any] = value
        if type(given) is not list:
            raise Unfit(f"{path} is not an array")
        return many([item(each) for each in given])

    return write


def _record(shape: Group, read: Reads, path: str, form: Form) -> Write:
    nothing = Reads()
    members = [
        (
            member.name,
            member.optional,
            _writer(member.shape, _part(read, member.name, nothing), _below(path, member.name), form),
        )
        for member in shape.members
        if read.whole or member.name in read.members
    ]
    here, record = path or "context", form.record

    def write(value: Any) -> Any:
        given: dict[str, Any] = value
        if type(given) is not dict:
            raise Unfit(f"{here} is not an object")
        found: dict[str, Any] = {}
        for name, optional, inner in members:
            each = given.get(name)
            if each is not None:
                found[name] = inner(each)
            elif not optional:
                raise Unfit(f"{_below(path, name)} is missing")
        return record(found)

    return write


def _part(read: Reads, name: str, nothing: Reads) -> Reads:
    return read if read.whole else read.members.get(name, nothing)


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
