"""What is said around a held action without deciding on it: a question to the agent, its answer, and handing it to a colleague.

Each is a fact of the action and is erased with it. None of them changes what a word is about, or how many are needed.
"""

from typing import Final

import msgspec

from interlock.domain.action import Action
from interlock.domain.approval import Handing, Hold, Query, agreed, open_requirements, roles_for
from interlock.domain.canonical import JsonValue
from interlock.domain.control import Control
from interlock.domain.entitlement import able, entitled, handed_by, must_be_asked
from interlock.domain.errors import ContractError, NotAllowed
from interlock.domain.fitting import fitted
from interlock.domain.ids import ActionId, Person
from interlock.domain.policy import Requirement
from interlock.domain.proposal import Proposal
from interlock.ports.clock import Clock
from interlock.ports.store import Store
from interlock.services.admission import Door, let_in, of_another, once, refused
from interlock.services.again import again
from interlock.services.known_tasks import stored_task
from interlock.services.orders import StandingOrders
from interlock.services.recorder import Recorder
from interlock.services.waiting import Waiting

LONGEST: Final = 4_000
MOST: Final = 20
_NEXT: Final = "say it in at most 4,000 characters"


class Inquiring:
    """Takes questions, answers and handings."""

    def __init__(
        self,
        *,
        store: Store,
        orders: StandingOrders,
        waiting: Waiting,
        recorder: Recorder,
        clock: Clock,
        door: Door,
    ) -> None:
        self._store = store
        self._orders = orders
        self._waiting = waiting
        self._recorder = recorder
        self._clock = clock
        self._door = door

    @again
    async def ask(self, action_id: ActionId, person: Person, text: str) -> Action:
        """Put a question to the agent. The action stays held, and the question is in the agent's outcome. Raises NotAllowed for
        who is not asked here, IllegalMove where it waits no more, ContractError for an empty or endless question."""
        said = _text(text, "question")
        action, asked = await self._waiting.held(action_id)
        control = (await self._orders.refresh()).control
        must_be_asked(action, asked, person, control)
        if len(asked.questions) >= MOST:
            raise NotAllowed(
                f"{MOST} questions were asked about this already",
                next_step="decide on it, or reject it and say why",
            )
        query = Query(number=len(asked.questions) + 1, person=person, text=said, asked_at=self._clock.now())
        after = _with(action, asked, questions=(*asked.questions, query))
        beside: dict[str, JsonValue] = {"question": [query.number, person, said]}
        return await self._recorder.write(after, "asked", conditions=(control,), beside=beside)

    @again
    async def answer(self, proposal: Proposal) -> Action:
        """The agent's answer: a proposal of `ANSWER` in the action's task, with `action`, `question` and `text`.

        Answered once: the same answer again is the same, another one is refused. Raises NotAllowed for a caller that is not
        proven to act in the task of the action, ContractError where there is no such question, IllegalMove where nobody
        waits for it any more.
        """
        proposal = msgspec.structs.replace(proposal, task=await stored_task(self._store, proposal.task.id))
        admitted = await let_in(proposal, self._door, self._orders)
        if isinstance(admitted, str):
            raise refused(admitted)
        number = fitted(proposal.arguments.get("question"), int, "question", _NEXT)
        said = _text(proposal.arguments.get("text"), "text")
        name = ActionId(fitted(proposal.arguments.get("action"), str, "action", _NEXT))
        action, asked = await self._waiting.held(name)
        task = await stored_task(self._store, action.task)
        if action.task != proposal.task.id:
            raise NotAllowed("the action is of another task", next_step="answer in the task that proposed it")
        if (code := of_another(task, admitted)) is not None:
            raise refused(code)
        query = next((each for each in asked.questions if each.number == number), None)
        if query is None:
            raise ContractError(f"nobody asked question {number} about this", path="/question")
        if query.answered_at is not None:
            if query.answer == said:
                return action
            raise NotAllowed(f"question {number} was answered already, in other words")
        told = msgspec.structs.replace(query, answer=said, answered_at=self._clock.now())
        questions = tuple(told if each.number == number else each for each in asked.questions)
        after = _with(action, asked, questions=questions)
        control = (await self._orders.refresh()).control
        beside: dict[str, JsonValue] = {"answer": [number, said]}
        return await once(
            self._recorder.write(after, "answered", conditions=(control,), beside=beside, spent=admitted.spent)
        )

    @again
    async def delegate(self, action_id: ActionId, by: Person, to: Person, *, note: str = "") -> Action:
        """Hand the question to `to`, who holds one of the roles asked, too, or to whom its policy lets it be handed, and who then
        answers in the roles of `by`. `by` is silent until they take it back, and stays so once `to` has answered in their place.

        Never to the initiator, to somebody who has spoken or has handed it on, nor where too few would be left to agree; and so
        many times only. Raises as a word does.
        """
        if to == by:
            raise NotAllowed("that is yourself", next_step="name a colleague: `--to NAME`")
        action, asked = await self._waiting.held(action_id)
        control = (await self._orders.refresh()).control
        entitled(action, asked, by, control)
        if len(asked.handings) >= MOST:
            raise NotAllowed(
                f"this was handed on {MOST} times already", next_step="decide on it, or reject it and say why"
            )
        handing = Handing(by=by, to=to, at=self._clock.now(), note=note)
        handed = msgspec.structs.replace(asked, handings=(*asked.handings, handing))
        entitled(action, handed, to, control)
        after = _with(action, asked, handings=handed.handings)
        for need in open_requirements(asked, initiator=action.initiator):
            wanted = need.quorum - agreed(asked, need, initiator=action.initiator)
            if _left(after, need, control) < wanted <= _left(action, need, control):
                raise NotAllowed(
                    f"then too few would be left who can agree as `{need.role}`",
                    next_step="decide yourself, or have somebody else given that role",
                )
        beside: dict[str, JsonValue] = {"handing": [by, to, note]}
        return await self._recorder.write(after, "delegated", conditions=(control,), beside=beside)

    @again
    async def take_back(self, action_id: ActionId, by: Person) -> Action:
        """Decide oneself after all. Raises NotAllowed where nothing was handed on, and as a word does."""
        action, asked = await self._waiting.held(action_id)
        control = (await self._orders.refresh()).control
        must_be_asked(action, asked, by, control)
        handed = handed_by(asked, by)
        if handed is None:
            raise NotAllowed(f"`{by}` handed this to nobody")
        back = msgspec.structs.replace(handed, back_at=self._clock.now())
        handings = tuple(back if each is handed else each for each in asked.handings)
        after = _with(action, asked, handings=handings)
        beside: dict[str, JsonValue] = {"handing": [by, handed.to, "", "back"]}
        return await self._recorder.write(after, "delegated", conditions=(control,), beside=beside)


def _left(action: Action, need: Requirement, control: Control) -> int:
    """How many can still agree for `need`."""
    asked = action.hold
    if asked is None:
        return 0
    return len({who for role in roles_for(asked, need) for who in able(action, asked, role, control)})


def _with(action: Action, asked: Hold, **changes: object) -> Action:
    return action.after("confer", hold=msgspec.structs.replace(asked, **changes))


def _text(text: object, name: str) -> str:
    said: str = fitted(text, str, name, _NEXT).strip()
    if not said or len(said) > LONGEST:
        raise ContractError(
            f"`{name}` is empty, or longer than {LONGEST:,} characters", path=f"/{name}", next_step=_NEXT
        )
    return said
