"""The decorator that makes a contract of a function, and the object it leaves in the function's place.

    @interlock.tool(effect="write", risk="medium", reversal=interlock.NoReversal(why="a mail cannot be unsent"))
    def send(to: str, text: str) -> None: ...

Declaring is pure: nothing is registered, opened or read. Calling a tool hands the call to the task it is called in,
which sees it through the gate; outside a task there is no gate, so there is no call. Write a parameter that takes the
`Call` first: then type checkers, too, know that callers leave it out.
"""

import dataclasses
import functools
import inspect
from collections.abc import Awaitable, Callable, Collection, Mapping
from contextvars import ContextVar
from types import ModuleType
from typing import Any, Concatenate, Generic, Literal, ParamSpec, Protocol, TypeVar, cast, overload

import msgspec

from interlock.domain.call import Call
from interlock.domain.changing import Changing
from interlock.domain.contract import (
    Blind,
    Contract,
    Cost,
    Effect,
    Facts,
    Idempotency,
    InProcess,
    NoReversal,
    PythonTarget,
    Reversal,
    Risk,
    Target,
    TwoPhase,
    checked,
)
from interlock.domain.duration import SECOND
from interlock.domain.errors import ContractError, NotAllowed
from interlock.domain.fitting import fitted
from interlock.domain.ids import ContractName
from interlock.domain.output import Output
from interlock.domain.parse import Parse
from interlock.domain.rate import Rate
from interlock.domain.record import plain
from interlock.domain.sureness import Sureness
from interlock.sdk.signature import Function, accepts, facts_schema, schema_of

P = ParamSpec("P")
R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


RESERVED = frozenset({"idempotency_key", "justification"})
"""Keywords of `propose`, which no argument can be called."""


class NoEffect(Exception):
    """Raised by a tool to promise that nothing happened: the action has failed, and nobody needs to find out."""

    __interlock_no_effect__ = True
    """By this mark it is known where this class cannot be named."""


class Gated(Protocol):
    """The task that calls are made in."""

    def call_sync(self, tool: "Tool[..., Any]", args: tuple[object, ...], kwargs: Mapping[str, object]) -> Any:
        """Propose the call and wait: the tool's result, or the outcome as an exception."""
        ...

    def call_async(self, tool: "Tool[..., Any]", args: tuple[object, ...], kwargs: dict[str, object]) -> Awaitable[Any]:
        """The same for an asynchronous tool."""
        ...


