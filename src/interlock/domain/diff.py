"""What an action will change, row by row: what was, what will be, and by how much.

A contract that declares `changes` says which values these are. Of one that does not, each argument is held against the
fact of the same name, where there is one.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from interlock.domain.canonical import JsonValue
from interlock.domain.changing import Changing, Missing, valued
from interlock.domain.contract import Contract
from interlock.domain.money import is_currency, money

RowKind = Literal["changed", "same", "set"]
"""`set`: nothing says what it was."""


class Row(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One value, before and after. The texts are for people, the values for programs."""

    name: str
    kind: RowKind
    before: JsonValue = None
    after: JsonValue = None
    before_text: str = ""
    after_text: str = ""
    difference: str = ""
    """By how much, of numbers: `+2.50 EUR (+5 %)`."""
    data_class: str = ""


def rows_of(contract: Contract, arguments: Mapping[str, JsonValue], facts: Mapping[str, JsonValue]) -> tuple[Row, ...]:
    """What `contract` with these arguments will change, given what its facts say now."""
    if contract.changes:
        sources: dict[str, JsonValue] = {"args": dict(arguments), "facts": dict(facts)}
        return tuple(_declared(name, change, sources, contract) for name, change in contract.changes.items())
    found: list[Row] = []
    for name, value in arguments.items():
        unit = unit_of(contract, name, arguments)
        if name in facts:
            found.append(_row(name, facts[name], value, unit, contract))
        else:
            found.append(_set(name, value, unit, contract))
    return tuple(found)


def between(contract: Contract, old: Mapping[str, JsonValue], new: Mapping[str, JsonValue]) -> tuple[Row, ...]:
    """What one made of another's arguments: only what is not the same."""
    names = [*old, *(name for name in new if name not in old)]
    found = [
        _row(name, old.get(name), new.get(name), unit_of(contract, name, {**old, **new}), contract)
        for name in names
        if old.get(name) != new.get(name)
    ]
    return tuple(found)


def text_of(value: JsonValue, unit: str = "") -> str:
    """A value as people read it; text as it is, anything else as JSON. With a currency whole numbers are minor units of it."""
    if isinstance(value, int) and not isinstance(value, bool) and unit:
        return money(value, unit)
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def unit_of(contract: Contract, name: str, arguments: Mapping[str, JsonValue]) -> str:
    """The currency that the contract's cost says an argument is in, or nothing."""
    cost = contract.cost
    if cost is None or cost.amount != f"$args.{name}":
        return ""
    unit: JsonValue = cost.unit
    if cost.unit.startswith("$args."):
        unit = arguments.get(cost.unit.removeprefix("$args."))
    return unit if isinstance(unit, str) and is_currency(unit) else ""


def _declared(name: str, change: Changing, sources: Mapping[str, JsonValue], contract: Contract) -> Row:
    unit = change.unit or _read(change.money, sources)
    after, before = _read(change.after, sources), _read(change.before, sources)
    unit = unit if isinstance(unit, str) else ""
    data_class = next(
        (
            kind
            for path in (change.after, change.before)
            for each, kind in contract.data_classes.items()
            if isinstance(path, str) and (f"$args.{each}" in path or f"$facts.{each}" in path)
        ),
        "",
    )
    row = _set(name, after, unit, contract) if before is None else _row(name, before, after, unit, contract)
    return msgspec.structs.replace(row, data_class=data_class)


def _read(written: JsonValue, sources: Mapping[str, JsonValue]) -> JsonValue:
    try:
        return valued(written, sources)
    except Missing:
        return None


def _set(name: str, value: JsonValue, unit: str, contract: Contract) -> Row:
    text = text_of(value, unit)
    return Row(name=name, kind="set", after=value, after_text=text, data_class=contract.data_classes.get(name, ""))


def _row(name: str, before: JsonValue, after: JsonValue, unit: str, contract: Contract) -> Row:
    return Row(
        name=name,
        kind="same" if before == after else "changed",
        before=before,
        after=after,
        before_text=text_of(before, unit) if before is not None else "",
        after_text=text_of(after, unit) if after is not None else "",
        difference=_difference(before, after, unit),
        data_class=contract.data_classes.get(name, ""),
    )


def _difference(before: JsonValue, after: JsonValue, unit: str) -> str:
    if not isinstance(before, int) or not isinstance(after, int) or isinstance(before, bool) or isinstance(after, bool):
        return ""
    if before == after:
        return ""
    by = money(after - before, unit, signed=True) if unit else f"{after - before:+,}"
    if before <= 0:
        return by
    # In whole numbers, rounded half away from nothing, to a tenth of a per cent.
    tenths = (2000 * abs(after - before) + before) // (2 * before)
    share = f"{tenths // 10}" if tenths % 10 == 0 else f"{tenths // 10}.{tenths % 10}"
    return f"{by} ({'+' if after > before else '-'}{share} %)"
