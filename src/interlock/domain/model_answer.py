"""An answer of a model, in the words of OpenAI's API: what it says that it took, what it says of itself, and whether it is whole.

What a provider says it took is believed where it can be so: whole numbers, something read for any question, something written
for any answer. Anything else is no word, and all that was reserved counts. Of a stream the word counts only at its end.
"""

from typing import Any, Final, cast

import msgspec

from interlock.domain.model_request import Kind, listed
from interlock.domain.relayed import MOST_ENDS, words_of
from interlock.domain.use import TokenCount

BELIEVED: Final = 10**8
"""More tokens than that no question and no answer has."""
DONE: Final = b"[DONE]"
_LAST: Final = ("response.completed", "response.incomplete", "response.failed")


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider says that a use took."""

    tokens: TokenCount
    reasoning: int = 0


class Seen:
    """What was seen of one answer so far."""

    def __init__(self, kind: Kind) -> None:
        self._kind: Kind = kind
        self._usage: object = None
        self._ended = False
        self._something = False
        self.over = False
        """Whether nothing more will come in this stream."""
        self.model = ""
        self.fingerprint = ""
        self.id = ""
        self.finish: list[str] = []

    def whole(self, body: bytes) -> bool:
        """Take an answer that came in one piece. Whether it is one at all."""
        answer = _object(body)
        if answer is None:
            return False
        self._take(answer)
        self._ended = True
        return True

    def event(self, data: bytes) -> bool:
        """Take an event's data. Whether it is one that only says how many tokens it took, as nothing but we asked for."""
        if data == DONE:
            self._ended = self.over = True
            return False
        if self._kind == "responses":
            self._step(data)
            return False
        chunk = _object(data)
        if chunk is None:
            return False
        self._take(chunk)
        last = isinstance(chunk.get("usage"), dict) and chunk.get("choices") == []
        self._ended = self._ended or last
        return last

    @property
    def taken(self) -> Taken | None:
        """What the provider says it took, where it has said so at the end and that can be believed."""
        if not self._ended:
            return None
        taken = usage_of(self._usage, self._kind)
        # It read the question, and wrote what there is.
        if taken is None or not taken.tokens.input or (self._something and not taken.tokens.output):
            return None
        return taken

    @property
    def so_far(self) -> Taken | None:
        """What the provider says it took until now, where it says so before the end; as little can be believed of that."""
        return None if self._ended or self._usage is None else usage_of(self._usage, self._kind)

    @property
    def ended(self) -> bool:
        """Whether the answer came to its end."""
        return self._ended

    def _step(self, data: bytes) -> None:
        """An event of a stream of responses: most say nothing that is needed, and are not looked through."""
        try:
            step = msgspec.json.decode(data, type=_Step)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return
        answer = _object(bytes(step.response))
        if answer is not None:
            self._take(answer)
        if step.type in _LAST:
            self._ended = self.over = True

    def _take(self, answer: dict[str, Any]) -> None:
        for name, field in (("model", "model"), ("system_fingerprint", "fingerprint"), ("id", "id")):
            said = words_of(answer.get(name))
            if said:
                setattr(self, field, said)
        if answer.get("usage") is not None:
            self._usage = answer["usage"]
        if self._kind == "chat":
            self._choices(answer.get("choices"))
        elif self._kind == "responses":
            self._something = self._something or bool(answer.get("output"))
            if answer.get("status") in ("completed", "incomplete", "failed"):
                self._end(answer["status"])

    def _choices(self, choices: object) -> None:
        for each in listed(choices):
            choice = cast("dict[str, Any]", each) if isinstance(each, dict) else {}
            said = choice.get("delta") or choice.get("message")
            words = cast("dict[str, Any]", said) if isinstance(said, dict) else {}
            self._something = self._something or any(value for name, value in words.items() if name != "role")
            if choice.get("finish_reason"):
                self._end(choice["finish_reason"])

    def _end(self, why: object) -> None:
        word = words_of(why)
        if word and word not in self.finish and len(self.finish) < MOST_ENDS:
            self.finish.append(word)


class _Step(msgspec.Struct):
    """What is needed of an event of a stream of responses."""

    type: str = ""
    response: msgspec.Raw = msgspec.Raw(b"null")


def is_error(body: bytes) -> bool:
    """Whether it is an error as OpenAI's API has them."""
    said = _object(body)
    return said is not None and isinstance(said.get("error"), dict | str)


def usage_of(usage: object, kind: Kind) -> Taken | None:
    """`usage` of an answer, or None for what cannot be so."""
    if not isinstance(usage, dict):
        return None
    said = cast("dict[str, Any]", usage)
    entered, left = ("input", "output") if kind == "responses" else ("prompt", "completion")
    read = _whole(said.get(f"{entered}_tokens"))
    written = _whole(said.get(f"{left}_tokens", 0 if kind == "embeddings" else None))
    cached = _whole(_detail(said, f"{entered}_tokens_details", "cached_tokens"))
    if read is None or written is None or cached is None or cached > read:
        return None
    # How many of them went into reasoning costs nothing, so a wrong word of it takes nothing of the rest.
    thought = _whole(_detail(said, f"{left}_tokens_details", "reasoning_tokens")) or 0
    tokens = TokenCount(input=read, output=written, cached=cached)
    return Taken(tokens=tokens, reasoning=thought if thought <= written else 0)


def _whole(value: object) -> int | None:
    return value if type(value) is int and 0 <= value <= BELIEVED else None


def _detail(usage: dict[str, Any], table: str, name: str) -> Any:
    details = usage.get(table)
    found = cast("dict[str, Any]", details).get(name) if isinstance(details, dict) else None
    return 0 if found is None else found


def _object(data: bytes) -> dict[str, Any] | None:
    try:
        found = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return cast("dict[str, Any]", found) if isinstance(found, dict) else None
