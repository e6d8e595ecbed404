"""How fast somebody decides, and whether they still look.

A person who decides on more than a workspace thinks anybody can read has to wait. A person who agrees with nearly everything
after hardly a look is told so, and so is whoever looks at the figures: a control that nobody reads is none.
"""

from collections.abc import Iterable
from statistics import median_low
from typing import ClassVar, Final

import msgspec

from interlock.domain.duration import HOUR, SECOND, words
from interlock.domain.errors import TooFast
from interlock.domain.ids import Person
from interlock.domain.record import Record

KEPT: Final = 50
"""Words by which somebody is judged to look or not."""


class Attention(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a workspace asks of those who decide."""

    most: int | None = None
    """Yeses of one person in any `per_ms`; None: as many as they like."""
    per_ms: int = HOUR
    look_ms: int = 5 * SECOND
    """Somebody whose median look is shorter, and who agrees with `agrees` or more, is told so."""
    agrees: int = 980
    """Per mille."""
    words: int = 20
    """Of fewer words nothing is said. Looked at are the last 50."""


class Ruled(msgspec.Struct, frozen=True, array_like=True):
    """One word: when, whether it was a yes, and how long it was looked at (-1: no surface showed it)."""

    at: int
    agreed: bool
    looked_ms: int = -1


class Pace(Record, frozen=True, kw_only=True, omit_defaults=True):
    """The last words of one person, newest last. What about is not kept here."""

    kind: ClassVar[str] = "pace"

    person: Person
    words: tuple[Ruled, ...] = ()

    @property
    def key(self) -> str:
        """Filed by person."""
        return self.person

    def further(self, word: Ruled, attention: Attention) -> "Pace":
        """With one more word. As many are kept as the limit and the judgement need."""
        since = word.at - attention.per_ms
        kept = [each for each in self.words if attention.most is not None and each.at > since]
        last = [*self.words, word]
        count = max(KEPT, len(kept) + 1)
        return msgspec.structs.replace(self, words=tuple(last[-count:]))


def must_not_hurry(pace: Pace, attention: Attention, now: int, *, words_now: int = 1) -> None:
    """Return while there is room for `words_now` more yeses. Raises TooFast, saying when there is."""
    if attention.most is None:
        return
    recent = [each.at for each in pace.words if each.agreed and each.at > now - attention.per_ms]
    over = len(recent) + words_now - attention.most
    if over <= 0:
        return
    wait = max(recent[min(over, len(recent)) - 1] + attention.per_ms - now, 1) if recent else attention.per_ms
    raise TooFast(
        f"`{pace.person}` has agreed to {len(recent)} in {words(attention.per_ms)}, and {attention.most} is as many as "
        "anybody is trusted to have read",
        next_step=f"go on in {words(max(wait, SECOND))}, or let somebody else decide",
        after_s=max(-(-wait // SECOND), 1),
    )


def warning(paces: Iterable[Ruled], attention: Attention) -> str:
    """What a person is told who agrees with nearly everything after hardly a look; empty where there is nothing to say."""
    last = list(paces)[-KEPT:]
    looked = [each.looked_ms for each in last if each.looked_ms >= 0]
    if len(last) < attention.words or not looked:
        return ""
    agreed = 1000 * sum(each.agreed for each in last) // len(last)
    typical = median_low(looked)
    if agreed < attention.agrees or typical >= attention.look_ms:
        return ""
    return (
        f"of the last {len(last)} decisions {agreed // 10}.{agreed % 10} % were a yes, after {words(max(typical, 1))} of "
        "looking: who agrees with everything is not asked for their judgement"
    )
