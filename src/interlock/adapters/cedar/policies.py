"""Policies in Cedar: forming a bundle, all or nothing, and loading one."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Final, NamedTuple

import cedarpy
from cedarpy import pst

from interlock.adapters.cedar import lint
from interlock.adapters.cedar.annotations import approvers, escalations, expiry, policy_of
from interlock.adapters.cedar.bounds import overflows
from interlock.adapters.cedar.compiled import watched_judge
from interlock.adapters.cedar.compiling import refusal
from interlock.adapters.cedar.dead import dead, idle_parts, shadowed
from interlock.adapters.cedar.hints import invalid
from interlock.adapters.cedar.judge import CedarJudge
from interlock.adapters.cedar.library import library_judge
from interlock.adapters.cedar.loaded import Loaded, schema_of
from interlock.adapters.cedar.misplaced import misplaced, never_the_same, unprefixed
from interlock.adapters.cedar.parsing import parsed
from interlock.adapters.cedar.ranges import Ranges
from interlock.adapters.cedar.remark import MOST_OF_ONE, Noting, Remark
from interlock.adapters.cedar.schema import Surface, parse, render, surfaces
from interlock.adapters.cedar.scope import about_action, about_agent, idle
from interlock.adapters.cedar.source import Problems, Statement
from interlock.adapters.cedar.worded import worded
from interlock.domain.bundle import Bundle
from interlock.domain.canonical import CanonicalError
from interlock.domain.contract import Contract
from interlock.domain.errors import PolicyError
from interlock.domain.finding import Finding
from interlock.domain.ids import AgentName, ContractName
from interlock.domain.ownership import Worded
from interlock.domain.policy import Engine, Policy

LANGUAGE = "cedar"


class _Rule(NamedTuple):
    policy: Policy
    template: pst.Template
    statement: Statement
    note: Noting


KEPT: Final = 4
"""How many bundles are kept ready to answer."""


class CedarPolicies:
    """The policy language Cedar, as `ports.policies.Policies` wants it."""

    def __init__(
        self,
        agents: Collection[str] | None = None,
        roles: Mapping[str, int] | None = None,
        tenant: str | None = None,
    ) -> None:
        """With `agents`, the names of all there are, `roles`, how many people have each there is, and `tenant`, that of the
        installation, a policy that names another is refused when a bundle is formed."""
        self._tenant = tenant
        self._agents = agents
        self._roles = roles
        self._kept: list[tuple[Bundle, Loaded]] = []

    def bundle(self, sources: Mapping[str, str], contracts: Sequence[Contract], *, at: int | None = None) -> Bundle:
        """Form a bundle, all or nothing: parse, validate against the schema generated from `contracts`, lint. Without any
        policy it is a bundle that denies everything. With `at`, in UTC ms, a policy whose last day is over is wrong, too.
        Raises PolicyError with `file`, `line`, `column` and `policy` of the first problem, and all of them in
        `problems`."""
        bundle, problems = self._held(sources, contracts, at)
        problems.settle()
        try:
            _ = bundle.digest
        except CanonicalError as error:
            raise PolicyError(f"the policies cannot be filed: {error}") from None
        return bundle

    def findings(
        self, sources: Mapping[str, str], contracts: Sequence[Contract], *, at: int | None = None
    ) -> tuple[Finding, ...]:
        """Everything that is wrong or doubtful about policies, by place. What `bundle` refuses is an error, the rest a
        warning; with `at`, in UTC ms, also what will be over within fourteen days. Raises PolicyError where the
        contracts make no schema."""
        return self._held(sources, contracts, at)[1].findings()

    def _held(
        self, sources: Mapping[str, str], contracts: Sequence[Contract], at: int | None
    ) -> tuple[Bundle, Problems]:
        """What would be the bundle, and what is to be said about it."""
        found, unseen = surfaces(contracts)
        bundle = Bundle(language=LANGUAGE, sources=dict(sources), schema=render(found, unseen))
        problems = Problems()
        rules = _rules(bundle, found, schema_of(bundle.schema), problems)
        ranges = {str(contract.name): Ranges(contract, found[contract.name]) for contract in contracts}
        for rule in rules:
            for remark in self._remarks(rule.template, found, contracts, ranges, at):
                rule.note(remark)
            if problems.full:
                break
        notes = {rule.policy.id: rule.note for rule in rules}
        for name, remark in shadowed([(rule.policy, rule.template) for rule in rules], found):
            notes[name](remark)
        return bundle, problems

    def _remarks(
        self,
        template: pst.Template,
        found: Mapping[str, Surface],
        contracts: Sequence[Contract],
        ranges: Mapping[str, Ranges],
        at: int | None,
    ) -> Iterator[Remark]:
        """What is to be said about one policy that is valid; of what is wrong no more than anybody reads."""
        wrong = 0
        for remark in chain(
            lint.names(template, self._agents, self._tenant),
            lint.values(template, found.values()),
            lint.absent(template, found.values()),
            lint.wholes(template, found.values()),
            lint.measures(template, found, contracts),
            lint.vocabulary(template, found, contracts, self._roles),
            lint.taint(template),
            never_the_same(template),
            unprefixed(template),
            () if self._roles is None else approvers(template, self._roles),
            () if self._roles is None else escalations(template, self._roles),
            () if at is None else expiry(template, at),
            overflows(template, ranges),
        ):
            yield remark
            wrong += remark.severity == "error"
            if wrong == MOST_OF_ONE:
                return
        if not wrong:
            # What is misspelt is never true, but that is not what is wrong with it.
            never = list(dead(template, ranges))
            yield from never or idle_parts(template, ranges)

    def load(self, bundle: Bundle, engine: Engine = "compiled") -> CedarJudge:
        """Make a stored bundle ready to answer: it is parsed and validated as if it were new. Raises PolicyError."""
        loaded = self.loaded(bundle)
        return watched_judge(loaded) if engine == "compiled" else library_judge(loaded)

    def loaded(self, bundle: Bundle) -> Loaded:
        """A stored bundle as any engine takes it. Raises PolicyError. The last few are kept: whoever looks at decisions asks for
        the same ones again and again."""
        kept = next((loaded for each, loaded in self._kept if each == bundle), None)
        if kept is None:
            kept = self._loaded(bundle)
            self._kept = [(bundle, kept), *self._kept[: KEPT - 1]]
        return kept

    def _loaded(self, bundle: Bundle) -> Loaded:
        if bundle.language != LANGUAGE:
            raise PolicyError(f"the bundle is in `{bundle.language}`, not in `{LANGUAGE}`")
        found = parse(bundle.schema)
        schema = schema_of(bundle.schema)
        problems = Problems()
        rules = _rules(bundle, found, schema, problems)
        problems.settle()
        return Loaded(
            {rule.policy.id: rule.policy for rule in rules},
            {rule.policy.id: rule.template for rule in rules},
            found,
            schema,
        )

    def unpermitted(
        self, sources: Mapping[str, str], contracts: Sequence[Contract], asked: Iterable[tuple[AgentName, ContractName]]
    ) -> list[tuple[AgentName, ContractName]]:
        """Those of `asked` that no permit that counts is about, whatever its conditions: they are always denied. Raises
        PolicyError."""
        found, unseen = surfaces(contracts)
        loaded = self.loaded(Bundle(language=LANGUAGE, sources=dict(sources), schema=render(found, unseen)))
        permits = [
            loaded.templates[name]
            for name, each in loaded.policies.items()
            if (each.effect, each.mode) == ("permit", "enforce")
        ]
        return [
            (agent, contract)
            for agent, contract in asked
            if contract in loaded.surfaces
            and not any(about_agent(each, agent) and about_action(each, loaded.surfaces[contract]) for each in permits)
        ]

    def seen(self, bundle: Bundle) -> dict[ContractName, str]:
        """For each contract its own piece of the schema. Raises PolicyError."""
        return {ContractName(name): render({name: surface}) for name, surface in parse(bundle.schema).items()}

    def worded(self, bundle: Bundle) -> dict[str, Worded]:
        """The policies of a bundle by id, as people read them. Raises PolicyError."""
        return worded(bundle)


def _rules(bundle: Bundle, found: Mapping[str, Surface], schema: cedarpy.Schema, problems: Problems) -> list[_Rule]:
    """Every policy of a bundle that is sound; the others are noted in `problems`."""
    rules: dict[str, _Rule] = {}
    for statement, template in parsed(bundle.sources, problems):
        note = Noting(problems, statement, template.annotations.get("id", ""))
        policy = policy_of(template, note)
        mistaken = misplaced(template) or _unknown(template)
        wrong = (
            [mistaken] if mistaken else invalid(statement, template, schema, found, idle=idle(template, found.values()))
        )
        for remark in wrong:
            note(remark)
        if policy is None or wrong:
            continue
        rule = _Rule(policy, template, statement, note)
        first = rules.setdefault(policy.id, rule)
        if first is not rule:
            note(Remark(f"`@id` is taken by the policy at policies/{first.statement.place}", "id", "value"))
    return list(rules.values())


def _unknown(template: pst.Template) -> Remark | None:
    """What in it compiled policies do not know, as a problem. Both engines take the same language."""
    found = refusal(template)
    return None if found is None else Remark(f"it uses {found}, which is not supported here")
