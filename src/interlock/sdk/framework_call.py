"""A tool call of somebody else's framework, taken through the gate: what all adapters have in common.

The framework's run and call ids make the idempotency key, so that a run that is resumed, a node that runs again and a tool that
is tried again ask for the same action and get its answer. The framework's own function is lent to the gate for exactly this
call: it runs once the gate dispatches it, with the arguments that were agreed to, or not at all.
"""

import inspect
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from hashlib import sha256
from typing import Any, Final, Literal, NamedTuple, TypeAlias, cast

import msgspec

from interlock.domain.action import SETTLED, Action
from interlock.domain.canonical import JsonValue
from interlock.domain.errors import ContractError, KeyReused, NotAllowed
from interlock.domain.exact import InexactError, Kept, Raw, given, kept
from interlock.domain.ids import ActionId
from interlock.sdk.connection import Connection
from interlock.sdk.lending import Lent, Own
from interlock.sdk.outcomes import Done, Held, Outcome, Pending, Withheld
from interlock.sdk.proposing import Said, proposal_of
from interlock.sdk.rendering import rendered, telling_apart
from interlock.sdk.task import Handle
from interlock.sdk.told_model import refusal_of, told_of, waiting_of
from interlock.sdk.tool import CURRENT
from interlock.sdk.values import to_plain

Hold = Literal["wait", "pause", "tell"]
"""What is done while people decide: wait right there; end the framework's run so that it can be resumed; or tell the model, which
may ask again with the same arguments."""

SLICE_MS: Final = 1_000
"""How late at most it is noticed that nobody knows what became of a call."""
GRACE_MS: Final = 2_000
"""How long something cleared may take until it is begun, before it counts as waiting."""
MOST_OPEN: Final = 4_096
"""Calls of which a program remembers that their model was told to ask again."""
_MOST_KEY: Final = 200


class FrameworkCall(NamedTuple):
    """One call as the framework has it. `run_id` is the same when the framework resumes that run, `call_id` names the call in
    it."""

    tool: str
    arguments: Mapping[str, object]
    call_id: str
    """Empty, for a call that is taken through a FrameworkGate: calls of that run are told apart by what they do."""
    own: Own
    """The framework's function, of all arguments as one mapping; it may be asynchronous."""
    run_id: str = ""
    """Empty: the task's id."""
    rendered: Callable[[Any], JsonValue] = rendered
    """Writes down what it returned: all of it that a model will see."""


class Given(NamedTuple):
    """It happened, once. `value` is the recorded result as the agent may have it."""

    value: JsonValue
    done: Done
    raw: object = None
    """What the framework's function returned, where `is_raw`."""
    is_raw: bool = False
    """Whether it ran here and now, and nothing was taken of what it returned: then the framework may be given that very
    object."""

    @property
    def returned(self) -> Any:
        """That very object where it may be given, and what was recorded of it where not."""
        return self.raw if self.is_raw else self.value


class Told(NamedTuple):
    """It did not happen, has not yet, or nobody knows: `text` says so to the model."""

    text: str
    outcome: Outcome | Withheld | KeyReused


class Paused(NamedTuple):
    """People decide, and the framework's run is to end until they have. The same call, made again, goes on from there."""

    text: str
    outcome: Held | Pending

    @property
    def action_id(self) -> ActionId:
        """What to look for in the control plane."""
        return self.outcome.action_id


Came: TypeAlias = Given | Told | Paused


