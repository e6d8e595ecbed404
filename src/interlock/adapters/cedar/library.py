"""The library as an engine: the oracle, and what is switched back to.

Cedar gives reasons only for the side that won. Asked with every policy turned into a permit it names each one that is
satisfied, permits and forbids alike, and `domain.policy.combine` does the rest. What Cedar leaves open is closed here:
a policy that fails to evaluate is skipped by Cedar and is an error to us; a principal or a group that is not in the
entity store makes a rule silently inert, so the store is built with the schema and always has the release in it.
"""

import re
from functools import lru_cache
from typing import Final

import cedarpy
import msgspec
from cedarpy import pst

from interlock.adapters.cedar.judge import Answer, CedarJudge
from interlock.adapters.cedar.loaded import MAX_SLICES, Loaded, Slice, closed, could_not, principal
from interlock.adapters.cedar.request import json_writer
from interlock.domain.policy import Opinions
from interlock.domain.question import Question

_FAILED: Final = re.compile(r"error while evaluating policy `([^`]*)`: (.*)", re.DOTALL)
_VALUES: Final = re.compile(r"the values? `.*", re.DOTALL)
_MAX_RELEASES: Final = 1024


class Library:
    """Prepares slices for cedarpy."""

    def __init__(self, loaded: Loaded) -> None:
        self._rules = loaded.rules
        self._schema = loaded.schema
        self._handle = lru_cache(MAX_SLICES)(self._bound)
        self._entities = lru_cache(_MAX_RELEASES)(self._made)

    def prepare(self, found: Slice) -> Answer:
        """Make a slice ready."""
        context = json_writer(found.surface, found.read)
        policies = self._handle(tuple(rule.id for rule in found.rules))

        def answer(question: Question) -> Opinions:
            release = principal(question)
            request = {
                "principal": {"type": "Release", "id": release},
                "action": {"type": "Action", "id": question.contract},
                "resource": {"type": "System", "id": question.tenant},
                "context": context(question),
            }
            # Without the schema: it would check again what the context's writer has checked, at half the price of the call.
            entities = self._entities(question.agent, release, question.tenant)
            result = cedarpy.is_authorized(request, policies, entities)  # pyright: ignore[reportUnknownMemberType]  cedarpy leaves its dicts untyped
            return heard(result)

        return answer

    def _bound(self, names: tuple[str, ...]) -> cedarpy.PolicySet:
        """Slices that come to the same policies share one handle."""
        found = {name: self._rules[name] for name in names}
        return cedarpy.PolicySet.from_pst(pst.PolicySet(templates={}, static_policies=found, template_links=()))

    def _made(self, agent: str, release: str, tenant: str) -> cedarpy.Entities:
        parent = {"type": "Agent", "id": agent}
        found: list[dict[str, object]] = [
            {"uid": parent, "attrs": {}, "parents": []},
            {"uid": {"type": "Release", "id": release}, "attrs": {}, "parents": [parent]},
            {"uid": {"type": "System", "id": tenant}, "attrs": {}, "parents": []},
        ]
        text = msgspec.json.encode(found).decode()
        return cedarpy.Entities.from_json_str(text, self._schema)  # pyright: ignore[reportUnknownMemberType]  cedarpy leaves its dicts untyped


def library_judge(loaded: Loaded) -> CedarJudge:
    """A bundle answered by cedarpy alone."""
    return CedarJudge(loaded, Library(loaded).prepare)


def heard(result: cedarpy.AuthzResult) -> Opinions:
    """What an answer says. Anything but a decision free of errors is an error."""
    satisfied = tuple(sorted(result.diagnostics.reasons))
    errors = tuple(_told(error) for error in result.diagnostics.errors)
    if errors:
        return Opinions(satisfied=satisfied, errors=errors)
    if result.decision not in (cedarpy.Decision.Allow, cedarpy.Decision.Deny):
        return closed("the policy engine came to no decision")
    return Opinions(satisfied=satisfied)


def _told(error: str) -> str:
    """An evaluation error without the values in it: they may be somebody's data, and reasons are recorded."""
    found = _FAILED.fullmatch(error)
    if found is None:
        return "the policy engine could not read the request"
    return could_not(found[1], _VALUES.sub("values", found[2]))
