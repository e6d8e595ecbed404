"""How an action got to where it is: what happened, one a line, each with the time until the next on one axis."""

from typing import Final

import msgspec
from markupsafe import Markup

from interlock.console.svg import bar
from interlock.console.words import lasting
from interlock.domain.dossier import Dossier
from interlock.domain.timeline import Moment

_PEOPLE: Final = frozenset({"held", "asked", "answered", "delegated", "remind", "escalate", "overdue", "approve"})
"""After these people are waited for, while it is held."""


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened."""

    at: int
    words: str
    who: str
    lasted: str
    """How long until the next; empty of the last."""
    drawn: Markup | None
    ahead: bool = False
    """Whether it is yet to come."""


def history_of(dossier: Dossier, now: int) -> tuple[Line, ...]:
    """The lines of `dossier`. The deadline of what is decided already is none of them."""
    held = dossier.state == "held"
    told = [each for each in dossier.timeline if each.what != "deadline" or held]
    if not told:
        return ()
    first = told[0].at
    # What is yet to come is hours away: drawn to that measure, nothing of what happened would be seen.
    last = max(*(each.at for each in told if each.at <= now or not held), now if held else 0, first + 1)
    # The task may be days older than the action: then the axis begins with the action.
    proposed = next((each.at for each in told if each.what == "proposed"), first)
    begin = proposed if proposed - first > 10 * max(last - proposed, 1) else first
    lines: list[Line] = []
    spoken = [index for index, each in enumerate(told) if each.what in _PEOPLE or each.what == "reject"]
    for index, each in enumerate(told):
        following = told[index + 1] if index + 1 < len(told) else None
        end = each.at if following is None else following.at
        if held and following is not None and following.what == "deadline":
            end = min(now, end)
        waited = held or index < max(spoken, default=0)
        tone = _tone(each, dossier, waited=waited)
        lines.append(_line(each, max(each.at, begin), max(end, begin), begin, last, now, tone))
    return tuple(lines)


def _line(each: Moment, start: int, end: int, begin: int, last: int, now: int, tone: str) -> Line:
    ahead = each.what == "deadline" and each.at > now
    span = max(last - begin, 1)
    lasted = lasting(end - start) if end > start else ""
    label = f"{each.words}, {lasted}" if lasted else each.words
    drawn = None if ahead else bar((start - begin) / span, (end - begin) / span, tone, label)
    return Line(at=each.at, words=each.words, who=each.who, lasted=lasted, drawn=drawn, ahead=ahead)


def _tone(each: Moment, dossier: Dossier, *, waited: bool) -> str:
    """The colour of the stretch after it; `waited`: people were waited for then, if they were asked at all."""
    if waited and ((each.what == "decided" and dossier.needs) or each.what in _PEOPLE):
        return "people"
    if each.what == "ended":
        return "good" if dossier.state in ("done", "undoing", "undone") else "bad"
    return {"reject": "bad", "task": "quiet"}.get(each.what, "")
