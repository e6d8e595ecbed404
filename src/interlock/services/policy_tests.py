"""Running the tests of policies: every case on both engines, compared, and which policies any of them makes true.

What a policy is for should be shown by an example: a policy that no test makes true may say something else than its
owner means, and nobody would see it until it decides.
"""

from collections.abc import Mapping, Sequence

import msgspec

from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Contract
from interlock.domain.errors import PolicyError
from interlock.domain.ids import ContractName
from interlock.domain.policy import Decision, Opinions, Policy, combine
from interlock.domain.policy_case import PolicyCase, differences, unknown_names
from interlock.ports.parser import Parser
from interlock.ports.policies import Judge, Policies
from interlock.services.reading import parsed_facts


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one case."""

    case: PolicyCase
    decision: Decision | None = None
    """None: the arguments were refused, or the policies could not be asked."""
    differences: tuple[str, ...] = ()
    """What is otherwise than expected, each as a line."""

    @property
    def passed(self) -> bool:
        """Whether all is as expected."""
        return not self.differences


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What became of all cases."""

    results: tuple[Result, ...]
    covered: tuple[str, ...]
    """Policies that at least one case makes true."""
    uncovered: tuple[str, ...]
    """Those that none does."""

    @property
    def failed(self) -> tuple[Result, ...]:
        """The cases that are otherwise than expected."""
        return tuple(each for each in self.results if not each.passed)

    @property
    def per_cent(self) -> int:
        """How much of the policies is covered, rounded down: 100 means all."""
        known = len(self.covered) + len(self.uncovered)
        return 100 * len(self.covered) // known if known else 100


async def run(
    cases: Sequence[PolicyCase],
    *,
    policies: Policies,
    parser: Parser,
    sources: Mapping[str, str],
    contracts: Sequence[Contract],
    tenant: str,
) -> Report:
    """Run `cases` against the policies in `sources`. Raises PolicyError where these make no bundle."""
    real = _Bench(policies, sources, contracts, tenant)
    made = {case.contract.name: case.contract for case in cases if case.made_up}
    apart = _apart(made, policies, sources, contracts, tenant) if made else real
    results: list[Result] = []
    seen: set[str] = set()
    for case in cases:
        bench = apart if case.made_up else real
        if isinstance(bench, str):
            results.append(Result(case=case, differences=(bench,)))
            continue
        parsed, unread = await _parsed(case, parser)
        result, satisfied = bench.run(case, parsed, unread)
        results.append(result)
        seen.update(satisfied)
    names = sorted(real.policies)
    return Report(
        results=tuple(results),
        covered=tuple(name for name in names if name in seen),
        uncovered=tuple(name for name in names if name not in seen),
    )


class _Bench:
    """One bundle on both engines."""

    def __init__(
        self, policies: Policies, sources: Mapping[str, str], contracts: Sequence[Contract], tenant: str
    ) -> None:
        bundle = policies.bundle(sources, contracts)
        self._digest = bundle.digest
        self._tenant = tenant
        self._compiled: Judge = policies.load(bundle, "compiled")
        self._library: Judge = policies.load(bundle, "cedarpy")
        self.policies: Mapping[str, Policy] = self._compiled.policies

    def run(self, case: PolicyCase, parsed: dict[str, JsonValue], unread: str) -> tuple[Result, tuple[str, ...]]:
        """What becomes of `case`, and the policies that it makes true. `unread`: why nothing could be parsed."""
        unknown = unknown_names(case.expect, self.policies)
        if case.refusal or case.expect.refused:
            fits = () if case.refusal else ("expected to be refused, but the arguments fit the contract",)
            return Result(case=case, differences=(*unknown, *fits)), ()
        question = case.question(self._tenant, parsed)
        compiled, library = self._compiled.opinions(question), self._library.opinions(question)
        if unread:
            # As the gate has it: what cannot be read denies before any policy is asked.
            compiled = library = Opinions(satisfied=(), errors=(unread,))
        obliged = any(self.policies[name].verdict == "oblige" for name in library.satisfied)
        decision = case.settled(combine(library, self.policies, self._digest), obliged=obliged)
        found = (*unknown, *_disagreement(compiled, library), *differences(case.expect, decision))
        return Result(case=case, decision=decision, differences=found), library.satisfied


async def _parsed(case: PolicyCase, parser: Parser) -> tuple[dict[str, JsonValue], str]:
    """What policies see as parsed: what the case says, or what the contract's rules read, or why they cannot."""
    if case.parsed is not None or case.refusal:
        return case.parsed or {}, ""
    return await parsed_facts(case.contract, case.arguments, case.facts, parser)


def _apart(
    made: Mapping[ContractName, Contract],
    policies: Policies,
    sources: Mapping[str, str],
    contracts: Sequence[Contract],
    tenant: str,
) -> _Bench | str:
    """The bench of cases whose contracts are made up, apart from that of all others; or why policies cannot be asked about
    such contracts."""
    try:
        return _Bench(policies, sources, (*contracts, *made.values()), tenant)
    except PolicyError as error:
        return f"the policies cannot be asked about a contract that is made up: {error.problems[0]}"


def _disagreement(compiled: Opinions, library: Opinions) -> tuple[str, ...]:
    """What the engines say differently. The words of an error are each engine's own."""
    if compiled.alarm:
        return (f"the two engines disagree: {compiled.alarm}",)
    if bool(compiled.errors) != bool(library.errors) or set(compiled.satisfied) != set(library.satisfied):
        return (f"the two engines disagree: compiled {_opinion(compiled)}, cedarpy {_opinion(library)}",)
    return ()


def _opinion(opinions: Opinions) -> str:
    return f"says {', '.join(opinions.errors) or ', '.join(sorted(opinions.satisfied)) or 'nothing'}"
