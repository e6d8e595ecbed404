"""Erasing what is private: a person's data on request, or a class of data whose time is over.

1. One person proposes, and hears beforehand what would go and what would not; or a worker does, when the time of a class is
   over, and the first of two persons agrees. What it covers is fixed. *Nothing is erased.*
2. Another agrees to the same. That it is agreed to is durable before anything goes. *A crash after it: whoever agrees again,
   or a worker, goes on.*
3. What was proposed, and may go then, is erased some records at a time, each time with an entry that says which keys went.
4. The record of the erasure itself goes last, with whom it was about; then the key over the keys is exchanged.

What waits, is in flight or is being undone is left, and so are what a legal hold names and what came after the proposal; all
are told.
"""

from collections import Counter
from collections.abc import Mapping
from hashlib import sha256
from typing import Final

import msgspec

from interlock.domain.change import Change, Unchanged
from interlock.domain.duration import DAY
from interlock.domain.erasing import Erasure, LegalHold, Part, erasure_fact, hold_fact
from interlock.domain.erasure_scope import Covered, Scope, scope_digest, scope_key, scopes_of
from interlock.domain.errors import Conflict, ContractError, IllegalMove, IntegrityError, NotAllowed, NotFound
from interlock.domain.ids import ErasureId, HoldId, Person
from interlock.ports.clock import Clock, Ids
from interlock.ports.store import Store
from interlock.services.erasable import MANY, Plan, Search
from interlock.services.orders import StandingOrders
from interlock.services.saving import save

NEXT_LIST: Final = "see what became of it: `interlock erase --list`"
NEXT_KIND: Final = "write it as contracts and tasks do, with its kind: `user:carla`, `customer:c-17`"
PART: Final = 200
"""How many records one part of an erasure takes: its entry names their keys and must fit into a leaf."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be erased: what is about `subject`, or what has something of a class and ended before a time."""

    subject: str = ""
    data_class: str = ""


