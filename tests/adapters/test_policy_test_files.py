"""Files of policy tests: what they mean, and every mistake in its place."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.adapters.workspace import Problems, read_cases, read_policy_tests
from interlock.domain.policy_case import Asked, Expected, PolicyCase, Word
from tests.adapters.cedar_cases import CONTRACTS

ALL = """\
- name: everything
  agent: pricing
  release: pricing@0123456789ab
  contract: pricing.set_price
  args: {sku: A-1, price_minor: 1900, currency: EUR}
  facts: {flagship: true, season: }
  parsed: {change: -50}
  with:
    confidence: 900
    roles: [clerk, lead]
    initiator: user:eva
    purpose: a review
    depth: 1
    stage: assisted
    undo: true
    budget: {EUR: 500}
    tainted: [sku]
    unusual: [rate, contract]
    data: [personal]
    at: 2026-11-21T10:00Z
  approvals: [{role: lead, policy: large}]
  expect:
    verdict: require_approval
    by: [large]
    not_by: [small]
    reasons: [it is large]
    obligations: []
    requirements: [{role: lead}, {role: owner, quorum: 2}]
    candidates: [next]
"""
GIVEN = """\
given:
  agent: pricing
  contract: pricing.set_price
  args: {sku: A-1, price_minor: 1900, currency: EUR, note: given}
  with: {depth: 1, purpose: given}
cases:
  - {name: as it is, expect: allow}
  - name: otherwise
    args: {price_minor: 7}
    with: {purpose: own}
    expect: deny
  - name: without
    args:
      note:
    with:
      depth:
    expect: deny
"""


def read(text: str) -> tuple[list[PolicyCase], list[str]]:
    """The cases in `text`, and what is wrong as `line:column: words`."""
    problems = Problems("t.yaml")
    cases = read_cases(text.encode(), problems, {each.name: each for each in CONTRACTS}, ["pricing", "support"])
    return cases, [f"{each.line}:{each.column}: {each.message}" for each in problems.found]


def test_everything_a_case_may_say_is_read() -> None:
    """Each field lands where it belongs, with arguments completed as the gate completes them."""
    [case], problems = read(ALL)

    assert problems == []
    assert case.arguments == {"sku": "A-1", "price_minor": 1900, "currency": "EUR", "tags": []}
    assert (case.facts, case.parsed, case.data) == ({"flagship": True}, {"change": -50}, ("personal",))
    assert (case.release[:12], case.confidence, case.initiator, case.staged) == ("0123456789ab", 900, "user:eva", True)
    around = case.around
    assert (around.roles, around.purpose, around.depth, around.stage) == (("clerk", "lead"), "a review", 1, "assisted")
    assert (around.undo, around.budget, around.tainted, around.asked_at) == (
        True,
        {"EUR": 500},
        ("sku",),
        1795255200000,
    )
    assert around.unusual == ("contract", "rate")
    assert case.approvals == (Word(role="lead", policy="large"),)
    assert case.expect == Expected(
        verdict="require_approval",
        by=("large",),
        not_by=("small",),
        reasons=("it is large",),
        obligations=(),
        requirements=(Asked(role="lead"), Asked(role="owner", quorum=2)),
        candidates=("next",),
    )


def test_what_is_given_to_all_is_overridden_name_by_name() -> None:
    """A row adds to what is given, and takes away what it names with nothing behind it."""
    cases, problems = read(GIVEN)

    assert problems == []
    assert [case.arguments.get("price_minor") for case in cases] == [1900, 7, 1900]
    assert [case.arguments.get("note") for case in cases] == ["given", "given", None]
    assert [(case.around.purpose, case.around.depth) for case in cases] == [("given", 1), ("own", 1), ("given", 0)]
    assert [(case.name, case.line) for case in cases] == [("as it is", 7), ("otherwise", 8), ("without", 12)]


SOUND = """\
- name: n
  agent: pricing
  contract: pricing.set_price
  args: {sku: A-1, price_minor: 1900, currency: EUR}
  facts: {flagship: true}
  with: {depth: 0}
  expect: {verdict: deny}
