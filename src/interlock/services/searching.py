"""Finding actions by what the log says of them: who, what, which policy, who agreed, which record.

1. The index is brought up to the log's head (`following`).
2. It names the actions that are meant.
3. Each is told as the store has it now.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Final, NamedTuple

import msgspec

from interlock.domain.account import Told, told
from interlock.domain.action import Action, State
from interlock.domain.baseline import Unusual
from interlock.domain.card import Card, Question, card_of, schema_digest, touched
from interlock.domain.contract import Contract
from interlock.domain.errors import Conflict, IntegrityError, StoreBusy
from interlock.domain.evidence import Entry
from interlock.domain.ids import ActionId, AgentName, ContractName, TaskId
from interlock.ports.derived import Reached
from interlock.ports.index import Index
from interlock.ports.log import Log
from interlock.ports.store import Store
from interlock.services.following import STEP, Following, Progress

NEAR: Final = 2_000
"""An index that is so few entries behind is brought up to the log's head while somebody waits; one that is further is asked as
it is, and whoever asked is told how far it has read."""
ROUNDS: Final = 10
"""How often it is begun again because somebody else cleared the index meanwhile."""


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """One action that was found, and why it was decided as it was."""

    action: ActionId
    task: TaskId
    agent: AgentName
    contract: ContractName
    state: State
    began_at: int
    initiator: str
    verdict: str = ""
    policies: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    approvers: tuple[str, ...] = ()
    touches: tuple[str, ...] = ()
    unusual: tuple[Unusual, ...] = ()
    """In what it departed from its agent's baseline."""


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What was found in the log up to `size` entries. `more`: there are others, beyond the limit."""

    hits: tuple[Hit, ...]
    more: bool
    size: int


class Actions(NamedTuple):
    """As `Found`, with the actions as they are stored."""

    actions: list[Action]
    more: bool
    size: int


class Searching(Following[Index]):
    """Reads the store and the log; writes nothing but the index."""

    def __init__(self, *, store: Store, log: Log, index: Callable[[], Index]) -> None:
        super().__init__(log, index)
        self._store = store
        self._contracts: dict[str, Contract | None] = {}

    async def find(self, question: Question, progress: Progress | None = None) -> Found:
        """The actions that are meant, as they are now, by all that the log says of them. Raises StoreError."""
        return await self._told(await self._stored(question, partial(self._named, progress=progress)))

    async def lately(self, question: Question) -> Found:
        """The same for whoever looks on, where somebody else keeps the index warm: it is brought up to the log's head first
        where that is near, and is otherwise asked as far as it has read. Raises StoreError."""
        return await self._told(await self.actions(question))

    async def actions(self, question: Question) -> Actions:
        """As `lately`, the actions themselves."""
        return await self._stored(question, self._nearly)

    async def _stored(
        self, question: Question, named: Callable[[Question], Awaitable[tuple[list[ActionId], int]]]
    ) -> Actions:
        wanted = msgspec.structs.replace(question, limit=question.limit + 1)
        names, size = await self._sound(lambda: named(wanted))
        found: list[Action] = []
        for each in names[: question.limit]:
            action = await self._store.get(Action, each)
            if action is None:
                raise IntegrityError(
                    f"action {each} is in the log and not in the store", next_step="`interlock verify` says more"
                )
            found.append(action)
        return Actions(found, len(names) > question.limit, size)

    async def _told(self, found: Actions) -> Found:
        hits = [_hit(each, await self._contract(each.contract_digest)) for each in found.actions]
        return Found(hits=tuple(hits), more=found.more, size=found.size)

    async def _nearly(self, question: Question) -> tuple[list[ActionId], int]:
        size, _ = await self._read_a_little(NEAR)
        return await self.derived.find(question), size

    async def _named(self, question: Question, progress: Progress | None) -> tuple[list[ActionId], int]:
        for _ in range(ROUNDS):
            size = await self._read_on(progress, STEP)
            with suppress(Conflict):
                return await self.derived.find(question, size), size
        raise StoreBusy("the index over the log is being cleared by other processes again and again")

    async def _take(
        self, entries: Sequence[Entry], *, given: Reached, now: Reached, erased: Sequence[ActionId]
    ) -> bool:
        cards: list[Card] = []
        for entry in entries:
            said = told(entry.index, entry.leaf) if entry.action is not None else None
            if said is not None and said.action:
                cards.append(card_of(said, entry.disclosures, await self._contract(await self._digest(said))))
        return await self.derived.take(cards, given=given, now=now, erased=erased)

    async def _digest(self, said: Told) -> str:
        """The contract of an entry with arguments: the first entry of an action names it, one that modifies them does not."""
        digest = schema_digest(said)
        if digest or "toolArgs" not in said.commitments:
            return digest
        action = await self._store.get(Action, said.action)
        return "" if action is None else action.contract_digest

    async def _contract(self, digest: str) -> Contract | None:
        if not digest:
            return None
        if digest not in self._contracts:
            self._contracts[digest] = await self._store.get(Contract, digest)
        return self._contracts[digest]


def _hit(action: Action, contract: Contract | None) -> Hit:
    decision, hold = action.decision, action.hold
    return Hit(
        action=action.id,
        task=action.task,
        agent=action.agent,
        contract=action.contract,
        state=action.state,
        began_at=action.proposed_at,
        initiator=action.initiator,
        verdict="" if decision is None else decision.verdict,
        policies=() if decision is None else tuple(decision.because),
        reasons=action.reasons,
        approvers=() if hold is None else tuple(f"{word.person} ({word.verdict})" for word in hold.approvals),
        touches=() if contract is None else tuple(sorted(touched(contract, action.arguments))),
        unusual=() if action.asked is None else action.asked.unusual,
    )
