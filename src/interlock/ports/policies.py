"""Who holds opinions. Combining them is always `domain.policy.combine`, so failing closed lives in one function."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from interlock.domain.bundle import Bundle
from interlock.domain.contract import Contract
from interlock.domain.policy import Opinions, Policy, Question


class Judge(Protocol):
    """A loaded bundle."""

    @property
    def policies(self) -> Mapping[str, Policy]:
        """What the combiner must know of each policy, by id."""
        ...

    def opinions(self, question: Question) -> Opinions:
        """Which policies are satisfied. Whatever goes wrong is an error in the answer, never an exception."""
        ...


class Policies(Protocol):
    """A policy language."""

    def bundle(self, sources: Mapping[str, str], contracts: Sequence[Contract]) -> Bundle:
        """Form a bundle: parse, validate against the schema generated from `contracts`, lint. Raises PolicyError."""
        ...

    def load(self, bundle: Bundle) -> Judge:
        """Make a stored bundle ready to answer. Raises PolicyError."""
        ...
