"""The services run on asyncio alone."""

import pytest


@pytest.fixture
def anyio_backend() -> str:
    """The event loop of every test here."""
    return "asyncio"
