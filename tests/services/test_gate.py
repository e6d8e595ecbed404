"""Steps 1 to 6: what is let in, what is decided, what is reserved, and what is never touched."""

import asyncio
from itertools import product

import msgspec
import pytest

from interlock.domain import binding
from interlock.domain.action import Action
from interlock.domain.agent import STAGES, Owners, Runtime, Stage
from interlock.domain.budget import Budget
from interlock.domain.call import Answer, Call, Landed, Nothing, Unsure
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import (
    RISKS,
    Blind,
    Cost,
    Facts,
    Keyed,
    McpTarget,
    NoReversal,
    PythonTarget,
    Risk,
)
from interlock.domain.control import StopScope
from interlock.domain.dsse import parse
from interlock.domain.errors import ContractError, KeyReused, NotAllowed, NotFound
from interlock.domain.ids import ContractName, Digest, Person
from interlock.domain.policy import Policy, Verdict
from interlock.domain.proposal import Proposal
from interlock.domain.question import Question
from interlock.embedded import Embedded
from interlock.ports.store import ActionQuery
from interlock.testing.parts import Predicate
from interlock.testing.world import World, contract, permit

pytestmark = pytest.mark.anyio

RUN = ("thing.put", "run")


def always(question: Question) -> bool:
    """Whatever is asked."""
    return True


def never(question: Question) -> bool:
    """Nothing that is asked."""
    return False


def rule(verdict: Verdict, holds: Predicate = always, **changes: object) -> tuple[Policy, Predicate]:
    """A forbid with an outcome."""
    policy = Policy(
        id=f"rule.{verdict}",
        effect="forbid",
        owner="pia",
        verdict=verdict,
        reason=f"because {verdict}",
        approver="reviewer" if verdict in ("require_approval", "escalate") else "",
    )
    return msgspec.structs.replace(policy, **changes), holds


# -- 2. bind ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "path"),
    [
        ({"n": 1, "extra": 2}, "/extra"),
        ({}, "/n"),
        ({"n": "1"}, "/n"),
        ({"n": True}, "/n"),
        ({"n": None}, "/n"),
        ({"n": float("nan")}, "/n"),
        ({"n": 1.0}, "/n"),
        ({"n": -1}, "/n"),
        ({"n": 2**53}, "/n"),
        ({"n": "\ud800"}, "/n"),
        ({"n": "x" * 300_000}, "too long"),
    ],
    ids=["unknown", "missing", "text", "True", "None", "NaN", "float", "below", "too big", "surrogate", "oversized"],
)
@pytest.mark.proves("gate.arguments")
async def test_arguments_that_do_not_fit_are_refused(arguments: dict[str, JsonValue], path: str) -> None:
    """What does not fit the contract is refused with the field's path, recorded, and reaches neither policy nor tool."""
    world = World()
    asked: list[str] = []

    def holds(question: object) -> bool:
        asked.append("asked")
        return True

    await world.apply(contract(), rules=((permit()[0], holds),))
    task = await world.task()
    action = await world.plane.gate.propose(
        Proposal(task=task, contract=ContractName("thing.put"), arguments=arguments)
    )

    assert action.state == "refused"
    assert action.reasons[0] == "interlock.arguments"
    assert path in action.reasons[1]
    assert not asked
    assert not world.effectors.calls
    assert await world.action(action) == action
    assert [entry.phase for entry in await world.store.entries_of(action.id)] == ["refused"]


@pytest.mark.proves("gate.capabilities")
async def test_a_contract_that_is_no_capability_does_not_exist() -> None:
    """A contract the agent's file does not list is refused, also when it is in its release as an undo."""
    world = World()
    await world.apply(contract())
    task = await world.task()

    unknown = await world.propose(task, "thing.other")
    undo = await world.propose(task, "thing.take")

    assert [unknown.state, undo.state] == ["refused", "refused"]
    assert unknown.reasons[0] == undo.reasons[0] == "interlock.capability"
    assert not world.effectors.calls


