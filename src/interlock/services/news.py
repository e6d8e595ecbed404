"""What an entry of the log, or a notice of a budget, means to people outside: the message that a channel is told, or none."""

from collections.abc import Iterable, Mapping
from typing import Final

from interlock.domain.account import told, within
from interlock.domain.action import Action
from interlock.domain.channel import Channel
from interlock.domain.control import Control
from interlock.domain.evidence import Entry
from interlock.domain.ids import ActionId, Person
from interlock.domain.notice import Notice
from interlock.domain.notification import CRITICAL, Event, Message
from interlock.ports.clock import Clock
from interlock.ports.store import Store
from interlock.services.orders import StandingOrders
from interlock.services.rotas import on_duty

_OF_ACTIONS: Final[Mapping[str, Event]] = {
    "reminded": "reminded",
    "escalated": "escalated",
    "overdue": "overdue",
    "expired": "expired",
}
_OF_CONTROL: Final[Mapping[str, Event]] = {"stopped": "stopped", "resumed": "resumed", "alarm": "alarm"}
_PHASES: Final = frozenset(
    {"decided", "modified", "outcome", "compensation", "glass_broken", "drifted", *_OF_ACTIONS, *_OF_CONTROL}
)
"""Of other entries nobody is told: they are not even parsed."""


class News:
    """Reads what entries are about, as it is now."""

    def __init__(self, *, store: Store, orders: StandingOrders, clock: Clock) -> None:
        self._store = store
        self._orders = orders
        self._clock = clock

    async def of(self, entry: Entry, channel: Channel) -> Message | None:
        """What `channel` is to be told of `entry`, or None."""
        said = told(entry.index, entry.leaf) if entry.phase in _PHASES else None
        if said is None:
            return None
        event = _event(said.subject, said.phase, said.state, asks="hold" in said.predicate)
        if event is None or event not in channel.events:
            return None
        made_at = self._clock.now()
        if not said.action:
            if within(said.predicate, "drift") == "new":
                return None  # what nobody accepted is no tool of anybody's yet
            named = ("scope", "name", "server", "tool")
            detail = " ".join(str(within(said.predicate, name)) for name in named if name in said.predicate)
            return Message(
                id=f"{channel.name}-{entry.index}",
                event=event,
                made_at=made_at,
                # Each broken glass is news of its own: who comes second must not pass for the first.
                about=f"{event} {detail or said.name}",
                critical=event in CRITICAL,
                detail=detail,
            )
        return await self._of_action(entry, event, ActionId(said.action), channel, made_at)

    async def _of_action(
        self, entry: Entry, event: Event, name: ActionId, channel: Channel, made_at: int
    ) -> Message | None:
        action = await self._store.get(Action, name)
        if action is None:
            return None
        asked = action.hold
        if event in ("asked", "reminded", "escalated", "overdue") and (action.state != "held" or asked is None):
            return None  # somebody answered meanwhile
        roles = tuple(sorted(asked.roles)) if asked is not None else ()
        if channel.roles and not {*channel.roles} & {*roles}:
            return None
        if (
            channel.person
            and roles
            and not meant(channel.person, roles, (await self._orders.current()).control, made_at)
        ):
            return None
        contract = await self._orders.contract(action.contract_digest)
        walked = 0 if asked is None else asked.walked
        return Message(
            id=f"{channel.name}-{entry.index}",
            event=event,
            made_at=made_at,
            about=f"{event} {name} {walked}",
            critical=event in CRITICAL or contract.risk == "critical",
            action=name,
            contract=action.contract,
            agent=action.agent,
            risk=contract.risk,
            deadline=action.deadline,
            roles=roles,
        )


def meant(person: Person, roles: Iterable[str], control: Control, now: int) -> bool:
    """Whether what asks `roles` is for `person`: they hold one that has no rota, are on call for it, or nobody is."""
    held = frozenset(control.people.get(person, ()))
    for role in held.intersection(roles):
        there = on_duty(role, control, now)
        if not there or person in there:
            return True
    return False


def of_budget(notice: Notice, channel: Channel) -> Message:
    """What `channel` is to be told of a budget that ran low."""
    return Message(
        id=f"{channel.name}-budget-{notice.key}",
        event="budget",
        made_at=notice.reached_at,
        about=f"budget {notice.key}",
        detail=f"{notice.scope}: {notice.unit}, {notice.soft // 10}% of {notice.limit}",
    )


def _event(subject: str, phase: str, state: str, *, asks: bool) -> Event | None:
    """What an entry means to people, or None."""
    if subject == "action":
        if phase in _OF_ACTIONS:
            return _OF_ACTIONS[phase]
        if state == "held" and phase in ("decided", "modified") and asks:
            return "asked"
        if phase == "outcome" and state == "unknown":
            return "unknown"
        return "undo_failed" if phase == "compensation" and state == "undo_failed" else None
    if subject == "control":
        return _OF_CONTROL.get(phase)
    if subject == "server":
        return "drifted" if phase == "drifted" else None
    return "glass_broken" if phase == "glass_broken" else None
