"""What the tests of servers have in common."""

import pytest


@pytest.fixture
def anyio_backend() -> str:
    """The loop that everything of ours runs on."""
    return "asyncio"
