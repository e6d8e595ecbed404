"""What roles open."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interlock.domain.access import PERMISSIONS, ROLES, Permission, permissions_of

CHANGES: frozenset[Permission] = frozenset(PERMISSIONS) - {"see", "audit"}


@pytest.mark.parametrize("role", ["viewer", "auditor"])
def test_who_only_reads_changes_nothing(role: str) -> None:
    """A viewer and an auditor hold no permission that changes anything."""
    assert not permissions_of([role]) & CHANGES


def test_no_role_opens_no_door() -> None:
    """Absence means no."""
    assert permissions_of([]) == frozenset()


def test_an_admin_does_not_decide() -> None:
    """Who administers people does not thereby answer for actions, write policy, or put releases forward."""
    assert not permissions_of(["admin"]) & {"decide", "write_policy", "release"}


@given(st.lists(st.sampled_from([*ROLES, "support_lead", "pricing_lead"])), st.text(max_size=12))
def test_roles_add_up(roles: list[str], own: str) -> None:
    """More roles never open fewer doors, and a word of the workspace's own opens what `reviewer` opens."""
    assert permissions_of(roles) <= permissions_of([*roles, "reviewer"])
    assert permissions_of([own]) == ROLES.get(own, ROLES["reviewer"])
