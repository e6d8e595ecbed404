"""From a call, as a program writes it, to the proposal that goes to the gate."""

import contextlib
from collections.abc import Mapping
from typing import Final, NamedTuple, cast

from interlock.domain.canonical import JsonValue, pointer
from interlock.domain.errors import ContractError
from interlock.domain.ids import ContractName
from interlock.domain.proposal import Proposal
from interlock.domain.task import Task
from interlock.sdk.signature import arguments_of
from interlock.sdk.tool import AnyTool, Tool
from interlock.sdk.values import to_plain

MAX_WORDS: Final = 1_000
"""How much of a reason is kept."""


class Said(NamedTuple):
    """What a caller says beside the arguments."""

    idempotency_key: str | None = None
    justification: str = ""
    confidence: int | None = None
    kpi: Mapping[str, int] | None = None
    traceparent: str = ""


NOTHING_SAID: Final = Said()


def proposal_of(
    task: Task, tool: AnyTool | str, args: tuple[object, ...], kwargs: Mapping[str, object], said: Said
) -> Proposal:
    """The proposal that calling `tool` so in `task` is. Arguments that do not fit are proposed all the same, as unfit: the gate
    refuses them and records that it was tried. Raises ContractError for what is no tool."""
    called = cast(object, tool)
    if not isinstance(called, str | Tool):
        raise ContractError(
            f"`{type(called).__name__}` is no tool",
            path="/tool",
            next_step="propose what `@interlock.tool` made, or a contract by its name",
        )
    contract, expected, unfit = ContractName(str(tool)), None, ""
    if isinstance(tool, Tool):
        contract, expected = tool.contract.name, tool.contract.digest
    try:
        arguments = arguments_of(tool.function, args, kwargs) if isinstance(tool, Tool) else _by_name(args, kwargs)
        if isinstance(tool, Tool):
            _must_be_said(tool, arguments, said)
    except ContractError as error:
        # Nothing of it may be guessed.
        arguments, unfit = _written(kwargs), _words(error.detail)
    return Proposal(
        task=task,
        contract=contract,
        arguments=arguments,
        idempotency_key=said.idempotency_key,
        justification=said.justification,
        confidence=said.confidence,
        kpi=_figures(said.kpi),
        traceparent=said.traceparent,
        expected=expected,
        unfit=unfit,
    )


def _must_be_said(tool: AnyTool, arguments: Mapping[str, JsonValue], said: Said) -> None:
    """`confidence=` and the like are never the tool's own arguments, which keep their defaults then: the caller may have
    meant those."""
    properties = tool.contract.input_schema.get("properties")
    for name, meaning in _OF_THE_AGENT.items():
        given = getattr(said, name) not in (None, "")
        if given and isinstance(properties, dict) and name in properties and name not in arguments:
            raise ContractError(f"`{name}=` says {meaning}; give the tool's own `{name}` by position", path=f"/{name}")


_OF_THE_AGENT: Final = {
    "confidence": "how sure the agent is",
    "kpi": "what it expects of the business's figures",
    "traceparent": "which trace it belongs to",
}


def _figures(kpi: Mapping[str, int] | None) -> dict[str, int]:
    """`kpi` as it goes on; whether it is what it should be the gate says."""
    given = cast(object, kpi)
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise ContractError(
            "`kpi` is a mapping of figures by name", path="/kpi", next_step="give it as {'margin_minor': -250}"
        )
    return dict(cast(Mapping[str, int], given))


def _by_name(args: tuple[object, ...], kwargs: Mapping[str, object]) -> dict[str, JsonValue]:
    """The arguments of a contract whose signature is not here: by name, or as one mapping."""
    if len(args) == 1 and isinstance(args[0], Mapping):
        given = cast(Mapping[object, object], args[0])
        named = {str(name): value for name, value in given.items()}
        for twice in named.keys() & kwargs.keys():
            raise ContractError(f"`{twice}` is given twice", path=pointer(twice))
        args, kwargs = (), {**named, **kwargs}
    if args:
        raise ContractError("a contract that is named as text takes its arguments by name, or as one mapping")
    return {name: to_plain(value, pointer(name)) for name, value in kwargs.items()}


def _written(arguments: Mapping[str, object]) -> dict[str, JsonValue]:
    """What can be written of arguments that do not fit."""
    written: dict[str, JsonValue] = {}
    for name, value in arguments.items():
        with contextlib.suppress(ContractError):
            written[name] = to_plain(value)
    return written


def _words(detail: str) -> str:
    """A reason that any record can hold: it repeats what the caller wrote."""
    return detail[:MAX_WORDS].encode(errors="backslashreplace").decode()
