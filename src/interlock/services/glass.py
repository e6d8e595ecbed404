"""Breaking the glass: for half an hour a person may decide and operate whatever role is asked, having said why, on record.

It counts where it was broken and nowhere else: in that session of theirs, or at the machine. Their keys and other sessions go on
as before. It opens no door that people may not open at all: nobody decides about what was asked for in their name, nobody counts
as two persons, and what policy denies stays denied. A word given so says in the log by which broken glass it was. It ends by
itself, with its session, or is ended. Auditors and viewers cannot: who only reads goes on only reading.
"""

from typing import Final, NamedTuple

import msgspec

from interlock.domain.access import permissions_of
from interlock.domain.access_facts import access_fact
from interlock.domain.control import Control
from interlock.domain.duration import MINUTE
from interlock.domain.errors import ContractError, IllegalMove, NotAllowed
from interlock.domain.evidence import at
from interlock.domain.ids import Person
from interlock.domain.login import Glass, Login, handle_of
from interlock.domain.people import roles_of
from interlock.ports.clock import Clock, Ids
from interlock.ports.store import Store
from interlock.services.logins import Becomes, Logins
from interlock.services.orders import StandingOrders

LASTS_MS: Final = 30 * MINUTE
SHORTEST_WHY: Final = 10
LONGEST_WHY: Final = 500


class Through(NamedTuple):
    """The standing orders as they are for one person."""

    control: Control
    glass: str = ""
    """The broken glass by which they hold more than people.yaml says; empty where they do not."""


class Breaking:
    """Begins and ends it."""

    def __init__(self, *, logins: Logins, orders: StandingOrders, clock: Clock, ids: Ids) -> None:
        self._logins = logins
        self._orders = orders
        self._clock = clock
        self._ids = ids

    async def begin(self, person: Person, *, why: str, session: str = "") -> Glass:
        """Break the glass in a `session`, or at the machine. Raises NotAllowed for who may stop nothing, ContractError without a
        reason, IllegalMove while it is broken already."""
        why = why.strip()
        if not SHORTEST_WHY <= len(why) <= LONGEST_WHY:
            raise ContractError(
                f"why you break the glass takes {SHORTEST_WHY} to {LONGEST_WHY} characters",
                next_step="say what is happening: others will read it",
            )
        if "stop" not in permissions_of(roles_of(person, (await self._orders.refresh()).control)):
            raise NotAllowed(f"`{person}` only reads, and breaks no glass", next_step="ask a reviewer or an operator")
        now = self._clock.now()
        glass = Glass(id=self._ids.new(), why=why, begun_at=now, until_at=now + LASTS_MS, session=session)
        fact = access_fact(
            "glass_broken", "glass", glass.id, person=person, by=person, now=now, why=why, until=at(glass.until_at)
        )

        def to(login: Login) -> Becomes:
            if login.glass is not None and now < login.glass.until_at:
                raise IllegalMove("your glass is broken already", next_step="end it first, or use it while it lasts")
            return Becomes(msgspec.structs.replace(login, glass=glass), (fact,))

        await self._logins.change(person, to)
        return glass

    async def end(self, person: Person, *, by: Person) -> bool:
        """End it before its time; gives whether it was broken."""
        now = self._clock.now()
        ended = False

        def to(login: Login) -> Becomes | None:
            nonlocal ended
            ended = login.glass is not None and now < login.glass.until_at
            if login.glass is None or not ended:
                return None
            fact = access_fact("ended", "glass", login.glass.id, person=person, by=by, now=now)
            return Becomes(msgspec.structs.replace(login, glass=None), (fact,))

        await self._logins.change(person, to)
        return ended


async def through_glass(
    store: Store, person: Person, control: Control, wanted: frozenset[str], now: int, *, session: str
) -> Through:
    """`control` as it is for `person`, who is asked as one of `wanted`: with all of these roles while their glass is broken in
    the `session` from which they speak (empty: at the machine).

    Nothing is looked up for who holds one of them anyhow, nor for who is nobody."""
    held = control.roles(person)
    if not held or held & wanted:
        return Through(control)
    login = await store.get(Login, handle_of(person))
    glass = None if login is None or login.withheld else login.glass
    if glass is None or not glass.widens(session, now) or "stop" not in permissions_of(held):
        return Through(control)
    people = {**control.people, person: tuple(sorted(held | wanted))}
    return Through(msgspec.structs.replace(control, people=people), glass.id)
