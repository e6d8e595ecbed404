"""Searching among all possible requests, by the solver z3: an optional part of the installation (`interlock[proofs]`).

One search for each contract and each group of agents whom the same policies concern. What the solver finds is a request
to be checked by the engines that decide; that it finds none is an answer by itself.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import Final

import msgspec
from cedarpy import pst

from interlock.adapters.cedar.compiled import Compiled
from interlock.adapters.cedar.loaded import Loaded, Slice
from interlock.adapters.cedar.policies import CedarPolicies
from interlock.adapters.cedar.reads import reads
from interlock.adapters.cedar.schema import Surface
from interlock.adapters.cedar.scope import about_action, about_agent
from interlock.adapters.cedar.symbolic_decision import (
    Ruled,
    denied,
    happens,
    looser,
    overseen,
    ruled,
    same,
    unattended,
)
from interlock.adapters.cedar.symbolic_invariants import Written, written_in
from interlock.adapters.cedar.symbolic_request import Request
from interlock.adapters.cedar.symbolic_terms import Terms
from interlock.adapters.cedar.symbolic_values import Logic, Unsayable, Z
from interlock.domain.bundle import Bundle
from interlock.domain.contract import Contract
from interlock.domain.errors import EffectorError
from interlock.domain.ids import AgentName
from interlock.domain.proof import Answer, Candidate, Invariant
from interlock.domain.question import Question

_WISH_MS: Final = 100
"""How long each wish may take: a plain example is worth no more."""


_Rules = tuple[pst.Template, ...]
_Goal = Callable[[Request], tuple[Z, set[str]]]
"""What is looked for among requests, and what of it the solver has no words for."""


@dataclass(frozen=True)
class _Slice:
    """The policies of a bundle that concern some agents' use of a contract; `rules` is None where it has no such contract."""

    loaded: Loaded
    contract: Contract
    rules: _Rules | None

    def said(self, logic: Logic, request: Request) -> tuple[Ruled, Terms | None]:
        """What is decided of a request, with our own rules on top. Raises Unsayable."""
        if self.rules is None:
            return denied(logic), None
        terms = Terms(logic, request.known(self.loaded.surfaces[self.contract.name]))
        return overseen(logic, ruled(logic, terms, self.rules, self.loaded.policies), self.contract, request), terms


class Z3Solver:
    """`ports.solver.Solver` for Cedar."""

    @cached_property
    def _logic(self) -> Logic:
        try:
            return Logic(import_module("z3"))
        except ImportError:
            raise EffectorError(
                "the solver is not installed", next_step="install it: `pip install 'interlock[proofs]'`"
            ) from None

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
        """See `Solver.loosenings`."""
        logic = self._logic
        was, now = CedarPolicies().loaded(old), CedarPolicies().loaded(new)
        for contract in sorted(contracts, key=lambda each: each.name):
            if contract.name not in now.surfaces:
                continue
            for group, before, after in _groups(was, now, contract, agents):
                if before.rules is None or not same(before.rules, after.rules or (), was.policies, now.policies):
                    yield self._searched(after, group, tenant, timeout_ms, _loosened(logic, before, after))

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
        """See `Solver.violations`."""
        _ = self._logic
        loaded = CedarPolicies().loaded(bundle)
        for each in written_in(written, loaded.schema):
            yield each.invariant, self._broken(each, loaded, contracts, agents, tenant, timeout_ms)

    # -- parts -------------------------------------------------------------------------------------------------

    def _broken(
        self,
        each: Written,
        loaded: Loaded,
        contracts: Sequence[Contract],
        agents: Sequence[AgentName],
        tenant: str,
        timeout_ms: int,
    ) -> Iterator[Candidate]:
        logic = self._logic
        for contract in sorted(contracts, key=lambda each: each.name):
            surface = loaded.surfaces.get(contract.name)
            if surface is None or not about_action(each.template, surface):
                continue
            concerned = [agent for agent in agents if about_agent(each.template, agent)]
            for group, _, here in _groups(loaded, loaded, contract, concerned):
                found = self._searched(here, group, tenant, timeout_ms, _broken(logic, here, each))
                yield _described(found, each, surface)

    def _searched(
        self, here: _Slice, group: tuple[AgentName, ...], tenant: str, timeout_ms: int, goal: _Goal
    ) -> Candidate:
        began = time.perf_counter_ns()
        logic, contract = self._logic, here.contract
        question: Question | None = None
        told: Answer = "unknown"
        try:
            request = Request(logic, here.loaded.surfaces[contract.name], contract, group[0], tenant)
            wanted, unsaid = goal(request)
            solver = logic.z.Solver()
            solver.set("timeout", timeout_ms)
            solver.add(*request.holds, wanted)
            answer = solver.check()
            if answer == logic.z.sat:
                question = request.question(_plainest(logic.z, solver, request.wishes))
            why = _why(answer == logic.z.unknown, unsaid, question, timeout_ms)
            told = "none" if answer == logic.z.unsat else "found" if question is not None else "unknown"
        except Unsayable as error:
            why = f"the solver has no words for {error}"
        taken = (time.perf_counter_ns() - began) // 1_000_000
        return Candidate(contract=contract.name, agents=group, answer=told, why=why, question=question, ms=taken)


