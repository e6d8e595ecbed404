"""Agent keys: made by a person who answers for an agent, and recognised at each request that a program bears one with.

Only the digest of its secret is kept, so it is told once. *A crash before it is told leaves a key that nobody knows, is listed,
and can be revoked.* One is revoked as everything that was granted is (`Revoking`): in the commit that says so it ends, and from
then on every process refuses what comes of it, and closes the tasks that were opened through it.
"""

from typing import Final

from interlock.domain.agent_key import (
    AGENT_KEY,
    LASTS_MS,
    LONGEST_MS,
    AgentKey,
    made_fact,
)
from interlock.domain.bearer import Bounds, initiator_of, must_bound, purpose_of, surfaces_of
from interlock.domain.change import Change, given
from interlock.domain.errors import Conflict, ContractError
from interlock.domain.ids import AgentName, Person
from interlock.domain.in_force import must_act
from interlock.domain.instance import digest_of_secret
from interlock.domain.misspelt import must_be_there
from interlock.ports.clock import Clock, Ids
from interlock.ports.store import Store
from interlock.services.inviting import Inviting
from interlock.services.orders import StandingOrders
from interlock.services.recognising import recognised
from interlock.services.saving import save

MOST_LISTED: Final = 1000


class AgentKeys:
    """Makes, lists and recognises them."""

    def __init__(self, *, store: Store, inviting: Inviting, orders: StandingOrders, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._inviting = inviting
        self._orders = orders
        self._clock = clock
        self._ids = ids

    async def make(
        self,
        agent: AgentName,
        *,
        by: Person,
        purpose: str,
        on_behalf_of: str = "",
        surfaces: tuple[str, ...] = ("mcp",),
        lasts_ms: int = LASTS_MS,
        bounds: Bounds | None = None,
    ) -> tuple[str, AgentKey]:
        """A new key of `agent`, told once, and what is kept of it.

        Raises NotFound where the agent is not in force; NotAllowed where it is suspended or retired, or `by` answers neither for
        its decisions nor for its engineering; ContractError for a span, a purpose, an initiator or bounds that there are not.
        """
        if not 0 < lasts_ms <= LONGEST_MS:
            raise ContractError(
                f"a key of an agent lasts at most {LONGEST_MS // 86_400_000} days",
                path="/lasts_ms",
                next_step="make the next one before it ends",
            )
        bounds = bounds or Bounds()
        must_bound(bounds)
        wanted, said, whom = surfaces_of(surfaces), purpose_of(purpose), initiator_of(on_behalf_of, agent)
        secret = self._ids.nonce() + self._ids.nonce()
        name = self._ids.new().replace("-", "")
        while True:
            control = await self._inviting.may(agent, by)
            must_act(agent, control)
            contracts = (await self._orders.current()).contracts
            must_be_there(tools=bounds.tools, data=bounds.data, prohibited=bounds.prohibited, contracts=contracts)
            now = self._clock.now()
            key = AgentKey(
                id=name,
                digest=digest_of_secret(secret),
                agent=agent,
                initiator=whom,
                purpose=said,
                surfaces=wanted,
                bounds=bounds,
                by=by,
                made_at=now,
                expires_at=now + lasts_ms,
                epoch=control.revision,
            )
            try:
                await save(self._store, Change(puts=(key,), given=(given(control),), facts=(made_fact(key),)))
            except Conflict:
                continue
            return AGENT_KEY.text(name, secret), key.saved()

    async def recognise(self, text: str) -> AgentKey | None:
        """The key that `text` is, over or not; None for what nobody made. Whether it counts, and its agent may act, is asked
        elsewhere."""
        return await recognised(self._store, AgentKey, AGENT_KEY, text, self._clock.now())

    async def all(self, agent: str = "") -> list[AgentKey]:
        """The keys of every agent, or of one, the last made first, with those that are over."""
        found = await self._store.all(AgentKey, limit=MOST_LISTED)
        return [each for each in found if not each.withheld and agent in ("", each.agent)]
