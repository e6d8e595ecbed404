"""What programs pass that is not what was asked for: Python lets them, and nothing of it may reach the store."""

import asyncio
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

import interlock
from interlock.domain.errors import ContractError, NotFound
from interlock.domain.ids import Person
from interlock.services.trying import Hypothesis
from tests.cli.shell import Shell
from tests.workspaces import Place, forget, workspace

CLASSES: Final = (
    interlock.Client,
    interlock.Desk,
    interlock.AsyncDesk,
    interlock.Ticket,
    interlock.Policies,
)
OPENED_AND_CLOSED: Final = 4
"""What the log holds of a program that does nothing in one task: run and task opened, task and run closed."""
HALF: Final = "half of a character: \ud800"


class Odd:
    """What nobody asked for."""


class Case(NamedTuple):
    """One argument of one public method."""

    name: str
    call: Callable[..., Any]
    argument: str
    others: dict[str, Any]
    text: bool

    def __str__(self) -> str:
        return f"{self.name}({self.argument}=)"


FITTING: Final[dict[str, Any]] = {
    "action": "x",
    "action_id": "x",
    "agent": "ag",
    "arguments": {},
    "engine": "cedarpy",
    "function": print,
    "happened": "done",
    "location": "nowhere",
    "held": "x",
    "name": "x",
    "note": "x",
    "policy": "x",
    "publication": "x",
    "purpose": "x",
    "request": "x",
    "task_id": "x",
    "text": "x",
    "to": "x",
    "wanted": Hypothesis(contract="box.put", agent="ag", arguments={"n": 1}),
    "why": "x",
}
"""What is fine for each argument that has to be given."""


def cases() -> Iterator[Case]:
    """Every argument of every public method that has a type to be held against."""
    functions = [(each.__name__, vars(each).items()) for each in CLASSES]
    for owner, members in functions:
        for name, call in members:
            if inspect.isfunction(call) and (name == "__init__" or not name.startswith("_")):
                yield from of(f"{owner}.{name}", call, 1)
    yield from of("policies", interlock.policies, 0)
    yield from of("open", interlock.open, 0)


def of(name: str, call: Callable[..., Any], first: int) -> Iterator[Case]:
    """The arguments of one."""
    known = dict(list(inspect.signature(call).parameters.items())[first:])
    if name in ("Client.__init__", "Desk.__init__", "AsyncDesk.__init__", "Ticket.__init__"):
        return  # made by us alone
    needed = {each for each, form in known.items() if form.default is inspect.Parameter.empty}
    for each, form in known.items():
        if (name, each) in {("Desk.settle", "result"), ("AsyncDesk.settle", "result")}:
            continue  # any JSON value
        others = {other: FITTING[other] for other in needed if other != each}
        yield Case(name, call, each, others, form.annotation in (str, "str"))


async def called(case: Case, first: list[object], wrong: object) -> None:
    """Make the call, whichever way it is made."""
    made = case.call(*first, **case.others, **{case.argument: wrong})
    if inspect.isawaitable(made):
        await made


@pytest.mark.proves("library.typed_at_the_edge")
@pytest.mark.parametrize("case", tuple(cases()), ids=str)
def test_an_argument_of_the_wrong_type_is_refused_under_its_name(case: Case) -> None:
    """Every argument of every public method: a ContractError names it, before anything is asked of what lies behind."""
    first: list[object] = [Odd()] if "." in case.name else []

    for wrong in (Odd(), HALF) if case.text else (Odd(),):
        with pytest.raises(ContractError) as caught:
            asyncio.run(called(case, first, wrong))

        assert caught.value.path == f"/{case.argument}"
        assert f"`{case.argument}`" in caught.value.detail
        said = caught.value.next_step.split("`")[1].removeprefix("help(interlock.").removesuffix(")")
        found: Any = interlock
        for step in said.split("."):
            found = getattr(found, step)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """The small workspace in force, with one action held."""
    made = workspace(tmp_path)
    with interlock.open(made.folder, apply=True) as client, client.task("ag", purpose="tests") as task:
        task.propose("box.put", n=500)
    yield made
    forget(made)


@pytest.mark.proves("library.typed_at_the_edge")
def test_nothing_that_could_not_be_read_again_is_written(place: Place) -> None:
    """Wrong words from every side, through the parts that are not methods of ours too; the log holds no more than before."""
    before = Shell(place).json("verify")
    any_: Any = interlock
    with any_.open(place.folder) as client, client.task("ag", purpose="tests") as task:
        rita = client.person("rita")
        [held] = rita.waiting()
        wrong: list[Callable[[], Any]] = [
            lambda: client.task("ag", purpose=5),
            lambda: client.task("ag", purpose="x", on_behalf_of=5),
            lambda: client.task("ag", purpose="x", budgets={"calls": "x"}),
            lambda: client.task("ag", purpose="x", budgets={"calls": -1}),
            lambda: client.task("ag", purpose="x", budgets={"EUR": 10**40}),
            lambda: client.task("ag", purpose="x", prohibited="box.put"),
            lambda: task.propose("box.put", n=1, idempotency_key=42),
            lambda: task.propose("box.put", n=1, justification=HALF),
            lambda: task.propose("box.put", n=1, justification=5),
            lambda: task.propose(5, n=1),
            lambda: rita.approve(held.id, note=5),
            lambda: rita.reject(held.id, note=5),
            lambda: rita.modify(held.id, {"n": 1}, note=5),
            lambda: rita.modify(held.id, {"n": Odd()}),
            lambda: rita.settle(held.id, "done", note="saw it", result=Odd()),
            lambda: any_.policies(place.folder, person="rita").publish(why=5),
            lambda: any_.policies(place.folder, person="rita").use_engine("foo", why="x"),
            lambda: any_.policies(place.folder, person="rita").use_engine("cedarpy", why=None),
            lambda: any_.policies(place.folder, person="rita").use_engine("cedarpy", why=" "),
        ]
        for each in wrong:
            with pytest.raises(ContractError):
                each()

    after = Shell(place).json("verify")
    assert after["findings"] == []
    assert after["size"] == before["size"] + OPENED_AND_CLOSED
    assert Shell(place).json("policy", "engine")["engine"] == "compiled"


