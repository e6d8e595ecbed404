"""Uses of models as a program has them."""

import asyncio

import pytest

import interlock
from interlock.adapters.prices import BY
from interlock.domain.budget import Budget
from interlock.domain.use import Use
from interlock.workbench.planes import working
from tests.sdk.doors import Door


async def uses(door: Door, agent: str) -> tuple[list[Use], dict[str, tuple[int, int]]]:
    """The agent's uses that are stored, oldest first, and what is reserved and spent of its budgets."""
    async with working(door.place.folder) as plane:
        budgets = [
            each for each in await plane.means.store.all(Budget) if each.scope == f"agent:{agent}" and each.spent
        ]
        found = [each for each in await plane.means.store.all(Use) if each.agent == agent]
        return found[::-1], {each.unit: (each.reserved, each.spent) for each in budgets}


@pytest.mark.proves("use.reserved", "use.priced")
def test_a_program_settles_what_a_model_took(door: Door) -> None:
    """At the prices that are installed, rounded up; the price is known at most before and exactly afterwards."""
    agent = door.asker(0)
    with door.open(agent) as client, client.task(agent, purpose="ask") as task:
        with task.model_use("gpt-4o-mini", input_tokens=200, max_output_tokens=100) as use:
            at_most = use.cost_micro
            use.settle(input_tokens=101, output_tokens=10, cached_tokens=100)
        with task.model_use("openai:gpt-4o-mini", input_tokens=200, max_output_tokens=100) as other:
            pass

    (first, second), stood = asyncio.run(uses(door, agent))

    # $0.15, $0.60 and $0.075 a million: 90 at most, and 0.15 + 6 + 7.5 of them.
    assert (at_most, use.cost_micro) == (90, 14)
    assert (first.id, first.state, first.prices) == (use.id, "settled", BY)
    assert (second.state, second.cost, other.cost_micro) == ("lost", 90, 90)
    assert stood == {"tokens": (0, 411), "USD.micro": (0, 104)}


def test_what_does_not_fit_is_an_error_on_the_way_in(door: Door) -> None:
    """Before the model is asked: another model, too much, a price that nobody knows; and a block that is entered twice."""
    agent = door.asker(1)
    with door.open(agent) as client, client.task(agent, purpose="ask") as task:
        for model, most, why in (
            ("gpt-4o", 10, "may not run on `gpt-4o`; it may run on `gpt-4o-mini`, `openai:gpt-4o-mini`, `own`"),
            ("gpt-4o-mini", 10_000, "is needed"),
            ("own", 10, "no price of `own` is known"),
        ):
            with (
                pytest.raises(interlock.InterlockError, match=why),
                task.model_use(model, input_tokens=1, max_output_tokens=most),
            ):
                raise AssertionError("the model must not be asked")
        with task.model_use("gpt-4o-mini", input_tokens=1, max_output_tokens=1) as use:
            use.nothing()
            with pytest.raises(interlock.InterlockError, match="begun already"):
                use.__enter__()
        with pytest.raises(interlock.InterlockError, match="not begun"):
            _ = task.model_use("gpt-4o-mini", input_tokens=1, max_output_tokens=1).id


@pytest.mark.proves("use.lost")
def test_an_exception_leaves_all_of_it_used_unless_the_program_knows_better(door: Door) -> None:
    """Asynchronously, too, and cancelled. Cancelled before the model could be asked nothing was used."""
    agent = door.asker(2)

    async def refused(task: interlock.AsyncTask, *, known: bool) -> None:
        async with task.model_use("gpt-4o-mini", input_tokens=10, max_output_tokens=10) as use:
            if known:
                use.nothing()
            raise ConnectionError

    async def cancelled(task: interlock.AsyncTask) -> None:
        async with (
            asyncio.timeout(None) as limit,
            task.model_use("gpt-4o-mini", input_tokens=3, max_output_tokens=0),
        ):
            limit.reschedule(asyncio.get_running_loop().time())
            await asyncio.sleep(5)

    async def never_asked(task: interlock.AsyncTask) -> None:
        async with asyncio.timeout(0), task.model_use("gpt-4o-mini", input_tokens=900, max_output_tokens=0):
            raise AssertionError("it was cancelled before")

    async def program() -> None:
        async with door.open(agent) as client, client.task(agent, purpose="ask") as task:
            for known in (True, False):
                with pytest.raises(ConnectionError):
                    await refused(task, known=known)
            with pytest.raises(TimeoutError):
                await cancelled(task)
            with pytest.raises(TimeoutError):
                await never_asked(task)

    asyncio.run(program())

    found, stood = asyncio.run(uses(door, agent))
    assert [each.state for each in found] == ["settled", "lost", "lost", "settled"]
    assert stood["tokens"] == (0, 23)