"""


@pytest.mark.proves("policy.test_files_with_places")
@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("  agent: pricing", "  agent: prcing", "2:10: there is no agent `prcing`; did you mean `pricing`?"),
        (
            "pricing.set_price",
            "pricing.setprice",
            "3:13: there is no contract `pricing.setprice`; did you mean `pricing.set_price`?",
        ),
        ("contract: pricing.set_price", "contract: {risk: hgh}", "3:20: `risk` must be low, medium, high or critical"),
        ("{sku: A-1", "{skew: 1, sku: A-1", "4:10: `pricing.set_price` /skew: "),
        ("price_minor: 1900", "price_minor: 0", "4:20: `pricing.set_price` /price_minor: "),
        ("currency: EUR", "currency: EURO", "4:39: `pricing.set_price` /currency: "),
        (", currency: EUR", "", "4:9: `pricing.set_price` /currency: "),
        ("price_minor: 1900", "price_minor: 19.5", "4:33: a number must be an integer"),
        (
            "flagship: true",
            "flagshp: true",
            "5:11: `flagshp` is no fact of `pricing.set_price`; did you mean `flagship`?",
        ),
        ("flagship: true", "flagship: 1", "5:21: the fact `flagship`: "),
        ("depth: 0", "dept: 0", "6:10: `dept` is no field of `with`; did you mean `depth`?"),
        (
            "depth: 0",
            "stage: parial",
            "6:17: `stage` must be shadow, assisted, partial or bounded; did you mean `partial`?",
        ),
        (
            "depth: 0",
            "tainted: [curency]",
            "6:20: `curency` is no argument of `pricing.set_price`; did you mean `currency`?",
        ),
        (
            "depth: 0",
            "unusual: [houre]",
            "6:20: `houre` is not what an action can be unusual in; did you mean `hour`?",
        ),
        ("depth: 0", "at: noon", "6:14: `at` must be a time: 2026-12-24T18:00, in UTC, or with a zone"),
        ("depth: 0", "at: 1950-01-01T10:00", "6:14: `at` must be a time"),
        ("depth: 0", "undo: yes", "6:16: `undo` must be true or false"),
        ("{verdict: deny}", "{verdict: dny}", "7:21: `verdict` must be allow, oblige"),
        ("{verdict: deny}", "dny", "7:11: `expect` must be allow, oblige"),
        ("{verdict: deny}", "{verdit: deny}", "7:12: `verdit` is no field of `expect`; did you mean `verdict`?"),
        ("{verdict: deny}", "{}", "7:11: `expect` says nothing: write at least a `verdict`"),
        ("  expect: {verdict: deny}\n", "", "1:3: `expect` is missing from a policy test"),
        ("- name: n", "- nam: n", "1:3: `nam` is no field of a policy test; did you mean `name`?"),
        ("  with: ", "  wiht: ", "6:3: `wiht` is no field of a policy test; did you mean `with`?"),
    ],
)
def test_a_mistake_is_told_in_its_place(right: str, wrong: str, said: str) -> None:
    """One slip in a sound case is one of the problems told, with its line, column and nearest spelling, and no such case is
    run."""
    assert SOUND.count(right) == 1
    assert read(SOUND)[1] == []

    cases, problems = read(SOUND.replace(right, wrong))

    assert any(each.startswith(said) for each in problems), problems
    assert cases == []


def test_a_name_given_twice_is_told() -> None:
    """Two tests of one name could not be told apart."""
    assert read(SOUND + SOUND)[1] == ["8:9: there is another test `n` in line 1"]


def test_what_is_wrong_in_what_is_given_is_told_once(tmp_path: Path) -> None:
    """A slip that every row shares is one problem."""
    (tmp_path / "policies/tests").mkdir(parents=True)
    (tmp_path / "policies/tests/t.yaml").write_text(GIVEN.replace("purpose: given", "purpos: given"))

    problems = read_policy_tests(tmp_path, CONTRACTS, []).problems

    assert [(each.line, each.column) for each in problems] == [(5, 20)]


def test_both_places_are_read_and_nothing_else(tmp_path: Path) -> None:
    """Files below policies/tests and `*.test.yaml` beside the policies count; another ending is told."""
    (tmp_path / "policies/tests").mkdir(parents=True)
    for name in ("policies/a.test.yaml", "policies/a.yaml", "policies/tests/b.yaml", "policies/tests/c.yml"):
        (tmp_path / name).write_text(SOUND)

    found = read_policy_tests(tmp_path, CONTRACTS, [])

    assert [case.file for case in found.cases] == ["policies/a.test.yaml", "policies/tests/b.yaml"]
    assert [(each.file, each.severity) for each in found.problems] == [("policies/tests/c.yml", "warning")]


@given(text=st.text(alphabet="- :{}[],\n#agent1'\"name&*", max_size=200) | st.text(max_size=60))
def test_any_text_is_read(text: str) -> None:
    """Whatever is in the file, reading it gives cases or problems, and never fails otherwise."""
    cases, problems = read(text)

    assert cases == [] or problems == []


@pytest.mark.parametrize("text", ["[" * 100, "- " * 100 + "a", "a: " * 100, "given: []\ncases: 1", "- 1\n- [x]"])
def test_what_is_no_list_of_cases_is_told(text: str) -> None:
    """Nested without end, or of another form: a problem, not a failure."""
    cases, problems = read(text)

    assert cases == []
    assert problems
