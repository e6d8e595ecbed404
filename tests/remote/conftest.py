"""A server on a socket of this machine for each test that asks for one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.remote.world import Reached, reached


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Reached]:
    """A server, its workspace, and a road to it that may lose things."""
    with reached(tmp_path) as made:
        yield made


@pytest.fixture
def anyio_backend() -> str:
    """The loop that programs run on."""
    return "asyncio"