class Erasing:
    """Proposes, agrees and erases; places and lifts holds."""

    def __init__(
        self, *, store: Store, orders: StandingOrders, clock: Clock, ids: Ids, retention: Mapping[str, int]
    ) -> None:
        self._store = store
        self._orders = orders
        self._clock = clock
        self._ids = ids
        self._retention = retention

    async def plan(self, target: Target) -> Plan:
        """What erasing `target` now would take. Raises ContractError where it names nothing that can be erased."""
        return await self._found(target.subject, target.data_class, self._before(target))

    async def propose(self, target: Target, person: Person, *, why: str) -> Erasure:
        """Propose to erase `target`: what may go now. Raises NotAllowed when `person` is nobody here, ContractError as `plan`
        does, NotFound where there is nothing, IllegalMove where the same is proposed and open, or nothing may go now."""
        await self._known(person)
        if not why:
            raise ContractError("an erasure says why", next_step="add `--why`, without naming anybody")
        before = self._before(target)
        for each in await self.erasures():
            if each.state == "open" and (each.subject, each.data_class) == (target.subject, target.data_class):
                raise IllegalMove(
                    f"the same is proposed already, as `{each.id}`",
                    state=each.state,
                    next_step="somebody else agrees to that: `interlock erase --accept ID --as NAME`; or `--withdraw` it",
                )
        plan = await self._found(target.subject, target.data_class, before)
        if target.subject and plan.nothing:
            raise NotFound(f"nothing here is about `{target.subject}`", next_step=NEXT_KIND)
        if target.subject and not plan.goes:
            raise IllegalMove(
                f"nothing about `{target.subject}` may go now: {left_words(plan)}",
                state="left",
                next_step="propose it when it may: `interlock erase --subject NAME` says what is left, and why",
            )
        if target.data_class and not plan.actions:
            raise NotFound(
                f"nothing of the class `{target.data_class}` is over its time, or it may not go yet",
                next_step="`interlock erase --class NAME` says what is held or not settled",
            )
        now = self._clock.now()
        made = Erasure(
            id=ErasureId(self._ids.new()),
            basis="retention" if target.data_class else "request",
            subject=target.subject,
            data_class=target.data_class,
            before_at=before,
            why=why,
            proposed_by=person,
            proposed_at=now,
        )
        made, scopes = _fixed(made, plan)
        await save(self._store, Change(puts=(made, *scopes), facts=(erasure_fact(made, "proposed", person, now),)))
        return made.saved()

    async def due(self, erasure: ErasureId) -> Plan:
        """What agreeing to it now would take, and what of the same came since it was proposed. Raises NotFound."""
        found = await self.get(erasure)
        return await self._found(found.subject, found.data_class, found.before_at, await self._scope(found))

    async def accept(self, erasure: ErasureId, person: Person) -> Erasure:
        """Agree to it, and carry it out. Of one that was agreed to and not ended, go on. One that the schedule proposed takes
        two who agree: with the first it stays open.

        Raises NotFound, IllegalMove when it is open no more, or nothing of it may go now, and NotAllowed when `person` is
        nobody here or proposed it.
        """
        await self._known(person)
        found = await self.get(erasure)
        if found.state == "open" and person != found.proposed_by:
            await self._must_go(found)
        if found.state == "open" and found.scheduled and not found.proposed_by:
            # Nobody's proposal takes two persons: this is the first.
            after = msgspec.structs.replace(found, proposed_by=person)
            fact = erasure_fact(after, "accepted", person, self._clock.now())
            await save(self._store, Change(puts=(after,), facts=(fact,)))
            return after.saved()
        if found.state == "open":
            if person == found.proposed_by:
                raise NotAllowed(f"`{person}` proposed this; it takes somebody else", next_step="ask another person")
            after = msgspec.structs.replace(found, state="erasing", accepted_by=person)
            fact = erasure_fact(after, "accepted", person, self._clock.now())
            await save(self._store, Change(puts=(after,), facts=(fact,)))
            found = after.saved()
        if found.state != "erasing":
            raise IllegalMove(f"the erasure is {found.state}", state=found.state, next_step=NEXT_LIST)
        return await self._carry_out(found)

    async def withdraw(self, erasure: ErasureId, person: Person) -> Erasure:
        """Take a proposal back. Raises as `accept` does."""
        await self._known(person)
        found = await self.get(erasure)
        if found.state != "open":
            raise IllegalMove(f"the erasure is {found.state}", state=found.state, next_step=NEXT_LIST)
        after = msgspec.structs.replace(found, state="withdrawn", ended_at=self._clock.now())
        fact = erasure_fact(after, "withdrawn", person, self._clock.now())
        await save(self._store, Change(puts=(after,), facts=(fact,)))
        return after.saved()

    async def get(self, erasure: ErasureId) -> Erasure:
        """One of them. Raises NotFound."""
        found = await self._store.get(Erasure, erasure)
        if found is None:
            raise NotFound(f"there is no erasure `{erasure}`", next_step="list them: `interlock erase --list`")
        return found

    async def erasures(self) -> list[Erasure]:
        """Newest first, whatever became of them."""
        return await self._store.all(Erasure)

    async def resume(self) -> int:
        """Go on with what was agreed to and interrupted. How many were ended."""
        begun = [each for each in await self.erasures() if each.state == "erasing"]
        for each in begun:
            await self._carry_out(each)
        return len(begun)

    async def schedule(self) -> list[Erasure]:
        """Propose what is over the time of its class and may go. Of a class for which one is open, being carried out, or was
        withdrawn less than a day ago, nothing is. However many do this at once, each is proposed once."""
        made: list[Erasure] = []
        for data_class in sorted(self._retention):
            known = await self._store.all(Erasure, limit=MANY)
            if any(self._settles(each, data_class) for each in known):
                continue
            target = Target(data_class=data_class)
            count = sum(each.basis == "retention" for each in known)
            proposal = self._scheduled(target, count)
            plan = await self._found("", data_class, proposal.before_at)
            if not plan.actions:
                continue
            proposal, scopes = _fixed(proposal, plan)
            try:
                fact = erasure_fact(proposal, "proposed", "the schedule", proposal.proposed_at)
                await save(self._store, Change(puts=(proposal, *scopes), facts=(fact,)))
            except Conflict:  # another worker did
                continue
            made.append(proposal.saved())
        return made

    def _settles(self, erasure: Erasure, data_class: str) -> bool:
        """Whether there is nothing to propose for the class, because of `erasure`."""
        if erasure.data_class != data_class:
            return False
        lately = erasure.ended_at is not None and erasure.ended_at > self._clock.now() - DAY
        return erasure.state in ("open", "erasing") or (erasure.state == "withdrawn" and lately)

    def _scheduled(self, target: Target, count: int) -> Erasure:
        """Its id follows from the class, the day and how many there were: whoever finds the same makes the same."""
        now = self._clock.now()
        name = sha256(f"{target.data_class}\n{now // DAY}\n{count}".encode()).hexdigest()[:32]
        return Erasure(
            id=ErasureId(f"retention-{name}"),
            basis="retention",
            data_class=target.data_class,
            before_at=self._before(target),
            why="the time is over for which its class is kept",
            proposed_by="",
            proposed_at=now,
            scheduled=True,
        )

    async def place(self, hold: LegalHold, person: Person) -> LegalHold:
        """Forbid to erase what `hold` names. Raises NotAllowed, and ContractError where it names nothing or says no why."""
        await self._known(person)
        if bool(hold.subject) + bool(hold.data_class) + bool(hold.action) != 1 or not hold.why:
            raise ContractError("a hold names one subject, class or action, and says why")
        now = self._clock.now()
        made = msgspec.structs.replace(hold, id=HoldId(self._ids.new()), placed_by=person, placed_at=now)
        await save(self._store, Change(puts=(made,), facts=(hold_fact(made, "placed", person, now),)))
        return made.saved()

    async def lift(self, hold: HoldId, person: Person) -> LegalHold:
        """Lift a hold. Raises NotFound, NotAllowed, and IllegalMove where it was lifted already."""
        await self._known(person)
        found = await self._store.get(LegalHold, hold)
        if found is None:
            raise NotFound(f"there is no hold `{hold}`", next_step="list them: `interlock hold list`")
        if found.lifted_at is not None:
            raise IllegalMove(
                "the hold was lifted already", state="lifted", next_step="list them: `interlock hold list`"
            )
        after = msgspec.structs.replace(found, lifted_by=person, lifted_at=self._clock.now())
        fact = hold_fact(after, "lifted", person, self._clock.now())
        await save(self._store, Change(puts=(after,), facts=(fact,)))
        return after.saved()

    async def holds(self) -> list[LegalHold]:
        """Newest first, lifted ones too."""
        return await self._store.all(LegalHold, limit=MANY)

    # -- parts -------------------------------------------------------------------------------------------------

    async def _known(self, person: Person) -> None:
        control = (await self._orders.refresh()).control
        if not control.roles(person):
            raise NotAllowed(f"`{person}` holds no role here")

    def _before(self, target: Target) -> int:
        """Of a class, what ended before this goes. Raises ContractError for what names nothing."""
        if bool(target.subject) == bool(target.data_class):
            raise ContractError("an erasure names a subject or a class", next_step="`--subject customer:c-17`")
        if not target.data_class:
            return 0
        kept = self._retention.get(target.data_class)
        if kept is None:
            raise ContractError(
                f"interlock.yaml says no time for which the class `{target.data_class}` is kept",
                next_step=f"add it: `retention: {{{target.data_class}: 180d}}`",
            )
        return self._clock.now() - kept

    async def _found(
        self, subject: str, data_class: str, before_at: int, only: frozenset[Covered] | None = None
    ) -> Plan:
        now = self._clock.now()
        people = (await self._orders.refresh()).control.people
        return await Search(
            self._store, await self.holds(), subject, data_class, before_at, now, only, people=people
        ).plan()

    async def _must_go(self, erasure: Erasure) -> None:
        if not erasure.scope:
            raise IllegalMove(
                "an earlier version proposed this, and did not fix what goes",
                state=erasure.state,
                next_step="take it back (`interlock erase --withdraw`), and propose it anew",
            )
        plan = await self.due(erasure.id)
        if not plan.goes:
            raise IllegalMove(
                f"nothing of what was proposed may go now: {left_words(plan)}",
                state=erasure.state,
                next_step="agree when it may, or take it back (`interlock erase --withdraw`) and propose anew",
            )

    async def _scope(self, erasure: Erasure) -> frozenset[Covered] | None:
        """What it covers; None of one of an earlier version, which covers what is found. Raises IntegrityError where it is not
        what was proposed."""
        if not erasure.scope:
            return None
        names, number = set[Covered](), 1
        while scope := await self._store.get(Scope, scope_key(erasure.id, number)):
            names.update(scope.names)
            number += 1
        if scope_digest(names) != erasure.scope:
            raise IntegrityError(
                f"what the erasure `{erasure.id}` covers is not what was proposed: nothing of it is erased",
                next_step="something else wrote to the store: keep its file, and restore a backup",
            )
        return frozenset(names)

    async def _carry_out(self, erasure: Erasure) -> Erasure:
        """Erase until nothing is left of what it covers and may go, then the record of it."""
        only = await self._scope(erasure)
        while erasure.state == "erasing":
            plan = await self._found(erasure.subject, erasure.data_class, erasure.before_at, only)
            wanted = plan.records
            try:
                for start in range(0, len(wanted), PART):
                    erasure = await self._part(erasure, wanted[start : start + PART], plan.holds)
                if not wanted:
                    own = Unchanged(Erasure.kind, erasure.id, erasure.revision)
                    await self._store.erase(self._what(erasure, (own,)))
                    break
            except (
                Conflict
            ):  # one of them moved, a hold was placed, or somebody else carries it out as well: look again
                erasure = await self.get(erasure.id)
        await self._store.scrub()
        return await self.get(erasure.id)

    async def _part(self, erasure: Erasure, records: tuple[Unchanged, ...], holds: int) -> Erasure:
        """Count the part first: a number that was used for one that a crash cut short is not used again."""
        after = msgspec.structs.replace(erasure, parts=erasure.parts + 1)
        await save(self._store, Change(puts=(after,)))
        await self._store.erase(msgspec.structs.replace(self._what(erasure, records), holds=holds))
        return after.saved()

    def _what(self, erasure: Erasure, records: tuple[Unchanged, ...]) -> Part:
        return Part(
            erasure=erasure.id,
            number=erasure.parts + 1,
            basis=erasure.basis,
            records=records,
            consents=len({erasure.proposed_by, erasure.accepted_by}),
            observed_at=self._clock.now(),
            private={"by": [erasure.proposed_by, erasure.accepted_by]},
        )


def left_words(plan: Plan) -> str:
    """Why what is about the target is left, in words."""
    counts = (
        (int(plan.works_here), "person who holds a role here"),
        (sum(plan.held.values()), "held by a legal hold"),
        (len(plan.unsettled), "not settled"),
        (plan.named, "about somebody else, with the initiator's name"),
        (len(plan.since), "of after the proposal"),
    )
    return ", ".join(f"{count} {words}" for count, words in counts if count) or "it is gone already"


def _fixed(proposal: Erasure, plan: Plan) -> tuple[Erasure, tuple[Scope, ...]]:
    """The proposal, covering what `plan` would take; and where that is named."""
    names = [(each.kind, each.key) for each in plan.goes]
    covers = dict(Counter(kind for kind, _ in sorted(names)))
    made = msgspec.structs.replace(proposal, scope=scope_digest(names), covers=covers)
    return made, scopes_of(proposal.id, plan.goes)