@pytest.mark.proves("erasure.open_words")
async def test_a_name_that_is_no_contract_does_not_stand_in_the_open() -> None:
    """What an agent calls something for which there is no contract is its own words: sealed, and gone with an erasure."""
    world = World()
    await world.apply(contract())
    action = await world.propose(await world.task(), "Call Carla at home")

    assert (action.contract, "Call Carla" in action.reasons[1]) == ("?", True)
    (entry,) = await world.store.entries_of(action.id)
    assert b"Carla" not in parse(entry.leaf).payload
    assert len(entry.disclosures) > 3


@pytest.mark.proves("gate.contract_changed")
async def test_code_that_carries_another_contract_is_refused() -> None:
    """A caller whose code carries another version of the contract than the one in force is refused."""
    world = World()
    await world.apply(contract())
    task = await world.task()
    asked = Proposal(task=task, contract=ContractName("thing.put"), arguments={"n": 1})
    same = msgspec.structs.replace(asked, expected=contract().digest)
    other = msgspec.structs.replace(asked, expected=contract(version="2").digest)

    assert (await world.plane.gate.propose(same)).state == "dispatching"
    refused = await world.plane.gate.propose(other)
    assert (refused.state, refused.reasons[0]) == ("refused", "interlock.contract-changed")


# -- 4. decide -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdict", "state", "calls"),
    [
        ("allow", "done", 1),
        ("oblige", "done", 1),
        ("require_approval", "held", 0),
        ("escalate", "held", 0),
        ("shadow", "shadowed", 0),
        ("deny", "denied", 0),
    ],
)
@pytest.mark.proves("gate.verdicts")
async def test_each_verdict_has_its_state(verdict: Verdict, state: str, calls: int) -> None:
    """What policy says is where the action stands, and only what is allowed touches the world."""
    world = World()
    await world.apply(contract(), rules=(permit(), *((rule(verdict),) if verdict != "allow" else ())))

    action = await world.propose(await world.task())

    assert action.state == state
    assert world.effectors.calls[RUN] == calls
    assert verdict == "allow" or (action.decision is not None and action.decision.because == (f"rule.{verdict}",))


@pytest.mark.proves("gate.absence_denies")
async def test_without_a_permit_everything_is_denied() -> None:
    """No satisfied permit, nothing is done, not even with an approval."""
    world = World()
    await world.apply(contract(), rules=((permit()[0], never), rule("require_approval")))

    action = await world.propose(await world.task())

    assert action.state == "denied"
    assert action.decision is not None
    assert action.decision.because == ("interlock.default-deny",)


@pytest.mark.proves("gate.errors_deny")
async def test_a_rule_that_breaks_denies() -> None:
    """A policy that cannot be evaluated denies, however many permits are satisfied."""
    world = World()
    broken = rule("require_approval", lambda question: bool(question.facts["nowhere"]))
    await world.apply(contract(), rules=(permit(), broken))

    action = await world.propose(await world.task())

    assert action.state == "denied"
    assert action.decision is not None
    assert action.decision.because == ("interlock.error",)


@pytest.mark.proves("gate.absence_denies")
async def test_a_bundle_that_cannot_be_loaded_denies() -> None:
    """Where the bundle in force cannot be loaded everything is denied, and the reason is said."""
    world = World()
    await world.apply(contract())
    task = await world.task()
    world.policies.forget("b1")

    action = await world.another("w2").gate.propose(
        Proposal(task=task, contract=ContractName("thing.put"), arguments={"n": 1})
    )

    assert (action.state, action.reasons) == ("denied", ("no rules are registered as `b1`",))


@pytest.mark.proves("gate.absence_denies")
async def test_without_any_bundle_nothing_is_even_opened() -> None:
    """Before anything was applied there is no agent, so no task and no action."""
    with pytest.raises(NotFound):
        await World().task()


# -- stages ----------------------------------------------------------------------------------------------------


