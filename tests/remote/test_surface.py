"""The same surface as in the program's own process: every outcome, every error, tasks, tickets, models, over HTTP."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import interlock
from interlock.domain.errors import KeyReused, NotAllowed, NotFound
from tests.remote.world import Reached
from tests.sdk.test_client import OUTCOMES, Kind


@pytest.mark.proves("remote.same_surface")
@pytest.mark.parametrize(("agent", "what", "args", "kwargs", "kind", "why"), OUTCOMES)
def test_every_outcome_is_the_same_from_afar(
    site: Reached, agent: str, what: str, args: tuple[object, ...], kwargs: dict[str, Any], kind: Kind, why: str
) -> None:
    """Whatever comes of a proposal in the program's own process comes of it over HTTP, with the same kind and reason."""
    with site.open(agent) as client, client.task(agent, purpose="test") as task:
        outcome = task.propose(what if "." in what else getattr(site.place.tools(), what), *args, **kwargs)

    assert type(outcome) is kind
    assert why in "; ".join(outcome.reasons)


def test_a_called_tool_gives_its_own_type(site: Reached) -> None:
    """A tool that is called inside a task far away gives its own result type, or raises why not."""
    with site.open() as client, client.task("ag", purpose="test"):
        tools = site.place.tools()
        assert tools.put(7) == tools.Put(n=7, word="x")
        with pytest.raises(interlock.Denied):
            tools.put(5000)
    assert site.place.effects() == ["put 7"]


@pytest.mark.proves("remote.same_surface")
def test_a_ticket_is_waited_for_while_people_decide(site: Reached) -> None:
    """What is held is told as held; its ticket gives the outcome once somebody agreed, and its proof verifies offline."""
    with site.open() as client, client.task("ag", purpose="test", on_behalf_of="user:ana") as task:
        held = task.propose("box.put", n=500)
        assert isinstance(held, interlock.Held)
        site.person(lambda rita: rita.approve(held.action_id))
        done = held.ticket.wait(timeout_ms=10_000)
        proof = client.proof(done)

    assert isinstance(done, interlock.Done)
    assert proof.text.startswith("c2sp.org/tlog-proof@v1")
    assert site.place.effects() == ["put 500"]


def test_an_asynchronous_program_is_the_same(site: Reached) -> None:
    """`async with`, `await`, several at once on kept connections, and the next event loop after the first ended."""

    async def acted(client: interlock.Client) -> list[interlock.Outcome]:
        async with client.task("ag", purpose="test") as task:
            return await asyncio.gather(*(task.propose("box.aput", n=n) for n in range(8)))

    client = site.open()
    first, again = asyncio.run(acted(client)), asyncio.run(acted(client))
    client.close()

    assert all(isinstance(each, interlock.Done) for each in first + again)
    assert len(site.place.effects()) == 16


@pytest.mark.proves("remote.same_surface")
def test_a_task_is_handed_on_from_afar(site: Reached) -> None:
    """One program lends a part of its task to another, which acts in it by its own key; both over HTTP."""
    with site.open() as mine, site.open("helper") as other, mine.task("ag", purpose="test") as task:
        text = task.delegate(
            "helper", to=other.invitation("helper"), purpose="part of it", tools={"box.look": {"word": "a"}}
        )
        with other.accept(text) as part:
            looked, refused = part.propose("box.look", word="a"), part.propose("box.look", word="b")

    assert isinstance(looked, interlock.Done)
    assert isinstance(refused, interlock.Refused)


def test_the_first_answer_is_kept_for_a_key(site: Reached) -> None:
    """A caller's own key gives the first action again, and other arguments under it are KeyReused, the very class."""
    with site.open() as client, client.task("ag", purpose="test") as task:
        first = task.propose("box.put", n=1, idempotency_key="order-7")
        again = task.propose("box.put", n=1, idempotency_key="order-7")
        with pytest.raises(KeyReused):
            task.propose("box.put", n=2, idempotency_key="order-7")

    assert isinstance(first, interlock.Done)
    assert isinstance(again, interlock.Done)
    assert first.action_id == again.action_id
    assert site.place.effects() == ["put 1"]


def test_errors_are_the_same_classes(site: Reached) -> None:
    """What has no task, no agent or no release raises what it raises in the program's own process."""
    with site.open() as client:
        with pytest.raises(NotFound), client.task("nobody", purpose="test"):
            pass
        with pytest.raises(NotFound):
            client.resume("01a20311-da6b-74d4-b1c4-3197462f9bfa", "ag").__enter__()
        with pytest.raises(interlock.ContractError), client.task("ag", purpose="test", prohibited=("box.putt",)):
            pass


def test_a_use_of_a_model_is_metered_from_afar(site: Reached) -> None:
    """A use is reserved and settled over HTTP."""
    with site.open() as client, client.task("ag", purpose="test", budgets={"tokens": 1000}) as task:
        with task.model_use("m", input_tokens=10, max_output_tokens=20) as use:
            use.settle(input_tokens=8, output_tokens=3)
        with (
            pytest.raises(interlock.BudgetExceeded) as over,
            task.model_use("m", input_tokens=2000, max_output_tokens=1),
        ):
            pass

    assert over.value.unit == "tokens"
    assert over.value.left == 989


def test_people_do_not_speak_from_afar(site: Reached) -> None:
    """A program of an agent's speaks for nobody, and is told where people do."""
    with site.open() as client, pytest.raises(NotAllowed, match="nobody speaks for a person") as refused:
        client.person("rita")
    assert "console" in refused.value.next_step


def test_another_release_is_taken_up(site: Reached) -> None:
    """When another release comes into force while a program runs, its next call renews the credential by itself."""
    with site.open() as client:
        with client.task("ag", purpose="test") as task:
            assert isinstance(task.propose("box.look", word="a"), interlock.Done)
            site.place.change("agents/ag.yaml", lambda text: text.replace("to be tested", "to be tested well"))
            with interlock.open(site.place.folder, apply=True):
                pass
            still = task.propose("box.look", word="b")
        with client.task("ag", purpose="test") as task:
            after = task.propose("box.look", word="c")

    assert isinstance(still, interlock.Done)
    assert isinstance(after, interlock.Done)
