"""A bundle that answers: which of its policies are satisfied, all of them, by whichever engine was asked for.

What engines leave open is closed here: a contract that is not in the bundle, and whatever goes wrong, is an error.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache

from interlock.adapters.cedar.loaded import FAULTS, MAX_SLICES, Loaded, Slice, closed
from interlock.adapters.cedar.request import Unfit
from interlock.domain.ids import AgentName, ContractName
from interlock.domain.policy import Opinions, Policy
from interlock.domain.question import Question

Answer = Callable[[Question], Opinions]
"""Answers questions about one slice. It may raise Unfit and any of FAULTS."""

Prepare = Callable[[Slice], Answer]
"""An engine: makes a slice ready to answer. Nothing is cached: a decision depends on time, budgets and arguments."""

NOTHING = Opinions(satisfied=())


class CedarJudge:
    """A loaded bundle. Safe to ask from several threads at once."""

    def __init__(self, loaded: Loaded, prepare: Prepare) -> None:
        self._loaded = loaded
        self._prepare = prepare
        self._asked = lru_cache(MAX_SLICES)(self._ready)

    @property
    def policies(self) -> Mapping[str, Policy]:
        """What the combiner must know of each policy, by id."""
        return self._loaded.policies

    def reads(self, contract: ContractName, agent: AgentName) -> frozenset[str]:
        """What of the context any policy on that agent's use of that contract looks at."""
        if contract not in self._loaded.surfaces:
            return frozenset()
        return self._asked(contract, agent)[1]

    def opinions(self, question: Question) -> Opinions:
        """Which policies are satisfied. Whatever goes wrong is an error in the answer, never an exception."""
        contract = question.contract
        try:
            if contract not in self._loaded.surfaces:
                return closed(f"the contract `{contract}` is not in the policy bundle")
            answer = self._asked(contract, question.agent)[0]
            return NOTHING if answer is None else answer(question)
        except Unfit as error:
            return closed(f"what policies on `{contract}` read does not fit: {error}")
        except FAULTS as error:
            # Only the kind: the engine's own words may hold an argument's value.
            return closed(f"the policy engine could not answer: {type(error).__name__}")

    def _ready(self, contract: str, agent: str) -> tuple[Answer | None, frozenset[str]]:
        found = self._loaded.slice(contract, agent)
        return (None, frozenset()) if found is None else (self._prepare(found), found.names())
