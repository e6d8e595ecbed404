"""Whom the same policies concern, and what those policies say: one search is made for each such group of agents."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cedarpy import pst

from interlock.adapters.cedar.loaded import Loaded
from interlock.adapters.cedar.reads import Reads, children, reads
from interlock.adapters.cedar.schema import Surface
from interlock.adapters.cedar.symbolic.decision import Ruled, denied, overseen, ruled
from interlock.adapters.cedar.symbolic.fitting import unfit
from interlock.adapters.cedar.symbolic.logic import Logic
from interlock.adapters.cedar.symbolic.request import Request
from interlock.adapters.cedar.symbolic.terms import Terms
from interlock.domain.contract import Contract
from interlock.domain.ids import AgentName
from interlock.domain.policy import Policy

_Rules = tuple[pst.Template, ...]


@dataclass(frozen=True)
class Use:
    """The policies in force in a bundle that concern some agents' use of a contract."""

    contract: Contract
    policies: Mapping[str, Policy]
    rules: _Rules
    read: Reads
    surface: Surface | None
    """What these policies see of the contract; None where their bundle does not have it."""

    def said(self, logic: Logic, request: Request) -> tuple[Ruled, Terms | None]:
        """What is decided of a request, with our own rules on top. Raises Unsayable."""
        if self.surface is None:
            return denied(logic), None
        terms = Terms(logic, request.known(self.surface))
        wrong = unfit(logic, request, self.surface, self.read)
        return overseen(logic, ruled(logic, terms, self.rules, self.policies, wrong), self.contract, request), terms

    def same_as(self, other: "Use") -> bool:
        """Whether both say the same word for word of the same, reasons and owners aside: nothing need be searched."""
        return self.surface == other.surface and _told(self) == _told(other)


def groups(
    was: Loaded, now: Loaded, contract: Contract, agents: Sequence[AgentName], also: _Rules = ()
) -> Iterator[tuple[tuple[AgentName, ...], Use, Use]]:
    """Agents whom the same policies concern in the same way, with those policies under both. Whoever any of them, or of
    `also`, names outside a scope is a group alone: to that agent it may say something else."""
    found: dict[tuple[object, ...], tuple[list[AgentName], Use, Use]] = {}
    for agent in sorted(agents):
        before, after = _use(was, contract, agent), _use(now, contract, agent)
        alone = agent if agent in named((*before.rules, *after.rules, *also)) else ""
        key = tuple(rule.id for rule in before.rules), tuple(rule.id for rule in after.rules), alone
        found.setdefault(key, ([], before, after))[0].append(agent)
    for group, before, after in found.values():
        yield tuple(group), before, after


def named(templates: Iterable[pst.Template]) -> frozenset[str]:
    """The agents that are named anywhere, themselves or by one of their releases."""
    found: set[str] = set()
    pending: list[object] = [part for each in templates for part in (each.principal, *each.clauses)]
    while pending:
        node = pending.pop()
        if isinstance(node, pst.EntityUid):
            kind = str(node.type)
            found.update({node.id} if kind == "Agent" else {node.id.rpartition("@")[0]} if kind == "Release" else ())
        else:
            pending.extend(children(node))
    return frozenset(found)


def _use(loaded: Loaded, contract: Contract, agent: str) -> Use:
    surface = loaded.surfaces.get(contract.name)
    slice_ = loaded.slice(contract.name, agent) if surface is not None else None
    rules = () if slice_ is None else tuple(r for r in slice_.rules if loaded.policies[r.id].mode == "enforce")
    return Use(contract, loaded.policies, rules, reads(rules), surface)


def _told(use: Use) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = []
    for rule in use.rules:
        policy = use.policies[rule.id]
        combined = (policy.effect, policy.verdict, policy.approver, policy.quorum, policy.obligations)
        found.append((*combined, rule.principal, rule.action, rule.resource, rule.clauses))
    return sorted(found, key=repr)
