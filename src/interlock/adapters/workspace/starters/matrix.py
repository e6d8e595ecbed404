"""The oversight matrix as policies: risk and reversibility of what is done, and how sure the agent says it is, decide how
much of a person it takes.

One table, from which policies, tests and the comment above them are all written: they cannot say different things.
"""

from collections.abc import Iterator
from typing import Final, Literal

import msgspec

from interlock.domain.contract import RISKS, Risk
from interlock.domain.policy import Verdict

Oversight = Literal["auto", "sample", "approve", "propose"]
"""auto: it happens. sample: it happens, recorded for whoever looks at one in ten. approve: a person agrees first.
propose: the agent only proposes, and a person whose task it is decides."""

_VERDICTS: Final[dict[Oversight, Verdict]] = {
    "auto": "allow",
    "sample": "oblige",
    "approve": "require_approval",
    "propose": "escalate",
}
FILE: Final = "oversight"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One risk tier: what it takes where it can be undone and where it cannot, the agent being sure or not."""

    reversible_sure: Oversight
    reversible_unsure: Oversight
    irreversible_sure: Oversight
    irreversible_unsure: Oversight

    def cell(self, *, reversible: bool, sure: bool) -> Oversight:
        """One cell of it."""
        if reversible:
            return self.reversible_sure if sure else self.reversible_unsure
        return self.irreversible_sure if sure else self.irreversible_unsure


MATRIX: Final[dict[Risk, Row]] = {
    "low": Row(
        reversible_sure="auto", reversible_unsure="auto", irreversible_sure="approve", irreversible_unsure="approve"
    ),
    "medium": Row(
        reversible_sure="auto", reversible_unsure="sample", irreversible_sure="approve", irreversible_unsure="propose"
    ),
    "high": Row(
        reversible_sure="sample",
        reversible_unsure="approve",
        irreversible_sure="approve",
        irreversible_unsure="propose",
    ),
    "critical": Row(
        reversible_sure="approve",
        reversible_unsure="propose",
        irreversible_sure="propose",
        irreversible_unsure="propose",
    ),
}


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One policy: a cell, or the two of a row that differ only in confidence and want the same."""

    risk: Risk
    reversible: bool
    sure: bool | None
    """None: however sure."""
    oversight: Oversight

    @property
    def id(self) -> str:
        """Its `@id`."""
        parts = [FILE, self.risk, "reversible" if self.reversible else "irreversible"]
        return ".".join(parts if self.sure is None else [*parts, "sure" if self.sure else "unsure"])


def rules() -> Iterator[Rule]:
    """Every policy of the matrix but the permit."""
    for risk in RISKS:
        for reversible in (True, False):
            row = MATRIX[risk]
            sure, unsure = row.cell(reversible=reversible, sure=True), row.cell(reversible=reversible, sure=False)
            pairs: list[tuple[bool | None, Oversight]] = [(True, sure), (False, unsure)]
            if sure == unsure:
                pairs = [(None, sure)]
            for which, oversight in pairs:
                if oversight != "auto":
                    yield Rule(risk=risk, reversible=reversible, sure=which, oversight=oversight)


def matrix_files(*, confidence: int, agent: str, agents: str, approver: str, owner: str) -> dict[str, str]:
    """The matrix as policies and their tests, by path below the workspace.

    `confidence`: from how many per mille on an agent is sure. `agent` is whom the policies are about, all where it is
    empty; `agents` is who asks in the tests.
    """
    who = f'principal in Agent::"{agent}"' if agent else "principal"
    policies = [_head(confidence), _permit(who, owner)]
    policies += [_policy(rule, who, confidence, approver, owner) for rule in rules()]
    return {
        f"policies/{FILE}.cedar": "\n".join(policies),
        f"policies/tests/{FILE}.yaml": _tests(confidence, agent or agents),
    }


