"""Writing moves down: each with its fact, its budget and what it means for the action it undoes, in one transaction."""

import msgspec

from interlock.domain.action import Action, Move, Outcome
from interlock.domain.breaker import Breaker
from interlock.domain.budget import Draw, ended
from interlock.domain.canonical import JsonValue
from interlock.domain.change import Change, given
from interlock.domain.control import Control
from interlock.domain.errors import Conflict, IntegrityError
from interlock.domain.evidence import Fact, Phase
from interlock.domain.ids import ActionId, Person
from interlock.domain.presented import Spent
from interlock.domain.record import Record
from interlock.domain.recording import overheard, recorded
from interlock.domain.vigilance import CODE, Came, Seed
from interlock.ports.clock import Clock
from interlock.ports.steps import Steps
from interlock.ports.store import Store
from interlock.services.breaker import Breakers
from interlock.services.orders import StandingOrders
from interlock.services.saving import save

ROUNDS = 20


def _settles(late: Action, current: Action) -> bool:
    """Whether what `late` learned settles `current`. That it happened always does; that nothing happened speaks for one
    attempt, and only while no other was made after it and nothing is reserved."""
    if late.state == "failed":
        return late.dispatched_fence == current.dispatched_fence and current.prepared is None
    return late.state == "done"


def _took(after: Action, now: int) -> int:
    """For how long it was at work, in milliseconds: nothing where it never began."""
    return now - after.dispatched_at if after.dispatched_at is not None else 0


