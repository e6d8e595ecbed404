"""What clients have under way, and leave behind, is bounded: of each, and of everybody together."""

import asyncio
from contextlib import AsyncExitStack, suppress
from typing import Any

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp.shared.exceptions import MCPError

from interlock.gateway.pending import UnderWay
from interlock.gateway.places import STREAMS_OF_ONE, WAITS_OF_ONE, Places
from tests.gateway.kit import NEWEST_VERSION, House, actions, client, said, text
from tests.workspaces import Place

NOBODY: Any = None
"""Nothing is withdrawn here."""


@pytest.mark.proves("gateway.bounded")
@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=60))
def test_nobody_has_more_places_than_their_own_and_all_no_more_than_all(turns: list[tuple[str, bool]]) -> None:
    """However places are taken and left, of one there are at most two, of all at most four, and what is left is free again."""
    places, held = Places(2, 4), dict[str, list[Any]](a=[], b=[], c=[])
    for whose, takes in turns:
        if takes:
            there_is = len(held[whose]) < 2 and sum(map(len, held.values())) < 4
            place = places.taken(whose)
            assert (place is not None) == there_is
            held[whose] += [place] if place is not None else []
        elif held[whose]:
            held[whose].pop().leave()


@pytest.mark.anyio
@pytest.mark.proves("gateway.bounded")
async def test_who_leaves_frees_nothing_before_what_they_began_is_over() -> None:
    """A call whose client is gone keeps its place for what was begun in it: the next is told to wait, and passes then."""
    under_way, over = UnderWay(NOBODY, Places(1, 2)), asyncio.Event()
    with under_way.place("a"):
        begun = under_way.begun(over.wait())
    with pytest.raises(MCPError, match="wait until one of them is over"), under_way.place("a"):
        pass
    with under_way.place("b"):
        pass
    over.set()
    await begun
    await asyncio.sleep(0)
    with under_way.place("a"):
        pass


@pytest.mark.anyio
@pytest.mark.proves("gateway.bounded")
async def test_one_bearer_takes_no_more_than_its_streams(served: House) -> None:
    """One stream of news too many is refused and says what to do; another bearer hears, and what is ended is free again."""
    async with (
        served.client(served.key(), mode=NEWEST_VERSION) as mcp,
        served.client(served.key("ag", "user:bob"), mode=NEWEST_VERSION) as other,
    ):
        async with AsyncExitStack() as mine:
            for _ in range(STREAMS_OF_ONE):
                await mine.enter_async_context(mcp.listen(tools_list_changed=True))
            with pytest.raises(MCPError, match="end some of them"):
                async with mcp.listen(tools_list_changed=True):
                    pass
            async with other.listen(tools_list_changed=True):
                pass
        with anyio.fail_after(5):
            while True:
                with suppress(MCPError):
                    async with mcp.listen(tools_list_changed=True):
                        break
                await anyio.sleep(0.05)


@pytest.mark.anyio
@pytest.mark.proves("gateway.bounded")
async def test_one_wait_too_many_is_answered_with_its_ticket(place: Place) -> None:
    """As many calls of one client wait as may; the next is held like them, and answered at once with its ticket and why."""
    async with client(place) as mcp, anyio.create_task_group() as group:
        for number in range(WAITS_OF_ONE):
            group.start_soon(mcp.call_tool, "box__put", {"n": 200 + number})
        with anyio.fail_after(60):
            while len(await actions(place)) < WAITS_OF_ONE:  # noqa: ASYNC110  what is waited for is another process
                await anyio.sleep(0.2)
            await anyio.sleep(0.5)
            result = await mcp.call_tool("box__put", {"n": 999})
        assert said(result)["state"] == "held"
        assert "is not waited for; ask for its ticket later" in text(result)
        group.cancel_scope.cancel()
