"""Workspaces that the gateway is put on, and clients of the protocol's own package that speak to it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import interlock
from tests.gateway.kit import House, house
from tests.workspaces import Place, forget, workspace


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """The product runs on asyncio."""
    return "asyncio"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A workspace in force."""
    made = workspace(tmp_path)
    with interlock.open(tmp_path, apply=True):
        pass
    yield made
    forget(made)


@pytest.fixture
def served(place: Place) -> Iterator[House]:
    """A gateway over HTTP."""
    begun = house(place)
    yield begun
    begun.process.terminate()
    try:
        begun.process.wait(30)
    finally:
        begun.process.kill()
        begun.process.communicate()