CURRENT: ContextVar[Gated | None] = ContextVar("interlock_current", default=None)
"""The task in force here; threads and asyncio tasks each have their own."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Hooks:
    """The functions beside the tool. Each takes the arguments it names, and a `Call` where it is annotated so;
    the postcondition may ask for `result`, and any for all arguments as `args`."""

    lookup: Function | None = None
    facts: Function | None = None
    postcondition: Function | None = None
    prepare: Function | None = None
    abort: Function | None = None


class Tool(Generic[P, R_co]):
    """A function under contract. Called, it goes through the gate of the current task."""

    __wrapped__: Callable[..., Any]
    __name__: str

    def __init__(
        self,
        function: Callable[..., Any],
        contract: Contract,
        hooks: Hooks,
        no_effect_on: tuple[type[Exception], ...],
    ) -> None:
        functools.update_wrapper(cast(Callable[..., Any], self), function)
        self.function = function
        self.contract = contract
        self.hooks = hooks
        self.no_effect_on = (NoEffect, *no_effect_on)
        """The exceptions by which it promises that nothing happened."""
        self.is_async = inspect.iscoroutinefunction(function)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R_co:
        """Propose this call in the current task. Raises NotAllowed outside one."""
        current = CURRENT.get()
        if current is None:
            raise NotAllowed(
                f"`{self.contract.name}` acts only in a task: call it inside `with interlock.open(...).task(...)`",
                next_step="call it inside `with interlock.open(...).task(...)`",
            )
        call = current.call_async if self.is_async else current.call_sync
        return cast(R_co, call(self, args, kwargs))

    def __repr__(self) -> str:
        return f"<tool {self.contract.name} {self.contract.digest[:12]}>"


AnyTool = Tool[..., Any]


class Declaration(Protocol):
    """What `tool(...)` returns: it turns a function into a Tool."""

    @overload
    def __call__(self, function: Callable[Concatenate[Call, P], R], /) -> Tool[P, R]: ...

    @overload
    def __call__(self, function: Callable[P, R], /) -> Tool[P, R]: ...


def tool(
    *,
    effect: Effect,
    risk: Risk,
    name: str | None = None,
    version: str = "1",
    description: str | None = None,
    idempotency: Idempotency = Blind(),  # noqa: B008  a frozen value
    reversal: Reversal | NoReversal | None = None,
    lookup: Function | None = None,
    facts: Function | None = None,
    parses: Mapping[str, Parse] | None = None,
    postcondition: Function | None = None,
    two_phase: tuple[Function, Function] | None = None,
    cost: Cost | None = None,
    timeout_ms: int = 30 * SECOND,
    rate: Rate | None = None,
    confidence: Sureness | None = None,
    owner: str = "",
    data: Mapping[str, str] | None = None,
    output: Output | None = None,
    touches: Mapping[str, str] | Literal["nothing"] | None = None,
    subject: Mapping[str, str] | None = None,
    changes: Mapping[str, Changing] | None = None,
    no_effect_on: tuple[type[Exception], ...] = (),
) -> Declaration:
    """Put a function under contract. Raises ContractError where the contract would not hold.

    Without `name` it is the function's, without `description` the first line of its docstring. `two_phase` is
    `(prepare, abort)`. `parses` names what is read out of the arguments for policies (`Domains(of="to")`), which see it as
    `context.parsed.NAME`; what cannot be read denies. `touches` names the records an action is about, for
    `interlock audit query` and for tasks that are given records: `{"order": "$args.order_id"}`, or `"nothing"` where there are
    none; `subject`, alike, whom its data is about, for `interlock erase`; `changes` names what a reviewer is shown of
    before and after. `output` is what the agent gets of the result:
    without it all of it, with secrets masked. `confidence` is how sure an agent must say it is, per mille:
    `Sureness(act=900, ask=600)`. `rate` is how often it may be called, by all agents together:
    `Rate(calls=30, per_ms=MINUTE)`. A module's functions run in any process; a nested one, or one of the main
    program, only here.
    """
    prepare, abort = fitted(two_phase, tuple[Any, Any] | None, "two_phase", _NEXT) or (None, None)
    classes: dict[str, str] = fitted(data or {}, dict[str, str], "data", _NEXT)
    touched: dict[str, str] = fitted({} if touches == "nothing" else touches or {}, dict[str, str], "touches", _NEXT)
    persons: dict[str, str] = fitted(subject or {}, dict[str, str], "subject", _NEXT)
    changing: dict[str, Changing] = fitted(changes or {}, dict[str, Any], "changes", _NEXT)
    parsing: dict[str, Parse] = fitted(parses or {}, dict[str, Any], "parses", _NEXT)
    harmless: tuple[type[Exception], ...] = fitted(no_effect_on, tuple[Any, ...], "no_effect_on", _NEXT)
    if not all(isinstance(each, type) and issubclass(each, Exception) for each in cast(tuple[object, ...], harmless)):
        raise ContractError("`no_effect_on`: only classes of exceptions", path="/no_effect_on", next_step=_NEXT)
    hooks = Hooks(lookup=lookup, facts=facts, postcondition=postcondition, prepare=prepare, abort=abort)

    def declare(function: Callable[..., Any], /) -> Tool[..., Any]:
        called = name or str(getattr(function, "__name__", function))
        try:
            schemas = schema_of(function)
            for taken in RESERVED & schemas.parameters.keys():
                raise ContractError(f"`{taken}` is a word of `propose`; call the parameter otherwise", path=f"/{taken}")
            targets = _targets(called, function, hooks, schemas.parameters.keys())
            fact_schema = None if facts is None else facts_schema(facts)
        except ContractError as error:
            raise ContractError(f"tool `{called}`: {error.detail}", path=error.path, next_step=_NEXT) from None
        contract = Contract(
            name=ContractName(called),
            version=version,
            description=_first_line(function) if description is None else description,
            owner=owner,
            input_schema=schemas.input_schema,
            output_schema=schemas.output_schema,
            effect=effect,
            risk=risk,
            idempotency=idempotency,
            reversal=reversal,
            target=targets["run"],
            lookup=targets.get("lookup"),
            facts=None if fact_schema is None else Facts(source=targets["facts"], schema=fact_schema),
            parses=parsing,
            postcondition=targets.get("postcondition"),
            two_phase=TwoPhase(prepare=targets["prepare"], abort=targets["abort"]) if two_phase else None,
            cost=cost,
            data_classes=classes,
            output=output,
            touches=touched,
            touches_nothing=touches == "nothing",
            subject=persons,
            changes=changing,
            timeout_ms=timeout_ms,
            rate=rate,
            confidence=confidence,
        )
        return Tool(function, checked(_typed(contract)), hooks, harmless)

    return cast(Declaration, declare)


def tools_in(module: ModuleType) -> list[Tool[..., Any]]:
    """The tools a module names, each once, in the order in which it names them."""
    found = cast(list[Tool[..., Any]], [value for value in vars(module).values() if isinstance(value, Tool)])
    return list({id(each): each for each in found}.values())


_NEXT = "mend the function's signature or its declaration"


def _typed(contract: Contract) -> Contract:
    """`contract`, once its values are of the types it promises: a decorator's arguments are only checked by those who
    run a type checker."""
    try:
        return msgspec.convert(plain(contract), Contract)
    except (msgspec.ValidationError, TypeError, UnicodeEncodeError) as error:
        raise ContractError(f"tool `{contract.name}`: {error}", next_step=_NEXT) from None


def _targets(name: str, function: Function, hooks: Hooks, arguments: Collection[str]) -> dict[str, Target]:
    """Where the tool and each of its hooks can be called."""
    targets: dict[str, Target] = {"run": _target(function, name)}
    for field in dataclasses.fields(hooks):
        hook = cast(Function | None, getattr(hooks, field.name))
        if hook is None:
            continue
        known = {*arguments, "args", *(("result",) if field.name == "postcondition" else ())}
        for wanted, required in accepts(hook).items():
            if required and wanted not in known:
                raise ContractError(
                    f"its {field.name} asks for `{wanted}`, which is no argument", path=f"/{field.name}"
                )
        target = _target(hook, f"{name}:{field.name}")
        if isinstance(target, InProcess) and isinstance(targets["run"], PythonTarget):
            raise ContractError(
                f"any process may run it, so any must find its {field.name}: make that a function of a module",
                path=f"/{field.name}",
            )
        targets[field.name] = target
    return targets


def _target(function: Function, name: str) -> Target:
    """Where to find `function`: no other process can import the main program or a nested function."""
    if function.__module__ == "__main__" or not function.__qualname__.replace(".", "").isidentifier():
        return InProcess(name=name)
    return PythonTarget(target=f"{function.__module__}:{function.__qualname__}")


def _first_line(function: Function) -> str:
    lines = (inspect.getdoc(function) or "").splitlines()
    return lines[0].strip() if lines else ""
