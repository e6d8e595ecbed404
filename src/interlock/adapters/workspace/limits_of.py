"""Budgets, rates and prices as a file says them.

Budgets: `EUR: 5000`, `calls: {limit: 100, per: hour, soft: 800}`, or a list of such tables. A rate: `{calls: 30, per: 1m}`.
"""

import re
from typing import Final

from interlock.adapters.workspace.fields import NAME, Section
from interlock.adapters.workspace.nodes import Listing, Node, Table
from interlock.domain.budget import Per, written
from interlock.domain.duration import DAY
from interlock.domain.rate import Rate
from interlock.domain.use import MODEL, Price

_UNIT: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*(:[A-Za-z0-9_.:/@+-]+)?")
_PER: Final[tuple[Per, ...]] = ("hour", "day", "release")
_WHOLE: Final = 1000
LONGEST: Final = 30 * DAY
"""The longest span of a rate."""


def limits(section: Section, name: str) -> tuple[dict[str, int], dict[str, int]]:
    """The limits by unit and window (`EUR`, `calls per hour`), and of some of them the share from which on it is noticed."""
    found: dict[str, int] = {}
    soft: dict[str, int] = {}
    for unit, node in section.pairs(name).items():
        if not _UNIT.fullmatch(unit) or len(unit) > 128:
            section.wrong(
                f"`{unit[:64]}` is no unit: `calls`, a currency such as EUR, `records:order`, `wall_ms`, `tokens:MODEL`",
                node,
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


def rate_in(section: Section) -> Rate | None:
    """The field `rate`, where there is one."""
    node = section.take("rate")
    below = None if node is None else section.below(node, "rate")
    return None if below is None else _rate(below)


def rates(section: Section, name: str) -> dict[str, Rate]:
    """Rates by what they bound: the tenant, or a cohort."""
    found: dict[str, Rate] = {}
    for scope, node in section.pairs(name).items():
        tag = scope.removeprefix("tag:")
        if scope != "tenant" and (tag == scope or not NAME.fullmatch(tag)):
            section.wrong(f"`{scope[:64]}` has no rate here: `tenant`, or a cohort such as `tag:web`", node)
        below = section.below(node, f"{name}.{scope[:64]}")
        rate = None if below is None else _rate(below)
        if rate is not None:
            found[scope] = rate
    return found


def prices(section: Section, name: str) -> dict[str, Price]:
    """What models cost by the operator's own list: millionths of a dollar for a million tokens. Tokens from a cache cost as
    much as others unless that is said."""
    found: dict[str, Price] = {}
    for model, node in section.pairs(name).items():
        below = section.below(node, f"{name}.{model[:64]}")
        if not MODEL.fullmatch(model):
            section.wrong(f"`{model[:64]}` is no name of a model: letters, digits and `._:/@+-`", node)
        if below is None:
            continue
        for field in ("input", "output"):
            if not below.has(field):
                below.wrong(f"a price needs `{field}`: as in `{{input: 150000, output: 600000}}`, for a million tokens")
        entered = below.integer("input", 0)
        found[model] = Price(input=entered, output=below.integer("output", 0), cached=below.integer("cached", entered))
        below.close()
    return found


def _rate(below: Section) -> Rate:
    for field in ("calls", "per"):
        if not (below.has(field) or below.has(f"{field}_ms")):
            below.wrong(f"a rate needs `{field}`: as in `{{calls: 30, per: 1m}}`")
    rate = Rate(calls=below.integer("calls", 1, least=1), per_ms=below.span("per", DAY))
    if rate.per_ms > LONGEST:
        below.wrong("a rate is of 30 days at most; what is longer is a budget", below.take("per"))
    below.close()
    return rate


def _note(section: Section, found: dict[str, int], key: str, limit: int, node: Node) -> None:
    if key in found:
        section.wrong(f"there are two limits on `{key}`", node)
    found[key] = limit
