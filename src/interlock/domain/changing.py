"""What a contract says an action will change, so that whoever decides sees what was and what will be.

    changes:
      price: {before: $facts.price_minor, after: $args.price_minor, money: $args.currency}
      refunded: {before: $facts.refunded_minor, after: $facts.refunded_minor + $args.amount_minor, money: EUR}

A value is itself, a path into arguments or facts, or paths and whole numbers with ` + ` and ` - ` between them.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from interlock.domain.canonical import JsonValue
from interlock.domain.money import is_currency

_SIGN: Final = re.compile(r" ([+-]) ")
_PATH: Final = re.compile(r"\$(args|facts)((?:\.[A-Za-z_][A-Za-z0-9_-]*)+)")
_NUMBER: Final = re.compile(r"0|[1-9][0-9]{0,17}")
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9 _-]{0,63}")
MOST_TERMS: Final = 8


class Changing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One value that changes."""

    after: JsonValue
    before: JsonValue = None
    """None: nothing says what it was."""
    money: str = ""
    """The currency whose minor units the values are: `EUR`, or a path."""
    unit: str = ""
    """What the values count, where that is no money: `pieces`."""


class Missing(Exception):
    """A path leads nowhere."""


def valued(written: JsonValue, sources: Mapping[str, JsonValue]) -> JsonValue:
    """What `written` comes to. Raises Missing where a path leads nowhere, or to what cannot be added."""
    if not isinstance(written, str) or not written.startswith("$"):
        return written
    if written.startswith("$$"):
        return written[1:]
    first, *rest = _SIGN.split(written)
    value = _term(first, sources)
    if not rest:
        return value
    total = _whole(value)
    for sign, term in zip(rest[::2], rest[1::2], strict=True):
        other = _whole(_term(term, sources))
        total = total + other if sign == "+" else total - other
    return total


def misfits(
    name: str, change: Changing, arguments: Mapping[str, JsonValue], facts: Mapping[str, JsonValue] | None
) -> Iterator[str]:
    """What is wrong with a declared change. `arguments` and `facts` are properties of the schemas; None: it reads none."""
    if not _NAME.fullmatch(name):
        yield f"`{name}` is no name for what changes: begin with a letter, at most 64 letters, digits, spaces, `_` and `-`"
    if change.money and change.unit:
        yield "what changes is money or counted in a unit, not both"
    if change.money and not change.money.startswith("$") and not is_currency(change.money):
        yield f"`{change.money}` is no currency: three capitals such as `EUR`, or a path such as `$args.currency`"
    for written in (change.before, change.after, change.money):
        if isinstance(written, str) and written.startswith("$") and not written.startswith("$$"):
            yield from _wrong(written, arguments, facts)


def _wrong(written: str, arguments: Mapping[str, JsonValue], facts: Mapping[str, JsonValue] | None) -> Iterator[str]:
    terms = _SIGN.split(written)[::2]
    if len(terms) > MOST_TERMS:
        yield f"`{written}` adds up more than {MOST_TERMS} values"
    for term in terms:
        found = _PATH.fullmatch(term)
        if found is None:
            if not _NUMBER.fullmatch(term):
                yield f"`{term}` is neither a path such as `$args.n` or `$facts.n`, nor a whole number"
            continue
        top = found[2].split(".")[1]
        if found[1] == "args" and top not in arguments:
            yield f"`{term}` names no argument"
        if found[1] == "facts" and facts is None:
            yield f"`{term}` names a fact, and the contract reads none"
        elif found[1] == "facts" and facts is not None and facts and top not in facts:
            yield f"`{term}` names no fact"


def _term(term: str, sources: Mapping[str, JsonValue]) -> JsonValue:
    found = _PATH.fullmatch(term)
    if found is None:
        return int(term) if _NUMBER.fullmatch(term) else term
    value = sources.get(found[1])
    for step in found[2].split(".")[1:]:
        if not isinstance(value, dict) or step not in value:
            raise Missing
        value = value[step]
    return value


def _whole(value: JsonValue) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise Missing
    return value
