"""Uses of models: reserved before, settled after, and never more than there is."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from interlock.adapters.memory import Fault
from interlock.domain.agent import Runtime
from interlock.domain.budget import Budget
from interlock.domain.duration import DAY, MINUTE
from interlock.domain.errors import BudgetExceeded, ContractError, NotAllowed, StoreError
from interlock.domain.ids import Person
from interlock.domain.notice import Notice
from interlock.domain.proposal import Proposal
from interlock.domain.task import Task
from interlock.domain.use import MODEL_USE, Asked, TokenCount, Use
from interlock.testing.world import World, contract
from tests.services.handing import ready
from tests.services.packets import predicate_of, statement_of, told

pytestmark = pytest.mark.anyio

LIMITS = {"tokens": 1000, "tokens:dear": 900, "USD.micro per day": 5000}


def asked(task: Task, model: str = "dear", most: tuple[int, int] = (100, 50)) -> Proposal:
    """A use of so many tokens at most."""
    tokens = TokenCount(input=most[0], output=most[1])
    return Proposal(task=task, contract=MODEL_USE, arguments=Asked(model=model, tokens=tokens).arguments)


async def stood(world: World, scope: str = "agent:ag") -> dict[str, tuple[int, int]]:
    """What is reserved and spent, by unit, of the budgets of `scope` on which anything was drawn."""
    found = [each for each in await world.store.all(Budget) if each.scope == scope]
    return {each.unit: (each.reserved, each.spent) for each in found if each.reserved or each.spent}


async def entries(world: World) -> list[dict[str, Any]]:
    """What the log says of uses, as the format page has it, with its clear texts."""
    found = await world.store.entries(0, 1000)
    uses = [each for each in found if "/use/" in statement_of(each.leaf)["predicateType"]]
    return [predicate_of(each.leaf) | told(each) for each in uses]


async def world_of(**changes: Any) -> tuple[World, Task]:
    """A world with these limits, and a task in it."""
    world = World()
    await world.apply(contract(), **({"agent_budgets": LIMITS} | changes))
    return world, await world.task(lasts_ms=DAY)


@pytest.mark.proves("use.reserved")
async def test_a_use_is_reserved_before_and_settled_by_what_it_took() -> None:
    """Tokens, those of the model, and money at its price; what it did not take goes back. The log says both."""
    world, task = await world_of()

    use = await world.plane.uses.begin(asked(task))
    during = await stood(world)
    after = await world.plane.uses.settle(use.id, TokenCount(input=80, output=10, cached=30))

    assert during == {"tokens": (150, 0), "tokens:dear": (150, 0), "USD.micro": (700, 0)}
    assert await stood(world) == {"tokens": (0, 90), "tokens:dear": (0, 90), "USD.micro": (0, 200)}
    assert (after.state, after.cost, after.prices) == ("settled", 200, "a test's list")
    opened, settled = await entries(world)
    assert (opened["phase"], opened["model"], opened["usage"]["output"]) == ("opened", "dear", 50)
    assert [each["unit"] for each in opened["budget"]] == ["tokens", "tokens:dear", "USD.micro per day"]
    assert (settled["phase"], settled["usage"], settled["cost"]) == (
        "settled",
        {"input": 80, "output": 10, "cached": 30},
        {"unit": "USD.micro", "amount": 200},
    )
    assert settled["fieldEvidence"] == {"agent-asserted": ["usage"]}


@pytest.mark.proves("use.reserved")
async def test_a_use_that_does_not_fit_is_refused_with_what_is_left_and_when_it_renews() -> None:
    """It is refused before the model is asked, and recorded."""
    world, task = await world_of()
    await world.plane.uses.begin(asked(task, most=(0, 400)))

    with pytest.raises(BudgetExceeded) as caught:
        await world.plane.uses.begin(asked(task, most=(0, 101)))

    assert caught.value.detail == (
        "the budget of 5000 USD.micro per day for agent:ag has 1000 left, 1010 is needed; "
        "it renews at 2026-01-02T00:00:00.000Z"
    )
    assert (await stood(world))["tokens"] == (400, 0)
    refused = (await entries(world))[-1]
    assert (refused["phase"], refused["reasonCodes"]) == ("refused", ["interlock.budget"])
    assert "model" not in refused


@pytest.mark.proves("use.aliases")
async def test_another_name_of_a_model_goes_past_no_budget() -> None:
    """Whatever the program calls it, it counts on the budget of the name in the price list: reserved, settled and given up."""
    world, task = await world_of(agent_budgets={"tokens:dear": 400, "tokens:old-dear": 1000})
    world.prices.names["old-dear"] = "dear"

    use = await world.plane.uses.begin(asked(task, "old-dear"))
    assert await stood(world) == {"tokens:dear": (150, 0), "tokens:old-dear": (150, 0)}
    await world.plane.uses.settle(use.id, TokenCount(input=90, output=10))
    lost = await world.plane.uses.begin(asked(task, "old-dear"))
    await world.plane.uses.settle(lost.id, None)

    assert await stood(world) == {"tokens:dear": (0, 250), "tokens:old-dear": (0, 250)}
    with pytest.raises(BudgetExceeded, match="tokens:dear"):
        await world.plane.uses.begin(asked(task, "old-dear", most=(100, 51)))


@pytest.mark.proves("use.exact")
async def test_of_twenty_at_once_as_many_begin_as_there_is_money_for() -> None:
    """Ten dollars and twenty uses of three: three begin."""
    world, task = await world_of(agent_budgets={"USD.micro": 10_000_000})
    three = asked(task, most=(0, 300_000))

    said = await asyncio.gather(*(world.plane.uses.begin(three) for _ in range(20)), return_exceptions=True)

    assert [type(each) for each in said if not isinstance(each, BudgetExceeded)] == [Use] * 3
    assert await stood(world) == {"USD.micro": (9_000_000, 0)}


@pytest.mark.proves("use.models")
async def test_a_model_that_is_not_among_those_of_the_file_is_refused_by_name() -> None:
    """With what is allowed; also where the file in force took it away from a task that had it."""
    world, task = await world_of(runtime=Runtime(models=("dear", "cheap"), may_recur=True))
    await world.plane.uses.begin(asked(task))

    with pytest.raises(NotAllowed, match="`ag` may not run on `other`; it may run on `dear`, `cheap`"):
        await world.plane.uses.begin(asked(task, "other"))
    await world.apply(contract(), agent_budgets=LIMITS, runtime=Runtime(models=("cheap",), may_recur=True))
    with pytest.raises(NotAllowed, match="`dear`; it may run on `cheap`"):
        await world.plane.uses.begin(asked(task))

    assert [each.get("reasonCodes") for each in await entries(world)] == [
        None,
        ["interlock.model"],
        ["interlock.model"],
    ]


@pytest.mark.proves("use.priced")
async def test_without_a_price_there_is_no_spending_money() -> None:
    """A model of unknown price is refused where a budget of money holds; where none does, its tokens alone count."""
    world, task = await world_of()
    free, other = await world_of(agent_budgets={"tokens": 1000})

    with pytest.raises(
        NotAllowed, match=r"no price of `new` is known, and the budget of USD.micro for agent:ag limits"
    ):
        await world.plane.uses.begin(asked(task, "new"))
    use = await free.plane.uses.begin(asked(other, "new"))

    assert (use.cost, use.prices) == (None, "")
    assert await stood(world) == {}
    assert await stood(free) == {"tokens": (150, 0)}


@pytest.mark.proves("use.more")
async def test_what_it_took_beyond_what_was_reserved_counts_and_nothing_new_begins() -> None:
    """A budget may be overdrawn by what happened; until it renews nothing is left of it."""
    world, task = await world_of(agent_budgets={"tokens per day": 200}, agent_soft={"tokens per day": 900})

    use = await world.plane.uses.begin(asked(task))
    await world.plane.uses.settle(use.id, TokenCount(input=300, output=0))

    assert await stood(world) == {"tokens": (0, 300)}
    with pytest.raises(BudgetExceeded, match="has 0 left, 1 is needed"):
        await world.plane.uses.begin(asked(task, most=(1, 0)))
    (notice,) = await world.store.all(Notice)
    assert (notice.used, notice.by) == (300, f"use:{use.id}")
    world.clock.advance(DAY)
    assert (await world.plane.uses.begin(asked(await world.task(), most=(1, 0)))).state == "open"


@pytest.mark.proves("use.lost")
async def test_what_nobody_settles_counts_as_used_once_its_time_is_over() -> None:
    """Nobody knows whether the model was billed. Said late, what is more than that is added, and nothing is taken back."""
    world, task = await world_of(agent_budgets={"tokens": 1000})
    first, second = [await world.plane.uses.begin(asked(task)) for _ in range(2)]

    early = await world.plane.uses.tend()
    world.clock.advance(11 * MINUTE)
    looked = await world.plane.uses.tend()
    lost = await world.store.get(Use, first.id)
    less = await world.plane.uses.settle(first.id, TokenCount(input=1, output=1))
    more = await world.plane.uses.settle(second.id, TokenCount(input=200, output=0))
    again = await world.plane.uses.settle(second.id, TokenCount(input=900, output=0))

    assert (early, looked, lost and lost.state, less.state, more.state) == (0, 2, "lost", "settled", "settled")
    assert again == more
    assert await stood(world) == {"tokens": (0, 350)}
    assert [(each["phase"], each.get("late")) for each in await entries(world)][2:] == [
        ("expired", None),
        ("expired", None),
        ("settled", True),
        ("settled", True),
    ]


@pytest.mark.proves("use.bounds")
async def test_no_model_is_asked_where_nothing_may_be_done() -> None:
    """In a task that is closed or prohibits it, by an agent that is stopped or paused, suspended, or unproven."""
    world, task = await world_of()
    shut = await world.task(prohibited=(MODEL_USE,))
    closed = await world.task()
    await world.plane.tasks.close(closed)

    for which, why in ((shut, "prohibits"), (closed, "closed")):
        with pytest.raises(NotAllowed, match=why):
            await world.plane.uses.begin(asked(which))
    await world.plane.braking.stop("agent", "ag", by=Person("rita"), why="too dear", mode="pause")
    with pytest.raises(NotAllowed, match="too dear"):
        await world.plane.uses.begin(asked(task))

    assert await stood(world) == {}


@pytest.mark.proves("use.bounds")
async def test_a_use_proves_who_asks_and_a_proof_counts_once() -> None:
    """Without proof, or with one that was used before, it is refused, recorded, and nothing is reserved."""
    world = World(proven=True)
    await world.apply(contract(), agent_budgets=LIMITS)
    task = await world.task()
    proposal = await world.identity().presented(asked(task))

    with pytest.raises(NotAllowed):
        await world.plane.uses.begin(asked(task))
    use = await world.plane.uses.begin(proposal)
    with pytest.raises(NotAllowed, match="used before"):
        await world.plane.uses.begin(proposal)
    other = Asked(model="dear", tokens=TokenCount(input=999, output=0)).arguments
    with pytest.raises(NotAllowed, match="of another call"):
        await world.plane.uses.begin(
            Proposal(task=task, contract=MODEL_USE, arguments=other, presented=proposal.presented)
        )

    assert use.caller is not None
    assert (await stood(world))["tokens"] == (150, 0)
    assert [each["phase"] for each in await entries(world)] == ["refused", "opened", "refused", "refused"]


@pytest.mark.proves("use.reserved")
@pytest.mark.parametrize("fault", ["stored", "not stored"])
@pytest.mark.parametrize("write", [1, 2])
async def test_a_write_that_fails_reserves_or_settles_once_or_not_at_all(fault: Fault, write: int) -> None:
    """Beginning and settling: done again, each is done once."""
    world, task = await world_of(agent_budgets={"tokens": 1000})
    world.store.faults.at[world.store.faults.writes + write] = fault

    async def again(work: Callable[[], Awaitable[Use]], which: int) -> Use:
        try:
            return await work()
        except StoreError:
            assert (fault, write) == ("not stored", which)
            return await work()

    use = await again(lambda: world.plane.uses.begin(asked(task)), 1)
    await again(lambda: world.plane.uses.settle(use.id, TokenCount(input=10, output=0)), 2)

    assert await stood(world) == {"tokens": (0, 10)}
    assert len(await entries(world)) == 2


@pytest.mark.parametrize(
    ("model", "most"),
    [("", (1, 1)), ("a b", (1, 1)), ("m" * 129, (1, 1)), ("m", (0, 0)), ("m", (-1, 1)), ("m", (10**13, 1))],
)
def test_what_is_no_use_of_a_model_is_refused_before_anything(model: str, most: tuple[int, int]) -> None:
    """A name that cannot stand in a budget's, and numbers of tokens that are none."""
    with pytest.raises(ContractError):
        Asked(model=model, tokens=TokenCount(input=most[0], output=most[1]))


