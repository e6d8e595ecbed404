"""Which rules a contract may have, and what kind of facts they make."""

from typing import Any

import msgspec
import pytest

from interlock.domain.contract import Contract, Facts, PythonTarget, checked
from interlock.domain.errors import ContractError
from interlock.domain.parse import (
    PARSES,
    ChangePerMille,
    Domains,
    Folded,
    Hosts,
    Parse,
    Statements,
    Tables,
    gives,
    may_be_absent,
)
from tests.domain.contracts import PRICE, but

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "to": {"type": "string"},
        "cc": {"type": "array", "items": {"type": "string"}, "default": []},
        "bcc": {"anyOf": [{"type": "array", "items": {"$ref": "#/$defs/Address"}}, {"type": "null"}], "default": None},
        "copies": {"type": "integer"},
        "kind": {"enum": ["a", "b"]},
        "mixed": {"type": ["string", "integer"]},
        "numbers": {"type": "array", "items": {"type": "integer"}},
        "loop": {"$ref": "#/$defs/Loop"},
        "order": {"type": "object", "properties": {"total": {"type": "integer"}}, "required": ["total"]},
    },
    "required": ["to", "copies", "kind", "mixed", "numbers", "loop"],
    "additionalProperties": False,
    "$defs": {"Address": {"type": "string"}, "Loop": {"anyOf": [{"$ref": "#/$defs/Loop"}, {"type": "string"}]}},
}
FACTS = Facts(
    source=PythonTarget(target="a:b"),
    schema={
        "$ref": "#/$defs/F",
        "$defs": {
            "F": {
                "type": "object",
                "properties": {"current_minor": {"type": "integer"}, "name": {"type": "string"}},
                "required": ["current_minor", "name"],
            }
        },
    },
)


def having(rule: Parse, name: str = "fact", facts: Facts | None = FACTS) -> Contract:
    """A contract with one rule."""
    return but(input_schema=SCHEMA, facts=facts, parses={name: rule})


@pytest.mark.parametrize(
    ("rule", "kind", "absent"),
    [
        (Domains(of="to"), "texts", False),
        (Domains(of="cc"), "texts", False),
        (Domains(of="bcc"), "texts", True),
        (Hosts(of="loop"), "texts", False),
        (Folded(of="kind"), "text", False),
        (Statements(of="to", dialect="mysql"), "texts", False),
        (Tables(of="to", dialect="postgres"), "texts", False),
        (ChangePerMille(of="copies", against="$facts.current_minor"), "integer", True),
        (ChangePerMille(of="copies", against="$args.order.total"), "integer", True),
    ],
)
def test_rules_that_fit(rule: Parse, kind: str, absent: bool) -> None:
    """A rule over an argument of its kind is accepted, and says what it makes and whether that may be missing."""
    assert checked(having(rule)).parses == {"fact": rule}

    assert (gives(rule), may_be_absent(rule, SCHEMA)) == (kind, absent)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (Domains(of="too"), "`too`, which is no argument"),
        (Domains(of="copies"), "needs text or an array of texts"),
        (Domains(of="mixed"), "needs text or an array of texts"),
        (Hosts(of="numbers"), "needs text or an array of texts"),
        (Folded(of="cc"), "needs text"),
        (Statements(of="copies", dialect="postgres"), "needs text"),
        (Tables(of="cc", dialect="postgres"), "needs text"),
        (ChangePerMille(of="to", against="$facts.current_minor"), "needs an integer, and `to`"),
        (ChangePerMille(of="copies", against="$facts.current"), "names no fact"),
        (ChangePerMille(of="copies", against="$facts.name"), "needs an integer, and `$facts.name`"),
        (ChangePerMille(of="copies", against="$args.order.sum"), "names no argument"),
        (ChangePerMille(of="copies", against="$result.x"), "must be `$facts.` or `$args.`"),
        (ChangePerMille(of="copies", against="current_minor"), "must be `$facts.` or `$args.`"),
        (ChangePerMille(of="copies", against="$facts"), "must be `$facts.` or `$args.`"),
    ],
)
def test_rules_that_do_not_fit(rule: Parse, said: str) -> None:
    """A rule over what is not there, or of another kind, is refused in its place."""
    with pytest.raises(ContractError) as caught:
        checked(having(rule))

    assert said in caught.value.detail
    assert caught.value.path == "/parses/fact"


@pytest.mark.parametrize("name", ["", "a-b", "1a", "_a", "__entity", "a b", "a" * 65, "é"])
def test_names_that_policies_could_not_write(name: str) -> None:
    """A fact is named by a letter and then letters, digits and underscores."""
    with pytest.raises(ContractError, match="must be named"):
        checked(having(Domains(of="to"), name))


def test_facts_that_are_not_there() -> None:
    """A contract without facts cannot have anything compared with one."""
    with pytest.raises(ContractError, match="names no fact"):
        checked(having(ChangePerMille(of="copies", against="$facts.current_minor"), facts=None))


def test_no_rules_no_difference() -> None:
    """A contract without parsed facts has the digest it had before there were any; with them it is judged as another."""
    without = msgspec.structs.replace(PRICE, parses={})
    with_one = having(Domains(of="to"))

    assert without.digest == PRICE.digest
    assert b"parses" not in msgspec.json.encode(without)
    assert with_one.digest != but(input_schema=SCHEMA, facts=FACTS).digest
    assert with_one.judged_by != but(input_schema=SCHEMA, facts=FACTS).judged_by


def test_rules_survive_the_store() -> None:
    """Every kind of rule is read back as it was written."""
    rules: list[Parse] = [
        Domains(of="to"),
        Hosts(of="to"),
        Folded(of="to"),
        ChangePerMille(of="copies", against="$facts.current_minor"),
        Statements(of="to", dialect="postgres"),
        Tables(of="to", dialect="sqlite"),
    ]
    contract = but(parses={f"f{place}": rule for place, rule in enumerate(rules)})

    assert msgspec.json.decode(msgspec.json.encode(contract), type=Contract) == contract
    assert {type(rule) for rule in rules} == set(PARSES)
