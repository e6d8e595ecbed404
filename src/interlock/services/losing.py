"""Acknowledging what is lost: two persons say that they know of it, and the log which entries, why and that two agreed.

1. One person proposes, having read the whole log: what is lost, and is lost without an erasure, is counted.
2. Another agrees. The log is read again: only what is still lost is named. One transaction; *a crash before it leaves the
   proposal, after it everything.*

Nothing is removed by it, and nothing that can be read is named as lost.
"""

from typing import Final, NamedTuple

import msgspec

from interlock.domain.change import Change
from interlock.domain.erasure import numbers_in, ranges_of
from interlock.domain.errors import ContractError, IllegalMove, IntegrityError, NotAllowed, NotFound
from interlock.domain.evidence import Finding
from interlock.domain.ids import ActionId, Person
from interlock.domain.losing import REASONS, Loss, Reason
from interlock.domain.loss_facts import loss_facts
from interlock.domain.verification import LOST
from interlock.ports.clock import Clock, Ids
from interlock.ports.log import Log
from interlock.ports.store import Store
from interlock.services.audit import Verifying
from interlock.services.orders import StandingOrders
from interlock.services.saving import save
from interlock.services.verifying import BEHIND, GONE, must_not_be_behind, verify_whole

MOST_ENTRIES: Final = 1 << 40
NEXT_LIST: Final = "see what became of it: `interlock lost --list`"


class Missing(NamedTuple):
    """What is lost and not acknowledged: entries, and the actions they are about."""

    entries: frozenset[int]
    actions: frozenset[ActionId]


class Losing:
    """Finds what is lost, proposes to acknowledge it, agrees."""

    def __init__(
        self,
        *,
        store: Store,
        log: Log,
        orders: StandingOrders,
        clock: Clock,
        ids: Ids,
        verifying: Verifying | None,
    ) -> None:
        self._store = store
        self._log = log
        self._orders = orders
        self._clock = clock
        self._ids = ids
        self._verifying = verifying

    async def missing(self) -> Missing:
        """What is lost without an erasure and without a word about it. Reads the whole log.

        Raises IntegrityError where the log does not verify for another reason: what else is wrong comes first.
        """
        keys = self._verifying
        if keys is None:
            raise NotFound("there are no public keys to verify with")
        reading = await verify_whole(self._store, self._log, keys.log_key, keys.gate_keys, keys.verify)
        for each in reading.verification.findings:
            if each.problem == BEHIND:
                await must_not_be_behind(self._store)
            if each.problem not in (LOST, GONE):
                raise IntegrityError(f"the log does not verify for another reason: {each.place}: {each.problem}")
        gone = {ActionId(each.place.partition(" ")[2]) for each in reading.verification.findings if _gone(each)}
        entries = set(reading.unexplained)
        for action in gone:
            entries.update(entry.index for entry in await self._log.entries_of(action))
        actions = gone.union(each for each in reading.unexplained.values() if each is not None)
        return Missing(frozenset(entries), frozenset(actions))

    async def propose(self, person: Person, *, reason: str, why: str) -> Loss:
        """Propose to acknowledge everything that is lost now. Raises NotAllowed, ContractError, NotFound where nothing is,
        IllegalMove where one is open, IntegrityError as `missing` does."""
        await self._known(person)
        if reason not in REASONS or not why:
            raise ContractError(
                "a loss that is acknowledged has a reason and says why",
                next_step=f"add `--reason` (one of {', '.join(REASONS)}) and `--why`",
            )
        for each in await self.losses():
            if each.state == "open":
                raise IllegalMove(
                    f"one is proposed already, as `{each.id}`",
                    state=each.state,
                    next_step="somebody else agrees to that: `interlock lost --accept ID --as NAME`; or `--withdraw` it",
                )
        found = await self.missing()
        if not found.entries:
            raise NotFound(
                "nothing is lost here that was not acknowledged", next_step="`interlock verify` says the same"
            )
        made = self._made(found, msgspec.convert(reason, Reason), person, why)
        await save(self._store, Change(puts=(made,), facts=loss_facts(made, "proposed", person, made.proposed_at)))
        return made.saved()

    async def accept(self, loss: str, person: Person) -> Loss:
        """Agree to it. Of what was proposed only what is still lost is named.

        Raises NotFound, IllegalMove where it is open no more or nothing of it is lost any more, NotAllowed, IntegrityError.
        """
        found = await self._open(loss, person)
        if person == found.proposed_by:
            raise NotAllowed(f"`{person}` proposed this; it takes somebody else", next_step="ask another person")
        if found.withheld:
            raise IllegalMove(
                "the proposal itself cannot be read", state=found.state, next_step="withdraw it, propose anew"
            )
        now = await self.missing()
        entries = now.entries.intersection(numbers_in(found.covers, MOST_ENTRIES))
        if not entries:
            raise IllegalMove(
                "nothing of it is lost any more",
                state=found.state,
                next_step="take it back: `interlock lost --withdraw`",
            )
        at = self._clock.now()
        after = msgspec.structs.replace(
            found,
            state="acknowledged",
            accepted_by=person,
            covers=ranges_of(entries),
            entries=len(entries),
            actions=len(now.actions),
            ended_at=at,
        )
        await save(
            self._store, Change(puts=(after,), facts=loss_facts(after, "acknowledged", person, at, sorted(entries)))
        )
        return after.saved()

    async def withdraw(self, loss: str, person: Person) -> Loss:
        """Take a proposal back. Raises NotFound, IllegalMove, NotAllowed."""
        found = await self._open(loss, person)
        after = msgspec.structs.replace(found, state="withdrawn", ended_at=self._clock.now())
        await save(self._store, Change(puts=(after,), facts=loss_facts(after, "withdrawn", person, self._clock.now())))
        return after.saved()

    async def losses(self) -> list[Loss]:
        """Newest first, whatever became of them."""
        return await self._store.all(Loss)

    # -- parts -------------------------------------------------------------------------------------------------

    def _made(self, found: Missing, reason: Reason, person: Person, why: str) -> Loss:
        return Loss(
            id=self._ids.new(),
            reason=reason,
            covers=ranges_of(found.entries),
            entries=len(found.entries),
            actions=len(found.actions),
            why=why,
            proposed_by=person,
            proposed_at=self._clock.now(),
        )

    async def _open(self, name: str, person: Person) -> Loss:
        await self._known(person)
        found = [each for each in await self.losses() if name and each.id.endswith(name)]
        if len(found) != 1:
            raise NotFound(f"there is no one proposal `{name}`", next_step="list them: `interlock lost --list`")
        if found[0].state != "open":
            raise IllegalMove(f"it is {found[0].state}", state=found[0].state, next_step=NEXT_LIST)
        return found[0]

    async def _known(self, person: Person) -> None:
        if not (await self._orders.refresh()).control.roles(person):
            raise NotAllowed(f"`{person}` holds no role here")


def _gone(finding: Finding) -> bool:
    return finding.problem == GONE and finding.place.startswith("action ")
