"""Names that people mistype: what they may have meant, and what there is."""

from collections.abc import Iterable
from difflib import get_close_matches

MANY = 8
"""More names than these are not worth reading in one line."""


def instead(name: str, known: Iterable[str], otherwise: str) -> str:
    """What to do next about `name`, which is none of `known`: the closest of them, or all of them, or `otherwise`."""
    there = sorted(set(known))
    close = get_close_matches(name, there, n=1)
    if close:
        return f"did you mean `{close[0]}`?"
    return f"known: {listed(there)}" if there else otherwise


def listed(names: Iterable[str]) -> str:
    """Names in backticks, in their order; of many only the first."""
    there = list(names)
    more = f" and {len(there) - MANY} more" if len(there) > MANY else ""
    return ", ".join(f"`{each}`" for each in there[:MANY]) + more