def _head(confidence: int) -> str:
    lines = [
        "// How much of a person it takes: the oversight matrix.",
        "//",
        f"//   sure: the agent says it is, at {confidence} per mille or more. Not sure: less, or it says nothing.",
        "//",
        "//              can be undone           cannot be undone",
        "//              sure       not sure     sure       not sure",
    ]
    for risk, row in MATRIX.items():
        cells = (row.reversible_sure, row.reversible_unsure, row.irreversible_sure, row.irreversible_unsure)
        first, second, third, fourth = cells
        lines.append(f"//   {risk:<10} {first:<10} {second:<12} {third:<10} {fourth}")
    lines += [
        "//",
        "//   auto     it happens",
        "//   sample   it happens; the obligation sample:0.1 is recorded with it, for whoever looks at one in ten afterwards",
        "//   approve  a person agrees before it happens",
        "//   propose  the agent only proposes: it is escalated, and a person decides what is done",
        "//",
        "// What only reads is auto, whatever its risk; so is an undo, for a person asked for it. Which contracts an agent may",
        "// use at all is said by the capabilities in its file; narrow the permit where that is not enough.",
        "",
    ]
    return "\n".join(lines)


def _permit(who: str, owner: str) -> str:
    return f'@id("{FILE}.auto")\n@owner("{owner}")\npermit ({who}, action in Action::"any", resource);\n'


_REASONS: Final[dict[Oversight, str]] = {
    "auto": "",
    "sample": "one in ten is to be looked at",
    "approve": "a person agrees first",
    "propose": "the agent only proposes",
}


def _policy(rule: Rule, who: str, confidence: int, approver: str, owner: str) -> str:
    words = [f"{rule.risk} risk", "can be undone" if rule.reversible else "cannot be undone"]
    if rule.sure is not None:
        words.append("the agent is sure" if rule.sure else "the agent is not sure")
    lines = [f'@id("{rule.id}")', f'@owner("{owner}")', f'@outcome("{_VERDICTS[rule.oversight]}")']
    if rule.oversight == "sample":
        lines.append('@obligation("sample:0.1")')
    else:
        lines.append(f'@approver("{approver}")')
    lines.append(f'@reason("{", ".join(words)}: {_REASONS[rule.oversight]}")')
    lines.append(f'forbid ({who}, action in Action::"risk:{rule.risk}", resource)')
    undone = 'action in Action::"irreversible"'
    sure = f"context has confidence && context.confidence >= {confidence}"
    when = [f"!({undone})" if rule.reversible else undone]
    if rule.sure is not None:
        when.append(sure if rule.sure else f"!({sure})")
    lines.append(f"when {{ {' && '.join(when)} }}")
    # What only reads is never irreversible.
    reads = ' || action in Action::"effect:read"' if rule.reversible else ""
    lines.append(f"unless {{ context.undo{reads} }};")
    return "\n".join(lines) + "\n"


def _tests(confidence: int, agent: str) -> str:
    lines = [
        "# A test a cell. The contracts are made up: a cell is tested before the first contract of its kind exists."
    ]
    lines += ["given:", f"  agent: {agent}", "cases:"]
    by = {(rule.risk, rule.reversible, rule.sure): rule.id for rule in rules()}
    sureness = (("sure", confidence), ("just not sure", confidence - 1), ("saying nothing", None))
    for risk in RISKS:
        for reversible in (True, False):
            for words, said in sureness:
                sure = said == confidence
                oversight = MATRIX[risk].cell(reversible=reversible, sure=sure)
                policy = by.get((risk, reversible, None)) or by.get((risk, reversible, sure)) or f"{FILE}.auto"
                undone = "can" if reversible else "cannot"
                lines.append(f"  - name: {risk} risk, {undone} be undone, {words} -> {oversight}")
                lines.append(f"    contract: {{risk: {risk}, reversible: {str(reversible).lower()}}}")
                if said is not None:
                    lines.append(f"    with: {{confidence: {said}}}")
                lines.append(f"    expect: {{verdict: {_VERDICTS[oversight]}, by: [{policy}]}}")
    lines.append("  - name: what only reads -> auto")
    lines.append("    contract: {risk: critical, effect: read}")
    lines.append(f"    expect: {{verdict: allow, by: [{FILE}.auto]}}")
    lines.append("  - name: an undo, on the word of who asked for it -> auto")
    lines.append("    contract: {risk: critical, reversible: false}")
    lines.append("    with: {undo: true}")
    lines.append(f"    expect: {{verdict: allow, by: [{FILE}.auto]}}")
    return "\n".join(lines) + "\n"