@pytest.mark.proves("tree.exact")
async def test_a_child_that_took_more_than_its_limit_has_taken_it_of_the_tree() -> None:
    """What it was given is returned or spent, and what is beyond that counts around it once it is closed."""
    world, root = await world_of(agent_budgets={})
    top = await world.task(budgets={"tokens": 1000})
    child = await world.task(parent=top, budgets={"tokens": 200})
    use, open_ = [await world.plane.uses.begin(asked(child, most=(50, 50))) for _ in range(2)]

    await world.plane.uses.settle(use.id, TokenCount(input=250, output=0))
    await world.plane.tasks.close(child)
    waiting = await stood(world, f"task:{top.id}")
    await world.plane.uses.settle(open_.id, TokenCount(input=40, output=0))
    world.clock.advance(MINUTE)
    await world.plane.tasks.tend()

    assert root.id != top.id
    assert waiting == {"tokens": (100, 250)}
    assert await stood(world, f"task:{top.id}") == {"tokens": (0, 290)}


@pytest.mark.proves("use.bounds")
async def test_in_a_task_that_was_handed_on_a_use_shows_its_tokens_and_draws_on_what_was_given() -> None:
    """Whoever does not hold the task's tokens asks no model in it."""
    world, parent, child, root = await ready()
    task, tokens = await child.connection.accepted(await parent.hand(root, child, budgets={"tokens": 100}))
    few = Asked(model="dear", tokens=TokenCount(input=60, output=0))

    use = await child.connection.use(task, tokens, few)
    with pytest.raises(BudgetExceeded, match=r"budget of 100 tokens for task:.* has 40 left"):
        await child.connection.use(task, tokens, few)
    for who, shown in ((child, None), (parent, tokens)):
        with pytest.raises(NotAllowed):
            await who.connection.use(task, shown, few)

    assert use.caller is not None
    assert use.caller.token
    assert await stood(world, f"task:{task.id}") == {"tokens": (60, 0)}
