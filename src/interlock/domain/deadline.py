"""Until when people are asked, who is asked next or may be handed it, and what silence means: as a policy says it, and as it
comes to pass.

    @deadline("30m") @escalate("lead, manager") @overdue("park")
    @deadline("30m") @default("keep it")

Whoever is asked has the deadline to answer; then the next role may answer as well, for as long again, to the last one. Then
silence is a no (`deny`), or the question stays open and is listed as overdue (`park`). A wider circle never asks fewer
people, and nobody in it stands in for two.

Silence never lets anything happen. An exception asks for nothing to happen, only what is to be done: there a policy may say
what the agent is told when nobody says anything (`default`).
"""

import re
from collections.abc import Callable, Collection, Set
from typing import Final, Literal

import msgspec

from interlock.domain import duration
from interlock.domain.canonical import MAX_INTEGER

Overdue = Literal["deny", "park"]
OVERDUE: Final[tuple[Overdue, ...]] = ("deny", "park")
LONGEST_DEFAULT: Final = 200
"""Letters of what is said for people who say nothing: as many as an option has."""
MOST_ROLES: Final = 5
"""In one chain."""
ON_CALL: Final = " on call"
REMIND: Final = (500, 800)
"""At which shares of the time somebody has, per mille, they are reminded."""
LEAST_APART: Final = duration.MINUTE
"""A reminder nearer than this to the beginning or the end of that time tells nobody anything."""
PARKED: Final = 30 * duration.DAY
"""For how long at most something waits that no task bounds."""
_ROLE: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")

Passing = Callable[[str, int, int], int]
"""When so many milliseconds of a role's hours on call have passed since a moment (UTC ms)."""


class Terms(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one policy says of the time there is. Empty: what the agent's file and the workspace say."""

    within_ms: int = 0
    """How long each role in the chain has; 0: as long as the agent's file says."""
    on_call: bool = False
    """Whether only the hours count in which that role is on call."""
    escalate: tuple[str, ...] = ()
    """Who may answer as well, one after the other."""
    overdue: Overdue | Literal[""] = ""
    default: str = ""
    """Of an exception: the answer where silence is the end of it. Of other actions it means nothing."""
    delegate: tuple[str, ...] = ()
    """Whom the question may be handed to who holds none of the roles asked: others roles, or `anyone`. Empty: nobody."""


class Step(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What happens at a moment at which nobody has answered yet."""

    at: int
    """UTC ms."""
    what: Literal["remind", "escalate", "overdue"]
    role: str = ""
    """Who is reminded, or may answer from now on."""
    policy: str = ""
    """Whose question it is."""


ANYONE: Final = "anyone"
"""Whoever may decide at all."""


def read_delegates(text: str) -> tuple[str, ...]:
    """`anyone`, or `manager, colleague`. Raises ValueError for what is no list of different roles."""
    roles = read_chain(text)
    if ANYONE in roles and len(roles) > 1:
        raise ValueError("`anyone` stands alone")
    return roles


def meant(delegates: Collection[str], held: Set[str]) -> bool:
    """Whether a policy that names `delegates` means those who hold these roles."""
    return ANYONE in delegates or not held.isdisjoint(delegates)


def read_deadline(text: str) -> Terms:
    """`30m`, or `4h on call`. Raises ValueError for anything else."""
    on_call = text.endswith(ON_CALL)
    within = duration.parse(text.removesuffix(ON_CALL))
    if within > MAX_INTEGER:
        raise ValueError("longer than can be counted")
    return Terms(within_ms=within, on_call=on_call)


def read_chain(text: str) -> tuple[str, ...]:
    """`lead, manager`. Raises ValueError for what is no list of different roles."""
    roles = tuple(word.strip() for word in text.split(","))
    if len(roles) > MOST_ROLES:
        raise ValueError(f"at most {MOST_ROLES} roles")
    wrong = next((role for role in roles if not _ROLE.fullmatch(role)), None)
    if wrong is not None:
        raise ValueError(f"`{wrong}` is no role")
    if len(set(roles)) != len(roles):
        raise ValueError("a role is named twice")
    return roles
