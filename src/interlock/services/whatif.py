"""Recorded decisions put to two bundles: the very same questions, through the code that decides."""

from collections.abc import Iterable, Mapping
from typing import Final

import anyio.lowlevel
import msgspec

from interlock.domain.action import Action
from interlock.domain.bundle import Bundle
from interlock.domain.contract import Contract
from interlock.domain.errors import PolicyError
from interlock.domain.ids import ActionId, AgentName, ContractName, Digest
from interlock.domain.policy import Decision, Opinions, combine
from interlock.domain.question import Circumstances
from interlock.domain.tally import Tally
from interlock.domain.whatif import Comparison, Decided, Direction, direction, of_consequence
from interlock.ports.policies import Judge, Policies
from interlock.ports.store import Store
from interlock.services.deciding import asked_again, overseen

PAGE: Final = 500
"""How many recorded decisions are held in memory at once."""
KNOWN: Final = 4_096
"""How many pairs of answers are remembered for one agent's use of one contract: mostly the same policies decide."""

NO_QUESTION: Final = "it was decided before questions were kept with decisions"
NO_CONTRACT: Final = "its contract is not in the store"
NO_UNDONE: Final = "what it undoes is not in the store"
NO_FACTS: Final = "its facts could not be read at the time"
NO_BUDGET: Final = "policies look at what is left of budgets, which was not kept with it"
NOT_OLD: Final = "its contract is not in the old bundle"
NOT_NEW: Final = "its contract is not in the new bundle"
NO_FIT: Final = "what was recorded does not fit its contract as one of the bundles has it"
WITHHELD: Final = {
    "erased": "everything private of it was erased",
    "sealed": "the keys of its private parts are not here",
    "lost": "the key of its private parts is lost",
}
NEITHER: Final = "neither bundle can evaluate its policies on it"


class _Side(msgspec.Struct, frozen=True):
    """One of the two bundles."""

    digest: Digest
    judge: Judge
    views: Mapping[ContractName, str]

    def decided(self, said: Opinions, use: "_Use", undoing: Contract | None, around: Circumstances) -> Decision:
        """What follows from its opinions."""
        return overseen(combine(said, self.judge.policies, self.digest), use.contract, undoing, around)


class _Found(msgspec.Struct, frozen=True):
    """How two answers differ."""

    direction: Direction | None
    old: Decision
    new: Decision


class _Use(msgspec.Struct, frozen=True):
    """One agent's use of one version of a contract."""

    contract: Contract
    owner: str
    grave: bool
    missing: str
    """Which of the bundles does not have the contract, or nothing."""
    same_view: bool
    """Whether both bundles see the same of it."""
    budget: bool
    """Whether policies look at what is left."""
    plain: bool
    """Whether any question about it can be put again, whatever else was recorded."""
    found: dict[object, _Found]


class WhatIf:
    """Says what would have been decided under other policies."""

    def __init__(self, store: Store, policies: Policies, tenant: str) -> None:
        self._store = store
        self._policies = policies
        self._tenant = tenant

    async def replay(
        self, old: Bundle, new: Bundle, contracts: Iterable[Contract], *, since_at: int = 0, limit: int | None = None
    ) -> Comparison:
        """Put what was decided since `since_at` to both bundles, or the newest `limit` of it.

        `contracts` are those that would be in force with `new`: their owners are asked. Memory does not grow with the
        number of decisions. Raises PolicyError where a bundle cannot be loaded, and StoreErrors.
        """
        replaying = _Replaying(
            self._store, self._policies, self._side(old), self._side(new), self._tenant, {c.name: c for c in contracts}
        )
        before: ActionId | None = None
        left = limit
        while left is None or left > 0:
            size = PAGE if left is None else min(PAGE, left)
            page = await self._store.decided(since_at=since_at, before=before, limit=size)
            for action in page:
                if not replaying.put_plain(action):
                    await replaying.put(action)
            if len(page) < size:
                return replaying.tally.result(old=old.digest, new=new.digest, since_at=since_at, stopped=False)
            before = page[-1].id
            left = None if left is None else left - len(page)
            await anyio.lowlevel.checkpoint()
        more = await self._store.decided(since_at=since_at, before=before, limit=1)
        return replaying.tally.result(old=old.digest, new=new.digest, since_at=since_at, stopped=bool(more))

    def _side(self, bundle: Bundle) -> _Side:
        return _Side(bundle.digest, self._policies.load(bundle), self._policies.seen(bundle))


