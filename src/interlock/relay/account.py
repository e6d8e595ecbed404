"""What is known of one use while it goes on, so that whatever ends it, it is settled by that."""

from typing import Final

import anyio

from interlock.domain.errors import InterlockError, ModelNotAnswered
from interlock.domain.model_answer import Seen
from interlock.domain.model_request import Kind
from interlock.domain.model_route import Reason
from interlock.domain.relayed import Counted, Reply
from interlock.domain.use import TokenCount

_NOT_BEGUN: Final = (503, 529)
"""By these a provider says that it did not begin."""
_NOTHING: Final = TokenCount(input=0, output=0)


class Account:
    """One use's account."""

    def __init__(self, kind: Kind, most: TokenCount) -> None:
        self.seen = Seen(kind)
        self._most = most
        self.counted: Counted = "nothing"
        self.why = "not_sent"
        self.status = 0
        self._began = anyio.current_time()
        self._first: float | None = None

    def sent(self) -> None:
        """The model is about to be asked: from now on it may be billed, whoever is cancelled."""
        self.counted, self.why = "reserved", "interrupted"

    def began(self, status: int) -> None:
        """An answer began, with that status."""
        self.status = status
        self._first = anyio.current_time()

    def refused(self) -> Reason | None:
        """It was refused by its status; whether that is a reason to ask somebody else. Whoever says that a request was wrong, too
        much or came too early did not answer it; of any other failure nobody knows."""
        status = self.status
        billed = (status >= 500 and status not in _NOT_BEGUN) or status == 408
        self.counted, self.why = ("reserved", "failed") if billed else ("nothing", "refused")
        return "429" if status == 429 else "5xx" if status >= 500 else None

    def failed(self, error: ModelNotAnswered) -> Reason | None:
        """It failed; whether that is a reason to ask somebody else."""
        self.counted, self.why = ("reserved" if error.sent else "nothing"), error.why
        if error.slow:
            return "timeout"
        return "connect" if error.why in ("broken", "unreached") else None

    def stopped(self, why: InterlockError) -> None:
        """It was ended from here, since it might not go on."""
        self.why = why.code

    def over(self) -> None:
        """The answer came to its end, or to the end of what came."""
        self.why = "no_usage" if self.seen.ended else "broken"

    @property
    def exceeded(self) -> bool:
        """Whether the provider says, before the end, that more was taken than was reserved."""
        so_far = self.seen.so_far
        return so_far is not None and so_far.tokens.total > self._most.total

    def reply(self, digest: str, size: int) -> tuple[TokenCount | None, Reply]:
        """What it took, and what was answered, of which the agent was given so much. None: all that was reserved."""
        taken = self.seen.taken if self.counted == "reserved" else None
        if taken is None and self.counted == "reserved" and self.exceeded:
            taken = self.seen.so_far
        counted: Counted = "provider" if taken is not None else self.counted
        now = anyio.current_time()
        reply = Reply(
            counted=counted,
            why="" if counted == "provider" and self.seen.ended else self.why,
            status=self.status,
            model=self.seen.model,
            fingerprint=self.seen.fingerprint,
            id=self.seen.id,
            finish=tuple(self.seen.finish),
            reasoning=0 if taken is None else taken.reasoning,
            digest=digest,
            size=size,
            first_ms=0 if self._first is None else round((self._first - self._began) * 1000),
            took_ms=round((now - self._began) * 1000),
        )
        if taken is not None:
            return taken.tokens, reply
        return (_NOTHING if counted == "nothing" else None), reply
