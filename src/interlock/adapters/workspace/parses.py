"""`parses:` of a contract file: what is read out of arguments for policies, by name.

parses:
  recipients: {domains: {of: to}}
  hosts: {hosts: {of: url}}
  customer: {folded: {of: name}}
  change: {change_per_mille: {of: price_minor, against: $facts.current_minor}}
  kinds: {statements: {of: sql, dialect: postgres}}
  tables: {tables: {of: sql, dialect: postgres}}
"""

from typing import Final

from interlock.adapters.workspace.fields import Section, near
from interlock.adapters.workspace.nodes import Node
from interlock.domain.parse import (
    SQL_DIALECTS,
    ChangePerMille,
    Domains,
    Folded,
    Hosts,
    Parse,
    Statements,
    Tables,
)

_RULES: Final = ("domains", "hosts", "folded", "change_per_mille", "statements", "tables")


def parses_in(section: Section) -> dict[str, Parse]:
    """The rules of a contract by the names of their facts. What is wrong is noted in its place."""
    below = section.section("parses")
    if below is None:
        return {}
    found = {name: _rule(below, name, node) for name, node in below.own()}
    return {name: rule for name, rule in found.items() if rule is not None}


def _rule(section: Section, name: str, node: Node) -> Parse | None:
    named = section.below(node, name)
    if named is None:
        return None
    words = list(named.table.entries)
    if len(words) != 1 or words[0] not in _RULES:
        hint = near(words[0], _RULES) if words else ""
        section.wrong(f"`{name}` must be one of {', '.join(_RULES)}{hint}", node)
        return None
    fields = named.section(words[0], required=True)
    if fields is None:
        return None
    rule = _read(words[0], fields)
    fields.close()
    return rule


def _read(word: str, fields: Section) -> Parse:
    of = fields.text("of", required=True)
    match word:
        case "domains":
            return Domains(of=of)
        case "hosts":
            return Hosts(of=of)
        case "folded":
            return Folded(of=of)
        case "change_per_mille":
            return ChangePerMille(of=of, against=fields.text("against", required=True))
        case "statements":
            return Statements(of=of, dialect=fields.choice("dialect", SQL_DIALECTS, "postgres", required=True))
        case _:
            return Tables(of=of, dialect=fields.choice("dialect", SQL_DIALECTS, "postgres", required=True))
