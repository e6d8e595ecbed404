"""The gate as the adapter of a framework sees it: the options that all adapters take, and their calls taken through it."""

from collections.abc import Collection, Mapping
from typing import TypedDict, get_args

from interlock.domain.errors import ContractError
from interlock.sdk.framework_call import Came, FrameworkCall, Governor, Hold, Paused
from interlock.sdk.named_run import NamedRun
from interlock.sdk.task import Handle


class Options(TypedDict, total=False):
    """What every adapter takes besides its task."""

    hold: Hold
    """What is done while people decide. `"wait"`, which is the default, waits right there; `"pause"` ends the framework's run, so
    that it can be resumed, where the framework has such a thing; `"tell"` tells the model, which may ask again."""
    run: str
    """The name of a run that may be made anew. Under it calls are told apart by what they do, and not by their ids: calls of one
    tool with the same arguments are one call, in whatever process and however often."""
    repeats: Collection[str]
    """Tools that may be called twice alike in one such run."""
    contracts: Mapping[str, str] | None
    """The contracts of tools that are called otherwise than theirs."""
    patience_ms: int | None
    """Nothing is waited for longer: then it is as with `"tell"`."""
    through: Collection[str]
    """Tools that are not governed here: agents that are called as tools, whose own calls are."""


class FrameworkGate:
    """Takes the calls of one adapter through the gate: in `task`, or, where that is None, in the task that is open where a call
    is made."""

    def __init__(
        self,
        task: Handle | None = None,
        *,
        cannot_pause: str = "",
        hold: Hold = "wait",
        run: str = "",
        repeats: Collection[str] = (),
        contracts: Mapping[str, str] | None = None,
        patience_ms: int | None = None,
        through: Collection[str] = (),
    ) -> None:
        """`Options`, and `cannot_pause`: why a framework has no pause. Raises ContractError for a `hold` that it cannot keep."""
        if hold not in get_args(Hold):
            raise ContractError(f"there is no `hold={hold!r}`", path="/hold", next_step=f"say one of {get_args(Hold)}")
        if hold == "pause" and cannot_pause:
            raise ContractError(cannot_pause, path="/hold", next_step="say `hold='wait'`, or `hold='tell'`")
        self.pauses = hold == "pause"
        self.through = frozenset(through)
        self._governor = Governor(task, hold=hold, contracts=contracts, patience_ms=patience_ms)
        self._patient = Governor(task, contracts=contracts, patience_ms=patience_ms)
        self._run = NamedRun(run, repeats)

    async def acall(self, call: FrameworkCall) -> Came:
        """Take `call` through the gate. Raises StoreErrors and the like, after which nothing may be assumed to have run."""
        return await self._run.acall(self._governor, self._named(call))

    def call(self, call: FrameworkCall) -> Came:
        """The same from a thread that is not the event loop's."""
        return self._run.call(self._governor, self._named(call))

    async def aresumed(self, call: FrameworkCall) -> Came:
        """The same of a call that paused and whose run was resumed: it waits for people, and does not pause again."""
        return await self._run.acall(self._patient, self._named(call))

    async def aasks(self, call: FrameworkCall) -> Paused | None:
        """Whether people are to decide on `call` first: it is proposed, and nothing is run."""
        return await self._governor.aasks(self._named(call))

    def tell(self, call: FrameworkCall, paused: Paused) -> str:
        """For a framework that cannot pause just here: words for the model, which may ask again with the same arguments."""
        return self._governor.tell(self._named(call), paused)

    def _named(self, call: FrameworkCall) -> FrameworkCall:
        named = self._run.named(call.tool, call.arguments, call.run_id, call.call_id)
        return call._replace(run_id=named.run_id, call_id=named.call_id)
