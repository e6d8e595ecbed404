"""Policies to begin with: both engines agree on them whatever is asked, and what they are for holds for all amounts."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.adapters.cedar import CedarPolicies
from interlock.adapters.cedar.compiled import compiled_judge
from interlock.adapters.cedar.library import library_judge
from interlock.adapters.parsing import LaterSql
from interlock.adapters.workspace import read_workspace, write_workspace
from interlock.adapters.workspace.starters import STARTERS, Names, Starter, agent_of, policies_of, samples_of, write_new
from interlock.adapters.workspace.starters.matrix import FILE, MATRIX, matrix_files, rules
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import RISKS, Contract
from interlock.domain.ids import AgentName, Digest
from interlock.domain.policy import Decision, combine
from interlock.domain.policy_case import MADE_UP_TIME, made_up_contract
from interlock.domain.question import Circumstances, Question
from interlock.ports.policies import Judge
from interlock.services.reading import parsed_facts

FEW = settings(max_examples=100, deadline=None)
WORDS = ("A-1", "acme", "initech", "user:eva", "eva@example.com", "eve@evil.example", "not an address")
STATEMENTS = (
    "select 1",
    "SELECT * FROM salaries",
    "update orders set total = 1",
    "select 1; drop table orders",
    "with a as (delete from orders returning id) select * from a",
    "truncate credentials",
    "not sql at all (",
)
TEXT: st.SearchStrategy[JsonValue] = st.sampled_from(WORDS)


def values(schema: JsonValue, name: str = "") -> st.SearchStrategy[JsonValue]:
    """Values of a schema, the edges of the policies among them."""
    assert isinstance(schema, dict)
    if name == "statement":
        return st.sampled_from(STATEMENTS)
    match schema.get("type"):
        case "integer":
            edges = [0, 1, 20, 21, 30, 31, 52, 53, 1000, 1001, 1799, 1800, 2200, 2201, 10000, 10001, 2**53 - 1]
            return st.sampled_from(edges) | st.integers(0, 2**53 - 1)
        case "boolean":
            return st.booleans()
        case "array":
            return st.lists(TEXT, max_size=3)
        case _:
            return TEXT


def record(schema: dict[str, JsonValue]) -> st.SearchStrategy[dict[str, JsonValue]]:
    """Objects of a schema; one in a while lacks a member."""
    members = schema["properties"]
    assert isinstance(members, dict)
    every = {name: values(each, name) for name, each in members.items()}
    return st.fixed_dictionaries(every) | st.fixed_dictionaries({}, optional=every)


def circumstances() -> st.SearchStrategy[Circumstances]:
    """What may be so around an action."""
    return st.builds(
        Circumstances,
        purpose=st.just("p"),
        depth=st.integers(0, 3),
        stage=st.sampled_from(["shadow", "assisted", "partial", "bounded"]),
        asked_at=st.integers(0, 14 * 24 * 60).map(lambda minutes: MADE_UP_TIME + 60_000 * minutes),
        undo=st.booleans(),
        budget=st.sampled_from([{}, {"EUR": 0}, {"EUR": 20000}, {"calls": 1}]),
    )


class Begun(NamedTuple):
    """A starter and its samples, ready to be asked."""

    contract: Contract
    compiled: Judge
    library: Judge


@cache
def begun(starter: Starter) -> Begun:
    """The starter's policies on both engines, after nothing was wrong with its files."""
    names = Names(agent=starter.agent, contract=starter.contract, approver="reviewer", owner=starter.owner)
    policies = policies_of(starter, names)
    with TemporaryDirectory() as place:
        folder = Path(place)
        write_workspace(folder)
        write_new(folder, {**agent_of(names), **samples_of(starter), **policies})
        workspace = read_workspace(folder)
    assert workspace.problems == ()
    language = CedarPolicies([starter.agent])
    sources = {"p.cedar": policies[f"policies/{starter.name}.cedar"]}
    loaded = language.loaded(language.bundle(sources, workspace.contracts))
    [contract] = [each for each in workspace.contracts if each.name == starter.contract]
    return Begun(contract, compiled_judge(loaded), library_judge(loaded))


