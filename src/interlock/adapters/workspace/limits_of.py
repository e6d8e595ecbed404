"""Budgets as a file says them: `EUR: 5000`, `calls: {limit: 100, per: hour, soft: 800}`, or a list of such tables."""

import re
from typing import Final

from interlock.adapters.workspace.fields import Section
from interlock.adapters.workspace.nodes import Listing, Node, Table
from interlock.domain.budget import Per, written

_UNIT: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*(:[A-Za-z0-9_.:/-]+)?")
_PER: Final[tuple[Per, ...]] = ("hour", "day", "release")
_WHOLE: Final = 1000


def limits(section: Section, name: str) -> tuple[dict[str, int], dict[str, int]]:
    """The limits by unit and window (`EUR`, `calls per hour`), and of some of them the share from which on it is noticed."""
    found: dict[str, int] = {}
    soft: dict[str, int] = {}
    for unit, node in section.pairs(name).items():
        if not _UNIT.fullmatch(unit) or len(unit) > 128:
            section.wrong(
                f"`{unit[:64]}` is no unit: `calls`, a currency such as EUR, `records:order`, `wall_ms`", node
            )
        for each in node.items if isinstance(node, Listing) else [node]:
            if not isinstance(each, Table):
                _note(section, found, written(unit, ""), section.whole(each, f"{name}.{unit}"), each)
                continue
            below = Section(each, f"`{name}.{unit}`", section.problems)
            per: Per = below.choice("per", _PER, "release") if below.has("per") else ""
            key = written(unit, per)
            if not below.has("limit"):
                section.wrong(f"`{name}.{unit}` has no `limit`", each)
            _note(section, found, key, below.integer("limit", 0), each)
            share = below.integer("soft", 0)
            if share > _WHOLE:
                section.wrong("`soft` is a share per mille, up to 1000", each)
            if share:
                soft[key] = share
            below.close()
    return found, soft


def _note(section: Section, found: dict[str, int], key: str, limit: int, node: Node) -> None:
    if key in found:
        section.wrong(f"there are two limits on `{key}`", node)
    found[key] = limit
