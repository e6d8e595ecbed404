"""An action and a contract as a person reads them."""

from collections.abc import Iterator
from typing import Final

import msgspec
from rich.console import Console
from rich.text import Text

from interlock.cli.output import moment, pairs, safe, short, shown, state
from interlock.domain.action import MEANING, Action, Outcome
from interlock.domain.approval import Hold, agreed, roles_for
from interlock.domain.baseline import MEANS
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Blind, Conditional, Contract, InProcess, Keyed, Lookup
from interlock.domain.dossier import Dossier, reversal_words
from interlock.domain.duration import words
from interlock.domain.output import MASKING, Output, in_words
from interlock.domain.policy import Requirement
from interlock.sdk.outcomes import advice, why
from interlock.services.calling import NEVER_CALLED

Line = tuple[str, str]
"""What something is called, and what it is."""

_THEN = {
    "denied": "interlock policy explain {action}    (how it followed)",
    "held": "interlock approve {action} --as NAME{typed}    (or `reject`, `modify`)",
    "ready": "interlock work    (a worker runs it)",
    "unknown": "interlock settle {action} done|failed --as NAME    (once you looked)",
    "undo_failed": "interlock retry    (lists what blocks)",
}

RUN_BY_PROGRAM: Final = "the agent's program runs it: resume it, or let it ask again"
"""What is said of an action that is ready and `run: in_process`: no worker has the function."""


def show_action(
    console: Console,
    action: Action,
    contract: Contract | None,
    *,
    missing: str = "",
    lift: str = "",
    dossier: Dossier | None = None,
) -> None:
    """The whole life of an action, top to bottom. `missing` is why it could not be run right here, `lift` what to do about
    the brake that holds it, `dossier` what helps to decide on it."""
    if action.state == "ready" and contract is not None and isinstance(contract.target, InProcess):
        headline, then = "cleared; waiting for the agent's program", lift or RUN_BY_PROGRAM
    elif missing:
        headline = f"cleared, but it cannot be run here: {missing}"
        then = "interlock work    (where it can be run, or here once that is mended)"
    else:
        headline, then = _headline(action), lift or _then(action, dossier)
    console.print(f"[bold]{shown(action.contract)}[/bold]  {state(action.state)}  [dim]{shown(headline)}[/dim]")
    print_lines(
        console,
        [
            *_proposed(action),
            *_decided(action, contract),
            *_helping(dossier),
            *_carried_out(action),
            *_left(action, then),
        ],
    )


def show_contract(console: Console, contract: Contract) -> None:
    """What a contract promises."""
    said = f"  [dim]{shown(contract.description)}[/dim]" if contract.description else ""
    console.print(f"[bold]{shown(contract.name)}[/bold]  version {shown(contract.version)}{said}")
    lines: list[Line] = [
        ("digest", contract.digest),
        ("owner", contract.owner or "-"),
        ("effect", f"{contract.effect}, {contract.risk} risk"),
        ("repeats", _repeats(contract)),
        ("undo", reversal_words(contract)),
        ("timeout", words(contract.timeout_ms)),
        ("runs", _target(contract)),
    ]
    if contract.cost is not None:
        lines.append(("costs", f"{text(contract.cost.amount)} of {text(contract.cost.unit)}"))
    lines.append(("output", _output(contract.output or MASKING)))
    for name, kind in sorted(contract.data_classes.items()):
        lines.append(("data", f"{name}: {kind}"))
    lines += _fields("takes", contract.input_schema)
    lines += _fields("gives", contract.output_schema)
    if contract.facts is not None:
        lines += _fields("facts", contract.facts.schema)
    print_lines(console, lines)


