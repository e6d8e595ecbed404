"""Opinions in, one decision out.

Order: allow < oblige < require_approval < escalate < shadow < deny.
1. Any error while evaluating, an unknown contract, no bundle: deny. A policy in shadow mode that fails is reported only.
2. A satisfied forbid whose outcome is deny: deny.
3. No satisfied permit: deny, before any softer outcome is looked at. An approval cannot create a permission.
4. Otherwise the highest outcome among the satisfied forbids; what must be approved and what must be done is the union.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from interlock.domain.deadline import Terms
from interlock.domain.ids import Digest

Verdict = Literal["allow", "oblige", "require_approval", "escalate", "shadow", "deny"]
Engine = Literal["compiled", "cedarpy"]
"""What answers: functions compiled from the policies' own tree, or the library that is their oracle."""
ENGINES: tuple[Engine, ...] = ("compiled", "cedarpy")
VERDICTS: tuple[Verdict, ...] = ("allow", "oblige", "require_approval", "escalate", "shadow", "deny")


class Policy(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the combiner must know of one policy; its condition is the engine's business."""

    id: str
    effect: Literal["permit", "forbid"]
    owner: str
    verdict: Verdict = "deny"
    """A forbid's outcome; meaningless for a permit."""
    reason: str = ""
    approver: str = ""
    quorum: int = 1
    terms: Terms = Terms()
    """Of one that asks: how long people have, and what then."""
    obligations: tuple[str, ...] = ()
    mode: Literal["enforce", "shadow"] = "enforce"
    """`shadow`: a candidate, evaluated and reported, never enforced."""


class Requirement(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`quorum` different people in `role` must agree, because `policy` says so."""

    role: str
    quorum: int
    policy: str
    terms: Terms = Terms()


class Opinions(msgspec.Struct, frozen=True, kw_only=True):
    """Which policies were satisfied, by id, and what went wrong while asking."""

    satisfied: tuple[str, ...]
    errors: tuple[str, ...] = ()
    failing: dict[str, str] = {}
    """Policies in shadow mode that could not be evaluated, and why. Nobody is denied anything by a trial."""
    alarm: str = ""
    """What is wrong with the engine itself: two that must agree did not. The answer is that of the one to be trusted."""


class Decision(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was decided and why. `because` names the policies or rules of ours (`interlock.*`) that decided."""

    verdict: Verdict
    because: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    requirements: tuple[Requirement, ...] = ()
    obligations: tuple[str, ...] = ()
    would_be: Verdict | None = None
    """With `shadow`: what it would have been outside shadow."""
    candidates: tuple[str, ...] = ()
    """Policies in shadow mode that were satisfied."""
    failing: tuple[str, ...] = ()
    """Policies in shadow mode that could not be evaluated."""
    bundle: Digest = Digest("")
    decided_at: int = 0
    facts_at: int = 0
    """When the contract's source of facts answered; 0 where there is none."""


def combine(opinions: Opinions, policies: Mapping[str, Policy], bundle: Digest) -> Decision:
    """The decision that follows from `opinions` alone. `policies` are those of `bundle` by id."""
    unknown = [name for name in opinions.satisfied if name not in policies]
    if opinions.errors or unknown or not bundle:
        detail = opinions.errors or tuple(f"unknown policy `{name}`" for name in unknown) or ("no policy bundle",)
        return Decision(verdict="deny", because=("interlock.error",), reasons=detail, bundle=bundle)
    decision = _of(opinions, policies, bundle)
    return msgspec.structs.replace(decision, failing=tuple(sorted(opinions.failing))) if opinions.failing else decision


def _of(opinions: Opinions, policies: Mapping[str, Policy], bundle: Digest) -> Decision:
    """The decision that follows where everything that is enforced could be evaluated."""
    # In the order of their ids from here on, whatever the engine's.
    asked = [policies[name] for name in sorted(set(opinions.satisfied))]
    live = [policy for policy in asked if policy.mode == "enforce"]
    candidates = () if len(live) == len(asked) else tuple(policy.id for policy in asked if policy.mode == "shadow")
    forbids = [policy for policy in live if policy.effect == "forbid"]
    denying = [policy for policy in forbids if policy.verdict == "deny"]
    if denying:
        return _decision("deny", denying, bundle, candidates=candidates)
    permits = [policy for policy in live if policy.effect == "permit"]
    if not permits:
        return Decision(
            verdict="deny",
            because=("interlock.default-deny",),
            reasons=("no policy permits it",),
            candidates=candidates,
            bundle=bundle,
        )
    verdict = _highest(forbids)
    deciding = [policy for policy in forbids if policy.verdict == verdict] or permits
    return _decision(
        verdict,
        deciding,
        bundle,
        requirements=_requirements(forbids),
        obligations=tuple(sorted({word for policy in live if policy.obligations for word in policy.obligations})),
        would_be=_highest([each for each in forbids if each.verdict != "shadow"]) if verdict == "shadow" else None,
        candidates=candidates,
    )


def _decision(
    verdict: Verdict,
    deciding: list[Policy],
    bundle: Digest,
    *,
    requirements: tuple[Requirement, ...] = (),
    obligations: tuple[str, ...] = (),
    would_be: Verdict | None = None,
    candidates: tuple[str, ...] = (),
) -> Decision:
    return Decision(
        verdict=verdict,
        because=tuple([policy.id for policy in deciding]),
        reasons=tuple([policy.reason for policy in deciding if policy.reason]),
        requirements=requirements,
        obligations=obligations,
        would_be=would_be,
        candidates=candidates,
        bundle=bundle,
    )


def _requirements(forbids: list[Policy]) -> tuple[Requirement, ...]:
    return tuple(
        Requirement(role=policy.approver, quorum=policy.quorum, policy=policy.id, terms=policy.terms)
        for policy in forbids
        if policy.verdict in ("require_approval", "escalate")
    )


def _highest(forbids: list[Policy]) -> Verdict:
    verdicts: list[Verdict] = ["allow", *[policy.verdict for policy in forbids]]
    return max(verdicts, key=_RANK.__getitem__)


_RANK: dict[Verdict, int] = {verdict: rank for rank, verdict in enumerate(VERDICTS)}
