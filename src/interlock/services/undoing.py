"""Proposing the reversal of an action: an action of its own, through the same gate."""

import msgspec

from interlock.domain.action import Action
from interlock.domain.change import Change
from interlock.domain.contract import Reversal
from interlock.domain.errors import Conflict, ContractError
from interlock.domain.ids import ContractName
from interlock.domain.recording import recorded
from interlock.domain.stating import Beginning
from interlock.domain.task import Task
from interlock.domain.unwind import undo_arguments
from interlock.ports.steps import Steps
from interlock.ports.store import Store
from interlock.services.drafting import Drafts
from interlock.services.judging import Judging
from interlock.services.orders import StandingOrders
from interlock.services.saving import save

MAX_ROUNDS = 20
"""How often an undo is decided again because the orders changed while it was being decided."""


class Undoing:
    """Derives the arguments of an undo, has it decided, and stores it together with the original."""

    def __init__(self, *, store: Store, orders: StandingOrders, drafts: Drafts, judging: Judging, steps: Steps) -> None:
        self._store = store
        self._orders = orders
        self._drafts = drafts
        self._judging = judging
        self._steps = steps

    async def propose(self, original: Action, task: Task, request: str = "") -> Action:
        """Propose the reversal of `original`, which becomes `undoing` in the same transaction.

        `task` is the original's; that it is closing does not matter to an undo. `request` is who asks for it: the id of the
        unwind, which has an account of its own. Raises ContractError where the reversal's
        arguments cannot be derived or do not fit its contract, NotFound where its contract is not stored, Conflict where
        somebody else undoes it already.
        """
        for _ in range(MAX_ROUNDS):
            action, change = await self._decided(original, task, request)
            try:
                await save(self._store, change)
            except Conflict as conflict:
                if conflict.kind != "control":
                    raise
                await self._orders.refresh()
                continue
            self._steps.reached("propose.recorded")
            return action.saved()
        raise Conflict("the standing orders kept changing while this was decided", kind="control", key="control")

    async def _decided(self, original: Action, task: Task, request: str) -> tuple[Action, Change]:
        orders = await self._orders.current()
        undoing = await self._orders.contract(original.contract_digest)
        if not isinstance(undoing.reversal, Reversal):
            raise ContractError(f"`{undoing.name}` has no reversal")
        release = await self._orders.release(original.release)
        contract = await self._orders.contract(release.digest_of(ContractName(undoing.reversal.contract)))
        # Its key cannot be foreseen: an agent that had used it would have made its own action impossible to undo.
        key = f"undo:{original.id}:{self._drafts.key()}"
        draft = self._drafts.bound(task, contract, undo_arguments(original, undoing.reversal), key)
        draft = msgspec.structs.replace(draft, undoes=original.id, undo_attempt=original.undo_attempt + 1)
        beginning = Beginning(
            request=request or self._drafts.key(),
            received_at=self._drafts.now(),
            task=task,
            behaviour=await self._orders.behaviour(original.release),
            proposed=draft.arguments,
        )
        action, change = await self._judging.judged(draft, contract, task, orders, beginning, undoing=undoing)
        moved = original.after("undo", undone_by=action.id, undo_attempt=action.undo_attempt)
        if action.state in ("denied", "refused", "shadowed"):
            moved = moved.after("undo_fail", reasons=action.reasons)
        after, fact = recorded(moved, "compensation", self._drafts.now())
        return action, msgspec.structs.replace(change, puts=(*change.puts, after), facts=(*change.facts, fact))
