"""API keys: made by a person for programs of theirs, recognised at each request, and revoked.

What a key opens is decided at each request: its scopes, as far as its person's roles open them by then. Only the digest of its
secret is kept, so it is told once. *A crash before it is told leaves a key that nobody knows, is listed, and can be revoked.*
"""

from typing import NamedTuple

import msgspec

from interlock.domain.access import Permission, permissions_of
from interlock.domain.access_facts import access_fact
from interlock.domain.api_key import (
    API_KEY,
    LASTS_MS,
    LONGEST_MS,
    MOST_KEYS,
    MOST_LABEL,
    ApiKey,
    scopes_of,
)
from interlock.domain.change import Change
from interlock.domain.control import Control
from interlock.domain.errors import ContractError, NotAllowed, NotFound
from interlock.domain.evidence import Fact, at
from interlock.domain.ids import Person
from interlock.domain.instance import digest_of_secret
from interlock.domain.names import listed
from interlock.domain.people import roles_of
from interlock.ports.clock import Clock, Ids
from interlock.ports.store import Store
from interlock.services.again import again
from interlock.services.logins import Logins
from interlock.services.orders import StandingOrders
from interlock.services.recognising import recognised
from interlock.services.saving import save

ALL = 1000


class KeyHeld(NamedTuple):
    """A key that counts, what its person holds, and what it opens now."""

    key: ApiKey
    roles: tuple[str, ...]
    permissions: frozenset[Permission]


class ApiKeys:
    """Makes, recognises and revokes them."""

    def __init__(self, *, store: Store, logins: Logins, orders: StandingOrders, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._logins = logins
        self._orders = orders
        self._clock = clock
        self._ids = ids

    async def make(
        self, person: Person, label: str, scopes: tuple[str, ...], *, by: str, lasts_ms: int = LASTS_MS
    ) -> tuple[str, ApiKey]:
        """A new key of `person`, told once, and what is kept of it.

        Raises NotAllowed for whom people.yaml does not know, for a scope that their roles do not open, and for one key too many;
        ContractError for a label, scope or span that there is not.
        """
        wanted, label = scopes_of(scopes), label.strip()
        if not 0 < lasts_ms <= LONGEST_MS:
            raise ContractError("a key lasts at most a year", next_step="make the next one before it ends")
        if not label or len(label) > MOST_LABEL or not label.isprintable():
            raise ContractError(f"a key's label says in 1 to {MOST_LABEL} characters what it is for")
        control = (await self._orders.refresh()).control
        beyond = set(wanted) - permissions_of(roles_of(person, control))
        if beyond:
            raise NotAllowed(f"the roles of `{person}` do not open {listed(sorted(beyond))}")
        now = self._clock.now()
        secret = self._ids.nonce() + self._ids.nonce()
        key = ApiKey(
            id=self._ids.new().replace("-", ""),
            digest=digest_of_secret(secret),
            person=person,
            label=label,
            scopes=wanted,
            made_at=now,
            expires_at=now + lasts_ms,
        )
        fact = access_fact(
            "key_made",
            "key",
            key.id,
            person=person,
            by=by,
            now=now,
            scopes=list(wanted),
            until=at(key.expires_at),
        )
        return API_KEY.text(key.id, secret), await self._kept(key, fact)

    @again
    async def _kept(self, key: ApiKey, fact: Fact) -> ApiKey:
        # Read before the keys are counted: whoever makes another meanwhile has this one counted again.
        login = await self._logins.before(key.person)
        if sum(each.alive(key.made_at) for each in await self.of(key.person)) >= MOST_KEYS:
            raise NotAllowed(
                f"`{key.person}` has {MOST_KEYS} keys already", next_step="revoke what nobody uses any more"
            )
        counted = msgspec.structs.replace(login, keys_made=login.keys_made + 1)
        await save(self._store, Change(puts=(key, counted), facts=(fact,)))
        return key.saved()

    async def recognise(self, text: str) -> KeyHeld | None:
        """The key that `text` is; None for what is none, is over or revoked, or whose person holds no role any more."""
        now = self._clock.now()
        key = await recognised(self._store, ApiKey, API_KEY, text, now)
        if key is None or not key.alive(now):
            return None
        control: Control = (await self._orders.refresh()).control
        roles = tuple(sorted(control.roles(key.person)))
        if not roles:
            return None
        return KeyHeld(key, roles, permissions_of(roles) & frozenset(key.scopes))

    async def of(self, person: Person) -> list[ApiKey]:
        """A person's keys, the last made first, with those that are over."""
        return [each for each in await self.all() if each.person == person]

    async def all(self) -> list[ApiKey]:
        """Everybody's keys, the last made first."""
        return [each for each in await self._store.all(ApiKey, limit=ALL) if not each.withheld]

    @again
    async def revoke(self, name: str, *, by: str, owner: Person | None = None) -> ApiKey:
        """End a key; with `owner` only if it is theirs. Twice is once. Raises NotFound."""
        key = await self._store.get(ApiKey, name)
        if key is None or key.withheld or (owner is not None and key.person != owner):
            raise NotFound(f"there is no key `{name[:64]}`", next_step="list them: `interlock key list`")
        if key.revoked_at:
            return key
        now = self._clock.now()
        after = msgspec.structs.replace(key, revoked_at=now)
        fact = access_fact("revoked", "key", key.id, person=key.person, by=by, now=now)
        await save(self._store, Change(puts=(after,), facts=(fact,)))
        return after.saved()
