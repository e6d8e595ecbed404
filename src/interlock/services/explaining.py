"""Why an action was decided as it was, and how another would be. Nothing is recorded, and nothing that acts is touched."""

from collections.abc import Mapping

import msgspec

from interlock.domain.action import Action
from interlock.domain.bounds import BOUNDS
from interlock.domain.bundle import Bundle
from interlock.domain.contract import Contract
from interlock.domain.errors import IllegalMove, NotFound
from interlock.domain.explanation import Explanation, combination, hidden, same_answer, shown
from interlock.domain.policy import combine
from interlock.domain.question import Question
from interlock.ports.explainer import Explainer
from interlock.ports.policies import Policies
from interlock.ports.store import Store
from interlock.services.deciding import asked_again, overseen
from interlock.services.orders import StandingOrders

NEXT_LIFE = "`interlock show ACTION` tells its life"
SHORTEST = 4
"""Fewer characters of a digest would match by chance."""


class Explaining:
    """Puts a question to a bundle once more, and has it account for itself."""

    def __init__(
        self, *, store: Store, orders: StandingOrders, policies: Policies, explainer: Explainer, tenant: str
    ) -> None:
        self._store = store
        self._orders = orders
        self._policies = policies
        self._explainer = explainer
        self._tenant = tenant

    async def recorded(self, action: Action, bundle: Bundle | None = None, *, values: bool = False) -> Explanation:
        """Why `action` was decided as it was, by the bundle that decided it, or as it would be by `bundle`.

        `values` shows what is hidden. Raises IllegalMove where policies were never asked about it, NotFound and PolicyError
        where the bundle is not there any more or cannot be loaded.
        """
        if action.withheld:
            raise IllegalMove(
                f"why it was decided so is {action.withheld}, with everything private of it", next_step=NEXT_LIFE
            )
        if action.decision is None or action.asked is None:
            why = "; ".join(action.reasons) or "it was decided before questions were kept"
            raise IllegalMove(f"policies were not asked about this action: {why}", next_step=NEXT_LIFE)
        if BOUNDS.intersection(action.decision.because):
            why = "; ".join(action.decision.reasons)
            raise IllegalMove(f"policies were not asked about this action: {why}", next_step=NEXT_LIFE)
        contract = await self._orders.contract(action.contract_digest)
        undoing = await self._undone(action)
        asked = asked_again(contract, action, action.asked, self._tenant)
        by = bundle or await self.bundle(action.decision.bundle)
        found = self.explained(asked, contract, undoing, by, values=values)
        notes: list[str] = []
        if action.decision.because == ("interlock.error",) and found.decision.because != ("interlock.error",):
            notes.append(f"policies were not the reason then: {'; '.join(action.decision.reasons)}")
        if action.decision.bundle != by.digest:
            notes.append(
                f"it was decided by the policies {action.decision.bundle[:12]}, and these are {by.digest[:12]}"
            )
        same = same_answer(action.decision, found.decision)
        return msgspec.structs.replace(found, recorded=action.decision, same=same, notes=(*notes, *found.notes))

    def explained(
        self, asked: Question, contract: Contract, undoing: Contract | None, bundle: Bundle, *, values: bool
    ) -> Explanation:
        """How `bundle` answers `asked`, and why. Raises PolicyError where it cannot be loaded."""
        without: Mapping[str, str] = {} if values else hidden(contract)
        judge = self._policies.load(bundle)
        opinions = judge.opinions(asked)
        decision = combine(opinions, judge.policies, bundle.digest)
        final = overseen(decision, contract, undoing, asked.around)
        return Explanation(
            asked=shown(asked, without),
            bundle=bundle.digest,
            decision=msgspec.structs.replace(final, decided_at=asked.around.asked_at),
            policies=self._explainer.considered(bundle, asked, without),
            combined=tuple(combination(opinions, judge.policies, decision, final)),
        )

    async def in_force(self) -> Bundle:
        """The bundle in force. Raises NotFound where there is none."""
        return await self._orders.bundle()

    async def bundle(self, digest: str) -> Bundle:
        """The one stored bundle whose digest is, or begins with, `digest`. Raises NotFound."""
        exact = await self._store.get(Bundle, digest)
        if exact is not None:
            return exact
        known = await self._store.all(Bundle)
        found = [each for each in known if each.digest.startswith(digest)] if len(digest) >= SHORTEST else []
        if len(found) == 1:
            return found[0]
        detail = f"`{digest}` is the beginning of {len(found)} bundles" if found else f"there is no bundle `{digest}`"
        some = ", ".join(f"`{each.digest[:12]}`" for each in known[:5])
        raise NotFound(
            detail, next_step=f"`in-force`, `files`, or one of {some}" if some else "`interlock apply` first"
        )

    async def _undone(self, action: Action) -> Contract | None:
        """The contract of what `action` undoes, if it does."""
        if action.undoes is None:
            return None
        original = await self._store.get(Action, action.undoes)
        return None if original is None else await self._orders.contract(original.contract_digest)