class _Replaying:
    """One replay, with what it learns on the way."""

    def __init__(
        self,
        store: Store,
        policies: Policies,
        old: _Side,
        new: _Side,
        tenant: str,
        contracts: Mapping[ContractName, Contract],
    ) -> None:
        self.tally = Tally()
        self._store = store
        self._policies = policies
        self._old, self._new = old, new
        self._tenant = tenant
        self._contracts = contracts
        self._uses: dict[tuple[Digest, AgentName], _Use | None] = {}
        self._kept: dict[tuple[Digest, ContractName, AgentName], bool] = {}

    def put_plain(self, action: Decided) -> bool:
        """Put one to both bundles if nothing need be looked up for it, as for nearly all; whether that was so."""
        use = self._uses.get((action.contract_digest, action.agent))
        if use is None or not use.plain or action.undoes is not None or action.asked is None or action.decision is None:
            return False
        self._put(action, action.asked, use, None)
        return True

    async def put(self, action: Decided) -> None:
        """Put one to both bundles. What no policy was ever asked about does not count."""
        if action.withheld:
            self.tally.skip(WITHHELD[action.withheld], action)
            return
        if action.decision is None:
            return
        key = (action.contract_digest, action.agent)
        if key not in self._uses:
            self._uses[key] = await self._use(action)
        use = self._uses[key]
        undoing = await self._undone(action.undoes) if action.undoes is not None else None
        why = await self._unaskable(action, use, undoing)
        if why:
            self.tally.skip(why, action)
        elif use is not None and action.asked is not None:
            self._put(action, action.asked, use, undoing)

    def _put(self, action: Decided, around: Circumstances, use: _Use, undoing: Contract | None) -> None:
        asked = asked_again(use.contract, action, around, self._tenant)
        was, is_now = self._old.judge.opinions(asked), self._new.judge.opinions(asked)
        if was.errors and is_now.errors:
            self.tally.skip(NEITHER if use.same_view else NO_FIT, action)
            return
        if was.errors or is_now.errors:
            if not use.same_view:
                self.tally.skip(NO_FIT, action)
                return
            found = self._compared(was, is_now, use, undoing, around)
        else:
            key = (was.satisfied, is_now.satisfied, around.stage, undoing.digest if undoing is not None else "")
            known = use.found.get(key)
            if known is None:
                if len(use.found) >= KNOWN:
                    use.found.clear()
                known = use.found[key] = self._compared(was, is_now, use, undoing, around)
            found = known
        if found.direction is None:
            self.tally.agree()
        else:
            self.tally.differ(
                found.direction, found.old, found.new, action, use.contract, owner=use.owner, grave=use.grave
            )

    def _compared(
        self, was: Opinions, is_now: Opinions, use: _Use, undoing: Contract | None, around: Circumstances
    ) -> _Found:
        old = self._old.decided(was, use, undoing, around)
        new = self._new.decided(is_now, use, undoing, around)
        return _Found(direction(old, new), old, new)

    async def _use(self, action: Decided) -> _Use | None:
        then = await self._store.get(Contract, action.contract_digest)
        if then is None:
            return None
        name = then.name
        now = self._contracts.get(name)
        missing = NOT_OLD if name not in self._old.views else "" if name in self._new.views else NOT_NEW
        reads = self._old.judge.reads(name, action.agent) | self._new.judge.reads(name, action.agent)
        return _Use(
            contract=then,
            owner=(now or then).owner,
            grave=of_consequence(then, now),
            missing=missing,
            same_view=self._old.views.get(name) == self._new.views.get(name),
            budget="budget" in reads,
            plain=not missing and then.facts is None and "budget" not in reads,
            found={},
        )

    async def _unaskable(self, action: Decided, use: _Use | None, undoing: Contract | None) -> str:
        """Why it cannot be asked again, or nothing."""
        if action.asked is None or action.decision is None:
            return NO_QUESTION
        if use is None:
            return NO_CONTRACT
        if use.missing:
            return use.missing
        if action.undoes is not None and undoing is None:
            return NO_UNDONE
        if use.contract.facts is not None and not action.facts and action.decision.because == ("interlock.error",):
            return NO_FACTS
        if use.budget and not action.asked.budget and not await self._budget_kept(action, action.decision.bundle):
            return NO_BUDGET
        return ""

    async def _undone(self, action: ActionId) -> Contract | None:
        found = await self._store.get(Action, action)
        return None if found is None else await self._store.get(Contract, found.contract_digest)

    async def _budget_kept(self, action: Decided, bundle: Digest) -> bool:
        """Whether the policies that decided it looked at budgets: only then was it kept that there is none."""
        key = (bundle, action.contract, action.agent)
        if key not in self._kept:
            stored = await self._store.get(Bundle, bundle)
            self._kept[key] = stored is not None and self._looked(stored, action)
        return self._kept[key]

    def _looked(self, bundle: Bundle, action: Decided) -> bool:
        known = {self._old.digest: self._old.judge, self._new.digest: self._new.judge}
        try:
            judge = known.get(bundle.digest) or self._policies.load(bundle)
        except PolicyError:
            return False
        return "budget" in judge.reads(action.contract, action.agent)
