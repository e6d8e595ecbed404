"""Servers of others: what they say of their tools, and whose word a result is."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.domain.contract import Contract, McpTarget, PythonTarget, checked
from interlock.domain.ids import ContractName, Digest
from interlock.domain.label import Source, source_of
from interlock.domain.upstream import Change, Definition, changes

GREET = Definition(
    name="greet",
    description="Says hello.",
    input_schema={"type": "object", "properties": {"loud": {"type": "number", "default": 0.5}}},
    annotations={"readOnlyHint": True},
)


@given(
    st.sampled_from(["name", "title", "description", "input_schema", "output_schema", "annotations"]),
    st.text(st.characters(codec="utf-8"), min_size=1),
)
def test_any_change_of_a_definition_is_another_pin(field: str, text: str) -> None:
    """Name, title, description, either schema and hints: a change of any of them changes the digest."""
    value = {"changed": text} if field in ("input_schema", "output_schema", "annotations") else f"x{text}"
    other = msgspec.structs.replace(GREET, **{field: value})
    assert other.digest != GREET.digest
    assert changes({"greet": GREET}, {"greet": other}) == (Change(tool="greet", kind="changed", fields=(field,)),)


def test_a_definition_is_the_same_whatever_the_order_of_its_names() -> None:
    """A server that lists the members of a schema in another order has not changed it."""
    schema = GREET.input_schema
    other = msgspec.structs.replace(GREET, input_schema=dict(reversed(schema.items())))
    assert other.digest == GREET.digest
    assert changes({"greet": GREET}, {"greet": other}) == ()


def test_tools_that_came_and_went_are_told() -> None:
    """A new tool and one that is gone are changes, too."""
    other = msgspec.structs.replace(GREET, name="part")
    told = changes({"greet": GREET}, {"part": other})
    assert told == (Change(tool="greet", kind="gone"), Change(tool="part", kind="new"))


def test_half_of_a_character_has_no_pin() -> None:
    """What no text can hold cannot be accepted."""
    with pytest.raises(ValueError, match="half of a character"):
        _ = msgspec.structs.replace(GREET, description="\ud800").digest


def contract(target: McpTarget | PythonTarget) -> Contract:
    """A contract that reads."""
    return checked(
        Contract(
            name=ContractName("kit.greet"),
            input_schema={"type": "object", "properties": {}, "additionalProperties": False},
            effect="read",
            risk="low",
            target=target,
        )
    )


def test_a_result_of_a_server_is_untrusted_unless_its_contract_says_otherwise() -> None:
    """The label names the server; the workspace's own tools have none."""
    target = McpTarget(server="kit", tool="greet", pin=Digest("a" * 64))
    assert source_of(contract(target)) == Source(kind="mcp", name="kit", trusted=False)
    assert source_of(contract(msgspec.structs.replace(target, trusted=True))) == Source(
        kind="mcp", name="kit", trusted=True
    )
    assert source_of(contract(PythonTarget(target="kit:greet"))) is None


def test_another_pin_is_another_contract() -> None:
    """The digest of a contract covers what the server said of its tool, so an approval does too."""
    target = McpTarget(server="kit", tool="greet", pin=Digest("a" * 64))
    assert contract(target).digest != contract(msgspec.structs.replace(target, pin=Digest("b" * 64))).digest
