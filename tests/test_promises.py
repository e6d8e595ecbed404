"""What we promise is tested, and what tests claim to prove is promised."""

from __future__ import annotations

import re
from pathlib import Path

from scripts.claims import Claim, claims
from tests.promises import PROMISES

TESTS = Path(__file__).parent

PLANTED = """
import pytest

@pytest.mark.proves("a.one", "a.two")
def test_two(): ...

@pytest.mark.proves("a.helper")
def helper(): ...

NAME = "a.hidden"

@pytest.mark.proves(NAME)
async def test_hidden(): ...

@pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.proves("a.row"))])
def test_rows(x): ...

@pytest.mark.proves()
def test_nothing(): ...
"""


def test_every_promise_is_well_formed() -> None:
    """Each has an id of its own, a source, and one sentence."""
    ids = [promise.id for promise in PROMISES]

    assert sorted(set(ids)) == sorted(ids)
    for promise in PROMISES:
        assert re.fullmatch(r"[a-z][a-z0-9_-]*(\.[a-z0-9][a-z0-9_-]*)+", promise.id), promise.id
        assert promise.source, promise.id
        assert promise.sentence.endswith("."), promise.id


def test_every_claim_is_promised() -> None:
    """No test claims to prove something that nobody promised, and every claim is a test's own, in plain text."""
    known = {promise.id for promise in PROMISES}

    strangers = [f"{claim.place}: `{claim.promise}`" for claim in claims(TESTS) if claim.promise not in known]
    idle = [claim.place for claim in claims(TESTS) if not claim.test]

    assert strangers == []
    assert idle == []


def test_every_promise_is_claimed() -> None:
    """Every promise has a test that claims to prove it."""
    claimed = {claim.promise for claim in claims(TESTS) if claim.test}

    assert [promise.id for promise in PROMISES if promise.id not in claimed] == []


def test_claims_are_found(tmp_path: Path) -> None:
    """Marks are found on tests, on rows of a table and where they do not belong; an id that is no plain text shows as `?`."""
    folder = tmp_path / "tests"
    folder.mkdir()
    (folder / "test_planted.py").write_text(PLANTED)
    (folder / "support.py").write_text('pytestmark = pytest.mark.proves("a.support")\n')

    assert claims(folder) == [
        Claim("a.support", "", "tests/support.py:1"),
        Claim("a.one", "tests/test_planted.py::test_two", "tests/test_planted.py:4"),
        Claim("a.two", "tests/test_planted.py::test_two", "tests/test_planted.py:4"),
        Claim("a.helper", "", "tests/test_planted.py:7"),
        Claim("?", "tests/test_planted.py::test_hidden", "tests/test_planted.py:12"),
        Claim("a.row", "tests/test_planted.py::test_rows", "tests/test_planted.py:15"),
        Claim("?", "tests/test_planted.py::test_nothing", "tests/test_planted.py:18"),
    ]
