"""What is normal of an agent: learned from its recorded actions, put in force as everything else is, compared with them.

Nothing of this is in the way of an action. A baseline comes into force as a part of the edition: with as many people as the
rule in force asks for, in one commit with its fact. A crash before it leaves what was normal as it was.
"""

from collections.abc import AsyncIterator
from typing import Final

import msgspec

from interlock.domain.action import Action, State
from interlock.domain.baseline import Backtest, Baseline, Observation, backtest, learned, rushes
from interlock.domain.control import Control
from interlock.domain.edition import Edition
from interlock.domain.errors import NotFound
from interlock.domain.ids import ActionId, AgentName
from interlock.domain.in_force import standing_of
from interlock.domain.people import must_be_known
from interlock.domain.record import Record
from interlock.domain.vigilance import turned_out
from interlock.ports.clock import Clock
from interlock.ports.store import ActionQuery, Store
from interlock.services.editions import Editions
from interlock.services.habits import observation
from interlock.services.orders import StandingOrders
from interlock.services.publishing import Applied, Publisher, Wanted

PAGE: Final = 500
MOST: Final = 200_000
"""From so many of its newest actions an agent's baseline is learned at most."""
KEPT_BACK: Final[frozenset[State]] = frozenset(
    {"refused", "denied", "held", "rejected", "expired", "voided", "aborting"}
)
"""What was kept back makes nothing normal: whoever asks for it often enough would."""


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """What an agent did in some time, beside what is normal of it."""

    agent: AgentName
    in_force: Baseline | None
    learned: Baseline
    """What would be normal, learned from that time."""
    backtest: Backtest
    """How often the older half of that would have flagged the newer half."""
    rushes: dict[int, int]
    """Hours, by when they began (UTC ms), in which it proposed far more than the baseline in force has: how many."""
    cut: bool
    """There were more actions than are read; these are the newest."""


class Baselines:
    """Learns, and asks for what was learned to be in force."""

    def __init__(
        self, *, store: Store, orders: StandingOrders, editions: Editions, publisher: Publisher, clock: Clock
    ) -> None:
        self._store = store
        self._orders = orders
        self._editions = editions
        self._publisher = publisher
        self._clock = clock

    async def look(self, agent: AgentName, *, since_at: int) -> Looked:
        """What `agent` did since then. Changes nothing. Raises NotFound where no such agent is in force."""
        orders = await self._orders.refresh()
        standing_of(agent, orders.control)
        now = self._clock.now()
        actions = [each async for each in self._actions(agent, since_at)][::-1]
        in_force = orders.baselines.get(agent)
        return Looked(
            agent=agent,
            in_force=in_force,
            learned=learned(agent, actions, since_at=since_at, until_at=now),
            backtest=backtest(agent, actions),
            rushes={} if in_force is None else rushes(in_force, actions),
            cut=len(actions) == MOST,
        )

    async def learn(self, agent: AgentName, *, since_at: int, by: str, why: str = "") -> Applied:
        """Put what `agent` did since then in force as what is normal, or where that takes somebody else's word, propose it.

        Raises NotFound where no such agent is in force or nothing of it was let through since, NotAllowed for a name that is
        nobody's.
        """
        control = (await self._orders.refresh()).control
        must_be_known(by, control)
        standing_of(agent, control)
        actions = [each async for each in self._actions(agent, since_at)]
        made = learned(agent, actions, since_at=since_at, until_at=self._clock.now())
        if not made.actions:
            raise NotFound(f"`{agent}` did nothing in that time", next_step="learn from longer: `--days 90`")
        return await self._bring(agent, made, by=by, why=why)

    async def forget(self, agent: AgentName, *, by: str, why: str = "") -> Applied:
        """The same, with nothing as what is normal: nothing of it is flagged. Raises NotFound where nothing is."""
        control = (await self._orders.refresh()).control
        must_be_known(by, control)
        standing_of(agent, control)
        if agent not in control.baselines:
            raise NotFound(f"no baseline of `{agent}` is in force", next_step="nothing of it is flagged already")
        return await self._bring(agent, None, by=by, why=why)

    # -- parts -------------------------------------------------------------------------------------------------

    async def _bring(self, agent: AgentName, made: Baseline | None, *, by: str, why: str) -> Applied:
        async def wanted(control: Control, current: Edition) -> Wanted:
            standing_of(agent, control)
            named = {name: each for name, each in current.baselines.items() if name != agent}
            side, fresh = await self._editions.side(current), list[Record]()
            known = {name: each for name, each in side.baselines.items() if name != agent}
            if made is not None:
                named, known = named | {agent: made.digest}, known | {agent: made}
                fresh = [made] if await self._store.get(Baseline, made.digest) is None else []
            return Wanted(
                edition=msgspec.structs.replace(current, baselines=named),
                side=msgspec.structs.replace(side, baselines=known),
                fresh=tuple(fresh),
                labels=await self._editions.labels(current),
                agents=(),
            )

        return await self._publisher.bring(wanted, by=by, why=why)

    async def _actions(self, agent: AgentName, since_at: int) -> AsyncIterator[Observation]:
        """What `agent` proposed and was decided since then, newest first; undos are people's."""
        last: ActionId | None = None
        count = 0
        while page := await self._store.actions(ActionQuery(agent=agent, undos=False, before=last, limit=PAGE)):
            for action in page:
                if action.proposed_at < since_at or count == MOST:
                    return
                if action.decision is not None and not turned_out(action):
                    count += 1
                    yield await self._observed(action)
            last = page[-1].id

    async def _observed(self, action: Action) -> Observation:
        contract = await self._orders.contract(action.contract_digest)
        return observation(contract, action.arguments, action.proposed_at, normal=action.state not in KEPT_BACK)
