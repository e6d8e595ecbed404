"""A bundle that answers: which of its policies are satisfied, all of them, in one call.

Cedar gives reasons only for the side that won. Asked with every policy turned into a permit it names each one that is
satisfied, permits and forbids alike, and `domain.policy.combine` does the rest. What Cedar leaves open is closed here:
a policy that fails to evaluate is skipped by Cedar and is an error to us; a principal or a group that is not in the
entity store makes a rule silently inert, so the store is built with the schema and always has the release in it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType
from typing import Final

import cedarpy
import msgspec
from cedarpy import pst

from interlock.adapters.cedar.reads import reads
from interlock.adapters.cedar.request import Unfit, context_writer
from interlock.adapters.cedar.schema import Surface
from interlock.adapters.cedar.scope import about_action, about_agent
from interlock.domain.policy import Opinions, Policy, Question

# What cedarpy and our own writing of the request raise. None of it may reach the caller as anything but a closed gate.
_FAULTS: Final = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RuntimeError,
    TypeError,
    ValueError,
    msgspec.MsgspecError,
)
_FAILED: Final = re.compile(r"error while evaluating policy `([^`]*)`: (.*)", re.DOTALL)
_VALUES: Final = re.compile(r"the values? `.*", re.DOTALL)
_MAX_SLICES: Final = 4096
_MAX_RELEASES: Final = 1024


class _Slice:
    """The policies that can matter to one agent's use of one contract."""

    def __init__(self, policies: cedarpy.PolicySet, surface: Surface, rules: Sequence[pst.Template]) -> None:
        self.policies = policies
        self.context = context_writer(surface, reads(rules))


class CedarJudge:
    """A loaded bundle. Safe to ask from several threads at once."""

    def __init__(
        self,
        policies: Mapping[str, Policy],
        templates: Mapping[str, pst.Template],
        surfaces: Mapping[str, Surface],
        schema: cedarpy.Schema,
    ) -> None:
        self._policies = MappingProxyType(dict(policies))
        self._surfaces = surfaces
        self._schema = schema
        # Annotations would only be copied about.
        self._rules = {
            name: replace(template, id=name, effect="permit", annotations={})
            for name, template in sorted(templates.items())
        }
        self._about = {
            name: tuple(rule for rule in self._rules.values() if about_action(rule, surface))
            for name, surface in surfaces.items()
        }
        # Agents and releases come and go while a bundle stays, so what is kept of them has a bound.
        self._slice = lru_cache(_MAX_SLICES)(self._make_slice)
        self._handle = lru_cache(_MAX_SLICES)(self._make_handle)
        self._entities = lru_cache(_MAX_RELEASES)(self._make_entities)

    @property
    def policies(self) -> Mapping[str, Policy]:
        """What the combiner must know of each policy, by id."""
        return self._policies

    def opinions(self, question: Question) -> Opinions:
        """Which policies are satisfied. Whatever goes wrong is an error in the answer, never an exception."""
        try:
            return self._ask(question)
        except Unfit as error:
            return _closed(f"what policies on `{question.contract}` read does not fit: {error}")
        except _FAULTS as error:
            # Only the kind: the engine's own words may hold an argument's value.
            return _closed(f"the policy engine could not answer: {type(error).__name__}")

    def _ask(self, question: Question) -> Opinions:
        if question.contract not in self._surfaces:
            return _closed(f"the contract `{question.contract}` is not in the policy bundle")
        asked = self._slice(question.contract, question.agent)
        if asked is None:
            return Opinions(satisfied=())
        principal = f"{question.agent}@{question.release[:12]}"
        request = {
            "principal": {"type": "Release", "id": principal},
            "action": {"type": "Action", "id": question.contract},
            "resource": {"type": "System", "id": question.tenant},
            "context": asked.context(question),
        }
        # Without the schema: it would check again what the context's writer has checked, at half the price of the call.
        entities = self._entities(question.agent, principal, question.tenant)
        result = cedarpy.is_authorized(request, asked.policies, entities)  # pyright: ignore[reportUnknownMemberType]  cedarpy leaves its dicts untyped
        return heard(result)

    def _make_slice(self, contract: str, agent: str) -> _Slice | None:
        rules = tuple(rule for rule in self._about[contract] if about_agent(rule, agent))
        if not rules:
            return None
        return _Slice(self._handle(tuple(rule.id for rule in rules)), self._surfaces[contract], rules)

    def _make_handle(self, names: tuple[str, ...]) -> cedarpy.PolicySet:
        rules = {name: self._rules[name] for name in names}
        return cedarpy.PolicySet.from_pst(pst.PolicySet(templates={}, static_policies=rules, template_links=()))

    def _make_entities(self, agent: str, release: str, tenant: str) -> cedarpy.Entities:
        parent = {"type": "Agent", "id": agent}
        found: list[dict[str, object]] = [
            {"uid": parent, "attrs": {}, "parents": []},
            {"uid": {"type": "Release", "id": release}, "attrs": {}, "parents": [parent]},
            {"uid": {"type": "System", "id": tenant}, "attrs": {}, "parents": []},
        ]
        text = msgspec.json.encode(found).decode()
        return cedarpy.Entities.from_json_str(text, self._schema)  # pyright: ignore[reportUnknownMemberType]  cedarpy leaves its dicts untyped


def heard(result: cedarpy.AuthzResult) -> Opinions:
    """What an answer says. Anything but a decision free of errors is an error."""
    errors = tuple(_told(error) for error in result.diagnostics.errors)
    if errors:
        return Opinions(satisfied=tuple(result.diagnostics.reasons), errors=errors)
    if result.decision not in (cedarpy.Decision.Allow, cedarpy.Decision.Deny):
        return _closed("the policy engine came to no decision")
    return Opinions(satisfied=tuple(sorted(result.diagnostics.reasons)))


def _told(error: str) -> str:
    """An evaluation error without the values in it: they may be somebody's data, and reasons are recorded."""
    found = _FAILED.fullmatch(error)
    if found is None:
        return "the policy engine could not read the request"
    return f"policy `{found[1]}` could not be evaluated: {_VALUES.sub('values', found[2])}"


def _closed(why: str) -> Opinions:
    return Opinions(satisfied=(), errors=(why,))
