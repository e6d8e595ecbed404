"""What can say in words why a policy is satisfied or not."""

from collections.abc import Mapping
from typing import Protocol

import msgspec

from interlock.domain.bundle import Bundle
from interlock.domain.explanation import Considered
from interlock.domain.ids import AgentName, ContractName
from interlock.domain.question import Question


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """One policy as it was written."""

    file: str
    line: int
    text: str


class Explainer(Protocol):
    """A policy language that can account for itself. All methods raise PolicyError for a bundle that cannot be loaded."""

    def considered(self, bundle: Bundle, question: Question, hidden: Mapping[str, str]) -> tuple[Considered, ...]:
        """Every policy of `bundle` and what becomes of it, by the very semantics that decide. The values of arguments and
        facts in `hidden` (name, and data class) are in no word of it."""
        ...

    def written(self, bundle: Bundle) -> Mapping[str, Written]:
        """Where each policy stands and its text, by id."""
        ...

    def about(self, bundle: Bundle, contract: ContractName, agent: AgentName) -> frozenset[str]:
        """The policies whose scope may take in that agent's use of that contract."""
        ...
