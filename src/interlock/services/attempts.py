"""Who tried passwords, or tokens, lately, as one process remembers it: addresses, and names under which there is no password.

The tries at a real account stand in its record, and hold across processes and restarts. These only keep whoever tries from
telling by being locked out which names are real, and one address from trying every name: some thousand of each are kept.
"""

from collections import OrderedDict
from ipaddress import IPv6Address, ip_address

from interlock.domain.throttle import FROM_ONE_PLACE, PASSWORDS, Tries, wait

MOST = 4096


class Attempts:
    """Of this process."""

    def __init__(self, *, words: str = PASSWORDS, scope: str = "sign-in") -> None:
        self._words, self._scope = words, scope
        self._places: OrderedDict[str, Tries] = OrderedDict()
        self._nobodies: OrderedDict[str, Tries] = OrderedDict()

    def count_from(self, address: str, now: int) -> None:
        """One try from there. Raises RateExceeded where too many that were wrong came from there lately, or are looked at now."""
        place = _place(address)
        tries = self._places.get(place, Tries())
        if tries.count >= FROM_ONE_PLACE and now < tries.until:
            raise wait(tries.until, tries.count, now, words=self._words, scope=self._scope)
        _keep(self._places, place, tries.from_place(now))

    def look_from(self, address: str, now: int) -> None:
        """Nothing is counted. Raises RateExceeded as a try would."""
        tries = self._places.get(_place(address), Tries())
        if tries.count >= FROM_ONE_PLACE and now < tries.until:
            raise wait(tries.until, tries.count, now, words=self._words, scope=self._scope)

    def give_back(self, address: str) -> None:
        """It was no wrong one."""
        place = _place(address)
        tries = self._places.get(place)
        if tries is not None:
            self._places[place] = Tries(max(tries.count - 1, 0), tries.until)

    def count_nobody(self, name: str, now: int) -> None:
        """As a real account counts it, one try at a name without a password. Raises RateExceeded as that would."""
        tries = self._nobodies.get(name, Tries())
        if now < tries.until:
            raise wait(tries.until, tries.count, now)
        _keep(self._nobodies, name, tries.more(now))


def _keep(kept: OrderedDict[str, Tries], name: str, tries: Tries) -> None:
    kept[name] = tries
    kept.move_to_end(name)
    if len(kept) > MOST:
        kept.popitem(last=False)


def _place(address: str) -> str:
    """An address; of IPv6 the network that one customer is given."""
    try:
        found = ip_address(address)
    except ValueError:
        return "elsewhere"
    return str(found) if not isinstance(found, IPv6Address) else f"{int(found) >> 64:x}::/64"
