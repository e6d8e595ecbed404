"""The public names of `interlock` as a page: signatures as they are written, and what their docstrings say."""

import ast
import inspect
from collections.abc import Iterator
from textwrap import dedent, fill, indent
from typing import Any

import interlock
from interlock.bootstrap.beginning import Begun
from interlock.domain.errors import InterlockError
from interlock.domain.explanation import Explanation
from interlock.domain.export import Exported
from interlock.domain.finding import Finding
from interlock.domain.proof import Kept
from interlock.domain.record import Record
from interlock.domain.replay import Answer, Replay, Replayed
from interlock.domain.whatif import Comparison
from interlock.sdk.outcomes import NotDone, Withheld
from interlock.services.candidates import Candidate
from interlock.services.policy_tests import Report, Result
from interlock.services.publishing import Applied
from interlock.services.reviewing import Review
from interlock.services.searching import Found, Hit
from interlock.workbench.comparing import Compared, Proved
from interlock.workbench.exports import Verdict
from interlock.workbench.publications import Brought, EngineState, Proposed
from interlock.workbench.trials import Ended
from scripts.fields import sentences

WIDTH = 110

_NAMED: dict[str, tuple[str, ...]] = {
    "Opening and tasks": (
        "open",
        "Client",
        "SyncTask",
        "AsyncTask",
        "ModelUse",
        "Ticket",
        "EntryProof",
        "ChildFailure",
        "Notice",
    ),
    "People": ("Desk", "AsyncDesk", "Action", "Unwind"),
    "Tools": ("tool", "Tool", "Call", "this_call", "NoEffect", "Changing"),
    "What a contract says": (
        "Keyed",
        "Conditional",
        "Lookup",
        "Blind",
        "Landed",
        "Reversal",
        "NoReversal",
        "Cost",
        "Rate",
        "Sureness",
        "Output",
        "Taken",
    ),
    "Parsed facts": ("Domains", "Hosts", "Folded", "ChangePerMille", "Statements", "Tables"),
    "Working with policies": ("policies", "Policies", "Hypothesis"),
    "Auditing": ("audit", "Auditing"),
}
"""The sections of the page. Outcomes and errors have a page of their own."""
_ANSWERS: tuple[type, ...] = (
    Begun,
    Finding,
    Report,
    Result,
    Explanation,
    Compared,
    Comparison,
    Proved,
    Kept,
    Candidate,
    Ended,
    Brought,
    Applied,
    Proposed,
    Review,
    EngineState,
)
"""What the methods of Policies give."""
_EVIDENCE: tuple[type, ...] = (Found, Hit, Exported, Verdict, Replay, Replayed, Answer)
"""What the methods of Auditing give."""
_OURS = frozenset({"call_sync", "call_async"})
"""Methods by which one part of ours calls another."""
_DURATIONS = ("SECOND", "MINUTE", "HOUR", "DAY")


def api() -> str:
    """Every public name that is neither an outcome nor an error. Raises ValueError when one has no place on the page."""
    placed = {name for names in _NAMED.values() for name in names}
    left = [name for name in interlock.__all__ if name not in placed | {*_DURATIONS} and not _told_elsewhere(name)]
    if left:
        raise ValueError(f"these public names have no place in the page of the API: {', '.join(left)}")
    parts: list[str] = []
    for heading, names in _NAMED.items():
        parts.append(f"## {heading}")
        parts += [_entry(name, getattr(interlock, name)) for name in names]
    parts.append("## What is answered about policies")
    parts += [_entry(each.__name__, each) for each in _ANSWERS]
    parts.append("## What is answered about the evidence")
    parts += [_entry(each.__name__, each) for each in _EVIDENCE]
    said = ", ".join(f"`{name}` ({getattr(interlock, name)})" for name in _DURATIONS)
    return "\n\n".join([*parts, f"## Durations\n\nIn milliseconds: {said}."])


def _told_elsewhere(name: str) -> bool:
    value = getattr(interlock, name)
    if name in ("Done", "Outcome"):
        return True
    return isinstance(value, type) and (issubclass(value, (NotDone, Withheld)) or issubclass(value, InterlockError))


def _entry(name: str, value: object) -> str:
    """One name: how it is written, and what it says."""
    if isinstance(value, type):
        shown = "\n".join(_members(value))
    else:
        [node] = _written(value).body
        if not isinstance(node, ast.FunctionDef):
            raise TypeError(f"`{name}` is neither a class nor a function")
        shown = _function(node)
    return f"### {name}\n\n{inspect.getdoc(value)}" + (f"\n\n```text\n{shown}\n```" if shown else "")


def _written(value: Any) -> ast.Module:
    return ast.parse(dedent(inspect.getsource(value)))


def _is_ours(kind: type) -> bool:
    """A class of ours that is no public name, which readers know only by those below it."""
    return kind is not Record and kind.__name__ not in interlock.__all__ and kind.__module__.startswith("interlock.")


def _members(kind: type) -> Iterator[str]:
    """Its fields and its public methods, with those of classes below it that have no page; and what each says first."""
    classes = [each for each in kind.__mro__ if each is kind or _is_ours(each)]
    body = [part for each in classes for node in _written(each).body for part in getattr(node, "body", [])]
    told = sentences(kind)
    seen: set[str] = set()
    for part in body:
        if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
            name = part.target.id
            if not name.startswith("_") and "ClassVar" not in ast.unparse(part.annotation):
                default = f" = {ast.unparse(part.value)}" if part.value else ""
                yield f"{name}: {ast.unparse(part.annotation)}{default}"
                yield from _below(told.get(name, ""))
        elif isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef) and part.name not in seen | _OURS:
            if part.name.startswith("_") or issubclass(kind, Record):
                continue
            seen.add(part.name)
            yield _function(part)
            yield from _below(ast.get_docstring(part) or "")


def _below(text: str) -> Iterator[str]:
    """What something says, indented below it."""
    for paragraph in filter(None, text.split("\n\n")):
        yield indent(fill(" ".join(paragraph.split()), WIDTH - 4), "    ")


def _function(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """The signature as it is written, a parameter a line where it is long."""
    arguments = [each for each in _arguments(node.args) if each != "self"]
    before = "async " if isinstance(node, ast.AsyncFunctionDef) else ""
    if any(isinstance(each, ast.Name) and each.id == "property" for each in node.decorator_list):
        return f"{node.name}: {ast.unparse(node.returns) if node.returns else 'object'}"
    gives = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    line = f"{before}{node.name}({', '.join(arguments)}){gives}"
    if len(line) <= WIDTH:
        return line
    return f"{before}{node.name}(\n" + "".join(f"    {each},\n" for each in arguments) + f"){gives}"


def _arguments(given: ast.arguments) -> Iterator[str]:
    by_place = [*given.posonlyargs, *given.args]
    defaults = [None] * (len(by_place) - len(given.defaults)) + list(given.defaults)
    for number, (argument, default) in enumerate(zip(by_place, defaults, strict=True), start=1):
        yield _argument(argument, default)
        if given.posonlyargs and number == len(given.posonlyargs):
            yield "/"
    if given.vararg is not None:
        yield f"*{ast.unparse(given.vararg)}"
    elif given.kwonlyargs:
        yield "*"
    for argument, default in zip(given.kwonlyargs, given.kw_defaults, strict=True):
        yield _argument(argument, default)
    if given.kwarg is not None:
        yield f"**{ast.unparse(given.kwarg)}"


def _argument(argument: ast.arg, default: ast.expr | None) -> str:
    return ast.unparse(argument) + (f" = {ast.unparse(default)}" if default is not None else "")
