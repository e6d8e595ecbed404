"""The searches: one for each contract and each group of agents whom the same policies concern in the same way.

What the solver finds is a request to be checked by the engines that decide; that it finds none is an answer by itself.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from importlib import import_module
from typing import Final

import msgspec
from cedarpy import pst

from interlock.adapters.cedar.compiled import Compiled
from interlock.adapters.cedar.invariants import Written, written_in
from interlock.adapters.cedar.loaded import Loaded, Slice
from interlock.adapters.cedar.policies import CedarPolicies
from interlock.adapters.cedar.reads import reads
from interlock.adapters.cedar.schema import Surface, parse, render, surfaces
from interlock.adapters.cedar.scope import about_action, about_agent
from interlock.adapters.cedar.symbolic.decision import happens, looser, unattended
from interlock.adapters.cedar.symbolic.expressions import condition
from interlock.adapters.cedar.symbolic.logic import Logic
from interlock.adapters.cedar.symbolic.reading import question
from interlock.adapters.cedar.symbolic.request import Request
from interlock.adapters.cedar.symbolic.slices import Use, groups
from interlock.adapters.cedar.symbolic.terms import Terms
from interlock.adapters.cedar.symbolic.values import Unsayable, Z
from interlock.domain.bundle import Bundle
from interlock.domain.contract import Contract, Reversal
from interlock.domain.errors import EffectorError
from interlock.domain.ids import AgentName, ContractName
from interlock.domain.proof import Answer, Candidate, Invariant
from interlock.domain.question import Question
from interlock.ports.solver import Capabilities

_WISH_MS: Final = 100
"""How long each wish may take: a plain example is worth no more."""
_OTHER: Final = "the contract that is known is not the one these policies were made for"

_Goal = Callable[[Request], tuple[Z, set[str]]]
"""What is looked for among requests, and what of it the solver has no words for."""


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
        capabilities: Capabilities | None = None,
    ) -> Iterator[Candidate]:
        """See `Solver.loosenings`."""
        logic = self._logic
        was, now = CedarPolicies().loaded(old), CedarPolicies().loaded(new)
        for name, surface, contract in _known(now, contracts):
            for users, undoing in _users(name, contracts, agents, capabilities):
                if contract is None:
                    if was.surfaces.get(name) != surface or old.sources != new.sources:
                        yield Candidate(contract=name, agents=users, answer="unknown", why=_OTHER)
                    continue
                for group, before, after in groups(was, now, contract, users):
                    if not after.same_as(before):
                        goal = _only(_loosened(logic, before, after), undoing, logic)
                        yield self._searched(surface, contract, group, tenant, timeout_ms, goal)

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
        """See `Solver.violations`."""
        _ = self._logic
        loaded = CedarPolicies().loaded(bundle)
        for each in written_in(written, loaded.schema, loaded.surfaces):
            concerned = [agent for agent in agents if about_agent(each.template, agent)]
            yield each.invariant, self._broken(each, loaded, contracts, concerned, capabilities, tenant, timeout_ms)

    # -- parts -------------------------------------------------------------------------------------------------

    def _broken(
        self,
        each: Written,
        loaded: Loaded,
        contracts: Sequence[Contract],
        concerned: Sequence[AgentName],
        capabilities: Capabilities | None,
        tenant: str,
        timeout_ms: int,
    ) -> Iterator[Candidate]:
        for name, surface, contract in _known(loaded, contracts):
            if not about_action(each.template, surface):
                continue
            for users, undoing in _users(name, contracts, concerned, capabilities):
                if contract is None:
                    yield Candidate(contract=name, agents=users, answer="unknown", why=_OTHER)
                    continue
                for group, _, here in groups(loaded, loaded, contract, users, (each.template,)):
                    goal = _only(_breached(self._logic, here, surface, each), undoing, self._logic)
                    yield _described(self._searched(surface, contract, group, tenant, timeout_ms, goal), each, surface)

    def _searched(
        self,
        surface: Surface,
        contract: Contract,
        group: tuple[AgentName, ...],
        tenant: str,
        timeout_ms: int,
        goal: _Goal,
    ) -> Candidate:
        began = time.perf_counter_ns()
        z = self._logic.z
        found: Question | None = None
        told: Answer = "unknown"
        try:
            request = Request(self._logic, surface, contract, group[0], tenant)
            wanted, unsaid = goal(request)
            solver = z.Solver()
            solver.set("timeout", timeout_ms)
            solver.add(*request.holds, wanted)
            answer = solver.check()
            if answer == z.sat:
                found = question(z, request, _plainest(z, solver, request))
            why = _why(answer == z.unknown, unsaid, found, timeout_ms)
            told = "none" if answer == z.unsat else "found" if found is not None else "unknown"
        except Unsayable as error:
            why = f"the solver has no words for {error}"
        except z.Z3Exception as error:
            why = f"the solver failed: {error}"
        taken = (time.perf_counter_ns() - began) // 1_000_000
        return Candidate(contract=contract.name, agents=group, answer=told, why=why, question=found, ms=taken)


def _known(loaded: Loaded, contracts: Sequence[Contract]) -> Iterator[tuple[ContractName, Surface, Contract | None]]:
    """Everything that policies of a bundle see, by name, with the contract where it is the very one they see."""
    known = {each.name: each for each in contracts}
    seen = parse(render(surfaces(contracts)[0]))
    for name, surface in sorted(loaded.surfaces.items()):
        word = ContractName(name)
        yield word, surface, known.get(word) if seen.get(name) == surface else None


def _users(
    name: ContractName, contracts: Sequence[Contract], agents: Sequence[AgentName], capabilities: Capabilities | None
) -> Iterator[tuple[tuple[AgentName, ...], bool]]:
    """The agents whose use of a contract policies are asked about; and, marked so, those for whom only its undo of
    something is, as it is the reversal of what they may use. Nobody is no group."""
    if capabilities is None:
        yield tuple(agents), False
        return
    undone = {each.name for each in contracts if isinstance(each.reversal, Reversal) and each.reversal.contract == name}
    may = tuple(agent for agent in agents if name in capabilities.get(agent, ()))
    undo = tuple(agent for agent in agents if agent not in may and not undone.isdisjoint(capabilities.get(agent, ())))
    yield from ((users, undoing) for users, undoing in ((may, False), (undo, True)) if users)


def _only(goal: _Goal, undoing: bool, logic: Logic) -> _Goal:
    """The same among undos alone, where nothing else is asked."""
    if not undoing:
        return goal

    def narrowed(request: Request) -> tuple[Z, set[str]]:
        wanted, unsaid = goal(request)
        return logic.all(request.undo, wanted), unsaid

    return narrowed


def _loosened(logic: Logic, before: Use, after: Use) -> _Goal:
    def goal(request: Request) -> tuple[Z, set[str]]:
        new, new_terms = after.said(logic, request)
        old, old_terms = before.said(logic, request)
        return looser(logic, new, old), _unsaid(new_terms, old_terms)

    return goal


def _breached(logic: Logic, here: Use, surface: Surface, written: Written) -> _Goal:
    def goal(request: Request) -> tuple[Z, set[str]]:
        said, said_terms = here.said(logic, request)
        terms = Terms(logic, request.known(surface))
        described, fails = condition(terms, written.template)
        wrong = happens(said) if written.invariant.lasting == "never" else unattended(said)
        # Where the invariant itself cannot be evaluated nobody can say that it holds.
        return logic.all(logic.any(described, fails), wrong), _unsaid(terms, said_terms)

    return goal


def _unsaid(*terms: Terms | None) -> set[str]:
    return {word for each in terms if each is not None for word in each.unsaid}


def _described(found: Candidate, written: Written, surface: Surface) -> Candidate:
    """`found`, with a doubt where the engine does not see in it what the invariant describes."""
    asked = found.question
    if asked is None:
        return found
    rules: tuple[pst.Template, ...] = (written.template,)
    slice_ = Slice(surface, asked.agent, rules, reads(rules))
    found = msgspec.structs.replace(found, reads=tuple(sorted(slice_.names())))
    said = Compiled().prepare(slice_)(asked)
    if said.satisfied or said.errors:
        return found
    doubt = "the engine does not find it among what the invariant describes"
    return msgspec.structs.replace(found, why="; ".join(each for each in (found.why, doubt) if each))


def _plainest(z: Z, solver: Z, request: Request) -> Z:
    """A model in which as many wishes come true as do in this order."""
    model = solver.model()
    solver.set("timeout", _WISH_MS)
    granted: list[Z] = []
    for wish in request.wishes():
        if solver.check(*granted, wish) == z.sat:
            granted.append(wish)
            model = solver.model()
    return model


def _why(unknown: bool, unsaid: set[str], found: Question | None, timeout_ms: int) -> str:
    if unknown:
        return f"no answer within {timeout_ms} ms"
    if found is not None and unsaid:
        return f"the solver has no words for {'; '.join(sorted(unsaid))}"
    return ""
