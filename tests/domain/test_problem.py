"""An error that another process told is what it was there, or an error that says that nobody understood it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.domain import errors, refusals
from interlock.domain.errors import InterlockError, NotUnderstood
from interlock.domain.problem import KINDS, LONGEST, error_of

MADE: tuple[InterlockError, ...] = (
    errors.ContractError("x `n`", path="/n", next_step="mend it"),
    errors.WorkspaceError("x", file="a.yaml", line=3, column=4),
    errors.BudgetExceeded("x", scope="task t", unit="EUR", left=3, renews_at=7),
    errors.RateExceeded("x", scope="agent", calls=3, per_ms=60_000, again_at=9),
    errors.TooFast("x", after_s=9),
    errors.Conflict("x", kind="task", key="k"),
    errors.NotSignedIn(),
    errors.NotDelivered("x"),
    errors.NotAllowed("x", next_step="y", action="a"),
    errors.StoreBusy("x"),
    errors.CredentialStale("x"),
    errors.KeyReused("x"),
    refusals.TooMany(3),
    refusals.BadRequest("x"),
)


@pytest.mark.proves("remote.same_errors")
@pytest.mark.parametrize("error", MADE, ids=lambda each: each.code)
def test_an_error_that_is_told_is_the_same_again(error: InterlockError) -> None:
    """Class, words, advice, members and attributes survive the way over JSON."""
    found = error_of(json.loads(json.dumps({"type": "t", "title": "T", "status": 400, **error.problem()})))
    attributes = ("path", "file", "line", "unit", "left", "renews_at", "calls", "again_at", "after_s", "kind", "key")

    assert type(found) is type(error)
    assert (found.detail, found.next_step, found.code, found.fault) == (
        error.detail,
        error.next_step if type(error) not in (errors.BudgetExceeded, errors.RateExceeded) else found.next_step,
        error.code,
        error.fault,
    )
    for name in attributes:
        assert getattr(found, name, None) == getattr(error, name, None), name


@pytest.mark.proves("remote.same_errors")
def test_every_kind_can_be_told() -> None:
    """Every error of the tree is known by its code, and no two share one."""
    assert len(KINDS) == len(set(KINDS.values()))
    for code, kind in KINDS.items():
        said = {"code": code, "detail": "d", "next": "n", "scope": "s", "unit": "u", "left": 1, "calls": 1, "perMs": 1}
        found = error_of(said | {"againAt": 1, "after_s": 1, "kind": "k", "key": "k"})
        assert type(found) is kind


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=30) | st.sampled_from(sorted(KINDS)),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=10), inner, max_size=5),
    max_leaves=10,
)
NAMES = st.sampled_from(
    ["code", "detail", "next", "left", "unit", "scope", "after_s", "kind", "key", "path", "line", "problems", "x"]
)


@pytest.mark.proves("remote.believes_nobody")
@given(VALUES | st.dictionaries(NAMES, VALUES, max_size=13))
def test_whatever_is_told_is_an_error(said: object) -> None:
    """Any JSON becomes an error of ours that can be printed and told on, and never anything else."""
    found = error_of(said)
    assert isinstance(found, InterlockError)
    assert len(found.detail) <= LONGEST + 200
    assert str(found)
    json.dumps(found.problem())


def test_what_this_version_does_not_know_is_said() -> None:
    """A code of a later version is told as not understood, with its words."""
    found = error_of({"code": "from_the_future", "detail": "no", "next": "upgrade"})
    assert isinstance(found, NotUnderstood)
    assert "from_the_future" in found.detail
    assert found.next_step == "upgrade"
