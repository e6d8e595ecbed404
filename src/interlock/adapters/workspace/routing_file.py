"""`approvals` in `interlock.yaml`, and `on_call.yaml`: how what waits for people reaches them.

approvals: {remind: [50%, 80%], overdue: deny, pace: {most: 60, per: 1h, look: 5s, agrees: 98%, words: 20}}

support_lead:                       # on_call.yaml: a role
  zone: Europe/Berlin
  shifts:
    - {days: mon-fri, from: "09:00", to: "17:00", people: [rita, ben]}
    - {days: [sat, sun], from: "22:00", to: "06:00"}
"""

import re
from typing import Final
from zoneinfo import ZoneInfo

from interlock.adapters.workspace.fields import Section, per_mille
from interlock.adapters.workspace.nodes import Node, Scalar
from interlock.domain.deadline import OVERDUE, REMIND, Overdue
from interlock.domain.duration import DAY
from interlock.domain.ids import Person
from interlock.domain.on_call import DAYS, Day, Rota, Shift
from interlock.domain.pace import KEPT, Attention
from interlock.domain.routing import Routing

_CLOCK: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
_MOST_REMINDERS: Final = 5
_MOST_YESES: Final = 10_000


def read_approvals(section: Section | None) -> Routing:
    """When people are reminded (per mille of the time they have), what silence means, and how fast a person may agree."""
    if section is None:
        return Routing()
    shares: list[int] = []
    for word in section.words("remind"):
        found = _share(word.text)
        if found is None:
            section.wrong(f"`{word.text[:64]}` is no share of the time people have, such as 50%", word)
        else:
            shares.append(found)
    if len(shares) > _MOST_REMINDERS:
        section.wrong(f"`remind` has at most {_MOST_REMINDERS}", section.take("remind"))
    remind = tuple(sorted(shares)) if section.take("remind") is not None else REMIND
    overdue: Overdue = section.choice("overdue", OVERDUE, "deny")
    attention = _attention(section.section("pace"))
    section.close()
    return Routing(remind=remind, overdue=overdue, attention=attention)


def _attention(section: Section | None) -> Attention:
    if section is None:
        return Attention()
    plain = Attention()
    most = section.integer("most", 0) if section.take("most") is not None else None
    found = Attention(
        most=most,
        per_ms=section.span("per", plain.per_ms),
        look_ms=section.span("look", plain.look_ms),
        agrees=_share_of(section, "agrees", plain.agrees),
        words=section.integer("words", plain.words, least=1),
    )
    if found.words > KEPT:
        section.wrong(f"`words` is at most {KEPT}: no more are kept", section.take("words"))
    if most is not None and not 1 <= most <= _MOST_YESES:
        section.wrong(f"`most` is a number of yeses from 1 to {_MOST_YESES:,}", section.take("most"))
    if found.per_ms > DAY:
        section.wrong("`per` is at most a day", section.take("per"))
    section.close()
    return found


def _share_of(section: Section, name: str, default: int) -> int:
    """A share such as 98%, per mille."""
    node = section.take(name)
    found = _share(node.text) if isinstance(node, Scalar) else None
    if node is not None and found is None:
        section.wrong(f"`{name}` is a share such as 98%", node)
    return default if found is None else found


def _share(text: str) -> int | None:
    """A part of the whole, neither nothing nor all of it."""
    found = per_mille(text)
    return found if found not in (0, 1000) else None


def read_on_call(section: Section) -> dict[str, Rota]:
    """The week of each role."""
    found: dict[str, Rota] = {}
    for role, node in section.own():
        below = section.below(node, role)
        if below is not None:
            found[role] = _rota(below)
    return found


def _rota(section: Section) -> Rota:
    zone = section.text("zone", "UTC")
    if not is_zone(zone):
        section.wrong(f"`{zone[:64]}` is no time zone that is known here, such as Europe/Berlin", section.take("zone"))
    shifts = [_shift(each) for each in section.sections("shifts")]
    if not shifts:
        section.wrong(f"{section.what} has no `shifts`, so nobody is ever on call")
    section.close()
    return Rota(zone=zone, shifts=tuple(shifts))


def is_zone(name: str) -> bool:
    """Whether this machine knows a time zone of that name."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _shift(section: Section) -> Shift:
    node = section.take("days", required=True)
    words = [node] if isinstance(node, Scalar) else section.words("days")
    days = [day for word in words for day in _days(section, word)]
    shift = Shift(
        days=tuple(day for day in DAYS if day in days),
        begins=minutes(section, "from"),
        ends=minutes(section, "to"),
        people=tuple(Person(name) for name in section.texts("people")),
    )
    section.close()
    return shift


def _days(section: Section, word: Scalar) -> list[Day]:
    """`mon`, or `mon-fri`; `sat-mon` goes over the end of the week."""
    first, dash, last = word.text.partition("-")
    names: dict[str, Day] = {day: day for day in DAYS}
    if first not in names or (dash and last not in names):
        section.wrong(f"`{word.text[:64]}` is no day: {', '.join(DAYS)}, or mon-fri", word)
        return []
    begins = DAYS.index(names[first])
    ends = DAYS.index(names[last]) if dash else begins
    return [DAYS[place % 7] for place in range(begins, ends + 1 if ends >= begins else ends + 8)]


def minutes(section: Section, name: str) -> int:
    """A time of day, in minutes after midnight."""
    node: Node | None = section.take(name, required=True)
    text = node.text if isinstance(node, Scalar) else ""
    found = _CLOCK.fullmatch(text)
    if found is None:
        if node is not None:
            section.wrong(f'`{name}` is a time of day: "09:00"', node)
        return 0
    return int(found[1]) * 60 + int(found[2])
