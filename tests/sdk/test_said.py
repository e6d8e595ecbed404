"""What an agent says beside the arguments: what it expects, and which trace it belongs to. Recorded, never decided on."""

import asyncio
from typing import Any

import pytest

import interlock
from interlock.bootstrap.connecting import connect
from interlock.domain.action import Action
from interlock.domain.errors import ContractError
from interlock.domain.evidence import Packet
from interlock.domain.ids import ActionId
from interlock.domain.telling import Telling, tell
from tests.sdk.doors import Door
from tests.workspaces import Place

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@interlock.tool(effect="read", risk="low", name="box.weigh")
def weigh(what: str, kpi: int = 0) -> int:
    """A tool with an argument that has the name of a word of ours."""
    return len(what) + kpi


@pytest.fixture
def client(place: Place) -> interlock.Client:
    """A workspace with the tool."""
    agent = place.folder / "agents" / "ag.yaml"
    agent.write_text(agent.read_text().replace("box.put,", "box.put, box.weigh,"))
    return interlock.open(place.folder, apply=True, tools=[weigh])


def told(place: Place, action_id: str) -> tuple[Action | None, Telling]:
    """The action as stored, and what its packet says."""

    async def look() -> tuple[Action | None, Packet]:
        plane = connect(place.folder)
        found = await plane.means.store.get(Action, action_id)
        packet = await plane.audit.packet(ActionId(action_id))
        await plane.means.store.close()
        return found, packet

    found, packet = asyncio.run(look())
    return found, tell(packet.entries)


@pytest.mark.proves("sdk.said_beside")
def test_figures_and_trace_are_recorded_as_the_agents_word(client: interlock.Client, place: Place) -> None:
    """What the agent expects stands with the action and, as its own word, in the packet; its trace in the open."""
    with client, client.task("ag", purpose="test") as task:
        done = task.propose(weigh, "ab", 3, kpi={"grams": -5}, traceparent=TRACE)
    assert isinstance(done, interlock.Done)

    action, packet = told(place, done.action_id)

    assert action is not None
    assert (action.kpi, action.traceparent) == ({"grams": -5}, TRACE)
    assert packet.clear["kpi"] == [{"grams": -5}]
    assert packet.said["traceparent"] == TRACE
    assert packet.whose["kpi"] == packet.whose["traceparent"] == "agent-asserted"


@pytest.mark.proves("sdk.said_beside")
def test_words_of_ours_are_never_the_tools_own(client: interlock.Client) -> None:
    """A tool's own argument of that name is given by position; in doubt nothing runs."""
    with client, client.task("ag", purpose="test") as task:
        by_position = task.propose(weigh, "ab", 3, kpi={"grams": 1})
        in_doubt = task.propose(weigh, "ab", kpi={"grams": 1})

    assert isinstance(by_position, interlock.Done)
    assert by_position.result == 5
    assert isinstance(in_doubt, interlock.Refused)
    assert "by position" in in_doubt.reasons[0]


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ({"kpi": {"grams": 1.5}}, "whole number"),
        ({"confidence": 0.9}, "per mille"),
        ({"kpi": ["grams"]}, "mapping"),
        ({"kpi": {"two words": 1}}, "plain name"),
        ({"traceparent": "ana@example.com"}, "Trace Context"),
        ({"traceparent": 7}, "expected `str`"),
    ],
)
def test_what_has_no_place_in_the_log_is_an_error(door: Door, said: dict[str, Any], word: str) -> None:
    """Figures are whole and plainly named, a trace context is one; the error says so, and nothing was proposed."""
    with (
        door.open() as client,
        client.task("ag", purpose="test") as task,
        pytest.raises(ContractError, match=word),
    ):
        task.propose("box.look", word="ab", **said)
