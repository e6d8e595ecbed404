"""How what waits for people reaches them: what holds where no policy says otherwise. It is part of what is in force."""

import msgspec

from interlock.domain.deadline import REMIND, Overdue
from interlock.domain.on_call import Rota
from interlock.domain.pace import Attention


class Routing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The section `approvals` of `interlock.yaml`, and `on_call.yaml`."""

    remind: tuple[int, ...] = REMIND
    """At which shares of the time that somebody has, per mille. Empty: nobody is reminded."""
    overdue: Overdue = "deny"
    """What silence means."""
    attention: Attention = Attention()
    """How many yeses a person may give in how long, and when they are told that they hardly look."""
    on_call: dict[str, Rota] = {}
    """The week of each role that has one."""
