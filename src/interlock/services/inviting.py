"""Bootstrap tokens: made by a person who answers for an agent, spent by one instance.

1. `offer` stores the digest of a new secret, with an entry that says who made it, and gives the secret, which is told once.
   *A crash before it is told leaves a token that nobody knows, and that expires.*
2. `taken` finds the token of a secret. Whoever then stores the enrolment stores the token as used in the same commit: of two
   instances that come with one secret, in whatever processes, one is let in.
"""

from typing import Final

from interlock.domain.agent import Office
from interlock.domain.change import Change, given
from interlock.domain.control import Control
from interlock.domain.credential import MAX_LIFE_MS
from interlock.domain.errors import Conflict, ContractError, NotAllowed
from interlock.domain.ids import AgentName, Person
from interlock.domain.in_force import standing_of
from interlock.domain.instance import LASTS_MS, TOKEN_PREFIX, BootstrapToken, digest_of_secret, offered
from interlock.domain.people import must_be_known
from interlock.ports.clock import Clock, Ids
from interlock.ports.store import Store
from interlock.services.orders import StandingOrders
from interlock.services.saving import save

INVITES: Final[tuple[Office, ...]] = ("decision", "engineering")
"""Which of an agent's owners may let an instance be it."""


class Inviting:
    """Makes tokens and finds them."""

    def __init__(self, *, store: Store, orders: StandingOrders, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._orders = orders
        self._clock = clock
        self._ids = ids

    async def offer(self, agent: AgentName, *, by: Person, lasts_ms: int = LASTS_MS) -> tuple[str, BootstrapToken]:
        """A new secret that lets one instance be `agent` within `lasts_ms`, at most a day, and what is kept of it.

        Raises NotFound where the agent is not in force, NotAllowed where `by` is neither its decision owner nor the one who
        answers for its engineering, ContractError for a span that is too long.
        """
        if not 0 < lasts_ms <= MAX_LIFE_MS:
            raise ContractError("a bootstrap token lasts at most a day", next_step="make one when it is needed")
        secret = f"{TOKEN_PREFIX}{self._ids.nonce()}{self._ids.nonce()}"
        while True:
            control = await self.may(agent, by)
            now = self._clock.now()
            token = BootstrapToken(
                digest=digest_of_secret(secret), id=self._ids.new(), agent=agent, made_at=now, expires_at=now + lasts_ms
            )
            try:
                await save(self._store, Change(puts=(token,), given=(given(control),), facts=(offered(token, by),)))
            except Conflict:
                continue
            return secret, token.saved()

    async def may(self, agent: AgentName, by: Person) -> Control:
        """The standing orders, under which `by` may let somebody be `agent`. Raises NotFound and NotAllowed."""
        orders = await self._orders.refresh()
        control = orders.control
        standing_of(agent, control)
        must_be_known(by, control)
        owners = orders.agents[agent].owners
        if not {owners.of(office) for office in INVITES} & {by, *control.roles(by)}:
            raise NotAllowed(
                f"`{by}` answers neither for the decisions nor for the engineering of `{agent}`",
                next_step=f"ask one of its owners: `interlock agent show {agent}`",
            )
        return control

    async def taken(self, secret: str, agent: AgentName, instance: str) -> BootstrapToken:
        """The token of `secret`, as it is stored. Raises NotAllowed unless it lets `instance` be `agent`."""
        # By its digest: how long looking takes says nothing of the secret.
        token = await self._store.get(BootstrapToken, digest_of_secret(secret))
        why = "nobody made such a bootstrap token" if token is None else ""
        why = why or (token.refusal(agent, instance, self._clock.now()) if token is not None else "")
        if token is None or why:
            raise NotAllowed(
                why, next_step=f"ask an owner of the agent for another: `interlock identity token {agent}`"
            )
        return token
