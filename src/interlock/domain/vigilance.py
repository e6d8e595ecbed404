"""Items known to be bad, put before people among the others to see whether they notice.

Such an item goes the way of every action that waits, under the same rules, and looks like one; it never leaves `held` but to
its end, reserves nothing and does nothing. What it is stands sealed in its own first entry: where a proposal of an agent names
the digest of its proof, it names that of a random key, which the entry that ends it opens. So nobody can tell beforehand, and
nobody can say afterwards of an action that it was one.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import ClassVar, Final, Literal

import msgspec

from interlock.domain.action import Action
from interlock.domain.canonical import JsonValue
from interlock.domain.duration import DAY, HOUR
from interlock.domain.ids import ActionId, ContractName, Digest, Person, TaskId
from interlock.domain.record import Record

Came = Literal["", "caught", "missed", "unanswered"]
"""What came of one: somebody noticed, somebody agreed to it, or it ended without anybody's word; empty: it still waits."""

CODE: Final = "interlock.vigilance"
"""The reason code of what turned out to be one."""
_SAID: Final[Mapping[Came, str]] = {
    "caught": "it was known to be bad, and this was noticed",
    "missed": "it was known to be bad, and was agreed to; nothing was done",
    "unanswered": "it was known to be bad, and nobody spoke on it",
}


class Item(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One item known to be bad, as a workspace writes it."""

    name: str
    contract: ContractName
    arguments: dict[str, JsonValue]
    wrong: str
    """What is wrong with it: told to whoever spoke on it, once they have."""
    fields: tuple[str, ...] = ()
    """The arguments that are wrong: who puts others in place of one of these has noticed. Empty: any of them."""
    justification: str = ""
    """The agent's words."""
    purpose: str = ""
    """Of its task. Empty: as of the action that it is made to look like."""
    initiator: str = ""
    """For whom. Empty: as of that action."""

    def caught_by(self, arguments: Mapping[str, JsonValue]) -> bool:
        """Whether somebody who would have these arguments instead noticed what is wrong."""
        names = self.fields or tuple(self.arguments)
        return any(arguments.get(name) != self.arguments.get(name) for name in names)


class Watch(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`vigilance.yaml`: which items there are, and how often one is put before people."""

    one_in: int = 200
    """By chance, after one of so many decisions of people."""
    within_ms: int = 4 * HOUR
    """And then at some time within so long."""
    again_ms: int = 30 * DAY
    """For so long the same item is not put before people again."""
    items: tuple[Item, ...] = ()


class Seed(Record, frozen=True, kw_only=True, omit_defaults=True):
    """One item that was put before people: filed under the action that it is."""

    kind: ClassVar[str] = "seed"

    id: ActionId
    item: Item
    opens: str
    """What opens the mark in its first entry: 256 random bits, hexadecimal."""
    task: TaskId
    """Opened for it alone."""
    put_at: int
    ended_at: int | None = None
    came: Came = ""
    person: Person = Person("")
    """Who spoke on it."""
    closed: bool = False
    """Whether its task was closed after that."""

    @property
    def key(self) -> str:
        """Filed by action."""
        return self.id

    @property
    def words(self) -> str:
        """What came of it, and what was wrong."""
        return f"{_SAID[self.came]}: {self.item.wrong}" if self.came else ""


class Rounds(Record, frozen=True, kw_only=True, omit_defaults=True):
    """How far decisions were looked at, and when the next items are due. There is one."""

    kind: ClassVar[str] = "rounds"

    looked_at: int
    """Of every word before that it was drawn whether an item follows."""
    due: tuple[int, ...] = ()
    """UTC ms, in order."""

    @property
    def key(self) -> str:
        """There is only one."""
        return "rounds"


def mark_of(opens: str) -> Digest:
    """The mark in the first entry of an item that `opens` opens: what stands there as the digest of a proof.

    Of other bytes than any proof is signed over, so that no proof of an agent is a mark, nor a mark a proof.
    """
    return Digest(sha256(f"interlock: known to be bad\0{opens}".encode()).hexdigest())


def drawn(chances: Sequence[int], now: int, watch: Watch) -> tuple[int, ...]:
    """When items are to be put before people: for each word one chance of 128 random bits."""
    found: list[int] = []
    for chance in chances:
        lot, later = divmod(chance, watch.within_ms)
        if lot % watch.one_in == 0:
            found.append(now + later)
    return tuple(found)


def next_item(watch: Watch, seeds: Sequence[Seed], now: int, chance: int) -> tuple[Item, ...]:
    """The items that may be put before people now, the one to try first first: those that were put least often, by chance among
    these; none of a contract of which one still waits, and none that was put before people of late."""
    waiting = {each.item.contract for each in seeds if each.ended_at is None}
    last: dict[str, int] = {}
    times: dict[str, int] = {}
    for each in seeds:
        last[each.item.name] = max(last.get(each.item.name, 0), each.put_at)
        times[each.item.name] = times.get(each.item.name, 0) + 1
    free = [
        each
        for each in watch.items
        if each.contract not in waiting and now - last.get(each.name, now - watch.again_ms) >= watch.again_ms
    ]
    turn = chance % len(free) if free else 0
    return tuple(sorted((*free[turn:], *free[:turn]), key=lambda each: times.get(each.name, 0)))


def turned_out(action: Action) -> bool:
    """Whether it turned out to be known to be bad: whoever learns from what people decided learns nothing from it."""
    return CODE in action.reasons


class ItemTold(msgspec.Struct, frozen=True, kw_only=True):
    """One item, and what came of it so far."""

    item: Item
    put: int
    """How often it was put before people."""
    caught: int
    missed: int
    unanswered: int
    waits: ActionId | None = None
    """The action as which it waits now."""
    why_not: str | None = None
    """Why it could not be put before people now; empty where it could. None: that was not tried."""


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """One time that an item was put before people, and what came of it."""

    action: ActionId
    item: str
    came: Came
    person: Person
    put_at: int
    ended_at: int


class VigilanceTold(msgspec.Struct, frozen=True, kw_only=True):
    """Items known to be bad, for whoever may know them."""

    one_in: int
    within_ms: int
    again_ms: int
    items: tuple[ItemTold, ...]
    """None for whoever decides."""
    ended: tuple[Ended, ...]
    """The last first."""


def told(watch: Watch, seeds: Sequence[Seed], *, whole: bool, tried: Mapping[str, str] | None = None) -> VigilanceTold:
    """What came of the items. Whoever decides is told only of those that ended (`whole` is False): nobody learns beforehand what
    they are to notice."""

    def count(item: Item, came: Came) -> int:
        return sum(each.item.name == item.name and each.came == came for each in seeds)

    def one(item: Item) -> ItemTold:
        waits = [each.id for each in seeds if each.item.name == item.name and each.ended_at is None]
        return ItemTold(
            item=item,
            put=sum(each.item.name == item.name for each in seeds),
            caught=count(item, "caught"),
            missed=count(item, "missed"),
            unanswered=count(item, "unanswered"),
            waits=waits[0] if waits else None,
            why_not=None if tried is None else tried.get(item.name, ""),
        )

    return VigilanceTold(
        one_in=watch.one_in,
        within_ms=watch.within_ms,
        again_ms=watch.again_ms,
        items=tuple(one(each) for each in watch.items) if whole else (),
        ended=tuple(
            Ended(
                action=each.id,
                item=each.item.name,
                came=each.came,
                person=each.person,
                put_at=each.put_at,
                ended_at=each.ended_at,
            )
            for each in seeds
            if each.ended_at is not None
        ),
    )
