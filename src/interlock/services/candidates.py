"""Policies in shadow: what each would have changed, told from the decisions that were made beside it.

A candidate's figures begin anew when its text changes: they are about what it says, not about its name. Recorded decisions
are read page by page, so memory does not grow with their number.
"""

from typing import Final

import anyio.lowlevel
import msgspec

from interlock.domain.action import Action
from interlock.domain.bounds import BOUNDS
from interlock.domain.bundle import Bundle
from interlock.domain.contract import Contract
from interlock.domain.errors import IntegrityError, NotFound, PolicyError
from interlock.domain.explanation import enforcing
from interlock.domain.ids import ActionId, AgentName, ContractName, Digest
from interlock.domain.policy import Opinions, Policy, Verdict, combine
from interlock.domain.whatif import Decided, direction
from interlock.ports.explainer import Explainer, Written
from interlock.ports.policies import Judge, Policies
from interlock.ports.store import Store
from interlock.services.deciding import asked_again, overseen
from interlock.services.orders import StandingOrders

PAGE: Final = 500
"""How many recorded decisions are held in memory at once."""
EXAMPLES: Final = 3
HAPPENS: Final = ("allow", "oblige")
"""Verdicts under which something happens without anybody being asked."""


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """One decision that would have been another."""

    action: ActionId
    agent: AgentName
    contract: ContractName
    was: Verdict
    would_be: Verdict


class Candidate(msgspec.Struct, frozen=True, kw_only=True):
    """One policy in shadow mode, and what became of it."""

    policy: str
    effect: str
    verdict: Verdict
    """What it leads to where it is satisfied; `allow` for a permit."""
    owner: str
    reason: str
    file: str
    line: int
    text: str
    """As it is in force, on trial."""
    since_at: int | None
    """The first decision beside it as it is now written; None where there was none in the time asked for."""
    decisions: int
    """How many were made beside it."""
    evaluated: int
    """Of these, how many its scope takes in."""
    satisfied: int
    failed: int
    """It could not be evaluated: in force, it would have denied."""
    tightened: int
    allowed: int
    """Of those tightened, how many had been allowed without anybody being asked."""
    loosened: int
    otherwise: int
    """Decided alike, by other policies."""
    examples: tuple[Example, ...]
    """The newest of those that would have been decided otherwise."""


class _Tally:
    """The figures of one candidate while they are counted."""

    def __init__(self) -> None:
        self.since_at: int | None = None
        self.decisions = self.evaluated = self.satisfied = self.failed = 0
        self.tightened = self.allowed = self.loosened = self.otherwise = 0
        self.examples: list[Example] = []


class _Beside(msgspec.Struct, frozen=True):
    """A bundle that decided, and those of the candidates that were in it as they are now written."""

    bundle: Bundle
    judge: Judge
    names: frozenset[str]
    scopes: dict[tuple[ContractName, AgentName], frozenset[str]]