def _loosened(logic: Logic, before: _Slice, after: _Slice) -> _Goal:
    def goal(request: Request) -> tuple[Z, set[str]]:
        new, new_terms = after.said(logic, request)
        old, old_terms = before.said(logic, request)
        unsaid = {word for terms in (new_terms, old_terms) if terms is not None for word in terms.unsaid}
        return looser(logic, new, old), unsaid

    return goal


def _broken(logic: Logic, here: _Slice, written: Written) -> _Goal:
    def goal(request: Request) -> tuple[Z, set[str]]:
        said, _ = here.said(logic, request)
        terms = Terms(logic, request.known(here.loaded.surfaces[here.contract.name]))
        described, _ = terms.condition(written.template)
        wrong = happens(said) if written.invariant.lasting == "never" else unattended(said)
        return logic.all(described, wrong), terms.unsaid

    return goal


def _described(found: Candidate, written: Written, surface: Surface) -> Candidate:
    """`found`, with a doubt where the engine does not see in it what the invariant describes."""
    if found.question is None:
        return found
    slice_ = Slice(surface, found.question.agent, (written.template,), reads((written.template,)))
    found = msgspec.structs.replace(found, reads=tuple(sorted(slice_.names())))
    if found.question is None or Compiled().prepare(slice_)(found.question).satisfied:
        return found
    doubt = "the engine does not find it among what the invariant describes"
    return msgspec.structs.replace(found, why="; ".join(each for each in (found.why, doubt) if each))


def _groups(
    was: Loaded, now: Loaded, contract: Contract, agents: Sequence[AgentName]
) -> Iterator[tuple[tuple[AgentName, ...], _Slice, _Slice]]:
    """Agents whom the same policies concern, with those policies under both."""
    found: dict[tuple[tuple[str, ...], ...], tuple[list[AgentName], _Slice, _Slice]] = {}
    for agent in sorted(agents):
        before, after = _slice(was, contract, agent), _slice(now, contract, agent)
        key = tuple(rule.id for rule in before.rules or ()), tuple(rule.id for rule in after.rules or ())
        found.setdefault(key, ([], before, after))[0].append(agent)
    for group, before, after in found.values():
        yield tuple(group), before, after


def _slice(loaded: Loaded, contract: Contract, agent: str) -> _Slice:
    if contract.name not in loaded.surfaces:
        return _Slice(loaded, contract, None)
    found = loaded.slice(contract.name, agent)
    return _Slice(loaded, contract, () if found is None else found.rules)


def _plainest(z: Z, solver: Z, wishes: Sequence[Z]) -> Z:
    """A model in which as many wishes come true as do in this order."""
    model = solver.model()
    solver.set("timeout", _WISH_MS)
    granted: list[Z] = []
    for wish in wishes:
        if solver.check(*granted, wish) == z.sat:
            granted.append(wish)
            model = solver.model()
    return model


def _why(unknown: bool, unsaid: set[str], question: Question | None, timeout_ms: int) -> str:
    if unknown:
        return f"no answer within {timeout_ms} ms"
    if question is not None and unsaid:
        return f"the solver has no words for {'; '.join(sorted(unsaid))}"
    return ""
