"""The decorator: what it declares, what it refuses, and where a call goes."""

import asyncio
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

import interlock
from interlock.domain.contract import (
    Contract,
    Cost,
    Facts,
    InProcess,
    Lookup,
    PythonTarget,
    Reversal,
    TwoPhase,
)
from interlock.domain.errors import ContractError, NotAllowed
from interlock.domain.ids import ContractName
from interlock.sdk.tool import CURRENT, NoEffect, Tool, tool, tools_in
from tests.sdk import toolbox
from tests.sdk.signatures import NOTHING, taking

HERE = "tests.sdk.toolbox"


class Recorder:
    """A task that answers every call with what it was."""

    def call_sync(self, tool: Tool[..., Any], args: tuple[object, ...], kwargs: Mapping[str, object]) -> Any:
        """What was called, and how."""
        return tool.contract.name, args, dict(kwargs)

    async def call_async(self, tool: Tool[..., Any], args: tuple[object, ...], kwargs: Mapping[str, object]) -> Any:
        """The same, awaited."""
        await asyncio.sleep(0)
        return self.call_sync(tool, args, kwargs)


@contextmanager
def task() -> Iterator[None]:
    """A task in force."""
    token = CURRENT.set(Recorder())
    try:
        yield
    finally:
        CURRENT.reset(token)


def declared(function: Callable[..., Any], **changes: Any) -> Contract:
    """The contract of `function`, declared as a read unless said otherwise."""
    words: dict[str, Any] = {"effect": "read", "risk": "low", **changes}
    made: Tool[..., Any] = tool(**words)(function)
    return made.contract


def refusal(function: Callable[..., Any], **changes: Any) -> ContractError:
    """Why it cannot be declared."""
    with pytest.raises(ContractError) as caught:
        declared(function, **changes)
    return caught.value


def test_a_declaration_becomes_a_contract() -> None:
    """Everything said in the decorator, the signature and the docstring stands in the contract."""
    contract = toolbox.set_price.contract

    assert contract == Contract(
        name=ContractName("pricing.set_price"),
        version="3",
        description="Give a product a new price.",
        owner="pricing-team",
        input_schema={
            "type": "object",
            "properties": {
                "sku": {"type": "string"},
                "price_minor": {"type": "integer", "minimum": 1, "default": 100},
            },
            "required": ["sku"],
            "additionalProperties": False,
        },
        output_schema={
            "description": "What a change of price did.",
            "type": "object",
            "properties": {"sku": {"type": "string"}, "was_minor": {"type": "integer"}},
            "required": ["sku", "was_minor"],
        },
        effect="write",
        risk="medium",
        idempotency=Lookup(quarantine_ms=60_000),
        reversal=Reversal(
            contract=ContractName("pricing.set_price"),
            arguments={"sku": "$args.sku", "price_minor": "$result.was_minor"},
        ),
        target=PythonTarget(target=f"{HERE}:set_price"),
        lookup=PythonTarget(target=f"{HERE}:find_change"),
        facts=Facts(
            source=PythonTarget(target=f"{HERE}:price_facts"),
            schema={
                "description": "What policies may read.",
                "type": "object",
                "properties": {"flagship": {"type": "boolean"}, "floor_minor": {"type": "integer"}},
                "required": ["flagship", "floor_minor"],
                "additionalProperties": False,
            },
        ),
        postcondition=PythonTarget(target=f"{HERE}:price_is"),
        two_phase=TwoPhase(
            prepare=PythonTarget(target=f"{HERE}:reserve"), abort=PythonTarget(target=f"{HERE}:release")
        ),
        cost=Cost(unit="EUR", amount="$args.price_minor"),
        data_classes={"sku": "internal"},
        timeout_ms=5_000,
    )


def test_declaring_twice_gives_one_digest() -> None:
    """The same function declared in the same words is the same contract; one word changed makes another."""

    def read(sku: str) -> int:
        return len(sku)

    assert declared(read).digest == declared(read).digest
    assert declared(read).digest != declared(read, risk="high").digest


def test_a_name_and_description_need_not_be_said() -> None:
    """They are the function's own; both can be said otherwise."""

    def count_stock(sku: str) -> int:
        """How many there are.

        And more.
        """
        return len(sku)

    assert (declared(count_stock).name, declared(count_stock).description) == ("count_stock", "How many there are.")
    assert declared(count_stock, name="stock.count", description="").name == "stock.count"
    assert declared(count_stock, description="").description == ""


def test_a_tool_looks_like_its_function() -> None:
    """Names, documentation and signature are the function's, and the function itself can be had."""
    made = toolbox.set_price

    assert made.__name__ == "set_price"
    assert made.__doc__ is not None
    assert made.__doc__.startswith("Give a product")
    assert made.__wrapped__ is made.function
    assert list(inspect.signature(made).parameters) == ["call", "sku", "price_minor"]
    assert made.hooks.lookup is toolbox.find_change
    assert made.hooks.abort is toolbox.release
    assert made.no_effect_on == (NoEffect, KeyError)
    assert "pricing.set_price" in repr(made)


