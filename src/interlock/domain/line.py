"""An action on one line, as lists and titles have it."""

from collections.abc import Mapping
from typing import Final

from interlock.domain.action import Action
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Contract
from interlock.domain.diff import text_of, unit_of
from interlock.domain.exception_case import RAISE, kind_words

LONGEST_LINE: Final = 160


def line_of(action: Action, contract: Contract | None) -> str:
    """An action on one line: its contract and arguments; of an exception its kind and what the agent says of it."""
    if action.contract == RAISE:
        return _cut(f"{kind_words(str(action.arguments.get('kind', '')))}: {action.arguments.get('summary', '')}")
    said = [f"{name} {worded(name, action.arguments, contract)}" for name in action.arguments]
    return _cut(f"{action.contract}: {', '.join(said)}" if said else action.contract)


def _cut(line: str) -> str:
    return line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 1]}…"


def worded(name: str, values: Mapping[str, JsonValue], contract: Contract | None) -> str:
    """One of `values` as people read it, in its unit."""
    return text_of(values[name], "" if contract is None else unit_of(contract, name, values))