def expected(stage: Stage, risk: Risk, acts: bool, reversible: bool) -> str:
    """Where an allowed action stands, by the rules of `domain/oversight.py` written out a second time."""
    if not acts:
        return "done"
    if stage == "shadow":
        return "shadowed"
    if stage == "bounded" and not reversible:
        return "denied"
    if not reversible or (stage == "assisted" and risk != "low"):
        return "held"
    return "done"


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.proves("gate.stages", "gate.irreversible", "gate.shadow")
async def test_the_table_of_stages(stage: Stage) -> None:
    """For every risk, effect and reversibility a stage does what it says; only what ends `done` was called at all."""
    world = World()
    cases = list(product(RISKS, ("read", "write", "external"), (True, False)))
    contracts = [
        contract(
            f"thing.{risk}.{effect}.{'back' if reversible else 'final'}",
            risk=risk,
            effect=effect,
            **({} if reversible else {"reversal": NoReversal(why="gone")}),
        )
        for risk, effect, reversible in cases
    ]
    await world.apply(*contracts, stage=stage)
    task = await world.task()

    for (risk, effect, reversible), each in zip(cases, contracts, strict=True):
        action = await world.propose(task, each.name)
        wanted = expected(stage, risk, effect != "read", reversible)
        assert (each.name, action.state) == (each.name, wanted)
        assert world.effectors.calls[each.name, "run"] == (wanted == "done")
        assert not each.irreversible or action.state != "done"


@pytest.mark.proves("gate.shadow")
async def test_shadow_records_what_would_have_happened() -> None:
    """In shadow the decision says what it would have been, and nothing but facts is called."""
    world = World()
    facts = Facts(source=PythonTarget(target="world:facts"), schema={})
    await world.apply(contract(facts=facts), rules=(permit(), rule("require_approval")), stage="shadow")
    world.effectors.say("thing.put", "facts", Landed({"big": True}))

    action = await world.propose(await world.task())

    assert action.decision is not None
    assert (action.state, action.decision.would_be) == ("shadowed", "require_approval")
    assert set(world.effectors.calls) == {("thing.put", "facts")}


@pytest.mark.proves("gate.owners")
async def test_an_agent_without_all_owners_stays_in_shadow() -> None:
    """One owner missing, and the agent is in shadow whatever its file says."""
    world = World()
    await world.apply(contract(), owners=Owners(decision="dana", policy="pia", data="dora"))

    assert (await world.propose(await world.task())).state == "shadowed"


# -- 3. limits -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", ["all", "agent", "release", "contract"])
@pytest.mark.proves("gate.stop")
async def test_a_brake_of_every_scope_stops_every_process_at_once(scope: StopScope) -> None:
    """From the moment a brake is pulled no process dispatches in its scope; once lifted, each does again."""
    world = World()
    await world.apply(contract(), contract("thing.other"))
    task = await world.task()
    other = world.another("w2")
    await world.propose(task)
    waiting = await world.propose(task, here=False)
    name = {"all": "", "agent": "ag", "release": task.release, "contract": "thing.put"}[scope]
    calls = world.effectors.calls[RUN]

    await other.braking.stop(scope, name, by="rita", why="smoke")
    refused = await world.propose(task)
    await world.work()

    assert (refused.state, refused.reasons) == ("refused", ("interlock.limit", "stopped: smoke"))
    assert (await world.action(waiting)).state == "ready"
    assert world.effectors.calls[RUN] == calls
    assert (await world.propose(task, "thing.other")).state == ("done" if scope == "contract" else "refused")

    await other.braking.resume(scope, name, by="rita")
    assert (await world.propose(task)).state == "done"
    world.clock.advance(1_000)
    await world.work()
    assert (await world.action(waiting)).state == "done"


@pytest.mark.proves("gate.stop")
async def test_a_brake_with_an_end_ends_by_itself() -> None:
    """A brake until a time holds until exactly then."""
    world = World()
    await world.apply(contract())
    task = await world.task()
    await world.plane.braking.stop("all", by="rita", why="pause", until_at=world.clock.now() + 10)

    world.clock.advance(9)
    assert (await world.propose(task)).state == "refused"
    world.clock.advance(1)
    assert (await world.propose(task)).state == "done"


@pytest.mark.proves("gate.limits")
async def test_an_expired_closed_or_closing_task_admits_nothing() -> None:
    """After a task's time, or once it is closed or being undone, its old handle admits no action."""
    world = World()
    await world.apply(contract())
    expired = await world.task(lasts_ms=5)
    closed, closing = await world.task(), await world.task()
    await world.plane.tasks.close(closed)
    await world.plane.compensation.undo("task", closing.id, by="rita", why="wrong")
    world.clock.advance(5)

    said = {(await world.propose(task)).reasons[1] for task in (expired, closed, closing)}

    assert said == {"the task has expired", "the task is closed", "the task is closing"}
    assert not world.effectors.calls


