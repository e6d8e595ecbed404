"""Reading the parsed facts of an action: the contract's rules, over its arguments and facts."""

from typing import assert_never

from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Contract
from interlock.domain.parse import ChangePerMille, Domains, Folded, Hosts, Parse, Statements, Tables
from interlock.domain.parsing import Unreadable, change_per_mille, domains, folded, hosts
from interlock.ports.parser import Parser

Values = dict[str, JsonValue]


async def parsed_facts(contract: Contract, arguments: Values, facts: Values, parser: Parser) -> tuple[Values, str]:
    """What policies see as `context.parsed`, or why it cannot be read. `arguments` are bound: defaults are filled in."""
    found: Values = {}
    for name, rule in sorted(contract.parses.items()):
        try:
            value = await _parsed(rule, arguments, facts, parser)
        except Unreadable as error:
            # Names, never the value: the reason is told to the agent, and may be logged.
            return {}, f"the parsed fact `{name}` cannot be read from `{rule.of}`: {error}"
        if value is not None:
            found[name] = value
    return found, ""


async def _parsed(rule: Parse, arguments: Values, facts: Values, parser: Parser) -> JsonValue:
    value = arguments.get(rule.of)
    if value is None:
        return None
    match rule:
        case Domains():
            return list[JsonValue](domains(value))
        case Hosts():
            return list[JsonValue](hosts(value))
        case Folded():
            return folded(value)
        case ChangePerMille():
            base = _at(rule.against, arguments, facts)
            return None if base is None else change_per_mille(value, base)
        case Statements():
            return list[JsonValue](await parser.statements(_sql(value), rule.dialect))
        case Tables():
            return list[JsonValue](await parser.tables(_sql(value), rule.dialect))
        case _:
            assert_never(rule)


def _sql(value: JsonValue) -> str:
    if type(value) is not str:
        raise Unreadable("it is not text")
    return value


def _at(path: str, arguments: Values, facts: Values) -> JsonValue:
    """What `$facts.a.b` or `$args.a` names, or None where it is not there."""
    where, *steps = path.split(".")
    node: JsonValue = facts if where == "$facts" else arguments
    for step in steps:
        node = node.get(step) if isinstance(node, dict) else None
    return node
