"""Questions, answers and handings: said around a decision, deciding nothing."""

import asyncio

import msgspec
import pytest

from interlock.domain.action import Action
from interlock.domain.approval import ANSWER
from interlock.domain.asking import begin_call
from interlock.domain.canonical import JsonValue
from interlock.domain.deadline import Terms
from interlock.domain.errors import ContractError, IllegalMove, InterlockError, NotAllowed
from interlock.domain.ids import Person
from interlock.domain.policy import Policy
from interlock.domain.proposal import Proposal
from interlock.domain.task import Opening, Task
from interlock.sdk.identity import Identity
from interlock.services.erasing import Target
from interlock.services.inquiring import MOST
from interlock.testing.parts import Predicate
from interlock.testing.world import World, contract, permit
from tests.audit.honest import lies
from tests.services.packets import predicate_of, told
from tests.services.test_approvals import ANA, RIA, RITA, ask, held
from tests.services.test_erasing import erase

pytestmark = pytest.mark.anyio
LEO, LENA, VERA = Person("leo"), Person("lena"), Person("vera")


async def answered(world: World, task: Task, action: Action, text: str, by: Identity | None = None) -> Action:
    """The answer to the first question."""
    said: dict[str, JsonValue] = {"action": action.id, "question": 1, "text": text}
    proposal = Proposal(task=task, contract=ANSWER, arguments=said)
    return await world.plane.inquiring.answer(proposal if by is None else await by.presented(proposal))


@pytest.mark.proves("approval.asked")
async def test_a_question_is_answered_and_decides_nothing() -> None:
    """Asked and answered, it is held under the very same binding; dossier and log have both."""
    world = World()
    action = await held(world)
    task = (await world.tasks())[0]

    asked = await world.plane.inquiring.ask(action.id, RITA, " why fifty? ")
    after = await answered(world, task, action, "the box holds fifty")

    assert action.hold is not None
    assert after.hold is not None
    assert (asked.state, after.state, after.hold.binding) == ("held", "held", action.hold.binding)
    (query,) = (await world.plane.dossiers.of(action.id, RIA)).questions
    assert (query.person, query.text, query.answer) == (RITA, "why fifty?", "the box holds fifty")
    said = [
        (predicate_of(each.leaf)["phase"], told(each))
        for each in await world.store.entries(0, 10_000)
        if each.phase in ("asked", "answered")
    ]
    assert said == [
        ("asked", {"question": [1, "rita", "why fifty?"]}),
        ("answered", {"answer": [1, "the box holds fifty"]}),
    ]
    assert (await world.plane.approvals.approve(action.id, RIA, view=action.hold.view)).state == "ready"


async def test_who_is_not_asked_does_not_ask() -> None:
    """The initiator, a stranger and another role put no questions; nothing and too much is none."""
    world = World()
    world.people[LENA] = ("cleaner",)
    action = await held(world)

    for who in (ANA, LENA, Person("stranger")):
        with pytest.raises(NotAllowed):
            await world.plane.inquiring.ask(action.id, who, "why?")
    for text in ("", " \n", "x" * 4_001):
        with pytest.raises(ContractError):
            await world.plane.inquiring.ask(action.id, RITA, text)
    assert await world.action(action) == action


async def test_an_answer_is_given_once_and_to_a_question() -> None:
    """The same answer again is the same; another one, one to no question, or in another task, is refused."""
    world = World()
    action = await held(world)
    task = (await world.tasks())[0]
    with pytest.raises(ContractError, match="nobody asked"):
        await answered(world, task, action, "so")
    await world.plane.inquiring.ask(action.id, RITA, "why?")

    first = await answered(world, task, action, "so")
    assert await answered(world, task, action, "so") == first
    with pytest.raises(NotAllowed, match="in other words"):
        await answered(world, task, action, "otherwise")
    with pytest.raises(NotAllowed, match="another task"):
        await answered(world, await world.task(), action, "so")
    await world.plane.approvals.reject(action.id, RITA, note="no")
    with pytest.raises(IllegalMove):
        await answered(world, task, action, "so")


@pytest.mark.proves("approval.asked")
async def test_only_an_instance_that_acts_in_the_task_answers() -> None:
    """Without proof, or with that of another instance of the agent, no answer is taken; its own counts, and once."""
    world = World(proven=True)
    await world.apply(contract(), rules=(permit(), ask(10)))
    mine, other = world.identity(), world.identity()
    opening = Opening(agent=world.agent, purpose="test", initiator="user:ana")
    call = begin_call(opening, world.plane.delegating.audience)
    task = await world.plane.beginnings.open(opening, await mine.shown(world.agent, call))
    proposal = Proposal(task=task, contract=contract().name, arguments={"n": 50})
    action = await world.plane.gate.propose(await mine.presented(proposal))
    assert action.state == "held"
    await world.plane.inquiring.ask(action.id, RITA, "why?")

    with pytest.raises(NotAllowed):
        await answered(world, task, action, "so")
    with pytest.raises(NotAllowed, match="another instance"):
        await answered(world, task, action, "so", other)
    after = await answered(world, task, action, "so", mine)

    assert after.hold is not None
    assert after.hold.questions[0].answer == "so"


