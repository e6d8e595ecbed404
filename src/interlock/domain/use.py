"""A use of a model: what it may take at most is reserved before the model is asked, and what it took is settled after.

It is asked for like an action, through the same door, but it touches nothing that we guard: no policy is asked, and the program
calls the model itself. How many tokens it took is the program's word; of one that is asked through Interlock (`relayed`), its
provider's. Where nobody says so in time, all that was reserved counts as used: a program that died may well have been billed.
"""

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final, Literal

import msgspec

from interlock.domain.agent import Agent
from interlock.domain.budget import MONEY, Draw
from interlock.domain.canonical import JsonValue, digest
from interlock.domain.duration import HOUR, MINUTE
from interlock.domain.errors import ContractError
from interlock.domain.evidence import Fact, Phase
from interlock.domain.ids import AgentName, ContractName, Digest, TaskId, UseId
from interlock.domain.presented import Caller
from interlock.domain.record import Record, plain
from interlock.domain.relayed import Relayed, Reply, Route
from interlock.domain.task import Task

MODEL_USE: Final = ContractName("interlock.model_use")
"""What uses of models are called where contracts have their names: in proofs of possession, and in what a task prohibits."""
TOKENS: Final = "tokens"
"""The unit of all tokens; those of one model are `tokens:<model>`."""
LASTS_MS: Final = 10 * MINUTE
MOST_MS: Final = HOUR
"""How long a program has to say what a use took."""
MOST_TOKENS: Final = 10**12
MODEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,119}")
"""How models are named."""

UseState = Literal["open", "settled", "lost"]
"""`lost`: nobody said in time what it took, so all that was reserved counts as used."""


