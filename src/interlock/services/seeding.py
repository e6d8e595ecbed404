"""Putting items known to be bad before people, among the others, and taking them away again.

1. After the words of people it is drawn by chance when the next item comes. *A crash before it is stored: it is drawn anew.*
2. When its time has come an item is made to look like the last action of its contract that people were asked about: its agent,
   instance and everything else that is not the item's own. It is bound, judged and held by what does so for every action.
3. Action, mark and draw are one commit; nothing is reserved. *A crash before it: an empty task is left, which ends by itself.*
4. `Recorder.reveal` ends it with the first word on it; its task is closed here. *A crash before that: the next round does.*
"""

from typing import Final, NamedTuple

import msgspec

from interlock.domain.action import Action
from interlock.domain.budget import Budget, as_defined, defined_by
from interlock.domain.budget import drawn as after_draw
from interlock.domain.change import Change
from interlock.domain.contract import Contract
from interlock.domain.control import REFUSES
from interlock.domain.errors import BudgetExceeded, Conflict, ContractError, InterlockError, NotAllowed, NotFound
from interlock.domain.pace import Pace
from interlock.domain.presented import Caller
from interlock.domain.recording import with_budgets
from interlock.domain.stating import Beginning
from interlock.domain.task import Opening, Task
from interlock.domain.vigilance import Item, Rounds, Seed, VigilanceTold, Watch, drawn, mark_of, next_item, told
from interlock.ports.clock import Clock, Ids
from interlock.ports.store import ActionQuery, Store
from interlock.services.drafting import Drafts
from interlock.services.habits import Habits
from interlock.services.judging import Judging
from interlock.services.known_tasks import stored_task
from interlock.services.orders import Orders, StandingOrders
from interlock.services.saving import save
from interlock.services.tasks import Tasks

LOOKED_AT: Final = 200
"""So many of the last actions of a contract are looked at for one to look like."""
MOST: Final = 1_000
PEOPLE: Final = 10_000


class _Made(NamedTuple):
    action: Action
    change: Change