def text(value: JsonValue) -> str:
    """A JSON value on one line; text without its quotes."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _headline(action: Action) -> str:
    """What its state means; where we refused it ourselves, why we did."""
    if action.state == "refused":
        return "; ".join(why(action)[1]) or MEANING[action.state]
    if action.state == "failed" and action.outcome is not None and action.outcome.note == NEVER_CALLED:
        return f"nothing happened: {NEVER_CALLED}"
    return MEANING[action.state]


def _utc(at: int | None) -> str:
    return "-" if at is None else f"{moment(at)} UTC"


def _said_by(said: Outcome) -> str:
    return f"{NEVER_CALLED}; tried at" if said.note == NEVER_CALLED else f"said by the {said.by} at"


WITHHELD: Final = {
    "erased": "everything private of it was erased; `interlock verify` holds that against the log",
    "sealed": "everything private of it is sealed with keys that are not here",
    "lost": "the key of everything private of it is lost: restore the vault's backup",
}


def _proposed(action: Action) -> Iterator[Line]:
    yield "action", action.id
    if action.withheld:
        yield "task", f"{action.task}  agent {action.agent}"
        yield "private", WITHHELD[action.withheld]
    else:
        yield "task", f"{action.task}  agent {action.agent}  for {action.initiator}"
    yield "release", action.release[:12]
    yield "proposed", _utc(action.proposed_at)
    for name, value in action.arguments.items():
        yield f"  {name}", text(value)
    for name, value in action.facts.items():
        yield f"  fact {name}", text(value)
    for name, value in (action.asked.parsed if action.asked is not None else {}).items():
        yield f"  parsed {name}", text(value)
    if action.justification:
        yield "because", action.justification
    if action.confidence is not None:
        yield "confidence", f"{action.confidence} per mille, says the agent"
    for name, value in action.kpi.items():
        yield "expects", f"{name} {value:+}, says the agent"


def _decided(action: Action, contract: Contract | None) -> Iterator[Line]:
    if contract is not None:
        promise = f"{contract.effect}, {contract.risk} risk, {reversal_words(contract)}"
        yield "contract", f"version {contract.version}, {promise}"
    if action.decision is not None:
        by = ", ".join(action.decision.because)
        verdict = action.decision.verdict.replace("_", " ")
        yield "decision", f"{verdict} by {by}, policies {action.decision.bundle[:12]}"
    for each in action.asked.unusual if action.asked is not None else ():
        yield "unusual", f"{MEANS[each]} ({each})"
    rule, reasons = why(action)
    for reason in reasons:
        yield "reason", f"{reason} ({rule})" if rule else reason
    if action.hold is not None:
        yield from _held(action.hold, action.initiator)


def progress(hold: Hold, need: Requirement, initiator: str) -> str:
    """How many have agreed, and how many more it takes."""
    count = agreed(hold, need, initiator=initiator)
    left = max(need.quorum - count, 0)
    return f"{count} of {need.quorum} of role {need.role} agreed" + (f", {left} more" if left else "")


_UNANSWERED: Final = {"remind": "remind ", "escalate": "may also be answered by ", "overdue": "overdue, and stays open"}


def _held(hold: Hold, initiator: str) -> Iterator[Line]:
    for need in hold.requirements:
        until = _utc(hold.answer_by)
        roles = " or ".join([need.role, *sorted(roles_for(hold, need) - {need.role})])
        yield "asks", f"{need.quorum} of role {roles} (policy {need.policy}) until {until}"
        if need.quorum > 1:
            yield "  agreed", progress(hold, need, initiator)
    if hold.overdue:
        yield "overdue", f"since {_utc(hold.steps[-1].at)}: nobody answered in time, and it stays open"
    for step in hold.steps[hold.walked :]:
        yield "then", f"{_utc(step.at)} {_UNANSWERED[step.what]}{step.role}"
    if hold.default:
        yield "then", f"{_utc(hold.expires_at)} answered by default: {hold.default}"
    for word in hold.approvals:
        note = f": {word.note}" if word.note else ""
        yield word.verdict, f"{word.person} at {_utc(word.decided_at)}{note}"
    yield "view", hold.view[:12]


def _helping(dossier: Dossier | None) -> Iterator[Line]:
    """What a reviewer looks at beside the action itself."""
    if dossier is None:
        return
    for row in dossier.changes:
        if row.kind == "changed":
            by = f"  {row.difference}" if row.difference else ""
            yield "changes", f"{row.name}: {row.before_text or 'not known'} -> {row.after_text}{by}"
    for row in dossier.modified:
        yield "modified", f"{row.name}: {row.before_text or 'nothing'} -> {row.after_text or 'nothing'}"
    if dossier.precedents is not None:
        yield "before", dossier.precedents.words
    for query in dossier.questions:
        yield "question", f"{query.number}, by {query.person}: {query.text}"
        yield "  answer", query.answer if query.answered_at is not None else "none yet"
    for each in dossier.handings:
        back = "" if each.back_at is None else ", and taken back"
        yield "handed", f"by {each.by} to {each.to}{back}" + (f": {each.note}" if each.note else "")
    if dossier.target:
        yield "target", f"a yes types the value of `{dossier.target_name}`: --target VALUE"
    if dossier.warning:
        yield "mind", dossier.warning


def _carried_out(action: Action) -> Iterator[Line]:
    if action.attempt:
        last = _utc(action.dispatched_at)
        yield "attempts", f"{action.attempt}, the last at {last}, under lease {action.fence} (the tool's `call.fence`)"
    said = action.outcome
    if said is not None:
        yield "outcome", f"{_said_by(said)} {_utc(said.observed_at)}"
        if said.result is not None:
            yield "  result", text(said.result)
        yield from _taken(said)
        if said.verified is not None:
            yield "  verified", "yes" if said.verified else "no: the postcondition does not hold"
        if said.error:
            yield "  error", said.error
        if said.note and said.note != NEVER_CALLED:
            yield "  note", said.note


def _taken(said: Outcome) -> Iterator[Line]:
    """What the agent did not get of the result."""
    if said.redaction is None:
        return
    if said.redaction.withheld:
        yield "  withheld", "the agent got nothing of the result"
    for each in in_words(said.redaction.taken):
        yield "  taken", each
    if said.redaction.kept:
        yield "  kept", "sealed, as it came, for the undo that reads it"


def _left(action: Action, then: str) -> Iterator[Line]:
    if action.undoes:
        yield "undoes", action.undoes
    if action.undone_by:
        yield "undone by", action.undone_by
    entries = f"{action.entries} entry" if action.entries == 1 else f"{action.entries} entries"
    yield "evidence", f"{entries}; `interlock packet {short(action.id)}` shows all"
    if then:
        yield "next", then


def _then(action: Action, dossier: Dossier | None) -> str:
    """What can be done about it now; nothing where it is over."""
    if action.state == "refused":
        return advice(action)
    typed = " --target VALUE" if dossier is not None and dossier.target else ""
    return _THEN.get(action.state, "").format(action=short(action.id), typed=typed)


def _repeats(contract: Contract) -> str:
    match contract.idempotency:
        case Keyed(retention_ms=retention):
            return f"keyed: with the same key, for {words(retention)}"
        case Conditional():
            return "conditional: the target refuses a second landing"
        case Lookup(quarantine_ms=quarantine):
            wait = f" after {words(quarantine)}" if quarantine else ""
            return f"lookup: the target is asked whether it happened{wait}"
        case Blind():
            return "blind: one attempt"


def _target(contract: Contract) -> str:
    target = msgspec.to_builtins(contract.target)
    place = target.get("target") or target.get("name") or f"{target.get('method', 'POST')} {target.get('url')}"
    return f"{place} ({str(contract.target.__struct_config__.tag).replace('_', ' ')})"


def _fields(label: str, schema: dict[str, JsonValue]) -> list[Line]:
    """An object's members, one a line; anything else on one line."""
    properties, required = schema.get("properties"), schema.get("required")
    if not isinstance(properties, dict) or not properties:
        return [(label, _kind(schema) if schema else "anything")]
    must = required if isinstance(required, list) else []
    lines: list[Line] = []
    for name, member in properties.items():
        optional = "" if name in must else " (optional)"
        lines.append((label if not lines else "", f"{name}{optional}: {_kind(member)}"))
    return lines


