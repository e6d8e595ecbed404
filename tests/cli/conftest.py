"""The command line in this process: what it prints, and what it ends with."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.shell import Shell
from tests.workspaces import forget, workspace


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """A workspace in force, and the program in it."""
    place = workspace(tmp_path)
    made = Shell(place)
    assert made("apply").code == 0
    yield made
    forget(place)
