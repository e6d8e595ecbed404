"""Invariants, written as Cedar: what must hold of every request there could be.

    @id("refund-cap")
    @invariant("never")
    @reason("never more than the order was worth")
    forbid (principal, action == Action::"refunds.issue", resource)
    when { context.args.amount_minor > context.facts.order_total_minor };

A request that such a forbid describes must never happen (`never`: whoever agrees), or never without a person who agrees
(`attended`). It decides nothing: it is held against the policies, and against the same schema as they are.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final, cast

import cedarpy
import msgspec
from cedarpy import pst

from interlock.adapters.cedar.compiling import refusal
from interlock.adapters.cedar.hints import invalid
from interlock.adapters.cedar.lint import absent, names
from interlock.adapters.cedar.loaded import schema_of
from interlock.adapters.cedar.misplaced import misplaced, never_the_same
from interlock.adapters.cedar.parsing import parsed
from interlock.adapters.cedar.remark import Noting, Remark
from interlock.adapters.cedar.schema import Surface, render, surfaces
from interlock.adapters.cedar.scope import idle
from interlock.adapters.cedar.source import Problems, Statement
from interlock.domain.contract import Contract
from interlock.domain.errors import PolicyError
from interlock.domain.finding import Finding
from interlock.domain.proof import Invariant, Lasting

LASTING: Final = ("never", "attended")
_KNOWN: Final = ("id", "invariant", "reason", "owner")


class Written(msgspec.Struct, frozen=True):
    """An invariant and the requests it describes."""

    invariant: Invariant
    template: pst.Template


def written_in(sources: Mapping[str, str], schema: cedarpy.Schema, found: Mapping[str, Surface]) -> list[Written]:
    """The invariants in these files, by name. Raises PolicyError with everything that is wrong, or if there is none."""
    problems = Problems()
    written = _read(sources, schema, found, problems)
    problems.settle()
    if not written:
        raise PolicyError("there is no invariant in it", next_step='write one: a forbid with `@invariant("never")`')
    return written


def invariant_findings(
    sources: Mapping[str, str], contracts: Sequence[Contract], agents: Collection[str] | None = None
) -> tuple[Finding, ...]:
    """Everything that is wrong with the invariants in these files, by place; with `agents`, the names of all there are,
    also whom they name. Raises PolicyError where the contracts make no schema."""
    found, unseen = surfaces(contracts)
    problems = Problems()
    _read(sources, schema_of(render(found, unseen)), found, problems, agents)
    return problems.findings()


def _read(
    sources: Mapping[str, str],
    schema: cedarpy.Schema,
    found: Mapping[str, Surface],
    problems: Problems,
    agents: Collection[str] | None = None,
) -> list[Written]:
    """Those that are sound; what is wrong with the others is noted."""
    written: dict[str, Written] = {}
    for statement, template in parsed(sources, problems):
        name = template.annotations.get("id", "")
        note = Noting(problems, statement, name)
        wrong = [*_annotated(template), *_mistaken(statement, template, schema, found)]
        if agents is not None:
            wrong += [each for each in names(template, agents, None) if each.severity == "error"]
        if name in written:
            wrong.append(Remark(f"`@id` is taken by the invariant at {written[name].invariant.place}", "id", "value"))
        for remark in wrong:
            note(remark)
        if not wrong:
            said = template.annotations
            lasting = cast(Lasting, said["invariant"])
            invariant = Invariant(id=name, lasting=lasting, reason=said.get("reason", ""), place=str(statement.place))
            written[name] = Written(invariant, template)
    return list(written.values())


def _annotated(template: pst.Template) -> list[Remark]:
    said = template.annotations
    wrong = [Remark(f"`@{key}` means nothing on an invariant", key, "key") for key in said if key not in _KNOWN]
    if not said.get("id"):
        wrong.append(Remark("`@id` must be given", "id", "value"))
    if said.get("invariant") not in LASTING:
        message = 'an invariant says what it promises: `@invariant("never")` or `@invariant("attended")`'
        wrong.append(Remark(message, "invariant", "value"))
    if template.effect != "forbid":
        wrong.append(Remark("an invariant is a forbid: it describes what must not be", template.effect, "word"))
    return wrong


def _mistaken(
    statement: Statement, template: pst.Template, schema: cedarpy.Schema, found: Mapping[str, Surface]
) -> list[Remark]:
    """What would be wrong with it as a policy, too."""
    unknown = refusal(template)
    if unknown is not None:
        return [Remark(f"it uses {unknown}, which is not supported here")]
    mistaken = misplaced(template)
    if mistaken is not None:
        return [mistaken]
    nothing = idle(template, found.values())
    return invalid(statement, template, schema, found, idle=nothing) or [
        *never_the_same(template),
        *absent(template, found.values()),
    ]
