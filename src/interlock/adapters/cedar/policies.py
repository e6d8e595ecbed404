"""Policies in Cedar: forming a bundle, all or nothing, and loading one."""

from collections.abc import Collection, Mapping, Sequence

import cedarpy
import msgspec
from cedarpy import pst

from interlock.adapters.cedar import lint
from interlock.adapters.cedar.annotations import policy_of
from interlock.adapters.cedar.compiled import watched_judge
from interlock.adapters.cedar.compiling import refusal
from interlock.adapters.cedar.hints import invalid
from interlock.adapters.cedar.judge import CedarJudge
from interlock.adapters.cedar.library import library_judge
from interlock.adapters.cedar.loaded import Loaded
from interlock.adapters.cedar.parsing import parsed
from interlock.adapters.cedar.schema import Surface, parse, render, surfaces
from interlock.adapters.cedar.scope import idle
from interlock.adapters.cedar.source import Problems, Statement
from interlock.adapters.cedar.worded import worded
from interlock.domain.bundle import Bundle
from interlock.domain.canonical import CanonicalError
from interlock.domain.contract import Contract
from interlock.domain.errors import PolicyError
from interlock.domain.ids import ContractName
from interlock.domain.ownership import Worded
from interlock.domain.policy import Engine, Policy

LANGUAGE = "cedar"


class _Rule(msgspec.Struct, frozen=True, kw_only=True):
    policy: Policy
    template: pst.Template
    statement: Statement


class CedarPolicies:
    """The policy language Cedar, as `ports.policies.Policies` wants it."""

    def __init__(self, agents: Collection[str] | None = None) -> None:
        """With `agents`, the names of all there are, a policy that names another is refused when a bundle is formed."""
        self._agents = agents

    def bundle(self, sources: Mapping[str, str], contracts: Sequence[Contract]) -> Bundle:
        """Form a bundle: parse, validate against the schema generated from `contracts`, lint. Without any policy it is
        a bundle that denies everything. Raises PolicyError with `file`, `line`, `column` and `policy` of the first
        problem, and all of them in `problems`."""
        found, unseen = surfaces(contracts)
        bundle = Bundle(language=LANGUAGE, sources=dict(sources), schema=render(found, unseen))
        try:
            _ = bundle.digest
        except CanonicalError as error:
            raise PolicyError(f"the policies cannot be filed: {error}") from None
        problems = Problems()
        for rule in _rules(bundle, found, _schema(bundle), problems):
            wrong = (
                *lint.names(rule.template, self._agents),
                *lint.values(rule.template, found.values()),
                *lint.wholes(rule.template, found.values()),
                *lint.measures(rule.template, found, contracts),
            )
            for detail in wrong:
                problems.add(rule.statement, detail, rule.policy.id)
        problems.settle()
        return bundle

    def load(self, bundle: Bundle, engine: Engine = "compiled") -> CedarJudge:
        """Make a stored bundle ready to answer: it is parsed and validated as if it were new. Raises PolicyError."""
        loaded = self.loaded(bundle)
        return watched_judge(loaded) if engine == "compiled" else library_judge(loaded)

    def loaded(self, bundle: Bundle) -> Loaded:
        """A stored bundle as any engine takes it. Raises PolicyError."""
        if bundle.language != LANGUAGE:
            raise PolicyError(f"the bundle is in `{bundle.language}`, not in `{LANGUAGE}`")
        found = parse(bundle.schema)
        schema = _schema(bundle)
        problems = Problems()
        rules = _rules(bundle, found, schema, problems)
        problems.settle()
        return Loaded(
            {rule.policy.id: rule.policy for rule in rules},
            {rule.policy.id: rule.template for rule in rules},
            found,
            schema,
        )

    def seen(self, bundle: Bundle) -> dict[ContractName, str]:
        """For each contract its own piece of the schema. Raises PolicyError."""
        return {ContractName(name): render({name: surface}) for name, surface in parse(bundle.schema).items()}

    def worded(self, bundle: Bundle) -> dict[str, Worded]:
        """The policies of a bundle by id, as people read them. Raises PolicyError."""
        return worded(bundle)


def _schema(bundle: Bundle) -> cedarpy.Schema:
    try:
        return cedarpy.Schema.from_str(bundle.schema)
    except ValueError as error:
        raise PolicyError(f"the contracts make no Cedar schema: {error}") from None


def _rules(bundle: Bundle, found: Mapping[str, Surface], schema: cedarpy.Schema, problems: Problems) -> list[_Rule]:
    """Every policy of a bundle that is sound; the others are noted in `problems`."""
    rules: dict[str, _Rule] = {}
    for statement, template in parsed(bundle.sources, problems):
        mistaken = lint.group_as_action(template) or _unknown(template)
        wrong = [mistaken] if mistaken else invalid(statement, schema, idle=idle(template, found.values()))
        rule = _rule(statement, template, wrong, problems)
        if rule is None:
            continue
        first = rules.setdefault(rule.policy.id, rule)
        if first is not rule:
            problems.add(rule.statement, f"`@id` is taken by the policy at {first.statement.place}", rule.policy.id)
    return list(rules.values())


def _unknown(template: pst.Template) -> str | None:
    """What in it compiled policies do not know, as a problem. Both engines take the same language."""
    found = refusal(template)
    return None if found is None else f"it uses {found}, which is not supported here"


def _rule(statement: Statement, template: pst.Template, wrong: list[str], problems: Problems) -> _Rule | None:
    name = template.annotations.get("id", "")
    policy = policy_of(template, lambda detail: problems.add(statement, detail, name))
    for detail in wrong:
        problems.add(statement, detail, name)
    return None if policy is None or wrong else _Rule(policy=policy, template=template, statement=statement)