def asked(starter: Starter, contract: Contract, data: st.DataObject) -> Question:
    """A question about the starter's contract, parsed as the gate would."""
    arguments = data.draw(record(contract.input_schema))
    facts = data.draw(record(contract.facts.schema)) if contract.facts is not None else {}
    parsed, _ = anyio.run(parsed_facts, contract, arguments, facts, LaterSql())
    return Question(
        agent=AgentName(starter.agent),
        release=Digest("0" * 64),
        contract=contract.name,
        contract_digest=contract.digest,
        tenant="default",
        arguments=arguments,
        facts=facts,
        parsed=parsed,
        initiator=data.draw(st.sampled_from(["user:eva", "user:clerk"])),
        confidence=data.draw(st.none() | st.integers(0, 1000)),
        around=data.draw(circumstances()),
    )


@pytest.mark.proves("policy.starters_are_tested")
@pytest.mark.parametrize("name", STARTERS)
@FEW
@given(data=st.data())
def test_both_engines_agree_on_a_starter(name: str, data: st.DataObject) -> None:
    """Whatever arguments, facts and circumstances, compiled policies say what the library says, errors included."""
    contract, first, second = begun(STARTERS[name])

    question = asked(STARTERS[name], contract, data)
    compiled, library = first.opinions(question), second.opinions(question)

    assert bool(compiled.errors) == bool(library.errors)
    assert compiled.errors or set(compiled.satisfied) == set(library.satisfied)


MATRIX_TEXT = matrix_files(confidence=850, agent="", agents="a", approver="reviewer", owner="o")[
    f"policies/{FILE}.cedar"
]
CELLS = tuple(
    made_up_contract(risk, effect, reversible=reversible)
    for risk in RISKS
    for effect in ("write", "external")
    for reversible in (True, False)
)
_LANGUAGE = CedarPolicies()
_BUNDLE = _LANGUAGE.bundle({"m.cedar": MATRIX_TEXT}, CELLS)
_JUDGES = (_LANGUAGE.load(_BUNDLE, "compiled"), _LANGUAGE.load(_BUNDLE, "cedarpy"))
VERDICT = {"auto": "allow", "sample": "oblige", "approve": "require_approval", "propose": "escalate"}


def overseen(contract: Contract, confidence: int | None) -> Decision:
    """What the matrix decides, by both engines alike."""
    question = Question(
        agent=AgentName("a"),
        release=Digest("0" * 64),
        contract=contract.name,
        contract_digest=contract.digest,
        tenant="default",
        arguments={},
        facts={},
        initiator="user:eva",
        confidence=confidence,
        around=Circumstances(purpose="p", depth=0, stage="partial", asked_at=MADE_UP_TIME),
    )
    first, second = (combine(judge.opinions(question), judge.policies, _BUNDLE.digest) for judge in _JUDGES)
    assert first == second
    return first


@pytest.mark.proves("policy.matrix_has_a_test_a_cell")
@FEW
@given(contract=st.sampled_from(CELLS), confidence=st.none() | st.sampled_from([849, 850]) | st.integers(0, 1000))
def test_the_matrix_decides_what_its_table_says(contract: Contract, confidence: int | None) -> None:
    """For each risk, reversibility and confidence the verdict is the cell's, and what is sampled says how much."""
    sure = confidence is not None and confidence >= 850
    wanted = MATRIX[contract.risk].cell(reversible=not contract.irreversible, sure=sure)

    decision = overseen(contract, confidence)

    assert decision.verdict == VERDICT[wanted]
    assert decision.obligations == (("sample:0.1",) if wanted == "sample" else ())


def test_the_table_above_the_matrix_is_the_table() -> None:
    """The comment shows each cell as it is decided, and each policy stands for one cell or two of a row."""
    for risk, row in MATRIX.items():
        cells = [row.reversible_sure, row.reversible_unsure, row.irreversible_sure, row.irreversible_unsure]
        assert ["//", risk, *cells] in [line.split() for line in MATRIX_TEXT.splitlines()]
    assert len({rule.id for rule in rules()}) == MATRIX_TEXT.count("forbid (") == 11
