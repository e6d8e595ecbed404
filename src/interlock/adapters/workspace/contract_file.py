"""`contracts/*.yaml`: one contract a file.

name: mail.send
owner: support-team
effect: external
risk: medium
arguments:                     # JSON Schema of each argument, all required but those with a default;
  to: {type: string}           # or a whole schema (`type: object`, `properties`, `required`)
  text: string                 # short for {type: string}
idempotency: {keyed: {retention: 24h}}        # or blind | conditional | {lookup: {quarantine: 10m}}
parses: {recipients: {domains: {of: to}}}     # facts read out of arguments, by name: see parses.py
reversal: {none: a mail cannot be unsent}     # or {contract, arguments, within, approver}
output: {personal: [email], drop: [internal]} # what the agent gets of the result; secrets are masked in any case
subject: {customer: $args.customer_id}        # whom its data is about, for `interlock erase`
changes: {balance: {before: $facts.minor, after: $facts.minor + $args.minor, money: EUR}}   # what a reviewer is shown
touches: {customer: $args.customer_id}        # which records an action touches; `touches: nothing` says none
rate: {calls: 30, per: 1m}                    # by all agents together, in any minute
run: {http: {url: "https://mail.example/send", headers: {Authorization: "Bearer ${MAIL_TOKEN}"}}}
                               # or {python: module:function}, or in_process: a tool that the agent's own program has
"""

from typing import Any, Final

from interlock.adapters.workspace.agent_file import Places
from interlock.adapters.workspace.fields import Section, at, json_of, near, per_mille
from interlock.adapters.workspace.limits_of import rate_in
from interlock.adapters.workspace.nodes import Node, Scalar, Table
from interlock.adapters.workspace.parses import parses_in
from interlock.adapters.workspace.schemas import is_whole, schema_behind, schema_in
from interlock.adapters.workspace.targets import read_run, read_target, target_in
from interlock.domain.changing import Changing
from interlock.domain.closing import Schema
from interlock.domain.contract import (
    RISKS,
    Blind,
    Conditional,
    Contract,
    Cost,
    Effect,
    Facts,
    Idempotency,
    Keyed,
    Lookup,
    NoReversal,
    Reversal,
    TwoPhase,
    checked,
)
from interlock.domain.duration import DAY, SECOND
from interlock.domain.errors import ContractError
from interlock.domain.ids import ContractName
from interlock.domain.output import PERSONAL, SECRETS, Output, Personal
from interlock.domain.sureness import BELOW, Sureness

EFFECTS: Final[tuple[Effect, ...]] = ("read", "write", "external")
_CLASSES: Final = ("keyed", "conditional", "lookup", "blind")
_FIELDS: Final = {
    "input_schema": "arguments",
    "output_schema": "result",
    "timeout_ms": "timeout",
    "retention_ms": "retention",
    "data_classes": "data",
}
"""What the domain calls a field, and what a person writes."""


def read_contract(section: Section, places: Places) -> tuple[str, Contract | None]:
    """The name a file gives its contract, and the contract if it would hold."""
    name = section.text("name", required=True)
    contract = Contract(
        name=ContractName(name),
        version=section.text("version", "1"),
        description=section.text("description"),
        owner=section.text("owner"),
        input_schema=schema_behind(section, "arguments", exact=True),
        output_schema=schema_behind(section, "result", exact=False),
        effect=section.choice("effect", EFFECTS, "read", required=True),
        risk=section.choice("risk", RISKS, "critical", required=True),
        # Where none can be read a problem was noted, and the contract goes nowhere.
        target=read_run(section, name),
        two_phase=_two_phase(section.section("two_phase")),
        timeout_ms=section.span("timeout", 30 * SECOND),
        **promises(section),
    )
    places["contract", name] = section.place("name")
    places["contract", name, "reversal"] = section.place("reversal")
    section.close()
    if section.problems.wrong:
        return name, None
    try:
        return name, checked(contract)
    except ContractError as error:
        section.wrong(error.detail.removeprefix(f"contract `{name}`: "), _node_at(section, error.path))
        return name, None


def promises(section: Section) -> dict[str, Any]:
    """What a contract says of any tool, whoever runs it: by the name of the contract's field."""
    return {
        "idempotency": _idempotency(section),
        "reversal": _reversal(section),
        "lookup": read_target(section, "lookup"),
        "facts": _facts(section.section("facts")),
        "parses": parses_in(section),
        "postcondition": read_target(section, "postcondition"),
        "cost": _cost(section.section("cost")),
        "data_classes": _words(section, "data"),
        "output": _output(section.section("output")),
        "touches": {} if _touches_nothing(section) else _words(section, "touches"),
        "touches_nothing": _touches_nothing(section),
        "subject": _words(section, "subject"),
        "changes": _changes(section),
        "confidence": _confidence(section.section("confidence")),
        "rate": rate_in(section),
    }


