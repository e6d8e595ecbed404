"""Who searches among all possible requests."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Protocol

from interlock.domain.bundle import Bundle
from interlock.domain.contract import Contract
from interlock.domain.ids import AgentName, ContractName
from interlock.domain.proof import Candidate, Invariant

Capabilities = Mapping[AgentName, Collection[ContractName]]
"""What each agent may use. The gate refuses anything else before policies are asked."""


class Solver(Protocol):
    """Looks at what policies say rather than at what was asked of them. Every method raises PolicyError where a bundle or
    an invariant cannot be loaded, and EffectorError where no solver is installed.

    `none` is to be relied upon: there is no such request that evaluates. A request that is found is one to be checked.
    With `capabilities` only those requests count that reach the policies: of agents that have the capability, and undos of
    what an agent has the capability for.
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
        capabilities: Capabilities | None = None,
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
        capabilities: Capabilities | None = None,
    ) -> Iterator[tuple[Invariant, Iterator[Candidate]]]:
        """For each invariant in the files `written` (text by name), requests for which `bundle` breaks it."""
        ...
