"""What a program gives to a task: read into the words of the gate, or refused where it comes in."""

from typing import Any

import pytest

import interlock
from interlock.domain.constraint import Exact, OneOf, Range, Wildcard
from interlock.domain.errors import ContractError
from interlock.domain.grant import NOTHING
from interlock.sdk.giving import given_data, given_tools
from interlock.sdk.tool import tool


def test_tools_as_json_or_as_values() -> None:
    """A constraint is an object of JSON, or the value that it means; a value is that value, a list one of its values;
    an empty one is any arguments, no tools are none."""
    said = {
        "mail.send": {
            "to": {"constraint_type": "exact", "value": "a@b"},
            "copies": {"constraint_type": "range", "max": 2},
        }
    }
    meant = {"mail.send": {"to": Exact(value="a@b"), "copies": Range(max=2)}}

    assert given_tools(said) == given_tools(meant)
    assert given_tools({"mail.send": {"to": "a@b", "text": ..., "copies": [1, 2]}}) == given_tools(
        {"mail.send": {"to": Exact(value="a@b"), "text": Wildcard(), "copies": OneOf(values=(1, 2))}}
    )
    assert given_tools({"mail.send": {}}).admits("mail.send", {"anything": 1}) is None
    assert given_tools({}) == NOTHING


@pytest.mark.parametrize(
    "tools",
    [
        {"mail.send": {"to": {"constraint_type": "regex", "pattern": ".*"}}},
        {"mail.send": {"to": {"constraint_type": "range"}}},
        {"mail.send": {"to": object()}},
        {"mail.send": {"to": {"constraint_type": "exact", "value": 1.5}}},
        {"mail.send": {"to": {"constraint_type": "exact", "value": "\ud800"}}},
        {f"t{n}": {"to": {"constraint_type": "exact", "value": "x" * 4000}} for n in range(20)},
    ],
)
def test_what_is_no_grant(tools: dict[str, Any]) -> None:
    """Refused, and named: nothing is guessed."""
    with pytest.raises(ContractError, match=r"`tools`|`value`"):
        given_tools(tools)


@pytest.mark.parametrize(
    "data",
    [
        {"customer": "c-17"},
        {"customer": [True]},
        {"customer": [1.5]},
        {"customer": [None]},
        {"customer": ["c-*"]},
        {"customer": ["\ud800"]},
        {"": ["c-17"]},
        {f"k{kind}": ["x" * 500 + str(n) for n in range(100)] for kind in range(2)},
    ],
)
def test_what_are_no_records(data: dict[str, Any]) -> None:
    """Refused, and named; a text is not taken for the list of its letters."""
    with pytest.raises(ContractError, match="`data`"):
        given_data(data)


@pytest.mark.parametrize(
    "given", [{"tools": ["mail.send"]}, {"tools": {"mail.send": None}}, {"data": ["c-17"]}, {"data": {"c": 17}}]
)
def test_what_a_client_refuses_at_once(given: dict[str, Any]) -> None:
    """Before any task is opened, under the argument's name."""
    with (
        interlock.open("memory:src/interlock_demo/workspace") as lock,
        pytest.raises(ContractError, match=r"tools|data"),
    ):
        lock.task("pricing", purpose="a test", **given)


def test_a_tool_that_touches_nothing_says_so() -> None:
    """It is a statement of its own; silence is none."""

    @tool(effect="read", risk="low", touches="nothing")
    def clock() -> int:
        return 1

    @tool(effect="read", risk="low")
    def silent() -> int:
        return 1

    assert (clock.contract.touches_nothing, clock.contract.touches) == (True, {})
    assert not silent.contract.touches_nothing
    with pytest.raises(ContractError, match="touches"):
        tool(effect="read", risk="low", touches="none")  # type: ignore[arg-type]  # what no type checker lets pass
