"""A decision as a solver's terms: `domain.policy.combine`, `domain.oversight.oversee` and what looser means, over every
request at once. A test holds each of them against the functions they repeat."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from cedarpy import pst

from interlock.adapters.cedar.symbolic.expressions import condition
from interlock.adapters.cedar.symbolic.logic import Logic
from interlock.adapters.cedar.symbolic.request import Request
from interlock.adapters.cedar.symbolic.terms import Terms
from interlock.adapters.cedar.symbolic.values import Z
from interlock.domain.contract import Contract
from interlock.domain.oversight import REVIEWER
from interlock.domain.policy import VERDICTS, Policy

_DENY: Final = VERDICTS.index("deny")
_SHADOW: Final = VERDICTS.index("shadow")
_ASK: Final = VERDICTS.index("require_approval")
_ASKING: Final = ("require_approval", "escalate")


@dataclass(frozen=True)
class Ruled:
    """A decision. What is asked and what must be done count only below shadow."""

    height: Z
    """Its verdict's place in VERDICTS."""
    quorums: Mapping[str, Z]
    """How many of each role must agree; 0 for none."""
    somebody: Z
    """Whether a rule of ours asks for any reviewer; see `oversight`."""
    obligations: Mapping[str, Z]


def ruled(logic: Logic, terms: Terms, rules: Iterable[pst.Template], policies: Mapping[str, Policy], unfit: Z) -> Ruled:
    """What `combine` makes of `rules`, those in force; where the request is `unfit` nothing of it can be read. Raises
    Unsayable."""
    live = [(policies[rule.id], *condition(terms, rule)) for rule in rules]
    failed = logic.any(unfit, *(fails for _, _, fails in live))
    permitted = logic.any(*(holds for policy, holds, _ in live if policy.effect == "permit"))
    forbids = [(policy, holds) for policy, holds, _ in live if policy.effect == "forbid"]
    denied = logic.any(*(holds for policy, holds in forbids if policy.verdict == "deny"))
    z = logic.z
    height = z.IntVal(0)
    for place, verdict in enumerate(VERDICTS[1:-1], start=1):
        reached = logic.any(*(holds for policy, holds in forbids if policy.verdict == verdict))
        height = height if z.is_false(reached) else z.If(reached, place, height)
    closed = logic.any(failed, denied, logic.no(permitted))
    quorums: dict[str, Z] = {}
    for policy, holds in forbids:
        if policy.verdict in _ASKING:
            asked, known = z.If(holds, policy.quorum, 0), quorums.get(policy.approver)
            quorums[policy.approver] = asked if known is None else z.If(asked > known, asked, known)
    obligations: dict[str, Z] = {}
    for policy, holds, _ in live:
        for word in policy.obligations:
            obligations[word] = logic.any(obligations.get(word, logic.false), holds)
    return Ruled(z.If(closed, _DENY, height), quorums, logic.false, obligations)


def denied(logic: Logic) -> Ruled:
    """What is said of a contract that is not in the bundle."""
    return Ruled(logic.z.IntVal(_DENY), {}, logic.false, {})


def overseen(logic: Logic, said: Ruled, contract: Contract, request: Request) -> Ruled:
    """What `oversee` makes of it. An undo is left alone: what its reversal asks for is asked under both bundles."""
    if not contract.acts:
        return said
    z = logic.z
    direct = logic.no(request.undo)
    shadow = logic.all(direct, request.stage("shadow"))
    bounded = logic.all(direct, request.stage("bounded"), logic.flag(value=contract.irreversible))
    assisted = logic.all(request.stage("assisted"), logic.flag(value=contract.risk != "low"))
    asked = logic.any(assisted, logic.flag(value=contract.irreversible))
    open_still = said.height < _SHADOW
    alone = logic.all(direct, logic.no(shadow), logic.no(bounded), asked, open_still, logic.no(_anybody(logic, said)))
    height = z.If(alone, _ASK, said.height)
    height = z.If(logic.all(shadow, said.height < _SHADOW), _SHADOW, height)
    return Ruled(z.If(bounded, _DENY, height), said.quorums, alone, said.obligations)


def looser(logic: Logic, new: Ruled, old: Ruled) -> Z:
    """Whether something may happen under `new` that `old` keeps back: not `at_least_as_strict(new, old)`."""
    z = logic.z
    less: list[Z] = []
    for role, needed in old.quorums.items():
        given = new.quorums.get(role, z.IntVal(0))
        if role == REVIEWER:
            given = z.If(logic.all(new.somebody, given < 1), 1, given)
        less.append(given < needed)
    less.append(logic.all(old.somebody, logic.no(logic.any(_anybody(logic, new), new.somebody))))
    less += [
        logic.all(done, logic.no(new.obligations.get(word, logic.false))) for word, done in old.obligations.items()
    ]
    return z.Or(new.height < old.height, logic.all(new.height < _SHADOW, logic.any(*less)))


def happens(said: Ruled) -> Z:
    """Whether it may come to be done at all."""
    return said.height < _SHADOW


def unattended(said: Ruled) -> Z:
    """Whether it may be done without anybody being asked."""
    return said.height < _ASK


def _anybody(logic: Logic, said: Ruled) -> Z:
    return logic.any(*(quorum > 0 for quorum in said.quorums.values()))
