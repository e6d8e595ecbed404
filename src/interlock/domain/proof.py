"""What a search among all possible requests found, rather than among those that were made."""

from typing import Final, Literal

import msgspec

from interlock.domain.ids import AgentName, ContractName
from interlock.domain.policy import Verdict
from interlock.domain.question import Question

INVARIANTS: Final = "invariants.cedar"
"""Where a workspace keeps what must always hold."""

Answer = Literal["none", "found", "unknown"]
"""`none`: there is no such request. `unknown`: the search gave up, and `why` says at what."""
Lasting = Literal["never", "attended"]
"""What an invariant promises of the requests it describes: they never happen; or never without a person who agrees."""


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """What a solver says of all requests of some agents to one contract."""

    contract: ContractName
    agents: tuple[AgentName, ...]
    """Those whom the same policies concern."""
    answer: Answer
    why: str = ""
    question: Question | None = None
    """A request of the kind looked for."""
    reads: tuple[str, ...] = ()
    """What an invariant looks at, besides the policies."""
    ms: int = 0
    """How long it took."""


class Invariant(msgspec.Struct, frozen=True, kw_only=True):
    """A promise about every request there could be."""

    id: str
    lasting: Lasting
    reason: str = ""
    place: str = ""
    """Where it is written."""


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate, after the request it names was put to the engines that decide."""

    contract: ContractName
    agents: tuple[AgentName, ...]
    answer: Answer
    why: str = ""
    """Why nobody knows, or why the request could not be confirmed."""
    question: Question | None = None
    old: Verdict | None = None
    """With `question`: how it is decided under the old bundle; None for an invariant, which knows only one."""
    new: Verdict | None = None
    confirmed: bool = False
    """Both engines decide the request as the search says, and its arguments fit the contract."""
    reads: tuple[str, ...] = ()
    """What of the request the policies on it look at: `args`, `facts`, `stage` and so on."""
    ms: int = 0


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one invariant."""

    invariant: Invariant
    proofs: tuple[Proof, ...]
    """One for each contract and group of agents that it is about."""

    @property
    def answer(self) -> Literal["proved", "refuted", "unknown"]:
        """Proved only if it is for all of them, and for at least one. Refuted only by a request that both engines decide
        as the search says: of any other nobody knows."""
        if any(each.answer == "found" and each.confirmed for each in self.proofs):
            return "refuted"
        return "proved" if self.proofs and all(each.answer == "none" for each in self.proofs) else "unknown"