class Recorder:
    """The only way in which services change an action that is already stored. Every method gives the action as stored."""

    def __init__(self, store: Store, orders: StandingOrders, clock: Clock, steps: Steps, breakers: Breakers) -> None:
        self._breakers = breakers
        self._store = store
        self._orders = orders
        self._clock = clock
        self._steps = steps

    async def write(
        self,
        after: Action,
        phase: Phase,
        step: str | None = None,
        conditions: tuple[Record, ...] = (),
        draws: tuple[Draw, ...] = (),
        *,
        beside: dict[str, JsonValue] | None = None,
        puts: tuple[Record, ...] = (),
        spent: tuple[Spent, ...] = (),
    ) -> Action:
        """Store `after`, already moved, with its fact and `draws`, if `conditions` still are as they were read. `beside` is said
        with the fact behind commitments; `puts` are saved and `spent` is spent with it.

        Raises IntegrityError where an item known to be bad would do more than wait: nothing is ever done with it.
        """
        if after.hold is not None and after.state != "held" and await self.seed(after.id) is not None:
            raise IntegrityError(f"action {after.id} is known to be bad, and is not carried out")
        leaning = tuple(given(each) for each in conditions)
        counted, fact = recorded(after, phase, self._clock.now(), leaning=leaning, beside=beside)
        change = Change(puts=(counted, *puts), given=leaning, draws=draws, facts=(fact,), spent=spent)
        await self._save(after.id, change)
        if step is not None:
            self._steps.reached(step)
        return counted.saved()

    async def seed(self, action: ActionId) -> Seed | None:
        """What is known of `action`, where it is an item known to be bad that still waits, or waited."""
        return await self._store.get(Seed, action)

    async def reveal(
        self,
        said: Action,
        seed: Seed,
        came: Came,
        *,
        phase: Phase,
        person: Person | None = None,
        conditions: tuple[Record, ...] = (),
        also: tuple[Record, ...] = (),
    ) -> Action:
        """End an item known to be bad, opening its mark: with the word that was `said` on it in `phase`, or without any where it
        ended already. Word and end are one commit, so whoever spoke is told, whatever dies."""
        now = self._clock.now()
        ended = msgspec.structs.replace(seed, came=came, person=person or Person(""), ended_at=now)
        leaning = tuple(given(each) for each in conditions)
        facts: list[Fact] = []
        if said.state == "held":
            said, fact = recorded(said, phase, now, leaning=leaning)
            facts.append(fact)
            said, phase = said.after("void"), "voided"
        after = msgspec.structs.replace(
            said, owner=None, lease_until=None, due_at=None, ended_at=now, reasons=(CODE, ended.words)
        )
        word: dict[str, JsonValue] = {
            "item": seed.item.name,
            "came": came,
            "wrong": seed.item.wrong,
            "by": ended.person,
        }
        after, fact = recorded(after, phase, now, leaning=leaning, beside={"vigilance": word}, opens=seed.opens)
        change = Change(puts=(after, ended, *also), given=leaning, facts=(*facts, fact))
        await self._save(after.id, change)
        self._steps.reached("vigilance.revealed")
        return after.saved()

    async def wait(self, action: Action, due_at: int | None) -> Action:
        """Let go of the lease and have it looked at again at `due_at`. Nothing happened, so nothing is recorded."""
        after = msgspec.structs.replace(action, owner=None, lease_until=None, due_at=due_at)
        await self._save(after.id, Change(puts=(after,)))
        return after.saved()

    async def lose(
        self, action: Action, phase: Phase, why: str, *, due_at: int | None, outcome: Outcome, place: str | None = None
    ) -> Action:
        """It may or may not have happened. Visible as `unknown`; asked again at `due_at`, or by a person. With `place`
        whoever goes on with it does so there."""
        moved = action if place is None else msgspec.structs.replace(action, place=place)
        return await self._move(moved, "lose", phase, due_at=due_at, outcome=outcome, reasons=(why,))

    async def late(self, action: Action, outcome: Outcome) -> None:
        """Write down beside what is known what somebody said who was to say it earlier. It changes nothing."""
        said = overheard(msgspec.structs.replace(action, outcome=outcome), "outcome", self._clock.now(), {"late": True})
        await save(self._store, Change(facts=(said,)))

    async def end(
        self,
        action: Action,
        move: Move,
        phase: Phase,
        *,
        conditions: tuple[Record, ...] = (),
        also: tuple[Record, ...] = (),
        **changes: object,
    ) -> Action:
        """The move that ends it, if `conditions` still are as they were read. Its budget is spent if it was done, and
        released otherwise. `also` is saved with it."""
        now = self._clock.now()
        return await self._move(action, move, phase, conditions, also, due_at=None, ended_at=now, **changes)

    async def _move(
        self,
        action: Action,
        move: Move,
        phase: Phase,
        conditions: tuple[Record, ...] = (),
        also: tuple[Record, ...] = (),
        **changes: object,
    ) -> Action:
        now = self._clock.now()
        leaning = tuple(given(each) for each in conditions)
        moved = action.after(move, owner=None, lease_until=None, **changes)
        seed = await self.seed(action.id) if action.state == "held" else None
        if seed is not None:
            return await self.reveal(moved, seed, "unanswered", phase=phase, conditions=conditions, also=also)
        # Only what was done can be undone, and until when is the contract's word.
        contract = await self._orders.contract(action.contract_digest) if moved.state == "done" else None
        after, fact = recorded(moved, phase, now, contract=contract, leaning=leaning)
        puts: list[Record] = [after, *also]
        facts = [fact]
        if after.undoes is not None and after.state != "unknown":
            original, said = await self._undone(after, now)
            puts.append(original)
            facts.append(said)
        draws = (
            ()
            if after.state == "unknown"
            else ended(action.reserved, spent=after.state == "done", took_ms=_took(after, now))
        )
        try:
            change = Change(puts=tuple(puts), given=leaning, draws=draws, facts=tuple(facts))
            await self._save(action.id, change)
        except Conflict:
            if await self._too_late(after, phase):
                return await self.stored(after)
            raise
        self._steps.reached("outcome.recorded")
        return after.saved()

    async def _save(self, action: ActionId, change: Change) -> None:
        """Save `change` with what an answer of the tool means for its breakers. Others count at the same time, and what the tool
        answered is recorded in any case."""
        for _ in range(ROUNDS):
            account = await self._breakers.account(action)
            if not account.puts:
                break
            puts, facts = (*change.puts, *account.puts), (*change.facts, *account.facts)
            try:
                await save(self._store, msgspec.structs.replace(change, puts=puts, facts=facts))
            except Conflict as conflict:
                leaned = any(each.kind == conflict.kind for each in change.given)
                if conflict.kind not in (Breaker.kind, Control.kind) or leaned:
                    raise
                continue
            self._breakers.forget(action)
            return
        await save(self._store, change)
        self._breakers.forget(action)

    async def _undone(self, undo: Action, now: int) -> tuple[Action, Fact]:
        """What the end of `undo` means for the action it undoes."""
        original = await self._store.get(Action, undo.undoes or "")
        if original is None:
            raise IntegrityError(f"action {undo.id} undoes {undo.undoes}, which is not stored")
        if undo.state == "done":
            return recorded(original.after("undone", reasons=()), "compensation", now)
        why = (f"its undo is {undo.state}", *undo.reasons)
        return recorded(original.after("undo_fail", reasons=why), "compensation", now)

    async def _too_late(self, after: Action, phase: Phase) -> bool:
        """Our lease ran out and somebody went on, yet we know what the tool said. If they could only call it unknown,
        our word settles it; otherwise it is written down beside. True if it settled the action."""
        if after.outcome is None or after.outcome.by != "tool" or phase != "outcome":
            return False
        for _ in range(ROUNDS):
            current = await self.stored(after)
            if current.state != "unknown" or not _settles(after, current):
                break
            move: Move = "succeed" if after.state == "done" else "fail"
            try:
                await self.end(
                    current, move, "settled", outcome=after.outcome, reasons=("the first attempt answered late",)
                )
            except Conflict:
                continue
            return True
        late = overheard(after, "outcome", self._clock.now(), {"late": True})
        await save(self._store, Change(facts=(late,)))
        return False

    async def stored(self, action: Action) -> Action:
        """The action as it is stored now. Raises IntegrityError where it is no longer."""
        found = await self._store.get(Action, action.id)
        if found is None:
            raise IntegrityError(f"action {action.id} is no longer stored")
        return found