@pytest.mark.proves("approval.handed")
async def test_who_hands_it_on_is_silent_until_it_is_theirs_again() -> None:
    """Handed on, the first does not decide, and the other does; taken back, both may; the list shows whose it is."""
    world = World()
    world.people[LEO] = ("reviewer",)
    action = await held(world, ask(10, quorum=2))

    await world.plane.inquiring.delegate(action.id, RITA, RIA, note="you know it")
    with pytest.raises(NotAllowed, match="handed this to `ria`"):
        await world.plane.approvals.approve(action.id, RITA)
    page = await world.plane.inbox.page(person=RIA, mine=True)
    assert [row.handed for row in page.rows] == [True]
    assert not (await world.plane.inbox.page(person=RITA, mine=True)).rows
    assert (await world.plane.dossiers.of(action.id, RITA)).may_do("take_back")
    await world.plane.inquiring.take_back(action.id, RITA)
    with pytest.raises(NotAllowed, match="nobody"):
        await world.plane.inquiring.take_back(action.id, RITA)

    await world.plane.approvals.approve(action.id, RIA)
    assert (await world.plane.approvals.approve(action.id, RITA)).state == "ready"


def lends(*delegate: str, quorum: int = 1) -> tuple[Policy, Predicate]:
    """A policy that asks reviewers, and lets their question be handed to these."""
    policy, holds = ask(10, quorum=quorum)
    return msgspec.structs.replace(policy, terms=Terms(delegate=delegate)), holds


@pytest.mark.proves("approval.lent")
@pytest.mark.parametrize(
    ("delegate", "to", "may"),
    [
        ((), LENA, False),
        (("anyone",), LENA, True),
        (("cleaner",), LENA, True),
        (("lead",), LENA, False),
        (("anyone",), VERA, False),
        (("viewer",), VERA, False),
        (("anyone",), ANA, False),
        (("anyone",), Person("stranger"), False),
    ],
)
async def test_who_holds_no_role_answers_only_where_policy_lets_it_be_handed(
    delegate: tuple[str, ...], to: Person, may: bool
) -> None:
    """Handed to who may decide at all and is meant, never to the initiator or a stranger: their word counts in the role they were
    lent, and the log says so; both verifiers hold it."""
    world = World()
    world.people |= {LENA: ("cleaner",), VERA: ("viewer",)}
    action = await held(world, lends(*delegate))
    with pytest.raises(NotAllowed):
        await world.plane.approvals.approve(action.id, to)

    if not may:
        with pytest.raises(NotAllowed):
            await world.plane.inquiring.delegate(action.id, RITA, to)
        return
    assert (await world.plane.dossiers.of(action.id, RITA)).needs[0].may_take == (to,)
    await world.plane.inquiring.delegate(action.id, RITA, to)
    after = await world.plane.approvals.approve(action.id, to)

    assert after.state == "ready"
    assert after.hold is not None
    assert (after.hold.approvals[-1].roles, after.hold.approvals[-1].lent) == (("cleaner", "reviewer"), ("reviewer",))
    (word,) = predicate_of((await world.store.entries_of(action.id))[-1].leaf)["approvals"]
    assert word["lent"] == ["reviewer"]
    assert await lies(world.store, world.keys.log.verifier, world.keys.gate) == []
    await world.work()
    assert (await world.action(action)).state == "done"


@pytest.mark.proves("approval.lent")
async def test_a_lent_role_is_one_voice_and_ends_with_its_lender() -> None:
    """Nobody hands on what they were lent; taken back, or with the lender's role gone, it is over; once it was used the lender is
    silent for good; and a quorum of two is never one person's through another."""
    world = World()
    world.people |= {LENA: ("cleaner",), LEO: ("cleaner",)}
    action = await held(world, lends("anyone", quorum=2))
    hand, approve = world.plane.inquiring.delegate, world.plane.approvals.approve

    await hand(action.id, RITA, LENA)
    with pytest.raises(NotAllowed):
        await hand(action.id, LENA, LEO)
    await world.plane.inquiring.take_back(action.id, RITA)
    with pytest.raises(NotAllowed, match="not asked"):
        await approve(action.id, LENA)
    await hand(action.id, RITA, LENA)
    await approve(action.id, LENA)
    await world.plane.inquiring.take_back(action.id, RITA)
    with pytest.raises(NotAllowed, match="in their place"):
        await approve(action.id, RITA)
    assert (await world.action(action)).state == "held"
    await hand(action.id, RIA, LEO)
    world.people[RIA] = ("lead",)
    await world.plane.registry.apply(world.definition(people=dict(world.people)), by="test")
    with pytest.raises(NotAllowed):
        await approve(action.id, LEO)


