"""Python functions as tools: what they are given, how long they have, and what every way of ending means."""

import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

from interlock.adapters.effectors.all import AllEffectors
from interlock.adapters.effectors.functions import Functions
from interlock.adapters.effectors.http_call import HttpEffectors
from interlock.adapters.effectors.python import InProcessEffectors, PythonEffectors
from interlock.domain.call import Answer, Call, Landed, Nothing, Unsure
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Contract, Facts, HttpTarget, InProcess, NoReversal, PythonTarget, Target, TwoPhase
from interlock.domain.errors import EffectorError
from interlock.domain.ids import ActionId, ContractName
from interlock.ports.effector import Effectors, Role
from interlock.sdk.signature import plain_result, values_of
from tests.adapters import effector_tools as tools

MODULE = tools.__name__
CALL = Call(action_id=ActionId("a-1"), idempotency_key="k-1", attempt=2, fence=3, deadline_at=1_800_000_000_000)


def _effectors(threads: int = 8) -> AllEffectors:
    functions = Functions(values_of, plain_result, threads=threads)
    return AllEffectors(
        python=PythonEffectors(functions), http=HttpEffectors({}), in_process=InProcessEffectors(functions)
    )


def _contract(target: Target, **changes: Any) -> Contract:
    values: dict[str, Any] = {
        "name": ContractName("test.tool"),
        "input_schema": {"type": "object", "additionalProperties": False},
        "effect": "write",
        "risk": "low",
        "reversal": NoReversal(why="a test"),
        "target": target,
        "timeout_ms": 5_000,
    }
    return Contract(**values | changes)


def _call(name: str, role: Role = "run", timeout_ms: int = 5_000, /, **arguments: Any) -> Answer:
    """Call a function of the tools module through the port."""
    target = PythonTarget(target=f"{MODULE}:{name}")
    port: Effectors = _effectors()
    return anyio.run(partial(port.invoke, _contract(target, timeout_ms=timeout_ms), target, role, arguments, CALL))


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    tools.RAN.clear()
    tools.RELEASE.clear()
    yield
    tools.RELEASE.set()
    for thread in threading.enumerate():
        if thread.name.startswith("AnyIO"):
            thread.join(10)


@pytest.mark.parametrize("name", ["double", "double_async", "wrapped", "tool", "tool.function"])
def test_a_function_is_called_however_it_is_written(name: str) -> None:
    """Plain, asynchronous, wrapped functions and tool objects all give their result."""
    assert _call(name, n=21) == Landed(42)


def test_a_nested_name_is_found() -> None:
    """A function in a class is named by its whole path."""
    assert _call("Nested.triple", n=2) == Landed(6)


def test_arguments_and_results_are_converted() -> None:
    """Annotations decide what a function gets; `Call` is injected; what it returns is plain."""
    answer = _call("typed", price={"amount_minor": 99, "currency": "EUR"})

    assert answer == Landed({"minor": 100, "key": "k-1", "attempt": 2})


@pytest.mark.parametrize(("name", "main"), [("where", False), ("where_async", True)])
def test_context_variables_reach_the_function(name: str, main: bool) -> None:
    """A synchronous function runs beside the loop, an asynchronous one on it, and both see the caller's context."""
    token = tools.WHERE.set("in the task")
    try:
        assert _call(name) == Landed({"where": "in the task", "main": main})
    finally:
        tools.WHERE.reset(token)


@pytest.mark.proves("effector.unsure_by_default")
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("times_out_itself", "TimeoutError: the supplier did not answer"),
        ("leaves", "SystemExit: 3"),
        ("leaves_async", "SystemExit: 3"),
        ("stops", "RuntimeError"),
        ("unprintable", "UnprintableError"),
        ("cancelled_within", "was cancelled"),
    ],
)
@pytest.mark.parametrize("role", ["run", "prepare", "abort", "facts", "lookup", "postcondition"])
def test_any_exception_leaves_it_open(name: str, said: str, role: Role) -> None:
    """Whatever a function raises, in whatever role, nothing escapes and nothing is taken for certain."""
    answer = _call(name, role)

    assert isinstance(answer, Unsure)
    assert said in answer.why


