"""Policies over parsed facts: typed like everything else, and judged alike by both engines."""

import msgspec
import pytest

from interlock.adapters.cedar import CedarPolicies
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Contract, InProcess, NoReversal, checked
from interlock.domain.errors import PolicyError
from interlock.domain.ids import ContractName
from interlock.domain.parse import ChangePerMille, Domains, Folded, Statements
from interlock.domain.policy import Engine
from interlock.ports.policies import Judge
from tests.adapters.cedar_cases import ALL, SET_PRICE, question

SEND = checked(
    Contract(
        name=ContractName("mail.send"),
        effect="external",
        risk="medium",
        reversal=NoReversal(why="a mail cannot be unsent"),
        target=InProcess(name="send"),
        input_schema={
            "type": "object",
            "additionalProperties": False,
            "required": ["to", "sql"],
            "properties": {"to": {"type": "string"}, "sql": {"type": "string"}, "name": {"type": "string"}},
        },
        parses={
            "domains": Domains(of="to"),
            "kinds": Statements(of="sql", dialect="postgres"),
            "customer": Folded(of="name"),
        },
    )
)
PRICE = checked(
    msgspec.structs.replace(
        SET_PRICE, parses={"change": ChangePerMille(of="price_minor", against="$facts.floor_minor")}
    )
)
INSIDE = (
    '@id("inside") @owner("o") @outcome("deny") @reason("outside") forbid(principal, action == Action::"mail.send", '
    'resource) unless { ["acme.com", "acme.de"].containsAll(context.parsed.domains) && '
    '["select"].containsAll(context.parsed.kinds) };'
)
STEADY = (
    '@id("steady") @owner("o") @outcome("deny") @reason("jump") forbid(principal, action == Action::"pricing.set_price", '
    "resource) unless { context.parsed has change && context.parsed.change <= 100 && context.parsed.change >= -100 };"
)


def judge(*policies: str, engine: Engine = "compiled") -> Judge:
    """Policies over the two contracts, loaded."""
    language = CedarPolicies()
    return language.load(language.bundle({"p.cedar": "\n".join((ALL, *policies))}, [SEND, PRICE]), engine)


@pytest.mark.parametrize("engine", ["compiled", "cedarpy"])
@pytest.mark.parametrize(
    ("domains", "kinds", "denied"),
    [
        (["acme.com"], ["select"], False),
        (["acme.com", "acme.de"], ["select"], False),
        (["acme.com", "evil.com"], ["select"], True),
        (["acme.com"], ["delete", "select"], True),
    ],
)
def test_policies_over_sets(engine: Engine, domains: list[JsonValue], kinds: list[JsonValue], denied: bool) -> None:
    """A policy over what was read of recipients and statements decides alike on both engines."""
    asked = question(
        contract=SEND.name,
        contract_digest=SEND.digest,
        arguments={"to": "x", "sql": "y"},
        facts={},
    )
    asked = msgspec.structs.replace(asked, parsed={"domains": domains, "kinds": kinds})

    opinions = judge(INSIDE, engine=engine).opinions(asked)

    assert opinions.errors == ()
    assert ("inside" in opinions.satisfied) is denied


@pytest.mark.parametrize("engine", ["compiled", "cedarpy"])
@pytest.mark.parametrize(("change", "denied"), [(100, False), (-100, False), (101, True), (-101, True), (None, True)])
def test_policies_over_changes(engine: Engine, change: int | None, denied: bool) -> None:
    """A policy over a relative change decides at its limits, and on a change that cannot be told."""
    asked = msgspec.structs.replace(question(), parsed={} if change is None else {"change": change})

    opinions = judge(STEADY, engine=engine).opinions(asked)

    assert opinions.errors == ()
    assert ("steady" in opinions.satisfied) is denied


@pytest.mark.parametrize(
    "when",
    [
        "context.parsed.domain.isEmpty()",
        'context.parsed.domains == "acme.com"',
        "context.parsed.domains.contains(1)",
        'context.parsed.customer == "acme"',
        "context.parsed.change > 1",
    ],
)
def test_what_is_misspelt_or_mistyped_is_refused(when: str) -> None:
    """A parsed fact that is not there, of another type, or read without asking whether it is there, is an error at load."""
    policy = (
        f'@id("p") @owner("o") @outcome("deny") @reason("r") forbid(principal, action, resource) when {{ {when} }};'
    )

    with pytest.raises(PolicyError):
        judge(policy)


@pytest.mark.parametrize("engine", ["compiled", "cedarpy"])
def test_a_missing_parsed_fact_is_an_error(engine: Engine) -> None:
    """A question without a fact that must be there denies by error; it never passes for an empty set."""
    asked = question(contract=SEND.name, contract_digest=SEND.digest, arguments={"to": "x", "sql": "y"}, facts={})

    assert judge(INSIDE, engine=engine).opinions(asked).errors != ()
