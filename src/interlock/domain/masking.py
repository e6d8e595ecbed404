"""Words for an operator's log, without anything private of the action they are about."""

from collections.abc import Iterator
from typing import Final

import msgspec

from interlock.domain.action import Action
from interlock.domain.erasure import PUBLIC

MASK: Final = "…"
_SHORTEST: Final = 3
"""Anything shorter stands in words by chance."""


def masked(text: str, action: Action) -> str:
    """`text` with a mask in the place of every private value of `action`, however deep it is nested, that it quotes."""
    private = (getattr(action, name) for name in action.__struct_fields__ if name not in PUBLIC[Action.kind])
    public = {str(getattr(action, name)) for name in PUBLIC[Action.kind]}
    values = {each for value in private for each in _leaves(msgspec.to_builtins(value))} - public
    # The longest first: one may be part of another.
    for value in sorted(values, key=len, reverse=True):
        text = text.replace(value, MASK)
    return text


def _leaves(value: object) -> Iterator[str]:
    """What is quoted of a value: its strings and numbers, and the names in what a caller gave."""
    if isinstance(value, dict):
        for each in value.values():  # pyright: ignore[reportUnknownVariableType]  any JSON
            yield from _leaves(each)  # pyright: ignore[reportUnknownArgumentType]
    elif isinstance(value, list | tuple):
        for each in value:  # pyright: ignore[reportUnknownVariableType]  any JSON
            yield from _leaves(each)  # pyright: ignore[reportUnknownArgumentType]
    elif value is not None and not isinstance(value, bool) and len(str(value)) >= _SHORTEST:
        yield str(value)