class Governor:
    """Takes a framework's calls through the gate: in one task, or, without one, in the task that is open where a call is made."""

    def __init__(
        self,
        task: Handle | None = None,
        *,
        hold: Hold = "wait",
        contracts: Mapping[str, str] | None = None,
        patience_ms: int | None = None,
    ) -> None:
        """`contracts` are the contracts of tools that are called otherwise than theirs. With `patience_ms` nothing is waited for
        longer: then it is as with `hold="tell"`."""
        self._task = task
        self._hold: Hold = hold
        self._contracts = dict(contracts or {})
        self._patience_ms = patience_ms
        self._open: dict[str, str] = {}

    def contract_of(self, tool: str) -> str:
        """The name of the contract a tool is under."""
        return self._contracts.get(tool, tool)

    async def acall(self, call: FrameworkCall) -> Came:
        """Take `call` through the gate. Raises StoreErrors and the like, after which nothing may be assumed to have run."""
        task, made = self._in_force(), _Made(call)
        return await task.connection.home.run(self._came, task, made, True)

    def call(self, call: FrameworkCall) -> Came:
        """The same from a thread that is not the event loop's."""
        task, made = self._in_force(), _Made(call)
        return task.connection.home.block(self._came, task, made, True)

    async def aasks(self, call: FrameworkCall) -> Paused | None:
        """Whether people are to decide on `call` first: it is proposed, and nothing is run. What comes of it gives `acall`, of
        the same action."""
        task, made = self._in_force(), _Made(call)
        came = await task.connection.home.run(self._came, task, made, False)
        return came if isinstance(came, Paused) else None

    def tell(self, call: FrameworkCall, paused: Paused) -> str:
        """For a framework that cannot pause just here: words for the model, which may ask again with the same arguments."""
        task, made = self._in_force(), _Made(call)
        self._remember(self._alike(task, made), _key(task, call))
        return told_of(paused.outcome, call.tool)

    def now(self) -> int:
        """UTC ms, as the calls of the task have it."""
        return self._in_force().connection.identity.now()

    def _in_force(self) -> Handle:
        found = self._task or CURRENT.get()
        if not isinstance(found, Handle):
            raise NotAllowed(
                "a tool of a framework acts only in a task, and none is open here: run the agent inside `with client.task(...)`",
                next_step="or give the adapter one that was opened, `with client.task(...) as task`",
            )
        return found

    async def _came(self, task: Handle, made: "_Made", run: bool) -> Came:
        call, connection, contract = made.call, task.connection, self.contract_of(made.call.tool)
        alike = self._alike(task, made)
        key = self._open.get(alike) or _key(task, call)
        proposal = proposal_of(task.task, contract, (made.arguments,), {}, Said(key))
        if not run:
            proposal = msgspec.structs.replace(proposal, here=False)
        with connection.lend(contract, key, made.lent.function) if run else nullcontext():
            try:
                action = await connection.propose(proposal, task.shows)
                if not run:
                    return _asked(connection.outcome(action, None), call.tool)
                action = await self._until(connection, action)
            except KeyReused as error:
                return Told(refusal_of(error, call.tool), error)
        self._open.pop(alike, None)
        outcome = connection.outcome(action, None)
        if isinstance(outcome, Done):
            if outcome.withheld:
                withheld = Withheld(outcome)
                return Told(refusal_of(withheld, call.tool), withheld)
            value = action.outcome.result if action.outcome is not None else None
            return Given(value, outcome, made.lent.raw, made.lent.ran and value == made.lent.kept)
        if isinstance(outcome, Held | Pending):
            if self._hold == "pause":
                return Paused(waiting_of(outcome, call.tool), outcome)
            self._remember(alike, key)
        return Told(told_of(outcome, call.tool), outcome)

    def _alike(self, task: Handle, made: "_Made") -> str:
        """What calls of one run that ask for the same have in common."""
        said = telling_apart(made.arguments)
        return _digest(made.call.run_id or task.id, self.contract_of(made.call.tool), said)

    def _remember(self, alike: str, key: str) -> None:
        if len(self._open) >= MOST_OPEN:
            del self._open[next(iter(self._open))]
        self._open[alike] = key

    async def _until(self, connection: Connection, action: Action) -> Action:
        """The action once it is over, nobody knows what became of it, or it is not to be waited for any longer."""
        now = connection.identity.now
        began = now()
        while action.state not in SETTLED and action.state != "unknown":
            spent = now() - began
            patience = self._patience_ms
            if self._hold != "wait" and action.state in ("held", "ready"):
                patience = 0 if action.state == "held" else min(GRACE_MS, patience or GRACE_MS)
            if patience is not None and spent >= patience:
                break
            left = SLICE_MS if patience is None else min(SLICE_MS, patience - spent)
            action = await connection.waited(action, left)
        return action


class _Made:
    """One call as it is made here: its arguments as they can be kept, and its function, which gets back what was no such JSON."""

    def __init__(self, call: FrameworkCall) -> None:
        self.call = call
        self.kept = _kept(call.arguments)
        self.arguments = dict(call.arguments) if self.kept is None else cast(dict[str, JsonValue], self.kept.value)
        texts = () if self.kept is None else self.kept.texts
        own = call.own

        def exactly(arguments: dict[str, JsonValue]) -> Any:
            return own(given(Kept(arguments, texts)))

        async def later(arguments: dict[str, JsonValue]) -> Any:
            return await own(given(Kept(arguments, texts)))

        self.lent = Lent(later if inspect.iscoroutinefunction(own) else exactly, call.rendered)


def _kept(arguments: Mapping[str, object]) -> Kept | None:
    """Arguments with a canonical form: a fraction is the text of its digits. None where there is none, which the gate refuses."""
    try:
        return kept(cast(Raw, to_plain(dict(arguments))))
    except (ContractError, InexactError):
        return None


def _asked(outcome: Outcome, tool: str) -> Came:
    """What is known of a call that was only proposed."""
    return Paused(waiting_of(outcome, tool), outcome) if isinstance(outcome, Held) else Told("", outcome)


def _key(task: Handle, call: FrameworkCall) -> str:
    """The same for the same call of the same run, whatever process makes it."""
    run = call.run_id or task.id
    plain = f"{task.task.agent}/{run}:{call.call_id}"
    if len(plain) <= _MOST_KEY and plain.isascii() and plain.isprintable():
        return plain
    return _digest(task.task.agent, run, call.call_id.encode(errors="backslashreplace"))


def _digest(first: str, second: str, rest: bytes) -> str:
    """What differs where any of the three does."""
    digest = sha256()
    for part in (first.encode(errors="backslashreplace"), second.encode(errors="backslashreplace"), rest):
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()
