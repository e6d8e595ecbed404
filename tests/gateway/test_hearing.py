"""Whoever is being answered hears for as long as they would be let in; what of their call waits is not taken back by that."""

import asyncio
import json
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest

import interlock
from interlock.domain.bearer import Bearer
from interlock.domain.errors import InterlockError, NotAdmitted, StoreBusy
from interlock.domain.ids import AgentName
from interlock.gateway.entrance import refuse
from interlock.gateway.hearing import Answering, Unheard, Watch
from tests.gateway.kit import PROGRAM, House, actions, held, stateless

pytestmark = pytest.mark.anyio
BEARER = Bearer(
    agent=AgentName("ag"),
    initiator="user:ana",
    purpose="tests",
    surfaces=("mcp",),
    expires_at=2**50,
    through="agent_key:0",
    epoch=1,
)
WORK: Any = None
"""None is needed here."""


@pytest.mark.proves("gateway.heard")
@pytest.mark.parametrize("progress", [False, True], ids=["unanswered", "streaming"])
async def test_who_is_out_is_told_so_and_what_waits_goes_on(served: House, progress: bool) -> None:
    """The agent is suspended while a call waits: its client hears why and the ticket, by the status where nothing was said
    before; the action waits on, and is done once the agent is active again and somebody agreed."""
    meta = {"progressToken": "p"} if progress else {}
    body, headers = stateless(1, "box__put", {"n": 500}, **meta)
    headers = {"authorization": f"Bearer {served.key()}", **headers}
    async with httpx.AsyncClient(headers=headers, timeout=30) as http:
        calling = asyncio.create_task(http.post(served.url, json=body))
        waiting = await held(served.place)
        ask = [PROGRAM, "-w", str(served.place.folder), "--as", "rita", "agent"]
        await anyio.run_process([*ask, "suspend", "ag", "--why", "a look"])
        with anyio.fail_after(15):
            answer = await calling
        if progress:
            told = json.loads(answer.text.rpartition("data: ")[2])["error"]
            assert (answer.status_code, told["data"]["ticket"]) == (200, waiting.id)
            assert "is suspended" in told["message"]
        else:
            told = answer.json()
            assert (answer.status_code, told["code"], told["ticket"]) == (403, "unheard", waiting.id)
            assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]
        assert [each.state for each in await actions(served.place)] == ["held"]
        await anyio.run_process([*ask, "activate", "ag", "--why", "looked"])
        with interlock.open(served.place.folder) as people:
            await people.person("rita").aio.approve(waiting.id)
        again, headers = stateless(1, "interlock_ticket", {"ticket": waiting.id, "wait_ms": 20_000})
        found = await http.post(served.url, json=again, headers=headers)
    assert found.json()["result"]["structuredContent"] == {"n": 500, "word": "x"}
    assert served.place.effects() == ["put 500"]


class Store:
    """Says who stands, or fails."""

    def __init__(self) -> None:
        self.fails: InterlockError | None = None

    async def must_stand(self, bearer: Bearer) -> None:
        """Say."""
        assert bearer is BEARER
        if self.fails is not None:
            raise self.fails


async def nothing_said(message: Any) -> None:
    """Hear nothing."""


@pytest.mark.proves("gateway.heard")
async def test_a_store_that_fails_ends_answers_after_a_while_alone() -> None:
    """A look that fails ends nothing, and one that works again begins anew; failing for longer than is borne, all end."""
    store = Store()
    watch, answering = Watch(store.must_stand, blind_s=0.2), Answering(BEARER, WORK, nothing_said, refuse)
    with watch.over(answering):
        for fails in (StoreBusy("it is locked"), None, StoreBusy("it is locked")):
            store.fails = fails
            await watch.look()
            assert answering.ended is None
            await anyio.sleep(0.15)
        await anyio.sleep(0.1)
        await watch.look()
        assert answering.ended is store.fails
        with pytest.raises(Unheard) as ended:
            await answering.handled(asyncio.Event().wait)
        assert ended.value.members == {"because": "store_busy"}


@pytest.mark.proves("gateway.heard")
async def test_a_store_that_hangs_ends_answers_too() -> None:
    """A look that does not come back is one that failed for as long."""

    async def hangs(bearer: Bearer) -> None:
        await anyio.sleep_forever()

    watch, answering = Watch(hangs, blind_s=0.05), Answering(BEARER, WORK, nothing_said, refuse)
    with watch.over(answering):
        await watch.look()
    assert isinstance(answering.ended, StoreBusy)


async def test_an_answer_that_does_not_end_when_told_is_cut() -> None:
    """A handler that is told to end and does not leaves nobody hearing: the next look ends the answer itself, with an end."""
    store, heard = Store(), list[Any]()

    async def hear(message: Any) -> None:
        heard.append(message)

    watch, answering = Watch(store.must_stand), Answering(BEARER, WORK, hear, refuse)
    store.fails = NotAdmitted("the token is over", challenge="Bearer")
    with watch.over(answering), answering.lasting():
        await answering.say({"type": "http.response.start", "status": 200, "headers": []})
        async with anyio.create_task_group() as group:
            group.start_soon(answering.handled, _deaf)
            await anyio.lowlevel.checkpoint()
            await watch.look()
            await watch.look()
            await anyio.sleep(1)
    await answering.finish()
    assert heard[1:] == [{"type": "http.response.body", "body": b""}]


async def _deaf() -> None:
    with anyio.CancelScope(shield=True):
        await anyio.sleep(0.05)
