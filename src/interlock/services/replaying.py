"""Deciding again what was decided: from what is recorded, by the policies of then and by those in force.

1. The store's record is held against the action's own entries in the log: state, decision, and the arguments by their digest.
2. The question is put to the bundle that decided it: the same answer must come out, or the record is not what happened.
3. It is put to the bundle in force, and what differs is told with the policies it rests on.
"""

from collections.abc import Iterable, Sequence

import msgspec

from interlock.domain.account import Told, listed, told, within
from interlock.domain.action import Action
from interlock.domain.binding import action_digest
from interlock.domain.contract import Contract
from interlock.domain.errors import IllegalMove, NotFound, PolicyError
from interlock.domain.evidence import Entry
from interlock.domain.ids import ActionId, TaskId
from interlock.domain.replay import Replay, Replayed, compared
from interlock.ports.log import Log
from interlock.ports.store import ActionQuery, Store
from interlock.services.explaining import Explaining

PAGE = 500
_UNASKABLE = (IllegalMove, NotFound, PolicyError)


class Replaying:
    """Reads; writes nothing."""

    def __init__(self, *, store: Store, log: Log, explaining: Explaining) -> None:
        self._store = store
        self._log = log
        self._explaining = explaining

    async def action(self, action: Action) -> Replay:
        """One action, decided again."""
        return Replay(about=f"action {action.id}", replayed=(await self._replayed(action),))

    async def task(self, task: TaskId) -> Replay:
        """Every action of a task, oldest first. Raises NotFound where there is none."""
        before: ActionId | None = None
        found: list[Action] = []
        while True:
            page = await self._store.actions(ActionQuery(task=task, before=before, limit=PAGE))
            found += page
            if len(page) < PAGE:
                break
            before = page[-1].id
        return await self._all(f"task {task}", list(reversed(found)))

    async def run(self, run: str) -> Replay:
        """Every action that a run (a process, by its stream) recorded something about, in that order. Raises NotFound."""
        start = 0
        seen: dict[ActionId, None] = {}
        while entries := await self._log.entries(start, start + PAGE):
            seen.update((each.action, None) for each in entries if each.stream == run and each.action is not None)
            start += PAGE
        actions = [await self._store.get(Action, each) for each in seen]
        return await self._all(f"run {run}", [each for each in actions if each is not None])

    async def _all(self, about: str, actions: Sequence[Action]) -> Replay:
        if not actions:
            raise NotFound(
                f"the {about} has no actions", next_step="name an action, a task or a run: `interlock actions`"
            )
        return Replay(about=about, replayed=tuple([await self._replayed(each) for each in actions]))

    async def _replayed(self, action: Action) -> Replayed:
        bare = Replayed(action=action.id, contract=action.contract)
        decision = action.decision
        if action.withheld:
            return msgspec.structs.replace(bare, skipped=f"what it was asked with is {action.withheld}")
        contract = await self._store.get(Contract, action.contract_digest)
        problems = tuple(against(action, contract, await self._log.entries_of(action.id)))
        bare = msgspec.structs.replace(bare, evidence=problems)
        if decision is None:
            why = "; ".join(action.reasons) or "nothing was decided"
            return msgspec.structs.replace(bare, skipped=f"policies were not asked: {why}")
        try:
            then = await self._explaining.recorded(action)
        except _UNASKABLE as error:
            return msgspec.structs.replace(bare, skipped=error.detail)
        try:
            now = await self._explaining.recorded(action, await self._explaining.in_force())
        except _UNASKABLE as error:
            return compared(bare, decision, then, error.detail)
        return compared(bare, decision, then, now)


def against(action: Action, contract: Contract | None, entries: Iterable[Entry]) -> Iterable[str]:
    """What the store's record says otherwise than the log."""
    said = [each for each in (told(entry.index, entry.leaf) for entry in entries) if each is not None]
    numbered = [each for each in said if each.seq]
    if not numbered:
        yield "the log has no entry of it"
        return
    if numbered[-1].state != action.state:
        yield f"the log says it is {numbered[-1].state}, the store {action.state}"
    yield from _decided(action, numbered)
    digests = [str(within(each.predicate, "actionDigest")) for each in numbered]
    last = next((each for each in reversed(digests) if each), "")
    if contract is not None and last != action_digest(contract, action.arguments, action.nonce):
        yield "its arguments are not those whose digest the log holds"


def _decided(action: Action, numbered: Sequence[Told]) -> Iterable[str]:
    decisions = [each for each in numbered if within(each.predicate, "decision")]
    if not decisions or action.decision is None:
        return
    last = decisions[-1].predicate
    logged = (
        str(within(last, "decision", "reported")),
        tuple(map(str, listed(last, "decision", "policies"))),
        str(within(last, "decision", "policyDigest")),
    )
    if logged != (action.decision.verdict, tuple(action.decision.because), action.decision.bundle):
        yield f"the log says it was decided {logged[0]} by {', '.join(logged[1])}, the store otherwise"
