"""What became of an action, said to whoever decides on it or looks at it. `MEANING` says the same to whoever builds on it."""

from collections.abc import Mapping
from typing import Final

from interlock.domain.action import MEANING, Action, State
from interlock.domain.vigilance import turned_out

NOW: Final[Mapping[State, str]] = {
    "held": "people must agree before anything happens",
    "shadowed": "the agent only watches here: what it would have done is recorded, and nothing was touched",
    "ready": "it is cleared, and runs as soon as a worker takes it, or the agent's own program where it has the tool",
    "preparing": "it is reserving what it needs; nothing is final yet",
    "prepared": "what it needs is reserved; nothing is final yet",
    "dispatching": "it is being done right now",
    "done": "it was done, once",
    "failed": "it was tried, and the tool says that nothing happened",
    "unknown": "it may or may not have happened; somebody has to look",
}
"""In words of everyday; what is not here is said well enough by `MEANING`."""

_YES: Final[Mapping[State, str]] = {
    "held": "Your word is kept. It waits for others to agree.",
    "ready": "Approved. It runs as soon as it is taken up.",
    "preparing": "Approved. It is reserving what it needs.",
    "prepared": "Approved. What it needs is reserved.",
    "dispatching": "Approved. It is being done right now.",
    "done": "Approved, and done.",
    "failed": "Approved, but the tool says that nothing happened.",
    "unknown": "Approved, but nobody knows whether it happened: somebody has to look.",
    "rejected": "Rejected. It will not happen, and the agent is told why.",
    "denied": "Policy says no by now. It will not happen.",
}


def now_words(action: Action) -> str:
    """How it stands; of an item known to be bad that is over, what was wrong with it."""
    return action.reasons[-1] if turned_out(action) else NOW.get(action.state, MEANING[action.state])


def after_word(action: Action) -> str:
    """What came of a person's word on it, as it is stored now."""
    said = "" if turned_out(action) else _YES.get(action.state)
    return said or f"{now_words(action)[:1].upper()}{now_words(action)[1:]}."