def test_an_error_is_one_printable_line() -> None:
    """A long error with line breaks and terminal codes becomes one line of at most 300 printable characters."""
    answer = _call("raises", n=1)

    assert isinstance(answer, Unsure)
    assert answer.why.startswith("ValueError: cannot do [31m1 xxx")
    assert len(answer.why) == 300
    assert answer.why.isprintable()


@pytest.mark.proves("effector.no_effect")
@pytest.mark.parametrize(
    ("name", "arguments", "why"),
    [
        ("tool", {"n": 0}, "nothing to do"),
        ("tool", {"n": -1}, "below the shelf"),
        ("raises_within", {}, "the shelf was empty"),
    ],
)
def test_a_promise_of_no_effect_is_nothing(name: str, arguments: dict[str, Any], why: str) -> None:
    """NoEffect, a declared exception and a marked one mean that nothing happened; other roles cannot promise that."""
    answer = _call(name, "run", **arguments)

    assert isinstance(answer, Nothing)
    assert why in answer.why
    assert isinstance(_call(name, "prepare", **arguments), Nothing)
    assert isinstance(_call(name, "lookup", **arguments), Unsure)
    assert isinstance(_call(name, "facts", **arguments), Unsure)


@pytest.mark.proves("effector.timeout")
@pytest.mark.parametrize("role", ["run", "lookup", "facts", "postcondition", "prepare"])
def test_the_timeout_of_the_contract_is_enforced(role: Role) -> None:
    """A function that does not return in time is answered for, unsure, soon after its time is up."""
    began = time.monotonic()
    target = PythonTarget(target=f"{MODULE}:slow")

    async def body() -> Answer:
        answer = await _effectors().invoke(_contract(target, timeout_ms=100), target, role, {"n": 1}, CALL)
        assert time.monotonic() - began < 2
        tools.RELEASE.set()
        return answer

    assert anyio.run(body) == Unsure("no answer within 100 ms")


def test_a_thread_that_outlives_its_time_goes_on() -> None:
    """A synchronous function cannot be stopped: it ends by itself, after the answer was given."""
    target = PythonTarget(target=f"{MODULE}:slow")

    async def body() -> list[str]:
        await _effectors().invoke(_contract(target, timeout_ms=50), target, "run", {"n": 1}, CALL)
        before = list(tools.RAN)
        tools.RELEASE.set()
        return before

    assert anyio.run(body) == []
    for thread in threading.enumerate():
        if thread.name.startswith("AnyIO"):
            thread.join(5)
    assert tools.RAN == ["slow 1"]


def test_an_asynchronous_function_is_cancelled_when_its_time_is_up() -> None:
    """An asynchronous function does not go on after its time."""
    assert _call("slow_async", "run", 50, n=1) == Unsure("no answer within 50 ms")
    assert tools.RAN == []


def test_cancelling_the_caller_is_no_answer() -> None:
    """When the caller itself is cancelled, that is passed on and not taken for the tool's doing."""
    target = PythonTarget(target=f"{MODULE}:slow_async")
    answers: list[Answer] = []

    async def body() -> bool:
        with anyio.move_on_after(0.05) as scope:
            answers.append(await _effectors().invoke(_contract(target), target, "run", {"n": 1}, CALL))
        return scope.cancelled_caught

    assert anyio.run(body)
    assert answers == []


@pytest.mark.proves("effector.not_begun")
def test_what_found_no_thread_did_not_happen() -> None:
    """With every thread taken, a call that never began is nothing and never begins later; one that began is unsure."""
    target = PythonTarget(target=f"{MODULE}:nap")
    answers: dict[int, Answer] = {}

    async def body() -> None:
        port = _effectors(threads=1)
        contract = _contract(target, timeout_ms=150)

        async def one(n: int) -> None:
            answers[n] = await port.invoke(contract, target, "run", {"n": n}, CALL)

        async with anyio.create_task_group() as group:
            for n in range(3):
                group.start_soon(one, n)
        await anyio.sleep(0.6)

    anyio.run(body)
    begun = {n for n, answer in answers.items() if isinstance(answer, Unsure)}
    assert {f"nap {n}" for n in begun} == set(tools.RAN)
    assert begun
    assert all(isinstance(answers[n], Nothing) for n in {0, 1, 2} - begun)