@pytest.mark.proves("gate.limits")
async def test_what_a_task_prohibits_is_refused() -> None:
    """A contract the task prohibits is refused whatever policy says, in its sub-tasks too."""
    world = World()
    await world.apply(contract())
    task = await world.task(prohibited=("thing.put",))
    below = await world.task(parent=task)

    assert [(await world.propose(each)).reasons[1] for each in (task, below)] == ["the task prohibits `thing.put`"] * 2


@pytest.mark.proves("gate.limits")
async def test_a_loop_ends() -> None:
    """The same thing asked for more often than the agent's limit is refused; other arguments are not."""
    world = World()
    await world.apply(contract(), runtime=Runtime(max_repeats=3))
    task = await world.task()

    assert [(await world.propose(task)).state for _ in range(5)] == ["done"] * 3 + ["refused"] * 2
    assert (await world.propose(task, n=2)).state == "done"


@pytest.mark.proves("gate.limits")
async def test_tasks_nest_only_so_deep() -> None:
    """A task deeper than the agent's limit cannot be opened."""
    world = World()
    await world.apply(contract(), runtime=Runtime(max_depth=1, may_recur=True))
    below = await world.task(parent=await world.task())

    with pytest.raises(NotAllowed):
        await world.task(parent=below)


@pytest.mark.proves("gate.limits")
async def test_a_task_has_so_many_calls() -> None:
    """A task's calls are counted: the one too many is refused, and what was refused costs nothing."""
    world = World()
    await world.apply(contract(), runtime=Runtime(max_actions=2))
    task = await world.task()
    await world.propose(task, n=-1)

    assert [(await world.propose(task)).state for _ in range(3)] == ["done", "done", "refused"]


# -- 5. reserve ------------------------------------------------------------------------------------------------

MONEY = Cost(unit="EUR", amount="$args.n")


async def budget(world: World, key: str) -> tuple[int, int]:
    """What is reserved and what is spent."""
    found = await world.store.get(Budget, key)
    assert found is not None
    return found.reserved, found.spent


@pytest.mark.parametrize("scope", ["tenant", "agent", "task"])
@pytest.mark.proves("budget.never_over")
async def test_twenty_at_once_on_a_budget_of_ten(scope: str) -> None:
    """Of twenty concurrent actions of three units each, from two processes, exactly three fit into ten."""
    world = World()
    limits = {"EUR": 10}
    await world.apply(
        contract(cost=MONEY),
        runtime=Runtime(max_repeats=100),
        budgets=limits if scope == "tenant" else {},
        agent_budgets=limits if scope == "agent" else {},
    )
    task = await world.task(budgets={"EUR": 10} if scope == "task" else {})
    planes = [world.plane, world.another("w2")]
    key = {"tenant": "tenant", "agent": "agent:ag", "task": f"task:{task.id}"}[scope] + "/EUR"

    async def one(number: int) -> str:
        process = planes[number % 2]
        action = await process.gate.propose(Proposal(task=task, contract=ContractName("thing.put"), arguments={"n": 3}))
        reserved, spent = await budget(world, key)
        assert reserved + spent <= 10
        if action.state == "dispatching":
            action = await process.execution.drive(action)
        return action.state

    states = await asyncio.gather(*(one(number) for number in range(20)))

    assert sorted(states) == ["done"] * 3 + ["refused"] * 17
    assert await budget(world, key) == (0, 9)
    assert await budget(world, f"task:{task.id}/calls") == (0, 3)


