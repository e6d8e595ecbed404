"""Invariants, written as Cedar: what must hold of every request there could be.

    @id("refund-cap")
    @invariant("never")
    @reason("never more than the order was worth")
    forbid (principal, action == Action::"refunds.issue", resource)
    when { context.args.amount_minor > context.facts.order_total_minor };

A request that such a forbid describes must never happen (`never`: whoever agrees), or never without a person who agrees
(`attended`). It decides nothing: it is held against the policies, and against the same schema as they are.
"""

import re
from collections.abc import Mapping
from typing import Final, cast

import cedarpy
import msgspec
from cedarpy import pst

from interlock.adapters.cedar.compiling import refusal
from interlock.adapters.cedar.parsing import parsed
from interlock.adapters.cedar.source import Problems
from interlock.domain.errors import PolicyError
from interlock.domain.proof import Invariant, Lasting

LASTING: Final = ("never", "attended")
_KNOWN: Final = ("id", "invariant", "reason", "owner")
_OWN_NAME: Final = re.compile(r"^for policy `policy0`[:,] ")


class Written(msgspec.Struct, frozen=True):
    """An invariant and the requests it describes."""

    invariant: Invariant
    template: pst.Template


def written_in(sources: Mapping[str, str], schema: cedarpy.Schema) -> list[Written]:
    """The invariants in these files, by name. Raises PolicyError with everything that is wrong, or if there is none."""
    problems = Problems()
    found: dict[str, Written] = {}
    for statement, template in parsed(sources, problems):
        name = template.annotations.get("id", "")
        wrong = [*_annotated(template), *_unknown(template), *_invalid(statement.text, schema)]
        if name in found:
            wrong.append(f"`@id` is taken by the invariant at {found[name].invariant.place}")
        for detail in wrong:
            problems.add(statement, detail, name)
        if not wrong:
            said = template.annotations
            lasting = cast(Lasting, said["invariant"])
            invariant = Invariant(id=name, lasting=lasting, reason=said.get("reason", ""), place=str(statement.place))
            found[name] = Written(invariant, template)
    problems.settle()
    if not found:
        raise PolicyError("there is no invariant in it", next_step='write one: a forbid with `@invariant("never")`')
    return list(found.values())


def _annotated(template: pst.Template) -> list[str]:
    said = template.annotations
    wrong = [f"`@{key}` means nothing on an invariant" for key in said if key not in _KNOWN]
    if not said.get("id"):
        wrong.append("`@id` must be given")
    if said.get("invariant") not in LASTING:
        wrong.append('an invariant says what it promises: `@invariant("never")` or `@invariant("attended")`')
    if template.effect != "forbid":
        wrong.append("an invariant is a forbid: it describes what must not be")
    return wrong


def _unknown(template: pst.Template) -> list[str]:
    found = refusal(template)
    return [] if found is None else [f"it uses {found}, which is not supported here"]


def _invalid(text: str, schema: cedarpy.Schema) -> list[str]:
    result = cedarpy.validate_policies(text, schema)  # pyright: ignore[reportUnknownMemberType]  cedarpy leaves its dicts untyped
    if result.validation_passed:
        return []
    errors = {_OWN_NAME.sub("", problem.error) for problem in result.errors}
    return sorted(errors) or ["it does not pass validation"]
