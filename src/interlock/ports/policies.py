"""Who holds opinions. Combining them is always `domain.policy.combine`, so failing closed lives in one function."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from interlock.domain.bundle import Bundle
from interlock.domain.contract import Contract
from interlock.domain.ids import AgentName, ContractName
from interlock.domain.ownership import Worded
from interlock.domain.policy import Engine, Opinions, Policy
from interlock.domain.question import Question


class Judge(Protocol):
    """A loaded bundle."""

    @property
    def policies(self) -> Mapping[str, Policy]:
        """What the combiner must know of each policy, by id."""
        ...

    def reads(self, contract: ContractName, agent: AgentName) -> frozenset[str]:
        """What of the context (`budget`, `facts`, ...) any policy on that agent's use of that contract looks at."""
        ...

    def opinions(self, question: Question) -> Opinions:
        """Which policies are satisfied. Whatever goes wrong is an error in the answer, never an exception."""
        ...


class Policies(Protocol):
    """A policy language."""

    def bundle(self, sources: Mapping[str, str], contracts: Sequence[Contract]) -> Bundle:
        """Form a bundle: parse, validate against the schema generated from `contracts`, lint. Raises PolicyError."""
        ...

    def load(self, bundle: Bundle, engine: Engine = "compiled") -> Judge:
        """Make a stored bundle ready to answer. Raises PolicyError."""
        ...

    def seen(self, bundle: Bundle) -> Mapping[ContractName, str]:
        """For each contract of a bundle, what its policies see of it, in words that are the same exactly where that is the
        same. Raises PolicyError."""
        ...

    def worded(self, bundle: Bundle) -> Mapping[str, Worded]:
        """The policies of a bundle by id, as people read them. Raises PolicyError."""
        ...