@pytest.mark.proves("budget.exact")
async def test_what_ends_without_an_effect_gives_its_budget_back() -> None:
    """Rejected, expired, failed, voided, denied at dispatch: each releases exactly what it reserved."""
    world = World()
    held = rule("require_approval", lambda question: question.arguments["n"] == 5)
    await world.apply(contract(cost=MONEY, idempotency=Keyed()), rules=(permit(), held), budgets={"EUR": 100})
    task = await world.task()

    rejected = await world.propose(task, n=5)
    expired = await world.propose(task, n=5)
    voided = await world.propose(task, n=7, here=False)
    world.effectors.say("thing.put", "run", Nothing("sold out"))
    assert (await world.propose(task, n=6)).state == "failed"
    assert await budget(world, "tenant/EUR") == (17, 0)

    await world.plane.approvals.reject(rejected.id, Person("rita"), note="no")
    await world.plane.compensation.undo("task", task.id, by="rita", why="all wrong")
    await world.work()

    assert [(await world.action(each)).state for each in (rejected, expired, voided)] == [
        "rejected",
        "voided",
        "voided",
    ]
    assert await budget(world, "tenant/EUR") == (0, 0)
    assert await budget(world, f"task:{task.id}/calls") == (0, 0)


@pytest.mark.proves("budget.exact")
async def test_a_repeat_by_key_that_finds_no_budget_gets_the_first_answer() -> None:
    """Two processes, one key, a budget for one: both get the same action and nobody gets an error."""
    world = World()
    await world.apply(contract(cost=MONEY), budgets={"EUR": 2})
    task = await world.task()
    other = world.another("w2")
    await other.orders.current()
    asked = Proposal(task=task, contract=ContractName("thing.put"), arguments={"n": 3}, idempotency_key="k")

    first, second = await asyncio.gather(world.plane.gate.propose(asked), other.gate.propose(asked))

    assert first.id == second.id
    assert first.state == "refused"


@pytest.mark.parametrize(
    ("cost", "arguments"),
    [
        (Cost(unit="EUR", amount="$args.price"), {"n": 1}),
        (Cost(unit="EUR", amount="$args.text"), {"n": 1, "text": "1000"}),
        (Cost(unit="$args.text", amount=5), {"n": 1}),
        (Cost(unit="EUR", amount="$args.price"), {"n": 1, "price": -5}),
    ],
    ids=["missing amount", "text amount", "missing unit", "negative amount"],
)
@pytest.mark.proves("budget.unknown_cost")
async def test_an_action_whose_cost_is_not_known_is_refused(cost: Cost, arguments: dict[str, JsonValue]) -> None:
    """What an action costs must come out as a number of units; otherwise it is refused, never taken to be free."""
    world = World()
    schema: dict[str, JsonValue] = {
        "type": "object",
        "properties": {"n": {"type": "integer"}, "price": {"type": "integer"}, "text": {"type": "string"}},
        "additionalProperties": False,
    }
    await world.apply(contract(cost=cost, input_schema=schema), budgets={"EUR": 10})

    asked = Proposal(task=await world.task(), contract=ContractName("thing.put"), arguments=arguments)
    action = await world.plane.gate.propose(asked)

    assert (action.state, action.reasons[0]) == ("refused", "interlock.cost")
    assert not world.effectors.calls


# -- keys ------------------------------------------------------------------------------------------------------


@pytest.mark.proves("gate.same_key")
async def test_a_second_call_with_the_same_key_gets_the_first_ones_answer() -> None:
    """Done, denied, refused, held or undone: the same key and arguments give the same action, and one call at most."""
    world = World()
    await world.apply(contract(), rules=(permit(), rule("deny", lambda question: question.arguments["n"] == 2)))
    task = await world.task()

    for n, state in ((1, "done"), (2, "denied"), (-1, "refused")):
        first = await world.propose(task, key=f"k{n}", n=n)
        again = await world.propose(task, key=f"k{n}", n=n)
        assert (first.state, again) == (state, first)
    done = await world.propose(task, key="k1", n=1)
    await world.plane.compensation.undo("action", done.id, by="rita", why="wrong")
    await world.work()
    assert (await world.propose(task, key="k1", n=1)).state == "undone"
    assert world.effectors.calls[RUN] == 1


@pytest.mark.proves("gate.same_key")
async def test_a_key_with_other_arguments_is_an_error() -> None:
    """The first action stands; nothing is recorded or run for the second."""
    world = World()
    await world.apply(contract(), contract("thing.other"))
    task = await world.task()
    await world.propose(task, key="k", n=1)
    await world.propose(task, key="bad", n=-1)

    for name, key, n in (
        ("thing.put", "k", 2),
        ("thing.other", "k", 1),
        ("thing.put", "k", -1),
        ("thing.put", "bad", 1),
    ):
        with pytest.raises(KeyReused):
            await world.propose(task, name, key=key, n=n)
    assert world.effectors.calls.total() == 1


