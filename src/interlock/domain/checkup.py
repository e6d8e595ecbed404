"""What a look at an installation finds: one line for each thing that was looked at, and what mends what is wrong."""

from typing import Final, Literal

import msgspec

from interlock.domain.errors import Fault

Health = Literal["good", "doubtful", "wrong", "unasked"]
"""`doubtful`: everything works, and somebody should look. `unasked`: it could not be looked at, or there is none of it."""

_GRAVITY: Final[dict[Health, int]] = {"unasked": 0, "good": 1, "doubtful": 2, "wrong": 3}


class Checked(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was looked at."""

    what: str
    health: Health
    said: str
    """What was found, as a sentence without its full stop."""
    repair: str = ""
    """What to do, with the command that does it in backticks; empty where nothing is to be done."""
    fault: Fault = "operator"
    """Whose it is to mend: `yours` stands for who wrote the workspace's files."""


class Checkup(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that was looked at, in the order in which it is best mended."""

    at: int
    """UTC ms."""
    checks: tuple[Checked, ...]

    @property
    def wrong(self) -> tuple[Checked, ...]:
        """What is wrong."""
        return tuple(each for each in self.checks if each.health == "wrong")

    @property
    def doubtful(self) -> tuple[Checked, ...]:
        """What somebody should look at."""
        return tuple(each for each in self.checks if each.health == "doubtful")

    @property
    def health(self) -> Health:
        """The worst of it."""
        worst: Health = "unasked"
        for each in self.checks:
            if _GRAVITY[each.health] > _GRAVITY[worst]:
                worst = each.health
        return worst


def good(what: str, said: str) -> Checked:
    """It was looked at, and is as it should be."""
    return Checked(what=what, health="good", said=said)


def doubtful(what: str, said: str, repair: str) -> Checked:
    """It works, and somebody should look."""
    return Checked(what=what, health="doubtful", said=said, repair=repair)


def wrong(what: str, said: str, repair: str, fault: Fault = "operator") -> Checked:
    """It does not work, or soon will not."""
    return Checked(what=what, health="wrong", said=said, repair=repair, fault=fault)


def unasked(what: str, said: str) -> Checked:
    """It could not be looked at, or there is none of it."""
    return Checked(what=what, health="unasked", said=said)