class Candidates:
    """Counts."""

    def __init__(
        self, *, store: Store, orders: StandingOrders, policies: Policies, explainer: Explainer, tenant: str
    ) -> None:
        self._store = store
        self._orders = orders
        self._policies = policies
        self._explainer = explainer
        self._tenant = tenant

    async def figures(self, *, since_at: int = 0) -> tuple[Candidate, ...]:
        """Every policy in shadow mode in force, by id, with what was decided beside it since `since_at`.

        Raises NotFound where nothing is in force, PolicyError where it cannot be loaded.
        """
        bundle = await self._orders.bundle()
        policies = self._policies.load(bundle).policies
        written = self._explainer.written(bundle)
        tallies = {name: _Tally() for name, policy in policies.items() if policy.mode == "shadow"}
        if tallies:
            await self._count(tallies, bundle, since_at)
        return tuple(_told(policies[name], written[name], tally) for name, tally in sorted(tallies.items()))

    async def _count(self, tallies: dict[str, _Tally], bundle: Bundle, since_at: int) -> None:
        texts = {name: self._explainer.written(bundle)[name].text for name in tallies}
        known: dict[Digest, _Beside | None] = {}
        before: ActionId | None = None
        while True:
            page = await self._store.decided(since_at=since_at, before=before, limit=PAGE)
            for action in page:
                if action.decision is None or action.asked is None:
                    continue
                digest = action.decision.bundle
                if digest not in known:
                    known[digest] = await self._beside(digest, texts)
                beside = known[digest]
                if beside is not None:
                    await self._counted(action, beside, tallies)
            if len(page) < PAGE:
                return
            before = page[-1].id
            await anyio.lowlevel.checkpoint()

    async def _beside(self, digest: Digest, texts: dict[str, str]) -> _Beside | None:
        """That bundle, if any of the candidates was in it, word by word."""
        try:
            bundle = await self._orders.stored(Bundle, digest)
            written = self._explainer.written(bundle)
        except (NotFound, IntegrityError, PolicyError):
            return None  # it decided, but what it says can no longer be told
        names = frozenset(name for name, text in texts.items() if name in written and written[name].text == text)
        return _Beside(bundle, self._policies.load(bundle), names, {}) if names else None

    async def _counted(self, action: Decided, beside: _Beside, tallies: dict[str, _Tally]) -> None:
        for name in beside.names:
            tallies[name].decisions += 1
            tallies[name].since_at = action.proposed_at  # newest first: the last to be seen is the first there was
        key = (action.contract, action.agent)
        if key not in beside.scopes:
            beside.scopes[key] = self._explainer.about(beside.bundle, *key) & beside.names
        names = beside.scopes[key]
        if not names or action.asked is None or action.decision is None:
            return
        contract = await self._orders.contract(action.contract_digest)
        opinions = beside.judge.opinions(asked_again(contract, action, action.asked, self._tenant))
        unasked = action.decision.because == ("interlock.error",) and not opinions.errors
        if unasked or BOUNDS.intersection(action.decision.because):
            return  # policies were not asked then: its facts could not be read, or it was out of bounds
        undoing = await self._undone(action.undoes)
        for name in sorted(names):
            self._weighed(name, action, opinions, beside, contract, undoing, tallies[name])

    def _weighed(
        self,
        name: str,
        action: Decided,
        opinions: Opinions,
        beside: _Beside,
        contract: Contract,
        undoing: Contract | None,
        tally: _Tally,
    ) -> None:
        tally.evaluated += 1
        tally.satisfied += name in opinions.satisfied
        tally.failed += name in opinions.failing
        if action.asked is None or not (name in opinions.satisfied or name in opinions.failing):
            return
        policies, digest = beside.judge.policies, beside.bundle.digest
        was = overseen(combine(opinions, policies, digest), contract, undoing, action.asked)
        now = overseen(enforcing(name, opinions, policies, digest), contract, undoing, action.asked)
        match direction(was, now):
            case "tightened":
                tally.tightened += 1
                tally.allowed += was.verdict in HAPPENS
            case "loosened":
                tally.loosened += 1
            case "other":
                tally.otherwise += 1
                return
            case None:
                return
        if len(tally.examples) < EXAMPLES:
            tally.examples.append(
                Example(
                    action=action.id,
                    agent=action.agent,
                    contract=action.contract,
                    was=was.verdict,
                    would_be=now.verdict,
                )
            )

    async def _undone(self, action: ActionId | None) -> Contract | None:
        original = await self._store.get(Action, action) if action is not None else None
        return await self._orders.contract(original.contract_digest) if original is not None else None


def _told(policy: Policy, written: Written, tally: _Tally) -> Candidate:
    return Candidate(
        policy=policy.id,
        effect=policy.effect,
        verdict="allow" if policy.effect == "permit" else policy.verdict,
        owner=policy.owner,
        reason=policy.reason,
        file=written.file,
        line=written.line,
        text=written.text,
        since_at=tally.since_at,
        decisions=tally.decisions,
        evaluated=tally.evaluated,
        satisfied=tally.satisfied,
        failed=tally.failed,
        tightened=tally.tightened,
        allowed=tally.allowed,
        loosened=tally.loosened,
        otherwise=tally.otherwise,
        examples=tuple(tally.examples),
    )
