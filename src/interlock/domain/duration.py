"""Durations are integer milliseconds; these are the words people write them with."""

import re

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_UNITS = {"ms": 1, "s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}
_PART = re.compile(r"([0-9]{1,12})(ms|s|m|h|d)")


def parse(text: str) -> int:
    """Milliseconds of `90s`, `1h30m`, `30d`. Raises ValueError on anything else, zero included."""
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"`{text}` is not a duration such as 90s, 1h30m or 30d")
    total = sum(int(number) * _UNITS[unit] for number, unit in parts)
    if total == 0:
        raise ValueError("a duration must be longer than nothing")
    return total


def words(milliseconds: int) -> str:
    """The largest two units of a duration, for a person: `1h 30m`."""
    if milliseconds < SECOND:
        return f"{milliseconds}ms"
    left, said = milliseconds, list[str]()
    for unit, size in (("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", SECOND)):
        count, left = divmod(left, size)
        if count:
            said.append(f"{count}{unit}")
    return " ".join(said[:2])
