"""Who bears a token: asked at each request by what speaks to programs that can prove nothing more.

1. The form: one token, in one header, of a size (`domain/borne.py`). Nothing is looked up before that.
2. How many that were none came from this address lately. Tokens that this process let in before are looked at all the same: of
   several programs behind one address, the one that is wrong does not keep the others out.
3. The token itself: an agent key is found by its id and held against the digest of its secret.
4. What is in force: the agent is there and active, and nothing of it was revoked since it was granted. Asked every time.
5. What the token is for.

Nothing of it is stored or logged. What is done by whoever was let in is, with `Bearer.through`. Brakes are not asked here: what
is stopped is refused at each action, on record.
"""

from collections import OrderedDict
from contextlib import suppress
from hashlib import sha256
from typing import Final

from interlock.domain.agent_key import AGENT_KEY_PREFIX
from interlock.domain.bearer import Bearer, Surface
from interlock.domain.borne import Borne, carried, refused
from interlock.domain.errors import NotAdmitted, NotAllowed, NotFound, RateExceeded
from interlock.domain.in_force import must_act, standing_of
from interlock.domain.revocation import revoked
from interlock.domain.throttle import TOKENS
from interlock.ports.clock import Clock
from interlock.services.agent_keys import AgentKeys
from interlock.services.attempts import Attempts
from interlock.services.orders import StandingOrders

MOST_KNOWN: Final = 4096
"""Tokens that are remembered as let in, by digests."""


class Bearing:
    """The door of what is spoken to with tokens."""

    def __init__(self, *, keys: AgentKeys, orders: StandingOrders, clock: Clock) -> None:
        self._keys = keys
        self._orders = orders
        self._clock = clock
        self._attempts = Attempts(words=TOKENS, scope="gateway")
        self._known: OrderedDict[bytes, None] = OrderedDict()

    async def admit(self, borne: Borne, surface: Surface) -> Bearer:
        """Who bears what `borne` says, to speak to `surface`.

        Raises NotAdmitted (400, 401, 403, with its challenge), RateExceeded where too many tokens that were none came from there
        lately, and StoreErrors: who cannot be looked up is not let in.
        """
        now = self._clock.now()
        said = carried(borne)
        name = sha256(said.token.encode()).digest()
        if name not in self._known:
            self._attempts.look_from(borne.address, now)
        try:
            bearer = await self._by_key(said.token)
        except NotAdmitted:
            self._known.pop(name, None)
            with suppress(RateExceeded):
                self._attempts.count_from(borne.address, now)
            raise
        self._remember(name)
        await self._must_stand(bearer)
        if surface not in bearer.surfaces:
            raise refused(
                f"this token is for {' and '.join(bearer.surfaces)}, not for {surface}",
                "insufficient_scope",
                next_step=f"make a key for it: `interlock agent key new {bearer.agent} --for {surface}`",
            )
        return bearer

    async def _by_key(self, token: str) -> Bearer:
        key = await self._keys.recognise(token) if token.startswith(AGENT_KEY_PREFIX) else None
        if key is None:
            raise refused("the token is none that counts: made up, over, or revoked", "invalid_token")
        return key.bearer()

    async def _must_stand(self, bearer: Bearer) -> None:
        control = (await self._orders.refresh()).control
        try:
            standing_of(bearer.agent, control)
            must_act(bearer.agent, control)
        except (NotFound, NotAllowed) as error:
            raise refused(error.detail, "insufficient_scope", next_step=error.next_step) from None
        if revoked(control.revocations, bearer.marks, bearer.epoch) is not None:
            raise refused("what the token was made for was revoked", "invalid_token")

    def _remember(self, name: bytes) -> None:
        self._known[name] = None
        self._known.move_to_end(name)
        if len(self._known) > MOST_KNOWN:
            self._known.popitem(last=False)
