"""What one person sees of one action before deciding: put together from what is stored, by the rules of domain/.

That they saw it is recorded when they open it: the dossier stands behind a commitment of the log, and its digest with the word.
"""

from collections.abc import Mapping
from typing import Final

import msgspec

from interlock.domain.action import Action
from interlock.domain.actor import Actor
from interlock.domain.approval import Look, look_of
from interlock.domain.bundle import Bundle
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Contract
from interlock.domain.dossier import (
    Asking,
    Dossier,
)
from interlock.domain.dossier_of import dossier_of, kept, shown_digest
from interlock.domain.errors import InterlockError, PolicyError
from interlock.domain.ids import ActionId, Digest, Person
from interlock.domain.policy import Policy
from interlock.domain.precedent import Precedents, precedents
from interlock.domain.task import Task
from interlock.ports.clock import Clock
from interlock.ports.policies import Policies
from interlock.ports.store import Store
from interlock.services.again import again
from interlock.services.attention import told_of_pace
from interlock.services.explaining import Explaining
from interlock.services.figures import Figures
from interlock.services.glass import through_glass
from interlock.services.known_actions import stored_action
from interlock.services.orders import StandingOrders
from interlock.services.recorder import Recorder

LOOKED: Final = 200
"""How many of the newest cases of a contract that people ruled on are looked at for precedents."""


class Dossiers:
    """Reads, and records who was shown what."""

    def __init__(
        self,
        *,
        store: Store,
        orders: StandingOrders,
        policies: Policies,
        clock: Clock,
        figures: Figures,
        recorder: Recorder,
        explaining: Explaining | None = None,
    ) -> None:
        self._store = store
        self._orders = orders
        self._policies = policies
        self._clock = clock
        self._figures = figures
        self._recorder = recorder
        self._explaining = explaining

    async def of(self, action_id: ActionId, person: Person | None, *, session: str = "") -> Dossier:
        """Everything `person` sees of the action, whatever state it is in; None is somebody who only looks. `session` is where
        they look from, see `Approvals.approve`. Nothing is written. Raises NotFound."""
        return await self._made(await stored_action(self._store, action_id), person, session)

    @again
    async def open(self, action_id: ActionId, person: Person, *, session: str = "") -> Dossier:
        """The same, recorded as shown where `person` may decide on it now: their word will name its digest. What they were
        shown last is not recorded again."""
        action = await stored_action(self._store, action_id)
        dossier = await self._made(action, person, session)
        asked = action.hold
        if asked is None or not dossier.may_do("approve"):
            return dossier
        before = look_of(asked, person)
        if before is not None and before.shown == dossier.shown:
            return dossier
        now = self._clock.now()
        look = Look(
            person=person,
            first_at=now if before is None else before.first_at,
            at=now,
            view=asked.view,
            shown=dossier.shown,
        )
        looks = (*(each for each in asked.looks if each.person != person), look)
        after = action.after("confer", hold=msgspec.structs.replace(asked, looks=looks))
        beside: dict[str, JsonValue] = {"viewer": person, "dossier": kept(dossier)}
        await self._recorder.write(after, "shown", beside=beside)
        return dossier

    async def shown(self, action_id: ActionId, actor: Actor) -> Dossier:
        """What a surface shows to whoever asks: recorded as shown where they come with the permission to decide. A program that
        may only look leaves no look of its person."""
        if actor.may("decide"):
            return await self.open(action_id, actor.person, session=actor.session)
        return await self.of(action_id, actor.person, session=actor.session)

    async def _made(self, action: Action, person: Person | None, session: str) -> Dossier:
        orders = await self._orders.refresh()
        contract = await self._orders.contract(action.contract_digest) if action.contract_digest else None
        task = await self._store.get(Task, action.task)
        asked = person if action.state == "held" else None
        near = None
        if contract is not None and action.hold is not None and not action.withheld:
            near = await self._precedents(action, contract)
        control = orders.control
        if person is not None and action.hold is not None and action.state == "held":
            wanted, now = action.hold.roles, self._clock.now()
            control = (await through_glass(self._store, person, control, wanted, now, session=session)).control
        dossier = msgspec.structs.replace(
            dossier_of(action, contract, control, task, orders.agents.get(action.agent), person),
            policies=await self._asking(action),
            precedents=near,
            warning=await told_of_pace(self._store, asked, orders.control.routing.attention),
        )
        return msgspec.structs.replace(dossier, shown=shown_digest(dossier, action.nonce))

    async def _precedents(self, action: Action, contract: Contract) -> Precedents:
        near = await self._figures.near(action.contract, limit=LOOKED)
        found = [await self._store.get(Action, each) for each in near if each != action.id]
        decided = [each for each in found if each is not None]
        return precedents(action, contract, decided)

    async def _asking(self, action: Action) -> tuple[Asking, ...]:
        decision = action.decision
        if decision is None or action.withheld:
            return ()
        known = await self._known(decision.bundle)
        why = await self._why(action)
        found = [
            Asking(
                policy=name,
                reason=known[name].reason if name in known else "",
                owner=known[name].owner if name in known else "",
                why=why.get(name, ()),
            )
            for name in dict.fromkeys((*decision.because, *(need.policy for need in decision.requirements)))
        ]
        # Rules of ours say their reason with the decision, in the order in which they spoke.
        said = [each.reason for each in found]
        left = [reason for reason in decision.reasons if reason not in said]
        return tuple(
            msgspec.structs.replace(each, reason=left.pop(0)) if not each.reason and left else each for each in found
        )

    async def _known(self, bundle: Digest) -> Mapping[str, Policy]:
        stored = await self._store.get(Bundle, bundle) if bundle else None
        if stored is None:
            return {}
        try:
            return self._policies.load(stored).policies
        except PolicyError:
            return {}  # an older version's, which cannot be loaded any more: the decision's own words remain

    async def _why(self, action: Action) -> Mapping[str, tuple[str, ...]]:
        if self._explaining is None or action.decision is None:
            return {}
        try:
            found = await self._explaining.recorded(action, values=True)
        except InterlockError:
            return {}  # policies were not asked, or can be asked no more; what was decided then is told all the same
        return {each.policy: each.why for each in found.policies if each.policy in action.decision.because}
