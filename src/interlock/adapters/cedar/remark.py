"""What a lint has to say, and where: in words that the policy's own text is searched for."""

from typing import Final, Literal, NamedTuple

from interlock.adapters.cedar.finder import Finder, Span
from interlock.adapters.cedar.source import Problems, Statement
from interlock.domain.finding import Severity

Part = Literal["all", "last", "word", "key", "value"]
"""All of the text looked for; its last name; a token anywhere; an annotation's key; its value."""


MOST_OF_ONE: Final = 20
"""Things wrong with one policy that are told. To look for the place, and the nearest word, of thousands takes long."""


class Remark(NamedTuple):
    """One thing about a policy. `at` is Cedar text, or the key of an annotation; empty means its first word."""

    message: str
    at: str = ""
    part: Part = "all"
    severity: Severity = "error"


class Noting:
    """Notes remarks about one policy."""

    def __init__(self, problems: Problems, statement: Statement, policy: str) -> None:
        self._problems = problems
        self._statement = statement
        self._policy = policy
        self._finder = Finder(statement.text)
        self._left: dict[Severity, int] = {"error": MOST_OF_ONE, "warning": MOST_OF_ONE}

    def __call__(self, remark: Remark) -> None:
        """Note one, at its place where that is found; of each severity no more than anybody reads."""
        if not self._left[remark.severity]:
            return
        self._left[remark.severity] -= 1
        span = self._place(remark)
        self._problems.add(self._statement, remark.message, self._policy, span=span, severity=remark.severity)

    def _place(self, remark: Remark) -> Span | None:
        if not remark.at:
            return None
        match remark.part:
            case "key" | "value":
                return self._finder.annotation(remark.at, value=remark.part == "value")
            case "word":
                return self._finder.word(remark.at)
            case "last":
                return self._finder.last(remark.at)
            case "all":
                return self._finder.find(remark.at)