@pytest.mark.parametrize(("name", "why"), [("fraction", "float"), ("thing", "lock")])
def test_a_result_that_cannot_be_recorded_does_not_undo_the_effect(name: str, why: str) -> None:
    """The tool ran, so it landed; in place of its result stands why that could not be recorded."""
    answer = _call(name)

    assert isinstance(answer, Landed)
    assert why in str(answer.result)
    assert "unrecordable" in str(answer.result)
    assert isinstance(_call(name, "facts"), Unsure)
    assert isinstance(_call(name, "prepare"), Unsure)


LOOKED_UP = {
    0: Nothing("the lookup found nothing"),
    1: Landed({"n": 1}),
    2: Nothing("it was never there"),
    3: Unsure("the archive is closed"),
    5: Landed({"amount_minor": 5, "currency": "EUR"}),
}


@pytest.mark.parametrize("n", LOOKED_UP)
def test_a_lookup_says_landed_or_none(n: int) -> None:
    """`Landed(result)` is yes, None is no, and the domain's own answers are taken as they are."""
    assert _call("found", "lookup", n=n) == LOOKED_UP[n]


@pytest.mark.proves("effector.lookup_failure_is_unsure")
@pytest.mark.parametrize("n", [4, 7, 8])
def test_a_lookup_that_fails_proves_nothing(n: int) -> None:
    """Another return value, an error and even a promise of no effect leave it open whether the action happened."""
    assert isinstance(_call("found", "lookup", n=n), Unsure)
    assert isinstance(_call("found", "lookup", wrong=n), Unsure)


def test_a_found_result_that_cannot_be_recorded_is_still_found() -> None:
    """What the lookup found happened, whatever its result looks like."""
    answer = _call("found", "lookup", n=6)

    assert isinstance(answer, Landed)
    assert "unrecordable" in str(answer.result)


@pytest.mark.parametrize(
    ("name", "args", "result", "expected"),
    [
        ("holds", {"n": 2}, 4, Landed(True)),
        ("holds", {"n": 2}, 5, Landed(False)),
        ("holds", {"n": 9}, 4, None),
        ("holds", {"n": 6}, 4, None),
        ("holds_args", {"a": 1, "b": 2}, 3, Landed(True)),
    ],
)
def test_a_postcondition_is_true_or_false(
    name: str, args: dict[str, Any], result: int, expected: Answer | None
) -> None:
    """It may ask for single arguments, all of them and the result; anything but a truth value is unsure."""
    answer = _call(name, "postcondition", args=args, result=result)

    assert answer == expected if expected else isinstance(answer, Unsure)


@pytest.mark.parametrize("arguments", [{}, {"n": "21"}, {"n": True}])
def test_arguments_that_do_not_fit_call_nothing(arguments: dict[str, Any]) -> None:
    """A function that cannot be given what it asks for was not called."""
    assert isinstance(_call("slow", "run", **arguments), Nothing)
    assert isinstance(_call("slow", "lookup", **arguments), Unsure)


@pytest.mark.proves("effector.target_missing")
@pytest.mark.parametrize(
    "target",
    [
        "no.such.module:f",
        f"{MODULE}:no_such",
        f"{MODULE}:NUMBER",
        f"{MODULE}:Nested.no",
        f"{MODULE}:NUMBER.real",
        "no_colon",
        "a b:c",
        ":f",
        "m:",
        "..:f",
    ],
)
def test_a_target_that_cannot_be_found_is_the_operators_fault(target: str) -> None:
    """Whatever cannot be imported raises EffectorError, names the target and is not reached."""
    named = PythonTarget(target=target)

    with pytest.raises(EffectorError):
        anyio.run(partial(_effectors().invoke, _contract(named), named, "run", {}, CALL))
    assert not _effectors().reaches(_contract(named))


@pytest.mark.parametrize("body", ["raise RuntimeError('half way')", "import sys; sys.exit(1)", "def f(:", "1/0"])
def test_a_module_that_breaks_while_imported_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    """A module may raise anything while it is imported, and EffectorError says what."""
    (tmp_path / "broken_module_for_test.py").write_text(body)
    monkeypatch.syspath_prepend(tmp_path)
    target = PythonTarget(target="broken_module_for_test:f")

    with pytest.raises(EffectorError, match="cannot be imported"):
        anyio.run(partial(_effectors().invoke, _contract(target), target, "run", {}, CALL))


