"""What may be said of a call, whatever door it went through.

A call is only *nothing* where it is certain that nothing happened; what asks (a lookup, facts, a postcondition) says
*nothing* for "it did not happen", so there every failure to ask is unsure instead.
"""

import traceback
from collections.abc import Iterator
from typing import Final

from interlock.domain.call import Answer, Nothing, Unsure
from interlock.domain.contract import Contract, Target
from interlock.ports.effector import Role

MAX_WHY: Final = 300

_ASKS: Final[frozenset[Role]] = frozenset({"lookup", "facts", "postcondition"})


def acts(role: Role) -> bool:
    """Whether a call in this role may change the world, rather than ask about it."""
    return role not in _ASKS


def not_called(role: Role, why: str) -> Answer:
    """Nothing was called at all."""
    return Nothing(one_line(why)) if acts(role) else Unsure(one_line(why))


def words_of(error: BaseException) -> str:
    """An exception as one line, whatever its own `str` does."""
    return one_line("".join(traceback.format_exception_only(error)))


def one_line(text: str) -> str:
    """`text` as one line of at most 300 characters that any file can hold."""
    line = " ".join("".join(each if each.isprintable() else " " for each in text[: 4 * MAX_WHY]).split())
    return line if len(line) <= MAX_WHY else line[: MAX_WHY - 1] + "…"


def targets_of(contract: Contract) -> Iterator[Target]:
    """Every target that running `contract` may need."""
    yield contract.target
    if contract.lookup is not None:
        yield contract.lookup
    if contract.facts is not None:
        yield contract.facts.source
    if contract.postcondition is not None:
        yield contract.postcondition
    if contract.two_phase is not None:
        yield contract.two_phase.prepare
        yield contract.two_phase.abort
