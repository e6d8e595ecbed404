"""A question as Cedar's JSON: what the policies asked about it read, checked value by value.

Because every value is checked against its type here, Cedar need not check the request again, and because only members
that the schema names are copied, nothing an agent writes can pass for an entity or an extension value. What does not
fit raises Unfit, which denies.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from interlock.adapters.cedar.reads import Reads
from interlock.adapters.cedar.schema import Surface
from interlock.adapters.cedar.shape import Choice, Flag, Group, Integer, Many, Shape, Text
from interlock.domain.policy import Question

Write = Callable[[Any], Any]
"""Takes a JSON value and gives it as Cedar's JSON has it, or raises Unfit."""

_LEAST: Final = -(2**63)
_MOST: Final = 2**63 - 1
_encode: Final = msgspec.json.Encoder().encode


class Unfit(ValueError):
    """A question does not have what the schema promises. The message names the member, never its value."""


def context_writer(surface: Surface, read: Reads) -> Callable[[Question], str]:
    """A function that gives the context of questions about `surface` as JSON text, with what `read` reads of it.
    It raises Unfit, and ValueError for text that UTF-8 cannot write."""
    write = _record(surface.context(), read, "")
    wanted = set(_names(surface.context(), read))

    def context(question: Question) -> str:
        found: dict[str, Any] = {}
        if "args" in wanted:
            found["args"] = question.arguments
        if "facts" in wanted:
            found["facts"] = question.facts
        if "nowMs" in wanted:
            found["nowMs"] = question.asked_at
        if "stage" in wanted:
            found["stage"] = question.stage
        if "task" in wanted:
            found["task"] = {"depth": question.depth, "initiator": question.initiator, "purpose": question.purpose}
        if "undo" in wanted:
            found["undo"] = question.undo
        return _encode(write(found)).decode()

    return context


def _names(group: Group, read: Reads) -> list[str]:
    return [member.name for member in group.members if read.whole or member.name in read.members]


def _writer(shape: Shape, read: Reads, path: str) -> Write:
    match shape:
        case Text():
            return _exactly(str, path, "text")
        case Flag():
            return _exactly(bool, path, "true or false")
        case Integer():
            return _integer(path)
        case Choice():
            return _choice(shape, path)
        case Many():
            return _many(shape, path)
        case Group():
            return _record(shape, read, path)


def _exactly(kind: type, path: str, name: str) -> Write:
    def write(value: Any) -> Any:
        if type(value) is not kind:
            raise Unfit(f"{path} is not {name}")
        return value

    return write


def _integer(path: str) -> Write:
    def write(value: Any) -> Any:
        # `type` and not `isinstance`: True is an int.
        if type(value) is not int or not _LEAST <= value <= _MOST:
            raise Unfit(f"{path} is not a whole number of 64 bits")
        return value

    return write


def _choice(shape: Choice, path: str) -> Write:
    entities = {value: {"__entity": {"type": shape.name, "id": value}} for value in shape.values}

    def write(value: Any) -> Any:
        if type(value) is not str or value not in entities:
            raise Unfit(f"{path} is none of the values it may have")
        return entities[value]

    return write


def _many(shape: Many, path: str) -> Write:
    everything = Reads()
    everything.whole = True
    item = _writer(shape.item, everything, f"{path}[]")

    def write(value: Any) -> Any:
        given: list[Any] = value
        if type(given) is not list:
            raise Unfit(f"{path} is not an array")
        return [item(each) for each in given]

    return write


def _record(shape: Group, read: Reads, path: str) -> Write:
    nothing = Reads()
    members = [
        (
            member.name,
            member.optional,
            _writer(member.shape, _part(read, member.name, nothing), _below(path, member.name)),
        )
        for member in shape.members
        if read.whole or member.name in read.members
    ]
    here = path or "context"

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
        return found

    return write


def _part(read: Reads, name: str, nothing: Reads) -> Reads:
    return read if read.whole else read.members.get(name, nothing)


def _below(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
