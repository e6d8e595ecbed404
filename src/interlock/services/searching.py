"""Finding actions by what the log says of them: who, what, which policy, who agreed, which record.

1. The index is brought up to the log's head, some entries at a time; a crash between two steps loses nothing but time.
2. It names the actions that are meant.
3. Each is told as the store has it now.

What an erasure covers is forgotten in the step that reads of it. An index that read another log than this one (a backup was
restored, a file exchanged) is cleared and made again.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Final

import msgspec

from interlock.domain.account import Told, told, within
from interlock.domain.action import Action, State
from interlock.domain.baseline import Unusual
from interlock.domain.card import Card, Question, card_of, schema_digest, touched
from interlock.domain.contract import Contract
from interlock.domain.erasure import numbers_in
from interlock.domain.errors import Conflict, IntegrityError, StoreBusy
from interlock.domain.evidence import Entry
from interlock.domain.ids import ActionId, AgentName, ContractName, TaskId
from interlock.domain.note import parse_checkpoint, parse_note
from interlock.ports.index import Index, Reached
from interlock.ports.log import Log
from interlock.ports.store import Store

STEP: Final = 2_000
"""Entries of one step."""
ROUNDS: Final = 10
"""How often it is begun again because somebody else cleared the index meanwhile."""
ERASED: Final = "erased"
Progress = Callable[[int, int], None]


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


class Searching:
    """Reads the store and the log; writes nothing but the index."""

    def __init__(self, *, store: Store, log: Log, index: Index) -> None:
        self._store = store
        self._log = log
        self._index = index
        self._contracts: dict[str, Contract | None] = {}

    async def find(self, question: Question, progress: Progress | None = None) -> Found:
        """The actions that are meant, as they are now. Raises StoreError."""
        named, size = await self._named(msgspec.structs.replace(question, limit=question.limit + 1), progress)
        hits: list[Hit] = []
        for each in named[: question.limit]:
            action = await self._store.get(Action, each)
            if action is None:
                raise IntegrityError(
                    f"action {each} is in the log and not in the store", next_step="`interlock verify` says more"
                )
            hits.append(_hit(action, await self._contract(action.contract_digest)))
        return Found(hits=tuple(hits), more=len(named) > question.limit, size=size)

    async def _named(self, question: Question, progress: Progress | None) -> tuple[list[ActionId], int]:
        for _ in range(ROUNDS):
            size = await self.catch_up(progress)
            with suppress(Conflict):
                return await self._index.find(question, size), size
        raise StoreBusy("the index over the log is being cleared by other processes again and again")

    async def catch_up(self, progress: Progress | None = None) -> int:
        """Bring the index to the log's head, and give the size of the log there."""
        note = await self._log.head()
        size = parse_checkpoint(parse_note(note.encode()).text).size if note is not None else 0
        reached = await self._index.reached()
        if not await self._same(reached, size):
            await self._index.clear()
            reached = await self._index.reached()
        while reached.next < size:
            reached = await self._step(reached, size)
            if progress is not None:
                progress(reached.next, size)
        return size

    async def forget(self, actions: list[ActionId]) -> None:
        """No longer find these by persons and records."""
        await self._index.forget(actions)

    async def _same(self, reached: Reached, size: int) -> bool:
        """Whether what the index has read is the beginning of this log."""
        if not reached.next:
            return True
        if reached.next > size:
            return False
        last = await self._log.entries(reached.next - 1, reached.next)
        return bool(last) and last[0].leaf_hash == reached.leaf

    async def _step(self, given: Reached, size: int) -> Reached:
        stop = min(given.next + STEP, size)
        entries = await self._log.entries(given.next, stop)
        for place, entry in zip(range(given.next, stop), [*entries, None], strict=False):
            if entry is None or entry.index != place:
                raise IntegrityError(f"entry {place} of the log is missing", next_step="`interlock verify` says more")
        cards: list[Card] = []
        erased: list[ActionId] = []
        for entry in entries:
            if entry.phase == ERASED:
                erased += await self._covered(entry)
            said = told(entry.index, entry.leaf) if entry.action is not None else None
            if said is not None and said.action:
                cards.append(card_of(said, entry.disclosures, await self._contract(await self._digest(said))))
        now = Reached(entries[-1].index + 1, entries[-1].leaf_hash)
        return (
            now if await self._index.take(cards, given=given, now=now, erased=erased) else await self._index.reached()
        )

    async def _covered(self, entry: Entry) -> list[ActionId]:
        """The actions of the entries that an erasure covers."""
        said = told(entry.index, entry.leaf)
        covers = str(within(said.predicate, "covers")) if said is not None else ""
        try:
            indexes = numbers_in(covers, entry.index)
        except ValueError:
            return []  # verifying names it
        found = [await self._log.entries(each, each + 1) for each in indexes]
        return [each.action for some in found for each in some if each.action is not None]

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
