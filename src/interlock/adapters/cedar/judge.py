"""A bundle that answers: which of its policies are satisfied, all of them, by whichever engine was asked for.

What engines leave open is closed here: a contract that is not in the bundle, and whatever goes wrong, is an error.
Policies in shadow mode are asked apart, each for itself, so that nothing about one can reach what is enforced.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache

import msgspec

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
            answer, _, trials = self._asked(contract, question.agent)
        except FAULTS as error:
            return closed(_could_not_answer(error))
        said = NOTHING if answer is None else _heard(answer, question)
        return _with_trials(said, trials, question) if trials else said

    def _ready(self, contract: str, agent: str) -> tuple[Answer | None, frozenset[str], dict[str, Answer]]:
        """What answers for the policies in force, what all of them look at, and what answers for each candidate."""
        found = self._loaded.slice(contract, agent)
        if found is None:
            return None, frozenset(), {}
        enforced = tuple(rule for rule in found.rules if self.policies[rule.id].mode == "enforce")
        trials = {
            rule.id: self._tried(found.only((rule,))) for rule in found.rules if self.policies[rule.id].mode == "shadow"
        }
        return self._prepare(found.only(enforced)) if enforced else None, found.names(), trials

    def _tried(self, found: Slice) -> Answer:
        """A candidate, made ready; where that cannot be done, only it fails."""
        try:
            return self._prepare(found)
        except FAULTS as error:
            failed = closed(_could_not_answer(error))
            return lambda _: failed


def _heard(answer: Answer, question: Question) -> Opinions:
    try:
        return answer(question)
    except Unfit as error:
        return closed(f"what policies on `{question.contract}` read does not fit: {error}")
    except FAULTS as error:
        return closed(_could_not_answer(error))


def _with_trials(said: Opinions, trials: Mapping[str, Answer], question: Question) -> Opinions:
    """`said`, and which candidates were satisfied or failed."""
    tried = {name: _heard(answer, question) for name, answer in trials.items()}
    return msgspec.structs.replace(
        said,
        satisfied=tuple(sorted((*said.satisfied, *(name for name, each in tried.items() if each.satisfied)))),
        failing={name: each.errors[0] for name, each in tried.items() if each.errors},
        alarm=said.alarm or next((each.alarm for each in tried.values() if each.alarm), ""),
    )


def _could_not_answer(error: Exception) -> str:
    # Only the kind: the engine's own words may hold an argument's value.
    return f"the policy engine could not answer: {type(error).__name__}"
