"""What becomes of the actions of one program: waited for, carried out where only it can, and told as outcomes."""

from functools import partial
from typing import Final, NamedTuple

from interlock.domain.action import SETTLED, Action
from interlock.domain.asking import wait_call
from interlock.domain.canonical import JsonValue
from interlock.domain.errors import ContractError
from interlock.domain.ids import ActionId, AgentName, TaskId
from interlock.domain.proposal import Proposal
from interlock.ports.own_tools import OwnTools
from interlock.ports.plane import Plane
from interlock.sdk.anew import anew
from interlock.sdk.carrying_out import Carrying
from interlock.sdk.home import Home
from interlock.sdk.identity import Identity
from interlock.sdk.outcomes import Outcome, outcome_of, plain_result
from interlock.sdk.patience import MOST_PATIENT
from interlock.sdk.signature import returned
from interlock.sdk.ticket import Ticket
from interlock.sdk.tool import AnyTool

WAIT_MS: Final = 20_000
"""How long one call waits for news at most; the next shows anew who asks."""
AGAIN_MS: Final = 1_000
"""How long is waited between calls for what another program has to do."""
MOST_KNOWN: Final = 4096
"""Actions of which a program remembers in what task it was given them."""


class Whose(NamedTuple):
    """In what task a program was given an action; the task is None where nobody says so but the program."""

    agent: AgentName
    task: TaskId | None = None


class Became:
    """The actions of one program, and in what tasks it was given them."""

    def __init__(self, plane: Plane, home: Home, identity: Identity, own: OwnTools | None) -> None:
        self._plane = plane
        self._home = home
        self._identity = identity
        self._own = own
        """The tools that a program far from its control plane runs itself; in its own process the plane does."""
        self.known: dict[ActionId, Whose] = {}

    async def proposed(self, action: Action, proposal: Proposal) -> Action:
        """The action that was just proposed, once this program made the call that only it can make."""
        if len(self.known) >= MOST_KNOWN:
            del self.known[next(iter(self.known))]
        self.known[action.id] = Whose(proposal.task.agent, proposal.task.id)
        return await self._carried_out(action)

    def outcome(self, action: Action, tool: AnyTool | None) -> Outcome:
        """The action, which this program proposed, as its caller sees it."""
        return self._outcome(action, tool, self._of_ours(action))

    async def waited(self, action: Action, timeout_ms: int | None) -> Action:
        """An action that this program proposed, once it is over, or `timeout_ms` is."""
        return action if action.state in SETTLED else await self._waited(action.id, self._of_ours(action), timeout_ms)

    def whose(self, action_id: ActionId, agent: str) -> Whose:
        """In what task this program was given an action; of `agent` where it was not. Raises ContractError where nobody says."""
        known = self.known.get(action_id)
        if known is not None and agent in ("", known.agent):
            return known
        if not agent:
            raise ContractError(
                "this program did not propose that action: say whose it is",
                path="/agent",
                next_step="name its agent: `client.ticket(action_id, agent='support')`",
            )
        return Whose(AgentName(agent))

    def ticket(self, action_id: ActionId, tool: AnyTool | None, whose: Whose) -> Ticket[Outcome]:
        """A ticket for an action, whose result is converted to `tool`'s type if that is given."""

        async def waited(wanted: ActionId, timeout_ms: int | None) -> Outcome:
            return self._outcome(await self._waited(wanted, whose, timeout_ms), tool, whose)

        async def run(wanted: ActionId, timeout_ms: int | None) -> Outcome:
            return await self._home.run(waited, wanted, timeout_ms)

        def block(wanted: ActionId, timeout_ms: int | None) -> Outcome:
            return self._home.block(waited, wanted, timeout_ms)

        return Ticket(action_id, block=block, run=run)

    # -- parts -------------------------------------------------------------------------------------------------

    def _of_ours(self, action: Action) -> Whose:
        return self.known.get(action.id) or Whose(action.agent, action.task)

    def _outcome(self, action: Action, tool: AnyTool | None, whose: Whose) -> Outcome:
        raw = plain_result(action)
        return outcome_of(action, self.ticket(action.id, tool, whose), raw if tool is None else _typed(tool, raw))

    async def _waited(self, action_id: ActionId, whose: Whose, timeout_ms: int | None) -> Action:
        until = None if timeout_ms is None else self._identity.now() + timeout_ms
        while True:
            left = WAIT_MS if until is None else min(max(until - self._identity.now(), 0), WAIT_MS)
            began = self._identity.now()
            # Nothing is asked for by waiting: a server that is begun anew meanwhile is waited for, too.
            longer = self._identity.patient and (until is None or until - began > MOST_PATIENT.most_ms)
            patience = MOST_PATIENT if longer else None
            looked = anew(self._identity, partial(self._looked, action_id, whose, left), patience=patience)
            action = await self._carried_out(await looked)
            if self._own is not None and action.place and _claimable(action) and left:
                # What another program has to do we hear of no sooner by asking more often.
                await self._identity.pause(min(AGAIN_MS, max(0, left - (self._identity.now() - began))))
            if action.state in SETTLED or (until is not None and self._identity.now() >= until):
                return action

    async def _looked(self, action_id: ActionId, whose: Whose, timeout_ms: int) -> Action:
        shown = await self._identity.still(whose.agent, partial(wait_call, action_id, whose.task, timeout_ms))
        return await self._plane.wait(action_id, shown, timeout_ms=timeout_ms, within=whose.task)

    async def _carried_out(self, action: Action) -> Action:
        """The action, once this program made the call that only it can make, where that is due."""
        own = self._own
        if own is None or not _claimable(action) or not own.has(action.place, action.idempotency_key):
            return action
        return await Carrying(self._plane, self._identity, own).out(action)


def _claimable(action: Action) -> bool:
    """Whether a call of it is what is next."""
    return action.state in ("ready", "unknown") and action.due_at is not None


def _typed(tool: AnyTool, raw: JsonValue) -> object:
    """The result as the tool's own type; as JSON where it is not what the tool promises (the outcome's note says so), or
    what was taken of it leaves no such value."""
    try:
        return returned(tool.function, raw)
    except ContractError:
        return raw