@pytest.mark.proves("gate.same_key")
async def test_a_key_finds_what_was_proposed_in_another_spelling_of_its_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """An action of a time when texts were kept as they came is found by its key in any spelling, and nothing is done again; with
    another value the key is another's."""
    form = {"type": "object", "properties": {"n": {"type": "string"}}, "required": ["n"], "additionalProperties": False}
    target = McpTarget(server="s", tool="t", pin=Digest("0" * 64), forms={"/n": "decimal"})
    put = contract(target=target, input_schema=form)
    world = World()
    await world.apply(put)
    task = await world.task()
    with monkeypatch.context() as then:
        then.setattr(binding, "canonical", lambda arguments, _: arguments)
        first = await world.propose(task, key="k", n="12.50")

    assert first.arguments == {"n": "12.50"}
    for spelled in ("12.50", "12.5", "125e-1"):
        assert (await world.propose(task, key="k", n=spelled)).id == first.id
    with pytest.raises(KeyReused):
        await world.propose(task, key="k", n="12.51")
    assert world.effectors.calls.total() == 1


async def test_a_key_is_not_another_persons() -> None:
    """Who asks for somebody else under the same key is given neither that person's action nor its result."""
    world = World()
    await world.apply(contract())
    first = await world.propose(await world.task("user:ana"), key="k", n=1)

    with pytest.raises(KeyReused, match="somebody else"):
        await world.propose(await world.task("user:bob"), key="k", n=1)
    assert await world.propose(await world.task("user:ana"), key="k", n=1) == first
    assert world.effectors.calls.total() == 1


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.proves("gate.same_key")
async def test_the_same_key_at_the_same_time_is_one_call(processes: int) -> None:
    """Ten concurrent calls under one key, in one process or two, touch the world once, even where nothing else would help."""
    world = World()
    await world.apply(contract(idempotency=Blind()))
    task = await world.task()
    planes = [world.plane, world.another("w2")][:processes]

    async def slow(arguments: dict[str, JsonValue], call: Call) -> Answer:
        await asyncio.sleep(0.01)
        return Landed(arguments)

    world.effectors.on("thing.put", "run", slow)

    async def one(number: int) -> Action:
        asked = Proposal(task=task, contract=ContractName("thing.put"), arguments={"n": 1}, idempotency_key="k")
        return await Embedded(planes[number % processes]).propose(asked)

    found = await asyncio.gather(*(one(number) for number in range(10)))

    assert len({action.id for action in found}) == 1
    assert world.effectors.calls[RUN] == 1
    assert (await world.action(found[0])).state == "done"


@pytest.mark.proves("gate.intent_once")
async def test_an_intent_starts_one_call() -> None:
    """Driving an old copy of an action that was dispatched touches nothing, during the call and after it."""
    world = World()
    await world.apply(contract(idempotency=Blind()))
    asked = Proposal(task=await world.task(), contract=ContractName("thing.put"), arguments={"n": 1})
    copy = await world.plane.gate.propose(asked)

    await asyncio.gather(world.plane.execution.drive(copy), world.plane.execution.drive(copy))
    await world.plane.execution.drive(copy)

    assert world.effectors.calls[RUN] == 1
    assert (await world.action(copy)).state == "done"


# -- what else may go wrong ------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["justification", "traceparent", "idempotency_key", "contract"])
@pytest.mark.parametrize("text", ["\ud800", "x" * 70_000], ids=["surrogate", "long"])
@pytest.mark.proves("gate.words")
async def test_words_that_cannot_be_written_down_are_an_error_of_the_caller(word: str, text: str) -> None:
    """What cannot be recorded is refused before anything looks at it, with the place said."""
    world = World()
    await world.apply(contract(), rules=(permit(), rule("require_approval")))
    asked = Proposal(task=await world.task(), contract=ContractName("thing.put"), arguments={"n": 1})

    with pytest.raises(ContractError) as caught:
        await world.plane.gate.propose(msgspec.structs.replace(asked, **{word: text}))

    assert caught.value.path.startswith(f"/{word}")
    assert await world.store.count(ActionQuery()) == 0