@pytest.mark.proves("approval.lent")
async def test_what_one_policy_lets_somebody_be_handed_another_need_not() -> None:
    """Of two policies that ask the same role each says whom its question may be handed to: a word lent under one is none under
    the other, which goes on waiting for who holds the role, or is meant."""
    world = World()
    world.people |= {LENA: ("cleaner",), LEO: ("lead",)}
    policy, holds = ask(20)
    action = await held(
        world, lends("anyone"), (msgspec.structs.replace(policy, terms=Terms(delegate=("lead",))), holds)
    )
    await world.plane.inquiring.delegate(action.id, RITA, LENA)

    assert (await world.plane.approvals.approve(action.id, LENA)).state == "held"
    await world.plane.inquiring.delegate(action.id, RIA, LEO)
    assert (await world.plane.approvals.approve(action.id, LEO)).state == "ready"
    assert await lies(world.store, world.keys.log.verifier, world.keys.gate) == []


@pytest.mark.proves("approval.handed")
async def test_nothing_is_handed_in_a_circle_or_to_who_may_not_decide() -> None:
    """Not to oneself, the initiator, a stranger, another role, who has spoken, or who handed it on."""
    world = World()
    world.people |= {LENA: ("cleaner",), LEO: ("reviewer",), Person("mia"): ("reviewer",)}
    action = await held(world, ask(10, quorum=2))
    hand = world.plane.inquiring.delegate

    for to in (RITA, ANA, LENA, Person("stranger")):
        with pytest.raises(NotAllowed):
            await hand(action.id, RITA, to)
    await hand(action.id, RITA, RIA)
    with pytest.raises(NotAllowed, match="handed this"):
        await hand(action.id, RIA, RITA)
    await hand(action.id, RIA, LEO)
    for to in (RITA, RIA):
        with pytest.raises(NotAllowed):
            await hand(action.id, LEO, to)
    with pytest.raises(NotAllowed, match="too few"):
        await hand(action.id, LEO, Person("mia"))
    await world.plane.approvals.approve(action.id, LEO)
    with pytest.raises(NotAllowed, match="already"):
        await hand(action.id, Person("mia"), LEO)


async def test_handing_to_and_fro_comes_to_an_end() -> None:
    """After so many handings it is handed no more: taken back, it is decided. What people say around an action stays bounded."""
    world = World()
    world.people[LEO] = ("reviewer",)
    action = await held(world)
    for _ in range(MOST):
        await world.plane.inquiring.delegate(action.id, RITA, RIA)
        await world.plane.inquiring.take_back(action.id, RITA)

    with pytest.raises(NotAllowed, match="times already"):
        await world.plane.inquiring.delegate(action.id, RITA, RIA)
    assert (await world.plane.approvals.approve(action.id, RITA)).state == "ready"


async def test_words_and_talk_at_once_lose_nothing() -> None:
    """Questions, a handing and words from three processes at the same moment: every one that was answered is there, and the
    quorum is met by exactly those who agreed."""
    world = World()
    for number in range(6):
        world.people[Person(f"p{number}")] = ("reviewer",)
    action = await held(world, ask(10, quorum=3))
    processes = [world.plane, world.another("w2"), world.another("w3")]

    async def at_once(number: int) -> bool:
        process, who = processes[number % 3], Person(f"p{number}")
        try:
            await process.dossiers.open(action.id, who)
            await process.inquiring.ask(action.id, who, f"question of {who}")
            await process.approvals.approve(action.id, who)
        except InterlockError:
            return False
        return True

    spoke = await asyncio.gather(*(at_once(number) for number in range(6)))

    after = await world.action(action)
    assert after.hold is not None
    assert after.state == "ready"
    assert sum(spoke) == len(after.hold.approvals) == 3
    assert [each.number for each in after.hold.questions] == list(range(1, len(after.hold.questions) + 1))
    assert len({each.person for each in after.hold.questions}) == len(after.hold.questions)


@pytest.mark.proves("erasure.agreed_is_erased")
async def test_what_was_shown_asked_and_answered_is_erased_with_the_action() -> None:
    """Nothing of the dossier, the question, the answer, the handing or the names is left once the action is erased."""
    world = World()
    action = await held(world, ask(10, quorum=1))
    task = (await world.tasks())[0]
    await world.plane.dossiers.open(action.id, RITA)
    await world.plane.inquiring.ask(action.id, RITA, "why fifty?")
    await answered(world, task, action, "the box holds fifty")
    await world.plane.inquiring.delegate(action.id, RITA, RIA, note="you know it")
    await world.plane.approvals.approve(action.id, RIA, note="so be it")
    await world.work()
    await world.plane.tasks.close(task)

    await erase(world, Target(subject="user:ana"))

    after = await world.action(action)
    assert (after.withheld, after.hold) == ("erased", None)
    assert not [each for each in await world.store.entries(0, 10_000) if each.action == action.id and each.disclosures]
    assert [each async for each in world.plane.correcting.corrections(every=True)] == []
