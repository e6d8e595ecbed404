"""Connections to providers of models: nobody asks over another's, and those of nobody are closed."""

import asyncio

import pytest

from interlock.adapters import model_connections
from interlock.adapters.model_connections import ModelConnections

pytestmark = pytest.mark.anyio


@pytest.fixture(name="anyio_backend")
def _anyio_backend() -> str:
    return "asyncio"


@pytest.mark.proves("relay.keys_apart")
async def test_everybody_has_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same for the same, another for another; those of whom nobody has heard longest are closed for others, and no
    connection in use is."""
    monkeypatch.setattr(model_connections, "MOST", 2)
    kept = ModelConnections()
    async with kept.of("ana") as first, kept.of("ana") as same, kept.of("bob") as other:
        assert first is same
        assert first is not other
        for name in ("cleo", "dan"):
            async with kept.of(name):
                pass
        assert not first.is_closed
        assert not other.is_closed
    async with kept.of("bob") as again:
        assert again is other
    async with kept.of("ana") as anew:
        assert anew is first
    async with kept.of("eve"):
        pass
    assert (first.is_closed, other.is_closed) == (False, True)
    await kept.close()
    assert first.is_closed


@pytest.mark.proves("relay.keys_apart")
async def test_who_is_gone_keeps_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that nobody used lately are closed with the next question of anybody; a loop that is gone has left none."""
    kept = ModelConnections()
    async with kept.of("ana") as first:
        pass
    monkeypatch.setattr(model_connections, "KEPT_S", -1.0)
    async with kept.of("bob"):
        pass
    assert first.is_closed

    monkeypatch.setattr(model_connections, "KEPT_S", 30.0)

    async def elsewhere() -> bool:
        async with kept.of("ana") as mine:
            await kept.close()
            return mine is not first and mine.is_closed

    assert await asyncio.to_thread(asyncio.run, elsewhere())
