"""A question pinned down among all requests there could be, and searches over policies written out."""

from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any

import msgspec

from bench.chance import CONTRACT, OTHER, Chance
from interlock.adapters.cedar import CedarPolicies
from interlock.adapters.cedar.compiling.runtime import Fields as Record
from interlock.adapters.cedar.loaded import principal
from interlock.adapters.cedar.reads import Reads
from interlock.adapters.cedar.request import AS_VALUES, context_writer
from interlock.adapters.cedar.schema import Surface, parse, render, surfaces
from interlock.adapters.cedar.symbolic import Z3Solver
from interlock.adapters.cedar.symbolic.logic import Logic
from interlock.adapters.cedar.symbolic.request import Request
from interlock.adapters.cedar.symbolic.values import Bag, Fields, Flag, Number, Pick, Text, Value, Z
from interlock.domain.binding import bind
from interlock.domain.bundle import Bundle
from interlock.domain.canonical import CanonicalError, encode
from interlock.domain.contract import Contract
from interlock.domain.errors import ContractError
from interlock.domain.ids import AgentName
from interlock.domain.oversight import oversee
from interlock.domain.policy import Decision, Engine, combine
from interlock.domain.proof import Kept, Proof
from interlock.domain.question import Question
from interlock.services.proving import Proving
from tests.adapters.cedar_cases import CONTRACTS, stored

z3: Any = import_module("z3")
"""It has no types of its own."""
LOGIC = Logic(z3)
TIMEOUT_MS = 5_000


def proving(tenant: str = "default") -> Proving:
    """The search with the engines behind it."""
    return Proving(Z3Solver(), CedarPolicies(), tenant)


def searched(
    old: Sequence[str],
    new: Sequence[str],
    *,
    contracts: tuple[Contract, ...] = CONTRACTS,
    before: tuple[Contract, ...] | None = None,
    agents: Sequence[str] = ("pricing",),
    timeout_ms: int = TIMEOUT_MS,
) -> list[Proof]:
    """What is looser under `new`; `before` are the contracts that `old` was made for, where they are others."""
    was, now = stored(*old, contracts=before or contracts), stored(*new, contracts=contracts)
    names = [AgentName(each) for each in agents]
    return list(proving().loosenings(was, now, contracts, names, timeout_ms=timeout_ms))


def kept(invariants: str, *policies: str, agents: Sequence[str] = ("pricing",), timeout_ms: int = TIMEOUT_MS) -> Kept:
    """What becomes of one invariant."""
    names = [AgentName(each) for each in agents]
    files = {"invariants.cedar": invariants}
    (found,) = proving().invariants(files, stored(*policies), CONTRACTS, names, timeout_ms=timeout_ms)
    return found


def answers(proofs: Sequence[Proof]) -> dict[tuple[str, tuple[str, ...]], str]:
    """What was found by contract and agents."""
    return {(each.contract, tuple(each.agents)): each.answer for each in proofs}


def decided(bundle: Bundle, contract: Contract, asked: Question, engine: Engine = "cedarpy") -> Decision:
    """How it is decided, as the search has it: an undo without what its reversal asks for."""
    judge = CedarPolicies().load(bundle, engine)
    decision = combine(judge.opinions(asked), judge.policies, bundle.digest)
    return decision if asked.around.undo else oversee(decision, contract, asked.around.stage)


def surface_of(contract: Contract, *others: Contract) -> Surface:
    """What policies see of it."""
    return parse(render(surfaces((contract, *others))[0]))[contract.name]


def by_chance(chance: Chance) -> Question:
    """A question that the gate lets through: its arguments and facts fit, and what we say of them is so."""
    while True:
        asked = msgspec.structs.replace(chance.question(), data=())
        try:
            bind(CONTRACT, asked.arguments, nonce="")
            encode(asked.facts)
        except (ContractError, CanonicalError):
            continue
        return asked


def pinned(asked: Question, contract: Contract = CONTRACT, *others: Contract) -> tuple[Request, Z | None]:
    """All requests, and a solver that knows the one that is `asked`; None where it is not among them."""
    surface = surface_of(contract, *(others or (OTHER,)))
    request = Request(LOGIC, surface, contract, asked.agent, asked.tenant)
    everything = Reads()
    everything.whole = True
    context = context_writer(surface, everything, AS_VALUES)(asked)
    solver = z3.Solver()
    solver.add(*request.holds, *_fields(request, request.context, context))
    solver.add(request.release == LOGIC.text(principal(asked)))
    solver.add(*(null == (asked.arguments.get(name, 0) is None) for name, null in request.nulls.items()))
    return request, solver if solver.check() == z3.sat else None


def true_of(solver: Z, term: Z) -> bool:
    """Whether `term` is true of the one request that the solver knows; a term that may be either is an error."""
    either = solver.check(term), solver.check(z3.Not(term))
    assert either in ((z3.sat, z3.unsat), (z3.unsat, z3.sat)), either
    return bool(either[0] == z3.sat)


def _fields(request: Request, fields: Fields, given: Mapping[str, Any]) -> Iterator[Z]:
    for name, (there, value) in fields.members.items():
        yield there == (name in given)
        if name in given:
            yield from _value(request, value, given[name])


def _value(request: Request, value: Value, given: Any) -> Iterator[Z]:
    match value:
        case Flag(term) | Number(term):
            yield term == given
        case Text(term):
            yield term == LOGIC.text(given)
        case Pick(kind, term):
            yield term == request.enums[kind].index(given[1])
        case Fields() if isinstance(given, Record):
            yield from _fields(request, value, given)
        case Bag(term, kind):
            held = z3.EmptySet(term.sort().domain())
            for each in given:
                item = request.enums[kind].index(each[1]) if kind else LOGIC.text(each) if type(each) is str else each
                held = z3.Store(held, item, True)
            yield term == held
        case _:
            return