def _output(rule: Output) -> str:
    """What an agent gets of a result, in words."""
    words = {"mask": "secrets masked", "refuse": "refused if it holds a secret", "keep": "secrets kept"}
    said = [words[rule.secrets]]
    if rule.personal:
        said.append(f"{', '.join(rule.personal)} masked")
    if rule.mask:
        said.append(f"{', '.join(rule.mask)} masked whole")
    if rule.drop:
        said.append(f"{', '.join(rule.drop)} dropped")
    return "; ".join(said)


def _kind(schema: JsonValue) -> str:
    """A schema in a few words: its type, then whatever else it says."""
    if not isinstance(schema, dict):
        return text(schema)
    reference = schema.get("$ref")
    if isinstance(reference, str):
        return reference.rpartition("/")[2]
    kind, enum = schema.get("type"), schema.get("enum")
    if isinstance(enum, list):
        said = "one of " + ", ".join(text(each) for each in enum)
    else:
        said = " or ".join(text(each) for each in kind) if isinstance(kind, list) else text(kind or "value")
    rest = [
        f"{name} {text(value)}"
        for name, value in schema.items()
        if name not in ("type", "enum", "title", "properties", "required", "additionalProperties", "$defs")
    ]
    return ", ".join([said, *rest])


def print_lines(console: Console, lines: list[Line]) -> None:
    """Each with its name before it, whatever anybody wrote into it."""
    table = pairs()
    for label, value in lines:
        table.add_row(Text(f"  {safe(label)}"), Text(safe(value)))
    console.print(table)
