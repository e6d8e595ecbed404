"""What a search found, put to the engines that decide: a request is only believed when both of them agree."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from interlock.domain.binding import bind
from interlock.domain.bundle import Bundle
from interlock.domain.contract import Contract
from interlock.domain.errors import ContractError
from interlock.domain.ids import AgentName, ContractName
from interlock.domain.oversight import oversee
from interlock.domain.policy import Decision, Engine, combine
from interlock.domain.proof import Candidate, Invariant, Kept, Proof
from interlock.domain.question import Question
from interlock.domain.whatif import Loosening, direction, of_consequence
from interlock.ports.policies import Judge, Policies
from interlock.ports.solver import Capabilities, Solver

TIMEOUT_MS: Final = 10_000
"""How long a single search may take."""
_ENGINES: Final[tuple[Engine, ...]] = ("compiled", "cedarpy")
_HAPPENING: Final = ("allow", "oblige", "require_approval", "escalate")


class Proving:
    """Searches among all requests and checks what is found."""

    def __init__(self, solver: Solver, policies: Policies, tenant: str) -> None:
        self._solver = solver
        self._policies = policies
        self._tenant = tenant

    def loosenings(
        self,
        old: Bundle,
        new: Bundle,
        contracts: Sequence[Contract],
        agents: Sequence[AgentName],
        *,
        timeout_ms: int = TIMEOUT_MS,
        capabilities: Capabilities | None = None,
    ) -> Iterator[Proof]:
        """For each contract whose policies changed, whether there is any request that `new` treats more loosely.
        With `capabilities`, what the gate refuses before policies are asked is left out.

        Raises PolicyError, and EffectorError where no solver is installed.
        """
        known = {each.name: each for each in contracts}
        sides = [(self._policies.load(old, engine), self._policies.load(new, engine)) for engine in _ENGINES]
        for found in self._solver.loosenings(
            old, new, contracts, agents, tenant=self._tenant, timeout_ms=timeout_ms, capabilities=capabilities
        ):
            asked = found.question
            if asked is None:
                yield _unseen(found)
                continue
            contract = known[found.contract]
            pairs = [(_decided(was, old, contract, asked), _decided(now, new, contract, asked)) for was, now in sides]
            as_said = [direction(before, after) == "loosened" for before, after in pairs]
            yield _seen(found, asked, contract, sides[0], as_said, old=pairs[0][0], new=pairs[0][1])

    def invariants(
        self,
        written: Mapping[str, str],
        bundle: Bundle,
        contracts: Sequence[Contract],
        agents: Sequence[AgentName],
        *,
        timeout_ms: int = TIMEOUT_MS,
        capabilities: Capabilities | None = None,
    ) -> Iterator[Kept]:
        """Whether the invariants in the files `written` hold of every request. Raises as `loosenings` does."""
        known = {each.name: each for each in contracts}
        judges = [self._policies.load(bundle, engine) for engine in _ENGINES]
        for invariant, found in self._solver.violations(
            written,
            bundle,
            contracts,
            agents,
            tenant=self._tenant,
            timeout_ms=timeout_ms,
            capabilities=capabilities,
        ):
            proofs = tuple(self._checked(invariant, each, bundle, known, judges) for each in found)
            yield Kept(invariant=invariant, proofs=proofs)

    def _checked(
        self,
        invariant: Invariant,
        found: Candidate,
        bundle: Bundle,
        known: Mapping[ContractName, Contract],
        judges: Sequence[Judge],
    ) -> Proof:
        asked = found.question
        if asked is None:
            return _unseen(found)
        contract = known[found.contract]
        decisions = [_decided(judge, bundle, contract, asked) for judge in judges]
        broken = ("allow", "oblige") if invariant.lasting == "attended" else _HAPPENING
        as_said = [each.verdict in broken for each in decisions]
        return _seen(found, asked, contract, judges, as_said, new=decisions[0])


def grave(
    proofs: Sequence[Proof], contracts: Mapping[str, Contract], kept: Mapping[str, Contract]
) -> tuple[Loosening, ...]:
    """Those of the searches after which a contract's owner must consent; `kept` are the contracts in force before. What
    could not be confirmed counts, and so does a search that gave up: only that there is nothing is certain."""
    found: list[Loosening] = []
    for each in proofs:
        versions = contracts.get(each.contract), kept.get(each.contract)
        known = versions[0] or versions[1]
        if each.answer != "none" and (known is None or of_consequence(*versions)):
            loosening = Loosening(
                contract=each.contract,
                owner=known.owner if known is not None else "",
                old=each.old or "deny",
                new=each.new or "allow",
                count=0,
                example=None,
                doubt=each.why if each.answer == "unknown" else "",
            )
            found.append(loosening)
    return tuple(found)


def _unseen(found: Candidate) -> Proof:
    """There is no such request, or nobody knows."""
    return Proof(contract=found.contract, agents=found.agents, answer=found.answer, why=found.why, ms=found.ms)


def _seen(
    found: Candidate,
    asked: Question,
    contract: Contract,
    judges: Iterable[Judge],
    as_said: Sequence[bool],
    *,
    old: Decision | None = None,
    new: Decision,
) -> Proof:
    reads = frozenset(found.reads).union(*(judge.reads(asked.contract, asked.agent) for judge in judges))
    doubts = [
        found.why,
        "" if all(as_said) else "the engines decide it otherwise than the search",
        _unfit(contract, asked),
    ]
    if "parsed" in reads:
        doubts.append("what is parsed was chosen freely, and follows from the arguments")
    why = "; ".join(each for each in doubts if each)
    return Proof(
        contract=found.contract,
        agents=found.agents,
        answer="found",
        why=why,
        question=asked,
        old=None if old is None else old.verdict,
        new=new.verdict,
        confirmed=not why,
        reads=tuple(sorted(reads)),
        ms=found.ms,
    )


def _decided(judge: Judge, bundle: Bundle, contract: Contract, question: Question) -> Decision:
    """How it is decided. An undo is left as policies have it, as in the search."""
    decision = combine(judge.opinions(question), judge.policies, bundle.digest)
    return (
        decision
        if question.around.undo
        else oversee(decision, contract, question.around.stage, confidence=question.confidence)
    )


def _unfit(contract: Contract, asked: Question) -> str:
    """Why such a request cannot be made, or nothing."""
    try:
        bind(contract, asked.arguments, nonce="")
    except ContractError as error:
        return f"its arguments do not fit the contract: {error.detail}"
    return ""
