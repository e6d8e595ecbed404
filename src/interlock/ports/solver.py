"""Who searches among all possible requests."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from interlock.domain.bundle import Bundle
from interlock.domain.contract import Contract
from interlock.domain.ids import AgentName
from interlock.domain.proof import Candidate, Invariant


class Solver(Protocol):
    """Looks at what policies say rather than at what was asked of them. Every method raises PolicyError where a bundle or
    an invariant cannot be loaded, and EffectorError where no solver is installed.

    `none` is to be relied upon: there is no such request that evaluates. A request that is found is one to be checked.
    """

    def loosenings(
        self,
        old: Bundle,
        new: Bundle,
        contracts: Sequence[Contract],
        agents: Sequence[AgentName],
        *,
        tenant: str,
        timeout_ms: int,
    ) -> Iterator[Candidate]:
        """For each of `contracts`, requests that `new` treats more loosely than `old`. What policies on it are the same in
        both is left out. A single search takes `timeout_ms` at most."""
        ...

    def violations(
        self,
        written: Mapping[str, str],
        bundle: Bundle,
        contracts: Sequence[Contract],
        agents: Sequence[AgentName],
        *,
        tenant: str,
        timeout_ms: int,
    ) -> Iterator[tuple[Invariant, Iterator[Candidate]]]:
        """For each invariant in the files `written` (text by name), requests for which `bundle` breaks it."""
        ...