def test_a_first_import_counts_as_the_tools_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that takes longer to import than the tool may run was not called, and is once it is there."""
    (tmp_path / "heavy_module_for_test.py").write_text("import time\ntime.sleep(0.4)\ndef f() -> int: return 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    target = PythonTarget(target="heavy_module_for_test:f")

    async def body() -> tuple[Answer, Answer]:
        port = _effectors()
        first = await port.invoke(_contract(target, timeout_ms=100), target, "run", {}, CALL)
        await anyio.sleep(0.6)
        return first, await port.invoke(_contract(target, timeout_ms=100), target, "run", {}, CALL)

    first, second = anyio.run(body)
    assert isinstance(first, Nothing)
    assert second == Landed(1)


def test_functions_of_this_process_are_called_by_name() -> None:
    """A closure and a tool object are callable under the names they are offered by, the latest one last."""
    port = _effectors()
    offset = 5

    def closure(n: int) -> int:
        return n + offset

    target = InProcess(name="notebook.cell")
    contract = _contract(target)
    assert not port.reaches(contract)
    with pytest.raises(EffectorError, match="process that made it"):
        anyio.run(partial(port.invoke, contract, target, "run", {"n": 1}, CALL))

    port.in_process.offer("notebook.cell", tools.tool)
    first = anyio.run(partial(port.invoke, contract, target, "run", {"n": 1}, CALL))
    port.in_process.offer("notebook.cell", closure)
    assert (first, anyio.run(partial(port.invoke, contract, target, "run", {"n": 1}, CALL))) == (Landed(2), Landed(6))
    assert port.reaches(contract)


def test_only_functions_are_offered() -> None:
    """What cannot be called cannot be offered."""
    with pytest.raises(EffectorError, match="not a function"):
        _effectors().in_process.offer("number", 7)


def test_a_contract_is_reached_only_with_all_it_needs() -> None:
    """A process that lacks the lookup, the facts, the postcondition or a phase of a tool does not take its actions."""
    good, bad = PythonTarget(target=f"{MODULE}:double"), PythonTarget(target=f"{MODULE}:missing")
    port = _effectors()

    assert port.reaches(_contract(good, lookup=good, postcondition=good, two_phase=TwoPhase(prepare=good, abort=good)))
    assert not port.reaches(_contract(bad))
    assert not port.reaches(_contract(good, lookup=bad))
    assert not port.reaches(_contract(good, postcondition=bad))
    assert not port.reaches(_contract(good, facts=Facts(source=bad, schema={})))
    assert not port.reaches(_contract(good, two_phase=TwoPhase(prepare=bad, abort=good)))
    assert not port.reaches(_contract(good, two_phase=TwoPhase(prepare=good, abort=InProcess(name="gone"))))
    assert port.reaches(_contract(good, lookup=HttpTarget(url="https://example.com/{n}")))
    assert not port.reaches(_contract(good, lookup=HttpTarget(url="ftp://example.com/")))


def test_what_is_lent_to_one_call_is_called_by_no_other() -> None:
    """A function that was lent for one key is called for that action alone, takes all arguments as one mapping, and is gone
    with the loan; of two loans of one key the later one counts, and each ends by itself."""
    port = _effectors()
    target = InProcess(name="own")
    contract = _contract(target)

    def own(arguments: dict[str, JsonValue], call: Call) -> JsonValue:
        return [arguments, call.idempotency_key]

    def later(arguments: dict[str, JsonValue], call: Call) -> JsonValue:
        return "later"

    def asked() -> object:
        return anyio.run(partial(port.invoke, contract, target, "run", {"n": 1}, CALL))

    key = CALL.idempotency_key
    with port.in_process.lend("own", key, own):
        assert port.reaches(contract, key)
        assert not port.reaches(contract)
        assert not port.reaches(contract, "another")
        assert asked() == Landed([{"n": 1}, key])
        with port.in_process.lend("own", key, later), port.in_process.lend("own", key, later):
            assert asked() == Landed("later")
        assert asked() == Landed([{"n": 1}, key])
    assert not port.reaches(contract, key)
    with pytest.raises(EffectorError, match="process that made it"):
        asked()