class TokenCount(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How many tokens. Those read from a cache (`cached`) are among `input`."""

    input: int
    output: int
    cached: int = 0

    def __post_init__(self) -> None:
        for name in ("input", "output", "cached"):
            if not 0 <= getattr(self, name) <= MOST_TOKENS:
                raise ContractError(f"`{name}` tokens are a whole number from 0 on", path=f"/{name}")
        if self.cached > self.input:
            raise ContractError(
                "cached tokens are among the input tokens: there cannot be more of them", path="/cached"
            )

    @property
    def total(self) -> int:
        """All of them."""
        return self.input + self.output


class Priced(msgspec.Struct, frozen=True, kw_only=True):
    """What tokens of a model cost."""

    cost: int
    """In `USD.micro`, rounded up."""
    by: str
    """Which prices: their source and its version."""
    model: str = ""
    """The name under which they list the model, whatever it was asked for by; empty where they have but one."""


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """What a model costs by an operator's own list: `USD.micro` for a million tokens of each kind."""

    input: int
    output: int
    cached: int

    def __str__(self) -> str:
        return f"{self.input}/{self.output}/{self.cached}"

    def of(self, tokens: TokenCount) -> int:
        """What so many cost, in `USD.micro`, rounded up."""
        fresh = tokens.input - tokens.cached
        return -(-(fresh * self.input + tokens.cached * self.cached + tokens.output * self.output) // 1_000_000)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a program is about to ask of a model."""

    model: str
    tokens: TokenCount
    """As many as it may be at most."""
    lasts_ms: int = LASTS_MS
    relayed: Relayed | None = None
    """By which way, where it is Interlock that asks; no program outside says so."""

    def __post_init__(self) -> None:
        if not MODEL.fullmatch(self.model):
            raise ContractError(
                "a model is named by letters, digits and `._:/@+-`, at most 120 of them",
                path="/model",
                next_step="give the name under which its provider knows it: `gpt-4o-mini`, `openai:gpt-4o-mini`",
            )
        if not self.tokens.total:
            raise ContractError("a use of a model takes tokens: say how many at most", path="/max_output_tokens")
        if not 0 < self.lasts_ms <= MOST_MS:
            raise ContractError(f"a use lasts between 1 and {MOST_MS} ms", path="/lasts_ms")

    @property
    def arguments(self) -> dict[str, JsonValue]:
        """It as arguments of a call, for the proof of possession."""
        tokens: dict[str, JsonValue] = {"input": self.tokens.input, "output": self.tokens.output}
        said: dict[str, JsonValue] = {"model": self.model, "tokens": tokens, "lasts_ms": self.lasts_ms}
        return said if self.relayed is None else {**said, "relayed": plain(self.relayed)}


def asked_of(arguments: Mapping[str, JsonValue]) -> Asked:
    """What `Asked.arguments` gave. Raises ContractError for anything else."""
    try:
        return msgspec.convert(arguments, Asked)
    except msgspec.ValidationError as error:
        raise ContractError(f"this is no use of a model: {error}") from None


class Use(Record, frozen=True, kw_only=True, omit_defaults=True):
    """One use."""

    kind: ClassVar[str] = "use"

    id: UseId
    task: TaskId
    agent: AgentName
    release: Digest
    model: str
    most: TokenCount
    """What was reserved for."""
    used: TokenCount | None = None
    cost: int | None = None
    """In `USD.micro`: at most while it is open, and what it was since; None: its price is not known."""
    prices: str = ""
    """Which prices that is by."""
    listed: str = ""
    """The name under which these list the model."""
    reserved: tuple[Draw, ...] = ()
    caller: Caller | None = None
    begun_at: int
    state: UseState = "open"
    due_at: int | None = None
    """When it is lost, UTC ms."""
    ended_at: int | None = None
    route: Route | None = None
    """By which way Interlock asked; None: the program asked itself."""
    reply: Reply | None = None
    """What was answered to that."""

    @property
    def key(self) -> str:
        """Its id."""
        return self.id


def amounts(model: str, listed: str, tokens: TokenCount, cost: int | None) -> dict[str, int]:
    """What tokens of a model take of budgets, by unit: by the name that the program gave it, and by that under which it is
    `listed`, so that no other name of the same model goes past its budget."""
    found = {TOKENS: tokens.total, f"{TOKENS}:{model}": tokens.total, MONEY: cost or 0}
    if listed:
        found[f"{TOKENS}:{listed}"] = tokens.total
    return {unit: amount for unit, amount in found.items() if amount}


def not_among(model: str, agents: tuple[Agent, ...]) -> str | None:
    """Why `model` is none that the agent may run on, by each of these versions of its file; or None."""
    for agent in agents:
        if agent.models and model not in agent.models:
            allowed = ", ".join(f"`{each}`" for each in agent.models)
            return f"`{agent.name}` may not run on `{model}`; it may run on {allowed}"
    return None


def use_fact(use: Use, phase: Phase, now: int, **beside: Any) -> Fact:
    """What the log says of a use, with `beside` in the open. How many tokens it took stays behind a commitment, as amounts do."""
    body: dict[str, JsonValue] = {
        "state": use.state,
        "taskId": use.task,
        "agent": {"id": use.agent, "release": use.release},
        "model": use.model,
    }
    if use.caller is not None:
        body["instance"] = use.caller.instance
    if use.prices:
        body["prices"] = use.prices
    tokens = use.most if use.used is None else use.used
    count: JsonValue = {"input": tokens.input, "output": tokens.output, "cached": tokens.cached}
    private: dict[str, JsonValue] = {}
    if use.cost is not None:
        private["cost"] = {"unit": MONEY, "amount": use.cost}
    if use.route is None:
        return _fact(use.id, phase, now, body | beside, {"usage": count, **private}, use.task, use.model)
    body["route"] = plain(use.route)
    private[_whose(use)] = count
    if use.reply is not None:
        body["counted"] = use.reply.counted
    fact = _fact(use.id, phase, now, body | beside, private, use.task, use.model)
    # What was asked goes when its task is erased.
    return msgspec.structs.replace(fact, under=(Task.kind, use.task))


def _whose(use: Use) -> str:
    """What the count of tokens of a use that was relayed is called, by whose word it is."""
    if use.state == "settled" and use.reply is not None and use.reply.counted == "provider":
        return "providerUsage"
    return "countedUsage"


def asked_fact(use: Use, relayed: Relayed, now: int) -> Fact:
    """What the log says of a use that begins by way of Interlock: what was asked, too, behind a commitment."""
    fact = use_fact(use, "opened", now)
    return msgspec.structs.replace(fact, private={**fact.private, "prompt": plain(relayed.question)})


def answered_fact(use: Use, phase: Phase, reply: Reply, now: int, **beside: Any) -> Fact:
    """The same of one that ended: what answered, and what the agent was given of it."""
    fact = use_fact(use, phase, now, **beside)
    if reply.status:
        fact.body["status"] = reply.status
    if reply.why:
        fact.body["reasonCodes"] = [f"interlock.relay.{reply.why}"]
    said: dict[str, JsonValue] = {"delivered": reply.seen}
    if reply.told:
        said["answeredBy"] = reply.told
    return msgspec.structs.replace(fact, private={**fact.private, **said})


def refusal_fact(use: UseId, agent: Mapping[str, str], task: TaskId, code: str, why: str, now: int) -> Fact:
    """A use that was refused. The model's name stands behind `reasons`, if anywhere: it may be anybody's words."""
    body: dict[str, JsonValue] = {"state": "refused", "taskId": task, "agent": dict(agent), "reasonCodes": [code]}
    return _fact(use, "refused", now, body, {"reasons": [why]} if why else {}, task, "")


def _fact(
    use: UseId,
    phase: Phase,
    now: int,
    body: dict[str, JsonValue],
    private: dict[str, JsonValue],
    task: TaskId,
    model: str,
) -> Fact:
    return Fact(
        phase=phase,
        subject="use",
        subject_id=use,
        subject_digest=Digest(digest({"id": use, "task": task, "model": model})),
        observed_at=now,
        body=body,
        private=private,
    )
