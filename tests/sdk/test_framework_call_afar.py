"""A framework's call of a program whose control plane is far away: the same, over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import interlock
from interlock.sdk.framework_call import FrameworkCall, Given, Governor, Told
from interlock.sdk.lending import Own
from tests.remote.own import FILES
from tests.remote.world import Reached, reached


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Reached]:
    """A server whose agent has tools of its program's own."""
    with reached(tmp_path, files=FILES) as made:
        yield made


@pytest.mark.proves("frameworks.afar")
def test_a_framework_is_governed_from_afar(site: Reached) -> None:
    """Twenty calls at once run each their own function on the asking loop, once; made again they give the same and run nothing,
    and what has no contract does not run."""
    did: list[int] = []

    def own(number: int) -> Own:
        async def put(arguments: dict[str, Any]) -> dict[str, Any]:
            await asyncio.sleep(0)
            did.append(arguments["n"])
            return {"n": number, "note": "fine"}

        return put

    def call(number: int, tool: str = "own.keyed") -> FrameworkCall:
        return FrameworkCall(tool=tool, arguments={"n": number}, call_id=f"c{number}", own=own(number), run_id="r")

    async def program() -> tuple[list[Any], list[Any], Any]:
        async with site.open() as client, client.task("ag", purpose="test") as task:
            governor = Governor(task)
            first = await asyncio.gather(*(governor.acall(call(number)) for number in range(20)))
            again = [await governor.acall(call(number)) for number in range(3)]
            return first, again, await governor.acall(call(99, "wipe"))

    first, again, unknown = asyncio.run(program())

    assert [each.value for each in first if isinstance(each, Given)] == [{"n": n, "note": "fine"} for n in range(20)]
    assert all(each.is_raw for each in first)
    assert [(each.value["n"], each.is_raw) for each in again] == [(0, False), (1, False), (2, False)]
    assert isinstance(unknown, Told)
    assert isinstance(unknown.outcome, interlock.Refused)
    assert sorted(did) == list(range(20))
