"""How often may be asked, and what is counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from interlock.domain.refusals import TooMany
from interlock.web.limits import MOST, Limits
from tests.web.world import served

pytestmark = pytest.mark.anyio


async def test_whoever_asks_too_often_waits(tmp_path: Path) -> None:
    """Beyond what may come at once a sender hears 429 and when there is room; others are answered all the while, and whether
    the server lives is told to everybody."""
    async with served(tmp_path, limits=Limits(per_s=0.01, at_once=5)) as site:
        rita, ria = site.client_of("rita"), site.client_of("ria")
        answers = [(await rita.get("/v1/brakes")).status_code for _ in range(7)]
        refused = await rita.get("/v1/brakes")
        hers = await ria.get("/v1/brakes")
        alive = [(await site.anonymous.get("/livez")).status_code for _ in range(10)]

    assert answers == [200] * 5 + [429] * 2
    assert refused.json()["code"] == "too_many_requests"
    assert 1 <= int(refused.headers["retry-after"]) <= 100
    assert hers.status_code == 200
    assert set(alive) == {200}


async def test_the_workspace_says_how_often(tmp_path: Path) -> None:
    """`server.rate` is how many requests a second one may make; six times as many may come at once."""
    async with served(tmp_path, settings="server: {rate: 1}\n") as site:
        rita = site.client_of("rita")
        answers = [(await rita.get("/v1/brakes")).status_code for _ in range(8)]

    assert answers[:6] == [200] * 6
    assert answers[7] == 429


async def test_buckets_fill_again_and_are_bounded() -> None:
    """What was taken comes back with time, never more than may come at once; and strangers take no memory without end."""
    limits = Limits(per_s=2, at_once=3)
    for _ in range(3):
        limits.take("a", 0)
    with pytest.raises(TooMany) as error:
        limits.take("a", 0)
    limits.take("a", 0.5)
    for n in range(MOST + 100):
        limits.take(f"stranger {n}", 1)
    for _ in range(3):
        limits.take("a", 100)

    assert error.value.after_s == 1
    assert len(limits) == MOST
    with pytest.raises(TooMany):
        limits.take("a", 100)
    for _ in range(3):
        limits.take("a", 10_000)
    with pytest.raises(TooMany):
        limits.take("a", 10_000)


async def test_figures_name_nobody(tmp_path: Path) -> None:
    """What is scraped tells requests by the pattern of their path, what waits and how large the log is, and names nobody; and
    nobody unknown scrapes."""
    async with served(tmp_path) as site:
        action = await site.propose(500)
        rita = site.client_of("rita")
        await rita.get(f"/v1/actions/{action}")
        await rita.get("/v1/nothing/of/the/kind")
        text = (await rita.get("/metrics")).text
        stranger = await site.anonymous.get("/metrics")

    assert 'interlock_http_requests_total{method="GET",route="/v1/actions/{action}",status="200"} 1.0' in text
    assert "interlock_approvals_waiting 1.0" in text
    assert "interlock_log_entries" in text
    assert "rita" not in text
    assert action not in text
    assert "of/the/kind" not in text
    assert stranger.status_code == 401
