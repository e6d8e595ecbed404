"""What a contract must say before anything may lean on it."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.domain.contract import (
    Blind,
    Conditional,
    Contract,
    Cost,
    Facts,
    HttpTarget,
    InProcess,
    Keyed,
    Lookup,
    NoReversal,
    PythonTarget,
    Reversal,
    TwoPhase,
    checked,
)
from interlock.domain.errors import ContractError
from interlock.domain.record import plain
from tests.domain.contracts import PRICE, but, taking


def refusal(contract: Contract) -> ContractError:
    """Why it may not be relied upon."""
    with pytest.raises(ContractError) as caught:
        checked(contract)
    return caught.value


@pytest.mark.parametrize(
    ("contract", "path", "says"),
    [
        (but(name=""), "", "dotted words"),
        (but(name="two words"), "", "dotted words"),
        (but(name="a..b"), "", "dotted words"),
        (but(name="a.b\n"), "", "dotted words"),
        (but(name="x" * 129), "", "128"),
        (but(timeout_ms=0), "/timeout_ms", "timeout"),
        (but(timeout_ms=-1), "/timeout_ms", "timeout"),
        (but(input_schema={}), "/input_schema", "closed object"),
        (but(input_schema={"type": "object"}), "/input_schema", "closed object"),
        (but(input_schema={"type": "object", "additionalProperties": True}), "/input_schema", "closed object"),
        (but(input_schema={"type": "array", "additionalProperties": False}), "/input_schema", "closed object"),
        (taking({"type": "number"}), "/input_schema/properties/x/type", "integer minor units"),
        (taking({"type": ["number", "null"]}), "/input_schema/properties/x/type", "number"),
        (taking({"type": "array", "items": {"type": "number"}}), "/input_schema/properties/x/items/type", "number"),
        (taking({"anyOf": [{"type": "number"}]}), "/input_schema/properties/x/anyOf/0/type", "number"),
        (taking({"type": "float"}), "/input_schema/properties/x/type", "float"),
        (taking({"type": "string", "pattern": "("}), "/input_schema/properties/x/pattern", "JSON Schema"),
        (but(output_schema={"type": "nothing"}), "/output_schema/type", "JSON Schema"),
        (taking({"$ref": "#/$defs/nowhere"}), "/input_schema", "JSON Schema"),
        (taking({"$ref": "https://example.com/schema.json"}), "/input_schema", "JSON Schema"),
        (but(reversal=None), "/reversal", "how it is undone"),
        (but(reversal=None, effect="external"), "/reversal", "how it is undone"),
        (but(idempotency=Lookup()), "/lookup", "whom to ask"),
        (but(idempotency=Keyed(retention_ms=0)), "/idempotency/retention_ms", "longer than nothing"),
        (but(reversal=Reversal(contract="x", arguments={"a": "$args.skuu"})), "/reversal/arguments/a", "no argument"),
        (but(cost=Cost(unit="$args.currency", amount=5)), "/cost/unit", "no argument"),
        (but(cost=Cost(unit="EUR", amount="$args.price")), "/cost/amount", "no argument"),
    ],
)
def test_a_contract_that_would_not_hold_is_refused_with_its_place(contract: Contract, path: str, says: str) -> None:
    """Each thing a contract must say is missed by name, with a pointer to where it should stand."""
    error = refusal(contract)

    assert error.path == path
    assert says in error.detail
    assert f"`{contract.name}`" in error.detail


@pytest.mark.parametrize(
    "contract",
    [
        PRICE,
        but(effect="read", reversal=None),
        but(effect="read", reversal=None, idempotency=Blind()),
        but(idempotency=Conditional()),
        but(idempotency=Lookup(quarantine_ms=5), lookup=PythonTarget(target="shop:find")),
        but(
            reversal=Reversal(
                contract="x", arguments={"a": "$args.sku", "b": "$result.any.thing", "c": 5, "d": "$args"}
            )
        ),
        but(cost=Cost(unit="EUR", amount="$args.price_minor")),
        but(input_schema={"type": "object", "additionalProperties": False}),
        taking({"type": "object", "properties": {"type": {"type": "string"}}, "additionalProperties": False}),
        taking({"enum": ["number"], "default": {"type": "number"}}),
        taking({"$ref": "#/properties/sku"}),
    ],
)
def test_a_contract_that_holds_comes_back_as_it_is(contract: Contract) -> None:
    """Checking changes nothing; words that only look like keywords (an argument called `type`) are no trouble."""
    assert checked(contract) is contract


@pytest.mark.proves("contract.acts_says_how_it_is_undone")
@given(st.sampled_from(["read", "write", "external"]), st.booleans(), st.booleans())
def test_whatever_acts_says_how_it_is_undone(effect: Any, undone: bool, said: bool) -> None:
    """A contract that acts holds only if it names its reversal or says why there is none; it is irreversible if nothing
    undoes it; a read is never irreversible."""
    reversal = Reversal(contract="x", arguments={}) if undone else NoReversal(why="it is gone") if said else None
    contract = but(effect=effect, reversal=reversal)

    holds = effect == "read" or reversal is not None

    if holds:
        checked(contract)
    else:
        refusal(contract)
    assert contract.acts == (effect != "read")
    assert contract.irreversible == (effect != "read" and not undone)


def test_the_digest_is_the_contracts_own() -> None:
    """The digest covers every field but the revision, and it is what the contract is filed under."""
    assert PRICE.saved().digest == PRICE.digest == PRICE.key
    changed = [
        but(name="pricing.set"),
        but(version="2"),
        but(description="d"),
        but(owner="o"),
        taking({"type": "string"}),
        but(output_schema={"type": "integer"}),
        but(effect="external"),
        but(risk="high"),
        but(idempotency=Keyed()),
        but(idempotency=Conditional()),
        but(reversal=NoReversal(why="other")),
        but(reversal=Reversal(contract="x", arguments={})),
        but(target=PythonTarget(target="shop:other")),
        but(target=HttpTarget(url="https://shop.example")),
        but(target=InProcess(name="shop")),
        but(lookup=PythonTarget(target="shop:find")),
        but(facts=Facts(source=PythonTarget(target="shop:facts"), schema={})),
        but(postcondition=PythonTarget(target="shop:is")),
        but(two_phase=TwoPhase(prepare=InProcess(name="p"), abort=InProcess(name="a"))),
        but(cost=Cost(unit="EUR", amount=1)),
        but(data_classes={"sku": "internal"}),
        but(timeout_ms=1),
    ]

    assert len({PRICE.digest, *(contract.digest for contract in changed)}) == len(changed) + 1


def test_a_digest_does_not_change_between_versions() -> None:
    """The digest of a contract that uses few promises is fixed for ever: stored approvals and releases name it."""
    assert PRICE.digest == "f46ed65d8d8f62ee14d346d490945fac1757d40fe7d1cac907857328d04d4237"


def test_a_contract_is_the_same_after_storing() -> None:
    """A contract read back from JSON is the contract that was written, digest and all."""
    full = but(
        idempotency=Lookup(quarantine_ms=1),
        reversal=Reversal(contract="x", arguments={"a": [1, {"b": None}]}, within_ms=5, approver="lead"),
        lookup=HttpTarget(url="https://a.example", method="GET", headers={"x": "y"}),
        facts=Facts(source=InProcess(name="f"), schema={"type": "object"}),
        cost=Cost(unit="EUR", amount=5),
    )

    again = msgspec.json.decode(msgspec.json.encode(full), type=Contract)

    assert again == full
    assert again.digest == full.digest
    assert "approver" in str(plain(full))


def test_a_schema_never_says_what_it_was_given() -> None:
    """Messages about arguments may be logged: they name the field and the rule, never the value."""
    error = next(iter(PRICE.takes.iter_errors({"sku": "a secret that is long", "price_minor": 1})))

    assert "secret" not in error.message


def test_a_schema_reaches_nothing_outside_itself(tmp_path: Path) -> None:
    """A reference to a file is refused even where the file is there: what a contract means stands in the contract."""
    (tmp_path / "schema.json").write_text('{"type": "string"}')

    assert "JSON Schema" in refusal(taking({"$ref": (tmp_path / "schema.json").as_uri()})).detail
