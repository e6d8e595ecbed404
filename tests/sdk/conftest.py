"""A workspace for each test that asks for one, and one installation for all that go through both of its doors."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sdk.doors import SIDES, Door, Installed, Side, installed
from tests.workspaces import Place, forget, workspace


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A workspace, and its module forgotten afterwards."""
    made = workspace(tmp_path)
    yield made
    forget(made)


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """A workspace and a server over it, once for a process of tests."""
    with installed(tmp_path_factory.mktemp("installation")) as made:
        yield made


@pytest.fixture(params=SIDES)
def door(request: pytest.FixtureRequest, installation: Installed) -> Door:
    """Each way into it."""
    side: Side = request.param
    return Door(installation, side)
