"""Compiled policies as an engine, watched by the library.

The first question to each slice, and every 256th after it, is put to both. Where they differ, the library's answer is
the one that counts, it says so once, and from then on the library answers everything: this engine is our own work, and
it is trusted for as long as it agrees with its oracle.
"""

from collections.abc import Callable
from functools import lru_cache
from itertools import count
from typing import Final

from interlock.adapters.cedar.compiling import matcher
from interlock.adapters.cedar.compiling.runtime import Fields
from interlock.adapters.cedar.judge import NOTHING, Answer, CedarJudge
from interlock.adapters.cedar.library import Library
from interlock.adapters.cedar.loaded import FAULTS, MAX_SLICES, Loaded, Slice, could_not, principal
from interlock.adapters.cedar.reads import Reads
from interlock.adapters.cedar.request import AS_VALUES, context_writer
from interlock.adapters.cedar.schema import Surface
from interlock.domain.policy import Opinions
from interlock.domain.question import Question

EVERY: Final = 256
"""One question in so many is asked twice: about two microseconds a decision."""


class Compiled:
    """Prepares slices by compiling them."""

    def __init__(self) -> None:
        self._context = lru_cache(MAX_SLICES)(_context)

    def prepare(self, found: Slice) -> Answer:
        """Make a slice ready. Agents that read the same of a contract share what checks it, which keeps it in the caches."""
        context = self._context(found.surface, _Key(found.read))
        satisfied = matcher(found.rules, found.agent, found.surface.name, found.surface.groups)

        def answer(question: Question) -> Opinions:
            release = ("Release", principal(question))
            names, failed = satisfied(context(question), release, ("System", question.tenant))
            if failed:
                return Opinions(satisfied=tuple(names), errors=tuple(could_not(name, why) for name, why in failed))
            return Opinions(satisfied=tuple(names)) if names else NOTHING

        return answer


class _Key:
    """What is read, as a key."""

    def __init__(self, read: Reads) -> None:
        self.read = read
        self._key = read.key()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


def _context(surface: Surface, key: _Key) -> Callable[[Question], Fields]:
    return context_writer(surface, key.read, AS_VALUES)


class Watched:
    """Prepares slices that are compiled for as long as no comparison has failed."""

    def __init__(self, loaded: Loaded, every: int = EVERY) -> None:
        self._compiled = Compiled()
        self._library = Library(loaded)
        self._every = every
        self.trusted = True
        """Whether compiled policies still answer."""

    def prepare(self, found: Slice) -> Answer:
        """Make a slice ready for both."""
        fast, slow = self._compiled.prepare(found), self._library.prepare(found)
        turns = count()

        def answer(question: Question) -> Opinions:
            if not self.trusted:
                return slow(question)
            if next(turns) % self._every:
                return fast(question)
            return self._compared(fast, slow, question)

        return answer

    def _compared(self, fast: Answer, slow: Answer, question: Question) -> Opinions:
        expected = slow(question)
        difference = _difference(fast, expected, question)
        if not difference:
            return expected
        self.trusted = False
        return Opinions(satisfied=expected.satisfied, errors=expected.errors, alarm=difference)


def _difference(fast: Answer, expected: Opinions, question: Question) -> str:
    """What two answers differ in, without any value. Of errors only whether there are any: their words are the engines'."""
    try:
        said = fast(question)
    except FAULTS as error:
        return f"compiled policies on `{question.contract}` failed with {type(error).__name__}"
    if bool(said.errors) != bool(expected.errors):
        return f"of the engines only one could evaluate the policies on `{question.contract}`"
    differing = sorted(set(said.satisfied) ^ set(expected.satisfied))
    if differing and not expected.errors:
        return f"the engines disagree about {', '.join(f'`{name}`' for name in differing[:5])} on `{question.contract}`"
    return ""


def watched_judge(loaded: Loaded, every: int = EVERY) -> CedarJudge:
    """A bundle answered by compiled policies, watched by the library."""
    return CedarJudge(loaded, Watched(loaded, every).prepare)


def compiled_judge(loaded: Loaded) -> CedarJudge:
    """A bundle answered by compiled policies alone: for tests and figures."""
    return CedarJudge(loaded, Compiled().prepare)