class Seeding:
    """Draws, puts and clears away."""

    def __init__(
        self,
        *,
        store: Store,
        orders: StandingOrders,
        drafts: Drafts,
        judging: Judging,
        tasks: Tasks,
        clock: Clock,
        ids: Ids,
        watch: Watch,
    ) -> None:
        self._store = store
        self._orders = orders
        self._drafts = drafts
        self._judging = judging
        self._tasks = tasks
        self._clock = clock
        self._ids = ids
        self._habits = Habits()
        self.watch = watch

    async def tend(self) -> int:
        """One round: how many items were put before people in it, one at most. Raises StoreErrors."""
        if not self.watch.items:
            return 0
        now = self._clock.now()
        seeds = await self._store.all(Seed, limit=MOST)
        await self._clear(seeds)
        rounds = await self._store.get(Rounds, "rounds") or Rounds(looked_at=now)
        paces = await self._store.all(Pace, limit=PEOPLE)
        words = sum(rounds.looked_at <= word.at < now for each in paces for word in each.words)
        chances = [int(self._ids.nonce(), 16) for _ in range(words)]
        due = sorted((*rounds.due, *drawn(chances, now, self.watch)))
        made = await self._next(seeds, now) if due and due[0] <= now else None
        left = tuple(due[1:] if due and due[0] <= now else due)
        if not words and left == rounds.due and rounds.revision:
            return 0
        after = msgspec.structs.replace(rounds, looked_at=now, due=left)
        change = Change() if made is None else made.change
        try:
            await save(self._store, msgspec.structs.replace(change, puts=(*change.puts, after)))
        except Conflict:
            return 0  # another worker was faster, or the standing orders changed: the next round sees
        return int(made is not None)

    async def trial(self, item: Item) -> str:
        """Why `item` could not be put before people now; empty where it could. Nothing is written."""
        try:
            orders = await self._orders.refresh()
            like, contract = await self._like(item, orders)
            await self._made(item, contract, like, await stored_task(self._store, like.task), orders)
        except InterlockError as error:
            return error.detail
        return ""

    async def told(self, *, whole: bool, tried: bool = False) -> VigilanceTold:
        """What came of the items; `whole` for whoever does not decide: with `tried` each is tried, too."""
        found = {each.name: await self.trial(each) for each in self.watch.items} if tried and whole else None
        return told(self.watch, await self._store.all(Seed, limit=MOST), whole=whole, tried=found)

    # -- parts -----------------------------------------------------------------------------------------------------

    async def _next(self, seeds: list[Seed], now: int) -> _Made | None:
        """An item that looks like what people are asked about now, held; or None where there is none."""
        orders = await self._orders.refresh()
        for item in next_item(self.watch, seeds, now, int(self._ids.nonce(), 16)):
            try:
                like, contract = await self._like(item, orders)
                before = await stored_task(self._store, like.task)
                await self._made(item, contract, like, before, orders)  # before a task is opened for it
                task = await self._tasks.open(
                    Opening(
                        agent=like.agent,
                        purpose=item.purpose or before.purpose,
                        initiator=item.initiator or like.initiator,
                        plan=before.plan,
                        instance=before.instance,
                    )
                )
                return await self._made(item, contract, like, task, await self._orders.refresh())
            except (BudgetExceeded, ContractError, NotAllowed, NotFound):
                continue
        return None

    async def _like(self, item: Item, orders: Orders) -> tuple[Action, Contract]:
        """The action that `item` is made to look like, and the contract of both."""
        contract = orders.contracts.get(item.contract)
        if contract is None:
            raise _unlike(f"no contract `{item.contract}` is in force")
        for each in await self._store.actions(ActionQuery(contract=item.contract, undos=False, limit=LOOKED_AT)):
            standing = orders.control.agents.get(each.agent)
            if (
                each.hold is not None
                and each.caller is not None
                and not each.caller.token
                and standing is not None
                and (standing.release, standing.state) == (each.release, "active")
                and each.contract_digest == contract.digest
                and await self._store.get(Seed, each.id) is None
            ):
                return each, contract
        raise _unlike(f"people were not asked about `{item.contract}` of late: it would look like nothing they know")

    async def _made(self, item: Item, contract: Contract, like: Action, task: Task, orders: Orders) -> _Made:
        """Steps 2 and 3, as a change to be stored."""
        opens = self._ids.nonce() + self._ids.nonce()
        caller = None if like.caller is None else msgspec.structs.replace(like.caller, proof=mark_of(opens))
        draft = self._drafted(item, contract, like, task, caller)
        instance = "" if caller is None else caller.instance
        stop = await self._orders.brake(
            orders, task, contract, draft.proposed_at, action=draft.id, instance=instance, modes=REFUSES
        )
        if stop is not None or await self._orders.revoked(orders, task, caller) is not None:
            raise _unlike("what it looks like is stopped or revoked, and would be refused")
        beginning = Beginning(
            request=self._drafts.key(),
            received_at=draft.proposed_at,
            task=task,
            behaviour=await self._orders.behaviour(task.release),
            proposed=item.arguments,
            caller=caller,
        )
        unusual = self._habits.unusual(orders.baselines.get(task.agent), contract, draft.arguments, draft.proposed_at)
        action, change = await self._judging.judged(
            draft, contract, task, orders, beginning, undoing=None, instance=instance, unusual=unusual
        )
        if action.state != "held":
            why = "; ".join(action.reasons)
            raise _unlike(f"nobody would be asked: it would be {action.state}{f' ({why})' if why else ''}")
        seed = Seed(id=action.id, item=item, opens=opens, task=task.id, put_at=draft.proposed_at)
        facts = with_budgets(change.facts, change.draws, await self._budgets(change), ())
        # It says what it would reserve, as those beside it do, and reserves nothing: it must keep no other from anything.
        return _Made(action, Change(puts=(*change.puts, seed), given=change.given, facts=facts))

    def _drafted(self, item: Item, contract: Contract, like: Action, task: Task, caller: Caller | None) -> Action:
        draft = self._drafts.bound(task, contract, item.arguments, self._drafts.key())
        trace = f"00-{self._ids.nonce()}-{self._ids.nonce()[:16]}{like.traceparent[-3:]}" if like.traceparent else ""
        return msgspec.structs.replace(
            draft,
            justification=item.justification or like.justification,
            traceparent=trace,
            confidence=like.confidence,
            kpi=like.kpi,
            caller=caller,
        )

    async def _budgets(self, change: Change) -> list[Budget]:
        """The budgets as they would stand had it reserved. Raises BudgetExceeded where they would not let it."""
        found: dict[str, Budget] = {}
        for draw in change.draws:
            budget = found.get(draw.budget) or await self._store.get(Budget, draw.budget)
            definition = defined_by(draw.budget)
            says = None if definition is None else await self._store.get(Budget, definition)
            if says is not None:
                budget = as_defined(budget, says, draw.budget)
            if budget is None:
                raise _unlike("a budget is not there any more")
            found[draw.budget] = after_draw(budget, draw)
        return list(found.values())

    async def _clear(self, seeds: list[Seed]) -> None:
        """Close the tasks of items that ended, as their programs would."""
        for seed in seeds:
            if seed.ended_at is not None and not seed.closed:
                task = await self._store.get(Task, seed.task)
                if task is not None and task.state == "open":
                    await self._tasks.close(task)
                await save(self._store, Change(puts=(msgspec.structs.replace(seed, closed=True),)))


def _unlike(why: str) -> NotAllowed:
    """An item would not look like what people are asked about."""
    return NotAllowed(why, next_step="try what items would come to: `interlock vigilance --try`")
