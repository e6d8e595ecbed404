"""Deciding on many like actions in one go.

1. `draw`: the set is looked at, and one of it is drawn, durably. *A crash after it: drawing again gives the same.*
2. The person opens the one that was drawn, as any (`Dossiers.open`).
3. `decide`: each action gets the person's word by itself. *A crash in between: those that have it have it, the others wait.*
"""

from typing import Final, Literal

import msgspec

from interlock.domain.action import Action
from interlock.domain.approval import look_of
from interlock.domain.batch import Batch, BatchResult, Drawn, Left, batch_id, drawn_key, must_be_alike
from interlock.domain.change import Change
from interlock.domain.contract import Contract
from interlock.domain.entitlement import entitled
from interlock.domain.errors import ContractError, IllegalMove, NotAllowed, NotFound, StaleView
from interlock.domain.ids import ActionId, Digest, Person
from interlock.domain.pace import Pace, must_not_hurry
from interlock.domain.vigilance import Seed, turned_out
from interlock.ports.clock import Clock, Ids
from interlock.ports.store import Store
from interlock.services.again import again
from interlock.services.approvals import Approvals
from interlock.services.known_actions import stored_action
from interlock.services.orders import StandingOrders
from interlock.services.saving import save

MISSED: Final = "one of these was known to be bad, and you agreed to it: look at each of the others by itself"


class Batches:
    """Draws and decides."""

    def __init__(self, *, store: Store, orders: StandingOrders, approvals: Approvals, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._orders = orders
        self._approvals = approvals
        self._clock = clock
        self._ids = ids

    @again
    async def draw(self, person: Person, actions: tuple[ActionId, ...]) -> Batch:
        """Which of `actions` the person has to open before deciding on all. Drawn once for a person and a set.

        Raises NotAllowed where they are not alike, of critical risk, too many or too few, where the person may not decide on one
        of them, or where another one was drawn for them that they have not opened: a set is not named anew until the one drawn
        suits. NotFound.
        """
        wanted = tuple(sorted(set(actions)))
        contract = await self._alike(person, wanted)
        name = batch_id(person, wanted)
        found = await self._store.get(Batch, name)
        if found is not None:
            return found
        last = await self._store.get(Drawn, drawn_key(person, contract)) or Drawn(
            person=person, contract=contract, action=ActionId("")
        )
        drawn = await self._drawn(last, wanted)
        batch = Batch(id=name, person=person, actions=wanted, drawn=drawn, drawn_at=self._clock.now())
        await save(self._store, Change(puts=(batch, msgspec.structs.replace(last, action=drawn))))
        return batch.saved()

    async def of(self, name: str, person: Person) -> Batch:
        """What was drawn for `person`. Raises NotFound."""
        found = await self._store.get(Batch, name)
        if found is None or found.person != person:
            raise NotFound("there is no such batch of yours", next_step="draw one: name the actions")
        return found

    async def decide(
        self,
        name: str,
        person: Person,
        verdict: Literal["approve", "reject"],
        *,
        note: str,
        views: dict[ActionId, Digest],
        session: str = "",
    ) -> BatchResult:
        """Say `verdict` to each of a batch that was drawn for `person` and of which they opened the one that was drawn.

        `views` has the view of each as it was listed; one that is no longer that, or that cannot be decided on any more, is
        left out and said; so are all others where one turns out to have been known to be bad. Raises NotAllowed where the one
        drawn was not opened as it now is, or where so many yeses are more than the person has left; ContractError for a no
        without a reason, or a view that is missing; NotFound.
        """
        batch = await self.of(name, person)
        if verdict == "reject" and not note.strip():
            raise ContractError("a no says why", path="/note", next_step="give the reason: the agents are told it")
        missing = [each for each in batch.actions if each not in views]
        if missing:
            raise ContractError(
                f"the view of {missing[0]} is missing", path="/views", next_step="say what was shown of each"
            )
        await self._must_be_opened(batch)
        if verdict == "approve":
            attention = (await self._orders.refresh()).control.routing.attention
            pace = await self._store.get(Pace, person) or Pace(person=person)
            must_not_hurry(pace, attention, self._clock.now(), words_now=len(batch.actions))
        decided: list[ActionId] = []
        left: list[Left] = []
        known_bad = [each for each in batch.actions if await self._store.get(Seed, each) is not None]
        missed = False
        for each in (*known_bad, *(other for other in batch.actions if other not in known_bad)):
            if missed:
                left.append(Left(action=each, why=MISSED))
                continue
            try:
                if verdict == "approve":
                    after = await self._approvals.approve(each, person, note=note, view=views[each], session=session)
                    missed = turned_out(after)
                else:
                    await self._approvals.reject(each, person, note=note, view=views[each], session=session)
            except (StaleView, NotAllowed, IllegalMove, NotFound) as error:
                left.append(Left(action=each, why=error.detail))
            else:
                decided.append(each)
        return BatchResult(decided=tuple(decided), left=tuple(left))

    async def _drawn(self, last: Drawn, wanted: tuple[ActionId, ...]) -> ActionId:
        """One of `wanted`: the last one drawn, as long as it waits and the person has not opened it."""
        before = await self._store.get(Action, last.action) if last.action else None
        hold = None if before is None or before.state != "held" else before.hold
        if hold is None or look_of(hold, last.person) is not None:
            for each in wanted:
                # Nobody agrees to what is known to be bad without having opened it; drawn once more, it would show what it is.
                if await self._store.get(Seed, each) is not None and not await self._opened(each, last.person):
                    return each
            # 128 random bits: nobody finds out beforehand which one it will be.
            return wanted[int(self._ids.nonce(), 16) % len(wanted)]
        if last.action not in wanted:
            raise NotAllowed(
                f"action {last.action} was drawn for you, and you have not opened it",
                next_step=f"look at it first: `interlock look {last.action}`",
                drawn=last.action,
            )
        return last.action

    async def _opened(self, name: ActionId, person: Person) -> bool:
        hold = (await stored_action(self._store, name)).hold
        return hold is not None and look_of(hold, person) is not None

    async def _alike(self, person: Person, names: tuple[ActionId, ...]) -> Digest:
        """The contract of all of them."""
        actions: list[Action] = []
        contracts: list[Contract] = []
        for each in names[:100]:
            action = await stored_action(self._store, each)
            actions.append(action)
            contracts.append(await self._orders.contract(action.contract_digest))
        must_be_alike(actions, contracts)
        control = (await self._orders.refresh()).control
        for action in actions:
            if action.hold is not None:
                entitled(action, action.hold, person, control)
        return actions[0].contract_digest

    async def _must_be_opened(self, batch: Batch) -> None:
        action = await self._store.get(Action, batch.drawn)
        hold = None if action is None or action.state != "held" else action.hold
        if hold is None:
            raise NotAllowed(
                f"action {batch.drawn}, which was drawn, waits no more", next_step="leave it out, and draw again"
            )
        if look_of(hold, batch.person) is None:
            raise NotAllowed(
                f"action {batch.drawn} was drawn, and you have not opened it as it now is",
                next_step=f"look at it first: `interlock look {batch.drawn}`",
            )
