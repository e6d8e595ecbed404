"""An action and a contract as a person reads them."""

import msgspec
from rich.console import Console
from rich.markup import escape

from interlock.cli.output import moment, state
from interlock.domain.action import MEANING, Action
from interlock.domain.canonical import JsonValue
from interlock.domain.contract import Contract, NoReversal, Reversal
from interlock.domain.duration import words


def show_action(console: Console, action: Action, contract: Contract | None) -> None:
    """The whole life of an action, top to bottom."""
    console.print(f"[bold]{action.contract}[/bold]  {state(action.state)}  [dim]{MEANING[action.state]}[/dim]")
    _line(console, "action", action.id)
    _line(console, "task", f"{action.task}  agent {action.agent}  for {action.initiator}")
    _line(console, "release", action.release[:12])
    _line(console, "proposed", moment(action.proposed_at))
    for name, value in action.arguments.items():
        _line(console, f"  {name}", text(value))
    for name, value in action.facts.items():
        _line(console, f"  fact {name}", text(value))
    if action.justification:
        _line(console, "because", action.justification)
    if contract is not None:
        _line(
            console,
            "contract",
            f"version {contract.version}, {contract.effect}, {contract.risk} risk, {_reversal(contract)}",
        )
    if action.decision is not None:
        by = ", ".join(action.decision.because)
        _line(
            console,
            "decision",
            f"{action.decision.verdict.replace('_', ' ')} by {by}, policies {action.decision.bundle[:12]}",
        )
    for reason in action.reasons:
        _line(console, "reason", reason)
    if action.hold is not None:
        for need in action.hold.requirements:
            _line(
                console,
                "asks",
                f"{need.quorum} × {need.role} (policy {need.policy}) until {moment(action.hold.expires_at)}",
            )
        for word in action.hold.approvals:
            note = f": {word.note}" if word.note else ""
            _line(console, word.verdict, f"{word.person} at {moment(word.decided_at)}{note}")
        _line(console, "view", action.hold.view[:12])
    if action.attempt:
        _line(
            console, "attempts", f"{action.attempt}, the last at {moment(action.dispatched_at)}, fence {action.fence}"
        )
    if action.outcome is not None:
        said = action.outcome
        _line(console, "outcome", f"said by the {said.by} at {moment(said.observed_at)}")
        if said.result is not None:
            _line(console, "  result", text(said.result))
        for label, words_ in (("  error", said.error), ("  note", said.note)):
            if words_:
                _line(console, label, words_)
    if action.undoes:
        _line(console, "undoes", action.undoes)
    if action.undone_by:
        _line(console, "undone by", action.undone_by)
    _line(console, "evidence", f"{action.entries} entries; `interlock packet {action.id[-12:]}` shows them")


def show_contract(console: Console, contract: Contract) -> None:
    """What a contract promises."""
    console.print(f"[bold]{contract.name}[/bold] version {contract.version}  [dim]{escape(contract.description)}[/dim]")
    _line(console, "digest", contract.digest)
    _line(console, "owner", contract.owner or "-")
    _line(console, "effect", f"{contract.effect}, {contract.risk} risk")
    _line(console, "repeats", text(msgspec.to_builtins(contract.idempotency)))
    _line(console, "undo", _reversal(contract))
    _line(console, "timeout", words(contract.timeout_ms))
    _line(console, "takes", text(contract.input_schema))
    _line(console, "gives", text(contract.output_schema))


def text(value: JsonValue) -> str:
    """A JSON value on one line; text without its quotes."""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _line(console: Console, label: str, value: str) -> None:
    console.print(f"  [dim]{escape(label):<14}[/dim] {escape(value)}")


def _reversal(contract: Contract) -> str:
    match contract.reversal:
        case Reversal(contract=name, within_ms=within):
            return f"undone by {name} within {words(within)}"
        case NoReversal(why=why):
            return f"cannot be undone: {why}"
        case None:
            return "nothing to undo"
