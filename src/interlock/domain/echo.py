"""What a rule took of a tool's result, said once more in the words beside it: in its blocks of content, and in `_meta`.

A server may spell it as texts and programs do: a number with and without its fraction of nothing, in groups of thousands, a text
with the escapes of JSON. The work is bounded by what is looked for and in how much: where it would be more, no words are given.
"""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeAlias, cast

import msgspec

from interlock.domain.exact import Raw, decimal_of
from interlock.domain.sifting import FIELD

MOST_HIDDEN: Final = 512
"""So many values that a rule took are looked for in the words beside them; of more, no words are given."""
SHORTEST: Final = 3
"""Characters of a value that is looked for."""
MOST_WORK: Final = 1_000_000_000
"""Characters of what is looked for, times those of the words."""
_LONG: Final = 64
"""Characters; a longer value is looked for by itself, wherever it stands: that takes as many steps as the words are long."""
_EACH_LONG: Final = 8
_AS_IT_IS: Final = frozenset({"type", "mimeType", "data", "blob"})
"""Members of a block that are no words."""

_Taking: TypeAlias = Callable[[str], None]
"""Told the place of each thing that is taken."""


def without_echo(result: dict[str, Raw], hidden: Sequence[object], taking: _Taking) -> dict[str, Raw]:
    """`result` without what is `hidden` elsewhere in it and its words say once more."""
    found = _leaves(hidden)
    forms = {form for each in found or () for form in _spellings(each) if len(form) >= SHORTEST and form != FIELD}
    if found is not None and not forms:
        return result
    words = {name: result[name] for name in ("content", "_meta") if name in result}
    much = sum(min(len(each), _EACH_LONG) if len(each) > _LONG else len(each) for each in forms)
    told = found is not None and much * _length(words) <= MOST_WORK
    echo = _Echo(forms if told else None, taking)
    return {**result, **{name: echo.value(each, f"/{name}") for name, each in words.items()}}


class _Echo:
    """Looks for `forms`; for None, any word at all is one."""

    def __init__(self, forms: set[str] | None, taking: _Taking) -> None:
        self._taking = taking
        self._forms = forms
        self._long = sorted((each for each in forms or () if len(each) > _LONG), key=len, reverse=True)
        short = sorted((each for each in forms or () if len(each) <= _LONG), key=len, reverse=True)
        alternatives = "|".join(map(re.escape, short))
        self._short = re.compile(rf"(?<![^\W_])(?:{alternatives})(?![^\W_])") if short else None

    def value(self, value: Raw, place: str) -> Raw:
        """`value` without them."""
        if isinstance(value, str):
            return self._text(value, place)
        if isinstance(value, dict):
            return {
                name: each if name in _AS_IT_IS and isinstance(each, str) else self.value(each, _below(place, name))
                for name, each in value.items()
            }
        if isinstance(value, list):
            return [self.value(each, f"{place}/*" if place == "/content" else place) for each in value]
        if value is None or isinstance(value, bool):
            return value
        if self._forms is not None and self._forms.isdisjoint(_spellings(value)):
            return value
        self._taking(place)
        return None

    def _text(self, text: str, place: str) -> str:
        count = 0
        if self._forms is None:
            text, count = (FIELD, 1) if text and text != FIELD else (text, 0)
        for each in self._long:
            if each in text:
                count += text.count(each)
                text = text.replace(each, FIELD)
        if self._short is not None:
            text, more = self._short.subn(FIELD, text)
            count += more
        for _ in range(count):
            self._taking(place)
        return text


def _below(place: str, name: str) -> str:
    """A place as it is told: of names only those that are the protocol's."""
    return f"{place}/{name}" if name == "text" and place == "/content/*" else place


def _length(value: object) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict):
        return sum(map(_length, cast("dict[str, object]", value).values()))
    return sum(map(_length, cast("list[object]", value))) if isinstance(value, list) else 1


def _leaves(values: Sequence[object]) -> list[str | int | float] | None:
    """The texts and numbers in `values`; None where there are more than are looked for."""
    found: dict[str | int | float, None] = {}
    todo: list[object] = list(values)
    while todo:
        each = todo.pop()
        if isinstance(each, dict):
            todo += cast("dict[str, object]", each).values()
        elif isinstance(each, list):
            todo += cast("list[object]", each)
        elif isinstance(each, str):
            found[each.strip()] = None
        elif isinstance(each, msgspec.Raw):
            found |= dict.fromkeys(_numbers(bytes(each).decode()))
        elif isinstance(each, int | float) and not isinstance(each, bool):
            found[each] = None
        if len(found) > MOST_HIDDEN:
            return None
    return list(found)


def _numbers(text: str) -> Iterator[str | float]:
    """A number as it was written, and what it is."""
    yield text
    try:
        yield float(text)
    except ValueError:
        return


def _spellings(value: str | int | float) -> Iterator[str]:
    """How `value` may be written."""
    if isinstance(value, str):
        yield value
        for ascii_only in (True, False):
            yield json.dumps(value, ensure_ascii=ascii_only)[1:-1]
        return
    yield str(value)
    try:
        plain = decimal_of(value)
        if len(plain) < SHORTEST:
            return
        yield plain
        yield from (repr(float(value)), f"{value:,}", f"{float(value):.2f}", f"{float(value):,.2f}")
        if "." not in plain and "e" not in plain:
            yield f"{int(plain):,}"
    except (ValueError, OverflowError):
        return
