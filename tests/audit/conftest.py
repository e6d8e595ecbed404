"""A workspace in force, for what is asked of it from the command line."""

import pytest

from tests.cli.conftest import shell

__all__ = ["anyio_backend", "shell"]


@pytest.fixture
def anyio_backend() -> str:
    """The event loop of every test here."""
    return "asyncio"
