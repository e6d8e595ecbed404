"""The sections of an agent's file, one by one. What is wrong in one is noted with its place; nothing raises."""

import re
from pathlib import Path
from typing import Final, Literal

from interlock.adapters.workspace.fields import NAME, Section
from interlock.adapters.workspace.files import is_within, text_of
from interlock.adapters.workspace.limits_of import rate_in
from interlock.adapters.workspace.nodes import Node, Scalar
from interlock.domain.agent import (
    ACCESS,
    DIRECTIONS,
    STAGES,
    Access,
    Approvals,
    Behaviour,
    DataUse,
    Direction,
    Metric,
    Owners,
    Runtime,
    Scope,
    Stage,
)
from interlock.domain.canonical import MAX_INTEGER
from interlock.domain.ids import ContractName

_YES_NO: Final[tuple[Literal["true", "false"], ...]] = ("true", "false")
_RECORDS: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}:[!-~]{1,128}")
"""A kind and a pattern: `order:*`."""
_UNIT: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,31}")


def scope_of(section: Section | None) -> Scope:
    """What it is for, and what not."""
    if section is None:
        return Scope()
    scope = Scope(includes=section.texts("includes"), excludes=section.texts("excludes"), data=section.texts("data"))
    section.close()
    return scope


def owners_of(section: Section | None) -> Owners:
    """Who answers for it."""
    if section is None:
        return Owners()
    owners = Owners(
        decision=section.text("decision"),
        policy=section.text("policy"),
        data=section.text("data"),
        engineering=section.text("engineering"),
    )
    section.close()
    return owners


def stages_of(section: Section) -> dict[ContractName, Stage]:
    """How far it goes with single contracts."""
    default: Stage = "shadow"
    return {
        ContractName(name): section.one_of(node, f"stages.{name}", STAGES, default)
        for name, node in section.pairs("stages").items()
    }


def runtime_of(section: Section) -> Runtime:
    """The limits that hold without any policy."""
    base = Runtime()
    runtime = Runtime(
        max_depth=section.integer("max_depth", base.max_depth),
        max_repeats=section.integer("max_repeats", base.max_repeats, least=1),
        max_actions=section.integer("max_actions", base.max_actions, least=1),
        max_task_ms=section.span("max_task", base.max_task_ms),
        max_fanout=section.integer("max_fanout", base.max_fanout, least=1),
        may_recur=section.choice("may_recur", _YES_NO, "false") == "true",
        models=section.texts("models"),
        rate=rate_in(section),
    )
    section.close()
    return runtime


def approvals_of(section: Section) -> Approvals:
    """How people are asked, and for what they always are."""
    required = section.pairs("required").items()
    approvals = Approvals(
        within_ms=section.span("within", Approvals().within_ms),
        notify=section.texts("notify"),
        required={ContractName(name): _role(section, node, f"required.{name}") for name, node in required},
    )
    section.close()
    return approvals


def behaviour_of(section: Section | None, folder: Path) -> Behaviour:
    """What makes it act as it does. `folder` bounds where its prompt may stand."""
    if section is None:
        return Behaviour()
    behaviour = Behaviour(
        prompt=_prompt(section, folder),
        model=section.text("model"),
        parameters={name: _words(section, node, name) for name, node in section.pairs("parameters").items()},
        memory=section.text("memory"),
        escalation=section.text("escalation"),
    )
    section.close()
    return behaviour


def _words(section: Section, node: Node, name: str) -> str:
    if isinstance(node, Scalar):
        return node.text
    section.wrong(f"`parameters.{name}` must be words or a number", node)
    return ""


def _prompt(section: Section, folder: Path) -> str:
    """The prompt itself, or the text of the file beside the agent's that holds it."""
    node = section.take("prompt_file")
    if node is None:
        return section.text("prompt")
    if section.has("prompt"):
        section.wrong("the prompt is either `prompt` or `prompt_file`", node)
    path = section.text("prompt_file")
    target = (folder / section.problems.file).parent / path
    if not is_within(target, folder):
        section.wrong(f"`{path}` lies outside the workspace", node)
        return ""
    found = text_of(target)
    if found.text is None:
        section.wrong(f"`{path}` {found.why}", node)
    return found.text or ""


def metric_of(section: Section) -> Metric:
    """One measure of success: a number with a unit and a direction, or words with neither."""
    name, unit = section.text("name", required=True), section.text("unit")
    base: Direction = "at_least"
    direction: Direction = section.choice("direction", DIRECTIONS, base)
    if not (unit or section.has("direction")):
        metric = Metric(name=name, target=section.text("target", required=True))
    else:
        for field in ("unit", "direction"):
            if not section.has(field):
                section.wrong(f"a target that is a number needs `{field}` as well")
        if unit and not _UNIT.fullmatch(unit):
            section.wrong(f"`{unit[:64]}` is no unit: a word such as cents, per_mille or hours", section.take("unit"))
        node = section.take("target", required=True)
        target = 0 if node is None else section.whole(node, "target", least=-MAX_INTEGER)
        metric = Metric(name=name, target=target, unit=unit, direction=direction)
    section.close()
    return metric


def data_use_of(section: Section) -> DataUse | None:
    """One kind of records that it accesses, or None where they are not named as records are."""
    base: Access = "read"
    access: Access = section.choice("access", ACCESS, base)
    records = section.text("records", required=True)
    if records and not _RECORDS.fullmatch(records):
        section.wrong(
            f"`{records[:64]}` names no records: a kind and which of them, as in `order:*`", section.take("records")
        )
        records = ""
    section.close()
    return DataUse(records=records, access=access) if records else None


def tags_of(section: Section) -> tuple[str, ...]:
    """The cohorts it belongs to."""
    words = section.words("tags")
    for word in words:
        if not NAME.fullmatch(word.text):
            section.wrong(f"`{word.text[:64]}` is no tag: a word of letters, digits, `_` and `-`", word)
    return tuple(word.text for word in words)


def _role(section: Section, node: Node, name: str) -> str:
    if isinstance(node, Scalar) and node.text:
        return node.text
    section.wrong(f"`{name}` must be a role", node)
    return ""
