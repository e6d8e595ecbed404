"""Which call of which run a framework's call is.

Some frameworks keep their calls' ids, and have the same ones after a restart. Others ask the model anew, and it makes up new ids.
For those a program names its run: under that name calls of one tool with the same arguments are one and the same call, whoever
makes them, in whatever process and however often. What touched nothing is no reason to say no for ever: a call that was refused,
denied or only recorded, or whose tool said that nothing happened, is judged anew when it is made again.
"""

from collections.abc import Collection, Iterator, Mapping
from hashlib import sha256
from secrets import token_hex
from typing import Final, NamedTuple

from interlock.domain.action import State
from interlock.domain.ids import ActionId
from interlock.sdk.framework_call import Came, FrameworkCall, Governor, Told
from interlock.sdk.outcomes import NotDone
from interlock.sdk.rendering import telling_apart

MOST: Final = 16
"""How often one call of a named run is judged anew; after that the last word stands."""
_ALIKE: Final = "alike:"
_ANEW: Final[frozenset[State]] = frozenset({"refused", "denied", "shadowed", "failed"})
"""What rules or the tool said, of a call that touched nothing. A person's no stands, and so does their silence."""


class Named(NamedTuple):
    """What `FrameworkCall` asks for."""

    run_id: str
    call_id: str


class NamedRun:
    """How calls are told from one another: by the framework's ids, or, where the program gave its run a name, by what they do."""

    def __init__(self, name: str = "", repeats: Collection[str] = ()) -> None:
        """`repeats` are tools of which each call is one of its own also in a run that has a name."""
        self._name = name
        self._repeats = frozenset(repeats)

    def named(self, tool: str, arguments: Mapping[str, object], run_id: str, call_id: str) -> Named:
        """Which call it is; `run_id` and `call_id` are the framework's. Where it has no id it is told by what it does."""
        if call_id and not self._name:
            return Named(run_id, call_id)
        name = self._name or run_id
        if tool in self._repeats:
            return Named(name, f"{run_id}/{call_id or token_hex(16)}")
        written = telling_apart([tool, arguments])
        return Named(name, f"{_ALIKE}{sha256(written).hexdigest()}")

    async def acall(self, governor: Governor, call: FrameworkCall) -> Came:
        """Take `call`, which is named so, through the gate."""
        began, came = governor.now(), await governor.acall(call)
        for each in self._anew(call):
            if not _was_said(came, began):
                break
            came = await governor.acall(each)
        return came

    def call(self, governor: Governor, call: FrameworkCall) -> Came:
        """The same from a thread that is not the event loop's."""
        began, came = governor.now(), governor.call(call)
        for each in self._anew(call):
            if not _was_said(came, began):
                break
            came = governor.call(each)
        return came

    def _anew(self, call: FrameworkCall) -> Iterator[FrameworkCall]:
        """What `call` is when it is made again, one after the other; the framework's own calls are what they were."""
        if call.call_id.startswith(_ALIKE):
            for number in range(1, MOST):
                yield call._replace(call_id=f"{call.call_id}~{number}")


def _was_said(came: Came, began: int) -> bool:
    """Whether this is what was said to a call before, and is no reason to say it again."""
    outcome = came.outcome if isinstance(came, Told) else None
    return isinstance(outcome, NotDone) and outcome.state in _ANEW and _born(outcome.action_id) < began


def _born(action: ActionId) -> int:
    """When it was proposed, UTC ms: the ids of actions are UUIDs of version 7."""
    return int(action.replace("-", "")[:12], 16)
