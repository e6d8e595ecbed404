"""What an action departs in from its agent's baseline, told while it is decided: a few lookups, and nothing is read.

How fast an agent is, each process counts of what it decided itself. A process that sees a part of an agent's work counts no
more than that part: it may flag too little and never too much, and `interlock agent baseline` counts them all.
"""

import re
from typing import Final

from interlock.domain.baseline import Baseline, Observation, Unusual
from interlock.domain.canonical import JsonValue
from interlock.domain.card import kinds_of
from interlock.domain.contract import Contract
from interlock.domain.duration import HOUR
from interlock.domain.errors import ContractError
from interlock.domain.ids import AgentName
from interlock.services.drawing import amounts_of

_PLAIN: Final = re.compile(r"[A-Z]{3}(\.[a-z]{1,8})?")
"""Units as currencies are written. An argument may say any other text for one: what a baseline counts stands in the open."""


class Habits:
    """How many actions of each agent this process decided in the hour that runs."""

    def __init__(self) -> None:
        self._hour = -1
        self._paces: dict[AgentName, int] = {}

    def unusual(
        self, baseline: Baseline | None, contract: Contract, arguments: dict[str, JsonValue], now: int
    ) -> tuple[Unusual, ...]:
        """In what such an action departs from `baseline`, if that is in force."""
        if baseline is None:
            return ()
        so_far = self._paces.get(baseline.agent, 0) if now // HOUR == self._hour else 0
        return baseline.unusual(observation(contract, arguments, now), so_far + 1)

    def decided(self, agent: AgentName, at: int) -> None:
        """Count an action that was decided `at` that time."""
        if at // HOUR != self._hour:
            self._hour, self._paces = at // HOUR, {}
        self._paces[agent] = self._paces.get(agent, 0) + 1


def observation(contract: Contract, arguments: dict[str, JsonValue], at: int, *, normal: bool = True) -> Observation:
    """A use of `contract`, as far as a baseline counts it."""
    amounts: dict[str, int] = {}
    if contract.cost is not None:
        try:
            amounts = amounts_of(arguments, contract)
        except ContractError:
            amounts = {}  # it is refused for that, before or after
        literal = "" if contract.cost.unit.startswith("$args.") else contract.cost.unit
        amounts = {unit: each for unit, each in amounts.items() if unit == literal or _PLAIN.fullmatch(unit)}
    return Observation(
        contract=contract.name, kinds=kinds_of(contract, arguments), amounts=amounts, at=at, normal=normal
    )