@pytest.mark.proves("library.typed_at_the_edge")
@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("agent", 5),
        ("arguments", None),
        ("at", "tomorrow"),
        ("at", 10**19),
        ("budget", {"calls": "x"}),
        ("confidence", 5000),
        ("confidence", 0.9),
        ("contract", 5),
        ("depth", -1),
        ("facts", 5),
        ("initiator", 5),
        ("purpose", HALF),
        ("read_facts", 5),
        ("roles", "reviewer"),
        ("stage", "nope"),
        ("tainted", (5,)),
        ("undo", "x"),
    ],
)
def test_a_hypothesis_is_refused_by_its_field(place: Place, field: str, wrong: object) -> None:
    """A Struct takes anything into its fields: they are looked at before a policy is."""
    fields: dict[str, Any] = {"contract": "box.put", "agent": "ag", "arguments": {"n": 1}, field: wrong}

    with pytest.raises(ContractError, match=f"^`{field}`") as caught:
        interlock.policies(place.folder).try_(Hypothesis(**fields))

    assert caught.value.path == f"/wanted/{field}"


@pytest.mark.proves("library.typed_at_the_edge")
@pytest.mark.parametrize(
    ("method", "arguments", "words"),
    [
        ("try_", {"wanted": FITTING["wanted"], "by": "nope"}, "`by` is one of `files`, `in-force`, not `nope`"),
        ("new_from_matrix", {"confidence": 9999}, "`confidence`: expected `int` <= 1000"),
        ("diff", {"since_ms": -1}, "`since_ms`: expected `int` >= 0"),
        ("diff", {"limit": -3}, "`limit`: expected `int` >= 1"),
        ("use_engine", {"engine": "foo", "why": "x"}, "`engine` is one of `compiled`, `cedarpy`, not `foo`"),
        ("new", {"name": "pricing", "contracts": {"set": 5}}, "`contracts`: expected `str`, got `int`"),
    ],
)
def test_what_is_out_of_bounds_is_refused_in_words(
    place: Place, method: str, arguments: dict[str, Any], words: str
) -> None:
    """The message says what the argument may be."""
    with pytest.raises(ContractError) as caught:
        getattr(interlock.policies(place.folder, person="rita"), method)(**arguments)

    assert caught.value.detail.startswith(words)


def test_what_is_fine_stays_fine(place: Place) -> None:
    """Lists where a tuple is asked for, text of an enumeration's, a folder as text or path: as before."""
    anything: Any = interlock
    with anything.open(str(place.folder), tools=[]) as client:
        with client.task("ag", purpose="x", prohibited=["box.mail"], budgets={"calls": 3}, lasts_ms=60_000) as task:
            assert isinstance(task.propose("box.put", n=1), interlock.Done)
        assert client.person(Person("rita")).waiting(limit=5)


def test_an_error_says_what_to_do_under_either_name(place: Place) -> None:
    """`next` of an error is the advice for this error, not its kind's, as `next_step` and `problem()` have it."""
    with pytest.raises(NotFound) as caught:
        interlock.policies(place.folder).promote("al")

    assert caught.value.next == caught.value.next_step == caught.value.problem()["next"] == "did you mean `all`?"


@pytest.mark.proves("library.typed_at_the_edge")
@pytest.mark.parametrize(
    ("word", "wrong"),
    [
        ("name", HALF),
        ("owner", HALF),
        ("owner", 5),
        ("reversal", interlock.NoReversal(why=HALF)),
        ("data", 5),
        ("data", {"n": 5}),
        ("parses", 5),
        ("two_phase", 5),
        ("no_effect_on", 5),
        ("no_effect_on", (5,)),
        ("timeout_ms", "soon"),
    ],
)
def test_a_declaration_of_the_wrong_type_is_refused(word: str, wrong: Any) -> None:
    """What a decorator is given is looked at where it stands, and the error can be printed."""
    words: dict[str, Any] = {"effect": "write", "risk": "low", "reversal": interlock.NoReversal(why="a test")}

    def add(n: int) -> int:
        return n

    with pytest.raises(ContractError) as caught:
        interlock.tool(**{**words, word: wrong})(add)

    assert str(caught.value).encode()
    assert caught.value.next