@pytest.mark.proves("gate.errors_deny")
async def test_facts_that_cannot_be_written_down_deny() -> None:
    """Facts with no exact form are facts nobody can be shown: the action is denied."""
    world = World()
    await world.apply(
        contract(facts=Facts(source=PythonTarget(target="world:facts"), schema={})),
        rules=(permit(), rule("require_approval")),
    )
    world.effectors.say("thing.put", "facts", Landed({"share": 0.5}))

    assert (await world.propose(await world.task())).state == "denied"


@pytest.mark.parametrize("answer", [Nothing("not today"), Unsure("no answer"), Landed([1])], ids=repr)
@pytest.mark.proves("gate.errors_deny")
async def test_facts_that_cannot_be_read_deny(answer: Answer) -> None:
    """Without its facts no policy is asked, and the answer is no."""
    world = World()
    await world.apply(contract(facts=Facts(source=PythonTarget(target="world:facts"), schema={})))
    world.effectors.say("thing.put", "facts", answer)

    assert (await world.propose(await world.task())).state == "denied"
    assert world.effectors.calls[RUN] == 0


@pytest.mark.parametrize("facts", [{"floor": -1}, {"floor": 5}, {"tier": "bronze"}, {"floor": 0, "cap": 1.0e300}])
async def test_facts_beyond_the_bounds_that_their_contract_promises_deny(facts: dict[str, object]) -> None:
    """Policies were held against facts as they are promised; on others none is asked."""
    world = World()
    schema: dict[str, JsonValue] = {
        "type": "object",
        "properties": {
            "floor": {"anyOf": [{"type": "integer", "minimum": 0, "exclusiveMaximum": 5}, {"type": "null"}]},
            "tier": {"enum": ["gold", "silver"]},
            "cap": {"type": "integer"},
        },
    }
    await world.apply(contract(facts=Facts(source=PythonTarget(target="world:facts"), schema=schema)))
    world.effectors.say("thing.put", "facts", Landed(facts))

    action = await world.propose(await world.task())

    assert action.state == "denied"
    assert action.decision is not None
    assert action.decision.reasons[0].startswith("the facts policies need ")


async def test_facts_within_their_bounds_are_let_through_and_what_nobody_reads_is_let_be() -> None:
    """Also where one is missing, null, or more than the contract names."""
    world = World()
    schema: dict[str, JsonValue] = {
        "type": "object",
        "additionalProperties": False,
        "required": ["floor", "tier"],
        "properties": {"floor": {"type": "integer", "minimum": 0}, "tier": {"type": "string"}},
    }
    await world.apply(contract(facts=Facts(source=PythonTarget(target="world:facts"), schema=schema)))
    world.effectors.say("thing.put", "facts", Landed({"floor": 0, "more": 1}))

    assert (await world.propose(await world.task())).state == "done"


@pytest.mark.proves("gate.slow_facts")
async def test_facts_that_take_long_cost_no_lease() -> None:
    """The lease on the call begins when the intent is written, however long deciding took."""
    world = World()
    await world.apply(contract(facts=Facts(source=PythonTarget(target="world:facts"), schema={}), idempotency=Blind()))

    def slow(arguments: dict[str, JsonValue], call: Call) -> Answer:
        world.clock.advance(60_000)
        return Landed({})

    world.effectors.on("thing.put", "facts", slow)

    assert (await world.propose(await world.task())).state == "done"


@pytest.mark.proves("gate.agent_gone")
async def test_an_agent_that_is_in_force_no_more_does_nothing() -> None:
    """Tasks of an agent whose file was removed are denied at once, and so is what waits; undoing goes on."""
    world = World()
    await world.apply(contract())
    task = await world.task()
    done, waiting = await world.propose(task), await world.propose(task, here=False)
    await world.plane.registry.apply(world.definition(agents=()), by="test")

    assert (await world.propose(task)).state == "denied"
    await world.work()
    assert (await world.action(waiting)).state == "denied"
    await world.plane.compensation.undo("action", done.id, by="rita", why="gone")
    await world.work()
    assert (await world.action(done)).state == "undone"
