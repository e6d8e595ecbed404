"""What reviewers ask of an action that is held, and the agent's answers: told with the ticket, answered with a tool of ours.

A question is to the agent, which proposed the action; nobody at the client is asked in its place. An answer is the agent's own
words. It stands beside the action for whoever decides, and decides nothing itself.
"""

from typing import Any, Final
from weakref import WeakKeyDictionary

import mcp_types as types

from interlock.domain.action import Action
from interlock.domain.errors import ContractError, NotFound
from interlock.domain.tool_name import ANSWER
from interlock.gateway.work import Work
from interlock.sdk.outcomes import Held, Outcome

MOST: Final = 4_096
"""Actions of a caller of which it is remembered what it was told was asked."""
_MORE: Final = 'give both: `{"ticket": "...", "answer": "..."}`'
TOOL: Final = types.Tool(
    name=ANSWER,
    title="Answer a reviewer's question",
    description=(
        "A reviewer may ask something about a call that waits for their word: the questions are told with its ticket. Give the "
        "ticket and your answer here. The call waits on; the answer is shown to whoever decides. Without `question`, its number, "
        "the first one that is open is answered."
    ),
    input_schema={
        "type": "object",
        "properties": {
            "ticket": {"type": "string", "maxLength": 64},
            "answer": {"type": "string", "minLength": 1, "maxLength": 4_000},
            "question": {"type": "integer", "minimum": 1},
        },
        "required": ["ticket", "answer"],
    },
    annotations=types.ToolAnnotations(
        read_only_hint=False, destructive_hint=False, idempotent_hint=True, open_world_hint=False
    ),
)


class Questions:
    """What each caller was told was asked."""

    def __init__(self) -> None:
        self._told: WeakKeyDictionary[Work, dict[str, int]] = WeakKeyDictionary()

    async def answer(self, work: Work, arguments: dict[str, Any]) -> tuple[Action, Outcome]:
        """Answer one. Raises InterlockErrors: NotFound for what is not the caller's, ContractError for no question."""
        ticket, text, number = arguments.get("ticket"), arguments.get("answer"), arguments.get("question")
        if not isinstance(ticket, str) or not isinstance(text, str):
            raise NotFound("there is no answer without a ticket and words", next_step=_MORE)
        if number is not None and (type(number) is not int or number < 1):
            raise ContractError("`question` is the number of one", path="/question", next_step=_MORE)
        return await work.answer(ticket, text, number)

    def new(self, work: Work, outcome: Outcome) -> bool:
        """Whether something is asked that the caller was not told yet."""
        return _last(outcome) > self._told.get(work, {}).get(_name(outcome), 0)

    def told(self, work: Work, outcome: Outcome) -> None:
        """The caller is being told `outcome`, and what is asked with it."""
        last, mine = _last(outcome), self._told.setdefault(work, {})
        if not last:
            mine.pop(_name(outcome), None)
            return
        if len(mine) >= MOST:
            del mine[next(iter(mine))]
        mine[_name(outcome)] = last


def _name(outcome: Outcome) -> str:
    return outcome.action_id


def _last(outcome: Outcome) -> int:
    """The number of the last question that nobody answered."""
    if not isinstance(outcome, Held):
        return 0
    return max((each.number for each in outcome.questions if each.answered_at is None), default=0)