def _confidence(section: Section | None) -> Sureness | None:
    if section is None:
        return None
    sureness = Sureness(
        act=_share(section, "act", required=True),
        ask=_share(section, "ask"),
        below=section.choice("below", BELOW, "escalate"),
    )
    section.close()
    return sureness


def _share(section: Section, name: str, *, required: bool = False) -> int:
    """`90%`, as per mille."""
    text = section.text(name, required=required)
    found = per_mille(text)
    if found is None:
        if text:
            section.wrong(f"`{name}` is a share such as 90%", section.take(name))
        return 0
    return found


def _touches_nothing(section: Section) -> bool:
    node = section.take("touches")
    return isinstance(node, Scalar) and node.text == "nothing"


def _node_at(section: Section, path: str) -> Node:
    """The node that a path of the domain's means, as far as it can be followed."""
    steps = [_FIELDS.get(step, step) for step in path.split("/")[1:]] or ["name"]
    written = section.table.entries.get(steps[0])
    if steps[1:2] == ["properties"] and isinstance(written, Table) and not is_whole(written):
        del steps[1]  # we wrote it, around the arguments
    return at(section.table, steps)


def _idempotency(section: Section) -> Idempotency:
    node = section.take("idempotency")
    if node is None:
        return Blind()
    if isinstance(node, Scalar):
        word, below = section.one_of(node, "idempotency", _CLASSES, "blind"), None
    else:
        table = section.below(node, "idempotency")
        if table is None:
            return Blind()
        names = list(table.table.entries)
        if len(names) != 1 or names[0] not in _CLASSES:
            hint = near(names[0], _CLASSES) if names else ""
            section.wrong(f"`idempotency` must be one of {', '.join(_CLASSES)}{hint}", node)
            return Blind()
        word, below = names[0], table.section(names[0])
    match word:
        case "keyed":
            kept = DAY if below is None else below.span("retention", DAY)
            result: Idempotency = Keyed(retention_ms=kept)
        case "lookup":
            result = Lookup(quarantine_ms=0 if below is None else below.span("quarantine", 0))
        case "conditional":
            result = Conditional()
        case _:
            result = Blind()
    if below is not None:
        below.close()
    return result


def _reversal(section: Section) -> Reversal | NoReversal | None:
    below = section.section("reversal")
    if below is None:
        return None
    why = below.text("none")
    if why:
        below.close()
        return NoReversal(why=why)
    arguments = below.section("arguments")
    reversal = Reversal(
        contract=below.text("contract", required=True),
        arguments={} if arguments is None else {n: json_of(node, below.problems) for n, node in arguments.own()},
        within_ms=below.span("within", 30 * DAY),
        approver=below.text("approver") or None,
    )
    below.close()
    return reversal


def _facts(section: Section | None) -> Facts | None:
    if section is None:
        return None
    source = target_in(section)
    table = section.take("schema", required=True)
    schema: Schema = {}
    if isinstance(table, Table):
        schema = schema_in(section, table, exact=True)
    elif table is not None:
        section.wrong("`schema` must be a table: the JSON Schema of each fact, by name", table)
    section.close()
    return None if source is None else Facts(source=source, schema=schema)


def _two_phase(section: Section | None) -> TwoPhase | None:
    if section is None:
        return None
    prepare, abort = read_target(section, "prepare", required=True), read_target(section, "abort", required=True)
    section.close()
    return None if prepare is None or abort is None else TwoPhase(prepare=prepare, abort=abort)


def _cost(section: Section | None) -> Cost | None:
    if section is None:
        return None
    node = section.take("amount", required=True)
    is_path = isinstance(node, Scalar) and node.text.startswith("$args.")
    amount: int | str = section.text("amount") if is_path else section.integer("amount", 0)
    cost = Cost(unit=section.text("unit", required=True), amount=amount)
    section.close()
    return cost


def _changes(section: Section) -> dict[str, Changing]:
    found: dict[str, Changing] = {}
    for name, node in section.pairs("changes").items():
        below = section.below(node, name)
        if below is None:
            continue
        after, before = below.take("after", required=True), below.take("before")
        found[name] = Changing(
            after=None if after is None else json_of(after, below.problems),
            before=None if before is None else json_of(before, below.problems),
            money=below.text("money"),
            unit=below.text("unit"),
        )
        below.close()
    return found


def _output(section: Section | None) -> Output | None:
    if section is None:
        return None
    rule = Output(
        secrets=section.choice("secrets", SECRETS, "mask"),
        personal=_personal(section),
        drop=section.texts("drop"),
        mask=section.texts("mask"),
    )
    section.close()
    return rule


def _personal(section: Section) -> tuple[Personal, ...]:
    return tuple(section.one_of(node, "personal", PERSONAL, "email") for node in section.words("personal"))


def _words(section: Section, name: str) -> dict[str, str]:
    below = section.section(name)
    if below is None:
        return {}
    return {name: below.text(name) for name in below.table.entries}
