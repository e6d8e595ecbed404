"""A workspace for each test that asks for one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.workspaces import Place, forget, workspace


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A workspace, and its module forgotten afterwards."""
    made = workspace(tmp_path)
    yield made
    forget(made)
