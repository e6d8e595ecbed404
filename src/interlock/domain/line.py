"""An action on one line, as lists and titles have it."""

from collections.abc import Mapping
from typing import Final

from interlock.domain.action import Action
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Contract
from interlock.domain.diff import text_of, unit_of

LONGEST_LINE: Final = 160


def line_of(action: Action, contract: Contract | None) -> str:
    """An action on one line: its contract and arguments."""
    said = [f"{name} {worded(name, action.arguments, contract)}" for name in action.arguments]
    line = f"{action.contract}: {', '.join(said)}" if said else action.contract
    return line if len(line) <= LONGEST_LINE else f"{line[: LONGEST_LINE - 1]}…"


def worded(name: str, values: Mapping[str, JsonValue], contract: Contract | None) -> str:
    """One of `values` as people read it, in its unit."""
    return text_of(values[name], "" if contract is None else unit_of(contract, name, values))
