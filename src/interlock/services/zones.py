"""Hours on call as moments: what a rota says, by the time zone database of this machine."""

from collections.abc import Mapping
from datetime import tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from interlock.domain.deadline import Passing
from interlock.domain.on_call import Rota, Stretch, next_on_call, now_on_call, passed


@lru_cache(maxsize=64)
def zone_of(name: str) -> tzinfo | None:
    """The time zone of that name, or None where this machine knows none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def passing(rotas: Mapping[str, Rota]) -> Passing:
    """How the hours of roles on call pass. Those of a role without a rota, or in a zone that is not known here, pass by the
    clock: that deadline comes earlier, never later."""

    def after(role: str, since: int, wanted: int) -> int:
        rota = rotas.get(role)
        zone = None if rota is None else zone_of(rota.zone)
        return since + wanted if rota is None or zone is None else passed(rota, zone, since, wanted)

    return after


def on_call(rota: Rota, now: int) -> tuple[Stretch, ...]:
    """The shifts of `rota` that run at `now`; none where its zone is not known here."""
    zone = zone_of(rota.zone)
    return () if zone is None else now_on_call(rota, zone, now)


def upcoming(rota: Rota, now: int) -> Stretch | None:
    """The shift of `rota` that begins next after `now`; none where its zone is not known here, or it has none."""
    zone = zone_of(rota.zone)
    return None if zone is None else next_on_call(rota, zone, now)