@pytest.mark.proves("sdk.no_call_outside_a_task")
def test_outside_a_task_a_tool_cannot_be_called() -> None:
    """There is no gate outside a task, so nothing runs: neither a function nor a coroutine."""
    with pytest.raises(NotAllowed, match=r"with interlock.open\(...\).task\(...\)"):
        toolbox.set_price("A")
    with pytest.raises(NotAllowed):
        _ = toolbox.stock("A")  # refused at once, with nothing to await


def test_a_call_goes_to_the_task_it_is_made_in() -> None:
    """Called in a task, a tool hands over what it was called with; the function itself is not run."""
    with task():
        answer: object = toolbox.set_price("A", price_minor=5)

    assert answer == ("pricing.set_price", ("A",), {"price_minor": 5})


async def _asked() -> object:
    with task():
        return await toolbox.stock("A")


def test_an_asynchronous_tool_is_awaited() -> None:
    """Called in a task, an asynchronous tool gives something to await."""
    assert asyncio.run(_asked()) == ("stock", ("A",), {})


async def _apart() -> list[str]:
    async def outside() -> str:
        await asyncio.sleep(0.01)
        try:
            toolbox.set_price("A")
        except NotAllowed:
            return "refused"
        return "called"

    async def inside() -> str:
        with task():
            await asyncio.sleep(0.02)
            toolbox.set_price("A")
        return "called"

    return [*await asyncio.gather(inside(), outside())]


def test_a_task_is_only_in_force_where_it_was_opened() -> None:
    """What runs beside a task at the same time is not in it."""
    assert asyncio.run(_apart()) == ["called", "refused"]


def test_what_cannot_be_imported_runs_in_this_process_only() -> None:
    """A nested function has no address, so its contract says that only this process can run it; its hooks likewise."""

    def local(sku: str) -> int:
        return len(sku)

    contract = declared(local, name="local.stock", lookup=lambda: None, facts=toolbox.price_facts)

    assert contract.target == InProcess(name="local.stock")
    assert contract.lookup == InProcess(name="local.stock:lookup")
    assert contract.facts is not None
    assert contract.facts.source == PythonTarget(target=f"{HERE}:price_facts")


def test_the_main_program_cannot_be_imported() -> None:
    """A function of `__main__` is in-process: a worker that imports its own main would find another."""

    def scripted(sku: str) -> int:
        return len(sku)

    scripted.__module__, scripted.__qualname__ = "__main__", "scripted"

    assert declared(scripted).target == InProcess(name="scripted")


def ordinary(sku: str, count: int) -> None:
    """A function of a module, as any process can import it."""


def with_key(idempotency_key: str) -> None:
    """It has a parameter that `propose` takes for itself."""


def asks_for_colour(colour: str) -> bool:
    """It asks for something that is no argument."""
    return bool(colour)


def asks_for_result(result: int) -> None:
    """It asks for something that is not there yet."""


@pytest.mark.parametrize(
    ("function", "changes", "path", "says"),
    [
        (ordinary, {"effect": "write"}, "/reversal", "how it is undone"),
        (ordinary, {"effect": "wriet"}, "", "wriet"),
        (ordinary, {"risk": "huge"}, "", "huge"),
        (ordinary, {"version": 2}, "", "version"),
        (ordinary, {"name": "two words"}, "", "dotted words"),
        (ordinary, {"timeout_ms": 0}, "/timeout_ms", "timeout"),
        (ordinary, {"idempotency": interlock.Lookup()}, "/lookup", "whom to ask"),
        (ordinary, {"cost": interlock.Cost(unit="EUR", amount="$args.amount")}, "/cost/amount", "names no argument"),
        (
            ordinary,
            {"effect": "write", "reversal": interlock.Reversal(contract="x", arguments={"a": "$args.skuu"})},
            "/reversal/arguments/a",
            "names no argument",
        ),
        (ordinary, {"postcondition": asks_for_colour}, "/postcondition", "asks for `colour`"),
        (ordinary, {"lookup": asks_for_result}, "/lookup", "asks for `result`"),
        (ordinary, {"facts": asks_for_colour}, "/facts", "asks for `colour`"),
        (ordinary, {"facts": ordinary}, "/facts", "named facts"),
        (ordinary, {"lookup": lambda: None}, "/lookup", "function of a module"),
        (ordinary, {"two_phase": (lambda: None, toolbox.release)}, "/prepare", "function of a module"),
        (with_key, {}, "/idempotency_key", "word of `propose`"),
        (taking(float), {"name": "f"}, "/x", "tool `f`"),
        (taking(NOTHING), {}, "/x", "no annotation"),
        (toolbox.set_price, {}, "", "not a function"),
    ],
)
def test_a_declaration_that_would_not_hold_is_refused(
    function: Callable[..., Any], changes: dict[str, Any], path: str, says: str
) -> None:
    """What is wrong with a declaration is said where it stands, when it is made and not when it is needed."""
    error = refusal(function, **changes)

    assert says in error.detail
    assert error.path == path


def test_tools_are_found_in_a_module() -> None:
    """Each tool of a module once, whatever else the module names and however often it names it."""
    assert tools_in(toolbox) == [toolbox.set_price, toolbox.stock]
