"""Tests of the relay run on asyncio alone, as the server does."""

import pytest


@pytest.fixture
def anyio_backend() -> str:
    """The loop that uvicorn runs on."""
    return "asyncio"
