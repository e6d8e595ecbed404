"""Who is on call, and who is next: the rotas in force, and the policies that count hours nobody wrote down."""

import msgspec

from interlock.domain.control import Control
from interlock.domain.ids import Person
from interlock.domain.on_call import Rota
from interlock.services.orders import StandingOrders
from interlock.services.zones import on_call, upcoming, zone_of


class Duty(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One role that has a rota."""

    role: str
    zone: str
    people: tuple[Person, ...] = ()
    """Who is on call now; nobody outside its hours."""
    until: int | None = None
    """When the first of the shifts that run now ends, UTC ms."""
    next_at: int | None = None
    """When the next shift begins, UTC ms."""
    next_people: tuple[Person, ...] = ()
    problem: str = ""
    """Why its hours are not known here."""


class Lacking(msgspec.Struct, frozen=True, kw_only=True):
    """A role whose hours on call policies count, and that has no rota: its hours pass by the clock."""

    role: str
    policies: tuple[str, ...]


class Duties(msgspec.Struct, frozen=True, kw_only=True):
    """Every rota in force, and those that are missing."""

    at: int
    """UTC ms."""
    duties: tuple[Duty, ...]
    lacking: tuple[Lacking, ...]


async def duties(orders: StandingOrders, now: int) -> Duties:
    """Who is on call at `now` (UTC ms), by role."""
    current = await orders.refresh()
    rotas = current.control.routing.on_call
    lacking: dict[str, list[str]] = {}
    for policy in () if current.judge is None else current.judge.policies.values():
        for role in (policy.approver, *policy.terms.escalate) if policy.terms.on_call else ():
            if role not in rotas:
                lacking.setdefault(role, []).append(policy.id)
    return Duties(
        at=now,
        duties=tuple(_duty(role, rota, current.control, now) for role, rota in sorted(rotas.items())),
        lacking=tuple(Lacking(role=role, policies=tuple(sorted(names))) for role, names in sorted(lacking.items())),
    )


def on_duty(role: str, control: Control, now: int) -> tuple[Person, ...] | None:
    """Who of a role is on call now; None where it has no rota, or one whose hours are not known here."""
    rota = control.routing.on_call.get(role)
    if rota is None or zone_of(rota.zone) is None:
        return None
    holders = _holders(role, control)
    return _named([each.people or holders for each in on_call(rota, now)])


def _duty(role: str, rota: Rota, control: Control, now: int) -> Duty:
    holders, running, after = _holders(role, control), on_call(rota, now), upcoming(rota, now)
    return Duty(
        role=role,
        zone=rota.zone,
        people=_named([each.people or holders for each in running]),
        until=min((each.ends_at for each in running), default=None),
        next_at=None if after is None else after.begins_at,
        next_people=() if after is None else after.people or holders,
        problem="" if zone_of(rota.zone) is not None else f"this machine knows no time zone `{rota.zone}`",
    )


def _holders(role: str, control: Control) -> tuple[Person, ...]:
    return tuple(sorted(who for who, held in control.people.items() if role in held))


def _named(groups: list[tuple[Person, ...]]) -> tuple[Person, ...]:
    return tuple(dict.fromkeys(who for group in groups for who in group))
