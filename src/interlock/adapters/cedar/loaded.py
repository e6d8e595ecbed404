"""A bundle as its engines share it: the policies, sliced by who asks about what.

Put into a slice are all policies whose scope may take in one agent's use of one contract. That is sound for what stands
in the scope (Lean: `isAuthorized_eq_for_scope_based_policy_slice` in cedar-spec), and the schema fixes which groups an
action is in.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from types import MappingProxyType
from typing import Final

import cedarpy
import msgspec
from cedarpy import pst

from interlock.adapters.cedar.reads import Reads, reads
from interlock.adapters.cedar.schema import Surface
from interlock.adapters.cedar.scope import about_action, about_agent
from interlock.domain.errors import PolicyError
from interlock.domain.policy import Opinions, Policy
from interlock.domain.question import Question

# What engines and our own writing of the request raise. None of it may reach the caller as anything but a closed gate.
FAULTS: Final = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RuntimeError,
    TypeError,
    ValueError,
    msgspec.MsgspecError,
)
MAX_SLICES: Final = 4096
"""Agents and releases come and go while a bundle stays, so what is kept of them has a bound."""
DIGITS: Final = 12
"""How much of a release's digest names it."""


@lru_cache(4)
def schema_of(text: str) -> cedarpy.Schema:
    """A schema as the library takes it, which nothing changes. The last few are kept: while policies are checked, tried and put
    in force the same one is asked for many times. Raises PolicyError."""
    try:
        return cedarpy.Schema.from_str(text)
    except ValueError as error:
        raise PolicyError(f"the contracts make no Cedar schema: {error}") from None


class Slice(msgspec.Struct, frozen=True):
    """The policies that can matter to one agent's use of one contract."""

    surface: Surface
    agent: str
    rules: tuple[pst.Template, ...]
    read: Reads

    def names(self) -> frozenset[str]:
        """What of the context they look at."""
        members = self.surface.context().members
        return frozenset(each.name for each in members if self.read.whole or each.name in self.read.members)

    def only(self, rules: tuple[pst.Template, ...]) -> "Slice":
        """The same with `rules` alone, and what they read."""
        return Slice(self.surface, self.agent, rules, reads(rules))


class Loaded:
    """The policies of one bundle, ready for an engine. Nothing in it changes."""

    def __init__(
        self,
        policies: Mapping[str, Policy],
        templates: Mapping[str, pst.Template],
        surfaces: Mapping[str, Surface],
        schema: cedarpy.Schema,
    ) -> None:
        self.policies: Mapping[str, Policy] = MappingProxyType(dict(policies))
        self.templates: Mapping[str, pst.Template] = MappingProxyType(dict(templates))
        self.surfaces = surfaces
        self.schema = schema
        # Annotations would only be copied about.
        self.rules: Mapping[str, pst.Template] = {
            name: replace(template, id=name, effect="permit", annotations={})
            for name, template in sorted(templates.items())
        }
        self._about = {
            name: tuple(rule for rule in self.rules.values() if about_action(rule, surface))
            for name, surface in surfaces.items()
        }

    def slice(self, contract: str, agent: str) -> Slice | None:
        """The slice of one agent's use of one contract; None where no policy can matter. Raises LookupError for a
        contract that is not in the bundle."""
        surface = self.surfaces[contract]
        rules = tuple(rule for rule in self._about[contract] if about_agent(rule, agent))
        return Slice(surface, agent, rules, reads(rules)) if rules else None


def principal(question: Question) -> str:
    """The id of the release that asks."""
    return f"{question.agent}@{question.release[:DIGITS]}"


def closed(why: str) -> Opinions:
    """An answer that denies."""
    return Opinions(satisfied=(), errors=(why,))


def could_not(policy: str, why: str) -> str:
    """The words for a policy that could not be evaluated."""
    return f"policy `{policy}` could not be evaluated: {why}"
